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
