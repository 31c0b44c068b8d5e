"""What `parallel_scan` returns: one reading of a whole table in segments, whose pages are fetched side by side.

Neither class is a generator: after an `InvalidItem` (one stored item that the model refuses) iterating goes on with the
next item, and after a failed request that segment is asked again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from typing_extensions import Self

from .errors import InvalidExpression
from .exports import show_public_path

if TYPE_CHECKING:
    from . import _core

__all__ = ["AsyncParallelScan", "ParallelScan", "ScanProgress", "SegmentProgress"]

M = TypeVar("M")  # Unbound: dataclasses and TypedDicts have tables too.


@dataclass(frozen=True, slots=True)
class SegmentProgress:
    """How far one segment of a parallel scan has come."""

    items: int
    """Items handed out, those that were refused included."""
    scanned: int
    """Items that DynamoDB looked at for the pages taken up so far, before the filter: these are billed."""
    finished: bool
    """Whether every item of the segment was handed out."""


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far a parallel scan has come: in all, and segment by segment."""

    segments: tuple[SegmentProgress, ...]
    items: int
    """Items handed out, those that were refused included."""
    scanned: int
    """Items that DynamoDB looked at for the pages taken up so far, before the filter: these are billed."""
    finished: bool
    """Whether every item of every segment was handed out."""


class _ParallelScanBase(Generic[M]):
    """A parallel scan without I/O."""

    __slots__ = ("_client", "_name", "_refusal", "_scan")

    def __init__(self, client: _core.Client, scan: _core.ParallelScan[M], name: str, refusal: str | None) -> None:
        self._client = client
        self._scan = scan
        self._name = name
        self._refusal = refusal

    def __repr__(self) -> str:
        return f'{type(self).__name__}(table="{self._name}", segments={len(self._scan.progress())})'

    @property
    def cursor(self) -> str:
        """Where the scan stands, as an opaque token.

        `parallel_scan(..., after=cursor)` goes on right behind the items that were handed out, also in another process.
        It can be asked for at any time, in the middle of a page too. A scan that is finished has one as well, behind
        which nothing comes.
        """
        return self._scan.cursor()

    @property
    def progress(self) -> ScanProgress:
        """How far this scan has come, since it began or was resumed."""
        segments = tuple(SegmentProgress(*segment) for segment in self._scan.progress())
        return ScanProgress(
            segments,
            items=sum(segment.items for segment in segments),
            scanned=sum(segment.scanned for segment in segments),
            finished=all(segment.finished for segment in segments),
        )

    def _items(self) -> _core.ParallelScan[M]:
        """The scan for items, rather than for their number."""
        if self._refusal is not None:
            raise InvalidExpression(self._refusal, table=self._name)
        return self._scan


class ParallelScan(_ParallelScanBase[M], Iterator[M]):
    """The items of a table in no order, read in segments side by side: an iterator, which threads may share.

    Of each segment one page at most is on its way or waiting, so that memory is bounded by the number of segments however
    slowly the items are taken; nothing is fetched before the first is asked for. Dropping the scan drops its requests.
    """

    __slots__ = ()

    def __iter__(self) -> Self:
        """Get the scan itself: it is read once, and again only by another `parallel_scan()`."""
        return self

    def __next__(self) -> M:
        """Get the next item of whichever segment has one.

        Raises:
            InvalidExpression: the index does not hold every field of the model.
            InvalidItem: a stored item is not one of the model's; iterating goes on with the next.
        """
        scan = self._items()
        while True:
            for item in scan:
                return item
            if not scan.turn(self._client):
                raise StopIteration

    def count(self) -> int:
        """Count all items from where the scan began, without reading them; DynamoDB bills it as if they were read."""
        return self._client.run(self._scan.count())


class AsyncParallelScan(_ParallelScanBase[M], AsyncIterator[M]):
    """As `ParallelScan`, with `async for` and `await`; tasks may share it."""

    __slots__ = ()

    def __aiter__(self) -> Self:
        """See `ParallelScan.__iter__`."""
        return self

    async def __anext__(self) -> M:
        """See `ParallelScan.__next__`."""
        scan = self._items()
        while True:
            for item in scan:
                return item
            if not await scan.turn_awaited(self._client):
                raise StopAsyncIteration

    async def count(self) -> int:
        """See `ParallelScan.count`."""
        return await self._client.spawn(self._scan.count())


show_public_path(globals())
