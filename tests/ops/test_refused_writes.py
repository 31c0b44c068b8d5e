"""A write that DynamoDB refuses tells what is stored, as a model, without another read: on every engine, and as AWS
answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from oxidyn import Client, ConditionFailed, InvalidItem, ItemExists, ItemNotFound, attr
from tests.fake_aws import Answer, FakeAws
from tests.ops.models import Counter, Stranger, User

NEW = User(org="acme", id=1, age=2)
STORED = User(org="acme", id=1, age=36, nick="ada", tags={"a"})
AGE = attr(User.age).add(1)

ON_A_STORED_ITEM: list[tuple[str, Callable[[Any], object], type[ConditionFailed | ItemExists]]] = [
    ("create", lambda users: users.create(NEW), ItemExists),
    ("put", lambda users: users.put(NEW, where=User.age < 30), ConditionFailed),
    ("replace", lambda users: users.replace(NEW, where=User.age < 30), ConditionFailed),
    ("update", lambda users: users.update(NEW, AGE, where=User.age < 30), ConditionFailed),
    ("update, returning", lambda users: users.update(NEW, AGE, where=User.age < 30, returning="new"), ConditionFailed),
    ("upsert", lambda users: users.upsert(NEW, AGE, where=User.age < 30), ConditionFailed),
    ("upsert, returning", lambda users: users.upsert(NEW, AGE, where=User.age < 30, returning="old"), ConditionFailed),
    ("delete", lambda users: users.delete(NEW, where=User.age < 30), ConditionFailed),
    ("delete, returning", lambda users: users.delete(NEW, where=User.age < 30, returning="old"), ConditionFailed),
]

ON_NO_ITEM: list[tuple[str, Callable[[Any], object], type[ConditionFailed | ItemNotFound]]] = [
    ("put", lambda users: users.put(NEW, where=User.age < 30), ConditionFailed),
    ("replace", lambda users: users.replace(NEW), ItemNotFound),
    ("replace, where", lambda users: users.replace(NEW, where=User.age < 30), ItemNotFound),
    ("update", lambda users: users.update(NEW, AGE), ItemNotFound),
    ("update, where", lambda users: users.update(NEW, AGE, where=attr(User.age).not_exists()), ItemNotFound),
    ("upsert", lambda users: users.upsert(NEW, AGE, where=User.age < 30), ConditionFailed),
    ("delete", lambda users: users.delete(NEW, where=User.age < 30), ConditionFailed),
]


def _ids(cases: Any) -> list[str]:
    return [name for name, *_ in cases]


@pytest.mark.parametrize(("name", "write", "error"), ON_A_STORED_ITEM, ids=_ids(ON_A_STORED_ITEM))
def test_a_refused_write_carries_the_stored_item_and_changes_nothing(
    users: Any, name: str, write: Callable[[Any], object], error: type[ConditionFailed]
) -> None:
    users.put(STORED)

    with pytest.raises(error) as caught:
        write(users)

    assert caught.value.item == STORED
    assert type(caught.value.item) is User
    assert (caught.value.table, caught.value.key) == (users.name, NEW)
    assert "ada" not in str(caught.value)
    assert users.get(NEW) == STORED


@pytest.mark.parametrize(("name", "write", "error"), ON_NO_ITEM, ids=_ids(ON_NO_ITEM))
def test_a_refused_write_where_there_is_no_item_says_so_and_creates_none(
    users: Any, name: str, write: Callable[[Any], object], error: type[ConditionFailed]
) -> None:
    with pytest.raises(error) as caught:
        write(users)

    assert getattr(caught.value, "item", None) is None
    assert (caught.value.table, caught.value.key) == (users.name, NEW)
    assert users.get(NEW) is None


def test_a_stored_item_that_the_model_refuses_is_told_as_the_cause(users: Any, client: Any) -> None:
    client.table(Stranger, name=users.name).put(Stranger(org="acme", id=1, age="old"))

    for write, error in (
        (lambda: users.create(NEW), ItemExists),
        (lambda: users.delete(NEW, where=attr(User.org).not_exists()), ConditionFailed),
    ):
        with pytest.raises(error) as caught:
            write()
        assert caught.value.item is None
        assert "(the model refuses it, `__cause__` says why); nothing was written" in str(caught.value)
        assert isinstance(caught.value.__cause__, InvalidItem)
        assert caught.value.__cause__.errors()[0]["loc"] == ("age",)


def _answered(item: dict[str, Any] | None) -> Answer:
    """Refuse as AWS does, which sends the stored item beside the error."""
    body = {
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "Item": item,
        "message": "The conditional request failed",
    }
    return Answer(400, json.dumps({name: value for name, value in body.items() if value is not None}).encode())


def _counters(fake: FakeAws) -> Any:
    options = {"region": "eu-central-1", "access_key_id": "KEY", "secret_access_key": "secret"}
    return Client(endpoint_url=fake.url, **options).table(Counter)


def test_the_item_that_aws_sends_with_its_refusal_is_the_errors() -> None:
    stored = {"count": {"N": "5"}, "name": {"S": "a"}}
    with FakeAws() as fake:
        counters = _counters(fake)
        fake.answers = [_answered(stored)] * 3

        with pytest.raises(ConditionFailed) as failed:
            counters.put(Counter(name="a"), where=Counter.count < 5)
        with pytest.raises(ItemExists) as exists:
            counters.create(Counter(name="a"))
        with pytest.raises(ConditionFailed) as updated:
            counters.update("a", attr(Counter.count).add(1), where=Counter.count < 5)

        for caught in (failed, exists, updated):
            assert caught.value.item == Counter(name="a", count=5)
            assert caught.value.request_id is not None
        for request in fake.dynamodb:
            assert json.loads(request.body)["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"


def test_a_refusal_of_aws_without_an_item_means_that_there_is_none() -> None:
    with FakeAws() as fake:
        counters = _counters(fake)
        fake.answers = [_answered(None)] * 3

        with pytest.raises(ConditionFailed) as failed:
            counters.put(Counter(name="a"), where=Counter.count < 5)
        with pytest.raises(ItemNotFound):
            counters.update("a", attr(Counter.count).add(1))
        with pytest.raises(ItemNotFound):
            counters.replace(Counter(name="a"))

        assert failed.value.item is None
