"""What this version cannot store is refused when the model is compiled, by name and with the field's path."""

import dataclasses
from collections.abc import Callable, Generator, Iterable
from datetime import timedelta
from typing import Literal

import pytest
from pydantic import (
    BaseModel,
    InstanceOf,
    RootModel,
    SecretStr,
)
from typing_extensions import TypedDict

from oxidyn import ItemAdapter, SchemaError, UnsupportedTypeError
from tests.codec.judges import Field


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Plain:
    pass


class Root(RootModel[list[int]]):
    pass


UNSUPPORTED = [
    int | timedelta,
    SecretStr,
    Callable[[], int],
    Generator[int, None, None],
    Iterable[int],
    InstanceOf[Plain],
    type[Plain],
]


@pytest.mark.parametrize("annotation", UNSUPPORTED)
def test_a_type_of_a_later_version_is_refused_by_name_with_the_fields_path(annotation):
    with pytest.raises(UnsupportedTypeError, match=r"^Holder\.value.*: .+"):
        Field(annotation)


@pytest.mark.parametrize(
    ("annotation", "path"),
    [
        (list[type[Plain]], r"Holder\.value"),
        (dict[str, type[Plain]], r"Holder\.value"),
        (tuple[int, type[Plain]], r"Holder\.value"),
        (set[type[Plain]], r"Holder\.value"),
        (list[dict[str, int | type[Plain]]], r"Holder\.value"),
        (type[Plain] | None, r"Holder\.value"),
    ],
    ids=repr,
)
def test_a_part_is_refused_with_the_path_of_its_field(annotation, path):
    with pytest.raises(UnsupportedTypeError, match=path):
        Field(annotation)


def test_a_field_of_a_nested_model_is_refused_with_its_own_path():
    class Inner(BaseModel):
        anything: type[Plain]

    class Outer(BaseModel):
        inner: list[Inner]

    with pytest.raises(UnsupportedTypeError, match=r"anything"):
        ItemAdapter(Outer)


def test_a_field_of_a_dataclass_or_typed_dict_is_refused_with_its_own_path():
    @dataclasses.dataclass
    class Record:
        anything: type[Plain]

    class Entry(TypedDict):
        anything: type[Plain]

    for model in (Record, Entry):
        with pytest.raises(UnsupportedTypeError, match=rf"{model.__name__}\.anything"):
            ItemAdapter(model)


@pytest.mark.parametrize("model", [int, list[int], Root, Cat | Dog], ids=repr)
def test_what_is_no_item_is_refused_by_name(model):
    with pytest.raises(SchemaError):
        ItemAdapter(model)


def test_a_refusal_says_what_was_found_and_where_to_look():
    with pytest.raises(UnsupportedTypeError, match=r"Holder\.value: a class is code"):
        Field(type[Plain])
