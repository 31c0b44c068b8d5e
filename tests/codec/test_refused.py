"""What this version cannot store is refused when the model is compiled, by name and with the field's path."""

import dataclasses
from collections.abc import Callable, Generator, Iterable
from datetime import timedelta
from typing import Annotated, Literal

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    InstanceOf,
    PlainValidator,
    RootModel,
    SecretStr,
    WrapValidator,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
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
    Annotated[int, AfterValidator(abs)],
    Annotated[int, BeforeValidator(int)],
    Annotated[int, WrapValidator(lambda value, handler: handler(value))],
    Annotated[int, PlainValidator(int)],
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


def test_validators_of_a_field_are_refused_when_compiled():
    class Checked(BaseModel):
        value: int

        @field_validator("value")
        @classmethod
        def check(cls, value: int) -> int:
            return value

    with pytest.raises(UnsupportedTypeError, match=r"Checked\.value"):
        ItemAdapter(Checked)


@pytest.mark.parametrize("mode", ["before", "after", "wrap"])
def test_validators_of_a_model_are_refused_when_compiled(mode):
    if mode == "after":

        class Checked(BaseModel):
            value: int

            @model_validator(mode="after")
            def check(self):
                return self

    elif mode == "before":

        class Checked(BaseModel):
            value: int

            @model_validator(mode="before")
            @classmethod
            def check(cls, data):
                return data

    else:

        class Checked(BaseModel):
            value: int

            @model_validator(mode="wrap")
            @classmethod
            def check(cls, data, handler):
                return handler(data)

    with pytest.raises(UnsupportedTypeError, match="Checked"):
        ItemAdapter(Checked)


def test_serializers_of_a_field_or_model_are_refused_when_compiled():
    class Masked(BaseModel):
        value: str

        @field_serializer("value")
        def mask(self, value: str) -> str:
            return "***"

    class Whole(BaseModel):
        value: str

        @model_serializer
        def mask(self) -> dict[str, str]:
            return {"value": "***"}

    with pytest.raises(UnsupportedTypeError, match=r"Masked\.value"):
        ItemAdapter(Masked)
    with pytest.raises(UnsupportedTypeError, match=r"Whole"):
        ItemAdapter(Whole)


def test_a_serializer_for_json_never_counts():
    class Shown(BaseModel):
        value: str

        @field_serializer("value", when_used="json")
        def mask(self, value: str) -> str:
            return "***"

    assert ItemAdapter(Shown).dump_item(Shown(value="a")) == {"value": {"S": "a"}}


def test_a_default_on_error_is_refused_when_compiled():
    from pydantic_core import core_schema

    class Lenient:
        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            return core_schema.with_default_schema(core_schema.int_schema(), default=0, on_error="default")

    with pytest.raises(SchemaError, match=r"Holder\.value"):
        Field(Lenient)


@pytest.mark.parametrize("model", [int, list[int], Root, Cat | Dog], ids=repr)
def test_what_is_no_item_is_refused_by_name(model):
    with pytest.raises(SchemaError):
        ItemAdapter(model)


def test_a_refusal_says_what_was_found_and_where_to_look():
    with pytest.raises(UnsupportedTypeError, match=r'Holder\.value: a field with a validator .*"Supported types"'):
        Field(Annotated[int, AfterValidator(abs)])
    with pytest.raises(UnsupportedTypeError, match=r"Holder\.value: a class is code"):
        Field(type[Plain])
