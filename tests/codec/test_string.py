import json
import sys
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict, StringConstraints
from pydantic import Field as Constrained

from tests.codec.judges import Field

TEXT = Field(str)


def test_str_is_stored_as_s():
    assert TEXT.store("grün 😀") == {"S": "grün 😀"}
    assert TEXT.store("") == {"S": ""}


def test_text_with_quotes_and_control_characters_comes_back():
    TEXT.check_round_trip('"\\\n\x00\x1f\x7f')


@given(st.text())
def test_any_text_comes_back(text):
    TEXT.check_round_trip(text)
    TEXT.check_against_boto3(text, text)


@pytest.mark.parametrize("widest", ["é", "ÿ", "Ā", "語", "\uffff", "\U00010000", "😀"])
@pytest.mark.parametrize("length", [1, 2, 3, 16, 31, 32, 63, 64, 65, 200])
def test_text_is_read_as_the_str_that_cpython_itself_would_make(widest, length):
    for text in (widest * length, "a" * (length - 1) + widest, widest + "a" * (length - 1)):
        loaded = TEXT.load({"S": text})
        escaped = TEXT.adapter.load_wire(b'{"value":{"S":%s}}' % json.dumps(text).encode()).value
        made = text.encode().decode()
        for read in (loaded, escaped):
            assert read == made
            assert hash(read) == hash(made)
            # As wide as its widest character, and no wider.
            assert sys.getsizeof(read) == sys.getsizeof(made)


def test_text_that_is_no_unicode_is_refused_with_its_path():
    error = TEXT.refusal_to_store("\ud800")

    assert error["loc"] == ("value",)


def test_escaped_text_on_the_wire_is_read():
    assert TEXT.adapter.load_wire(rb'{"v\u0061lue":{"S":"\ud83d\ude00\n"}}').value == "😀\n"


@pytest.mark.parametrize("attribute", [{"N": "5"}, {"BOOL": True}, {"NULL": True}, {"L": []}, {"M": {}}, {"SS": ["a"]}])
def test_another_type_on_the_wire_is_refused_with_its_path(attribute):
    assert TEXT.refusal(attribute)["loc"] == ("value",)


@pytest.mark.parametrize("value", [5, None, b"a", ["a"]])
def test_another_type_in_an_instance_is_refused_with_its_path(value):
    assert TEXT.refusal_to_store(value)["loc"] == ("value",)


@given(st.text(alphabet="aB ä", max_size=6))
def test_constraints_hold_for_stored_text_as_for_pydantic(text):
    for constraint in (
        Constrained(min_length=2),
        Constrained(max_length=3),
        StringConstraints(pattern="^a"),
        StringConstraints(strip_whitespace=True, min_length=1),
        StringConstraints(to_lower=True),
        StringConstraints(to_upper=True),
    ):
        Field(Annotated[str, constraint]).check_against_pydantic({"S": text}, text)


def test_a_refused_constraint_has_pydantics_own_error():
    error = Field(Annotated[str, Constrained(max_length=2)]).refusal({"S": "abc"})

    assert (error["type"], error["loc"]) == ("string_too_long", ("value",))


def test_length_is_counted_in_characters():
    short = Field(Annotated[str, Constrained(max_length=2)])

    assert short.load({"S": "ü😀"}) == "ü😀"


def test_constraints_of_the_config_hold_too():
    stripped = Field(str, config=ConfigDict(str_strip_whitespace=True, str_max_length=2))

    assert stripped.load({"S": " ab "}) == "ab"
    assert stripped.refusal({"S": "abc"})["type"] == "string_too_long"


def test_a_subclass_of_str_is_stored_by_its_text():
    class Name(str):
        __slots__ = ()

    assert TEXT.store_instance(TEXT.model.model_construct(value=Name("a"))) == {"S": "a"}
