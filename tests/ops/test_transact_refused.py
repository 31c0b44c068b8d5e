"""Transactions that a scripted service refuses: what each operation is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from oxidyn import (
    AccessDenied,
    Client,
    ConditionFailed,
    ReplyError,
    ServiceError,
    Throttled,
    TransactionCancelled,
    TransactionConflict,
    attr,
)
from tests.engines import Colour
from tests.fake_aws import Answer, refusal
from tests.ops.models import Counter
from tests.ops.scripted import Service, client_on


@pytest.fixture
def fake() -> Iterator[Service]:
    with Service() as fake:
        yield fake


@pytest.fixture
def client(fake: Service, colour: Colour) -> Iterator[Client]:
    client = client_on(fake, colour)
    yield client
    client.close()


@pytest.fixture
def counters(client: Client) -> Any:
    return client.table(Counter)


def cancelled(*reasons: dict[str, Any] | str) -> Answer:
    told = [{"Code": reason} if isinstance(reason, str) else reason for reason in reasons]
    body = {"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "CancellationReasons": told}
    return Answer(400, json.dumps(body).encode())


def test_every_reason_of_dynamodbs_has_its_exception(fake: Service, client: Client, counters: Any) -> None:
    item = {"name": {"S": "b"}, "count": {"N": "2"}}
    fake.answers = [
        cancelled(
            "None",
            {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": item},
            "TransactionConflict",
            "ThrottlingError",
            "ProvisionedThroughputExceeded",
            {"Code": "ItemCollectionSizeLimitExceeded", "Message": "too large"},
            {"Code": "ValidationError", "Message": "An operand in the update expression has an incorrect data type"},
            {"Code": "AccessDenied", "Message": "no"},
            {"Code": "SomethingNew", "Message": "new"},
        )
    ]
    names = "abcdefghi"

    with pytest.raises(TransactionCancelled) as caught:
        client.transact(
            *(counters.ops.put(Counter(name=name), where=Counter.count > 3) for name in names[:6]),
            *(counters.ops.update(name, attr(Counter.count).add(1)) for name in names[6:]),
        )

    assert [type(reason) for reason in caught.value.reasons] == [
        type(None),
        ConditionFailed,
        TransactionConflict,
        Throttled,
        Throttled,
        ServiceError,
        ServiceError,
        AccessDenied,
        ServiceError,
    ]
    first: Any = caught.value.reasons[1]
    assert first.item == Counter(name="b", count=2)
    assert first.key == Counter(name="b")
    codes = [getattr(reason, "code", None) for reason in caught.value.reasons]
    assert codes[2:] == [
        "TransactionConflictException",
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "ItemCollectionSizeLimitExceededException",
        "ValidationException",
        "AccessDeniedException",
        "SomethingNew",
    ]
    assert "have reached 10 GB" in str(caught.value.reasons[5])
    assert "a stored item that an action does not fit" in str(caught.value.reasons[6])
    assert {reason.request_id for reason in caught.value.reasons if reason} == {caught.value.request_id}
    assert caught.value.operation == "TransactWriteItems"


def test_a_cancelled_read_says_that_nothing_was_read(fake: Service, client: Client, counters: Any) -> None:
    fake.answers = [cancelled("None", "TransactionConflict")]

    with pytest.raises(TransactionCancelled, match="nothing was read: TransactionConflict at 1") as caught:
        client.transact(counters.ops.get("a"), counters.ops.get("b"))

    conflict: Any = caught.value.reasons[1]
    assert (conflict.operation, conflict.key) == ("GetItem", "b")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("TransactionInProgressException", "run it again with the same token to learn how it ended"),
        ("IdempotentParameterMismatchException", "A token names one transaction: give each its own, or none"),
    ],
)
def test_what_is_wrong_with_a_token_is_explained(
    fake: Service, client: Client, counters: Any, code: str, told: str
) -> None:
    fake.judge = lambda _: refusal(code)

    with pytest.raises(ServiceError, match=told) as caught:
        client.transact(counters.ops.put(Counter(name="a")), token="t")

    assert caught.value.code == code


def test_a_single_write_that_meets_a_transaction_is_in_conflict(fake: Service, counters: Any) -> None:
    fake.judge = lambda _: refusal("TransactionConflictException")

    with pytest.raises(TransactionConflict, match="Another transaction is changing the item") as caught:
        counters.put(Counter(name="a"))

    assert caught.value.key == Counter(name="a")


def test_missing_permissions_are_those_of_the_operations(fake: Service, client: Client, counters: Any) -> None:
    fake.judge = lambda _: refusal("AccessDeniedException")

    with pytest.raises(AccessDenied, match="dynamodb:PutItem, UpdateItem, DeleteItem, ConditionCheckItem"):
        client.transact(counters.ops.put(Counter(name="a")))
    with pytest.raises(AccessDenied, match="allows dynamodb:GetItem on the table"):
        client.transact(counters.ops.get("a"))


def test_a_cancellation_without_reasons_is_the_services_error(fake: Service, client: Client, counters: Any) -> None:
    fake.answers = [refusal("TransactionCanceledException", "Transaction cancelled")]

    with pytest.raises(ServiceError) as caught:
        client.transact(counters.ops.put(Counter(name="a")))

    assert caught.value.code == "TransactionCanceledException"


def test_a_reply_to_reads_that_is_none_of_dynamodbs_is_told(fake: Service, client: Client, counters: Any) -> None:
    fake.answers = [Answer(body=b'{"Responses":[{}]}')]

    with pytest.raises(ReplyError, match="a response to each read"):
        client.transact(counters.ops.get("a"), counters.ops.get("b"))


def test_a_transaction_without_an_answer_is_sent_again_with_its_token(fake: Service) -> None:
    fake.answers = [Answer(cut="before")]

    with Client(endpoint_url=fake.url, region="r", access_key_id="k", secret_access_key="s") as client:
        client.transact(client.table(Counter).ops.put(Counter(name="a")))

    first, again = (json.loads(request.body) for request in fake.requests)
    assert first == again
    assert len(first["ClientRequestToken"]) == 32


def test_a_check_alone_is_refused_as_itself(fake: Service, client: Client, counters: Any) -> None:
    fake.answers = [cancelled({"Code": "ConditionalCheckFailed", "Item": {"name": {"S": "a"}, "count": {"N": "1"}}})]

    with pytest.raises(ConditionFailed) as caught:
        client.run(counters.ops.check("a", Counter.count > 3))

    assert caught.value.item == Counter(name="a", count=1)
