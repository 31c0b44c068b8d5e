"""Iterators go on after an error: nothing is left out, nothing comes twice, on scripted faults in both colours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Annotated, Any

import pytest

from oxidyn import (
    AsyncClient,
    Client,
    ConnectError,
    InvalidCursor,
    InvalidItem,
    Model,
    PartitionKey,
    ReplyError,
    ServiceError,
    SortKey,
    Throttled,
)
from tests.engines import Blocking, Colour
from tests.fake_aws import Answer, FakeAws, refusal


class Event(Model, table="events"):
    org: Annotated[str, PartitionKey]
    number: Annotated[int, SortKey]


@pytest.fixture
def fake() -> Iterator[FakeAws]:
    with FakeAws() as fake:
        yield fake


def options(fake: FakeAws) -> dict[str, Any]:
    return {
        "endpoint_url": fake.url,
        "region": "eu-central-1",
        "access_key_id": "KEY",
        "secret_access_key": "secret",
        # Each fault reaches the caller.
        "max_attempts": 1,
    }


@pytest.fixture
def events(fake: FakeAws, colour: Colour) -> Iterator[Any]:
    if colour == "sync":
        client: Any = Client(**options(fake))
    else:
        client = Blocking(AsyncClient(**options(fake)), asyncio.new_event_loop(), owns_loop=True)
    yield client.table(Event)
    client.close()


def reply(*numbers: int, more: bool = False, damaged: int | None = None) -> Answer:
    """A page of these items; behind the last of them DynamoDB goes on where there are more."""
    items = [{"org": {"S": "acme"}, "number": {"S" if number == damaged else "N": str(number)}} for number in numbers]
    body: dict[str, Any] = {"Count": len(items), "Items": items}
    if more:
        body["LastEvaluatedKey"] = {"org": {"S": "acme"}, "number": {"N": str(numbers[-1])}}
    return Answer(body=json.dumps(body).encode())


def sent(fake: FakeAws) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in fake.requests]


FAULTS = [
    pytest.param(refusal("ThrottlingException"), Throttled, id="throttled"),
    pytest.param(refusal("InternalServerError", status=500), ServiceError, id="server error"),
    pytest.param(Answer(cut="before"), ConnectError, id="connection lost"),
    pytest.param(Answer(body=b"<html>hello</html>"), ReplyError, id="no reply of DynamoDB's"),
]


@pytest.mark.parametrize(("fault", "error"), FAULTS)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_an_iterator_asks_again_for_what_failed_and_goes_on(
    fake: FakeAws, events: Any, fault: Answer, error: type[Exception], at: int
) -> None:
    fake.answers = [reply(1, 2, more=True), reply(3, 4, more=True), reply(5)]
    fake.answers.insert(at, fault)
    found = iter(events.query(Event.org == "acme"))
    numbers = [next(found).number for _ in range(2 * at)]

    with pytest.raises(error):
        next(found)
    numbers.extend(event.number for event in found)

    assert numbers == [1, 2, 3, 4, 5]
    asked = [body.get("ExclusiveStartKey", {}).get("number") for body in sent(fake)]
    expected = [None, {"N": "2"}, {"N": "4"}]
    assert asked == expected[: at + 1] + expected[at:]


def test_an_iterator_survives_fault_after_fault(fake: FakeAws, events: Any) -> None:
    fake.answers = [
        refusal("ThrottlingException"),
        refusal("ThrottlingException"),
        reply(1, 2, more=True, damaged=2),
        refusal("InternalServerError", status=500),
        Answer(cut="before"),
        reply(3, damaged=3, more=True),
        reply(4),
    ]
    found = iter(events.query(Event.org == "acme"))
    numbers: list[Any] = []
    while True:
        try:
            numbers.append(next(found).number)
        except StopIteration:
            break
        except (Throttled, ServiceError, ConnectError, InvalidItem) as error:
            numbers.append(type(error).__name__)

    assert numbers == [
        "Throttled",
        "Throttled",
        1,
        "InvalidItem",
        "ServiceError",
        "ConnectError",
        "InvalidItem",
        4,
    ]


def test_a_limit_still_counts_after_an_error(fake: FakeAws, events: Any) -> None:
    fake.answers = [reply(1, 2, more=True), refusal("ThrottlingException"), reply(3, more=True)]
    found = iter(events.query(Event.org == "acme", limit=3, page_size=2))
    numbers = [next(found).number, next(found).number]

    with pytest.raises(Throttled):
        next(found)
    numbers.extend(event.number for event in found)

    assert numbers == [1, 2, 3]
    assert [body["Limit"] for body in sent(fake)] == [2, 1, 1]


def test_limit_ends_the_iteration_and_page_size_what_is_read_at_once(fake: FakeAws, events: Any) -> None:
    fake.answers = [reply(1, 2, more=True), reply(3, 4, more=True), reply(5, 6, more=True)]

    assert [event.number for event in events.query(Event.org == "acme", limit=5, page_size=2)] == [1, 2, 3, 4, 5]
    assert [body["Limit"] for body in sent(fake)] == [2, 2, 1]


def test_a_page_that_failed_is_asked_for_again_with_the_same_cursor(fake: FakeAws, events: Any) -> None:
    fake.answers = [reply(1, 2, 3, more=True), refusal("ThrottlingException"), reply(3, 4)]
    query = events.query(Event.org == "acme")
    first = query.page(2)

    with pytest.raises(Throttled):
        query.page(2, after=first.cursor)
    second = query.page(2, after=first.cursor)

    assert [event.number for event in [*first.items, *second.items]] == [1, 2, 3, 4]
    assert sent(fake)[1] == sent(fake)[2]
    assert sent(fake)[2]["ExclusiveStartKey"] == {"org": {"S": "acme"}, "number": {"N": "2"}}


def test_a_start_key_that_dynamodb_refuses_is_a_refused_cursor(fake: FakeAws, events: Any) -> None:
    fake.answers = [reply(1, 2, 3, more=True), refusal("ValidationException", "The provided starting key is invalid")]
    query = events.query(Event.org == "acme")
    first = query.page(2)

    with pytest.raises(InvalidCursor, match="DynamoDB refused the key in it .*starting key is invalid"):
        query.page(2, after=first.cursor)


def test_a_task_that_was_cancelled_while_it_waited_may_go_on(fake: FakeAws) -> None:
    fake.answers = [reply(1, more=True), Answer(hold=True), reply(2)]

    async def body() -> list[int]:
        async with AsyncClient(**options(fake)) as client:
            found = aiter(client.table(Event).query(Event.org == "acme"))
            numbers = [(await anext(found)).number]
            waiting = asyncio.ensure_future(anext(found))
            await asyncio.to_thread(fake.wait_for, lambda: len(fake.requests) == 2)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            return numbers + [event.number async for event in found]

    assert asyncio.run(body()) == [1, 2]


def test_several_tasks_may_take_from_one_iterator(fake: FakeAws) -> None:
    fake.answers = [reply(1, 2, more=True), reply(3, 4, more=True), reply(5)]

    async def body() -> list[int]:
        async with AsyncClient(**options(fake)) as client:
            found = aiter(client.table(Event).query(Event.org == "acme"))

            async def take() -> list[int]:
                return [event.number async for event in found]

            return [number for numbers in await asyncio.gather(take(), take(), take()) for number in numbers]

    assert sorted(asyncio.run(body())) == [1, 2, 3, 4, 5]
    assert len(fake.requests) == 3
