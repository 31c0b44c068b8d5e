"""put and create."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from oxidyn import ConditionFailed, InvalidItem, ItemExists, attr
from tests.ops.models import Address, Plan, User


def test_what_is_put_comes_back_equal(users: Any) -> None:
    user = User(
        org="acme",
        id=1,
        email="ada@acme.example",
        plan=Plan.PAID,
        joined=datetime(2025, 2, 3, 4, 5, 6, 7, tzinfo=timezone.utc),
        age=36,
        nick='Ada \N{GREEK SMALL LETTER LAMDA}\n"',
        tags={"a", "b"},
        scores={"x.y": Decimal("1.10")},
        lines=[3, 1, 2],
        address=Address(city="Ulm"),
        expires=datetime(2030, 1, 1, tzinfo=timezone.utc),
        select="reserved",
    )

    users.put(user)

    assert users.get("acme", 1) == user


def test_put_replaces_the_whole_item(users: Any) -> None:
    users.put(User(org="acme", id=1, nick="old"))

    users.put(User(org="acme", id=1, age=4))

    assert users.get("acme", 1) == User(org="acme", id=1, age=4)


def test_put_under_a_condition_that_holds(users: Any) -> None:
    users.put(User(org="acme", id=1, age=3))

    users.put(User(org="acme", id=1, age=4), where=User.age == 3)

    assert users.get("acme", 1).age == 4


def test_put_under_a_condition_that_fails_carries_the_stored_item(users: Any) -> None:
    stored = User(org="acme", id=1, age=3)
    users.put(stored)

    with pytest.raises(ConditionFailed) as caught:
        users.put(User(org="acme", id=1, age=4), where=User.age > 3)

    assert caught.value.item == stored
    assert caught.value.operation == "PutItem"
    assert caught.value.table == users.name
    assert users.get("acme", 1) == stored


def test_put_under_a_condition_on_a_missing_item_carries_none(users: Any) -> None:
    with pytest.raises(ConditionFailed) as caught:
        users.put(User(org="acme", id=1), where=attr(User.org).exists())

    assert caught.value.item is None
    assert users.get("acme", 1) is None


def test_create_writes_an_item_that_is_not_there(users: Any) -> None:
    users.create(User(org="acme", id=1))

    assert users.get("acme", 1) == User(org="acme", id=1)


def test_create_of_an_existing_item_is_item_exists(users: Any) -> None:
    stored = User(org="acme", id=1, age=1)
    users.create(stored)

    with pytest.raises(ItemExists) as caught:
        users.create(User(org="acme", id=1, age=2))

    assert caught.value.item == stored
    assert users.get("acme", 1) == stored


def test_an_empty_key_is_refused_before_anything_is_sent(users: Any) -> None:
    with pytest.raises(InvalidItem, match="org"):
        users.put(User(org="", id=1))


def test_an_item_of_another_model_is_refused(users: Any) -> None:
    with pytest.raises(InvalidItem):
        users.put(Address(city="Ulm"))


def test_a_value_that_never_passed_validation_is_refused_with_its_path(users: Any) -> None:
    wrong = User.model_construct(org="acme", id=1, age="many")

    with pytest.raises(InvalidItem) as caught:
        users.put(wrong)

    assert [error["loc"] for error in caught.value.errors()] == [("age",)]
    assert "many" not in str(caught.value)
    assert caught.value.table == users.name
