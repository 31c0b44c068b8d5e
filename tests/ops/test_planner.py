"""query without index=: the condition chooses the table or index, and explain() tells which and why."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

import pytest
from pydantic import BaseModel
from typing_extensions import NotRequired, TypedDict

from oxidyn import (
    Attribute,
    Explanation,
    Index,
    InvalidExpression,
    KeysOnly,
    Model,
    PartitionKey,
    SortKey,
    attr,
    expr,
)

DAY = datetime(2025, 3, 30, tzinfo=timezone.utc)
NEXT_DAY = DAY + timedelta(days=1)


class Order(Model, indexes={"by_total": KeysOnly()}):
    """A table key that says nothing of customers, and indexes of every kind."""

    shop: Annotated[str, PartitionKey]
    number: Annotated[int, SortKey]
    customer_id: Annotated[str, Index("by_customer", partition=True)]
    placed_at: Annotated[
        datetime, Index("by_customer", sort=True), Index("by_age", sort=True), Index("by_courier", sort=True)
    ]
    courier: Annotated[str | None, Index("by_courier", partition=True)] = None
    coupon: Annotated[str | None, Index("by_coupon", sort=True)] = None
    campaign: Annotated[str, Index("by_coupon", partition=True), Attribute(name="CAMPAIGN")] = "none"
    total: Annotated[int, Index("by_total", sort=True)] = 0
    region: Annotated[str, Index("by_total", partition=True)] = "eu"
    note: str = ""


@pytest.fixture
def orders(client: Any, table_name: str) -> Any:
    orders = client.table(Order, name=table_name)
    orders.create_table()
    return orders


@pytest.fixture
def placed(orders: Any) -> list[Order]:
    """Twelve orders, one every six hours from the day before DAY, of two customers."""
    placed = [
        Order(
            shop="ulm" if number % 3 else "bonn",
            number=number,
            customer_id="ada" if number % 2 else "bob",
            placed_at=DAY + timedelta(hours=6 * (number - 4)),
            courier="dhl" if number > 5 else None,
            coupon="spring" if number == 7 else None,
            total=100 - number,
            note=f"note {number}",
        )
        for number in range(12)
    ]
    orders.batch_put(placed)
    return placed


def numbers(found: Any) -> list[int]:
    return [order.number for order in found]


def chosen(query: Any) -> str | None:
    return query.explain().index


def test_a_day_of_a_customers_orders_is_a_half_open_range_of_the_index_that_serves_it(
    orders: Any, placed: list[Order]
) -> None:
    of_customer = Order.customer_id == "ada"
    day = orders.query(of_customer & (Order.placed_at >= DAY) & (Order.placed_at < NEXT_DAY))

    assert numbers(day) == [5, 7]
    assert day.count() == 2
    told = day.explain()
    assert told.index == "by_customer"
    assert told.key_condition == "customer_id = … AND placed_at BETWEEN … AND …"
    assert told.filter is None
    bob = (Order.customer_id == "bob") & (Order.placed_at >= DAY) & (Order.placed_at < NEXT_DAY)
    # Number 4 lies on the closed end, number 8 on the open one.
    assert numbers(orders.query(bob)) == [4, 6]
    assert numbers(orders.query(bob, reverse=True)) == [6, 4]


def test_the_condition_chooses_the_table_or_the_index(orders: Any, placed: list[Order]) -> None:
    for condition, index, expected in [
        (Order.shop == "bonn", None, [0, 3, 6, 9]),
        ((Order.shop == "bonn") & (Order.number > 3), None, [6, 9]),
        ((Order.shop == "bonn") & (Order.placed_at > DAY), "by_age", [6, 9]),
        (Order.customer_id == "bob", "by_customer", [0, 2, 4, 6, 8, 10]),
        ((Order.courier == "dhl") & (Order.placed_at < NEXT_DAY), "by_courier", [6, 7]),
        ((Order.campaign == "none") & (attr(Order.coupon) >= "a"), "by_coupon", [7]),
        ((Order.customer_id == "ada") & (Order.number != 3) & (Order.note != "note 5"), "by_customer", [1, 7, 9, 11]),
    ]:
        query = orders.query(condition)
        assert chosen(query) == index
        assert numbers(query) == expected


def test_several_that_serve_are_told_apart_by_a_stable_rule(orders: Any) -> None:
    shop, customer = Order.shop == "ulm", Order.customer_id == "ada"
    since = Order.placed_at > DAY

    # The table goes first, then local indexes, then global ones.
    assert chosen(orders.query(shop & customer)) is None
    assert chosen(orders.query(shop & customer & since)) == "by_age"
    # More key attributes by the key are better, and of as many more exact values.
    assert chosen(orders.query(customer & (Order.courier == "dhl") & since)) == "by_customer"
    assert chosen(orders.query((Order.courier == "dhl") & since & (Order.campaign == "x"))) == "by_courier"
    assert chosen(orders.query(customer & since & (Order.campaign == "x") & (attr(Order.coupon) == "y"))) == "by_coupon"
    # The table's whole key is one item at most.
    assert chosen(orders.query(shop & (Order.number == 1) & since & customer)) is None


def test_where_takes_no_part_in_choosing(orders: Any, placed: list[Order]) -> None:
    query = orders.query(Order.shop == "bonn", where=(Order.customer_id == "bob") & (Order.placed_at > DAY))

    assert chosen(query) is None
    assert numbers(query) == [6]
    with pytest.raises(InvalidExpression, match="where= may not ask for number: it is a key attribute of the table"):
        orders.query(Order.shop == "bonn", where=Order.number > 3).first()


def test_index_forces_one(orders: Any, placed: list[Order]) -> None:
    bonn = orders.query((Order.shop == "bonn") & (Order.number != 3), index="by_age", reverse=True)

    assert numbers(bonn) == [9, 6, 0]
    assert bonn.explain().why == 'index="by_age" names it'
    with pytest.raises(InvalidExpression, match=r"`customer_id == …`, .*without index= the query goes to the table"):
        orders.query(Order.shop == "bonn", index="by_customer").first()


def test_where_no_key_serves_each_candidate_is_named_with_what_it_misses(orders: Any) -> None:
    with pytest.raises(InvalidExpression) as caught:
        orders.query((Order.placed_at >= DAY) & (Order.note == "x")).first()

    message = str(caught.value)
    assert message.startswith("no key serves the query: the table needs `shop == …`; index by_age needs `shop == …`;")
    for miss in (
        "index by_customer needs `customer_id == …`",
        "index by_courier needs `courier == …`",
        "index by_coupon needs `campaign == …`",
        "index by_total needs `region == …`",
        "scan with where=",
    ):
        assert miss in message
    assert caught.value.table == orders.name
    assert caught.value.operation == "Query"


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (lambda: Order.number != 3, "`!=`"),
        (lambda: attr(Order.number).is_in([1, 2]), "`is_in`"),
        (lambda: (Order.number == 1) | (Order.number == 2), r"`\|`"),
        (lambda: (Order.number > 1) & (Order.number < 9) & (Order.number < 7), "one condition"),
        (lambda: attr(Order.number).exists(), "`exists`"),
    ],
)
def test_a_condition_on_a_key_attribute_that_cannot_be_a_key_condition_is_an_error_that_names_it(
    orders: Any, condition: Any, words: str
) -> None:
    with pytest.raises(InvalidExpression, match=f"^number is a (key|sort) attribute of the table.*{words}") as caught:
        orders.query((Order.shop == "bonn") & condition()).first()

    assert "No other key serves the query" in str(caught.value)


def test_an_index_that_leaves_out_items_is_taken_only_where_the_condition_excludes_them(
    orders: Any, placed: list[Order]
) -> None:
    campaign = Order.campaign == "none"

    with pytest.raises(InvalidExpression, match=r"by_coupon leaves out items without coupon.*index=\"by_coupon\""):
        orders.query(campaign).first()
    assert numbers(orders.query(campaign, index="by_coupon")) == [7]
    assert numbers(orders.query(campaign & (attr(Order.coupon) == "spring"))) == [7]


def test_a_key_that_a_typed_dict_may_be_without_leaves_out_items(client: Any, table_name: str) -> None:
    class Visit(TypedDict):
        id: Annotated[str, PartitionKey]
        page: Annotated[str, Index("by_page", partition=True)]
        at: NotRequired[Annotated[int, Index("by_page", sort=True)]]

    visits = client.table(Visit, name=table_name)
    page = expr(Visit)["page"] == "/"

    with pytest.raises(InvalidExpression, match="by_page leaves out items without at"):
        visits.query(page).first()
    assert chosen(visits.query(page & (expr(Visit)["at"] > 3))) == "by_page"


def test_a_consistent_read_is_served_by_the_table_and_its_local_indexes_alone(orders: Any, placed: list[Order]) -> None:
    shop, customer = Order.shop == "bonn", Order.customer_id == "bob"

    assert numbers(orders.query(shop & (Order.placed_at > DAY), consistent=True)) == [6, 9]
    assert chosen(orders.query(shop & customer & (Order.placed_at > DAY), consistent=True)) == "by_age"
    with pytest.raises(InvalidExpression, match="by_customer is a global index, which is never read consistently"):
        orders.query(customer, consistent=True).first()
    with pytest.raises(InvalidExpression, match="consistent=True with index by_customer"):
        orders.query(customer, index="by_customer", consistent=True).first()


def test_an_index_that_holds_a_part_of_each_item_serves_counts_and_is_chosen_last(
    orders: Any, placed: list[Order]
) -> None:
    dear = orders.query((Order.region == "eu") & (Order.total > 98))

    assert chosen(dear) == "by_total"
    assert dear.count() == 2
    with pytest.raises(InvalidExpression, match=r"which does not hold customer_id, .*hydrate=True"):
        list(dear)
    with pytest.raises(InvalidExpression, match="by_total does not hold note, which the condition asks for"):
        orders.query((Order.region == "eu") & (Order.note == "x")).count()


def test_the_table_gives_whole_items_although_an_index_that_does_not_serves_more_by_its_key(
    client: Any, table_name: str
) -> None:
    class Task(BaseModel):
        owner: str
        id: int
        due: int
        note: str = ""

    by_due = Index.keys(partition="owner", sort="due", project=KeysOnly())
    tasks = client.table(Task, name=table_name, partition="owner", sort="id", indexes={"by_due": by_due})
    tasks.create_table()
    tasks.batch_put([Task(owner="ada", id=number, due=9 - number, note="x") for number in range(4)])
    query = tasks.query((expr(Task).owner == "ada") & (expr(Task).due > 6))

    assert chosen(query) is None
    assert [task.id for task in query] == [0, 1, 2]
    assert [(each.serves, each.misses) for each in query.explain().candidates] == [
        (("owner",), None),
        (("owner", "due"), "does not hold note"),
    ]


def test_an_explanation_is_frozen_reads_well_and_holds_no_values(orders: Any) -> None:
    told = orders.query(
        (Order.customer_id == "secret") & (Order.placed_at >= DAY), where=(Order.note == "hidden") & (Order.total > 7)
    ).explain()

    assert isinstance(told, Explanation)
    with pytest.raises(FrozenInstanceError):
        told.index = None
    assert hash(told) == hash(told)
    assert told.table == orders.name
    assert told.why == "no other key serves the condition"
    assert told.filter == "note = … AND total > …"
    assert [candidate.index for candidate in told.candidates] == [
        None,
        "by_age",
        "by_customer",
        "by_courier",
        "by_coupon",
        "by_total",
    ]
    assert str(told).splitlines() == [
        f'query of table "{orders.name}", index by_customer',
        "why: no other key serves the condition",
        "key condition: customer_id = … AND placed_at >= …",
        "filter: note = … AND total > …",
        "candidates:",
        "  the table (shop, number): needs `shop == …`",
        "  index by_age (shop, placed_at): needs `shop == …`",
        "  index by_customer (customer_id, placed_at): serves customer_id, placed_at",
        "  index by_courier (courier, placed_at): needs `courier == …`",
        "  index by_coupon (campaign, coupon): needs `campaign == …`",
        "  index by_total (region, total): needs `region == …`",
    ]
    assert not any(value in repr(told) for value in ("secret", "hidden", "2025"))


def test_an_explanation_spells_stored_names_where_it_shows_what_is_sent(orders: Any) -> None:
    told = orders.query((Order.campaign == "x") & (attr(Order.coupon) == "y")).explain()

    assert told.key_condition == "CAMPAIGN = … AND coupon = …"
    assert told.candidates[4].key == ("campaign", "coupon")


def test_an_explanation_raises_what_the_query_raises(orders: Any) -> None:
    with pytest.raises(InvalidExpression, match="no key serves the query"):
        orders.query(Order.note == "x").explain()


def test_a_scan_is_explained_too(orders: Any) -> None:
    told = orders.scan(where=Order.note == "x", index="by_customer").explain()

    assert (told.index, told.key_condition, told.filter) == ("by_customer", None, "note = …")
    assert told.why == "a scan reads every item of index by_customer"
    assert str(told).startswith(f'scan of table "{orders.name}", index by_customer\n')
    with pytest.raises(InvalidExpression, match=r"Order\.note, which index by_total does not hold"):
        orders.scan(where=Order.note == "x", index="by_total").explain()


def test_an_empty_range_of_a_chosen_index_sends_nothing(orders: Any) -> None:
    nothing = orders.query((Order.customer_id == "ada") & (Order.placed_at > NEXT_DAY) & (Order.placed_at < DAY))

    assert list(nothing) == []
    assert nothing.explain().notes == ("nothing is sent, since no item can meet the condition",)
