"""No wait of a call holds the event loop or the GIL: while the call waits, others must have run, counted by their turns."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from oxidyn import AsyncClient, Client, RateLimit, Statement, attr
from tests.fake_aws import Answer, FakeAws, refusal
from tests.ops.models import Counter
from tests.runtime.options import options

BEATS = 1000
"""Turns that others take while a call waits. A call that held the loop or the GIL would let them take none."""

HITS = Counter(name="hits")


async def _first(items: Any) -> Any:
    return await anext(aiter(items), None)


CALLS: dict[str, tuple[Callable[[Any, Any], Any], dict[str, Any]]] = {
    "put": (lambda client, table: table.put(HITS), {}),
    "create": (lambda client, table: table.create(HITS), {}),
    "replace": (lambda client, table: table.replace(HITS), {}),
    "get": (lambda client, table: table.get("hits"), {}),
    "update": (lambda client, table: table.update("hits", attr(Counter.count).add(1)), {}),
    "upsert": (lambda client, table: table.upsert("hits", attr(Counter.count).set(1)), {}),
    "delete": (lambda client, table: table.delete("hits"), {}),
    "query": (lambda client, table: table.query(Counter.name == "hits"), {"Items": []}),
    "scan": (lambda client, table: table.scan(), {"Items": []}),
    "parallel_scan": (lambda client, table: table.parallel_scan(segments=1), {"Items": []}),
    "first": (lambda client, table: table.query(Counter.name == "hits").first(), {"Items": []}),
    "page": (lambda client, table: table.query(Counter.name == "hits").page(10), {"Items": []}),
    "count": (lambda client, table: table.query(Counter.name == "hits").count(), {"Count": 0}),
    "batch_get": (lambda client, table: table.batch_get(["hits"]), {"Responses": {}}),
    "batch_put": (lambda client, table: table.batch_put([HITS]), {}),
    "batch_delete": (lambda client, table: table.batch_delete(["hits"]), {}),
    "client.batch_get": (lambda client, table: client.batch_get([table.ops.get("hits")]), {"Responses": {}}),
    "client.batch_write": (lambda client, table: client.batch_write([table.ops.put(HITS)]), {}),
    "transact": (lambda client, table: client.transact(table.ops.put(HITS)), {}),
    "transact, reading": (lambda client, table: client.transact(table.ops.get("hits")), {"Responses": [{}]}),
    "execute": (lambda client, table: client.execute(_statement()), {"Items": []}),
    "batch_execute": (lambda client, table: client.batch_execute([_statement()]), {"Responses": [{}]}),
    "transact_execute": (lambda client, table: client.transact_execute([_statement()]), {"Responses": [{}]}),
    "describe_table": (lambda client, table: table.describe_table(), {"Table": {}}),
    "delete_table": (lambda client, table: table.delete_table(), {}),
    "wait_until_active": (
        lambda client, table: table.wait_until_active(),
        {"Table": {"TableStatus": "ACTIVE", "TableName": "counters"}},
    ),
}


def _statement() -> Statement[Counter]:
    return Statement("SELECT * FROM counters WHERE name = ?", "hits", model=Counter)


async def beat_while(waiting: Awaitable[Any], fake: FakeAws) -> None:
    """Let the call wait for its answer until the loop has turned `BEATS` times."""
    task = asyncio.ensure_future(waiting)
    for _ in range(BEATS):
        await asyncio.sleep(0)
    await asyncio.to_thread(fake.wait_for, lambda: len(fake.requests) >= 1)
    for _ in range(BEATS):
        await asyncio.sleep(0)
    assert not task.done(), "the call held the loop until the answer came"
    fake.release()
    await task


@pytest.mark.parametrize("call", CALLS)
def test_the_loop_turns_while_an_awaited_call_waits_for_its_answer(
    fake: FakeAws, new_loop: Callable[[], asyncio.AbstractEventLoop], call: str
) -> None:
    start, answer = CALLS[call]
    fake.answers = [Answer(hold=True, body=json.dumps(answer).encode())]

    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            found = start(client, client.table(Counter))
            await beat_while(_first(found) if hasattr(found, "__aiter__") else found, fake)

    loop = new_loop()
    loop.run_until_complete(main())
    loop.close()


@pytest.mark.parametrize("call", CALLS)
def test_other_threads_run_while_a_blocking_call_waits_for_its_answer(fake: FakeAws, call: str) -> None:
    start, answer = CALLS[call]
    fake.answers = [Answer(hold=True, body=json.dumps(answer).encode())]
    ended = threading.Event()

    with Client(**options(fake)) as client:

        def work() -> None:
            found = start(client, client.table(Counter))
            if hasattr(found, "__iter__") and not isinstance(found, (list, tuple, dict)):
                next(iter(found), None)
            ended.set()

        thread = threading.Thread(target=work)
        thread.start()
        fake.wait_for(lambda: len(fake.requests) >= 1)
        assert not ended.is_set(), "the call held the GIL until the answer came"
        fake.release()
        thread.join(20)

    assert ended.is_set()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are Unix's")
def test_the_loop_turns_while_credentials_are_asked_for(
    fake: FakeAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "credentials"
    os.mkfifo(pipe)
    config = tmp_path / "config"
    config.write_text(f"[profile slow]\ncredential_process = cat {pipe}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    credentials = json.dumps({"Version": 1, "AccessKeyId": "PROCESS", "SecretAccessKey": "secret"})

    async def main() -> None:
        async with AsyncClient(profile="slow", region="r", endpoint_url=fake.url) as client:
            table = client.table(Counter)
            task = asyncio.ensure_future(table.delete("hits"))
            for _ in range(BEATS):
                await asyncio.sleep(0)
            assert not task.done()
            assert not fake.requests
            await asyncio.to_thread(pipe.write_text, credentials)
            await task

    asyncio.run(main())

    assert fake.requests[0].access_key_id == "PROCESS"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are Unix's")
def test_other_threads_run_while_credentials_are_asked_for(
    fake: FakeAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "credentials"
    os.mkfifo(pipe)
    config = tmp_path / "config"
    config.write_text(f"[profile slow]\ncredential_process = cat {pipe}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))

    with Client(profile="slow", region="r", endpoint_url=fake.url) as client:
        table = client.table(Counter)
        thread = threading.Thread(target=lambda: table.delete("hits"))
        thread.start()
        # The call cannot end before this thread has written, for which it needs the GIL.
        pipe.write_text(json.dumps({"Version": 1, "AccessKeyId": "PROCESS", "SecretAccessKey": "secret"}))
        thread.join(20)

    assert fake.requests[0].access_key_id == "PROCESS"


def test_the_loop_turns_while_a_call_waits_for_its_rate_limit(fake: FakeAws) -> None:
    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            table = client.table(Counter, rate_limit=RateLimit(write=5))
            consumed = json.dumps({"ConsumedCapacity": {"TableName": "counters", "CapacityUnits": 6.0}}).encode()
            fake.answers = [Answer(body=consumed)]
            await table.put(HITS)
            task = asyncio.ensure_future(table.put(HITS))
            beats = 0
            while not task.done():
                await asyncio.sleep(0)
                beats += 1
            await task
            assert beats > 3

    asyncio.run(main())


def test_the_loop_turns_between_the_tries_of_a_call(fake: FakeAws) -> None:
    fake.answers = [refusal("ThrottlingException"), refusal("ThrottlingException")]
    beats = 0

    async def main() -> None:
        nonlocal beats
        async with AsyncClient(**options(fake, max_attempts=3)) as client:
            task = asyncio.ensure_future(client.table(Counter).put(HITS))
            while not task.done():
                await asyncio.sleep(0)
                if 1 <= len(fake.requests) <= 2:
                    beats += 1
            await task

    asyncio.run(main())

    assert len(fake.requests) == 3
    assert beats > 3


def test_the_loop_turns_while_the_embedded_engine_works() -> None:
    async def main() -> int:
        async with AsyncClient.local() as client:
            table = client.table(Counter)
            await table.create_table()
            task = asyncio.ensure_future(table.batch_put([Counter(name=f"c{number}") for number in range(2000)]))
            beats = 0
            while not task.done():
                await asyncio.sleep(0)
                beats += 1
            await task
            return beats

    assert asyncio.run(main()) > 100


def test_other_threads_run_while_the_embedded_engine_works() -> None:
    beats = 0
    with Client.local() as client:
        table = client.table(Counter)
        table.create_table()
        items = [Counter(name=f"c{number}") for number in range(2000)]
        thread = threading.Thread(target=table.batch_put, args=(items,))
        thread.start()
        while thread.is_alive():
            thread.join(0)
            beats += 1

    assert beats > 100
