"""query: splitting into key condition and filter, order, limit, pages."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import Field

from oxidyn import (
    Attribute,
    Index,
    InvalidExpression,
    InvalidItem,
    Model,
    MultipleItemsFound,
    NoItemFound,
    PartitionKey,
    SortKey,
    attr,
)
from tests.ops.models import Diary, Plan, Price, Reading, Stranger, User, Word

SENSOR = UUID("7f1e9c52-41fb-4b57-8b3b-3f8b2f3f7c11")
NOON = datetime(2025, 1, 1, 12, tzinfo=timezone.utc)
ONE_DAY = timedelta(days=1)


@pytest.fixture
def crowd(users: Any) -> list[User]:
    """Ten users of acme, ids 0 to 9, ages 20 to 29, and one of another organisation."""
    people = [
        User(
            org="acme",
            id=number,
            age=20 + number,
            email=f"u{number}@acme.example" if number % 2 else None,
            plan=Plan.PAID if number < 3 else Plan.FREE,
            joined=NOON - number * ONE_DAY,
            nick="n" if number == 5 else None,
        )
        for number in range(10)
    ]
    users.batch_put([*people, User(org="other", id=1)])
    return people


def test_a_partition_in_the_order_of_its_sort_key(users: Any, crowd: list[User]) -> None:
    assert list(users.query(User.org == "acme")) == crowd
    assert list(users.query(User.org == "acme", reverse=True)) == crowd[::-1]


def test_an_empty_partition(users: Any) -> None:
    assert list(users.query(User.org == "nobody")) == []


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda: User.id == 4, [4]),
        (lambda: User.id < 2, [0, 1]),
        (lambda: User.id <= 2, [0, 1, 2]),
        (lambda: User.id > 7, [8, 9]),
        (lambda: User.id >= 7, [7, 8, 9]),
        (lambda: attr(User.id).between(2, 4), [2, 3, 4]),
        (lambda: (User.id >= 2) & (User.id <= 4), [2, 3, 4]),
        (lambda: (User.id > 2) & (User.id < 5), [3, 4]),
        (lambda: (User.id > 4) & (User.id < 5), []),
        (lambda: (User.id > 6) & (User.id < 3), []),
    ],
)
def test_conditions_on_the_sort_key(users: Any, crowd: list[User], condition: Any, expected: list[int]) -> None:
    assert [user.id for user in users.query((User.org == "acme") & condition())] == expected


def test_an_empty_range_sends_nothing(users: Any) -> None:
    nothing = users.query((User.org == "acme") & (User.id > 6) & (User.id < 3))

    assert list(nothing) == []
    assert nothing.count() == 0
    assert nothing.first() is None


def test_conditions_beside_the_key_become_the_filter(users: Any, crowd: list[User]) -> None:
    found = users.query((User.org == "acme") & (User.id < 8) & (User.age > 22), where=User.active)

    assert [user.id for user in found] == [3, 4, 5, 6, 7]


def test_a_day_as_a_half_open_range_of_datetimes(readings: Any) -> None:
    day = datetime(2025, 1, 1, tzinfo=timezone.utc)
    moments = [day - timedelta(microseconds=1), day, day + ONE_DAY - timedelta(microseconds=1), day + ONE_DAY]
    readings.batch_put([Reading(sensor=SENSOR, at=at, value=0.5) for at in moments])

    found = readings.query((Reading.sensor == SENSOR) & (Reading.at >= day) & (Reading.at < day + ONE_DAY))

    assert [reading.at for reading in found] == moments[1:3]


def test_a_half_open_range_of_dates(diaries: Any) -> None:
    first = date(2025, 1, 1)
    diaries.batch_put([Diary(owner="ada", day=first + number * ONE_DAY) for number in range(5)])

    found = diaries.query((Diary.owner == "ada") & (Diary.day > first) & (Diary.day < first + 4 * ONE_DAY))

    assert [entry.day.day for entry in found] == [2, 3, 4]


def test_a_half_open_range_of_text_drops_the_open_end_before_limit_and_count(words: Any) -> None:
    words.batch_put([Word(language="de", word=word) for word in ("a", "b", "c", "d")])
    found = words.query((Word.language == "de") & (Word.word > "a") & (Word.word < "d"))

    assert [word.word for word in found] == ["b", "c"]
    assert found.count() == 2
    limited = words.query((Word.language == "de") & (Word.word > "a") & (Word.word <= "d"), limit=2)
    assert [word.word for word in limited] == ["b", "c"]


def test_a_half_open_range_of_decimals_compares_by_value(prices: Any) -> None:
    prices.batch_put([Price(symbol="x", amount=Decimal(text)) for text in ("0.9", "1.0", "1.05", "2.50")])

    found = prices.query((Price.symbol == "x") & (Price.amount > Decimal("1.00")) & (Price.amount < Decimal("2.5")))

    assert [price.amount for price in found] == [Decimal("1.05")]


def test_begins_with_on_the_sort_key(words: Any) -> None:
    words.batch_put([Word(language="de", word=word) for word in ("haus", "hausboot", "maus")])

    found = words.query((Word.language == "de") & attr(Word.word).begins_with("haus"))

    assert [word.word for word in found] == ["haus", "hausboot"]


def test_a_global_index_with_two_attributes(users: Any, crowd: list[User]) -> None:
    found = users.query((User.plan == Plan.PAID) & (User.joined < NOON), index="by_plan")

    assert list(found) == [crowd[2], crowd[1]]


def test_a_local_index_gives_another_order(users: Any, crowd: list[User]) -> None:
    found = users.query(User.org == "acme", index="by_joined", consistent=True)

    assert [user.id for user in found] == list(range(9, -1, -1))


def test_a_sparse_index_holds_only_items_with_the_attribute(users: Any, crowd: list[User]) -> None:
    assert [u.id for u in users.query(User.email == "u3@acme.example", index="by_email")] == [3]
    assert {u.id for u in users.scan(index="by_email")} == {1, 3, 5, 7, 9}


def test_limit_counts_items_after_the_filter(users: Any, crowd: list[User]) -> None:
    found = users.query(User.org == "acme", where=User.age >= 24, limit=3, page_size=2)

    assert [user.id for user in found] == [4, 5, 6]


def test_pages_are_fetched_as_they_are_needed(users: Any, crowd: list[User]) -> None:
    assert list(users.query(User.org == "acme", page_size=3)) == crowd


def test_first_one_and_count(users: Any, crowd: list[User]) -> None:
    assert users.query(User.org == "acme").first() == crowd[0]
    assert users.query((User.org == "acme") & (User.id == 3)).one() == crowd[3]
    assert users.query((User.org == "acme") & (User.id == 33)).one_or_none() is None
    assert users.query(User.org == "acme", where=User.age > 25, page_size=2).count() == 4
    with pytest.raises(NoItemFound):
        users.query((User.org == "acme") & (User.id == 33)).one()
    with pytest.raises(MultipleItemsFound):
        users.query(User.org == "acme").one()


def test_none_means_none_however_it_is_stored(users: Any, crowd: list[User]) -> None:
    everyone = User.org == "acme"

    assert [u.id for u in users.query(everyone, where=attr(User.nick).is_some())] == [5]
    assert [u.id for u in users.query(everyone & (User.nick != None))] == [5]
    assert len(list(users.query(everyone, where=User.nick == None))) == 9
    assert len(list(users.query(everyone, where=attr(User.nick).is_none()))) == 9


@pytest.mark.parametrize(
    "condition",
    [
        lambda: User.id != 3,
        lambda: attr(User.id).is_in([1, 2]),
        lambda: (User.id == 1) | (User.id == 2),
        lambda: (User.id > 1) & (User.id < 5) & (User.id >= 3),
        lambda: attr(User.id).exists(),
    ],
)
def test_a_condition_on_a_key_attribute_that_cannot_be_a_key_condition_names_it(users: Any, condition: Any) -> None:
    with pytest.raises(InvalidExpression, match="id"):
        list(users.query((User.org == "acme") & condition()))


def test_key_attributes_are_told_by_their_fields(client: Any, table_name: str) -> None:
    class Row(Model):
        owner: Annotated[str, PartitionKey, Attribute(name="PK")]
        at: Annotated[int, SortKey] = Field(alias="SK")
        kind: Annotated[str, Index("by_kind", partition=True), Attribute(name="GSI1")]

    rows = client.table(Row, name=table_name)
    for condition, index, words in (
        (Row.at == 1, None, "no key serves the query: the table needs `owner == …`; index by_kind needs `kind == …`"),
        (Row.owner == "a", "by_kind", "the query needs `kind == …`, since kind is"),
        (Row.owner > "a", None, "owner is a partition attribute"),
        ((Row.owner == "a") & (Row.at != 1), None, "at is a key attribute"),
        ((Row.owner == "a") & (Row.at > 1) & (Row.at > 2), None, "at is a sort attribute"),
        (attr(Row.kind).begins_with("x"), "by_kind", "kind is a partition attribute"),
    ):
        with pytest.raises(InvalidExpression, match=f"^{words}"):
            rows.query(condition, index=index).first()
    with pytest.raises(InvalidExpression, match="where= may not ask for at:"):
        rows.query(Row.owner == "a", where=Row.at == 1).first()


def test_a_query_without_the_partition_key_names_it(users: Any) -> None:
    with pytest.raises(InvalidExpression, match="org"):
        list(users.query(User.age > 3))


def test_an_unknown_index_names_those_that_exist(users: Any) -> None:
    with pytest.raises(InvalidExpression, match="by_email"):
        list(users.query(User.org == "acme", index="by_mail"))


def test_a_plain_bool_is_refused_and_says_what_made_it(users: Any) -> None:
    with pytest.raises(InvalidExpression, match="instance"):
        list(users.query(User(org="acme", id=1).age > 3))


def test_a_range_of_a_naive_datetime_is_refused(readings: Any) -> None:
    naive = datetime(2025, 1, 1)
    with pytest.raises(InvalidItem, match="at"):
        list(readings.query((Reading.sensor == SENSOR) & (Reading.at > naive)))


def test_the_iterator_goes_on_after_an_item_that_is_refused(client: Any, users: Any, crowd: list[User]) -> None:
    strangers = client.table(Stranger, name=users.name)
    strangers.put(Stranger(org="acme", id=2, age="old"))
    items = iter(users.query(User.org == "acme"))
    seen: list[int] = []

    for _ in range(2):
        seen.append(next(items).id)
    with pytest.raises(InvalidItem) as caught:
        next(items)
    seen.extend(user.id for user in items)

    assert [error["loc"] for error in caught.value.errors()] == [("age",)]
    assert caught.value.table == users.name
    assert caught.value.key == ("acme", 2)
    assert seen == [0, 1, 3, 4, 5, 6, 7, 8, 9]
