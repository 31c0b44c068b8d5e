"""`item_size`: what an item weighs in DynamoDB, without sending it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, final

from .errors import InvalidOption
from .exports import show_public_path
from .schema import TableSchema, title_of

if TYPE_CHECKING:
    from . import _core

__all__ = ["AttributeSize", "ItemSize", "item_size"]

_READ_UNIT: Final = 4096
_WRITE_UNIT: Final = 1024


class AttributeSize(NamedTuple):
    """An attribute of an item, or a part of one, and its bytes."""

    path: str
    """Where it is, by stored names: `meta.pages[3]`."""
    bytes: int
    """What it weighs, with its name or its place in a list."""


@final
@dataclass(frozen=True, slots=True)
class ItemSize:
    """What an item weighs, and why: see `item_size`."""

    bytes: int
    """The size as DynamoDB counts it; it takes at most 409,600."""
    heaviest: tuple[AttributeSize, ...]
    """Every attribute, and of the parts inside them each that is at least a tenth of the item; the heaviest first."""

    @property
    def read_units(self) -> int:
        """Units of a `get` with `consistent=True`, each 4 KB. Without, it takes half of them."""
        return _units(self.bytes, _READ_UNIT)

    @property
    def write_units(self) -> int:
        """Units of a `put`, each 1 KB, beside those of the indexes. What it replaces counts too, if that is larger."""
        return _units(self.bytes, _WRITE_UNIT)


def _units(size: int, unit: int) -> int:
    return max(1, -(-size // unit))


def size_by(plan: _core.Plan, item: object) -> ItemSize:
    """The size of an item as the plan writes it."""
    size, parts = plan.item_size(item)
    return ItemSize(size, tuple(AttributeSize(*part) for part in parts))


def item_size(item: object, /) -> ItemSize:
    """Count an item's bytes as DynamoDB does: names and values, and what lists and maps add.

        size = oxidyn.item_size(user)
        size.bytes, size.write_units, size.heaviest[0].path

    The item is an instance of a model or a dataclass, stored as its class says; for a TypedDict, and for a table with
    options such as `unset="skip"`, `ItemAdapter(...).item_size(item)` counts the same way.

    The rules are those of "DynamoDB item sizes and formats" in the developer guide
    (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>): text and names
    by their UTF-8 bytes, bytes as they are, a bool or NULL 1, a list or map 3 and 1 for each element, a number 1 and
    half a byte for each significant digit. The guide calls the last one approximate; what is counted here was measured.

    Raises:
        InvalidItem: A value cannot be stored; `errors()` has its path.
    """
    kind: type = type(item)
    if issubclass(kind, type | Mapping):
        found = f"the class {title_of(item)}" if issubclass(kind, type) else "a dict"
        raise InvalidOption(
            f"item_size() expected an instance of a model or a dataclass, found {found}: a TypedDict's size is "
            f"ItemAdapter(...).item_size(item)."
        )
    return size_by(TableSchema.of(kind).plan, item)


show_public_path(globals())
