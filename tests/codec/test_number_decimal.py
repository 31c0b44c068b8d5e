from decimal import Decimal
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field as Constrained

from tests.codec.judges import Field

DECIMAL = Field(Decimal)

storable = st.builds(
    lambda sign, digits, exponent: Decimal((sign, tuple(int(digit) for digit in str(digits)), exponent)),
    st.integers(0, 1),
    st.integers(1, 10**38 - 1),
    st.integers(-130, 87),
)


def test_decimal_is_stored_as_n():
    assert Decimal(DECIMAL.store(Decimal("1.50"))["N"]) == Decimal("1.50")
    assert DECIMAL.store(Decimal("0.1")) == {"N": "0.1"}


@given(storable)
def test_decimal_is_stored_exactly_never_through_a_float(value):
    DECIMAL.check_round_trip(value)
    DECIMAL.check_against_boto3(value, value)


@pytest.mark.parametrize(
    "value",
    [
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        Decimal("-Infinity"),
        Decimal("1." + "1" * 38),
        Decimal("1E+126"),
        Decimal("1E-131"),
    ],
)
def test_nan_infinities_and_too_many_digits_are_errors_naming_the_field(value):
    assert DECIMAL.refusal_to_store(value)["loc"] == ("value",)


@pytest.mark.parametrize("value", [Decimal("0E-500"), Decimal("-0"), Decimal("0E+500")])
def test_zero_of_any_exponent_is_stored_as_zero(value):
    assert Decimal(DECIMAL.store(value)["N"]) == 0
    DECIMAL.check_round_trip(value)


def test_digits_are_kept_where_arithmetic_would_round_to_28():
    value = Decimal(12345678901234567890123456789012345678)

    assert DECIMAL.load(DECIMAL.store(value)) == value


@pytest.mark.parametrize("text", ["", "NaN", "Infinity", "x", "1_0"])
def test_text_that_is_no_finite_number_is_refused_with_its_path(text):
    assert DECIMAL.refusal({"N": text})["loc"] == ("value",)


@pytest.mark.parametrize("attribute", [{"S": "x"}, {"NULL": True}, {"L": []}])
def test_another_type_on_the_wire_is_refused_with_its_path(attribute):
    assert DECIMAL.refusal(attribute)["loc"] == ("value",)


@given(st.decimals(-100, 100, places=3))
def test_constraints_hold_for_stored_numbers_as_for_pydantic(value):
    for constraint in (
        Constrained(gt=1),
        Constrained(le=Decimal("1.5")),
        Constrained(max_digits=3),
        Constrained(decimal_places=1),
        Constrained(multiple_of=Decimal("0.5")),
    ):
        Field(Annotated[Decimal, constraint]).check_against_pydantic({"N": str(value)}, value)


class Money(Decimal):
    """A subclass is written by its text, an exact Decimal of few digits by its parts."""


@given(
    st.decimals(-(10**20), 10**20, places=2)
    | st.builds(
        lambda sign, digits, exponent: Decimal((sign, tuple(digits), exponent)),
        st.integers(0, 1),
        st.lists(st.integers(0, 9), min_size=1, max_size=38),
        st.integers(-40, 40),
    )
)
def test_the_parts_of_a_decimal_are_written_as_its_text_is(value):
    assert DECIMAL.store(value) == DECIMAL.store(Money(value))
