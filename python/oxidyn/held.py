"""`Held`: what belongs to its process, since it holds connections, counts, or compiled plans."""

from __future__ import annotations

from typing import ClassVar, NoReturn

from typing_extensions import Self

__all__ = ["Held"]


class Held:
    """A copy of it is itself, so that what contains it can be copied; pickling is refused and told what to pickle."""

    __slots__ = ()

    _in_place_of_pickling: ClassVar[str]
    """Why it cannot be pickled, and what to do in its place."""

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"cannot pickle {type(self).__name__}: {self._in_place_of_pickling}")
