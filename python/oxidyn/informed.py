"""Validators that take `info`, where a value is validated by itself: in conditions, keys and updates.

There `info.data` has what is known of the other fields, which the core gives as the validation's context. A validator
that asks for another one cannot be answered, and is skipped.
"""

from __future__ import annotations

from operator import is_
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["informed"]

_PARTS: Final = (
    "schema",
    "items_schema",
    "keys_schema",
    "values_schema",
    "choices",
    "steps",
    "lax_schema",
    "strict_schema",
    "json_schema",
    "python_schema",
    "definitions",
)
"""Where core schemas hold others of the same fields."""

_OTHER_FIELDS: Final = frozenset({"model", "dataclass", "typed-dict", "arguments", "call"})
"""Their validators see fields of their own."""


def informed(schema: dict[str, Any], /) -> dict[str, Any] | None:
    """Replace the functions of a core schema that take `info`; None where there are none."""
    made = _informed(schema)
    return None if made is schema else made


def _informed(part: Any) -> Any:
    """Copy what has such a function in it; what has none comes back itself."""
    if isinstance(part, (list, tuple)):
        made = [_informed(each) for each in cast("Iterable[Any]", part)]
        return part if all(map(is_, made, part)) else made  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if not isinstance(part, dict):
        return part
    schema = cast("dict[str, Any]", part)
    kind = schema.get("type")
    if kind in _OTHER_FIELDS:
        return schema
    # The choices of a tagged union are a dict without a type, by their tags.
    parts = schema if kind is None else _PARTS
    changed = {
        name: new for name in parts if (old := schema.get(name)) is not None and (new := _informed(old)) is not old
    }
    function: dict[str, Any] = schema.get("function", {}) if str(kind).startswith("function-") else {}
    if function.get("type") == "with-info":
        wrap = _wrap if kind == "function-wrap" else _call
        changed["function"] = {**function, "function": wrap(function["function"])}
    return {**schema, **changed} if changed else schema


class _Unknown(KeyError):
    """A validator asked for a field of which nothing is known."""


class _Data(dict[str, Any]):
    def __missing__(self, field: str) -> Any:
        raise _Unknown(field)

    def get(self, field: str, _default: Any = None, /) -> Any:
        return self[field]


class _Info:
    """Pydantic's `ValidationInfo`, with data of ours."""

    __slots__ = ("config", "context", "data", "field_name", "mode")

    def __init__(self, info: Any) -> None:
        self.field_name, known = info.context
        self.data = _Data(known)
        self.context = None
        self.config = info.config
        self.mode = info.mode


def _call(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def validate(value: Any, info: Any) -> Any:
        try:
            return function(value, _Info(info))
        except _Unknown:
            return value

    return validate


def _wrap(function: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    def validate(value: Any, handler: Any, info: Any) -> Any:
        try:
            return function(value, handler, _Info(info))
        except _Unknown:
            return handler(value)

    return validate
