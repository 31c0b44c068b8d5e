"""Cancelling awaited calls, by every way that asyncio has, drops the requests and leaves the connections healthy."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable
from typing import Any

import pytest

from oxidyn import AsyncClient, RateLimit
from tests.fake_aws import Answer, FakeAws
from tests.ops.models import Counter
from tests.runtime.options import options as options_of

HITS = Counter(name="hits", count=7)
ITEM = b'{"Item":{"name":{"S":"hits"},"count":{"N":"7"}}}'
CONNECTIONS = 4


def drive(new_loop: Callable[[], asyncio.AbstractEventLoop], main: Any) -> None:
    loop = new_loop()
    try:
        loop.run_until_complete(main)
    finally:
        loop.close()


def options(fake: FakeAws) -> dict[str, Any]:
    return options_of(fake, max_connections=CONNECTIONS)


async def held(fake: FakeAws, requests: int) -> None:
    await asyncio.to_thread(fake.wait_for, lambda: len(fake.requests) >= requests)


async def is_healthy(table: Any, fake: FakeAws) -> None:
    """Every place for a connection can be had again, and gives the right answer."""
    # More than are asked for here: a request that was dropped may still take one.
    fake.answers = [Answer(body=ITEM) for _ in range(10 * CONNECTIONS)]
    found = await asyncio.gather(*(table.get("hits") for _ in range(5 * CONNECTIONS)))
    assert found == [HITS] * (5 * CONNECTIONS)


async def by_cancel(call: Any, fake: FakeAws) -> None:
    task = asyncio.ensure_future(call)
    await held(fake, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def by_wait_for(call: Any, fake: FakeAws) -> None:
    task = asyncio.ensure_future(call)
    await held(fake, 1)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(task, 0)


async def by_timeout(call: Any, fake: FakeAws) -> None:
    async def main() -> None:
        async with asyncio.timeout(None) as deadline:
            task = asyncio.ensure_future(held(fake, 1))
            task.add_done_callback(lambda _: deadline.reschedule(0))
            await call

    with pytest.raises(TimeoutError):
        await main()


async def by_task_group(call: Any, fake: FakeAws) -> None:
    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(call)
            await held(fake, 1)
            raise ArithmeticError

    with pytest.raises(Exception, match="unhandled errors in a TaskGroup"):
        await main()


async def by_anyio(call: Any, fake: FakeAws) -> None:
    anyio = pytest.importorskip("anyio")

    async def end(scope: Any) -> None:
        await held(fake, 1)
        scope.cancel()

    with anyio.CancelScope() as scope:
        task = asyncio.ensure_future(end(scope))
        await call
    await task
    assert scope.cancelled_caught


WAYS = [
    by_cancel,
    by_wait_for,
    pytest.param(by_timeout, marks=pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout is newer")),
    pytest.param(by_task_group, marks=pytest.mark.skipif(sys.version_info < (3, 11), reason="TaskGroup is newer")),
    by_anyio,
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("call", ["get", "batch_put", "query", "page", "parallel_scan"])
def test_the_request_is_dropped_and_the_pool_stays_healthy(
    fake: FakeAws, new_loop: Callable[[], asyncio.AbstractEventLoop], way: Any, call: str
) -> None:
    fake.answers = [Answer(hold=True) for _ in range(CONNECTIONS)]

    async def start(table: Any) -> Any:
        match call:
            case "get":
                return await table.get("hits")
            case "batch_put":
                return await table.batch_put([Counter(name=f"c{number}") for number in range(100)])
            case "query":
                return await table.query(Counter.name == "hits").first()
            case "page":
                return await table.query(Counter.name == "hits").page(5)
            case _:
                return await anext(table.parallel_scan(segments=2))

    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            table = client.table(Counter)
            await way(start(table), fake)
            assert await asyncio.to_thread(fake.left.wait, 20)
            await is_healthy(table, fake)

    drive(new_loop, main())


def test_calls_cancelled_at_any_moment_leave_the_pool_healthy(
    fake: FakeAws, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    draw = random.Random(20261120)

    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            table = client.table(Counter)
            for _ in range(20):
                fake.answers = [Answer(body=ITEM) for _ in range(500)]
                tasks = [asyncio.ensure_future(table.get("hits")) for _ in range(20)]
                for task in draw.sample(tasks, 10):
                    for _ in range(draw.randrange(40)):
                        await asyncio.sleep(0)
                    task.cancel()
                for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                    assert outcome == HITS or isinstance(outcome, asyncio.CancelledError)
            await is_healthy(table, fake)

    drive(new_loop, main())


def test_a_call_cancelled_after_its_answer_came_but_before_the_task_ran_ends_the_task() -> None:
    async def main() -> None:
        async with AsyncClient.local() as client:
            table = client.table(Counter)
            await table.create_table()
            await table.put(HITS)
            for turns in range(30):
                task = asyncio.ensure_future(table.get("hits"))
                for _ in range(turns):
                    await asyncio.sleep(0)
                cancelled = task.cancel()
                outcome = (await asyncio.gather(task, return_exceptions=True))[0]
                assert isinstance(outcome, asyncio.CancelledError) if cancelled else outcome == HITS

    asyncio.run(main())


def test_a_shielded_call_goes_on_when_its_task_is_cancelled(fake: FakeAws) -> None:
    fake.answers = [Answer(hold=True, body=ITEM)]

    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            inner = asyncio.ensure_future(client.table(Counter).get("hits"))
            outer = asyncio.ensure_future(asyncio.wait([inner]))
            await held(fake, 1)
            outer.cancel()
            with pytest.raises(asyncio.CancelledError):
                await outer
            fake.release()
            assert await inner == HITS

    asyncio.run(main())


def test_a_task_that_swallows_its_cancellation_may_call_again(fake: FakeAws) -> None:
    fake.answers = [Answer(hold=True)]

    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            table = client.table(Counter)

            async def stubborn() -> Counter | None:
                try:
                    await table.get("hits")
                except asyncio.CancelledError:
                    fake.answers = [Answer(body=ITEM)]
                    return await table.get("hits")
                raise AssertionError

            task = asyncio.ensure_future(stubborn())
            await held(fake, 1)
            task.cancel()
            assert await task == HITS

    asyncio.run(main())


def test_the_message_of_a_cancellation_arrives(fake: FakeAws) -> None:
    fake.answers = [Answer(hold=True)]

    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            heard: list[object] = []

            async def listening() -> None:
                try:
                    await client.table(Counter).get("hits")
                except asyncio.CancelledError as cancelled:
                    heard.extend(cancelled.args)
                    raise

            task = asyncio.ensure_future(listening())
            await held(fake, 1)
            task.cancel("enough")
            with pytest.raises(asyncio.CancelledError):
                await task
            assert heard == ["enough"]

    asyncio.run(main())


def test_a_cancelled_wait_for_the_rate_limit_gives_up_its_place(fake: FakeAws) -> None:
    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            limit = RateLimit(write=1)
            table = client.table(Counter, rate_limit=limit)
            body = b'{"ConsumedCapacity":{"TableName":"counters","CapacityUnits":1000}}'
            fake.answers = [Answer(body=body)]
            await table.put(HITS)
            waiting = [asyncio.ensure_future(table.put(HITS)) for _ in range(20)]
            for _ in range(100):
                await asyncio.sleep(0)
            for task in waiting:
                task.cancel()
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
            assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
            await is_healthy(table, fake)

    asyncio.run(main())

    assert sum(request.operation == "PutItem" for request in fake.requests) == 1
