from datetime import date, datetime
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field as Constrained
from pydantic import PastDate

from tests.codec.judges import Field

DAY = Field(date)


def test_date_is_stored_as_s():
    assert DAY.store(date(2026, 1, 31)) == {"S": "2026-01-31"}


@given(st.dates())
def test_any_date_comes_back(value):
    DAY.check_round_trip(value)
    assert DAY.store(value) == {"S": value.isoformat()}


@pytest.mark.parametrize("text", ["2026-01-31T00:00:00", "1769817600"])
def test_reading_accepts_every_form_pydantic_does(text):
    assert DAY.load({"S": text}) == date(2026, 1, 31)


@pytest.mark.parametrize("text", ["", "soon", "2025-02-29", "2026-01-31T12:00:00"])
def test_text_that_is_no_date_is_refused_with_its_path(text):
    assert DAY.refusal({"S": text})["loc"] == ("value",)


@pytest.mark.parametrize("value", ["2026-01-31", None, datetime(2026, 1, 31, 12)])
def test_another_type_in_an_instance_is_refused_with_its_path(value):
    assert DAY.refusal_to_store(value)["loc"] == ("value",)


@pytest.mark.parametrize("text", ["2026-01-30", "2026-01-31", "2026-02-01"])
def test_bounds_hold_for_stored_text_as_for_pydantic(text):
    bound = date(2026, 1, 31)
    for constraint in (Constrained(gt=bound), Constrained(ge=bound), Constrained(lt=bound), Constrained(le=bound)):
        Field(Annotated[date, constraint]).check_against_pydantic({"S": text}, text)
    assert Field(PastDate).refusal({"S": "9000-01-01"})["type"] == "date_past"
