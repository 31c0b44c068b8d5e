"""Hooks: on whose thread they run, in which context, what one that fails does, and what ends without a result."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import signal
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from oxidyn import AsyncClient, CallRecord, Client, record_calls
from tests.fake_aws import Answer, FakeAws
from tests.telemetry.conftest import Note, fake_options

if TYPE_CHECKING:
    from tests.telemetry.conftest import Make


def test_hook_runs_on_the_callers_thread(fake: FakeAws) -> None:
    threads: list[int] = []
    notes = Client(**fake_options(fake, on_call=lambda _: threads.append(threading.get_ident()))).table(Note)
    caller = threading.Thread(target=notes.get, args=("a", 1))

    notes.get("a", 1)
    caller.start()
    caller.join()

    assert threads == [threading.get_ident(), caller.ident]


def test_hook_of_an_awaited_call_runs_on_the_loops_thread_in_its_tasks_context(fake: FakeAws) -> None:
    user = contextvars.ContextVar("user", default="nobody")
    told: list[tuple[int, str, str | None]] = []

    def hook(record: CallRecord) -> None:
        told.append((threading.get_ident(), user.get(), record.table))

    async def handle(client: AsyncClient, name: str) -> None:
        user.set(name)
        await client.table(Note, name=name).get("a", 1)

    async def main() -> None:
        async with AsyncClient(**fake_options(fake, on_call=hook)) as client:
            await asyncio.gather(*(handle(client, f"table-{number}") for number in range(30)))

    asyncio.run(main())

    assert {thread for thread, _, _ in told} == {threading.get_ident()}
    assert [name for _, name, _ in told] == [table for _, _, table in told]
    assert len({name for _, name, _ in told}) == 30


def test_hook_that_fails_loses_no_result_and_is_reported(
    of_fake: Make, fake: FakeAws, records: list[CallRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: reported.append(unraisable.exc_value))

    def failing(record: CallRecord) -> None:
        raise RuntimeError("the hook's own")

    fake.answers = [Answer(body=b'{"Item":{"owner":{"S":"a"},"number":{"N":"1"}}}')]
    notes = of_fake(on_call=[failing, records.append]).table(Note)

    assert notes.get("a", 1) == Note(owner="a", number=1)
    assert [str(error) for error in reported] == ["the hook's own"]
    assert len(records) == 1


def test_interrupt_within_a_hook_goes_on(of_fake: Make) -> None:
    def interrupted(record: CallRecord) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        of_fake(on_call=interrupted).table(Note).get("a", 1)


def test_call_that_a_hook_makes_is_told_to_no_hook(fake: FakeAws) -> None:
    records: list[CallRecord] = []

    def hook(record: CallRecord) -> None:
        records.append(record)
        audit.put(Note(owner="audit", number=len(records)))

    client = Client(**fake_options(fake, on_call=hook, metrics=True))
    notes = audit = client.table(Note)

    notes.get("a", 1)
    notes.get("a", 2)

    assert [record.operation for record in records] == ["GetItem", "GetItem"]
    assert client.metrics().total.calls == 4


def test_cancelled_call_is_told_with_what_it_took(fake: FakeAws) -> None:
    records: list[CallRecord] = []
    fake.answers = [Answer(hold=True)]

    async def main() -> None:
        async with AsyncClient(**fake_options(fake, on_call=records.append, metrics=True)) as client:
            task = asyncio.create_task(client.table(Note).get("a", 1))
            await asyncio.to_thread(fake.wait_for, lambda: len(fake.dynamodb) == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert client.metrics().total.errors == {"CancelledError": 1}

    asyncio.run(main())

    (record,) = records
    assert (record.operation, record.requests, record.error) == ("GetItem", 1, "CancelledError")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are Unix's")
def test_interrupted_call_is_told(fake: FakeAws) -> None:
    records: list[CallRecord] = []
    fake.answers = [Answer(hold=True)]
    notes = Client(**fake_options(fake, on_call=records.append)).table(Note)

    def interrupt() -> None:
        fake.wait_for(lambda: len(fake.dynamodb) == 1)
        signal.pthread_kill(main, signal.SIGINT)

    main = threading.get_ident()
    interrupter = threading.Thread(target=interrupt)
    # What was started in the background ignores the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        interrupter.start()
        with pytest.raises(KeyboardInterrupt):
            notes.get("a", 1)
        interrupter.join()
    finally:
        signal.signal(signal.SIGINT, before)

    assert [(record.requests, record.error) for record in records] == [(1, "KeyboardInterrupt")]


def test_awaited_call_outside_a_loop_is_told_to_nobody(fake: FakeAws) -> None:
    records: list[CallRecord] = []
    client = AsyncClient(**fake_options(fake, on_call=records.append))
    operation = client.table(Note).ops.get("a", 1)

    with pytest.raises(RuntimeError, match="no running event loop"):
        client._core.spawn(operation)

    assert records == []


def test_client_that_its_own_hook_refers_to_is_collected(fake: FakeAws) -> None:
    class Service:
        def __init__(self) -> None:
            self.client = Client(**fake_options(fake, on_call=self.on_call))

        def on_call(self, record: CallRecord) -> None: ...

    service = Service()
    service.client.table(Note).get("a", 1)
    gone = weakref.ref(service)
    del service
    gc.collect()

    assert gone() is None


def test_many_threads_and_tasks_lose_no_record(fake: FakeAws) -> None:
    records: list[CallRecord] = []
    client = Client(**fake_options(fake, on_call=records.append, metrics=True))
    notes = client.table(Note)

    def work() -> None:
        for number in range(25):
            notes.get("a", number)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(records) == 200
    assert client.metrics().total.calls == 200


def test_recording_and_hooks_are_both_told(of_fake: Make, records: list[CallRecord]) -> None:
    notes = of_fake(on_call=records.append).table(Note)

    with record_calls() as calls:
        notes.get("a", 1)

    assert list(calls) == records
