"""Queries and scans of a selection: the table's keys, indexes and pages, and no more of each item than is selected."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from oxidyn import Include, Index, InvalidExpression, InvalidItem, KeysOnly, Model, PartitionKey, SortKey, attr
from tests.ops.models import Price, Stranger, User


class Named(BaseModel):
    id: int
    nick: str | None = None


@pytest.fixture
def people(users: Any) -> list[User]:
    people = [
        User(org="acme", id=number, age=20 + number, nick=f"n{number % 2}", email=f"e{number}", note="x" * 40)
        for number in range(6)
    ]
    users.batch_put(people)
    return people


def test_a_query_gives_what_is_selected_in_the_keys_order(users: Any, people: list[User]) -> None:
    found = users.select(User.id, User.age).query((User.org == "acme") & (User.id >= 3))

    assert list(found) == [(3, 23), (4, 24), (5, 25)]
    assert list(users.select(Named).query(User.org == "acme", reverse=True, limit=2)) == [
        Named(id=5, nick="n1"),
        Named(id=4, nick="n0"),
    ]


def test_conditions_may_ask_for_what_is_not_selected(users: Any, people: list[User]) -> None:
    ids = users.select(User.id)

    assert list(ids.query(User.org == "acme", where=(User.age > 22) & (User.nick == "n1"))) == [(3,), (5,)]
    assert sorted(ids.scan(where=User.age < 22)) == [(0,), (1,)]


def test_pages_first_one_and_count_are_the_querys(users: Any, people: list[User]) -> None:
    query = users.select(User.age).query(User.org == "acme", page_size=2)

    assert [age for (age,) in query] == [20, 21, 22, 23, 24, 25]
    assert query.first() == (20,)
    assert query.count() == 6
    assert users.select(User.age).query((User.org == "acme") & (User.id == 3)).one() == (23,)
    assert users.select(User.age).query(User.org == "none").one_or_none() is None


def test_an_index_that_lacks_no_field_that_is_selected_is_read(users: Any, people: list[User]) -> None:
    with pytest.raises(InvalidExpression, match="by_nick"):
        users.query(User.nick == "n1", index="by_nick").first()

    found = users.select(User.id, User.nick).query(User.nick == "n1", index="by_nick")
    assert sorted(found) == [(1, "n1"), (3, "n1"), (5, "n1")]
    assert sorted(named.id for named in users.select(Named).scan(index="by_nick")) == [0, 1, 2, 3, 4, 5]


def test_an_index_that_lacks_a_selected_field_is_refused_but_for_its_count(users: Any, people: list[User]) -> None:
    query = users.select(User.id, User.age).query(User.nick == "n1", index="by_nick")

    with pytest.raises(InvalidExpression, match=r"does not hold age: .*select\(\)"):
        list(query)
    assert query.count() == 3
    with pytest.raises(InvalidExpression, match="does not hold age"):
        users.select(User.age).scan(index="by_nick").first()


def test_what_an_index_lacks_of_a_selection_is_hydrated(users: Any, people: list[User]) -> None:
    by_nick = users.select(User.id, User.age).query(User.nick == "n1", index="by_nick", hydrate=True)

    assert sorted(by_nick) == [(1, 21), (3, 23), (5, 25)]
    assert sorted(users.select(User.age).scan(index="by_nick", hydrate=True)) == [(age,) for age in range(20, 26)]


def test_pages_of_a_selection_go_on_by_their_cursors(users: Any, people: list[User]) -> None:
    for index, condition in ((None, User.org == "acme"), ("by_nick", User.nick == "n0")):
        query = users.select(User.id, User.nick).query(condition, index=index)
        ids: list[int] = []
        cursor = None
        while True:
            page = query.page(2, after=cursor)
            ids.extend(number for number, _ in page.items)
            cursor = page.cursor
            if cursor is None:
                break
        assert sorted(ids) == ([0, 1, 2, 3, 4, 5] if index is None else [0, 2, 4])

    named = users.select(Named).query(User.org == "acme").page(1)
    assert named.items == [Named(id=0, nick="n0")]
    assert type(named).__name__ == "Page[Named]"


def test_no_more_is_asked_for_than_the_keys_and_what_is_selected(users: Any) -> None:
    class Spy(BaseModel):
        age: int

    _, body = users.select(Spy).query(User.org == "acme")._core.page().request()
    sent = json.loads(body)

    names = {sent["ExpressionAttributeNames"][name] for name in sent["ProjectionExpression"].split(", ")}
    assert names == {"org", "id", "age"}
    _, body = users.select(Spy).query(User.plan == "paid", index="by_plan")._core.page().request()
    sent = json.loads(body)
    names = {sent["ExpressionAttributeNames"][name] for name in sent["ProjectionExpression"].split(", ")}
    assert names == {"org", "id", "age", "plan", "joined"}
    assert "Select" not in sent


def test_a_count_asks_for_no_items(users: Any, people: list[User]) -> None:
    _, body = users.select(User.age).query(User.org == "acme")._core.count().request()

    assert json.loads(body)["Select"] == "COUNT"
    assert "ProjectionExpression" not in json.loads(body)


def test_an_open_end_is_dropped_although_the_key_is_not_selected(client: Any, table_name: str) -> None:
    class Deal(Model):
        symbol: Annotated[str, PartitionKey]
        amount: Annotated[Decimal, SortKey]
        note: str = ""

    deals = client.table(Deal, name=table_name)
    deals.create_table()
    for amount in ("1", "2.5", "3"):
        deals.put(Deal(symbol="x", amount=Decimal(amount), note=amount))
    between = (Deal.symbol == "x") & (Deal.amount > 1) & (Deal.amount < 3)

    assert list(deals.select(Deal.note).query(between)) == [("2.5",)]
    assert deals.select(Deal.note).query(between).count() == 1


def test_a_selection_of_the_key_alone_is_read(prices: Any) -> None:
    prices.batch_put([Price(symbol="x", amount=Decimal(amount)) for amount in (1, 2)])

    assert list(prices.select(Price.amount).query(Price.symbol == "x")) == [(Decimal(1),), (Decimal(2),)]


def test_an_item_that_is_refused_is_told_by_its_key_and_the_next_ones_come(users: Any, client: Any) -> None:
    users.put(User(org="acme", id=1, age=1))
    client.table(Stranger, name=users.name).put(Stranger(org="acme", id=2, age="old"))
    users.put(User(org="acme", id=3, age=3))
    found = iter(users.select(User.age).query(User.org == "acme"))

    assert next(found) == (1,)
    with pytest.raises(InvalidItem, match="age") as caught:
        next(found)
    assert next(found) == (3,)
    assert (caught.value.operation, caught.value.table, caught.value.key) == ("Query", users.name, ("acme", 2))


class Visit(Model, indexes={"by_size": KeysOnly(), "by_day": Include("page")}):
    site: Annotated[str, PartitionKey, Index("by_day", partition=True)]
    at: Annotated[int, SortKey]
    size: Annotated[int, Index("by_size", sort=True)]
    day: Annotated[int, Index("by_day", sort=True)]
    page: str = ""
    agent: str = ""


@pytest.fixture
def visits(client: Any, table_name: str) -> Any:
    table = client.table(Visit, name=table_name)
    table.create_table()
    table.batch_put(
        [Visit(site="s", at=at, size=9 - at, day=at // 2, page=f"p{at}", agent=f"a{at % 2}") for at in range(4)]
    )
    return table


# Moto sends and filters what the index holds, even where it is asked for the rest.
@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
def test_of_a_local_index_dynamodb_fetches_what_is_selected(visits: Any) -> None:
    query = visits.select(Visit.page, Visit.at).query((Visit.site == "s") & (Visit.size >= 8), index="by_size")

    assert list(query) == [("p1", 1), ("p0", 0)]
    assert query.count() == 2


@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
def test_of_a_local_index_dynamodb_fetches_what_is_filtered(visits: Any) -> None:
    by_size = (Visit.site == "s") & (Visit.size >= 7)
    query = visits.select(Visit.page, Visit.at).query(by_size, index="by_size", where=Visit.agent == "a0")

    assert list(query) == [("p2", 2), ("p0", 0)]
    assert query.count() == 2
    assert list(visits.select(Visit.at).query(by_size, index="by_size", where=Visit.agent == "a1")) == [(1,)]


def test_fields_that_an_index_includes_are_selected_through_it(visits: Any) -> None:
    assert list(visits.select(Visit.page).query((Visit.site == "s") & (Visit.day == 1), index="by_day")) == [
        ("p2",),
        ("p3",),
    ]


def test_the_planner_takes_an_index_for_what_is_selected(visits: Any) -> None:
    explanation = visits.select(Visit.page).query((Visit.site == "s") & (Visit.day == 1)).explain()

    assert explanation.index == "by_day"


def test_a_selection_reads_under_the_load_policy_of_the_call(users: Any) -> None:
    users.put(User(org="acme", id=1, joined=datetime(2025, 1, 1, tzinfo=timezone.utc)))

    assert users.select(User.id).query(User.org == "acme", load="trust").one() == (1,)
    assert users.select(User.id).scan(where=attr(User.nick).is_none(), load="trust").one() == (1,)


def test_whether_an_item_exists_is_told_without_reading_it(users: Any, people: list[User]) -> None:
    keys = users.select(User.id)

    assert keys.get("acme", 3) is not None
    assert keys.get("acme", 404) is None


def test_an_instance_is_refreshed_by_itself(users: Any, people: list[User]) -> None:
    stale = people[3]
    users.update(stale, attr(User.age).set(99))

    assert users.get(stale).age == 99


def test_a_whole_partition_is_deleted_by_its_keys(users: Any, people: list[User]) -> None:
    users.put(User(org="other", id=1))

    users.batch_delete(list(users.select(User.org, User.id).query(User.org == "acme")))

    assert list(users.scan()) == [User(org="other", id=1)]
