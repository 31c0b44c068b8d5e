import math
import struct
from decimal import Decimal
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field as Constrained

from tests.codec.judges import Field

FLOAT = Field(float)


def bits(value):
    return struct.pack("<d", value)


def storable(value):
    return value == 0 or 1e-130 <= abs(value) < 1e126


def test_float_is_stored_as_n():
    assert FLOAT.store(1.5) == {"N": "1.5"}
    assert FLOAT.store(-0.001) == {"N": "-0.001"}


@given(st.floats(allow_nan=False, allow_infinity=False).filter(storable))
def test_float_is_stored_as_its_shortest_text_that_reads_back_as_the_same_float(value):
    text = FLOAT.store(value)["N"]

    assert bits(float(text)) == bits(value + 0.0)
    assert Decimal(text) == Decimal(repr(value))
    assert bits(FLOAT.load({"N": text})) == bits(value + 0.0)


@given(st.floats(allow_nan=False, allow_infinity=False).filter(storable))
def test_any_float_comes_back(value):
    FLOAT.check_round_trip(value)
    FLOAT.check_against_boto3(value, Decimal(repr(value)))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_any_number_text_is_read_as_python_reads_it(number):
    assert bits(FLOAT.load({"N": str(number)})) == bits(float(number))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e126, -1.7e308, 1e-131, 5e-324])
def test_nan_infinities_and_what_is_out_of_range_are_errors_naming_the_field(value):
    assert FLOAT.refusal_to_store(value)["loc"] == ("value",)


@pytest.mark.parametrize("text", ["", "nan", "inf", "-infinity", "1e999", "1x", "x"])
def test_text_that_is_no_finite_number_is_refused_with_its_path(text):
    assert FLOAT.refusal({"N": text})["loc"] == ("value",)


def test_a_whole_number_comes_back_as_a_float():
    loaded = FLOAT.load({"N": "3"})

    assert type(loaded) is float


def test_an_int_in_an_instance_is_stored_as_the_number_it_is():
    assert FLOAT.store(3) == {"N": "3"}


@pytest.mark.parametrize("attribute", [{"S": "x"}, {"NULL": True}, {"L": []}])
def test_another_type_on_the_wire_is_refused_with_its_path(attribute):
    assert FLOAT.refusal(attribute)["loc"] == ("value",)


@given(st.floats(-5, 5))
def test_constraints_hold_for_stored_numbers_as_for_pydantic(value):
    for constraint in (Constrained(gt=1.5), Constrained(ge=1.5), Constrained(lt=1.5), Constrained(le=1.5)):
        Field(Annotated[float, constraint]).check_against_pydantic({"N": repr(value)}, value)
