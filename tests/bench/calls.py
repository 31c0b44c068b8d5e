"""Put, get and query of 100 items over HTTP, beside the peers, against one stub of fixed answers.

The stub answers in microseconds and its CPU time is counted apart, so that a number is the client's own work for a
call: what caps the calls that a core can make. Latency is the network's and the service's matter.
"""

from __future__ import annotations

import asyncio
from itertools import cycle, repeat
from typing import TYPE_CHECKING, Any

from tests.bench import shapes
from tests.bench.drive import IN_FLIGHT, answers, awaited, awaited_once, check, in_flight, one_by_one
from tests.bench.peers import by_aioboto3, by_boto3, by_oxidyn, by_pydynox, by_pynamodb
from tests.bench.report import Part, Row, Table
from tests.bench.rounds import interleave
from tests.bench.stub import Stub, build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.peers import Peer
    from tests.bench.rounds import Effort
    from tests.bench.shapes import Shape

SHAPES = (shapes.FLAT, shapes.MIXED)
BLOCKING = (by_oxidyn.peer, by_boto3.peer, by_pynamodb.peer, by_pydynox.by_hand, by_pydynox.own)
AWAITED = (by_oxidyn.peer_async, by_aioboto3.peer, by_pydynox.by_hand_async, by_pydynox.own_async)


def run(effort: Effort) -> Part:
    """Measure the three calls: blocking, awaited one by one, and awaited with many in flight."""
    executable = build()
    blocking = Table("calls, blocking", baseline="oxidyn")
    one_at_a_time = Table("calls, awaited one at a time", baseline="oxidyn")
    together = Table(f"calls, awaited, {IN_FLIGHT} in flight", baseline="oxidyn")
    notes: dict[str, str] = {}
    with asyncio.Runner() as runner:
        for shape in SHAPES:
            with Stub(executable, answers(shape)) as stub:
                peers = [make(stub.url, shape) for make in BLOCKING]
                for peer in peers:
                    peer.put(peer.instances[0])
                    check(peer, shape, stub.last_body(), peer.get(), peer.query())
                for call in _calls(peers[0], shape):
                    batches = {peer.name: one_by_one(*_calls(peer, shape)[call]) for peer in peers}
                    blocking.rows.append(Row(call, interleave(batches, effort)))
                notes |= {f"{peer.name} reads into": peer.reads_into for peer in peers}

                peers = [runner.run(make(stub.url, shape)) for make in AWAITED]
                for peer in peers:
                    runner.run(awaited_once(peer.put, peer.instances[0]))
                    check(
                        peer,
                        shape,
                        stub.last_body(),
                        runner.run(awaited_once(peer.get)),
                        runner.run(awaited_once(peer.query)),
                    )
                for call in _calls(peers[0], shape):
                    batches = {peer.name: awaited(runner, *_calls(peer, shape)[call]) for peer in peers}
                    one_at_a_time.rows.append(Row(call, interleave(batches, effort)))
                    batches = {peer.name: in_flight(runner, *_calls(peer, shape)[call]) for peer in peers}
                    together.rows.append(Row(call, interleave(batches, effort, multiple_of=IN_FLIGHT)))
                for peer in peers:
                    if peer.close:
                        runner.run(peer.close())
                notes |= {f"{peer.name} reads into": peer.reads_into for peer in peers}
            notes[f"stub, CPU µs per request, {shape.name}"] = f"{stub.cpu_per_request:.1f}"
    return Part("calls", [blocking, one_at_a_time, together], [], notes)


def _calls(peer: Peer, shape: Shape) -> dict[str, tuple[Callable[..., Any], Iterator[tuple[Any, ...]]]]:
    """What is measured, by its title: the call and its arguments, time after time."""
    return {
        f"put, {shape.name}": (peer.put, zip(cycle(peer.instances))),
        f"get, {shape.name}": (peer.get, repeat(())),
        f"query of {len(shape.samples)}, {shape.name}": (peer.query, repeat(())),
    }
