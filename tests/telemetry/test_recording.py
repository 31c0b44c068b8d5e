"""`record_calls()`: a block's calls, of all its tasks and threads, and nobody else's."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING, Any

import pytest

from oxidyn import AsyncClient, Client, ItemExists, record_calls
from tests.fake_aws import FakeAws, refusal
from tests.telemetry.conftest import Note, fake_options

if TYPE_CHECKING:
    from tests.telemetry.conftest import Make


def test_block_has_the_records_of_its_calls_in_their_order(make: Make, notes_of: Any) -> None:
    notes = notes_of(make(capacity="total"))

    with record_calls() as calls:
        notes.put(Note(owner="a", number=1))
        notes.get("a", 1)
    notes.get("a", 1)

    assert [call.operation for call in calls] == ["PutItem", "GetItem"]
    assert (len(calls), calls[0].operation, calls[-1:]) == (2, "PutItem", [calls[1]])
    total = calls.metrics().total
    assert (total.calls, total.write_units, total.read_units) == (2, 1.0, 0.5)


def test_requests_handled_side_by_side_have_each_their_own_records(fake: FakeAws) -> None:
    async def handle(notes: Any, count: int) -> list[str | None]:
        with record_calls() as calls:
            for number in range(count):
                await notes.get("a", number)
            await asyncio.gather(*(notes.put(Note(owner="a", number=number)) for number in range(count)))
        return [call.operation for call in calls]

    async def main() -> list[list[str | None]]:
        async with AsyncClient(**fake_options(fake)) as client:
            notes = client.table(Note)
            return await asyncio.gather(*(handle(notes, count) for count in range(12)))

    for count, told in enumerate(asyncio.run(main())):
        assert told == ["GetItem"] * count + ["PutItem"] * count


def test_threads_have_each_their_own_records(fake: FakeAws) -> None:
    notes = Client(**fake_options(fake)).table(Note)
    told: dict[int, int] = {}

    def handle(count: int) -> None:
        with record_calls() as calls:
            for number in range(count):
                notes.get("a", number)
        told[count] = len(calls)

    threads = [threading.Thread(target=handle, args=(count,)) for count in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert told == {count: count for count in range(8)}


def test_threads_started_with_the_context_are_in_it(fake: FakeAws) -> None:
    notes = Client(**fake_options(fake)).table(Note)

    async def main() -> int:
        with record_calls() as calls:
            await asyncio.gather(*(asyncio.to_thread(notes.get, "a", number) for number in range(5)))
        return len(calls)

    assert asyncio.run(main()) == 5


def test_outer_block_has_the_inner_ones_calls_too(of_fake: Make) -> None:
    notes = of_fake().table(Note)

    with record_calls() as outer:
        notes.get("a", 1)
        with record_calls() as inner:
            notes.put(Note(owner="a", number=1))
        notes.delete("a", 1)

    assert [call.operation for call in outer] == ["GetItem", "PutItem", "DeleteItem"]
    assert [call.operation for call in inner] == ["PutItem"]


def test_block_has_the_calls_of_all_clients(fake: FakeAws) -> None:
    with record_calls() as calls:
        for _ in range(2):
            Client(**fake_options(fake)).table(Note).get("a", 1)

    assert len(calls) == 2


def test_block_that_fails_is_closed_and_has_the_failed_call(of_fake: Make, fake: FakeAws) -> None:
    notes = of_fake().table(Note)
    fake.answers = [refusal("ConditionalCheckFailedException")]

    with pytest.raises(ItemExists), record_calls() as calls:
        notes.create(Note(owner="a", number=1))
    notes.get("a", 1)

    assert [call.error for call in calls] == ["ItemExists"]
    assert calls.metrics().total.errors == {"ItemExists": 1}


def test_pages_fetched_ahead_are_in_the_block_that_reads_them(of_fake: Make) -> None:
    notes = of_fake().table(Note)

    with record_calls() as calls:
        list(notes.parallel_scan(segments=4))

    assert [call.operation for call in calls] == ["Scan"] * 4


def test_block_may_be_left_in_another_context_than_entered(fake: FakeAws) -> None:
    notes = Client(**fake_options(fake)).table(Note)
    block = record_calls()

    entered = contextvars.copy_context()
    calls = entered.run(block.__enter__)
    entered.run(notes.get, "a", 1)
    contextvars.copy_context().run(block.__exit__, None, None, None)
    notes.get("a", 1)

    assert len(calls) == 1
