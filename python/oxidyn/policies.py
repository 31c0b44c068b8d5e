"""The policies of a table or an adapter: what is read and written where a model alone does not say."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, get_args

from .errors import InvalidOption

__all__ = ["DEFAULTS", "AnyNumbers", "Load", "Policies", "Unknown", "Unset"]

Load = Literal["validate", "trust"]
"""Whether your own validators run on what is read. Types, shapes and constraints are checked either way."""
Unset = Literal["store", "skip"]
"""What becomes of a field that was never set: stored with its default, or left out."""
Unknown = Literal["skip", "error", "keep"]
"""What becomes of a stored attribute that is no field: skipped, refused, or kept to be written back."""

AnyNumbers = Literal["auto", "decimal"]
"""What a number without a type is read as where it is not integral: a float if that is the same number, or a Decimal."""


class Policies(NamedTuple):
    """How items are read and written, each as in `client.table()`."""

    load: Load = "validate"
    unset: Unset = "store"
    unknown: Unknown = "skip"
    any_numbers: AnyNumbers = "auto"

    def check(self) -> None:
        """Refuse what a caller without a type checker gave: InvalidOption names the option and what it may be."""
        for option, value in self._asdict().items():
            allowed = _ALLOWED[option]
            if value not in allowed:
                raise InvalidOption(f"{option}={value!r}: expected {' or '.join(map(repr, allowed))}.")


DEFAULTS: Final = Policies()

_ALLOWED: Final[dict[str, tuple[str, ...]]] = {
    "load": get_args(Load),
    "unset": get_args(Unset),
    "unknown": get_args(Unknown),
    "any_numbers": get_args(AnyNumbers),
}
