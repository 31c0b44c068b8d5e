"""`ItemAdapter` as a whole: what it takes, what it gives, and that boto3 understands it."""

import base64
import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import pytest
from boto3.dynamodb.types import TypeDeserializer
from pydantic import BaseModel

from oxidyn import InvalidItem, ItemAdapter, Model, PartitionKey, SchemaError
from tests.codec.judges import plain


class Photo(BaseModel):
    id: UUID
    pixels: bytes
    parts: set[bytes]
    taken: datetime
    price: Decimal
    tags: list[str]


ADAPTER = ItemAdapter(Photo)
PHOTO = Photo(
    id=UUID(int=1),
    pixels=b"\x00\xff",
    parts={b"a"},
    taken=datetime(2026, 1, 31, tzinfo=timezone.utc),
    price=Decimal("1.5"),
    tags=["a"],
)


def test_dump_wire_gives_the_json_of_an_item():
    wire = ADAPTER.dump_wire(PHOTO)

    assert type(wire) is bytes
    assert json.loads(wire) == {
        "id": {"S": str(UUID(int=1))},
        "pixels": {"B": "AP8="},
        "parts": {"BS": ["YQ=="]},
        "taken": {"S": "2026-01-31T00:00:00.000000Z"},
        "price": {"N": "1.5"},
        "tags": {"L": [{"S": "a"}]},
    }


def test_dump_item_gives_boto3s_low_level_form():
    item = ADAPTER.dump_item(PHOTO)

    assert item["pixels"] == {"B": b"\x00\xff"}
    assert item["parts"] == {"BS": [b"a"]}
    assert {name: plain(TypeDeserializer().deserialize(value)) for name, value in item.items()} == {
        "id": str(UUID(int=1)),
        "pixels": b"\x00\xff",
        "parts": {b"a"},
        "taken": "2026-01-31T00:00:00.000000Z",
        "price": Decimal("1.5"),
        "tags": ["a"],
    }


def test_dump_item_in_json_mode_equals_the_wire():
    assert ADAPTER.dump_item(PHOTO, mode="json") == json.loads(ADAPTER.dump_wire(PHOTO))


def test_another_mode_is_refused():
    with pytest.raises(ValueError, match="mode"):
        ADAPTER.dump_item(PHOTO, mode="xml")  # type: ignore[arg-type]


def test_load_item_takes_both_forms():
    assert ADAPTER.load_item(ADAPTER.dump_item(PHOTO)) == PHOTO
    assert ADAPTER.load_item(ADAPTER.dump_item(PHOTO, mode="json")) == PHOTO


def test_load_wire_and_load_item_agree():
    image = ADAPTER.dump_item(PHOTO, mode="json")
    image["pixels"] = {"B": base64.b64encode(b"b").decode()}

    assert ADAPTER.load_item(image) == ADAPTER.load_wire(json.dumps(image).encode())


def test_a_model_that_waits_for_another_class_is_completed():
    class Later(BaseModel, defer_build=True):
        value: int

    assert ItemAdapter(Later).dump_wire(Later(value=1)) == b'{"value":{"N":"1"}}'


def test_models_of_ours_need_no_table():
    class Note(Model):
        id: Annotated[str, PartitionKey]

    assert ItemAdapter(Note).load_wire(b'{"id":{"S":"a"}}') == Note(id="a")


def test_an_option_that_is_none_is_no_parameter():
    with pytest.raises(TypeError, match="nonsense"):
        ItemAdapter(Photo, nonsense="trust")


@pytest.mark.parametrize(
    ("option", "value"),
    [("load", "always"), ("unset", "keep"), ("unknown", "forget"), ("unknown", "allow"), ("any_numbers", "float")],
)
def test_other_values_of_an_option_are_refused_by_name(option, value):
    with pytest.raises((SchemaError, ValueError), match=option):
        ItemAdapter(Photo, **{option: value})


def test_the_plan_is_compiled_when_the_adapter_is_made():
    class Unknown(BaseModel):
        value: type[int]

    with pytest.raises(SchemaError):
        ItemAdapter(Unknown)


def test_many_adapters_of_one_model_share_its_plan():
    assert ItemAdapter(Photo)._schema.plan is ADAPTER._schema.plan


def test_its_repr_names_the_model():
    assert repr(ADAPTER) == "ItemAdapter(Photo)"


def test_instances_are_not_changed_by_being_stored():
    before = PHOTO.model_copy(deep=True)

    ADAPTER.dump_wire(PHOTO)
    ADAPTER.dump_item(PHOTO)

    assert before == PHOTO
    assert before.model_fields_set == PHOTO.model_fields_set


def test_an_error_leaves_the_adapter_usable():
    with pytest.raises(InvalidItem):
        ADAPTER.load_wire(b"{")

    assert ADAPTER.load_wire(ADAPTER.dump_wire(PHOTO)) == PHOTO
