"""Schemas round another one: JSON text, custom errors, chains, no validation, instances, branches."""

from collections.abc import Hashable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address
from pathlib import PurePosixPath
from typing import Annotated, Any

import pytest
from pydantic import (
    Base64Bytes,
    Base64Str,
    BaseModel,
    BeforeValidator,
    HttpUrl,
    ImportString,
    InstanceOf,
    Json,
    Secret,
    SecretStr,
    SkipValidation,
    model_validator,
)
from pydantic_core import core_schema

from oxidyn import Attribute, ItemAdapter, UnsupportedTypeError
from tests.codec.judges import Field, check_round_trip


def raw(schema: Any) -> Any:
    class Raw:
        def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
            return schema

    return Annotated[object, Raw()]


# ---- JSON text ----


class Place(BaseModel):
    city: str


@pytest.mark.parametrize(
    ("annotation", "text", "stored"),
    [
        (Json, '[1, {"a": null}]', {"L": [{"N": "1"}, {"M": {"a": {"NULL": True}}}]}),
        (Json[int], "1", {"N": "1"}),
        (Json[list[date]], '["2026-01-31"]', {"L": [{"S": "2026-01-31"}]}),
        (Json[Place], '{"city": "Ulm"}', {"M": {"city": {"S": "Ulm"}}}),
        (Json[str], '"a"', {"S": "a"}),
        (Json[Decimal], "1.10", {"N": "1.1"}),
        (Json[int] | None, None, {"NULL": True}),
    ],
)
def test_json_is_stored_as_its_value_and_comes_back_equal(annotation, text, stored):
    field = Field(annotation)

    assert field.store(text) == stored
    field.check_round_trip(text)


def test_stored_json_text_is_read_as_pydantic_reads_it():
    assert Field(Json[list[int]]).load({"S": "[1, 2]"}) == [1, 2]
    assert Field(Json[int]).load({"S": "1"}) == 1
    assert Field(Json[str]).load({"S": '"a"'}) == '"a"'
    assert Field(Json[list[int]]).refusal({"S": "["})["type"] == "json_invalid"
    assert Field(Json[list[int]]).refusal({"N": "1"})["type"] == "json_type"


# ---- no validation ----


@pytest.mark.parametrize("value", [5, "text", None, 1.5, [1], {"a": 1}])
def test_a_value_that_is_not_validated_is_stored_as_its_type_or_as_any(value):
    field = Field(SkipValidation[int])

    loaded = field.load(field.store(value))
    assert (loaded, type(loaded)) == (value, type(value))


def test_a_value_of_the_type_comes_back_typed():
    field = Field(SkipValidation[date])

    assert field.store(date(2026, 1, 31)) == {"S": "2026-01-31"}
    assert field.load({"S": "2026-01-31"}) == date(2026, 1, 31)
    assert field.load({"S": "soon"}) == "soon"
    Field(SkipValidation[list[date]]).check_round_trip([date(2026, 1, 31)])
    assert Field(SkipValidation[list[date]]).load({"L": [{"S": "soon"}]}) == ["soon"]


# ---- instances ----


@pytest.mark.parametrize("value", [{"a": 1}, {}])
def test_instances_of_stored_types_are_stored(value):
    Field(InstanceOf[dict]).check_round_trip(value)
    Field(InstanceOf[dict[str, int]]).check_round_trip(value)
    Field(dict[str, InstanceOf[int]]).check_round_trip(value)


def test_what_is_no_instance_is_refused_as_pydantic_refuses_it():
    assert Field(InstanceOf[str]).load({"S": "a"}) == "a"
    assert Field(InstanceOf[str]).refusal({"N": "1"})["type"] == "is_instance_of"
    assert Field(InstanceOf[int]).refusal({"S": "1"})["type"] == "is_instance_of"


@pytest.mark.parametrize("cls", [str, int, float, bytes, list, dict, set, tuple, date, Decimal, object])
def test_a_bare_class_is_stored_where_it_alone_says_how(cls):
    values = {date: date(2026, 1, 31), object: 5, list: [1], dict: {"a": 1}, set: {1}, tuple: (1, 2)}
    value = values[cls] if cls in values else cls()

    field = Field(raw(core_schema.is_instance_schema(cls)))
    field.check_round_trip(value)


@pytest.mark.parametrize("value", ["a", 1, None, b"x"])
def test_hashable_values_are_stored_by_their_type(value):
    Field(Hashable).check_round_trip(value)


def test_what_is_read_must_be_hashable():
    assert Field(Hashable).refusal({"L": []})["type"] == "is_hashable"


class Plain:
    pass


@pytest.mark.parametrize("annotation", [InstanceOf[Plain], list[InstanceOf[Plain]], type, type[Plain]])
def test_what_cannot_be_made_again_is_refused_when_compiled_with_what_to_add(annotation):
    with pytest.raises(UnsupportedTypeError, match=r"^Holder\.value.*: .*PlainValidator.*PlainSerializer"):
        Field(annotation)


# ---- custom errors ----


def test_a_custom_error_replaces_the_refusal():
    told = core_schema.custom_error_schema(
        core_schema.int_schema(ge=1),
        "bad_count",
        custom_error_message="a count of {least}",
        custom_error_context={"least": 1},
    )
    field = Field(raw(told))

    field.check_round_trip(5)
    for attribute in ({"N": "0"}, {"S": "x"}, {"L": []}):
        error = field.refusal(attribute)
        assert (error["type"], error["loc"]) == ("bad_count", ("value",))
        assert error["msg"].startswith("a count of 1")


def test_a_custom_error_may_be_one_of_pydantics():
    field = Field(raw(core_schema.custom_error_schema(core_schema.int_schema(), "string_type")))

    assert field.refusal({"S": "x"})["type"] == "string_type"


# ---- branches and chains ----


def test_the_native_branch_is_stored_and_the_whole_takes_the_rest():
    either = core_schema.lax_or_strict_schema(
        core_schema.no_info_before_validator_function(
            lambda value: len(value) if isinstance(value, str) else value, core_schema.int_schema()
        ),
        core_schema.int_schema(strict=True),
    )
    field = Field(raw(either))

    field.check_round_trip(5)
    assert field.store(5) == {"N": "5"}
    assert field.load({"S": "four"}) == 4


def test_a_branch_for_json_serves_where_the_one_for_python_is_not_stored():
    either = core_schema.json_or_python_schema(
        json_schema=core_schema.int_schema(), python_schema=core_schema.callable_schema()
    )
    field = Field(raw(either))

    assert field.store_instance(field.model.model_construct(value=5)) == {"N": "5"}


def test_a_chain_is_stored_as_its_last_step():
    field = Field(raw(core_schema.chain_schema([core_schema.str_schema(), core_schema.int_schema(ge=3)])))

    assert field.store("5") == {"N": "5"}
    assert field.load({"N": "5"}) == 5
    assert field.load({"S": "5"}) == 5
    assert field.refusal({"N": "2"})["loc"] == ("value",)


def test_a_chain_of_one_type_runs_whole():
    field = Field(raw(core_schema.chain_schema([core_schema.int_schema(le=9), core_schema.int_schema(ge=3)])))

    field.check_round_trip(5)
    assert field.refusal({"N": "10"})["loc"] == ("value",)


def test_a_chain_whose_result_it_would_refuse_is_refused_when_stored():
    measured = core_schema.chain_schema([core_schema.str_schema(), core_schema.no_info_plain_validator_function(len)])

    field = Field(raw(measured))
    assert field.refusal_to_store(5)["loc"] == ("value",)


def test_paths_reach_into_json():
    class Item(BaseModel):
        place: Json[Place]

    adapter = ItemAdapter(Item)
    item = Item(place='{"city": "Ulm"}')  # type: ignore[arg-type]
    assert adapter.load_item(adapter.dump_item(item)) == item


# ---- below validators that run Pydantic's own ----


@pytest.mark.parametrize(
    ("annotation", "given"),
    [
        (Json[list[int]], "[1, 2]"),
        (Json[Place], '{"city": "Ulm"}'),
        (Json, '{"a": [null, 1.5, "x"]}'),
        (Base64Str, "YWJj"),
        (Base64Bytes, b"AP8="),
        (InstanceOf[Place], Place(city="Ulm")),
        (IPv4Address, "192.0.2.1"),
        (HttpUrl, "https://example.com"),
        (PurePosixPath, "/a"),
        (Fraction, "1/3"),
        (ImportString, "math.cos"),
        (Annotated[SecretStr, Attribute(plaintext=True)], "s"),
        (Annotated[Secret[Place], Attribute(plaintext=True)], Place(city="Ulm")),
    ],
)
def test_a_model_that_is_validated_as_a_whole_takes_its_values_once(annotation, given):
    class Before(BaseModel):
        value: annotation

        @model_validator(mode="before")
        @classmethod
        def look(cls, data: Any) -> Any:
            return data

    class Initialized(BaseModel):
        value: annotation

        def __init__(self, **values: Any) -> None:
            super().__init__(**values)

    class Checked(BaseModel):
        value: Annotated[annotation, BeforeValidator(lambda value: value)]

    for model in (Before, Initialized, Checked):
        check_round_trip(ItemAdapter(model), model(value=given))
