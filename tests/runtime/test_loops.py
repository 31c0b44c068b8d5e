"""One client under every kind of event loop: several, one after the other, one inside another, and late ones."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator

from oxidyn import AsyncClient, Client, Model, PartitionKey
from tests.fake_aws import Answer, FakeAws
from tests.ops.models import Counter
from tests.runtime.options import options

ITEM = b'{"Item":{"name":{"S":"hits"},"count":{"N":"7"}}}'
HITS = Counter(name="hits", count=7)


asked_by: ContextVar[str] = ContextVar("asked_by", default="nobody")


def told(value: str) -> str:
    return f"{value} for {asked_by.get()}"


class Told(Model, table="told"):
    name: Annotated[str, PartitionKey]
    text: Annotated[str, AfterValidator(told)] = ""


def test_loops_in_threads_share_a_client(fake: FakeAws, new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    fake.answers = [Answer(body=ITEM) for _ in range(8 * 50)]
    client = AsyncClient(**options(fake))
    table = client.table(Counter)
    found: list[Counter | None] = []

    async def main() -> None:
        for _ in range(10):
            found.extend(await asyncio.gather(*(table.get("hits") for _ in range(5))))

    def work() -> None:
        loop = new_loop()
        loop.run_until_complete(main())
        loop.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [HITS] * 400


def test_a_client_made_before_any_loop_serves_one_loop_after_the_other(
    fake: FakeAws, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    table = AsyncClient(**options(fake)).table(Counter)
    fake.answers = [Answer(body=ITEM) for _ in range(5)]

    for _ in range(5):
        loop = new_loop()
        assert loop.run_until_complete(table.get("hits")) == HITS
        loop.close()

    # The connection belongs to no loop.
    assert fake.opened == 1


def test_a_loop_inside_a_callback_of_another(fake: FakeAws) -> None:
    """As some notebooks do it: another loop runs to its end while a callback of the first one does not return."""
    table = AsyncClient(**options(fake)).table(Counter)
    fake.answers = [Answer(body=ITEM) for _ in range(3)]

    def inner() -> Counter | None:
        outer = asyncio.events._get_running_loop()
        asyncio.events._set_running_loop(None)
        loop = asyncio.new_event_loop()
        try:
            return loop.run_until_complete(table.get("hits"))
        finally:
            loop.close()
            asyncio.events._set_running_loop(outer)

    async def main() -> list[Counter | None]:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Counter | None] = loop.create_future()
        before = asyncio.ensure_future(table.get("hits"))
        loop.call_soon(lambda: answered.set_result(inner()))
        return [await answered, await before, await table.get("hits")]

    assert asyncio.run(main()) == [HITS] * 3


def test_a_blocking_call_inside_a_running_loop(fake: FakeAws) -> None:
    fake.answers = [Answer(body=ITEM) for _ in range(2)]
    blocking = Client(**options(fake)).table(Counter)
    awaited = AsyncClient(**options(fake)).table(Counter)

    async def main() -> list[Counter | None]:
        task = asyncio.ensure_future(awaited.get("hits"))
        return [blocking.get("hits"), await task]

    assert asyncio.run(main()) == [HITS] * 2


def test_blocking_calls_from_the_threads_of_a_loop(fake: FakeAws) -> None:
    fake.answers = [Answer(body=ITEM) for _ in range(400)]
    table = Client(**options(fake)).table(Counter)

    async def main() -> list[Counter | None]:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(40) as pool:
            return await asyncio.gather(*(loop.run_in_executor(pool, table.get, "hits") for _ in range(400)))

    assert asyncio.run(main()) == [HITS] * 400
    assert fake.opened <= 40


def test_one_client_blocking_in_threads_and_awaited_in_loops_at_once(fake: FakeAws) -> None:
    client = AsyncClient(**options(fake))
    table = client.table(Counter)
    operation = table.ops.get("hits")
    fake.answers = [Answer(body=ITEM) for _ in range(800)]
    found: list[Any] = []

    def block() -> None:
        found.extend(client._core.run(operation) for _ in range(50))

    def wait() -> None:
        async def main() -> None:
            found.extend(await asyncio.gather(*(table.get("hits") for _ in range(50))))

        asyncio.run(main())

    threads = [threading.Thread(target=target) for target in [block, wait] * 8]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [HITS] * 800


def test_an_iteration_begun_in_one_loop_goes_on_in_another(fake: FakeAws) -> None:
    page = b'{"Items":[{"name":{"S":"a"}},{"name":{"S":"b"}}],"LastEvaluatedKey":{"name":{"S":"b"}}}'
    last = b'{"Items":[{"name":{"S":"c"}}]}'
    fake.answers = [Answer(body=page), Answer(body=last)]
    items = aiter(AsyncClient(**options(fake)).table(Counter).scan())

    async def take() -> str:
        return (await anext(items)).name

    assert [asyncio.run(take()) for _ in range(3)] == ["a", "b", "c"]


@pytest.mark.parametrize("call", ["get", "query", "page", "batch_get"])
def test_validators_see_the_context_of_the_task_that_awaits(
    fake: FakeAws, new_loop: Callable[[], asyncio.AbstractEventLoop], call: str
) -> None:
    item = {"name": {"S": "n"}, "text": {"S": "hello"}}
    body = {"Item": item, "Items": [item], "Responses": {"told": [item]}}
    fake.answers = [Answer(body=json.dumps(body).encode()) for _ in range(3)]

    async def ask(table: Any, who: str) -> str:
        asked_by.set(who)
        if call == "get":
            found = await table.get("n")
        elif call == "query":
            found = await table.query(Told.name == "n").first()
        elif call == "page":
            found = (await table.query(Told.name == "n").page(5)).items[0]
        else:
            [found] = await table.batch_get(["n"])
        return found.text

    async def main() -> list[str]:
        async with AsyncClient(**options(fake)) as client:
            table = client.table(Told)
            tasks = [asyncio.ensure_future(ask(table, who)) for who in ["ann", "bob", "eve"]]
            return await asyncio.gather(*tasks)

    loop = new_loop()
    assert loop.run_until_complete(main()) == ["hello for ann", "hello for bob", "hello for eve"]
    loop.close()


def test_the_loop_keeps_nothing_of_the_context_of_its_first_call(
    fake: FakeAws, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    class Held:
        pass

    holding: ContextVar[Held] = ContextVar("holding")

    async def first(table: Any) -> weakref.ref[Held]:
        held = Held()
        holding.set(held)
        await table.get("hits")
        return weakref.ref(held)

    async def main() -> weakref.ref[Held]:
        async with AsyncClient(**options(fake)) as client:
            return await asyncio.ensure_future(first(client.table(Counter)))

    loop = new_loop()
    held = loop.run_until_complete(main())
    gc.collect()
    assert held() is None
    loop.close()
