import json
import math
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field as Constrained

from oxidyn import Attribute, SchemaError
from tests.codec.judges import Field

TEXTS = Field(list[str])
MATRIX = Field(list[list[int]])


def test_list_is_stored_as_l():
    assert TEXTS.store(["a", "b", "a"]) == {"L": [{"S": "a"}, {"S": "b"}, {"S": "a"}]}
    assert TEXTS.store([]) == {"L": []}


@given(st.lists(st.lists(st.integers(-(10**18), 10**18), max_size=4), max_size=4))
def test_any_list_comes_back(value):
    MATRIX.check_round_trip(value)
    MATRIX.check_against_boto3(value, value)


def test_a_wrong_element_is_refused_with_its_path():
    assert MATRIX.refusal({"L": [{"L": []}, {"L": [{"N": "1"}, {"S": "x"}]}]})["loc"] == ("value", 1, 1)
    assert MATRIX.refusal_to_store([[], [1, "x"]])["loc"] == ("value", 1, 1)


@pytest.mark.parametrize("attribute", [{"S": "x"}, {"N": "5"}, {"NULL": True}, {"M": {}}])
def test_another_type_on_the_wire_is_refused_with_its_path(attribute):
    assert TEXTS.refusal(attribute)["loc"] == ("value",)


@pytest.mark.parametrize("value", ["abc", None, 5])
def test_another_type_in_an_instance_is_refused_with_its_path(value):
    assert TEXTS.refusal_to_store(value)["loc"] == ("value",)


@pytest.mark.parametrize("length", range(5))
def test_constraints_hold_for_stored_lists_as_for_pydantic(length):
    for constraint in (Constrained(min_length=2), Constrained(max_length=3)):
        field = Field(Annotated[list[int], constraint])
        field.check_against_pydantic({"L": [{"N": "1"}] * length}, [1] * length)


def test_a_list_that_holds_itself_is_an_error_and_not_a_crash():
    value = []
    value.append(value)

    assert MATRIX.refusal_to_store(value)["loc"][:3] == ("value", 0, 0)


def test_a_set_on_the_wire_is_left_to_pydantic():
    assert sorted(TEXTS.load({"SS": ["a", "b"]})) == ["a", "b"]


def test_a_stored_name_on_an_element_is_refused_because_it_would_do_nothing():
    with pytest.raises(SchemaError, match=r"value\[\].*Attribute\(name=\.\.\.\) names a field"):
        Field(list[Annotated[str, Attribute(name="n")]])


class Celsius(float):
    pass


def test_floats_are_written_beside_whole_numbers_and_floats_of_a_subclass():
    """What a default that is not validated may hold."""
    floats = Field(list[float])

    instance = floats.model.model_construct(value=[0.5, 1, Celsius(36.6), -0.0, 1e-9, 2])

    assert floats.store_instance(instance) == {"L": [{"N": text} for text in ("0.5", "1", "36.6", "0", "1e-9", "2")]}
    assert floats.store_instance(floats.model.model_construct(value=[])) == {"L": []}
    assert floats.store_instance(floats.model.model_construct(value=[3])) == {"L": [{"N": "3"}]}


@pytest.mark.parametrize(("wrong", "index"), [([0.5, math.nan], 1), ([0.5, 1, math.inf, 2.0], 2), ([1.5, "x"], 1)])
def test_a_float_that_cannot_be_stored_is_refused_with_its_index(wrong, index):
    assert Field(list[float]).refusal_to_store(wrong)["loc"] == ("value", index)


@pytest.mark.parametrize("text", ["1e3", "12345678.5", "0.1234567890123456789012345", "1" * 30, "-0", "5e-324"])
def test_floats_in_another_writing_are_read_among_plain_ones(text):
    floats = Field(list[float])
    stored = [{"N": "0.5"}, {"N": text}, {"N": text}, {"N": "0.25"}]

    for separators in [(",", ":"), (", ", ": ")]:
        wire = json.dumps({"value": {"L": stored}}, separators=separators).encode()
        assert floats.adapter.load_wire(wire).value == [0.5, float(text), float(text), 0.25]


@pytest.mark.parametrize("wrong", [{"N": "x"}, {"N": ""}, {"N": "1.2.3"}, {"N": "inf"}, {"N": "0.5\\"}, {"S": "x"}])
def test_text_that_is_no_number_is_refused_with_its_index(wrong):
    assert Field(list[float]).refusal({"L": [{"N": "0.5"}, wrong, {"N": "0.5"}]})["loc"] == ("value", 1)
