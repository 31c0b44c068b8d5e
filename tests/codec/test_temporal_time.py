from datetime import time, timedelta, timezone
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field as Constrained

from tests.codec.judges import Field

CLOCK = Field(time)
offsets = st.integers(-24 * 60 + 1, 24 * 60 - 1).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def test_time_is_stored_as_s_always_with_six_digits():
    assert CLOCK.store(time(12, 30)) == {"S": "12:30:00.000000"}
    assert CLOCK.store(time(12, 30, 5, 250)) == {"S": "12:30:05.000250"}


def test_an_aware_time_keeps_its_offset_utc_as_z():
    assert CLOCK.store(time(12, 30, tzinfo=timezone(timedelta(hours=2)))) == {"S": "12:30:00.000000+02:00"}
    assert CLOCK.store(time(12, 30, tzinfo=timezone.utc)) == {"S": "12:30:00.000000Z"}


@given(st.times(timezones=st.none() | offsets))
def test_any_time_comes_back_with_its_offset(value):
    CLOCK.check_round_trip(value)
    loaded = CLOCK.load(CLOCK.store(value))
    assert loaded.utcoffset() == value.utcoffset()
    assert loaded.replace(tzinfo=None) == value.replace(tzinfo=None)


@pytest.mark.parametrize("text", ["12:30", "12:30:00", "12:30:00.0"])
def test_reading_accepts_every_form_pydantic_does(text):
    assert CLOCK.load({"S": text}) == time(12, 30)


@pytest.mark.parametrize("text", ["", "noon", "25:00:00.000000", "12:60:00.000000"])
def test_text_that_is_no_time_is_refused_with_its_path(text):
    assert CLOCK.refusal({"S": text})["loc"] == ("value",)


@pytest.mark.parametrize("value", ["12:30", None, 5])
def test_another_type_in_an_instance_is_refused_with_its_path(value):
    assert CLOCK.refusal_to_store(value)["loc"] == ("value",)


@pytest.mark.parametrize("text", ["12:29:59.999999", "12:30:00.000000", "12:30:00.000001"])
def test_bounds_hold_for_stored_text_as_for_pydantic(text):
    bound = time(12, 30)
    for constraint in (Constrained(gt=bound), Constrained(ge=bound), Constrained(lt=bound), Constrained(le=bound)):
        Field(Annotated[time, constraint]).check_against_pydantic({"S": text}, text)
