"""replace: a put that must find an item."""

from __future__ import annotations

from typing import Any

import pytest

from oxidyn import ConditionFailed, InvalidItem, ItemNotFound, attr
from tests.ops.models import Address, User


def test_replace_writes_the_whole_item_over_the_stored_one(users: Any) -> None:
    users.put(User(org="acme", id=1, nick="old"))

    assert users.replace(User(org="acme", id=1, age=4)) is None

    assert users.get("acme", 1) == User(org="acme", id=1, age=4)


def test_replace_of_an_absent_item_is_item_not_found_and_writes_nothing(users: Any) -> None:
    user = User(org="acme", id=404)

    with pytest.raises(ItemNotFound) as caught:
        users.replace(user)

    error = caught.value
    assert (error.operation, error.table, error.key) == ("PutItem", users.name, user)
    assert users.get("acme", 404) is None


def test_replace_under_a_condition_that_holds(users: Any) -> None:
    users.put(User(org="acme", id=1, age=3))

    users.replace(User(org="acme", id=1, age=4), where=User.age == 3)

    assert users.get("acme", 1).age == 4


def test_replace_under_a_condition_that_fails_carries_the_stored_item(users: Any) -> None:
    stored = User(org="acme", id=1, age=3)
    users.put(stored)

    with pytest.raises(ConditionFailed) as caught:
        users.replace(User(org="acme", id=1, age=4), where=User.age > 3)

    assert caught.value.item == stored
    assert users.get("acme", 1) == stored


def test_replace_under_a_condition_on_an_absent_item_is_item_not_found(users: Any) -> None:
    for condition in (User.age > 3, attr(User.age).not_exists(), (User.age > 3) | attr(User.org).not_exists()):
        with pytest.raises(ItemNotFound):
            users.replace(User(org="acme", id=404), where=condition)

    assert users.get("acme", 404) is None


def test_replace_refuses_what_put_refuses(users: Any) -> None:
    with pytest.raises(InvalidItem, match="org"):
        users.replace(User(org="", id=1))
    with pytest.raises(InvalidItem):
        users.replace(Address(city="Ulm"))
