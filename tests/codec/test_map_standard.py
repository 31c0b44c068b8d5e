"""OrderedDict, Counter, defaultdict and mappings by their abstract types: maps on the wire."""

import collections
import types
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import VERSION as PYDANTIC
from pydantic import BaseModel, BeforeValidator, ConfigDict, FailFast, PlainSerializer, Strict
from pydantic import Field as Constrained

from oxidyn import InvalidItem, ItemAdapter
from tests.codec.judges import Field

KINDS = {
    collections.OrderedDict[str, int]: collections.OrderedDict,
    collections.Counter[str]: collections.Counter,
    collections.defaultdict[str, int]: lambda values: collections.defaultdict(int, values),
    Mapping[str, int]: dict,
    MutableMapping[str, int]: dict,
}
names = st.text("abc", min_size=1, max_size=3)
values = st.dictionaries(names, st.integers(-(10**6), 10**6), max_size=3)
each_kind = pytest.mark.parametrize(("annotation", "make"), list(KINDS.items()), ids=[str(kind) for kind in KINDS])


@each_kind
def test_it_is_stored_as_m(annotation, make):
    assert Field(annotation).store(make({"a": 1})) == {"M": {"a": {"N": "1"}}}


@each_kind
@given(value=values)
def test_any_value_comes_back_of_the_type_that_pydantic_gives(annotation, make, value):
    field = Field(annotation)

    field.check_round_trip(make(value))
    field.check_against_boto3(make(value), value)


@each_kind
@given(value=values)
def test_what_is_read_is_what_pydantic_makes_of_the_dict(annotation, make, value):
    Field(annotation).check_against_pydantic({"M": {name: {"N": str(each)} for name, each in value.items()}}, value)


@pytest.mark.parametrize("length", range(4))
@each_kind
def test_constraints_hold_as_for_pydantic(annotation, make, length):
    for constraint in (Constrained(min_length=1), Constrained(max_length=2)):
        field = Field(Annotated[annotation, constraint])
        value = {str(number): number for number in range(length)}
        field.check_against_pydantic({"M": {name: {"N": str(each)} for name, each in value.items()}}, value)


@each_kind
def test_a_strict_one_is_read_since_a_map_is_its_stored_form(annotation, make):
    Field(Annotated[annotation, Strict()]).check_round_trip(make({"a": 1}))
    Field(annotation, config=ConfigDict(strict=True)).check_round_trip(make({"a": 1}))


@each_kind
def test_a_wrong_value_and_another_wire_type_are_refused_with_the_path(annotation, make):
    field = Field(annotation)

    assert field.refusal({"M": {"a": {"S": "x"}}})["loc"] == ("value", "a")
    assert field.refusal_to_store(make({"a": "x"}))["loc"] == ("value", "a")
    assert field.refusal({"S": "x"})["loc"] == ("value",)
    assert field.refusal_to_store("x")["loc"] == ("value",)


def test_a_defaultdict_comes_back_with_the_factory_that_pydantic_gives_it():
    field = Field(collections.defaultdict[str, list[int]])

    loaded = field.load(field.store({"a": [1]}))

    assert loaded["b"] == []
    explicit = Field(collections.defaultdict[str, Annotated[int, Constrained(default_factory=lambda: 7)]])
    assert explicit.load({"M": {}})["a"] == explicit.model.model_validate({"value": {}}).value["a"] == 7


def test_untyped_ones_hold_any_value():
    field = Field(collections.OrderedDict)
    field.check_round_trip(collections.OrderedDict(a=[1, "x"]))
    Field(Mapping).check_round_trip({"a": None})


def test_a_mapping_that_is_no_dict_is_stored_too():
    class Settings(BaseModel):
        values: Mapping[str, int] = Constrained(default_factory=lambda: types.MappingProxyType({"a": 1}))

    adapter = ItemAdapter(Settings)

    assert adapter.dump_item(Settings()) == {"values": {"M": {"a": {"N": "1"}}}}


def test_keys_of_a_counter_are_written_and_read_as_those_of_a_dict():
    Field(collections.Counter[int]).check_round_trip(collections.Counter({5: 2}))


def test_members_of_unions_come_back():
    field = Field(collections.Counter[str] | list[int])
    field.check_round_trip(collections.Counter({"a": 1}))
    field.check_round_trip([1])


@pytest.mark.skipif(PYDANTIC < "2.12", reason="fail_fast of dicts is of a later version")
def test_fail_fast_ends_at_the_first_refusal():
    attribute = {"M": {"a": {"S": "x"}, "b": {"S": "y"}}}

    assert Field(Annotated[dict[str, int], FailFast()]).refusal(attribute)["loc"] == ("value", "a")
    with pytest.raises(InvalidItem) as caught:
        Field(dict[str, int]).load(attribute)
    assert len(caught.value.errors()) == 2


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (collections.Counter[str], collections.Counter("a")),
        (collections.OrderedDict[str, int], collections.OrderedDict(a=1)),
        (collections.defaultdict[str, int], collections.defaultdict(int, a=1)),
        (Mapping[str, int], {"a": 1}),
        (collections.deque[int], collections.deque([1])),
        (Sequence[int], [1]),
    ],
    ids=str,
)
def test_a_serializer_that_nothing_undoes_is_presentation(annotation, value):
    shown = PlainSerializer(lambda value: "shown")

    Field(Annotated[annotation, shown]).check_round_trip(value)
    undone = Field(Annotated[annotation, shown, BeforeValidator(lambda given: value if given == "shown" else given)])
    assert undone.store(value) == {"S": "shown"}
    undone.check_round_trip(value)
