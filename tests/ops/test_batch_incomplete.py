"""Batches on a service that throttles, leaves things undone or fails: what is not done is named as it was given."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from oxidyn import AccessDenied, AsyncClient, BatchIncomplete, Client, ReplyError, ServiceError
from tests.engines import Colour
from tests.fake_aws import Answer, refusal
from tests.ops.models import Counter, User
from tests.ops.scripted import Service, client_on

ITEMS = [Counter(name=f"c{number}", count=number) for number in range(100)]
DONE = Answer(body=b'{"UnprocessedItems":{}}')


@pytest.fixture
def fake() -> Iterator[Service]:
    with Service() as fake:
        yield fake


@pytest.fixture
def client(fake: Service, colour: Colour) -> Iterator[Client]:
    client = client_on(fake, colour)
    yield client
    client.close()


def holding(item: Counter) -> Callable[[str], bool]:
    return lambda body: f'{{"S":"{item.name}"}}' in body


# ---- writes ----


def test_an_error_after_the_first_request_names_the_items_that_are_not_written(fake: Service, client: Client) -> None:
    fake.answers = [DONE, refusal("ValidationException", "no")]

    with pytest.raises(BatchIncomplete) as caught:
        client.table(Counter).batch_put(ITEMS, concurrency=1)

    assert len(fake.requests) == 2
    assert caught.value.unprocessed == ITEMS[25:]
    assert caught.value.by_table == {"counters": ITEMS[25:]}
    (error,) = caught.value.errors
    assert isinstance(error, ServiceError)
    assert caught.value.__cause__ is error
    assert (caught.value.operation, caught.value.table) == ("BatchWriteItem", "counters")
    assert "A request of the batch failed, and 75 of its 100 entries are not done" in str(caught.value)


def test_the_requests_beside_one_that_fails_are_awaited_and_no_further_one_is_sent(
    fake: Service, client: Client
) -> None:
    items = [Counter(name=f"c{number}") for number in range(300)]
    is_bad = holding(items[30])
    fake.judge = lambda body: refusal("ValidationException") if is_bad(body) else None

    with pytest.raises(BatchIncomplete) as caught:
        client.table(Counter).batch_put(items, concurrency=3)

    sent = [json.loads(request.body)["RequestItems"]["counters"] for request in fake.requests]
    written = {put["PutRequest"]["Item"]["name"]["S"] for puts in sent for put in puts} - {
        item.name for item in items[25:50]
    }
    assert {item.name for item in caught.value.unprocessed} == {item.name for item in items} - written
    assert caught.value.unprocessed == [item for item in items if item.name not in written]
    assert len(sent) < 12


def test_an_error_of_the_first_request_is_raised_as_it_is(fake: Service, client: Client) -> None:
    fake.judge = lambda _: refusal("AccessDeniedException")

    with pytest.raises(AccessDenied) as caught:
        client.table(Counter).batch_put(ITEMS)

    assert caught.value.table == "counters"


def test_where_two_requests_fail_both_errors_are_told(fake: Service, client: Client) -> None:
    first, second = holding(ITEMS[0]), holding(ITEMS[30])
    fake.judge = lambda body: (
        refusal("ValidationException") if first(body) else refusal("AccessDeniedException") if second(body) else None
    )

    with pytest.raises(BatchIncomplete) as caught:
        client.table(Counter).batch_delete([item.name for item in ITEMS])

    assert {type(error) for error in caught.value.errors} == {ServiceError, AccessDenied}
    assert caught.value.unprocessed == [item.name for item in ITEMS[:50]]


def test_what_a_request_without_an_answer_holds_may_be_done_and_that_is_told(fake: Service, client: Client) -> None:
    lost = holding(ITEMS[99])
    fake.judge = lambda body: Answer(cut="before") if lost(body) else None

    with pytest.raises(
        BatchIncomplete, match="Those of a request without an answer may be done all the same"
    ) as caught:
        client.table(Counter).batch_put(ITEMS)

    (error,) = caught.value.errors
    assert error.ambiguous  # type: ignore[attr-defined]
    assert caught.value.unprocessed == ITEMS[75:]


def test_unprocessed_items_are_sent_again(fake: Service, client: Client) -> None:
    left = b'{"UnprocessedItems":{"counters":[{"PutRequest":{"Item":{"count":{"N":"7"},"name":{"S":"c7"}}}}]}}'
    fake.answers = [Answer(body=left), DONE]

    client.table(Counter).batch_put(ITEMS[:10])

    first, again = (request.body for request in fake.requests)
    assert first.count(b"PutRequest") == 10
    assert again == b'{"RequestItems":{"counters":[{"PutRequest":{"Item":{"name":{"S":"c7"},"count":{"N":"7"}}}}]}}'


def test_a_throttled_request_is_sent_again_as_a_whole(fake: Service, client: Client) -> None:
    fake.answers = [refusal("ProvisionedThroughputExceededException"), DONE]

    client.table(Counter).batch_put(ITEMS[:10])

    first, again = (request.body for request in fake.requests)
    assert first == again


def test_operations_that_are_not_done_come_back_to_be_tried_again(fake: Service, client: Client) -> None:
    counters, users = client.table(Counter), client.table(User)
    puts = [counters.ops.put(item) for item in ITEMS[:25]]
    rest: list[Any] = [users.ops.delete("a", 1), counters.ops.put(ITEMS[25]), users.ops.put(User(org="a", id=2))]
    is_bad = holding(ITEMS[25])
    fake.judge = lambda body: refusal("ValidationException") if is_bad(body) else None

    with pytest.raises(BatchIncomplete) as caught:
        client.batch_write([*puts, *rest])

    assert caught.value.unprocessed == rest
    assert caught.value.by_table == {"users": [("a", 1), User(org="a", id=2)], "counters": [ITEMS[25]]}
    assert caught.value.table is None
    fake.judge = lambda _: None
    client.batch_write(caught.value.unprocessed)
    assert json.loads(fake.requests[-1].body)["RequestItems"].keys() == {"users", "counters"}


def test_of_two_writes_to_one_key_only_the_last_is_named(fake: Service, client: Client) -> None:
    counters = client.table(Counter)
    fake.answers = [DONE, refusal("ValidationException")]
    last = counters.ops.delete("c30")

    with pytest.raises(BatchIncomplete) as caught:
        client.batch_write(
            [*(counters.ops.put(item) for item in ITEMS[:25]), counters.ops.put(ITEMS[30]), last], concurrency=1
        )

    assert caught.value.unprocessed == [last]
    assert caught.value.by_table == {"counters": ["c30"]}


def test_a_reply_that_is_none_of_dynamodbs_leaves_its_writes_unknown(fake: Service, client: Client) -> None:
    fake.answers = [DONE, Answer(body=b'{"UnprocessedItems":[]}')]

    with pytest.raises(BatchIncomplete) as caught:
        client.table(Counter).batch_put(ITEMS[:50], concurrency=1)

    assert isinstance(caught.value.__cause__, ReplyError)
    assert caught.value.unprocessed == ITEMS[25:50]


# ---- reads ----


def test_unprocessed_keys_are_asked_again(fake: Service, client: Client) -> None:
    left = b'{"Responses":{"counters":[{"name":{"S":"c1"}}]},"UnprocessedKeys":{"counters":{"Keys":[{"name":{"S":"c0"}}]}}}'
    fake.answers = [
        Answer(body=left),
        Answer(body=b'{"Responses":{"counters":[{"name":{"S":"c0"},"count":{"N":"4"}}]}}'),
    ]

    found = client.table(Counter).batch_get(["c0", "c1", "c2"])

    assert found == [Counter(name="c0", count=4), Counter(name="c1"), None]
    assert fake.requests[1].body == b'{"RequestItems":{"counters":{"Keys":[{"name":{"S":"c0"}}]}}}'


def test_an_error_of_a_read_is_raised_as_it_is(fake: Service, client: Client) -> None:
    fake.answers = [Answer(), refusal("ThrottlingException"), refusal("AccessDeniedException")]

    with pytest.raises(AccessDenied):
        client.table(Counter).batch_get([f"c{number}" for number in range(200)], concurrency=1)


# ---- many under way ----


@pytest.mark.parametrize(("concurrency", "expected"), [(None, 8), (1, 1), (3, 3), (20, 12)])
def test_so_many_requests_are_under_way_at_once(fake: Service, client: Client, concurrency: Any, expected: int) -> None:
    items = [Counter(name=f"c{number}") for number in range(300)]
    options = {} if concurrency is None else {"concurrency": concurrency}
    held: list[int] = []
    fake.answers = [Answer(hold=True) for _ in range(12)]

    def release() -> None:
        fake.wait_for(lambda: len(fake.requests) == expected)
        held.append(len(fake.requests))
        fake.release()

    releasing = threading.Thread(target=release)
    releasing.start()
    client.table(Counter).batch_put(items, **options)
    releasing.join()

    assert held == [expected]
    assert len(fake.requests) == 12


def test_the_connections_are_a_bound_as_well(fake: Service, colour: Colour) -> None:
    fake.answers = [Answer(hold=True) for _ in range(12)]
    options: Any = {"endpoint_url": fake.url, "region": "r", "access_key_id": "k", "secret_access_key": "s"}
    items = [Counter(name=f"c{number}") for number in range(300)]
    held: list[int] = []

    def release() -> None:
        fake.wait_for(lambda: len(fake.requests) == 2)
        held.append(len(fake.requests))
        fake.release()

    releasing = threading.Thread(target=release)
    releasing.start()
    if colour == "sync":
        with Client(**options, max_connections=2) as client:
            client.table(Counter).batch_put(items)
    else:

        async def main() -> None:
            async with AsyncClient(**options, max_connections=2) as client:
                await client.table(Counter).batch_put(items)

        asyncio.run(main())
    releasing.join()

    assert held == [2]
    assert len(fake.requests) == 12
    # While the first are made, one may be made in vain: its request went over the other, given back meanwhile.
    assert fake.opened <= 4


def test_a_batch_on_the_embedded_engine_lets_others_in_and_can_be_cancelled() -> None:
    items = [Counter(name=f"c{number}") for number in range(100_000)]

    async def main() -> None:
        async with AsyncClient.local() as client:
            counters = client.table(Counter)
            await counters.create_table()
            batch = asyncio.ensure_future(counters.batch_put(items))
            while await counters.get("c0") is None:
                pass
            batch.cancel()
            with pytest.raises(asyncio.CancelledError):
                await batch
            assert await counters.get("c99999") is None

    asyncio.run(main())


def test_a_cancelled_batch_drops_every_request(fake: Service) -> None:
    fake.answers = [Answer(hold=True) for _ in range(12)]
    items = [Counter(name=f"c{number}") for number in range(300)]

    async def main() -> None:
        async with AsyncClient(endpoint_url=fake.url, region="r", access_key_id="k", secret_access_key="s") as client:
            batch = asyncio.ensure_future(client.table(Counter).batch_put(items))
            await asyncio.to_thread(fake.wait_for, lambda: len(fake.requests) == 8)
            batch.cancel()
            with pytest.raises(asyncio.CancelledError):
                await batch
            await asyncio.to_thread(fake.wait_for_closed)

    asyncio.run(main())

    assert len(fake.requests) == 8
