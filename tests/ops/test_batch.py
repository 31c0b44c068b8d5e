"""batch_get, batch_put, batch_delete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from oxidyn import InvalidItem, InvalidKey, InvalidOperation
from tests.ops.models import Counter, Stranger, User


@dataclass
class Note:
    text: str


def people(count: int) -> list[User]:
    return [User(org=f"o{number % 3}", id=number, note="n" * number) for number in range(count)]


def test_any_number_of_items_is_written_and_read_in_order(users: Any) -> None:
    written = people(130)
    users.batch_put(written)

    keys = [(user.org, user.id) for user in written]

    assert users.batch_get(keys) == written
    assert users.batch_get(keys[::-1]) == written[::-1]


def test_an_absent_item_is_none_in_its_place(users: Any) -> None:
    user = User(org="a", id=1)
    users.put(user)

    assert users.batch_get([("a", 2), ("a", 1), ("b", 1)]) == [None, user, None]


def test_a_key_asked_twice_comes_back_twice(users: Any) -> None:
    user = User(org="a", id=1)
    users.put(user)

    assert users.batch_get([("a", 1), user, ("a", 1)], consistent=True) == [user, user, user]


def test_nothing_to_do(users: Any) -> None:
    assert users.batch_get([]) == []
    users.batch_put([])
    users.batch_delete([])


def test_of_two_items_with_one_key_the_last_is_stored(users: Any) -> None:
    users.batch_put([User(org="a", id=1, age=1), User(org="a", id=2), User(org="a", id=1, age=2)])

    assert users.get("a", 1).age == 2


def test_batch_delete_takes_keys_and_instances(users: Any) -> None:
    written = people(60)
    users.batch_put(written)

    users.batch_delete([*((user.org, user.id) for user in written[:30]), *written[30:]])

    assert list(users.scan()) == []


@pytest.mark.parametrize(
    ("one", "found"),
    [
        ("ada", "str"),
        (b"ada", "bytes"),
        (User(org="ada", id=1), "User"),
        ({"org": "ada", "id": 1}, "dict"),
        (Note("ada"), "Note"),
        (5, "int"),
    ],
    ids=["text", "bytes", "instance", "dict", "dataclass", "number"],
)
@pytest.mark.parametrize("method", ["batch_get", "batch_put", "batch_delete"])
def test_a_single_entry_is_not_taken_for_many(counters: Any, users: Any, method: str, one: Any, found: str) -> None:
    # Most are iterable: the letters of a name would be keys of their own, and deleted.
    counters.put(Counter(name="a"))

    for table in (counters, users, *([users.select(User.age)] if method == "batch_get" else [])):
        with pytest.raises(InvalidOperation, match=rf"^{method}\(\) .* found a value of type {found}") as caught:
            getattr(table, method)(one)
        assert "ada" not in str(caught.value)

    assert counters.get("a") is not None


def test_a_refused_entry_comes_with_its_error(users: Any) -> None:
    bad = User.model_construct(org="a", id="two")

    with pytest.raises(InvalidItem) as put:
        users.batch_put([User(org="a", id=1), bad])
    with pytest.raises(InvalidKey) as get:
        users.batch_get([("a", 1), ("a", "two")])
    with pytest.raises(InvalidKey) as delete:
        users.batch_delete([("a", 1), "a"])

    assert put.value.key is bad
    assert get.value.key == ("a", "two")
    assert delete.value.key == "a"


def test_a_stored_item_that_is_refused_comes_with_its_key(client: Any, users: Any) -> None:
    client.table(Stranger, name=users.name).put(Stranger(org="a", id=2, age="old"))

    with pytest.raises(InvalidItem, match="age") as caught:
        users.batch_get([("a", 1), ("a", 2)])

    assert caught.value.key == ("a", 2)
