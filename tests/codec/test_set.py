import enum
from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic import Field as Constrained

from oxidyn import ItemAdapter
from tests.codec.judges import Field, check_round_trip, comparable

EMPTY_LIST = {"L": []}


class Colour(str, enum.Enum):
    RED = "red"
    GREEN = "green"


@pytest.mark.parametrize(
    ("annotation", "value", "attribute"),
    [
        (set[str], {"a"}, {"SS": ["a"]}),
        (set[int], {1}, {"NS": ["1"]}),
        (set[float], {0.5}, {"NS": ["0.5"]}),
        (set[Decimal], {Decimal("0.5")}, {"NS": ["0.5"]}),
        (set[bytes], {b"a"}, {"BS": ["YQ=="]}),
        (frozenset[str], frozenset({"a"}), {"SS": ["a"]}),
        (set[UUID], {UUID(int=1)}, {"SS": [str(UUID(int=1))]}),
        (set[date], {date(2026, 1, 31)}, {"SS": ["2026-01-31"]}),
        (set[Colour], {Colour.RED}, {"SS": ["red"]}),
    ],
)
def test_a_set_whose_elements_have_one_tag_s_n_or_b_is_a_set_on_the_wire(annotation, value, attribute):
    field = Field(annotation)

    assert field.store(value) == attribute
    field.check_round_trip(value)


@pytest.mark.parametrize(
    ("annotation", "value", "attribute"),
    [
        (set[bool], {True}, {"L": [{"BOOL": True}]}),
        (set[str | None], {"a"}, {"L": [{"S": "a"}]}),
        (set[tuple[int, int]], {(1, 2)}, {"L": [{"L": [{"N": "1"}, {"N": "2"}]}]}),
    ],
)
def test_other_sets_are_lists(annotation, value, attribute):
    field = Field(annotation)

    assert field.store(value) == attribute
    field.check_round_trip(value)


@given(st.sets(st.text()), st.sets(st.integers(-(10**20), 10**20)), st.sets(st.binary()))
def test_any_set_comes_back(texts, numbers, binaries):
    for annotation, value in ((set[str], texts), (set[int], numbers), (set[bytes], binaries)):
        Field(annotation).check_round_trip(value)
        Field(frozenset[annotation.__args__[0]]).check_round_trip(frozenset(value))
        if value:
            Field(annotation).check_against_boto3(value, value)


@pytest.mark.parametrize("default", [..., set(), Constrained(default_factory=set)])
def test_an_empty_set_is_left_out_where_absent_gives_the_empty_set_back(default):
    field = Field(set[str], default)

    assert field.store(set()) is None
    assert field.load(None) == set()


@pytest.mark.parametrize(
    ("annotation", "default", "value", "attribute"),
    [
        (set[str], {"a"}, set(), EMPTY_LIST),
        (set[str] | None, ..., set(), EMPTY_LIST),
        (set[str] | None, None, set(), EMPTY_LIST),
        (list[set[str]], ..., [set()], {"L": [EMPTY_LIST]}),
        (tuple[set[str], int], ..., (set(), 1), {"L": [EMPTY_LIST, {"N": "1"}]}),
        (dict[str, set[str]], ..., {"k": set()}, {"M": {"k": EMPTY_LIST}}),
        (set[frozenset[str]], ..., {frozenset()}, {"L": [EMPTY_LIST]}),
    ],
)
def test_an_empty_set_is_an_empty_list_everywhere_else(annotation, default, value, attribute):
    field = Field(annotation, default)

    assert field.store(value) == attribute
    assert field.load(attribute) == value
    field.check_round_trip(value)


def test_a_required_set_read_from_absent_still_passes_its_constraints():
    field = Field(Annotated[set[str], Constrained(min_length=1)])

    assert field.refusal(None)["loc"] == ("value",)


def test_a_required_set_with_another_default_comes_back_as_that():
    assert Field(set[str], {"a"}).load(None) == {"a"}


@pytest.mark.parametrize("content", [["a"], ["a", "b"], ["a", "b", "c", "d"]])
def test_constraints_hold_for_stored_sets_as_for_pydantic(content):
    for constraint in (Constrained(min_length=2), Constrained(max_length=3)):
        Field(Annotated[set[str], constraint]).check_against_pydantic({"SS": content}, set(content))


def test_members_of_a_list_are_read_into_a_set():
    assert Field(set[int]).load({"L": [{"N": "1"}, {"N": "2"}, {"N": "1"}]}) == {1, 2}


@pytest.mark.parametrize("attribute", [{"NS": ["x"]}, {"SS": ["x"]}, {"S": "x"}, {"NULL": True}, {"M": {}}])
def test_another_type_on_the_wire_is_refused_with_its_path(attribute):
    assert Field(set[int]).refusal(attribute)["loc"][0] == "value"


@pytest.mark.parametrize("value", [{"a"}, None, 5])
def test_another_type_in_an_instance_is_refused_with_its_path(value):
    assert Field(set[int]).refusal_to_store(value)["loc"][0] == "value"


def test_numbers_that_are_equal_are_one_member_as_dynamodb_wants():
    field = Field(set[Decimal])

    [text] = field.store({Decimal("1.0"), Decimal(1)})["NS"]
    assert Decimal(text) == 1


def test_a_set_in_a_dict_for_boto3_has_bytes():
    field = Field(set[bytes])

    assert field.adapter.dump_item(field.model(value={b"a"})) == {"value": {"BS": [b"a"]}}
    assert comparable({"BS": ["YQ=="]}) == comparable(field.store({b"a"}))


def test_an_empty_set_in_a_nested_model_is_left_out_there_too():
    class Inner(BaseModel):
        tags: set[str]

    class Outer(BaseModel):
        inner: Inner

    adapter = ItemAdapter(Outer)

    assert adapter.dump_item(Outer(inner=Inner(tags=set()))) == {"inner": {"M": {}}}
    check_round_trip(adapter, Outer(inner=Inner(tags=set())))
