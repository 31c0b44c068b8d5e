"""Put, get and query of 100 items over HTTP, beside the peers, against one stub of fixed answers.

The stub answers in microseconds and its CPU time is counted apart, so that a number is the client's own work for a
call: what caps the calls that a core can make. Latency is the network's and the service's matter.
"""

from __future__ import annotations

import asyncio
from itertools import cycle, islice, repeat
from typing import TYPE_CHECKING, Any

from tests.bench import shapes
from tests.bench.peers import by_aioboto3, by_boto3, by_oxidyn, by_pydynox, by_pynamodb
from tests.bench.report import Part, Row, Table
from tests.bench.rounds import interleave
from tests.bench.stub import Stub, build
from tests.bench.typed import from_typed, to_typed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tests.bench.peers import Peer
    from tests.bench.rounds import Batch, Effort
    from tests.bench.shapes import Shape

SHAPES = (shapes.FLAT, shapes.MIXED)
BLOCKING = (by_oxidyn.peer, by_boto3.peer, by_pynamodb.peer, by_pydynox.by_hand, by_pydynox.own)
AWAITED = (by_oxidyn.peer_async, by_aioboto3.peer, by_pydynox.by_hand_async, by_pydynox.own_async)
IN_FLIGHT = 50


def run(effort: Effort) -> Part:
    """Measure the three calls: blocking, awaited one by one, and awaited with many in flight."""
    executable = build()
    blocking = Table("calls, blocking", baseline="oxidyn")
    awaited = Table("calls, awaited one at a time", baseline="oxidyn")
    in_flight = Table(f"calls, awaited, {IN_FLIGHT} in flight", baseline="oxidyn")
    notes: dict[str, str] = {}
    with asyncio.Runner() as runner:
        for shape in SHAPES:
            with Stub(executable, _answers(shape)) as stub:
                peers = [make(stub.url, shape) for make in BLOCKING]
                for peer in peers:
                    peer.put(peer.instances[0])
                    _check(peer, shape, stub.last_body(), peer.get(), peer.query())
                for call in _calls(peers[0], shape):
                    batches = {peer.name: _one_by_one(*_calls(peer, shape)[call]) for peer in peers}
                    blocking.rows.append(Row(call, interleave(batches, effort)))
                notes |= {f"{peer.name} reads into": peer.reads_into for peer in peers}

                peers = [runner.run(make(stub.url, shape)) for make in AWAITED]
                for peer in peers:
                    runner.run(_put_first(peer))
                    _check(
                        peer, shape, stub.last_body(), runner.run(_result(peer.get)), runner.run(_result(peer.query))
                    )
                for call in _calls(peers[0], shape):
                    batches = {peer.name: _awaited(runner, *_calls(peer, shape)[call]) for peer in peers}
                    awaited.rows.append(Row(call, interleave(batches, effort)))
                    batches = {peer.name: _in_flight(runner, *_calls(peer, shape)[call]) for peer in peers}
                    in_flight.rows.append(Row(call, interleave(batches, effort, multiple_of=IN_FLIGHT)))
                for peer in peers:
                    if peer.close:
                        runner.run(peer.close())
                notes |= {f"{peer.name} reads into": peer.reads_into for peer in peers}
            notes[f"stub, CPU µs per request, {shape.name}"] = f"{stub.cpu_per_request:.1f}"
    return Part("calls", [blocking, awaited, in_flight], [], notes)


def _answers(shape: Shape) -> dict[str, Any]:
    items = [to_typed(sample) for sample in shape.samples]
    # boto3 holds a set of text as a list already; nothing in these shapes is binary.
    return {
        "PutItem": {},
        "GetItem": {"Item": items[0]},
        "Query": {"Items": items, "Count": len(items), "ScannedCount": len(items)},
    }


def _calls(peer: Peer, shape: Shape) -> dict[str, tuple[Callable[..., Any], Iterator[tuple[Any, ...]]]]:
    """What is measured, by its title: the call and its arguments, time after time."""
    return {
        f"put, {shape.name}": (peer.put, zip(cycle(peer.instances))),
        f"get, {shape.name}": (peer.get, repeat(())),
        f"query of {len(shape.samples)}, {shape.name}": (peer.query, repeat(())),
    }


def _check(peer: Peer, shape: Shape, sent: Any, item: Any, items: list[Any]) -> None:
    """Nobody is measured who does less: boto3's types read what was put, and everything answered was read."""
    assert from_typed(shape.model, sent["Item"]) == shape.samples[0], f"{peer.name} put something else"
    assert peer.to_model(item) == shape.samples[0], f"{peer.name} got something else"
    assert [peer.to_model(item) for item in items] == shape.samples, f"{peer.name} queried something else"


async def _put_first(peer: Peer) -> None:
    await peer.put(peer.instances[0])


async def _result(call: Callable[[], Awaitable[Any]]) -> Any:
    return await call()


def _one_by_one(call: Callable[..., Any], arguments: Iterator[tuple[Any, ...]]) -> Batch:
    def batch(times: int) -> None:
        for each in islice(arguments, times):
            call(*each)

    return batch


def _awaited(
    runner: asyncio.Runner, call: Callable[..., Awaitable[Any]], arguments: Iterator[tuple[Any, ...]]
) -> Batch:
    async def one_by_one(times: int) -> None:
        for each in islice(arguments, times):
            await call(*each)

    return lambda times: runner.run(one_by_one(times))


def _in_flight(
    runner: asyncio.Runner, call: Callable[..., Awaitable[Any]], arguments: Iterator[tuple[Any, ...]]
) -> Batch:
    async def one_by_one(times: int) -> None:
        for each in islice(arguments, times):
            await call(*each)

    async def together(times: int) -> None:
        await asyncio.gather(*(one_by_one(times // IN_FLIGHT) for _ in range(IN_FLIGHT)))

    return lambda times: runner.run(together(times))
