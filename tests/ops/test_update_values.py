"""update: values of other fields, arithmetic, lists, sets, and what validators see."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationInfo, WrapValidator, field_validator

from oxidyn import (
    TTL,
    Attribute,
    Epoch,
    InvalidExpression,
    InvalidItem,
    Model,
    PartitionKey,
    ServiceError,
    attr,
    expr,
    some,
)

NEW_YEAR = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Colour(Enum):
    RED = "red"


class Part(BaseModel):
    qty: int = 0
    tags: set[str] = set()
    notes: list[str] = []


class Stock(Model, table="stocks"):
    id: Annotated[str, PartitionKey]
    a: int = 1
    b: int = 10
    limit: int | None = None
    price: Decimal = Decimal("1.5")
    score: float = 0.5
    took: timedelta = timedelta(seconds=1)
    start: Annotated[datetime, Epoch] = NEW_YEAR
    end: Annotated[datetime, Epoch] = NEW_YEAR
    due: Annotated[datetime, Epoch("ms")] = NEW_YEAR
    gone: Annotated[datetime | None, TTL] = None
    made: datetime = NEW_YEAR
    name: str = ""
    nick: str | None = None
    note: str | None = "none yet"
    tags: set[str] = set()
    sizes: set[int] | None = None
    kept: set[str] = {"always"}
    lines: Annotated[list[int], Attribute(name="line.s")] = []
    first: list[int] = [1, 2]
    made_list: list[int] = Field(default_factory=lambda: [7])
    maybe: list[int] | None = None
    queue: deque[int] = deque()
    run: tuple[int, ...] = ()
    pair: tuple[int, int] = (0, 0)
    colour: Colour = Colour.RED
    part: Part | None = None
    by_name: dict[str, Part] = {}


@pytest.fixture
def stocks(client: Any, table_name: str) -> Any:
    table = client.table(Stock, name=table_name)
    table.create_table()
    table.put(Stock(id="s"))
    return table


def changed(stocks: Any, *actions: Any) -> dict[str, Any]:
    """What the actions change of the stored item, as the model reads it."""
    before = stocks.get("s")
    stocks.update("s", *actions)
    after = stocks.get("s")
    return {name: value for name, value in after if value != getattr(before, name)}


# Values of other fields


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (lambda: attr(Stock.a).set(Stock.b), {"a": 10}),
        (lambda: attr(Stock.a).set(Stock.a + Stock.b), {"a": 11}),
        (lambda: attr(Stock.a).set(Stock.a - 3), {"a": -2}),
        (lambda: attr(Stock.a).set(100 - Stock.b), {"a": 90}),
        (lambda: attr(Stock.price).set(Stock.price + Stock.a), {"price": Decimal("2.5")}),
        (lambda: attr(Stock.price).set(Stock.price - Decimal("0.1")), {"price": Decimal("1.4")}),
        (lambda: attr(Stock.score).set(Stock.score + 0.25), {"score": 0.75}),
        (lambda: attr(Stock.score).set(Stock.a), {"score": 1.0}),
        (lambda: attr(Stock.limit).set(attr(Stock.limit).if_not_exists(5)), {"limit": 5}),
        (lambda: attr(Stock.a).set(attr(Stock.a).if_not_exists(5)), {}),
        (lambda: attr(Stock.limit).set(attr(Stock.limit).if_not_exists(0) + 1), {"limit": 1}),
        (lambda: attr(Stock.limit).set(Stock.a + attr(Stock.limit).if_not_exists(Stock.b)), {"limit": 11}),
        (lambda: attr(Stock.nick).set(attr(Stock.nick).if_not_exists(Stock.name)), {"nick": ""}),
        (lambda: attr(Stock.note).set(Stock.name), {"note": ""}),
        (lambda: attr(Stock.tags).set(Stock.kept), {"tags": {"always"}}),
    ],
)
def test_set_takes_other_fields_and_what_is_computed_of_them(
    stocks: Any, action: Any, expected: dict[str, Any]
) -> None:
    assert changed(stocks, action()) == expected


@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (lambda: attr(Stock.a).set(Stock.b + 1 - (Stock.a - 5)), {"a": 15}),
        (lambda: attr(Stock.a).set(sum([Stock.a, Stock.b])), {"a": 11}),
        (
            lambda: attr(Stock.limit).set(attr(Stock.limit).if_not_exists(attr(some(Stock.part).qty).if_not_exists(7))),
            {"limit": 7},
        ),
    ],
)
def test_sums_have_any_number_of_parts_and_alternatives_too(stocks: Any, action: Any, expected: dict[str, Any]) -> None:
    # moto fails on brackets, and takes no function in if_not_exists, which DynamoDB's grammar (`operand`) has.
    assert changed(stocks, action()) == expected


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (
            lambda: attr(Stock.took).set(Stock.took + timedelta(microseconds=1)),
            {"took": timedelta(seconds=1, microseconds=1)},
        ),
        (lambda: attr(Stock.took).set(Stock.took - Stock.took), {"took": timedelta()}),
        (lambda: attr(Stock.end).set(Stock.start + timedelta(hours=1)), {"end": NEW_YEAR + timedelta(hours=1)}),
        (lambda: attr(Stock.end).set(timedelta(days=-1) + Stock.end), {"end": NEW_YEAR - timedelta(days=1)}),
        (lambda: attr(Stock.end).set(Stock.end - Stock.took), {"end": NEW_YEAR - timedelta(seconds=1)}),
        (
            lambda: attr(Stock.due).set(Stock.due + timedelta(milliseconds=5)),
            {"due": NEW_YEAR + timedelta(milliseconds=5)},
        ),
        (lambda: attr(Stock.took).set(Stock.end - Stock.start), {"took": timedelta()}),
        (lambda: attr(Stock.took).set(NEW_YEAR + timedelta(hours=2) - Stock.start), {"took": timedelta(hours=2)}),
        (lambda: attr(Stock.took).add(timedelta(seconds=2)), {"took": timedelta(seconds=3)}),
    ],
)
def test_datetimes_and_durations_are_computed_in_their_own_unit(
    stocks: Any, action: Any, expected: dict[str, Any]
) -> None:
    assert changed(stocks, action()) == expected


def test_a_ttl_is_computed_in_whole_seconds(stocks: Any) -> None:
    stocks.update("s", attr(Stock.gone).set(NEW_YEAR))

    assert changed(stocks, attr(Stock.gone).set(some(Stock.gone) + timedelta(hours=1))) == {
        "gone": NEW_YEAR + timedelta(hours=1)
    }
    with pytest.raises(InvalidExpression, match="expected whole seconds, as the field is stored"):
        stocks.update("s", attr(Stock.gone).set(some(Stock.gone) + timedelta(milliseconds=1)))


def test_every_source_is_read_as_it_was_before_the_update(stocks: Any) -> None:
    assert changed(stocks, attr(Stock.a).set(Stock.b), attr(Stock.b).set(Stock.a)) == {"a": 10, "b": 1}


def test_a_source_that_is_not_stored_is_an_error_that_says_what_helps(stocks: Any) -> None:
    with pytest.raises(ServiceError, match=r"if_not_exists") as caught:
        stocks.update("s", attr(Stock.a).set(some(Stock.limit) + 1))

    assert caught.value.code == "ValidationException"


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (
            lambda: attr(Stock.a).set(Stock.name),
            r"Stock\.a cannot be set to Stock\.name: Stock\.name may be stored as S",
        ),
        (
            lambda: attr(Stock.a).set(Stock.price),
            r"Stock\.a cannot be set to Stock\.price: the one holds whole numbers",
        ),
        (lambda: attr(Stock.a).set(Stock.took), "plain values, the other as durations"),
        (lambda: attr(Stock.due).set(Stock.start), "milliseconds since 1970, the other as seconds since 1970"),
        (lambda: attr(Stock.gone).set(Stock.start), "the other seconds since 1970"),
        (lambda: attr(Stock.name).set(Stock.note), r"Stock\.note may be None, and Stock\.name may not"),
        (lambda: attr(Stock.a).set(Stock.a + Stock.price), r"that is numbers, and the field holds whole numbers"),
        (lambda: attr(Stock.a).set(Stock.a + Stock.took), r"Stock\.a \+ Stock\.took cannot be computed"),
        (lambda: attr(Stock.took).set(Stock.end - Stock.due), "cannot be computed"),
        (lambda: attr(Stock.end).set(Stock.end + Stock.start), "cannot be computed"),
        (lambda: attr(Stock.end).set(timedelta() - Stock.end), "cannot be computed"),
        (
            lambda: attr(Stock.name).set(Stock.name + "x"),
            r"computes with numbers, and Stock\.name holds values .* as S",
        ),
        (lambda: attr(Stock.lines).set(Stock.lines + Stock.lines), r"Stock\.lines holds values .* as L: use append"),
        (
            lambda: attr(expr(Stock).tags).set(expr(Stock).tags - {"a"}),
            r"Stock\.tags holds .*: use add\(\) or delete\(\)",
        ),
        (
            lambda: attr(expr(Stock).colour).set(Stock.name),
            r"Stock\.colour holds only some of the values that Stock\.name",
        ),
        (
            lambda: attr(Stock.made).set(Stock.made + timedelta(1)),
            "holds datetimes, which are no numbers as they are stored",
        ),
        (
            lambda: attr(Stock.limit).set(attr(Stock.limit).if_not_exists(Stock.a + 1)),
            "takes a value or a field, found",
        ),
        (
            lambda: attr(Stock.a).set(attr(Stock.a).if_not_exists(Stock.price) + 1),
            "counts whole numbers, and what stands",
        ),
        (lambda: attr(Stock.colour).set(Stock.a + 1), "the field holds values that are stored as S"),
        (lambda: attr(Stock.id).set(Stock.name), "part of the table's key"),
    ],
)
@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
@pytest.mark.parametrize("colour", ["sync"], indirect=True)
def test_what_the_field_could_not_read_is_refused_before_it_is_sent(
    client: Any, table_name: str, action: Any, words: str
) -> None:
    with pytest.raises(InvalidExpression, match=words):
        client.table(Stock, name=table_name).ops.update("s", action())


@pytest.mark.parametrize(
    "action",
    [
        lambda: attr(Stock.a).set(Stock.a + 1.5),
        lambda: attr(Stock.a).set(Stock.a + "x"),
        lambda: attr(Stock.limit).set(attr(Stock.limit).if_not_exists("x")),
        lambda: attr(Stock.colour).set(attr(Stock.colour).if_not_exists("blue")),
        lambda: attr(Stock.end).set(Stock.end + 5),
    ],
)
@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
@pytest.mark.parametrize("colour", ["sync"], indirect=True)
def test_values_in_sources_are_validated(client: Any, table_name: str, action: Any) -> None:
    with pytest.raises((InvalidItem, InvalidExpression), match="Stock"):
        client.table(Stock, name=table_name).ops.update("s", action())


# Lists


def test_append_and_prepend_keep_the_order_of_the_items(stocks: Any) -> None:
    assert changed(stocks, attr(Stock.lines).append(1, 2)) == {"lines": [1, 2]}
    assert changed(stocks, attr(Stock.lines).append(3)) == {"lines": [1, 2, 3]}
    assert changed(stocks, attr(Stock.lines).prepend(8, 9)) == {"lines": [8, 9, 1, 2, 3]}
    assert changed(stocks, attr(Stock.queue).append(1), attr(Stock.run).prepend(2)) == {
        "queue": deque([1]),
        "run": (2,),
    }


def test_a_list_that_is_not_stored_counts_as_what_it_is_read_as(stocks: Any) -> None:
    absent = [Stock.lines, Stock.first, Stock.made_list, Stock.maybe]
    stocks.update("s", *(attr(field).remove() for field in absent))  # type: ignore[arg-type]

    assert changed(
        stocks,
        attr(Stock.lines).append(5),
        attr(Stock.first).append(5),
        attr(Stock.made_list).prepend(5),
        attr(Stock.maybe).append(5),
    ) == {"lines": [5], "first": [1, 2, 5], "made_list": [5, 7], "maybe": [5]}


def test_append_reaches_nested_lists(stocks: Any) -> None:
    stocks.update("s", attr(Stock.part).set(Part()), attr(Stock.by_name["k.1"]).set(Part(notes=["a"])))

    assert changed(stocks, attr(some(Stock.part).notes).append("x"), attr(Stock.by_name["k.1"].notes).prepend("y")) == {
        "part": Part(notes=["x"]),
        "by_name": {"k.1": Part(notes=["y", "a"])},
    }


def test_an_item_of_the_wrong_type_is_refused_with_its_place(stocks: Any) -> None:
    with pytest.raises(InvalidItem, match=r"lines\.1"):
        stocks.update("s", attr(expr(Stock).lines).append(1, "many"))


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (lambda: attr(expr(Stock).name).append("x"), r"append and prepend work on lists .* Stock\.name is none"),
        (lambda: attr(expr(Stock).pair).append(1), r"Stock\.pair is none"),
        (lambda: attr(expr(Stock).tags).prepend("x"), r"Stock\.tags is none"),
    ],
)
@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
@pytest.mark.parametrize("colour", ["sync"], indirect=True)
def test_append_to_what_is_no_list_is_refused(client: Any, table_name: str, action: Any, words: str) -> None:
    with pytest.raises(InvalidExpression, match=words):
        client.table(Stock, name=table_name).ops.update("s", action())


# Sets


def test_delete_takes_members_out_and_ignores_those_that_are_not_in_it(stocks: Any) -> None:
    stocks.update("s", attr(Stock.tags).set({"a", "b", "c"}), attr(Stock.sizes).set({1, 2}))

    assert changed(stocks, attr(Stock.tags).delete({"a", "zzz"}), attr(Stock.sizes).delete({2})) == {
        "tags": {"b", "c"},
        "sizes": {1},
    }
    assert changed(stocks, attr(Stock.tags).delete(frozenset({"zzz"}))) == {}


def test_a_set_without_members_is_read_as_the_field_reads_absence(stocks: Any) -> None:
    stocks.update("s", attr(Stock.tags).set({"a"}), attr(Stock.sizes).set({1}))

    assert changed(stocks, attr(Stock.tags).delete({"a"}), attr(Stock.sizes).delete({1})) == {
        "tags": set(),
        "sizes": None,
    }
    assert stocks.scan(where=Stock.tags == set()).count() == 1


def test_delete_reaches_nested_sets(stocks: Any) -> None:
    stocks.update("s", attr(Stock.part).set(Part(tags={"a", "b"})))

    assert changed(stocks, attr(some(Stock.part).tags).delete({"a"})) == {"part": Part(tags={"b"})}
    assert changed(stocks, attr(some(Stock.part).tags).delete({"b"})) == {"part": Part()}


@pytest.mark.parametrize(
    ("action", "error", "words"),
    [
        (lambda: attr(Stock.tags).delete(set()), InvalidExpression, r"delete from Stock\.tags: the set is empty"),
        (lambda: attr(Stock.tags).add(set()), InvalidExpression, r"add to Stock\.tags: the set is empty"),
        (lambda: attr(Stock.kept).delete({"always"}), InvalidExpression, "the field's default, which is not empty"),
        (
            lambda: attr(expr(Stock).a).delete({1}),
            InvalidExpression,
            r"delete takes members out of sets .* Stock\.a is",
        ),
        (lambda: attr(expr(Stock).lines).delete({1}), InvalidExpression, r"Stock\.lines is none"),
        (lambda: attr(expr(Stock).sizes).delete({"x"}), InvalidItem, "sizes"),
        (lambda: attr(expr(Stock).tags).delete(3), InvalidItem, "tags"),
    ],
)
@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
@pytest.mark.parametrize("colour", ["sync"], indirect=True)
def test_a_delete_that_says_nothing_is_refused(
    client: Any, table_name: str, action: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        client.table(Stock, name=table_name).ops.update("s", action())


def test_members_that_are_added_pass_the_elements_own_schema(client: Any, table_name: str) -> None:
    class Club(Model):
        id: Annotated[str, PartitionKey]
        names: Annotated[set[Annotated[str, Field(min_length=3)]], Field(max_length=2)] = set()

    clubs = client.table(Club, name=table_name)

    with pytest.raises(InvalidItem, match="names"):
        clubs.ops.update("a", attr(Club.names).add({"x"}))
    # How many there are only the item knows.
    assert clubs.ops.update("a", attr(Club.names).add({"xxx", "yyy", "zzz"})).request() is not None


# What validators see


def lower(value: str) -> str:
    return value.lower()


def at_most(value: int, info: ValidationInfo) -> int:
    if value > info.data["most"]:
        raise ValueError("above the most")
    return value


def repeated(value: str, info: ValidationInfo) -> str:
    if value != info.data.get("secret"):
        raise ValueError("the two differ")
    return value


def tagged(value: str, handler: Any, info: ValidationInfo) -> str:
    return f"{info.field_name}:{info.data['secret']}:{handler(value)}"


def wrong(value: str, info: ValidationInfo) -> str:
    return value + info.data  # type: ignore[operator,no-any-return]


class Sub(BaseModel):
    most: int = 10
    count: Annotated[int, AfterValidator(at_most)] = 0


class Account(Model, table="accounts"):
    id: Annotated[str, PartitionKey]
    email: Annotated[str, BeforeValidator(lower)] = ""
    secret: Annotated[str, AfterValidator(lower)] = ""
    again: Annotated[str, AfterValidator(repeated)] = ""
    tag: Annotated[str, WrapValidator(tagged)] = ""
    most: int = 10
    count: Annotated[int, Field(ge=0), AfterValidator(at_most)] = 0
    counts: list[Annotated[int, AfterValidator(at_most)]] = []
    sub: Sub = Sub()
    subs: dict[str, Sub] = {}
    either: str = ""

    @field_validator("either", mode="before")
    @classmethod
    def _either(cls, value: Any, info: ValidationInfo) -> Any:
        # The form that Pydantic's documentation has: what is not valid is not in the data.
        if "secret" in info.data and value == info.data["secret"]:
            raise ValueError("the secret must not be told")
        return value


class Broken(Model, table="broken"):
    id: Annotated[str, PartitionKey]
    text: Annotated[str, AfterValidator(wrong)] = ""


@pytest.fixture
def accounts(client: Any, table_name: str) -> Any:
    table = client.table(Account, name=table_name)
    table.create_table()
    table.put(Account(id="a", secret="s", again="s"))
    return table


def test_validators_with_info_see_the_other_values_of_the_update(accounts: Any) -> None:
    accounts.update("a", attr(Account.again).set("new"), attr(Account.secret).set("NEW"), attr(Account.tag).set("x"))

    stored = accounts.get("a")
    assert (stored.secret, stored.again) == ("new", "new")
    assert stored.tag == "tag:new:x" or stored.tag.endswith(":tag:new:x")
    with pytest.raises(InvalidItem, match="again"):
        accounts.update("a", attr(Account.again).set("other"), attr(Account.secret).set("NEW"))
    with pytest.raises(InvalidItem, match="count"):
        accounts.update("a", attr(Account.most).set(3), attr(Account.count).set(4))
    with pytest.raises(InvalidItem, match=r"counts\.1"):
        accounts.update("a", attr(Account.counts).set([3, 4]), attr(Account.most).set(3))
    with pytest.raises(InvalidItem, match="either"):
        accounts.update("a", attr(Account.either).set("new"), attr(Account.secret).set("NEW"))


def test_validators_that_need_values_which_are_not_known_are_skipped_and_the_rest_is_not(accounts: Any) -> None:
    accounts.update("a", attr(Account.again).set("anything"), attr(Account.count).set(4711), attr(Account.tag).set("x"))

    assert accounts.scan(where=attr(Account.count) == 4711).count() == 1
    with pytest.raises(InvalidItem, match="count"):
        accounts.update("a", attr(Account.count).set(-1))
    accounts.update("a", attr(Account.either).set("new"))


def test_validators_see_only_the_fields_of_their_own_model_that_are_declared_before(accounts: Any) -> None:
    accounts.update("a", attr(Account.subs["x"]).set(Sub()), attr(Account.most).set(1))

    # Neither of the two is a sibling of the other's.
    accounts.update("a", attr(Account.most).set(1), attr(Account.sub.count).set(5))
    accounts.update("a", attr(Account.sub.most).set(1), attr(Account.subs["x"].count).set(5))
    with pytest.raises(InvalidItem, match=r"sub\.count"):
        accounts.update("a", attr(Account.sub.count).set(5), attr(Account.sub.most).set(1))
    with pytest.raises(InvalidItem, match=r"subs\.x\.count"):
        accounts.update("a", attr(Account.subs["x"].count).set(5), attr(Account.subs["x"].most).set(1))


def test_values_of_conditions_are_validated_without_the_other_fields(accounts: Any) -> None:
    assert accounts.scan(where=Account.again == "s").count() == 1
    assert accounts.scan(where=attr(Account.again).is_in(["s", "t"])).count() == 1


def test_an_error_of_a_validators_own_passes(client: Any, table_name: str) -> None:
    with pytest.raises(TypeError, match="concatenate"):
        client.table(Broken, name=table_name).ops.update("a", attr(Broken.text).set("x"))


# Paths


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        (
            lambda: [attr(Stock.part).remove(), attr(some(Stock.part).qty).add(1)],
            r"both Stock\.part and Stock\.part\.qty",
        ),
        (lambda: [attr(Stock.lines).append(1), attr(Stock.lines).prepend(2)], r"two actions on Stock\.lines"),
        (
            lambda: [attr(Stock.lines[0]).set(1), attr(Stock.lines).append(2)],
            r"both Stock\.lines and Stock\.lines\[0\]",
        ),
        (lambda: [attr(Stock.tags).add({"a"}), attr(Stock.tags).delete({"b"})], r"two actions on Stock\.tags"),
    ],
)
@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
@pytest.mark.parametrize("colour", ["sync"], indirect=True)
def test_overlapping_paths_are_refused_by_their_fields_names(
    client: Any, table_name: str, actions: Any, words: str
) -> None:
    with pytest.raises(InvalidExpression, match=words):
        client.table(Stock, name=table_name).ops.update("s", *actions())


def test_elements_of_lists_are_set_and_removed_by_their_places(stocks: Any) -> None:
    stocks.update("s", attr(Stock.lines).set([1, 2, 3]))

    assert changed(stocks, attr(Stock.lines[0]).set(Stock.lines[2]), attr(Stock.lines[1]).remove()) == {"lines": [3, 3]}


def test_an_update_over_dynamodbs_limits_is_refused_before_it_is_sent(stocks: Any) -> None:
    many = [attr(Stock.by_name[f"key {number}"].qty).set(number) for number in range(400)]
    with pytest.raises(InvalidExpression, match="the update has more text than the 4096 bytes"):
        stocks.update("s", *many)
    total: Any = Stock.a
    for _ in range(301):
        total = total + 1
    with pytest.raises(InvalidExpression, match="300"):
        stocks.update("s", attr(Stock.a).set(total))
