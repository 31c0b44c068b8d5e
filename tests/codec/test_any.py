"""Values without a type: stored by their own type, read by their wire type."""

import enum
import json
from collections import OrderedDict
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from oxidyn import InvalidItem, ItemAdapter, SchemaError, UnsupportedTypeError, _core
from tests.codec.judges import Field, check_round_trip, comparable

FIELD = Field(Any)


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Place(BaseModel):
    city: str


class Pair(NamedTuple):
    x: int
    y: int


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**37), 10**37)
    | st.floats(-1e9, 1e9).filter(lambda value: abs(value) > 1e-100 and value != int(value))
    | st.text(max_size=5)
    | st.binary(max_size=5)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=3)
        | st.sets(st.text(max_size=3), min_size=1, max_size=3)
        | st.sets(st.integers(-5, 5), min_size=1, max_size=3)
        | st.sets(st.binary(max_size=3), min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@given(values)
def test_any_value_of_the_wires_own_types_comes_back(value):
    FIELD.check_round_trip(value)


@given(st.sets(st.text(max_size=3), min_size=1) | st.sets(st.binary(max_size=3), min_size=1) | st.integers(-9, 9))
def test_what_is_stored_is_what_boto3_stores(value):
    FIELD.check_against_boto3(value, value)


@given(st.decimals(-(10**20), 10**20, places=6))
def test_a_number_comes_back_as_int_as_float_where_that_is_equal_in_value_else_as_decimal(value):
    loaded = FIELD.load({"N": str(value)})

    assert Decimal(repr(loaded) if isinstance(loaded, float) else loaded) == value
    assert isinstance(loaded, int) == (value == int(value))
    if isinstance(loaded, Decimal):
        assert Decimal(repr(float(value))) != value


@pytest.mark.parametrize(
    ("value", "attribute", "loaded"),
    [
        ((1, "a"), {"L": [{"N": "1"}, {"S": "a"}]}, [1, "a"]),
        (Pair(1, 2), {"L": [{"N": "1"}, {"N": "2"}]}, [1, 2]),
        (OrderedDict(a=1), {"M": {"a": {"N": "1"}}}, {"a": 1}),
        (bytearray(b"a"), {"B": "YQ=="}, b"a"),
        (frozenset({1}), {"NS": ["1"]}, {1}),
        (set(), {"L": []}, []),
        ({True}, {"L": [{"BOOL": True}]}, [True]),
        (3.0, {"N": "3"}, 3),
        (Decimal("0.5"), {"N": "0.5"}, 0.5),
        (Decimal("0.1234567890123456789012"), {"N": "0.1234567890123456789012"}, Decimal("0.1234567890123456789012")),
        (10**30, {"N": "1" + "0" * 30}, 10**30),
        (Colour.RED, {"S": "red"}, "red"),
        (Level.HIGH, {"N": "3"}, 3),
        (UUID(int=1), {"S": str(UUID(int=1))}, str(UUID(int=1))),
        (date(2026, 1, 31), {"S": "2026-01-31"}, "2026-01-31"),
        (
            datetime(2026, 1, 31, 2, tzinfo=timezone(timedelta(hours=2))),
            {"S": "2026-01-31T00:00:00.000000Z"},
            "2026-01-31T00:00:00.000000Z",
        ),
        (time(12, 30), {"S": "12:30:00.000000"}, "12:30:00.000000"),
        (timedelta(seconds=1, milliseconds=500), {"N": "1.5"}, 1.5),
    ],
)
def test_a_value_is_stored_by_its_type_and_read_by_its_tag(value, attribute, loaded):
    assert FIELD.store(value) == attribute
    found = FIELD.load(attribute)
    assert (found, type(found)) == (loaded, type(loaded))


def test_a_set_of_several_types_is_a_list():
    [(tag, content)] = FIELD.store({1, "a"}).items()

    assert tag == "L"
    assert sorted(content, key=str) == [{"N": "1"}, {"S": "a"}]


def test_a_set_is_no_level_of_its_own_where_it_is_a_set_on_the_wire():
    def inside(levels: int, value: Any) -> Any:
        return value if levels == 0 else [inside(levels - 1, value)]

    for value in ("a", {"a"}):
        FIELD.check_round_trip(inside(31, value))
        assert FIELD.refusal_to_store(inside(32, value))["type"] == "nesting"
    assert FIELD.refusal_to_store(inside(31, {True}))["type"] == "nesting"
    assert FIELD.refusal_to_store(inside(30, {(True,)}))["type"] == "nesting"


@pytest.mark.parametrize("value", [{0.1, Decimal("0.1")}, {UUID(int=1), str(UUID(int=1))}])
def test_two_members_of_a_set_that_are_stored_alike_are_refused(value):
    assert FIELD.refusal_to_store(value)["loc"][0] == "value"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (object(), ("value",)),
        ([1, {"a": Place.model_construct(city=1)}], ("value", 1, "a", "city")),
        ({"a": {1: 2}}, ("value", "a", 1)),
        ({"a": {None: 2}}, ("value", "a", "None")),
        ({"a": {"": 2}}, ("value", "a", "")),
        ([[float("nan")]], ("value", 0, 0)),
        ([["\ud800"]], ("value", 0, 0)),
        ([1j], ("value", 0)),
    ],
)
def test_what_cannot_be_stored_is_refused_with_its_path(value, path):
    found = FIELD.refusal_to_store(value)["loc"]

    assert tuple(map(str, found)) == tuple(map(str, path))


def test_a_value_that_contains_itself_is_refused():
    cycle: list[Any] = []
    cycle.append(cycle)
    mapping: dict[str, Any] = {}
    mapping["a"] = [mapping]

    for value in (cycle, mapping):
        assert FIELD.refusal_to_store(value)["type"] == "nesting"


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (object, "a"),
        (list, [1, "a", None]),
        (dict, {"a": [1]}),
        (dict[str, Any], {"a": {"b": b"c"}}),
        (tuple, (1, "a")),
        (tuple[int, Any], (1, "a")),
        (list[Any], [{"a": 1}]),
        (set, {"a", 1}),
        (frozenset, frozenset({"a"})),
        (Any | None, None),
    ],
)
def test_parts_without_a_type_are_stored_so_too(annotation, value):
    field = Field(annotation)

    field.check_round_trip(value)


def test_a_bare_dicts_keys_must_be_text():
    assert Field(dict).refusal_to_store({1: 2})["type"] == "string_type"


def test_none_is_left_out_where_it_is_the_default():
    field = Field(Any, None)

    assert field.store(None) is None
    assert field.load(None) is None
    assert Field(Any).store(None) == {"NULL": True}


def test_a_value_without_a_type_is_no_key():
    class Holder(BaseModel):
        value: Any

    with pytest.raises(SchemaError):
        _core.Plan(Holder.__pydantic_core_schema__, Holder, title="Holder", partition="value")
    with pytest.raises(UnsupportedTypeError):
        Field(dict[tuple, Any])


@pytest.mark.parametrize(
    ("attribute", "path"),
    [
        ({"N": "x"}, ("value",)),
        ({"L": [{"S": "a"}, {"N": "nan"}]}, ("value", 1)),
        ({"M": {"a": {"B": "?"}}}, ("value", "a")),
        ({"M": {"a": {"L": [{"N": "1e999"}]}}}, ("value", "a", 0)),
        ({"SS": "x"}, ("value",)),
    ],
)
def test_hostile_bytes_are_refused_with_their_path(attribute, path):
    assert FIELD.refusal(attribute)["loc"] == path


def test_deep_bytes_are_refused():
    nested = '{"L":[' * 10_000 + "]}" * 10_000

    with pytest.raises(InvalidItem):
        FIELD.adapter.load_wire(f'{{"value":{nested}}}'.encode())


def test_fields_with_and_without_types_stand_beside_each_other():
    class Event(BaseModel):
        name: str
        payload: dict[str, Any]
        extra: Any = None

    adapter = ItemAdapter(Event)
    event = Event(name="a", payload={"n": 1.5, "deep": [{"b": b"\x00"}]}, extra=[True])

    check_round_trip(adapter, event)
    stored = json.loads(adapter.dump_wire(event))
    assert comparable(stored["payload"]) == comparable(
        {"M": {"n": {"N": "1.5"}, "deep": {"L": [{"M": {"b": {"B": "AA=="}}}]}}}
    )
    assert TypeDeserializer().deserialize(stored["extra"]) == [True]


# any_numbers="decimal"


DECIMALS = Field(Any, any_numbers="decimal")


@given(st.decimals(-(10**20), 10**20, places=6))
def test_a_number_comes_back_as_a_decimal_unless_it_is_integral_where_the_table_says_so(value):
    loaded = DECIMALS.load({"N": str(value)})

    assert loaded == value
    assert type(loaded) is (int if value == int(value) else Decimal)


def test_numbers_at_every_depth_come_back_as_decimals():
    stored = {"M": {"a": {"L": [{"N": "0.5"}, {"N": "3"}, {"N": "3.0"}, {"N": "1e-7"}]}, "b": {"NS": ["1.5", "2"]}}}

    loaded = DECIMALS.load(stored)

    assert loaded == {"a": [Decimal("0.5"), 3, 3, Decimal("1e-7")], "b": {Decimal("1.5"), 2}}
    assert [type(number) for number in loaded["a"]] == [Decimal, int, int, Decimal]
    assert {type(number) for number in loaded["b"]} == {Decimal, int}
    assert DECIMALS.store(loaded) == FIELD.store(loaded)


def test_fields_with_a_type_are_read_as_their_type_whatever_any_numbers_says():
    class Typed(BaseModel):
        f: float
        d: Decimal
        u: int | float
        a: Any

    adapter = ItemAdapter(Typed, any_numbers="decimal")

    loaded = adapter.load_wire(b'{"f":{"N":"0.5"},"d":{"N":"0.5"},"u":{"N":"0.5"},"a":{"N":"0.5"}}')

    assert [type(value) for value in vars(loaded).values()] == [float, Decimal, float, Decimal]


def test_plans_differ_by_any_numbers():
    class Loose(BaseModel):
        a: Any

    wire = b'{"a":{"N":"0.5"}}'

    assert type(ItemAdapter(Loose).load_wire(wire).a) is float
    assert type(ItemAdapter(Loose, any_numbers="decimal").load_wire(wire).a) is Decimal
    assert type(ItemAdapter(Loose, any_numbers="auto").load_wire(wire).a) is float
