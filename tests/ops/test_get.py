"""get."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Annotated, Any
from uuid import UUID

import pytest

from oxidyn import InvalidItem, InvalidKey, Model, PartitionKey, SortKey
from tests.ops.models import Counter, Diary, Reading, Stranger, User

SENSOR = UUID("7f1e9c52-41fb-4b57-8b3b-3f8b2f3f7c11")


def test_get_of_an_absent_item_is_none(users: Any) -> None:
    assert users.get("acme", 1) is None


def test_a_key_is_two_values_a_tuple_or_an_instance(users: Any) -> None:
    user = User(org="acme", id=7)
    users.put(user)

    assert users.get("acme", 7) == users.get(("acme", 7)) == users.get(user) == user


def test_a_partition_key_alone_is_its_value(counters: Any) -> None:
    counters.put(Counter(name="hits", count=3))

    assert counters.get("hits") == counters.get(("hits",)) == Counter(name="hits", count=3)


def test_a_consistent_read(users: Any) -> None:
    users.put(User(org="acme", id=1))

    assert users.get("acme", 1, consistent=True) == User(org="acme", id=1)


def test_key_values_are_converted_as_pydantic_does(readings: Any, diaries: Any) -> None:
    at = datetime(2025, 1, 1, 12, tzinfo=timezone.utc)
    readings.put(Reading(sensor=SENSOR, at=at, value=1.5))
    diaries.put(Diary(owner="ada", day=date(2025, 1, 1)))

    assert readings.get(str(SENSOR), "2025-01-01T13:00:00+01:00") == Reading(sensor=SENSOR, at=at, value=1.5)
    assert diaries.get("ada", "2025-01-01") == Diary(owner="ada", day=date(2025, 1, 1))


@pytest.mark.parametrize("key", [("acme",), ("acme", 1, 2), ()])
def test_a_wrong_count_of_key_values_names_the_key_fields(users: Any, key: tuple[object, ...]) -> None:
    with pytest.raises(InvalidKey, match=r"org.*id"):
        users.get(*key)


def test_a_key_value_of_a_wrong_type_names_the_key_field(users: Any) -> None:
    with pytest.raises(InvalidKey, match=r"key of User is \(org, id\).*; id: ") as caught:
        users.get("acme", "seven")

    assert isinstance(caught.value.__cause__, InvalidItem)
    assert caught.value.key == ("acme", "seven")
    assert "seven" not in str(caught.value)


def test_an_empty_key_value_is_refused(users: Any) -> None:
    with pytest.raises(InvalidKey, match=r"key of User is \(org, id\).*; org: .*found none"):
        users.get("", 1)


def test_a_naive_datetime_in_a_key_is_refused(readings: Any) -> None:
    with pytest.raises(InvalidKey, match="; at: .*naive"):
        readings.get(SENSOR, datetime(2025, 1, 1))


def test_an_error_has_the_key_as_it_was_given(counters: Any) -> None:
    with pytest.raises(InvalidKey) as caught:
        counters.get(5)
    assert caught.value.key == 5

    counter = Counter(name="")
    with pytest.raises(InvalidItem) as refused:
        counters.get(counter)
    assert refused.value.key is counter


def test_what_user_code_raises_on_load_says_what_was_read(client: Any, users: Any) -> None:
    class Failing(Model):
        org: Annotated[str, PartitionKey]
        id: Annotated[int, SortKey]

        def model_post_init(self, _context: object) -> None:
            if self.id == 7:
                raise RuntimeError("not today")

    users.put(User(org="acme", id=7))

    with pytest.raises(RuntimeError, match="not today") as caught:
        client.table(Failing, name=users.name).get("acme", 7)

    assert caught.value.__notes__ == ["oxidyn: at Failing", f'oxidyn: GetItem, table "{users.name}"']


def test_a_refused_item_comes_with_the_id_of_its_request(client: Any, users: Any, engine: str) -> None:
    client.table(Stranger, name=users.name).put(Stranger(org="acme", id=2, age="old"))

    refusals = []
    for read in (lambda: users.get("acme", 2), lambda: users.query(User.org == "acme").first()):
        with pytest.raises(InvalidItem) as caught:
            read()
        refusals.append(caught.value)

    # The embedded engine makes no request.
    assert [bool(error.request_id) for error in refusals] == [engine == "moto"] * 2
