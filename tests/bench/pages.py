"""A query of 1,000 items in 10 pages, iterated from the first to the last, and page by page as a web API gives them out.

Page by page, each page is a call of its own that begins with the text which the one before ended with. oxidyn's is its
cursor; for the others it is the start key as JSON in base64, which neither binds it to a query nor checks it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bench import shapes
from tests.bench.peers import PAGE_SIZE, by_boto3, by_oxidyn, by_pydynox, by_pynamodb
from tests.bench.report import Part, Row, Table
from tests.bench.rounds import Sample, interleave
from tests.bench.stub import Stub, build
from tests.bench.typed import to_typed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.peers import Peer
    from tests.bench.rounds import Batch, Effort
    from tests.bench.shapes import Shape

SHAPES = (shapes.FLAT, shapes.MIXED)
PEERS = (by_oxidyn.peer, by_boto3.peer, by_pynamodb.peer, by_pydynox.by_hand, by_pydynox.own)
PAGES = 10


def run(effort: Effort) -> Part:
    """Measure both ways through ten pages."""
    executable = build()
    table = Table(f"{PAGES * PAGE_SIZE:,} items in {PAGES} pages", baseline="oxidyn", unit="CPU µs per item")
    notes: dict[str, str] = {}
    for shape in SHAPES:
        with Stub(executable, {"Query": _answers(shape)}) as stub:
            peers = [make(stub.url, shape) for make in PEERS]
            for title, way in (("iterated", _iterated), ("page by page", _page_by_page)):
                ways = {peer.name: way(peer) for peer in peers}
                for peer in peers:
                    _check(peer, shape, ways[peer.name]())
                samples = interleave({name: _times(read) for name, read in ways.items()}, effort)
                table.rows.append(
                    Row(f"{title}, {shape.name}", {name: _per_item(sample) for name, sample in samples.items()})
                )
        notes |= {f"{peer.name} reads into": peer.reads_into for peer in peers}
        notes[f"stub, CPU µs per request, {shape.name}"] = f"{stub.cpu_per_request:.1f}"
    return Part("pages", [table], [], notes)


def _answers(shape: Shape) -> list[Any]:
    """The pages, all of the same items, with their members in DynamoDB's order."""
    items = [to_typed(sample) for sample in shape.samples[:PAGE_SIZE]]
    count = len(items)
    last = {"Count": count, "Items": items, "ScannedCount": count}
    # boto3 ends where the same key comes twice, so each page says that another item was its last.
    keys = [{name: item[name] for name in ("org", "id")} for item in items[: PAGES - 1]]
    return [{"Count": count, "Items": items, "LastEvaluatedKey": key, "ScannedCount": count} for key in keys] + [last]


def _iterated(peer: Peer) -> Callable[[], list[Any]]:
    return peer.query_all or peer.query


def _page_by_page(peer: Peer) -> Callable[[], list[Any]]:
    read = peer.page
    assert read is not None

    def pages() -> list[Any]:
        items, cursor = read(None)
        while cursor is not None:
            more, cursor = read(cursor)
            items += more
        return items

    return pages


def _check(peer: Peer, shape: Shape, items: list[Any]) -> None:
    """Nobody is measured who does less: every item of every page was read."""
    expected = shape.samples[:PAGE_SIZE] * PAGES
    assert [peer.to_model(item) for item in items] == expected, f"{peer.name} read something else"


def _times(read: Callable[[], list[Any]]) -> Batch:
    def batch(times: int) -> None:
        for _ in range(times):
            read()

    return batch


def _per_item(sample: Sample) -> Sample:
    return Sample([value / (PAGES * PAGE_SIZE) for value in sample.rounds])
