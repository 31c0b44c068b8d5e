"""How a peer's calls are driven and what it sent and read is checked, the same for every part that makes calls."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, Any

from tests.bench.typed import from_typed, to_typed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tests.bench.peers import Peer
    from tests.bench.rounds import Batch
    from tests.bench.shapes import Shape

IN_FLIGHT = 50


def answers(shape: Shape) -> dict[str, Any]:
    items = [to_typed(sample) for sample in shape.samples]
    # boto3 holds a set of text as a list already; nothing in these shapes is binary.
    return {
        "PutItem": {},
        "GetItem": {"Item": items[0]},
        "Query": {"Items": items, "Count": len(items), "ScannedCount": len(items)},
    }


def check(peer: Peer, shape: Shape, sent: Any, item: Any, items: list[Any]) -> None:
    """Nobody is measured who does less: boto3's types read what was put, and everything answered was read."""
    assert from_typed(shape.model, sent["Item"]) == shape.samples[0], f"{peer.name} put something else"
    assert peer.to_model(item) == shape.samples[0], f"{peer.name} got something else"
    assert [peer.to_model(item) for item in items] == shape.samples, f"{peer.name} queried something else"


async def awaited_once(call: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    return await call(*arguments)


def one_by_one(call: Callable[..., Any], arguments: Iterator[tuple[Any, ...]]) -> Batch:
    def batch(times: int) -> None:
        for each in islice(arguments, times):
            call(*each)

    return batch


def awaited(runner: asyncio.Runner, call: Callable[..., Awaitable[Any]], arguments: Iterator[tuple[Any, ...]]) -> Batch:
    async def in_turn(times: int) -> None:
        for each in islice(arguments, times):
            await call(*each)

    return lambda times: runner.run(in_turn(times))


def in_flight(
    runner: asyncio.Runner, call: Callable[..., Awaitable[Any]], arguments: Iterator[tuple[Any, ...]]
) -> Batch:
    async def in_turn(times: int) -> None:
        for each in islice(arguments, times):
            await call(*each)

    async def together(times: int) -> None:
        await asyncio.gather(*(in_turn(times // IN_FLIGHT) for _ in range(IN_FLIGHT)))

    return lambda times: runner.run(together(times))
