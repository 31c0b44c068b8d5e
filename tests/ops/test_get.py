"""get."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any
from uuid import UUID

import pytest

from oxidyn import InvalidItem, InvalidKey
from tests.ops.models import Counter, Diary, Reading, User

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
    with pytest.raises((InvalidKey, InvalidItem), match="id"):
        users.get("acme", "seven")


def test_an_empty_key_value_is_refused(users: Any) -> None:
    with pytest.raises((InvalidKey, InvalidItem), match="org"):
        users.get("", 1)


def test_a_naive_datetime_in_a_key_is_refused(readings: Any) -> None:
    with pytest.raises((InvalidKey, InvalidItem), match="at"):
        readings.get(SENSOR, datetime(2025, 1, 1))
