"""The ends of DynamoDB's numbers, and what is beyond: 38 digits, exponents from -130 to 125."""

import decimal
import math
from decimal import Decimal
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from oxidyn import InvalidItem, ItemAdapter
from tests.codec.judges import Field, check_round_trip

INTEGER = Field(int)
FLOAT = Field(float)
DECIMAL = Field(Decimal)
ANY = Field(Any)

HUGE = 10**5000

decimals = st.builds(
    lambda sign, digits, exponent: Decimal((sign, tuple(digits), exponent)),
    st.integers(0, 1),
    st.lists(st.integers(0, 9), min_size=1, max_size=41),
    st.integers(-175, 130),
)


def is_storable(value: Decimal) -> bool:
    """By DynamoDB's words: at most 38 digits without zeros at the ends, magnitudes from 1E-130 to 9.99…E+125."""
    digits = "".join(map(str, value.as_tuple().digits)).strip("0")
    return not digits or (len(digits) <= 38 and -130 <= value.adjusted() <= 125)


@given(decimals)
@example(Decimal("9." + "9" * 37 + "E+125"))
@example(Decimal("1E-130"))
@example(Decimal("9." + "9" * 38))
@example(Decimal("9E-131"))
@example(Decimal("1E+126"))
def test_38_digits_and_exponents_from_minus_130_to_125_are_stored_and_nothing_else(value):
    if is_storable(value):
        assert Decimal(DECIMAL.store(value)["N"]) == value
        DECIMAL.check_round_trip(value)
        untyped = ANY.load(ANY.store(value))
        assert Decimal(repr(untyped) if isinstance(untyped, float) else untyped) == value
    else:
        for field in (DECIMAL, ANY):
            error = field.refusal_to_store(value)
            assert (error["loc"], error["type"]) == (("value",), "number")


@given(st.integers(-(10**40), 10**40) | st.integers(0, 130).map(lambda power: 10**power + 1))
def test_an_int_is_stored_where_it_is_one_of_dynamodbs_numbers(value):
    if is_storable(Decimal(value)):
        INTEGER.check_round_trip(value)
        ANY.check_round_trip(value)
    else:
        assert INTEGER.refusal_to_store(value)["type"] == "number"


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(5e-324)
@example(2.2250738585072014e-308)
@example(1e-130)
@example(math.nextafter(1e-130, 0))
@example(9.99e125)
@example(math.nextafter(1e126, 0))
@example(1e126)
def test_a_float_is_stored_where_it_is_one_of_dynamodbs_numbers(value):
    if is_storable(Decimal(repr(value))):
        FLOAT.check_round_trip(value)
    else:
        assert FLOAT.refusal_to_store(value)["loc"] == ("value",)


@pytest.mark.parametrize("value", [1e37, 1e125, 9.99e125, -9.99e125, 1e-130, 0.1 + 0.2, 2.0**53 + 2])
def test_floats_at_the_ends_come_back(value):
    FLOAT.check_round_trip(value)
    FLOAT.check_against_boto3(value, Decimal(repr(value)))


def test_minus_zero_is_zero():
    for field, value in ((FLOAT, -0.0), (DECIMAL, Decimal("-0")), (ANY, -0.0)):
        assert field.store(value) == {"N": "0"}
    assert FLOAT.load({"N": "-0.0"}) == 0


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (math.nan, "is not a number"),
        (math.inf, "infinit"),
        (-math.inf, "infinit"),
        (Decimal("NaN"), "is not a number"),
        (Decimal("sNaN"), "is not a number"),
        (Decimal("-sNaN123"), "is not a number"),
        (Decimal("Infinity"), "infinit"),
        (Decimal("-Infinity"), "infinit"),
    ],
    ids=str,
)
def test_nan_and_the_infinities_are_refused_by_the_path_of_the_field(value, words):
    class Inner(BaseModel):
        numbers: list[Any]

    class Outer(BaseModel):
        inner: dict[str, Inner]

    item = Outer(inner={"a": Inner(numbers=[1, value])})

    with pytest.raises(InvalidItem) as caught:
        ItemAdapter(Outer).dump_wire(item)

    [error] = caught.value.errors()
    assert error["loc"] == ("inner", "a", "numbers", 1)
    assert str(value) not in str(caught.value)
    field = FLOAT if isinstance(value, float) else DECIMAL
    assert field.refusal_to_store(value)["loc"] == ("value",)


@pytest.mark.parametrize(
    "precision_and_traps",
    [
        {"prec": 1},
        {"prec": 3, "traps": [decimal.Inexact, decimal.Rounded, decimal.FloatOperation, decimal.Subnormal]},
        {"prec": 5, "Emin": -5, "Emax": 5, "clamp": 1, "traps": [decimal.Clamped, decimal.Overflow]},
    ],
)
def test_the_callers_decimal_context_is_neither_asked_nor_touched(precision_and_traps):
    numbers = [Decimal("1234567890.123456789"), Decimal("1E+100"), Decimal("-0.00"), Decimal("9." + "9" * 37)]
    field = Field(list[Decimal])
    expected = field.store(numbers)

    with decimal.localcontext(decimal.Context(**precision_and_traps)) as context:
        stored = field.store_instance(field.model.model_construct(value=numbers))
        loaded = field.load(stored)
        refused = Field(Decimal).refusal_to_store(Decimal("sNaN"))
        flags = [signal for signal, raised in context.flags.items() if raised]

    assert stored == expected
    assert loaded == numbers
    assert refused["loc"] == ("value",)
    assert flags == []


@pytest.mark.parametrize(
    "value", [HUGE, -HUGE, 10**126, 10**38 + 1], ids=["10**5000", "-10**5000", "10**126", "39 digits"]
)
def test_an_int_of_any_length_is_refused_in_the_librarys_own_words(value):
    for annotation in (int, float, Decimal, Any, set[int], list[int], int | str):
        field = Field(annotation)
        held = {value} if annotation == set[int] else [value] if annotation == list[int] else value
        error = field.refusal_to_store(held)
        assert error["loc"][0] == "value"
        assert "DynamoDB" in error["msg"]


def test_a_decimal_of_any_length_is_refused():
    for value in (Decimal(HUGE + 1), Decimal("0." + "1" * 5000), Decimal("1E+999999"), Decimal("1E-999999")):
        assert DECIMAL.refusal_to_store(value)["type"] == "number"


def test_a_map_key_of_more_digits_than_python_prints_is_refused_with_its_path():
    field = Field(dict[int, str])

    field.check_round_trip({10**1000: "a", -(10**1000): "b"})
    error = field.refusal_to_store({HUGE: "a"})
    assert "more digits than Python prints" in error["msg"]


@pytest.mark.parametrize("text", ["1" * 39, "1" * 5000, "1e126", "1e-131", "9" * 38 + "e90", "0." + "1" * 5000])
def test_stored_numbers_that_dynamodb_has_not_are_refused_with_their_path(text):
    for field in (INTEGER, DECIMAL, ANY):
        assert field.refusal({"N": text})["loc"] == ("value",)


@pytest.mark.parametrize("text", ["1e1000000000", "-1e99999999999999999999", "1" + "0" * 100_000])
def test_stored_numbers_of_absurd_exponents_are_refused_at_once(text):
    for field in (INTEGER, FLOAT, DECIMAL, ANY):
        assert field.refusal({"N": text})["loc"] == ("value",)


def test_a_stored_number_that_is_too_small_for_a_float_is_zero_as_python_has_it():
    assert FLOAT.load({"N": "1e-1000000000"}) == float("1e-1000000000") == 0.0
    for field in (INTEGER, DECIMAL, ANY):
        assert field.refusal({"N": "1e-1000000000"})["loc"] == ("value",)


def test_a_bool_is_no_number_and_no_number_is_a_bool():
    for field in (INTEGER, FLOAT, DECIMAL):
        for value in (True, False):
            assert field.refusal_to_store(value)["loc"] == ("value",)
    for value in (0, 1, 1.0, Decimal(1)):
        assert Field(bool).refusal_to_store(value)["loc"] == ("value",)
    assert ANY.store(True) == {"BOOL": True}
    assert ANY.load({"BOOL": True}) is True
    assert ANY.store(1) == {"N": "1"}


@pytest.mark.parametrize(
    ("annotation", "attribute"), [(int, {"BOOL": True}), (bool, {"N": "1"}), (float, {"BOOL": True})]
)
def test_a_bool_on_the_wire_of_a_number_is_left_to_pydantic(annotation, attribute):
    assert Field(annotation).load(attribute) == 1
    assert type(Field(annotation).load(attribute)) is annotation
    assert Field(annotation, config=ConfigDict(strict=True)).refusal(attribute)["loc"] == ("value",)


def test_ints_of_other_classes_are_stored_by_value():
    class Level(IntEnum):
        HIGH = 3

    class Count(int):
        def __str__(self) -> str:
            return "many"

        __repr__ = __str__

    assert INTEGER.store_instance(INTEGER.model.model_construct(value=Level.HIGH)) == {"N": "3"}
    assert INTEGER.store_instance(INTEGER.model.model_construct(value=Count(10**30))) == {"N": "1" + "0" * 30}
    assert Field(dict[int, int]).store({Count(7): 1}) == {"M": {"7": {"N": "1"}}}


def test_numbers_of_one_item_stand_beside_each_other():
    class Numbers(BaseModel):
        i: int
        f: float
        d: Decimal
        a: Any

    check_round_trip(ItemAdapter(Numbers), Numbers(i=10**37, f=1e125, d=Decimal("1E-130"), a=10**125))
