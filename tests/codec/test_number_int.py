from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict
from pydantic import Field as Constrained

from tests.codec.judges import Field

INTEGER = Field(int)
LARGEST = 10**38 - 1


def test_int_is_stored_as_n():
    assert INTEGER.store(42) == {"N": "42"}
    assert INTEGER.store(-1) == {"N": "-1"}
    assert INTEGER.store(0) == {"N": "0"}


@given(st.integers(-LARGEST, LARGEST))
def test_int_is_stored_exactly_never_through_a_float(value):
    INTEGER.check_round_trip(value)
    INTEGER.check_against_boto3(value, value)


@pytest.mark.parametrize(
    "value",
    [10**38 + 1, -(10**40) + 1, 10**126, 10**5000],
    ids=["39 digits", "40 digits", "127 digits", "5001 digits"],
)
def test_int_beyond_dynamodbs_numbers_is_an_error_naming_the_field(value):
    assert INTEGER.refusal_to_store(value)["loc"] == ("value",)


@pytest.mark.parametrize("value", [10**38, 10**125, -(10**125)])
def test_38_significant_digits_count_without_trailing_zeros(value):
    INTEGER.check_round_trip(value)


@pytest.mark.parametrize(("text", "value"), [("3.0", 3), ("1e3", 1000), ("1.2E+2", 120), ("-0", 0)])
def test_a_number_is_read_by_value(text, value):
    loaded = INTEGER.load({"N": text})

    assert loaded == value
    assert type(loaded) is int


def test_a_fraction_on_the_wire_is_refused_with_its_path():
    assert INTEGER.refusal({"N": "1.5"})["loc"] == ("value",)


@pytest.mark.parametrize("text", ["", "x", "1x", "NaN", "Infinity", "1e999999999", "--1", "0x10", "1_0"])
def test_text_that_is_no_number_is_refused_with_its_path(text):
    assert INTEGER.refusal({"N": text})["loc"] == ("value",)


def test_a_wire_tag_that_the_field_does_not_know_is_left_to_pydantic():
    assert INTEGER.load({"S": "5"}) == 5
    assert INTEGER.refusal({"S": "five"})["loc"] == ("value",)
    assert Field(int, config=ConfigDict(strict=True)).refusal({"S": "5"})["loc"] == ("value",)


@pytest.mark.parametrize("attribute", [{"NULL": True}, {"L": []}, {"M": {}}, {"NS": ["1"]}, {"B": "YQ=="}])
def test_another_type_on_the_wire_is_refused_with_its_path(attribute):
    assert INTEGER.refusal(attribute)["loc"] == ("value",)


@pytest.mark.parametrize("value", ["5", None, 1.5, [1]])
def test_another_type_in_an_instance_is_refused_with_its_path(value):
    assert INTEGER.refusal_to_store(value)["loc"] == ("value",)


@given(st.integers(-20, 20))
def test_constraints_hold_for_stored_numbers_as_for_pydantic(value):
    for constraint in (
        Constrained(gt=3),
        Constrained(ge=3),
        Constrained(lt=3),
        Constrained(le=3),
        Constrained(multiple_of=3),
    ):
        Field(Annotated[int, constraint]).check_against_pydantic({"N": str(value)}, value)
