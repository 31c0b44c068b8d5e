"""scan."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from typing import Annotated, Any

import pytest

from oxidyn import (
    Attribute,
    InvalidExpression,
    InvalidItem,
    Model,
    PartitionKey,
    all_of,
    any_of,
    attr,
    expr,
    not_,
    some,
)
from tests.ops.models import Address, Plan, User


@pytest.fixture
def crowd(users: Any) -> list[User]:
    people = [
        User(org="a", id=1, age=10, nick="x", address=Address(city="Ulm"), lines=[5], tags={"t"}),
        User(org="a", id=2, age=20, plan=Plan.PAID, scores={"k.1": 2}),
        User(org="b", id=3, age=30, active=False, address=Address(city="Bonn", zip="1"), select="y"),
    ]
    users.batch_put(people)
    return people


def ids(found: Any) -> list[int]:
    return sorted(user.id for user in found)


def test_scan_reads_everything(users: Any, crowd: list[User]) -> None:
    assert ids(users.scan()) == [1, 2, 3]
    assert ids(users.scan(page_size=1)) == [1, 2, 3]
    assert users.scan().count() == 3


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda: User.age == 20, [2]),
        (lambda: User.age != 20, [1, 3]),
        (lambda: User.age < 20, [1]),
        (lambda: User.age <= 20, [1, 2]),
        (lambda: User.age > 20, [3]),
        (lambda: User.age >= 20, [2, 3]),
        (lambda: attr(User.age).between(10, 20), [1, 2]),
        (lambda: attr(User.age).is_in([10, 30]), [1, 3]),
        (lambda: attr(User.plan).is_in([Plan.PAID]), [2]),
        (lambda: attr(User.nick) > "a", [1]),
        (lambda: attr(User.nick).begins_with("x"), [1]),
        (lambda: attr(User.nick).exists(), [1]),
        (lambda: attr(User.nick).not_exists(), [2, 3]),
        (lambda: attr(User.nick).is_in(["x", None]), [1, 2, 3]),
        (lambda: User.tags == set(), [2, 3]),
        (lambda: User.tags != set(), [1]),
        (lambda: ~(User.age > 10), [1]),
        (lambda: not_(User.age > 10), [1]),
        (lambda: (User.age == 10) | (User.age == 30), [1, 3]),
        (lambda: any_of(User.age == 10, User.age == 20, User.id == 3), [1, 2, 3]),
        (lambda: all_of(User.age > 10, User.age < 30), [2]),
        (lambda: (User.age > 10) & ~((User.age == 20) | (User.age == 99)), [3]),
        (lambda: User.active, [1, 2]),
        (lambda: ~User.active, [3]),
        (lambda: some(User.address).city == "Ulm", [1]),
        (lambda: attr(some(User.address).zip).is_some(), [3]),
        (lambda: User.lines[0] == 5, [1]),
        (lambda: User.scores["k.1"] == 2, [2]),
        (lambda: User.tags == {"t"}, [1]),
        (lambda: User.select == "y", [3]),
        (lambda: User.address == Address(city="Ulm"), [1]),
    ],
)
def test_filters(users: Any, crowd: list[User], condition: Any, expected: list[int]) -> None:
    assert ids(users.scan(where=condition())) == expected


def test_limit_stops_the_scan(users: Any, crowd: list[User]) -> None:
    assert len(list(users.scan(limit=2, page_size=1))) == 2


def test_more_than_a_hundred_operands_are_refused(users: Any) -> None:
    with pytest.raises(InvalidExpression, match="100"):
        list(users.scan(where=attr(User.age).is_in(range(101))))


def test_a_reference_of_another_model_is_refused(users: Any) -> None:
    from tests.ops.models import Word

    with pytest.raises(InvalidExpression, match="Word"):
        list(users.scan(where=Word.word == "x"))


def test_a_name_that_is_no_field_is_refused(users: Any) -> None:
    with pytest.raises(InvalidExpression, match="street"):
        list(users.scan(where=some(User.address).street == "x"))


def test_order_on_a_datetime_that_keeps_its_offset_is_refused(client: Any, table_name: str) -> None:
    class Stamp(Model):
        id: Annotated[str, PartitionKey]
        at: Annotated[datetime, Attribute(utc=False)]

    stamps = client.table(Stamp, name=table_name)
    with pytest.raises(InvalidExpression, match=r"Stamp\.at: .*utc=False"):
        list(stamps.scan(where=Stamp.at > datetime(2026, 1, 1, tzinfo=timezone.utc)))


def test_order_on_an_aware_time_is_refused(client: Any, table_name: str) -> None:
    class Alarm(Model):
        id: Annotated[str, PartitionKey]
        at: time

    alarms = client.table(Alarm, name=table_name)
    alarms.create_table()
    alarms.put(Alarm(id="a", at=time(12, 30)))

    assert alarms.scan(where=Alarm.at > time(12)).count() == 1
    with pytest.raises(InvalidItem, match="a time without a timezone"):
        list(alarms.scan(where=Alarm.at > time(12, tzinfo=timezone.utc)))


def test_a_ttl_is_rounded_up_in_conditions_as_in_storage(users: Any) -> None:
    moment = datetime(2030, 1, 1, 0, 0, 0, 1, tzinfo=timezone.utc)
    users.put(User(org="a", id=1, expires=moment))

    for within_the_second in (moment, moment + timedelta(milliseconds=999)):
        assert users.scan(where=User.expires == within_the_second).count() == 1
        assert users.scan(where=attr(User.expires) >= within_the_second).count() == 1
        assert users.scan(where=attr(User.expires) > within_the_second).count() == 0
    assert users.scan(where=User.expires == moment + timedelta(seconds=1)).count() == 0


def test_begins_with_on_what_is_no_text_is_refused(users: Any) -> None:
    with pytest.raises(InvalidExpression, match=r"User\.joined is none: give a range"):
        list(users.scan(where=attr(expr(User).joined).begins_with("2024")))  # type: ignore[misc]
