"""Tries, throttles and bytes: what records and metrics say of them is what went over the wire."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from oxidyn import AsyncClient, CallRecord, Client, Throttled
from tests.fake_aws import Answer, FakeAws, refusal
from tests.telemetry.conftest import Note, fake_options

if TYPE_CHECKING:
    from tests.telemetry.conftest import Make


def test_tries_and_throttles_are_counted_and_the_bytes_of_each(
    of_fake: Make, fake: FakeAws, records: list[CallRecord]
) -> None:
    notes = of_fake(on_call=records.append, max_attempts=3).table(Note)
    fake.answers = [refusal("ProvisionedThroughputExceededException"), refusal("InternalServerError", status=500)]

    notes.get("a", 1)

    (record,) = records
    assert (record.requests, record.attempts, record.throttled) == (1, 3, 1)
    assert record.bytes_sent == sum(len(request.body) for request in fake.dynamodb)
    assert record.error is None


def test_failed_call_is_told_with_all_its_tries(of_fake: Make, fake: FakeAws, records: list[CallRecord]) -> None:
    notes = of_fake(on_call=records.append, max_attempts=2).table(Note)
    fake.answers = [refusal("ThrottlingException")] * 2

    with pytest.raises(Throttled):
        notes.get("a", 1)

    (record,) = records
    assert (record.attempts, record.throttled) == (2, 2)
    assert record.bytes_received == 2 * len(refusal("ThrottlingException").body)


def test_every_operation_says_what_it_sent_and_received(make: Make, notes_of: Any, records: list[CallRecord]) -> None:
    notes = notes_of(make(on_call=records.append))

    notes.put(Note(owner="a", number=1, text="x" * 1000))
    notes.get("a", 1)
    notes.batch_put([Note(owner="b", number=n) for n in range(30)])

    assert all(record.attempts == record.requests for record in records)
    put, get, batch = records[-3:]
    assert put.bytes_sent > 1000 > put.bytes_received >= 2
    assert get.bytes_received > 1000 > get.bytes_sent > 40
    assert (batch.requests, batch.attempts) == (2, 2)


def test_awaited_calls_side_by_side_are_told_each_with_its_own_bytes(fake: FakeAws) -> None:
    records: list[CallRecord] = []

    async def main() -> None:
        async with AsyncClient(**fake_options(fake, on_call=records.append)) as client:
            notes = client.table(Note)
            await asyncio.gather(*(notes.get("x" * n, 1) for n in range(1, 30)))

    asyncio.run(main())

    assert sorted(record.bytes_sent for record in records) == sorted(len(request.body) for request in fake.dynamodb)


def test_metrics_sum_the_tries_of_many_threads(fake: FakeAws) -> None:
    client = Client(**fake_options(fake, metrics=True, max_attempts=10))
    notes = client.table(Note)
    # One after the other, so that no call meets all of them.
    fake.answers = [refusal("ThrottlingException"), Answer()] * 10

    def work() -> None:
        for number in range(25):
            notes.get("a", number)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    total = client.metrics().total
    assert (total.calls, total.attempts, total.throttled) == (100, 110, 10)
    assert total.bytes_sent == sum(len(request.body) for request in fake.dynamodb)
