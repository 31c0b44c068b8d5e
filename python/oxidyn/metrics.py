"""`Metrics`: what a client's calls took so far, in all and for each operation on each table."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .errors import InvalidOption, shown
from .exports import show_public_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Metrics", "OperationMetrics"]

_ALL: Final = 100
"""Per cent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationMetrics:
    """The sums of some calls. What `CallRecord` says of one call, this says of all of them."""

    calls: int = 0
    """Calls that ended, those that failed included. A page of a query is one, and so is a batch with all its requests."""
    errors: Mapping[str, int] = field(default_factory=dict[str, int])
    """The calls that failed, by the names of the exceptions that they raised: `{"ConditionFailed": 2}`."""
    requests: int = 0
    """Requests that these calls made."""
    attempts: int = 0
    """Tries of these requests, the first of each included."""
    throttled: int = 0
    """Tries that were refused because too much was asked at once."""
    bytes_sent: int = 0
    bytes_received: int = 0
    read_units: float = 0.0
    """Read capacity units, so far as answers told: the client asks for them with `capacity=`."""
    write_units: float = 0.0
    """Write capacity units, likewise."""
    duration: float = 0.0
    """Seconds of all calls together."""
    longest: float = 0.0
    """Seconds of the longest call."""
    durations: tuple[tuple[float, int], ...] = ()
    """A histogram: how many calls took at most so many seconds, and more than the step before. A step is an eighth of its
    size, or less."""

    @property
    def failed(self) -> int:
        """How many calls failed."""
        return sum(self.errors.values())

    def percentile(self, percent: float) -> float:
        """Give the seconds in which this percentage of the calls ended, an eighth too many at most; 0.0 of no calls.

        Raises:
            InvalidOption: the percentage is not above 0 and at most 100.
        """
        if not 0 < percent <= _ALL:
            raise InvalidOption(f"percentile({shown(percent)}): expected a percentage above 0 and at most 100.")
        wanted = math.ceil(self.calls * percent / _ALL)
        for end, count in self.durations:
            wanted -= count
            if wanted <= 0:
                return min(end, self.longest)
        return self.longest


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What the calls took up to the moment it was asked for: it does not change afterwards."""

    total: OperationMetrics
    """All calls together."""
    operations: Mapping[tuple[str, str | None], OperationMetrics]
    """By DynamoDB's name of the operation and the table; None is for calls with several tables, or none."""

    @classmethod
    def of_parts(cls, operations: Mapping[tuple[str, str | None], OperationMetrics]) -> Metrics:
        """Make it of its operations."""
        return cls(total=summed(operations.values()), operations=operations)

    def of(self, *, operation: str | None = None, table: str | None = None) -> OperationMetrics:
        """Sum up one operation, one table, or both: `metrics.of(table="users").write_units`."""
        return summed(
            metrics
            for (known, on), metrics in self.operations.items()
            if operation in {None, known} and table in {None, on}
        )


def summed(parts: Iterable[OperationMetrics]) -> OperationMetrics:
    """Add up."""
    parts = list(parts)
    errors: Counter[str] = Counter()
    durations: Counter[float] = Counter()
    for part in parts:
        errors.update(part.errors)
        durations.update(dict(part.durations))
    return OperationMetrics(
        calls=sum(part.calls for part in parts),
        errors=dict(errors),
        requests=sum(part.requests for part in parts),
        attempts=sum(part.attempts for part in parts),
        throttled=sum(part.throttled for part in parts),
        bytes_sent=sum(part.bytes_sent for part in parts),
        bytes_received=sum(part.bytes_received for part in parts),
        read_units=math.fsum(part.read_units for part in parts),
        write_units=math.fsum(part.write_units for part in parts),
        duration=math.fsum(part.duration for part in parts),
        longest=max((part.longest for part in parts), default=0.0),
        durations=tuple(sorted(durations.items())),
    )


show_public_path(globals())
