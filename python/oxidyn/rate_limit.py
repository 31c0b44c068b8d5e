"""`RateLimit`: how many capacity units per second the tables that share it may consume."""

from __future__ import annotations

import math
from typing import Final

from . import _core
from .errors import InvalidOption, shown
from .exports import show_public_path
from .held import Held

__all__ = ["RateLimit"]


class RateLimit(Held):
    """Read and write capacity units per second, for every table that it is given to: `RateLimit(read=100, write=20)`.

    One limit may be shared by any number of tables, clients, threads and event loops. It asks DynamoDB what each call
    consumed and lets a call wait while the units of the calls before it are not yet earned, in the order they came. A
    call is never refused: one that consumes more than a second's units is followed by a longer pause. Waiting calls hold
    up neither the event loop nor other threads, and can be cancelled or interrupted.

    Raises:
        InvalidOption: neither rate was given, or one is not a positive number.
    """

    __slots__ = ("_core", "_read", "_write")

    _in_place_of_pickling = (
        "a limit counts what its own process consumes. Give each process a RateLimit with its share of the units."
    )

    def __init__(self, *, read: float | None = None, write: float | None = None) -> None:
        if read is None and write is None:
            raise InvalidOption("RateLimit(): expected read=, write= or both, in capacity units per second.")
        self._read: Final = _rate("read", read)
        self._write: Final = _rate("write", write)
        self._core: Final = _core.RateLimit(self._read, self._write)

    @property
    def read(self) -> float | None:
        """Read units per second; None is no limit."""
        return self._read

    @property
    def write(self) -> float | None:
        """Write units per second; None is no limit."""
        return self._write

    def __repr__(self) -> str:
        rates = (("read", self._read), ("write", self._write))
        return f"RateLimit({', '.join(f'{kind}={rate:g}' for kind, rate in rates if rate is not None)})"


def _rate(kind: str, rate: object) -> float | None:
    if rate is None:
        return None
    if isinstance(rate, bool) or not isinstance(rate, int | float):
        raise InvalidOption(f"{kind}: expected capacity units per second as a number, found {type(rate).__name__}.")
    try:
        units = float(rate)
    except OverflowError:
        units = math.inf
    if not 0 < units < math.inf:
        raise InvalidOption(f"{kind}: expected more than 0 capacity units per second, found {shown(rate)}.")
    return units


def core_of(rate_limit: object) -> _core.RateLimit:
    """Give the core's limit of what a caller passed as `rate_limit=`."""
    if not isinstance(rate_limit, RateLimit):
        raise InvalidOption(
            f"rate_limit: expected a RateLimit such as RateLimit(read=100), found {type(rate_limit).__name__}."
        )
    return rate_limit._core  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] (its own module's)


show_public_path(globals())
