"""Named tuples: lists on the wire, in the order of their fields."""

import collections
from datetime import date
from typing import Generic, Optional, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema
from typing_extensions import NamedTuple

from oxidyn import InvalidItem, UnsupportedTypeError
from tests.codec.judges import Field

Value = TypeVar("Value")
Untyped = collections.namedtuple("Untyped", ["a", "b"], defaults=[3])  # noqa: PYI024 (its fields have no types)


class Point(NamedTuple):
    x: int
    day: date = date(2026, 1, 31)


class Box(NamedTuple, Generic[Value]):
    content: Value


class Branch(NamedTuple):
    name: str
    next: Optional["Branch"] = None


POINT = Field(Point)
points = st.builds(Point, st.integers(-(10**18), 10**18), st.dates())


def test_a_named_tuple_is_stored_as_l_in_the_order_of_its_fields():
    assert POINT.store(Point(1)) == {"L": [{"N": "1"}, {"S": "2026-01-31"}]}
    assert POINT.store({"day": "2026-02-01", "x": 2}) == {"L": [{"N": "2"}, {"S": "2026-02-01"}]}


@given(points)
def test_any_named_tuple_comes_back(point):
    POINT.check_round_trip(point)
    Field(list[Point]).check_round_trip([point])
    Field(dict[str, Point] | None).check_round_trip({"a": point})


@given(st.text(max_size=3), st.integers(-5, 5))
def test_untyped_and_generic_ones_come_back(text, number):
    Field(Untyped).check_round_trip(Untyped(text, number))
    Field(Box[int]).check_round_trip(Box(number))
    Field(Box[str]).check_round_trip(Box(text))


def test_recursive_ones_come_back():
    Field(Branch).check_round_trip(Branch("a", Branch("b")))


def test_fields_that_were_added_since_have_their_defaults():
    assert POINT.load({"L": [{"N": "1"}]}) == Point(1)
    assert Field(Untyped).load({"L": [{"S": "a"}]}) == Untyped("a", 3)


def test_too_few_and_too_many_elements_are_refused():
    for attribute in ({"L": []}, {"L": [{"N": "1"}, {"S": "2026-01-31"}, {"N": "2"}]}):
        with pytest.raises(InvalidItem):
            POINT.load(attribute)


def test_a_wrong_element_is_refused_with_its_path():
    assert POINT.refusal({"L": [{"S": "x"}, {"S": "2026-01-31"}]})["loc"] == ("value", 0)
    assert POINT.refusal_to_store(Point("x"))["loc"] == ("value", 0)  # type: ignore[arg-type]
    assert POINT.refusal_to_store(Point(1, None))["loc"] == ("value", 1)  # type: ignore[arg-type]


def test_an_unvalidated_plain_tuple_is_stored_as_one_and_another_length_refused():
    assert POINT.store_instance(POINT.model.model_construct(value=(1, date(2026, 1, 1)))) == {
        "L": [{"N": "1"}, {"S": "2026-01-01"}]
    }
    assert POINT.refusal_to_store((1,))["loc"] == ("value",)
    assert POINT.refusal_to_store("xy")["loc"] == ("value",)


def test_a_map_on_the_wire_is_left_to_pydantic():
    assert POINT.load({"M": {"x": {"N": "1"}}}) == Point(1)
    assert POINT.refusal({"S": "x"})["loc"] == ("value",)


def test_a_member_of_a_union_comes_back():
    Field(Point | str).check_round_trip(Point(1))
    Field(Point | str).check_round_trip("a")


def test_a_function_that_is_called_with_the_values_is_refused_because_the_arguments_cannot_be_told():
    class Called:
        @classmethod
        def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler):
            parameter = core_schema.arguments_parameter("x", core_schema.int_schema())
            return core_schema.call_schema(core_schema.arguments_schema([parameter]), lambda x: x + 1)

    class Arguments:
        @classmethod
        def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler):
            parameter = core_schema.arguments_parameter("x", core_schema.int_schema())
            shown = core_schema.to_string_ser_schema()
            return core_schema.arguments_schema([parameter], serialization=shown)

    with pytest.raises(UnsupportedTypeError, match=r"Holder\.value: the result of a function.*cannot be told"):
        Field(Called)
    with pytest.raises(UnsupportedTypeError, match=r"Holder\.value: the arguments of a function"):
        Field(Arguments)
