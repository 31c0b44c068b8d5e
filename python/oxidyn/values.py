"""`Value`: what `@dataclass(frozen=True, slots=True)` gives, for the modules that every program imports.

A dataclass writes and compiles its methods anew for each class, which takes longer than the rest of its module's import.
Here they are written once, for the fields that a class annotates.
"""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from inspect import get_annotations
from typing import Any, ClassVar, NoReturn, TypeVar

from typing_extensions import Self, dataclass_transform

__all__ = ["Value"]

V = TypeVar("V", bound="Value")


@dataclass_transform(frozen_default=True)
class Value:
    """Frozen, equal to others of its class with equal fields, hashed and pickled by them."""

    _names: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls._names = (*cls._names, *get_annotations(cls))
        type.__setattr__(cls, "__match_args__", cls._names)

    def __init__(self, *values: object) -> None:
        self.__dict__.update(zip(self._names, values, strict=True))

    def _fields(self) -> tuple[Any, ...]:  # Any: each field has its own type.
        return tuple(self.__dict__.values())

    def __eq__(self, other: object) -> bool:
        # Its own class, so that `All() != KeysOnly()`.
        return self._fields() == other._fields() if isinstance(other, type(self)) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self), self._fields()))

    def __repr__(self) -> str:
        fields = (f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({', '.join(fields)})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (type(self), self._fields())


def _made(cls: type[V], fields: tuple[Any, ...]) -> V:
    """Make what was pickled, whose fields were checked then."""
    value = object.__new__(cls)
    Value.__init__(value, *fields)
    return value
