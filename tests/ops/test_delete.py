"""delete."""

from __future__ import annotations

from typing import Any

import pytest

from oxidyn import ConditionFailed
from tests.ops.models import User


def test_delete_by_key_removes_the_item(users: Any) -> None:
    users.put(User(org="acme", id=1))

    assert users.delete("acme", 1) is None

    assert users.get("acme", 1) is None


def test_delete_of_an_absent_item_is_no_error(users: Any) -> None:
    users.delete("acme", 1)


def test_delete_returns_the_old_item_when_asked(users: Any) -> None:
    user = User(org="acme", id=1, age=9)
    users.put(user)

    assert users.delete(user, returning="old") == user
    assert users.delete(user, returning="old") is None


def test_delete_under_a_condition_that_fails_keeps_the_item(users: Any) -> None:
    user = User(org="acme", id=1, age=9)
    users.put(user)

    with pytest.raises(ConditionFailed) as caught:
        users.delete(("acme", 1), where=User.age < 9)

    assert caught.value.item == user
    assert users.get("acme", 1) == user


def test_delete_under_a_condition_that_holds(users: Any) -> None:
    users.put(User(org="acme", id=1, age=9))

    users.delete("acme", 1, where=User.age == 9)

    assert users.get("acme", 1) is None
