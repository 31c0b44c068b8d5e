from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field as Constrained
from typing_extensions import NotRequired, TypedDict

from tests.codec.judges import Field

NULL = {"NULL": True}


def test_none_is_left_out_as_a_field_whose_default_is_literally_none():
    field = Field(str | None, None)

    assert field.store(None) is None
    assert field.load(None) is None


@pytest.mark.parametrize(
    ("annotation", "default", "value", "attribute"),
    [
        (str | None, ..., None, NULL),
        (str | None, "a", None, NULL),
        (str | None, Constrained(default_factory=lambda: None), None, NULL),
        (list[str | None], ..., [None, "a"], {"L": [NULL, {"S": "a"}]}),
        (tuple[str | None, int], ..., (None, 1), {"L": [NULL, {"N": "1"}]}),
        (dict[str, str | None], ..., {"k": None}, {"M": {"k": NULL}}),
    ],
)
def test_none_is_null_elsewhere(annotation, default, value, attribute):
    field = Field(annotation, default)

    assert field.store(value) == attribute
    assert field.load(attribute) == value


def test_a_typed_dicts_key_that_is_none_is_null_and_is_left_out_only_when_absent():
    class Note(TypedDict):
        text: NotRequired[str | None]

    field = Field(Note)

    assert field.store({"text": None}) == {"M": {"text": NULL}}
    assert field.store({}) == {"M": {}}
    assert field.load({"M": {}}) == {}
    assert field.load({"M": {"text": NULL}}) == {"text": None}


def test_null_is_read_as_none_where_absent_would_be_too():
    assert Field(str | None, None).load(NULL) is None


def test_absent_comes_back_as_the_default_not_as_none():
    assert Field(str | None, "a").load(None) == "a"


def test_null_for_a_field_that_may_not_be_none_is_refused_with_its_path():
    error = Field(int, 0).refusal(NULL)

    assert error["loc"] == ("value",)


@pytest.mark.parametrize("annotation", [Optional[int], int | None])  # noqa: UP045 (both spellings are meant)
@given(value=st.none() | st.integers(-100, 100))
def test_any_value_comes_back(annotation, value):
    Field(annotation, None).check_round_trip(value)
    Field(annotation).check_round_trip(value)
    Field(annotation, 7).check_round_trip(value)
    Field(annotation).check_against_boto3(value, value)


def test_the_type_inside_is_enforced():
    assert Field(int | None, None).refusal({"S": "x"})["loc"] == ("value",)
    assert Field(int | None, None).refusal_to_store("x")["loc"] == ("value",)


def test_null_on_the_wire_must_be_true():
    assert Field(int | None).refusal({"NULL": "x"}) is not None
