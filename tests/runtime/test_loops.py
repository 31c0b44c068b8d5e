"""One client under every kind of event loop: several, one after the other, one inside another, and late ones."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from oxidyn import AsyncClient, Client
from tests.fake_aws import Answer, FakeAws
from tests.ops.models import Counter

uvloop = pytest.importorskip("uvloop", reason="uvloop is for Unix") if sys.platform != "win32" else None

LOOPS: list[Any] = [asyncio.new_event_loop, *([uvloop.new_event_loop] if uvloop else [])]
ITEM = b'{"Item":{"name":{"S":"hits"},"count":{"N":"7"}}}'
HITS = Counter(name="hits", count=7)


@pytest.fixture
def fake() -> Iterator[FakeAws]:
    with FakeAws() as fake:
        yield fake


@pytest.fixture(params=LOOPS, ids=["asyncio", "uvloop"][: len(LOOPS)])
def new_loop(request: pytest.FixtureRequest) -> Callable[[], asyncio.AbstractEventLoop]:
    return request.param


def options(fake: FakeAws, **more: Any) -> dict[str, Any]:
    return {"endpoint_url": fake.url, "region": "r", "access_key_id": "k", "secret_access_key": "s", **more}


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
