"""One field of some type in a model of its own, and the independent judges of what is stored: boto3 and Pydantic."""

import json
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from oxidyn import InvalidItem, ItemAdapter


class Field:
    """A model with the one field `value`, and its adapter."""

    def __init__(self, annotation: Any, default: Any = ..., *, config: ConfigDict | None = None, **options: Any):
        self.model = create_model("Holder", __config__=config, value=(annotation, default))
        self.adapter = ItemAdapter(self.model, **options)

    def store(self, value: Any) -> Any:
        """How the value is stored, `{"S": "x"}`; None where it is left out."""
        return self.store_instance(self.model(value=value))

    def store_instance(self, instance: BaseModel) -> Any:
        return json.loads(self.adapter.dump_wire(instance)).get("value")

    def load(self, attribute: Any) -> Any:
        """The field's value for a stored attribute; for None, where there is none."""
        item = {} if attribute is None else {"value": attribute}
        return self.adapter.load_wire(json.dumps(item).encode()).value

    def refusal(self, attribute: Any) -> dict[str, Any]:
        """The one error by which a stored attribute is refused."""
        with pytest.raises(InvalidItem) as caught:
            self.load(attribute)
        [error] = caught.value.errors()
        return dict(error)

    def refusal_to_store(self, value: Any) -> dict[str, Any]:
        """The one error by which a value, set without validation, is refused."""
        with pytest.raises(InvalidItem) as caught:
            self.adapter.dump_wire(self.model.model_construct(value=value))
        [error] = caught.value.errors()
        return dict(error)

    def check_round_trip(self, value: Any) -> None:
        """The value comes back by every way, of the same type, in an instance that is the same throughout."""
        instance = self.model(value=value)
        check_round_trip(self.adapter, instance)
        loaded = self.adapter.load_wire(self.adapter.dump_wire(instance))
        assert type(loaded.value) is type(instance.value)

    def check_against_boto3(self, value: Any, boto3_value: Any) -> None:
        """boto3 stores `boto3_value` as we store `value`, and each reads what the other wrote."""
        ours = self.adapter.dump_item(self.model(value=value))["value"]
        theirs = TypeSerializer().serialize(boto3_value)
        assert comparable(ours) == comparable(theirs)
        if is_readable_by_boto3(ours):
            assert plain(TypeDeserializer().deserialize(ours)) == boto3_value
        assert self.adapter.load_item({"value": theirs}).value == self.model(value=value).value

    def check_against_pydantic(self, attribute: Any, python_value: Any) -> None:
        """What `model_validate` makes of the decoded value, we make of the stored one: accepted or refused."""
        try:
            expected = self.model.model_validate({"value": python_value}).value
        except ValidationError as error:
            refused_as = error.errors()[0]["type"]
        else:
            refused_as = None
            loaded = self.load(attribute)
            assert (loaded, type(loaded)) == (expected, type(expected))
        assert refused_as is None or self.refusal(attribute)["type"] == refused_as


def check_round_trip(adapter: ItemAdapter[Any], instance: Any) -> None:
    wire = adapter.dump_wire(instance)
    as_json = adapter.dump_item(instance, mode="json")
    assert json.loads(wire) == as_json
    for loaded in (
        adapter.load_wire(wire),
        adapter.load_wire(json.dumps(as_json, indent=1).encode()),
        adapter.load_item(adapter.dump_item(instance)),
        adapter.load_item(as_json),
    ):
        assert loaded == instance
        assert type(loaded) is type(instance)
        if isinstance(instance, BaseModel):
            assert loaded.model_dump() == instance.model_dump()


def is_readable_by_boto3(attribute: Any) -> bool:
    """boto3 refuses numbers with more than 38 digits even where they end in zeros, as DynamoDB itself prints 1E+38."""
    return len(attribute.get("N", "").strip("-").replace(".", "").lstrip("0")) <= 38


def comparable(attribute: Any) -> Any:
    """An attribute by its value: numbers as numbers, sets without order."""
    [(tag, content)] = attribute.items()
    match tag:
        case "N":
            return tag, Decimal(content)
        case "NS":
            return tag, {Decimal(each) for each in content}
        case "SS" | "BS":
            return tag, set(content)
        case "L":
            return tag, [comparable(each) for each in content]
        case "M":
            return tag, {name: comparable(each) for name, each in content.items()}
        case _:
            return tag, content


def plain(value: Any) -> Any:
    """What boto3 read, with `bytes` in place of its own class for them."""
    match value:
        case Binary():
            return bytes(value)
        case list():
            return [plain(each) for each in value]
        case set():
            return {plain(each) for each in value}
        case dict():
            return {name: plain(each) for name, each in value.items()}
        case _:
            return value
