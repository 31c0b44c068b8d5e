"""The bars of calls: put, get, query and batch write beside boto3, pydynox, and Rust without Python.

Every column does its work against one stub, in rounds that interleave. boto3 and pydynox read into Pydantic models by
hand, as oxidyn does; the two in Rust have no models, so what they read into is less.
"""

from __future__ import annotations

import asyncio
from itertools import cycle, repeat
from typing import TYPE_CHECKING, Any

from tests.bench import shapes
from tests.bench.drive import IN_FLIGHT, answers, awaited_once, check, in_flight, one_by_one
from tests.bench.peers import by_boto3, by_oxidyn, by_pydynox, by_rust
from tests.bench.peers.by_rust import BY_HAND, SDK, RustPeers
from tests.bench.report import Bar, Part, Row, Table
from tests.bench.rounds import interleave
from tests.bench.stub import Stub, build
from tests.bench.typed import from_typed

if TYPE_CHECKING:
    from tests.bench.peers import Peer
    from tests.bench.rounds import Batch, Effort
    from tests.bench.shapes import Shape

OXIDYN, BOTO3, PYDYNOX = "oxidyn", "boto3", "pydynox, by hand"
PER_BATCH = 25
# What the project promises, as a share of what the peers take.
SMALL = {BOTO3: 0.045, PYDYNOX: 0.20, SDK: 0.40, BY_HAND: 2.3}
MEDIUM = {BOTO3: 0.045, PYDYNOX: 0.20, SDK: 0.40, BY_HAND: 2.0}
QUERY = {BOTO3: 0.035, PYDYNOX: 0.18, SDK: 0.35, BY_HAND: 0.55}
BATCH = {BOTO3: 0.012, PYDYNOX: 0.10, SDK: 0.35}
TOGETHER = {BOTO3: 0.08, PYDYNOX: 0.28, SDK: 0.90}


def run(effort: Effort) -> Part:
    """Measure every row, and hold oxidyn's share of each peer's time against its bar."""
    table = Table("bars: calls", baseline=OXIDYN)
    bars: list[Bar] = []

    def measure(title: str, batches: dict[str, Batch], limits: dict[str, float], multiple_of: int = 1) -> None:
        row = Row(title, interleave(batches, effort, multiple_of))
        table.rows.append(row)
        bars.extend(
            Bar(title, row.samples[OXIDYN].over(row.samples[peer]), limit, of=peer) for peer, limit in limits.items()
        )

    stub_program, rust_program = build(), build(by_rust.EXAMPLE, by_rust.FEATURES)
    with asyncio.Runner() as runner:
        for shape, limits in ((shapes.FLAT, SMALL), (shapes.MIXED, MEDIUM)):
            replies = {**answers(shape), "BatchWriteItem": {"UnprocessedItems": {}}}
            with Stub(stub_program, replies) as stub, RustPeers(rust_program, stub.url, shape) as rust:
                peers = _blocking(stub, shape)
                _check_rust(stub, rust, shape)
                puts = {name: one_by_one(peer.put, zip(cycle(peer.instances))) for name, peer in peers.items()}
                gets = {name: one_by_one(peer.get, repeat(())) for name, peer in peers.items()}
                measure(f"put, {shape.name}", puts | _rust(rust, "put"), limits)
                measure(f"get, {shape.name}", gets | _rust(rust, "get", reads=1), limits)
                if shape is shapes.FLAT:
                    awaited = _awaited(runner, stub, shape)
                    title = f"{shape.name}, {IN_FLIGHT} in flight"
                    puts |= {
                        name: in_flight(runner, peer.put, zip(cycle(peer.instances))) for name, peer in awaited.items()
                    }
                    gets |= {name: in_flight(runner, peer.get, repeat(())) for name, peer in awaited.items()}
                    puts[SDK] = rust.batch(SDK, "put_in_flight")
                    gets[SDK] = rust.batch(SDK, "get_in_flight", reads=1)
                    measure(f"put, {title}", puts, TOGETHER, multiple_of=IN_FLIGHT)
                    measure(f"get, {title}", gets, TOGETHER, multiple_of=IN_FLIGHT)
                    _close(runner, awaited)
                else:
                    reads = len(shape.samples)
                    queries = {name: one_by_one(peer.query, repeat(())) for name, peer in peers.items()}
                    measure(f"query of {reads}, {shape.name}", queries | _rust(rust, "query", reads), QUERY)
                    writes = {name: one_by_one(_batch_write(peer), repeat(())) for name, peer in peers.items()}
                    writes[SDK] = rust.batch(SDK, "batch_write")
                    measure(f"batch write of {PER_BATCH}, {shape.name}", writes, BATCH)
    notes = {
        f"{BOTO3}, {IN_FLIGHT} in flight": "one at a time, having no other way",
        f"{SDK} reads into": "maps of typed values, which it also writes from; one thread, its defaults otherwise",
        f"{BY_HAND} reads into": "serde_json's values; one connection, no retries, no timeouts, no TLS: a floor",
    }
    return Part("bars", [table], bars, notes)


def _blocking(stub: Stub, shape: Shape) -> dict[str, Peer]:
    peers = {
        OXIDYN: by_oxidyn.peer(stub.url, shape),
        BOTO3: by_boto3.peer(stub.url, shape),
        PYDYNOX: by_pydynox.by_hand(stub.url, shape),
    }
    for peer in peers.values():
        peer.put(peer.instances[0])
        check(peer, shape, stub.last_body(), peer.get(), peer.query())
        _batch_write(peer)()
        _check_batch(peer.name, stub, shape)
    return peers


def _awaited(runner: asyncio.Runner, stub: Stub, shape: Shape) -> dict[str, Peer]:
    peers = {
        OXIDYN: runner.run(by_oxidyn.peer_async(stub.url, shape)),
        PYDYNOX: runner.run(by_pydynox.by_hand_async(stub.url, shape)),
    }
    for peer in peers.values():
        runner.run(awaited_once(peer.put, peer.instances[0]))
        sent = stub.last_body()
        check(peer, shape, sent, runner.run(awaited_once(peer.get)), runner.run(awaited_once(peer.query)))
    return peers


def _close(runner: asyncio.Runner, peers: dict[str, Peer]) -> None:
    for peer in peers.values():
        if peer.close:
            runner.run(peer.close())


def _rust(rust: RustPeers, operation: str, reads: int = 0) -> dict[str, Batch]:
    return {peer: rust.batch(peer, operation, reads) for peer in (SDK, BY_HAND)}


def _batch_write(peer: Peer) -> Any:
    assert peer.batch_write
    write, instances = peer.batch_write, peer.instances[:PER_BATCH]
    return lambda: write(instances)


def _check_rust(stub: Stub, rust: RustPeers, shape: Shape) -> None:
    for peer in (SDK, BY_HAND):
        rust.batch(peer, "put")(1)
        assert from_typed(shape.model, stub.last_body()["Item"]) == shape.samples[0], f"{peer} put something else"
    rust.batch(SDK, "batch_write")(1)
    _check_batch(SDK, stub, shape)


def _check_batch(name: str, stub: Stub, shape: Shape) -> None:
    writes = stub.last_body()["RequestItems"]["bench"]
    written = [from_typed(shape.model, write["PutRequest"]["Item"]) for write in writes]
    assert len(written) == PER_BATCH, f"{name} wrote {len(written)} items at once"
    assert all(sample in written for sample in shape.samples[:PER_BATCH]), f"{name} wrote something else"
