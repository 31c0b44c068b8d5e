"""`load="trust"`: which validators of the user's are left out, and what those get that still run."""

from typing import Annotated, Any

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WrapValidator,
    create_model,
    field_validator,
    model_validator,
)
from pydantic import Field as Declared
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypedDict

from oxidyn import InvalidItem, ItemAdapter
from tests.codec.judges import Field, check_round_trip

# What is left out


def test_trust_runs_no_validator_of_the_users_again():
    class Shouting(BaseModel):
        model_config = ConfigDict(validate_assignment=True)
        a: Annotated[str, AfterValidator(lambda value: value + "!")]
        b: Annotated[str, BeforeValidator(lambda value: value + "!")]
        c: Annotated[str, WrapValidator(lambda value, handler: handler(value) + "!")]
        d: int = 0

        @field_validator("d")
        @classmethod
        def more(cls, value: int, info: Any) -> int:
            return value + 1

        @model_validator(mode="before")
        @classmethod
        def before(cls, data: Any) -> Any:
            return {**data, "a": data["a"] + "?"}

        @model_validator(mode="after")
        def after(self) -> Any:
            self.__dict__["b"] += "?"
            return self

    item = Shouting(a="x", b="x", c="x", d=1)

    check_round_trip(ItemAdapter(Shouting, load="trust"), item)
    again = ItemAdapter(Shouting).load_wire(ItemAdapter(Shouting).dump_wire(item))
    assert (again.a, again.b, again.c, again.d) == ("x?!?!", "x!?!?", "x!!", 3)


def test_trust_still_checks_types_shapes_and_constraints():
    field = Field(Annotated[int, Declared(gt=0), AfterValidator(abs)], load="trust")

    assert field.load({"N": "1"}) == 1
    assert field.refusal({"N": "-1"})["type"] == "greater_than"
    assert field.refusal({"L": []})["type"] == "int_type"


def test_trust_runs_plain_validators_because_they_are_the_type():
    field = Field(Annotated[Any, PlainValidator(lambda value: value * 2)], load="trust")

    assert field.load({"N": "2"}) == 4


def test_trust_runs_post_init_and_no_init():
    calls: list[str] = []

    class Own(BaseModel):
        value: int

        def __init__(self, **values: Any) -> None:
            calls.append("init")
            super().__init__(**values)

        def model_post_init(self, context: Any) -> None:
            calls.append("post init")

    adapter = ItemAdapter(Own, load="trust")
    wire = adapter.dump_wire(Own(value=1))
    calls.clear()

    assert adapter.load_wire(wire).value == 1
    assert calls == ["post init"]


# What still runs, and takes `info`


class Point:
    """A type that only a validator of the user's makes."""

    def __init__(self, text: str, unit: str):
        self.text = text
        self.unit = unit

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and (self.text, self.unit) == (other.text, other.unit)

    def __hash__(self) -> int:
        return hash((self.text, self.unit))


def make_point(value: Any, info: ValidationInfo) -> Point:
    unit = info.data["unit"].strip()
    return value if isinstance(value, Point) else Point(value, unit)


def wrap_point(value: Any, handler: Any, info: ValidationInfo) -> Point:
    return handler(make_point(value, info))


Plain = Annotated[Point, PlainValidator(make_point), PlainSerializer(lambda point: point.text, return_type=str)]
Wrapped = Annotated[Point, WrapValidator(wrap_point), PlainSerializer(lambda point: point.text, return_type=str)]
Before = Annotated[Point, BeforeValidator(make_point), PlainSerializer(lambda point: point.text, return_type=str)]


def count(calls: list[Any]) -> AfterValidator:
    def add(value: Any) -> Any:
        calls.append(value)
        return value

    return AfterValidator(add)


@pytest.mark.parametrize("kind", [Plain, Wrapped, Before], ids=["plain", "wrap", "before"])
def test_a_validator_that_still_runs_under_trust_sees_the_fields_before_its_own(kind):
    calls: list[Any] = []
    Holder = create_model(
        "Holder",
        __config__=ConfigDict(arbitrary_types_allowed=True),
        unit=(Annotated[str, count(calls)], "mm"),
        at=(kind, ...),
        also=(list[kind], []),
        name=(Annotated[str, count(calls)], "x"),
    )
    adapter = ItemAdapter(Holder, load="trust")
    item = Holder(unit="cm", at="1:2", also=["3:4"])
    calls.clear()

    check_round_trip(adapter, item)
    absent = adapter.load_wire(b'{"at":{"S":"1:2"}}')

    assert absent.at == Point("1:2", "mm")
    assert absent.model_fields_set == {"at"}
    assert calls == [], "the other fields' own validators are not run again"


def test_a_validator_that_undoes_a_serializer_sees_the_fields_before_its_own_under_trust():
    def read(value: Any, info: ValidationInfo) -> Any:
        return int(value.removeprefix(info.data["currency"])) if isinstance(value, str) else value

    class Price(BaseModel):
        currency: str
        amount: Annotated[int, BeforeValidator(read), PlainSerializer(lambda value: f"EUR{value}", return_type=str)]

        @field_validator("amount")
        @classmethod
        def check(cls, value: int, info: ValidationInfo) -> int:
            assert info.data["currency"] != "XXX"
            assert info.field_name == "amount"
            return value

    adapter = ItemAdapter(Price, load="trust")

    check_round_trip(adapter, Price(currency="EUR", amount=5))
    with pytest.raises(InvalidItem) as caught:
        adapter.load_wire(b'{"amount":{"S":"XXX5"},"currency":{"S":"XXX"}}')
    [error] = caught.value.errors()
    assert (error["loc"], error["type"]) == (("amount",), "assertion_error")


def test_what_is_refused_before_it_is_told_and_the_validator_not_called_under_trust():
    class Holder(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        unit: str
        at: Plain

    adapter = ItemAdapter(Holder, load="trust")

    for wire, refused in (
        (b'{"unit":{"N":"1"},"at":{"S":"1:2"}}', {("unit",): "string_type"}),
        (b'{"at":{"S":"1:2"}}', {("unit",): "missing"}),
        (b'{"unit":{"S":"mm"}}', {("at",): "missing"}),
    ):
        with pytest.raises(InvalidItem) as caught:
            adapter.load_wire(wire)
        assert {error["loc"]: error["type"] for error in caught.value.errors()} == refused


def test_a_default_that_is_validated_sees_the_fields_before_its_own_under_trust():
    def below(value: int, info: ValidationInfo) -> int:
        assert value <= info.data["most"]
        return value

    class Limited(BaseModel):
        model_config = ConfigDict(validate_default=True)
        most: int = 10
        value: Annotated[int, AfterValidator(below)] = 7
        made: Annotated[int, AfterValidator(below)] = Declared(default_factory=lambda data: data["value"] + 1)

    adapter = ItemAdapter(Limited, load="trust")

    assert adapter.load_wire(b"{}") == Limited()
    assert adapter.load_wire(b'{"most":{"N":"3"},"value":{"N":"9"},"made":{"N":"9"}}').value == 9
    with pytest.raises(InvalidItem) as caught:
        adapter.load_wire(b'{"most":{"N":"3"},"made":{"N":"1"}}')
    [error] = caught.value.errors()
    assert (error["loc"], error["type"]) == (("value",), "assertion_error")


@pytest.mark.parametrize("kind", ["dataclass", "typed dict"])
def test_dataclasses_and_typed_dicts_show_validators_their_fields_under_trust(kind):
    if kind == "dataclass":

        @pydantic_dataclass(config=ConfigDict(arbitrary_types_allowed=True))
        class Kept:
            unit: str
            at: Plain

        item = Kept("cm", "1:2")
        adapter = ItemAdapter(Kept, load="trust")
        check_round_trip(adapter, item)
    else:

        class Stored(TypedDict, total=False):
            __pydantic_config__ = ConfigDict(arbitrary_types_allowed=True)
            unit: str
            other: str
            at: Plain

        adapter = ItemAdapter(Stored, load="trust")
        assert adapter.load_wire(b'{"unit":{"S":"cm"},"at":{"S":"1:2"}}') == {"unit": "cm", "at": Point("1:2", "cm")}
        assert adapter.load_wire(b'{"unit":{"S":"cm"}}') == {"unit": "cm"}


def test_models_below_a_validator_that_still_runs_under_trust_are_made_once():
    calls: list[str] = []

    class Line(BaseModel):
        name: str

        @model_validator(mode="after")
        def made(self) -> Any:
            calls.append(self.name)
            return self

    def head(value: Any, info: ValidationInfo) -> Any:
        assert info.data["count"] == 1
        return value[1:] if value and value[0] == {"name": "head"} else value

    def with_head(lines: list[Line]) -> list[Any]:
        return [{"name": "head"}, *[line.model_dump() for line in lines]]

    class Order(BaseModel):
        count: int
        lines: Annotated[list[Line], BeforeValidator(head), PlainSerializer(with_head)]

    item = Order(count=1, lines=[{"name": "a"}])
    adapter = ItemAdapter(Order, load="trust")
    wire = adapter.dump_wire(item)
    calls.clear()

    assert adapter.load_wire(wire) == item
    assert calls == ["a"], "made of what the serializer gave, by the validator that undoes it"


def test_a_key_that_a_validator_made_with_the_other_fields_must_be_the_stored_one_under_trust():
    def prefixed(value: str, info: ValidationInfo) -> str:
        return f"{info.data['org']}#{value.rpartition('#')[2]}"

    class User(BaseModel):
        org: str
        id: Annotated[str, PlainValidator(prefixed)]

    adapter = ItemAdapter(User, partition="id", load="trust")

    check_round_trip(adapter, User(org="a", id="1"))
    with pytest.raises(InvalidItem, match="another item"):
        adapter.load_wire(b'{"org":{"S":"b"},"id":{"S":"a#1"}}')
