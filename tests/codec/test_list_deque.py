"""deque, Sequence and their like: lists on the wire."""

import collections
from collections.abc import AsyncIterable, Generator, Iterable, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, FailFast, PydanticSchemaGenerationError, Strict
from pydantic import Field as Constrained

from oxidyn import InvalidItem, ItemAdapter, UnsupportedTypeError
from tests.codec.judges import Field

DEQUE = Field(collections.deque[int])
integers = st.lists(st.integers(-(10**18), 10**18), max_size=4)


def test_a_deque_is_stored_as_l():
    assert DEQUE.store(collections.deque([1, 2])) == {"L": [{"N": "1"}, {"N": "2"}]}
    assert DEQUE.store(collections.deque()) == {"L": []}
    assert Field(collections.deque).store(collections.deque([1, "a"])) == {"L": [{"N": "1"}, {"S": "a"}]}


@given(integers.map(collections.deque))
def test_any_deque_comes_back(value):
    DEQUE.check_round_trip(value)
    Field(list[collections.deque[int]]).check_round_trip([value, value])


def test_a_deque_comes_back_without_its_maxlen_as_pydantic_makes_one_of_a_list():
    field = Field(collections.deque[int], collections.deque([0], maxlen=2))

    stored = field.store(collections.deque([1, 2], maxlen=2))

    assert field.load(stored).maxlen is None
    assert field.load(stored).maxlen == field.model.model_validate({"value": [1, 2]}).value.maxlen
    assert field.load(None).maxlen == 2


@pytest.mark.parametrize("length", range(5))
@pytest.mark.parametrize(
    "annotation", [collections.deque[int], Sequence[int], MutableSequence[int], frozenset[int], AbstractSet[int]]
)
def test_constraints_hold_for_stored_collections_as_for_pydantic(annotation, length):
    for constraint in (Constrained(min_length=2), Constrained(max_length=3), Constrained(min_length=1, max_length=1)):
        field = Field(Annotated[annotation, constraint])
        values = list(range(length))
        field.check_against_pydantic({"L": [{"N": str(value)} for value in values]}, values)


def test_a_strict_deque_is_read_from_a_list_since_that_is_its_stored_form():
    field = Field(Annotated[collections.deque[int], Strict()])
    field.check_round_trip(collections.deque([1]))
    config = Field(collections.deque[int], config=ConfigDict(strict=True))
    config.check_round_trip(collections.deque([1]))


def test_a_wrong_element_of_a_deque_or_sequence_is_refused_with_its_path():
    for annotation in (collections.deque[int], Sequence[int]):
        field = Field(annotation)
        assert field.refusal({"L": [{"N": "1"}, {"S": "x"}]})["loc"] == ("value", 1)
        assert field.refusal_to_store(collections.deque([1, "x"]))["loc"] == ("value", 1)


@pytest.mark.parametrize("attribute", [{"S": "x"}, {"N": "5"}, {"NULL": True}])
def test_another_type_on_the_wire_is_refused_with_its_path(attribute):
    for annotation in (collections.deque[int], Sequence[int]):
        assert Field(annotation).refusal(attribute)["loc"] == ("value",)


@pytest.mark.parametrize("value", ["abc", None, 5, {1}, {1: 1}])
def test_another_type_in_an_instance_is_refused_with_its_path(value):
    for annotation in (collections.deque[int], Sequence[int], Sequence):
        assert Field(annotation).refusal_to_store(value)["loc"] == ("value",)


@pytest.mark.parametrize(
    "value", [[1, 2], (1, 2), collections.deque([1, 2]), range(1, 3), collections.UserList([1, 2])]
)
def test_a_sequence_is_stored_whatever_it_is_and_read_as_a_list(value):
    for annotation in (Sequence[int], Sequence):
        field = Field(annotation)

        stored = field.store(value)

        assert stored == {"L": [{"N": "1"}, {"N": "2"}]}
        assert field.load(stored) == [1, 2]


@given(integers)
def test_a_sequence_reads_what_pydantic_makes_of_the_list(value):
    for annotation in (Sequence[int], MutableSequence[int]):
        field = Field(annotation)
        field.check_round_trip(value)
        field.check_against_boto3(value, value)


def test_models_in_sequences_and_deques_come_back():
    class Leaf(BaseModel):
        x: int

    class Tree(BaseModel):
        leaves: Sequence[Leaf] = ()
        queue: collections.deque["Tree"] = collections.deque()

    adapter = ItemAdapter(Tree)
    tree = Tree(leaves=[Leaf(x=1)], queue=collections.deque([Tree(leaves=[Leaf(x=2)])]))

    assert adapter.load_wire(adapter.dump_wire(tree)) == tree


def test_sets_by_their_abstract_types_are_sets():
    assert Field(AbstractSet[str]).store({"a"}) == {"SS": ["a"]}
    Field(AbstractSet[str]).check_round_trip(frozenset({"a"}))


@pytest.mark.parametrize("annotation", [list[int], tuple[int, ...], set[int], frozenset[int]])
def test_fail_fast_ends_at_the_first_refusal(annotation):
    attribute = {"L": [{"S": "x"}, {"S": "y"}]}
    quick = Field(Annotated[annotation, FailFast()])
    thorough = Field(annotation)

    assert quick.refusal(attribute)["loc"] == ("value", 0)
    with pytest.raises(InvalidItem) as caught:
        thorough.load(attribute)
    assert [error["loc"] for error in caught.value.errors()] == [("value", 0), ("value", 1)]


@pytest.mark.parametrize("annotation", [Iterable[int], Generator[int, None, None], Iterable[Any]])
def test_an_iterable_is_refused_with_advice_because_storing_would_use_up_pydantics_iterator(annotation):
    with pytest.raises(UnsupportedTypeError, match=r"Holder\.value: .*use up .*`list\[\.\.\.\]`"):
        Field(annotation)


def test_what_pydantic_itself_does_not_know_is_refused_by_pydantic():
    with pytest.raises(PydanticSchemaGenerationError):
        Field(AsyncIterable[int])
