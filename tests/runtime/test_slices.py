"""Large replies are decoded in slices: between these the event loop turns and other threads have the GIL.

The items of a turn are counted by a validator that asks how often the loop has turned. A slice is 64 KB of items, or a
millisecond of them, looked at every 16 items; so no turn may have more items than 64 KB hold.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator

from oxidyn import AsyncClient, Client, InvalidItem, Model, PartitionKey, Statement
from tests.fake_aws import Answer, FakeAws
from tests.runtime.options import options

SLICE = 64 * 1024


class Turns:
    """How often the others had their turn, and how many items were decoded in each."""

    def __init__(self) -> None:
        self.now = 0
        self.decoded: Counter[int] = Counter()

    def count(self, text: str) -> str:
        self.decoded[self.now] += 1
        return text


turns = Turns()


class Note(Model, table="notes"):
    name: Annotated[str, PartitionKey]
    text: Annotated[str, AfterValidator(turns.count)] = ""


def slowly(text: str) -> str:
    time.sleep(0.001)
    return turns.count(text)


class Slow(Model, table="slow"):
    name: Annotated[str, PartitionKey]
    text: Annotated[str, AfterValidator(slowly)] = ""


@pytest.fixture(autouse=True)
def counted() -> None:
    turns.__init__()  # type: ignore[misc]


def items(number: int, size: int) -> list[dict[str, Any]]:
    return [{"name": {"S": f"n{place}"}, "text": {"S": "x" * size}} for place in range(number)]


def body(**members: Any) -> Answer:
    return Answer(body=json.dumps(members, separators=(",", ":")).encode())


def page(number: int = 1000, size: int = 1000) -> Answer:
    """A page of a megabyte."""
    return body(Items=items(number, size), Count=number)


def statement(name: str = "n0") -> Statement[Note]:
    return Statement("SELECT * FROM notes WHERE name = ?", name, model=Note)


async def all_of(found: Any) -> list[Note]:
    """What a consumer does that awaits nothing."""
    return [item async for item in found]


KEYS = [f"n{place}" for place in range(100)]
LARGE = 9_000
CALLS: dict[str, tuple[Callable[[Any, Any], Any], Answer, int, int]] = {
    "async for": (lambda client, table: all_of(table.scan()), page(), 1000, 1000),
    "page": (lambda client, table: table.scan().page(1000), page(), 1000, 1000),
    "page_json": (lambda client, table: table.scan().page_json(1000), page(), 1000, 1000),
    "small items": (lambda client, table: table.scan().page(20_000), page(20_000, 10), 20_000, 10),
    "parallel_scan": (lambda client, table: all_of(table.parallel_scan(segments=1)), page(), 1000, 1000),
    "batch_get": (
        lambda client, table: table.batch_get(KEYS),
        body(Responses={"notes": items(100, LARGE)}),
        100,
        LARGE,
    ),
    "client.batch_get": (
        lambda client, table: client.batch_get([table.ops.get(key) for key in KEYS]),
        body(Responses={"notes": items(100, LARGE)}),
        100,
        LARGE,
    ),
    "transact": (
        lambda client, table: client.transact(*(table.ops.get(key) for key in KEYS)),
        body(Responses=[{"Item": item} for item in items(100, LARGE)]),
        100,
        LARGE,
    ),
    "execute": (lambda client, table: client.execute(statement()), page(), 1000, 1000),
    "batch_execute": (
        lambda client, table: client.batch_execute([statement(f"n{place}") for place in range(25)]),
        body(Responses=[{"TableName": "notes", "Item": item} for item in items(25, 4 * LARGE)]),
        25,
        4 * LARGE,
    ),
    "transact_execute": (
        lambda client, table: client.transact_execute([statement(f"n{place}") for place in range(100)]),
        body(Responses=[{"Item": item} for item in items(100, LARGE)]),
        100,
        LARGE,
    ),
}


async def beating(work: Any) -> Any:
    """Do the work beside a task that counts the turns of the loop."""
    task = asyncio.ensure_future(work)
    while not task.done():
        turns.now += 1
        await asyncio.sleep(0)
    return await task


@pytest.mark.parametrize("call", CALLS)
def test_the_loop_turns_between_the_slices_of_a_megabyte(
    fake: FakeAws, new_loop: Callable[[], asyncio.AbstractEventLoop], call: str
) -> None:
    start, answer, number, size = CALLS[call]
    fake.answers = [answer]

    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            await beating(start(client, client.table(Note)))

    loop = new_loop()
    loop.run_until_complete(main())
    loop.close()

    assert turns.decoded.total() == number
    assert max(turns.decoded.values()) <= SLICE // size + 1
    assert len(turns.decoded) >= number * size // SLICE


@pytest.mark.parametrize("call", [call for call in CALLS if call not in ("async for", "parallel_scan")])
def test_other_threads_have_the_gil_between_the_slices_of_a_megabyte(fake: FakeAws, call: str) -> None:
    start, answer, number, _ = CALLS[call]
    ended = threading.Event()
    interval = sys.getswitchinterval()
    calls = 5

    def beat() -> None:
        while not ended.is_set():
            turns.now += 1
            time.sleep(0.0001)

    with Client(**options(fake)) as client:
        table = client.table(Note)
        other = threading.Thread(target=beat)
        # Nobody is made to give the GIL up: only what is given freely counts.
        sys.setswitchinterval(60)
        try:
            other.start()
            for _ in range(calls):
                fake.answers = [answer]
                start(client, table)
        finally:
            ended.set()
            sys.setswitchinterval(interval)
            other.join()

    assert turns.decoded.total() == calls * number
    # At every slice in principle; a busy machine does not always wake the other thread in time.
    assert len(turns.decoded) >= 2 * calls


def test_calls_side_by_side_share_the_turns_of_the_loop(
    fake: FakeAws, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    calls, number, size = 20, 150, 1000

    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            table = client.table(Note)
            fake.answers = [page(number, size) for _ in range(calls)]
            await beating(asyncio.gather(*(table.scan().page(number) for _ in range(calls))))

    loop = new_loop()
    loop.run_until_complete(main())
    loop.close()

    assert turns.decoded.total() == calls * number
    # Two, where a turn that went on with a slice is also the one in which another call's reply is taken in.
    assert max(turns.decoded.values()) <= 2 * (SLICE // size + 1)


def test_small_replies_that_came_together_share_the_turns_of_the_loop(fake: FakeAws) -> None:
    calls, size = 300, 1000

    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            table = client.table(Note)
            fake.answers = [body(Item=items(1, size)[0]) for _ in range(calls)]
            calling = [asyncio.ensure_future(table.get("n0")) for _ in range(calls)]
            await asyncio.sleep(0)
            # The loop is held until all are on their way, so that many replies wait for it.
            fake.wait_for(lambda: len(fake.requests) == calls)
            await beating(asyncio.gather(*calling))

    asyncio.run(main())

    assert turns.decoded.total() == calls
    assert max(turns.decoded.values()) <= 2 * (SLICE // size + 1)


def test_slow_validators_end_a_slice_by_the_clock(fake: FakeAws) -> None:
    fake.answers = [page(200, 1)]

    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            await beating(client.table(Slow).scan().page(200))

    asyncio.run(main())

    assert max(turns.decoded.values()) <= 16


@pytest.mark.parametrize("call", ["async for", "page", "batch_get", "execute", "parallel_scan"])
def test_cancelling_between_two_slices_ends_the_decoding(fake: FakeAws, call: str) -> None:
    start, answer, number, _ = CALLS[call]
    fake.answers = [answer]

    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            table = client.table(Note)
            task = asyncio.ensure_future(start(client, table))
            while not turns.decoded:
                turns.now += 1
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            for _ in range(10):
                await asyncio.sleep(0)
            assert await table.get("n0") is None

    asyncio.run(main())

    assert 0 < turns.decoded.total() < number


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_an_item_refused_in_a_later_slice_is_told_as_in_the_first(fake: FakeAws, colour: str) -> None:
    some = items(1000, 1000)
    some[700]["text"] = {"N": "1"}
    fake.answers = [body(Items=some)]

    def ask() -> None:
        if colour == "sync":
            Client(**options(fake)).table(Note).scan().page(1000)
        else:
            asyncio.run(main())

    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            await client.table(Note).scan().page(1000)

    with pytest.raises(InvalidItem) as caught:
        ask()

    assert caught.value.key == "n700"
    assert caught.value.table == "notes"


class Plain(Model, table="notes"):
    name: Annotated[str, PartitionKey]
    text: str = ""


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_page_printed_in_slices_is_the_json_of_its_models(fake: FakeAws, colour: str) -> None:
    fake.answers = [page(), page()]

    async def main() -> bytes:
        async with AsyncClient(**options(fake)) as client:
            return await client.table(Plain).scan().page_json(1000)

    with Client(**options(fake)) as client:
        scan = client.table(Plain).scan()
        expected = scan.page(1000).model_dump_json(by_alias=True).encode()
        printed = scan.page_json(1000) if colour == "sync" else asyncio.run(main())

    assert printed == expected


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_iterating_goes_on_after_a_refused_item_across_slices(fake: FakeAws, colour: str) -> None:
    some = items(1000, 1000)
    for place in range(0, 1000, 100):
        some[place]["text"] = {"N": "1"}
    fake.answers = [body(Items=some)]
    found: list[str] = []
    refused = 0

    async def main() -> None:
        nonlocal refused
        async with AsyncClient(**options(fake)) as client:
            each = aiter(client.table(Note).scan())
            while True:
                try:
                    found.append((await anext(each)).name)
                except InvalidItem:
                    refused += 1
                except StopAsyncIteration:
                    return

    if colour == "async":
        asyncio.run(main())
    else:
        each = iter(Client(**options(fake)).table(Note).scan())
        while True:
            try:
                found.append(next(each).name)
            except InvalidItem:
                refused += 1
            except StopIteration:
                break

    assert found == [f"n{place}" for place in range(1000) if place % 100]
    assert refused == 10


def test_tasks_that_share_an_iterator_share_its_slices(fake: FakeAws) -> None:
    fake.answers = [page()]
    found: list[str] = []

    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            each = aiter(client.table(Note).scan())

            async def take() -> None:
                found.extend([item.name async for item in each])

            await beating(asyncio.gather(*(take() for _ in range(5))))

    asyncio.run(main())

    assert sorted(found) == sorted(f"n{place}" for place in range(1000))
    assert max(turns.decoded.values()) <= SLICE // 1000 + 1


def test_a_loop_closed_between_two_slices_is_silent(fake: FakeAws) -> None:
    fake.answers = [page()]
    loop = asyncio.new_event_loop()
    client = AsyncClient(**options(fake))

    async def until_begun() -> None:
        while not turns.decoded:
            turns.now += 1
            await asyncio.sleep(0)

    task = loop.create_task(client.table(Note).scan().page(1000))
    loop.run_until_complete(until_begun())
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    loop.close()
    del task

    assert asyncio.run(client.table(Note).get("n0")) is None
    assert 0 < turns.decoded.total() < 1000
