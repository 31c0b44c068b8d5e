"""`record_calls()`: what the calls of one block took, and of nobody else's."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Final, overload

from ._core import CallRecord, ConsumedCapacity, Recording
from .exports import show_public_path
from .metrics import Metrics, OperationMetrics, summed

if TYPE_CHECKING:
    from types import TracebackType


__all__ = ["CallRecord", "CallRecords", "ConsumedCapacity", "record_calls"]


class CallRecords(Sequence[CallRecord]):
    """The records of a block's calls, in the order in which they ended. A call that outlives the block still comes."""

    __slots__ = ("_outer", "_records")

    def __init__(self, outer: CallRecords | None = None) -> None:
        self._records: list[CallRecord] = []
        self._outer = outer

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, place: int, /) -> CallRecord: ...
    @overload
    def __getitem__(self, place: slice, /) -> list[CallRecord]: ...
    def __getitem__(self, place: int | slice, /) -> CallRecord | list[CallRecord]:
        return self._records[place]

    def __repr__(self) -> str:
        return f"CallRecords({self._records!r})"

    def metrics(self) -> Metrics:
        """Sum them up, as `Client.metrics` does for a client: `calls.metrics().total.read_units`."""
        by_operation: dict[tuple[str, str | None], list[OperationMetrics]] = {}
        for record in self._records:
            by_operation.setdefault((record.operation, record.table), []).append(_alone(record))
        return Metrics.of_parts({key: summed(parts) for key, parts in by_operation.items()})

    def _add(self, record: CallRecord) -> None:
        self._records.append(record)
        if self._outer is not None:
            self._outer._add(record)  # noqa: SLF001 (of the same class)


def _alone(record: CallRecord) -> OperationMetrics:
    return OperationMetrics(
        calls=1,
        errors={} if record.error is None else {record.error: 1},
        requests=record.requests,
        attempts=record.attempts,
        throttled=record.throttled,
        bytes_sent=record.bytes_sent,
        bytes_received=record.bytes_received,
        read_units=record.read_units or 0.0,
        write_units=record.write_units or 0.0,
        duration=record.duration,
        longest=record.duration,
        durations=((record.duration, 1),),
    )


innermost: Final[ContextVar[CallRecords | None]] = ContextVar("oxidyn.recording", default=None)
"""The block that the running code is in. The core looks here when a call begins, and tells the block when it ends."""


class record_calls:  # noqa: N801 (used as a verb, like contextlib's own)
    """Collect the records of all calls that a block makes: `with record_calls() as calls: ...`.

    Calls of any client are in it, also those of tasks, and of threads by `asyncio.to_thread`, that the block started; those
    of other requests that run meanwhile are not. Blocks may be nested: an outer one has the inner one's calls too.
    """

    __slots__ = ("_open", "_token")

    def __init__(self) -> None:
        self._open: Recording | None = None
        self._token: Token[CallRecords | None] | None = None

    def __enter__(self) -> CallRecords:
        calls = CallRecords(outer=innermost.get())
        self._open = Recording()
        self._token = innermost.set(calls)
        return calls

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        token, self._token, self._open = self._token, None, None
        if token is not None:
            # Where a framework's threads leave the block in another context than they entered it, that one is at its end.
            with suppress(ValueError):
                innermost.reset(token)


show_public_path(globals())
