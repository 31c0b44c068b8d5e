from datetime import timedelta
from decimal import Decimal
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict
from pydantic import Field as Constrained

from tests.codec.judges import Field

DURATION = Field(timedelta)
MICROSECOND = timedelta(microseconds=1)


def test_timedelta_is_stored_as_n_seconds():
    assert DURATION.store(timedelta(minutes=1, milliseconds=500)) == {"N": "60.5"}
    assert DURATION.store(-MICROSECOND) == {"N": "-0.000001"}
    assert DURATION.store(timedelta(0)) == {"N": "0"}


@given(st.timedeltas())
def test_any_timedelta_is_stored_exactly(value):
    DURATION.check_round_trip(value)
    assert Decimal(DURATION.store(value)["N"]) == Decimal(value // MICROSECOND).scaleb(-6)


@pytest.mark.parametrize("value", [timedelta.max, timedelta.min, timedelta.resolution])
def test_the_longest_and_the_shortest_come_back(value):
    DURATION.check_round_trip(value)


def test_the_way_pydantic_prints_json_does_not_matter():
    printed_as_float = Field(timedelta, config=ConfigDict(ser_json_timedelta="float"))

    assert printed_as_float.store(timedelta(seconds=1.5)) == {"N": "1.5"}


@pytest.mark.parametrize("text", ["PT1M0.5S", "00:01:00.5"])
def test_reading_accepts_every_form_pydantic_does(text):
    assert DURATION.load({"S": text}) == timedelta(seconds=60.5)


@pytest.mark.parametrize("text", ["x", "1e30", ""])
def test_numbers_that_are_no_timedelta_are_refused_with_their_path(text):
    assert DURATION.refusal({"N": text})["loc"] == ("value",)


@pytest.mark.parametrize("value", ["PT1M", None, 5])
def test_another_type_in_an_instance_is_refused_with_its_path(value):
    assert DURATION.refusal_to_store(value)["loc"] == ("value",)


@pytest.mark.parametrize("seconds", ["59.999999", "60", "60.000001"])
def test_bounds_hold_for_stored_numbers_as_for_pydantic(seconds):
    bound = timedelta(minutes=1)
    value = timedelta(microseconds=int(Decimal(seconds).scaleb(6)))
    for constraint in (Constrained(gt=bound), Constrained(ge=bound), Constrained(lt=bound), Constrained(le=bound)):
        Field(Annotated[timedelta, constraint]).check_against_pydantic({"N": seconds}, value)
