"""`HotPartition`: a partition that uses much of what DynamoDB gives one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from .exports import show_public_path

__all__ = ["HotPartition"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HotPartition:
    """What this client asked of the items under one partition key, in the last minute or two."""

    table: str
    index: str | None
    """The index that was queried; None for the table itself."""
    partition: str
    """The key's value where the client shows it, else its hash: the first 16 hex digits of the SHA-256 of the value on the
    wire, `{"S":"acme"}`, so that it is the same in every process and can be looked up by who knows the key."""
    read_units: float
    """Read capacity units per second; of 3,000 that a partition has."""
    write_units: float
    """Write capacity units per second; of 1,000 that a partition has."""
    throttled: int
    """Tries that were refused because too much was asked."""
    utilisation: float
    """The larger part of what a partition has: 1.0 is all of it."""
    share: float
    """The part of all units that this client consumed: 1.0 is all of them."""

    @classmethod
    def of_row(cls, row: dict[str, Any], *, shows_keys: bool) -> HotPartition:  # Any: each field has its own type.
        """Make it of what the core counted, under the key's value on the wire."""
        wire: bytes = row["partition"]
        [value] = json.loads(wire).values() if shows_keys else [hashlib.sha256(wire).hexdigest()[:16]]
        named: dict[str, Any] = {**row, "partition": value}
        return cls(**named)


show_public_path(globals())
