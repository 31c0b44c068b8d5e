"""Validators of the user's: where they run and what they get."""

import dataclasses
from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Literal, Optional
from uuid import UUID

import pydantic_core
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AliasPath,
    BaseModel,
    BeforeValidator,
    HttpUrl,
    PlainValidator,
    ValidationError,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic import Field as Declared
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic_core import PydanticCustomError, PydanticKnownError, PydanticUseDefault
from typing_extensions import TypedDict

from oxidyn import Client, Epoch, InvalidItem, ItemAdapter, expr
from tests.codec.judges import Field, check_round_trip

MOMENT = datetime(2026, 1, 31, tzinfo=timezone.utc)


class Log(list[Any]):
    """What a validator was given, call by call."""

    __hash__ = object.__hash__

    def __call__(self, value: Any) -> Any:
        self.append(value)
        return value

    def handled(self, value: Any, handler: Any) -> Any:
        self.append(value)
        return handler(value)


# After


def test_an_after_validator_is_called_once_with_the_decoded_value():
    log = Log()
    field = Field(Annotated[datetime, AfterValidator(log)])
    wire = field.store(MOMENT)
    log.clear()

    assert field.load(wire) == MOMENT
    assert log == [MOMENT]


def test_after_validators_run_from_the_inside_out():
    field = Field(Annotated[str, AfterValidator(lambda value: value + "a"), AfterValidator(lambda value: value + "b")])

    assert field.load({"S": "x"}) == "xab"


def test_what_an_after_validator_raises_is_a_refusal_as_pydantic_has_it():
    def refuse(error: Exception) -> Any:
        def check(value: int) -> int:
            raise error

        return Annotated[int, AfterValidator(check)]

    class Other(Exception):
        pass

    for error in (
        ValueError("no"),
        AssertionError("no"),
        PydanticCustomError("mine", "not {this}", {"this": "so"}),
        PydanticKnownError("greater_than", {"gt": 5}),
    ):
        field = Field(refuse(error))
        with pytest.raises(ValidationError) as expected:
            field.model(value=1)
        [line] = expected.value.errors()
        found = field.refusal({"N": "1"})
        assert (found["type"], found["msg"], found["loc"]) == (line["type"], line["msg"], ("value",))
    with pytest.raises(Other):
        Field(refuse(Other())).load({"N": "1"})


def test_an_after_validator_may_ask_for_the_default():
    def positive(value: int) -> int:
        if value < 0:
            raise PydanticUseDefault
        return value

    field = Field(Annotated[int, AfterValidator(positive)], 7)

    assert field.load({"N": "-1"}) == 7
    assert field.load({"N": "1"}) == 1


def test_an_after_validator_inside_a_collection_has_its_path():
    def even(value: int) -> int:
        if value % 2:
            raise ValueError("odd")
        return value

    field = Field(dict[str, list[Annotated[int, AfterValidator(even)]]])

    assert field.load({"M": {"a": {"L": [{"N": "2"}]}}}) == {"a": [2]}
    assert field.refusal({"M": {"a": {"L": [{"N": "2"}, {"N": "3"}]}}})["loc"] == ("value", "a", 1)


@pytest.mark.parametrize("load", ["validate", "trust"])
def test_an_after_validator_that_is_str_keeps_addresses_as_text(load):
    """The usual way to have a URL checked and text to work with."""
    for annotation, text in ((HttpUrl, "https://example.com/a"), (IPv4Address, "192.0.2.1"), (Path, "/etc/hosts")):
        checked = Annotated[annotation, AfterValidator(str)]

        for field, value in ((Field(checked, load=load), text), (Field(list[checked], load=load), [text])):
            assert field.load(field.store(value)) == value


def test_a_set_of_checked_texts_is_still_a_set_on_the_wire():
    field = Field(set[Annotated[str, AfterValidator(str.lower)]])

    assert field.store({"A"}) == {"SS": ["a"]}
    assert field.load({"SS": ["A", "b"]}) == {"a", "b"}


# Before, wrap and plain


@pytest.mark.parametrize("kind", ["before", "wrap", "plain"])
def test_a_validator_in_front_of_the_type_is_called_once_with_the_decoded_value(kind):
    log = Log()
    validator = {"before": BeforeValidator(log), "wrap": WrapValidator(log.handled), "plain": PlainValidator(log)}[kind]
    field = Field(Annotated[Decimal, validator])
    wire = field.store(Decimal("1.5"))
    log.clear()

    assert field.load(wire) == Decimal("1.5")
    # A plain validator is the whole type: what is stored comes back by its wire type.
    assert log == [1.5 if kind == "plain" else Decimal("1.5")]


def test_a_before_validator_takes_what_the_type_itself_would_refuse():
    field = Field(
        Annotated[
            int, Declared(gt=0), BeforeValidator(lambda value: len(value) if isinstance(value, str) else abs(value))
        ]
    )

    assert field.load({"N": "-5"}) == 5
    assert field.load({"S": "abc"}) == 3
    assert field.load({"N": "2"}) == 2


def test_constraints_hold_after_a_before_validator():
    field = Field(Annotated[int, Declared(gt=0), BeforeValidator(lambda value: -value)])

    assert field.load({"N": "-5"}) == 5
    assert field.refusal({"N": "5"})["type"] == "greater_than"


def test_a_marker_decides_the_stored_form_below_a_validator_too():
    log = Log()
    field = Field(Annotated[datetime, Epoch, BeforeValidator(log)])
    wire = field.store(MOMENT)
    log.clear()

    assert wire == {"N": "1769817600"}
    assert field.load(wire) == MOMENT
    assert log == [MOMENT]


def test_a_nullable_field_hands_none_to_the_validator_outside_it_only():
    outside, inside = Log(), Log()
    field = Field(Annotated[int | None, BeforeValidator(outside)])
    field_inside = Field(Annotated[int, BeforeValidator(inside)] | None)

    assert field.load({"NULL": True}) is None
    assert field_inside.load({"NULL": True}) is None
    assert (outside, inside) == ([None], [])


def test_a_plain_validator_is_the_type_and_reads_what_was_stored():
    field = Field(Annotated[Any, PlainValidator(int)])

    assert field.store("5") == {"N": "5"}
    assert field.load({"S": "5"}) == 5


# Nested models


class Line(BaseModel):
    sku: str
    price: Decimal = Decimal(1)


class Cart(BaseModel):
    lines: list[Line]
    at: datetime


def test_below_a_before_validator_models_are_dicts_of_decoded_values():
    log = Log()
    field = Field(Annotated[Cart, BeforeValidator(log)])
    cart = Cart(lines=[Line(sku="a")], at=MOMENT)
    wire = field.store(cart)
    log.clear()

    assert field.load(wire) == cart
    assert log == [{"lines": [{"sku": "a", "price": Decimal(1)}], "at": MOMENT}]


def test_values_are_handed_over_under_the_names_that_model_validate_takes():
    seen: list[Any] = []

    class Aliased(BaseModel):
        one: int = Declared(validation_alias="uno")
        two: int = Declared(alias="dos")
        deep: int = Declared(validation_alias=AliasPath("nested", "list", 1))
        other: int = Declared(validation_alias=AliasPath("nested", "value"))
        plain: int

        @model_validator(mode="before")
        @classmethod
        def look(cls, data: Any) -> Any:
            seen.append(data)
            return data

    adapter = ItemAdapter(Aliased)
    item = Aliased.model_validate({"uno": 1, "dos": 2, "nested": {"list": [0, 3], "value": 4}, "plain": 5})
    wire = adapter.dump_wire(item)
    seen.clear()

    assert adapter.load_wire(wire) == item
    assert seen == [{"uno": 1, "dos": 2, "nested": {"list": [None, 3], "value": 4}, "plain": 5}]


def test_a_path_that_no_dict_can_have_is_reached_by_the_fields_name():
    class Aliased(BaseModel):
        last: int = Declared(validation_alias=AliasPath("list", -1))

        @model_validator(mode="before")
        @classmethod
        def look(cls, data: Any) -> Any:
            return data

    item = Aliased.model_validate({"list": [1, 2]})

    check_round_trip(ItemAdapter(Aliased), item)


# A whole model


def test_a_validator_that_looks_at_other_fields_has_its_model_built_by_pydantic():
    calls: list[str] = []

    class Span(BaseModel):
        start: int
        end: int
        tags: list[Annotated[str, AfterValidator(lambda value: calls.append("tag") or value)]] = []

        @field_validator("end")
        @classmethod
        def ordered(cls, end: int, info: Any) -> int:
            calls.append("end")
            if end < info.data["start"]:
                raise ValueError("before the start")
            return end

    adapter = ItemAdapter(Span)
    wire = adapter.dump_wire(Span(start=1, end=2, tags=["a"]))
    calls.clear()

    loaded = adapter.load_wire(wire)
    assert loaded == Span(start=1, end=2, tags=["a"])
    assert loaded.model_fields_set == {"start", "end", "tags"}
    # Each once on loading, once more for the instance above.
    assert sorted(calls) == ["end", "end", "tag", "tag"]
    with pytest.raises(InvalidItem) as caught:
        adapter.load_wire(b'{"start":{"N":"3"},"end":{"N":"2"}}')
    assert caught.value.errors()[0]["loc"] == ("end",)


def test_what_is_missing_and_what_is_refused_are_told_together():
    class Checked(BaseModel):
        a: int
        b: int

        @field_validator("b")
        @classmethod
        def check(cls, value: int, info: Any) -> int:
            return value

    with pytest.raises(InvalidItem) as caught:
        ItemAdapter(Checked).load_wire(b'{"b":{"L":[]}}')
    assert {(error["loc"], error["type"]) for error in caught.value.errors()} == {
        (("a",), "missing"),
        (("b",), "int_type"),
    }


def test_models_inside_such_a_model_are_validated_once():
    calls: list[str] = []

    class Inner(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def check(cls, value: str) -> str:
            calls.append(value)
            return value

    class Outer(BaseModel):
        inner: Inner
        more: list[Inner]

        @field_validator("inner")
        @classmethod
        def look(cls, inner: Inner, info: Any) -> Inner:
            return inner

    adapter = ItemAdapter(Outer)
    item = Outer(inner=Inner(name="a"), more=[Inner(name="b")])
    wire = adapter.dump_wire(item)
    calls.clear()

    assert adapter.load_wire(wire) == item
    assert sorted(calls) == ["a", "b"]


def test_models_that_are_validated_again_are_handed_over_as_dicts():
    calls: list[str] = []

    class Inner(BaseModel, revalidate_instances="always"):
        name: Annotated[str, AfterValidator(lambda value: calls.append(value) or value)]

    class Outer(BaseModel):
        inner: Inner

        @field_validator("inner")
        @classmethod
        def look(cls, inner: Inner, info: Any) -> Inner:
            return inner

    adapter = ItemAdapter(Outer)
    wire = adapter.dump_wire(Outer.model_construct(inner=Inner.model_construct(name="a")))
    calls.clear()

    assert adapter.load_wire(wire).inner.name == "a"
    assert calls == ["a"]


@pytest.mark.parametrize("mode", ["before", "wrap", "after"])
def test_validators_of_a_model_run_once(mode):
    calls: list[Any] = []

    if mode == "after":

        class Whole(BaseModel):
            value: UUID

            @model_validator(mode="after")
            def check(self) -> Any:
                calls.append(self.value)
                return self

    elif mode == "before":

        class Whole(BaseModel):
            value: UUID

            @model_validator(mode="before")
            @classmethod
            def check(cls, data: Any) -> Any:
                calls.append(data["value"])
                return data

    else:

        class Whole(BaseModel):
            value: UUID

            @model_validator(mode="wrap")
            @classmethod
            def check(cls, data: Any, handler: Any) -> Any:
                if isinstance(data, dict):
                    calls.append(data["value"])
                return handler(data)

    class Outer(BaseModel):
        whole: Whole
        again: Optional["Outer"] = None

    item = Outer(whole=Whole(value=UUID(int=1)), again=Outer(whole=Whole(value=UUID(int=2))))
    adapter = ItemAdapter(Outer)
    wire = adapter.dump_wire(item)
    calls.clear()

    assert adapter.load_wire(wire) == item
    assert sorted(calls) == [UUID(int=1), UUID(int=2)]
    check_round_trip(ItemAdapter(Whole), item.whole)


def test_an_after_validator_of_a_model_that_takes_info_runs_once():
    calls: list[Any] = []

    class Whole(BaseModel):
        value: Annotated[int, AfterValidator(lambda value: calls.append("field") or value)]

        @model_validator(mode="after")
        def check(self, info: Any) -> Any:
            calls.append("model")
            return self

    adapter = ItemAdapter(Whole)
    calls.clear()

    assert adapter.load_wire(b'{"value":{"N":"1"}}').value == 1
    assert calls == ["field", "model"]


def test_members_of_a_tagged_union_may_have_validators():
    class Cat(BaseModel):
        kind: Literal["cat"] = "cat"

        @model_validator(mode="after")
        def check(self) -> Any:
            return self

    class Dog(BaseModel):
        kind: Literal["dog"] = "dog"
        name: str

        @model_validator(mode="before")
        @classmethod
        def check(cls, data: Any) -> Any:
            return data

    field = Field(Annotated[Cat | Dog, Declared(discriminator="kind")])

    field.check_round_trip(Cat())
    field.check_round_trip(Dog(name="Rex"))


def test_members_of_a_union_are_validated_once_below_a_validator_of_the_model():
    calls: list[Any] = []
    Checked = Annotated[str, AfterValidator(lambda value: calls.append(value) or value)]

    class Holder(BaseModel):
        value: Checked | int

        @model_validator(mode="before")
        @classmethod
        def look(cls, data: Any) -> Any:
            return data

    adapter = ItemAdapter(Holder)

    assert adapter.load_wire(b'{"value":{"S":"a"}}').value == "a"
    assert calls == ["a"]


def test_dataclasses_and_typed_dicts_have_validators_too():
    @pydantic_dataclass
    class Record:
        a: int
        b: int

        @field_validator("b")
        @classmethod
        def ordered(cls, b: int, info: Any) -> int:
            if b < info.data["a"]:
                raise ValueError("too small")
            return b

    class Entry(TypedDict):
        name: Annotated[str, BeforeValidator(str.strip)]

    check_round_trip(ItemAdapter(Record), Record(a=1, b=2))
    with pytest.raises(InvalidItem, match="too small"):
        ItemAdapter(Record).load_wire(b'{"a":{"N":"3"},"b":{"N":"2"}}')
    assert ItemAdapter(Entry).load_wire(b'{"name":{"S":" a "}}') == {"name": "a"}


def test_a_recursive_model_behind_a_validator_comes_back():
    class Tree(BaseModel):
        name: str
        children: list["Tree"] = []

        @model_validator(mode="before")
        @classmethod
        def look(cls, data: Any) -> Any:
            return data

    tree = Tree(name="a", children=[Tree(name="b", children=[Tree(name="c")])])

    check_round_trip(ItemAdapter(Tree), tree)
    Field(list[Tree]).check_round_trip([tree])


def test_a_default_that_replaces_refused_values_does_so():
    class Lenient:
        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
            schema = pydantic_core.core_schema
            return schema.with_default_schema(schema.int_schema(gt=0), default=1, on_error="default")

    for options in ({}, {"load": "trust"}):
        field = Field(Lenient, **options)
        assert field.load({"N": "5"}) == 5
        assert field.load({"N": "-5"}) == 1
        assert field.load({"L": []}) == 1


# Keys


def test_a_key_that_a_validator_would_change_is_refused():
    class User(BaseModel):
        email: Annotated[str, AfterValidator(str.lower)]

    adapter = ItemAdapter(User, partition="email")

    assert adapter.load_wire(b'{"email":{"S":"a@x"}}').email == "a@x"
    with pytest.raises(InvalidItem, match="another item"):
        adapter.load_wire(b'{"email":{"S":"A@x"}}')


@pytest.mark.parametrize("mode", ["before", "after"])
def test_a_key_that_a_validator_of_the_model_would_change_is_refused(mode):
    def lower(user: Any) -> Any:
        if isinstance(user, dict):
            return {**user, "email": user["email"].lower()}
        user.email = user.email.lower()
        return user

    if mode == "before":

        class User(BaseModel):
            email: str

            @model_validator(mode="before")
            @classmethod
            def change(cls, data: Any) -> Any:
                return lower(data)

    else:

        class User(BaseModel):
            email: str

            @model_validator(mode="after")
            def change(self) -> Any:
                return lower(self)

    adapter = ItemAdapter(User, partition="email")

    assert adapter.load_wire(b'{"email":{"S":"a@x"}}').email == "a@x"
    with pytest.raises(InvalidItem, match="another item"):
        adapter.load_wire(b'{"email":{"S":"A@x"}}')


# Against Pydantic


def strip(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


class Judged(BaseModel):
    """A validator of every kind."""

    a: Annotated[int, AfterValidator(abs)] = 1
    b: Annotated[str, Declared(min_length=1), BeforeValidator(strip)] = "b"
    c: Annotated[float, WrapValidator(lambda value, handler: handler(value) / 2)] = 1.0
    d: list[Annotated[str, AfterValidator(str.upper)]] = []
    e: Annotated[int, BeforeValidator(strip)] | None = None
    f: int | Annotated[str, BeforeValidator(strip)] = 0

    @field_validator("a")
    @classmethod
    def even(cls, value: int) -> int:
        assert value % 2 == 0
        return value


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "a": st.integers(-5, 5),
            "b": st.text(st.sampled_from(" ab"), max_size=4),
            "c": st.sampled_from([0.5, 1.0, -4.0]),
            "d": st.lists(st.text("ab", max_size=2)),
            "e": st.none() | st.integers() | st.just(" 7 "),
            "f": st.integers(-9, 9) | st.text("x ", max_size=3),
        },
    )
)
def test_what_is_read_is_what_model_validate_makes_of_the_values(values):
    wire = pydantic_core.to_json({name: attribute(value) for name, value in values.items()})
    expected = verdict(Judged.model_validate, values)
    found = verdict(ItemAdapter(Judged).load_wire, wire)

    assert found == expected


def verdict(load: Callable[[Any], Judged], data: Any) -> Any:
    """The instance and the fields that it was given, or the fields that were refused."""
    try:
        loaded = load(data)
    except ValidationError as error:
        return {line["loc"][0] for line in error.errors()}
    return loaded, loaded.model_fields_set


def attribute(value: Any) -> Any:
    match value:
        case None:
            return {"NULL": True}
        case str():
            return {"S": value}
        case list():
            return {"L": [attribute(each) for each in value]}
        case _:
            return {"N": repr(value)}


# Keys and the values of conditions


def test_a_value_of_a_key_passes_the_fields_own_validators():
    class User(BaseModel):
        email: Annotated[str, AfterValidator(str.lower)]

    with Client.local() as client:
        users = client.table(User, name="users", partition="email")
        users.create_table()
        users.put(User(email="A@x"))

        assert users.get("A@X") == User(email="a@x")


def test_a_validator_that_needs_the_other_fields_is_skipped_where_they_are_not_known():
    class Span(BaseModel):
        start: int
        end: int

        @field_validator("end")
        @classmethod
        def ordered(cls, end: int, info: Any) -> int:
            if end < info.data["start"]:
                raise ValueError("before the start")
            return end

    with Client.local() as client:
        spans = client.table(Span, name="spans", partition="end")
        spans.create_table()
        spans.put(Span(start=1, end=2))

        assert spans.get(2) == Span(start=1, end=2)
        assert [span.end for span in spans.scan(where=expr(Span).end == 2)] == [2]


@pytest.mark.parametrize("strict", [False, True])
def test_a_union_with_an_address_is_told_by_the_wire_type_below_a_validator_of_the_model(strict):
    class Holder(BaseModel, strict=strict):
        value: IPv4Address | Decimal

        @model_validator(mode="before")
        @classmethod
        def see(cls, data: Any) -> Any:
            return data

    adapter = ItemAdapter(Holder)

    for value in (IPv4Address("192.0.2.1"), Decimal(0)):
        loaded = adapter.load_wire(adapter.dump_wire(Holder(value=value)))
        assert (loaded.value, type(loaded.value)) == (value, type(value))


def test_a_union_whose_member_has_a_validator_comes_back_below_a_validator_of_a_strict_model():
    class Holder(BaseModel, strict=True):
        value: Annotated[Decimal, AfterValidator(lambda value: value)] | str

        @model_validator(mode="before")
        @classmethod
        def see(cls, data: Any) -> Any:
            return data

    check_round_trip(ItemAdapter(Holder), Holder(value=Decimal(3)))


def test_a_nested_dataclass_comes_back_below_a_validator_of_a_strict_model():
    @dataclasses.dataclass
    class Entry:
        a: int

    class Holder(BaseModel, strict=True):
        value: Entry

        @model_validator(mode="before")
        @classmethod
        def see(cls, data: Any) -> Any:
            return data

    check_round_trip(ItemAdapter(Holder), Holder(value=Entry(a=1)))


def test_a_refused_value_is_not_lost_below_a_validator_of_a_model_that_takes_other_names():
    class Line(BaseModel):
        number: int = Declared(0, alias="no")

    class Order(BaseModel):
        lines: list[Line] = Declared([], alias="positions")

        @model_validator(mode="wrap")
        @classmethod
        def see(cls, data: Any, handler: Any) -> Any:
            return handler(data)

    adapter = ItemAdapter(Order)

    for lines, place in (
        ({"S": ""}, ("positions",)),
        ({"L": [{"M": {"number": {"L": []}}}]}, ("positions", 0, "no")),
    ):
        with pytest.raises(InvalidItem) as caught:
            adapter.load_item({"lines": lines})
        assert [error["loc"] for error in caught.value.errors()] in ([place], [("lines", *place[1:])])
