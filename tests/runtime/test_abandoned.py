"""Iterators, generators and calls that are left half-way release what they hold: requests, pages and connections."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oxidyn import AsyncClient, Client
from tests.fake_aws import Answer, FakeAws
from tests.ops.models import Counter
from tests.runtime.options import options as options_of

MEGABYTE = 2**20


def options(fake: FakeAws) -> dict[str, Any]:
    return options_of(fake, max_attempts=1, max_connections=2)


def page() -> Answer:
    """A page of about a megabyte that has another one behind it."""
    items = [{"name": {"S": f"{number:0>1000}"}} for number in range(1000)]
    return Answer(body=json.dumps({"Items": items, "LastEvaluatedKey": {"name": {"S": "z"}}}).encode())


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


only_linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


@only_linux
def test_abandoned_iterators_release_their_pages(fake: FakeAws) -> None:
    with Client(**options(fake)) as client:
        table = client.table(Counter)

        def abandon() -> None:
            fake.answers = [page()]
            next(iter(table.scan()))

        for _ in range(5):
            abandon()
        before = resident()
        for _ in range(60):
            abandon()

        assert resident() - before < 20 * MEGABYTE


@only_linux
def test_abandoned_awaited_iterators_release_their_pages(fake: FakeAws) -> None:
    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            table = client.table(Counter)

            async def abandon() -> None:
                fake.answers = [page()]
                async for _ in table.scan():
                    break

            for _ in range(5):
                await abandon()
            before = resident()
            for _ in range(60):
                await abandon()
            assert resident() - before < 20 * MEGABYTE

    asyncio.run(main())


def test_a_generator_over_a_query_that_is_left_half_way_asks_for_no_more(fake: FakeAws) -> None:
    fake.answers = [page(), page()]

    def names(table: Any) -> Iterator[str]:
        for item in table.scan():
            yield item.name

    with Client(**options(fake)) as client:
        generator = names(client.table(Counter))
        next(generator)
        generator.close()
        assert len(fake.requests) == 1
        # Its connection is free again.
        assert client.table(Counter).get("hits") is None
        assert fake.opened == 1


def test_an_async_generator_over_a_query_that_is_left_half_way_asks_for_no_more(fake: FakeAws) -> None:
    fake.answers = [page(), page()]

    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            table = client.table(Counter)

            async def names() -> Any:
                async for item in table.scan():
                    yield item.name

            generator = names()
            await anext(generator)
            await generator.aclose()
            assert len(fake.requests) == 1

    asyncio.run(main())


def test_an_iteration_that_is_dropped_while_a_page_is_asked_for_drops_the_request(fake: FakeAws) -> None:
    fake.answers = [Answer(hold=True)]

    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            table = client.table(Counter)
            step = aiter(table.scan()).__anext__()
            # As a task does it, but nobody goes on with it.
            step.send(None)
            await asyncio.to_thread(fake.wait_for, lambda: len(fake.requests) == 1)
            step.close()
            assert await asyncio.to_thread(fake.left.wait, 20)
            assert await table.get("hits") is None

    asyncio.run(main())


def test_a_call_that_is_never_awaited_sends_nothing_and_holds_nothing(fake: FakeAws) -> None:
    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            table = client.table(Counter)
            coroutine = table.get("hits")
            coroutine.close()
            await table.get("hits")

    asyncio.run(main())

    assert len(fake.requests) == 1


def test_calls_that_were_answered_leave_no_objects_behind(fake: FakeAws) -> None:
    class Mark:
        pass

    async def main() -> list[weakref.ref[Any]]:
        async with AsyncClient(**options(fake)) as client:
            table = client.table(Counter)
            marks = []

            async def call() -> None:
                mark = Mark()
                marks.append(weakref.ref(mark))
                await table.get("hits")

            await asyncio.gather(*(call() for _ in range(50)))
            cancelled = [asyncio.ensure_future(call()) for _ in range(50)]
            await asyncio.sleep(0)
            for task in cancelled:
                task.cancel()
            await asyncio.wait(cancelled)
            return marks

    marks = asyncio.run(main())
    gc.collect()

    assert len(marks) == 100
    assert not [mark for mark in marks if mark() is not None]


def test_a_task_that_waits_in_a_loop_that_was_closed_is_collected(fake: FakeAws) -> None:
    fake.answers = [Answer(hold=True)]

    class Mark:
        pass

    mark = Mark()
    alive = weakref.ref(mark)

    with Client(**options(fake)) as blocking:
        client = AsyncClient(**options(fake))
        loop = asyncio.new_event_loop()

        async def wait(mark: Mark) -> None:
            await client.table(Counter).get("hits")

        task = loop.create_task(wait(mark))
        loop.run_until_complete(asyncio.to_thread(fake.wait_for, lambda: len(fake.requests) == 1))
        loop.close()
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        del task, mark, wait
        # The next loop that calls lets go of loops that are closed.
        asyncio.run(client.table(Counter).get("hits"))
        gc.collect()
        assert alive() is None
        assert blocking.table(Counter).get("hits") is None
