"""select(User.name, …): parts of items, read as tuples."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import pytest
from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator
from typing_extensions import NotRequired, TypedDict

from oxidyn import (
    Attribute,
    InvalidExpression,
    InvalidItem,
    InvalidKey,
    Model,
    PartitionKey,
    SortKey,
    attr,
    expr,
    some,
)
from tests.ops.models import Address, Counter, Plan, User


@pytest.fixture
def ada(users: Any) -> User:
    user = User(
        org="acme",
        id=1,
        plan=Plan.PAID,
        joined=datetime(2025, 2, 3, 4, 5, 6, 7, tzinfo=timezone.utc),
        age=36,
        nick="ada",
        tags={"a", "b"},
        scores={"x.y": Decimal("1.10"), "z": Decimal(2)},
        lines=[3, 1, 2],
        address=Address(city="Ulm", zip="89073"),
        expires=datetime(2030, 1, 1, tzinfo=timezone.utc),
        select="reserved",
    )
    users.put(user)
    return user


def test_fields_come_back_as_a_tuple_in_the_order_they_were_asked_for(users: Any, ada: User) -> None:
    assert users.select(User.age, User.nick).get("acme", 1) == (36, "ada")
    assert users.select(User.nick, User.age).get("acme", 1) == ("ada", 36)
    assert users.select(User.age).get(("acme", 1)) == (36,)


def test_every_value_is_read_by_its_fields_own_codec(users: Any, ada: User) -> None:
    read = users.select(
        User.org, User.id, User.plan, User.joined, User.tags, User.scores, User.lines, User.address, User.expires
    ).get(ada, consistent=True)

    assert read == (
        "acme",
        1,
        Plan.PAID,
        ada.joined,
        {"a", "b"},
        ada.scores,
        [3, 1, 2],
        Address(city="Ulm", zip="89073"),
        ada.expires,
    )


def test_no_more_is_asked_of_dynamodb_than_the_key_and_what_is_selected(users: Any) -> None:
    name, body = users.select(User.age, some(User.address).city).ops.get("acme", 1).request()

    assert name == "GetItem"
    assert b'"ProjectionExpression":"#n0, #n1, #n2, #n3.#n4"' in body
    assert b'{"#n0":"org","#n1":"id","#n2":"age","#n3":"address","#n4":"city"}' in body


def test_reserved_words_and_odd_characters_never_matter(users: Any, ada: User) -> None:
    assert users.select(User.select).get("acme", 1) == ("reserved",)
    assert users.select(User.scores["x.y"]).get("acme", 1) == (Decimal("1.1"),)


def test_an_absent_item_is_none(users: Any) -> None:
    assert users.select(User.age).get("acme", 404) is None


def test_nested_fields_dict_keys_and_list_elements(users: Any, ada: User) -> None:
    nested = users.select(some(User.address).city, some(User.address).zip, User.scores["z"], User.lines[1])

    assert nested.get("acme", 1) == ("Ulm", "89073", Decimal(2), 1)


def test_a_path_and_what_holds_it_are_both_read(users: Any, ada: User) -> None:
    both = users.select(some(User.address).city, User.address, some(User.address).city)

    assert both.get("acme", 1) == ("Ulm", Address(city="Ulm", zip="89073"), "Ulm")


def test_an_absent_attribute_is_the_fields_default(users: Any) -> None:
    users.put(User(org="acme", id=1))

    read = users.select(User.nick, User.tags, User.address, User.expires, User.email).get("acme", 1)

    assert read == (None, set(), None, None, None)


class Line(BaseModel):
    sku: str
    qty: int = 1
    note: str | None = None


class Shop(BaseModel):
    city: str = "Ulm"
    rooms: list[str] = ["hall"]


class Order(Model, table="orders"):
    id: Annotated[str, PartitionKey]
    total: int
    lines: list[Line] = []
    shop: Shop = Shop(city="Bonn")
    made: list[int] = Field(default_factory=lambda: [1])
    doubled: int = Field(default_factory=lambda data: data["total"] * 2)
    checked: Annotated[int, Field(ge=0)] = Field(default="7", validate_default=True)  # type: ignore[assignment]


class Sparse(BaseModel):
    """What another program might have written into the orders' table."""

    id: str
    total: int | None = None
    lines: list[dict[str, Any]] | None = None
    shop: dict[str, Any] | None = None


@pytest.fixture
def orders(client: Any, table_name: str) -> Any:
    table = client.table(Order, name=table_name)
    table.create_table()
    return table


@pytest.fixture
def sparse(client: Any, orders: Any) -> Any:
    return client.table(Sparse, name=orders.name, partition="id")


def test_defaults_are_made_as_pydantic_makes_them(orders: Any, sparse: Any) -> None:
    sparse.put(Sparse(id="a"))
    selected = orders.select(Order.lines, Order.made, Order.checked, Order.shop)

    first, second = selected.get("a"), selected.get("a")

    assert first == ([], [1], 7, Shop(city="Bonn"))
    assert first[0] is not second[0]
    assert first[1] is not second[1]


def test_a_default_made_of_other_fields_is_refused_where_it_is_needed(orders: Any, sparse: Any) -> None:
    orders.put(Order(id="a", total=4))
    sparse.put(Sparse(id="b", total=4))
    doubled = orders.select(Order.doubled)

    assert doubled.get("a") == (8,)
    with pytest.raises(InvalidItem, match="doubled"):
        doubled.get("b")


def test_a_required_attribute_that_is_absent_is_refused_by_its_path(orders: Any, sparse: Any) -> None:
    sparse.put(Sparse(id="a", lines=[{"qty": 2}]))

    with pytest.raises(InvalidItem) as caught:
        orders.select(Order.total, Order.lines[0].sku, Order.lines[0].qty).get("a")

    error = caught.value
    assert [(line["type"], line["loc"]) for line in error.errors()] == [
        ("missing", ("total",)),
        ("missing", ("lines", 0, "sku")),
    ]
    assert "where=" in str(error)
    assert (error.operation, error.table, error.key) == ("GetItem", orders.name, "a")


def test_a_missing_part_of_a_stored_part_is_that_parts_default(orders: Any, sparse: Any) -> None:
    sparse.put(Sparse(id="a", lines=[{"sku": "x"}], shop={"rooms": ["attic"]}))

    read = orders.select(Order.lines[0].qty, Order.lines[0].note, Order.shop.city, Order.shop.rooms[0]).get("a")

    assert read == (1, None, "Ulm", "attic")


def test_a_part_of_an_absent_field_is_taken_from_that_fields_default(orders: Any, sparse: Any) -> None:
    sparse.put(Sparse(id="a"))

    assert orders.select(Order.shop.city, Order.shop.rooms[0]).get("a") == ("Bonn", "hall")


def test_a_part_of_none_is_its_default_or_refused(users: Any) -> None:
    users.put(User(org="acme", id=1))

    assert users.select(some(User.address).zip).get("acme", 1) == (None,)
    with pytest.raises(InvalidItem, match=r"address\.city"):
        users.select(some(User.address).city).get("acme", 1)


def test_an_element_beyond_the_lists_end_and_an_absent_key_are_refused(users: Any, ada: User) -> None:
    for beyond in (User.lines[3], User.scores["q"]):
        with pytest.raises(InvalidItem, match=r"lines\.3|scores\.q"):
            users.select(User.age, beyond).get("acme", 1)


class Chain(Model):
    id: Annotated[str, PartitionKey]
    links: list[int]
    ends: list[Line] | None = None
    at: tuple[int, Point] | None = None


# Moto takes no placeholder with a list index for a name, as DynamoDB does: `#n0[1]`.
@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
def test_list_elements_are_found_although_dynamodb_closes_the_gaps_between_them(client: Any, table_name: str) -> None:
    chains = client.table(Chain, name=table_name)
    chains.create_table()
    chains.put(
        Chain(
            id="a",
            links=[3, 1, 2],
            ends=[Line(sku="x"), Line(sku="y", note="n"), Line(sku="z", qty=7)],
            at=(1, Point(2, 3)),
        )
    )

    _, body = chains.select(Chain.links[2], Chain.ends[1].note).ops.get("a").request()
    assert b'"ProjectionExpression":"#n0, #n1[2], #n2[1]"' in body
    assert chains.select(Chain.links[2]).get("a") == (2,)
    assert chains.select(Chain.links[2], Chain.links[0], Chain.links[2]).get("a") == (2, 3, 2)
    assert chains.select(Chain.links[2], Chain.links, Chain.links[1]).get("a") == (2, [3, 1, 2], 1)
    assert chains.select(Chain.ends[0].note, Chain.ends[1].note, Chain.ends[2].qty).get("a") == (None, "n", 7)
    assert chains.select(Chain.ends[2].sku, Chain.ends[2].qty, Chain.ends[0].qty).get("a") == ("z", 7, 1)
    assert chains.select(some(Chain.at)[1].y, some(Chain.at)[0]).get("a") == (3, 1)
    assert list(chains.select(Chain.links[1]).scan()) == [(1,)]
    with pytest.raises(InvalidItem, match=r"links\.3"):
        chains.select(Chain.links[0], Chain.links[3]).get("a")


def test_elements_are_told_apart_although_one_lacks_what_is_asked_of_it(orders: Any, sparse: Any) -> None:
    sparse.put(Sparse(id="a", total=1, lines=[{"sku": "x"}, {"sku": "y", "note": "n"}]))

    assert orders.select(Order.lines[0].note, Order.lines[1].note).get("a") == (None, "n")


def test_a_stored_value_of_another_type_is_refused_by_its_path_without_the_value(orders: Any, client: Any) -> None:
    class Wrong(BaseModel):
        id: str
        total: str
        shop: str

    client.table(Wrong, name=orders.name, partition="id").put(Wrong(id="a", total="secret", shop="secret"))

    with pytest.raises(InvalidItem) as caught:
        orders.select(Order.total, Order.shop.city).get("a")

    assert [line["loc"] for line in caught.value.errors()] == [("total",), ("shop", "city")]
    assert "secret" not in str(caught.value)


def test_validators_run_on_what_is_read_unless_it_is_trusted(client: Any, table_name: str) -> None:
    class Note(Model):
        id: Annotated[str, PartitionKey]
        text: Annotated[str, AfterValidator(lambda text: text + "!")]

    notes = client.table(Note, name=table_name)
    notes.create_table()
    notes.put(Note.model_construct(id="a", text="hi"))

    assert notes.select(Note.text).get("a") == ("hi!",)
    assert notes.select(Note.text).get("a", load="trust") == ("hi",)
    assert client.table(Note, name=table_name, load="trust").select(Note.text).get("a") == ("hi",)


def test_a_validator_that_looks_at_fields_that_are_not_read_is_skipped(client: Any, table_name: str) -> None:
    class Range(Model):
        id: Annotated[str, PartitionKey]
        low: int
        high: int

        @field_validator("high")
        @classmethod
        def _above(cls, high: int, info: ValidationInfo) -> int:
            assert high > info.data["low"]
            return high

    ranges = client.table(Range, name=table_name)
    ranges.create_table()
    ranges.put(Range(id="a", low=1, high=2))

    assert ranges.select(Range.high).get("a") == (2,)


class Point(NamedTuple):
    x: int
    y: int


class Track(Model):
    id: Annotated[UUID, PartitionKey]
    name: Annotated[str, Attribute(name="n")]
    length: timedelta
    start: Point


def test_stored_names_and_forms_are_the_fields(client: Any, table_name: str) -> None:
    tracks = client.table(Track, name=table_name)
    tracks.create_table()
    track = Track(id=UUID(int=7), name="t", length=timedelta(hours=2), start=Point(1, 2))
    tracks.put(track)

    assert tracks.select(Track.id, Track.name, Track.length, Track.start, Track.start.y).get(track) == (
        UUID(int=7),
        "t",
        timedelta(hours=2),
        Point(1, 2),
        2,
    )


class Size(TypedDict):
    width: int
    depth: NotRequired[int]


class Place(TypedDict):
    name: str
    size: Size


def test_parts_of_typed_dicts_and_plain_models(client: Any, table_name: str) -> None:
    places = client.table(Place, name=table_name, partition="name")
    places.create_table()
    places.put({"name": "a", "size": {"width": 3}})

    assert places.select(expr(Place)["name"], expr(Place)["size"]["width"]).get("a") == ("a", 3)
    with pytest.raises(InvalidItem, match=r"size\.depth"):
        places.select(expr(Place)["size"]["depth"]).get("a")  # type: ignore[typeddict-item]


def test_batch_get_keeps_the_order_and_gives_none_where_there_is_no_item(users: Any, ada: User) -> None:
    users.put(User(org="acme", id=2, age=2))

    read = users.select(User.age, User.nick).batch_get([("acme", 2), ("acme", 404), ada, ("acme", 2)])

    assert read == [(2, None), None, (36, "ada"), (2, None)]


def test_operations_of_selections_go_into_batches_and_transactions(users: Any, client: Any, ada: User) -> None:
    ages, nicks, whole = users.select(User.age).ops, users.select(User.nick, User.age).ops, users.ops

    assert client.batch_get([ages.get(ada), nicks.get(ada), whole.get(ada), ages.get("acme", 404)]) == [
        (36,),
        ("ada", 36),
        ada,
        None,
    ]
    assert client.transact(nicks.get(ada), ages.get("acme", 404)) == (("ada", 36), None)


def test_a_refused_item_of_a_batch_names_its_key(orders: Any, sparse: Any) -> None:
    sparse.put(Sparse(id="a"))

    with pytest.raises(InvalidItem, match="total") as caught:
        orders.select(Order.total).batch_get(["a"])

    assert (caught.value.operation, caught.value.table, caught.value.key) == ("BatchGetItem", orders.name, "a")


def test_keys_are_refused_as_the_table_refuses_them(users: Any) -> None:
    selection = users.select(User.age)

    with pytest.raises(InvalidKey, match="org"):
        selection.get("acme")
    with pytest.raises(InvalidKey, match="id"):
        selection.get("acme", "one")


def test_what_is_no_field_and_no_model_is_refused(users: Any, ada: User) -> None:
    for wrong in ((), ("age",), (ada,), (User.age > 3,), (attr(User.age),), (User.age, 3), (User, User.age)):
        with pytest.raises(InvalidExpression, match=r"select\(\) expected"):
            users.select(*wrong)
    with pytest.raises(InvalidExpression, match="street"):
        users.select(some(User.address).street)
    with pytest.raises(InvalidExpression, match="another model"):
        users.select(Counter.count)


def test_a_selection_has_no_method_that_writes(users: Any) -> None:
    selection = users.select(User.age)

    for verb in ("put", "create", "replace", "update", "upsert", "delete", "batch_put", "batch_delete"):
        assert not hasattr(selection, verb)
        assert not hasattr(selection.ops, verb)


def test_a_selection_shows_what_it_is(users: Any) -> None:
    assert repr(users.select(User.age, some(User.address).city)).endswith(
        f'Selection(User.age, User.address.city, table="{users.name}")'
    )


def test_a_composite_key_of_several_forms_is_read(client: Any, table_name: str) -> None:
    class Reading(Model):
        sensor: Annotated[UUID, PartitionKey]
        at: Annotated[datetime, SortKey]
        value: float

    readings = client.table(Reading, name=table_name)
    readings.create_table()
    at = datetime(2025, 1, 1, tzinfo=timezone.utc)
    readings.put(Reading(sensor=UUID(int=1), at=at, value=0.5))

    assert readings.select(Reading.at, Reading.value, Reading.sensor).get(UUID(int=1), at) == (at, 0.5, UUID(int=1))
