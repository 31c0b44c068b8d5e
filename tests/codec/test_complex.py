"""Complex numbers: text, as Pydantic's JSON mode writes them."""

from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict

from tests.codec.judges import Field


def test_a_strict_field_takes_the_text_that_is_stored():
    field = Field(complex, config=ConfigDict(strict=True))

    assert field.store(1 - 2j) == {"S": "1-2j"}
    assert field.load({"S": "1-0j"}) == 1


@given(st.complex_numbers(allow_nan=False, allow_infinity=False))
def test_a_complex_number_comes_back(number):
    Field(complex).check_round_trip(number)
