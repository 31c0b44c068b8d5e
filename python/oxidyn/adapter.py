"""`ItemAdapter`: the codec by itself, for those who make the calls with something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from .exports import show_public_path
from .policies import AnyNumbers, Load, Policies, Unknown, Unset
from .schema import TableSchema
from .size import ItemSize, size_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .annotations import IndexKeys, Projection

__all__ = ["ItemAdapter"]

T = TypeVar("T")


class ItemAdapter(Generic[T]):
    """Turn instances of a model into DynamoDB items and back, without a client.

        adapter = ItemAdapter(User)
        boto3_client.put_item(TableName="users", Item=adapter.dump_item(user))
        user = adapter.load_item(event["Records"][0]["dynamodb"]["NewImage"])

    Takes a Pydantic model, a dataclass or a TypedDict, and the options of `client.table()`. No keys are needed; where
    the model or the options name some, they are held to the same rules as in a table.

    Args:
        type_: The model.
        partition: The partition key's field, in place of the one that is marked.
        sort: The sort key's field, in place of the one that is marked.
        indexes: Indexes by name, beside those that are marked.
        load: `"trust"` does not run your own validators on what is read; types, shapes and constraints are checked still.
        unset: `"skip"` leaves out fields that were never set and whose default is a plain value.
        unknown: `"error"` refuses stored attributes that are no field; `"keep"` holds them beside the instance, so that
            they are written back with it.
        any_numbers: `"decimal"` reads numbers without a type (`Any`) as `Decimal` unless they are integral; else a float
            is preferred where it is the same number.

    Raises:
        SchemaError: The model cannot be stored as it is declared; the message names the field.
    """

    def __init__(
        self,
        type_: type[T],
        *,
        partition: str | None = None,
        sort: str | None = None,
        indexes: Mapping[str, Projection | IndexKeys] | None = None,
        load: Load = "validate",
        unset: Unset = "store",
        unknown: Unknown = "skip",
        any_numbers: AnyNumbers = "auto",
    ) -> None:
        policies = Policies(load, unset, unknown, any_numbers)
        schema = TableSchema.of(type_, partition=partition, sort=sort, indexes=indexes, policies=policies)
        self._schema = schema
        plan = schema.plan
        # The methods below say what these do; the instance has the core's own, since a Python frame costs as much as a
        # small item.
        vars(self).update(
            dump_wire=plan.dump_wire,
            load_wire=plan.load_wire,
            wire_to_json=plan.wire_to_json,
            dump_item=plan.dump_item,
            load_item=plan.load_item,
        )

    def __repr__(self) -> str:
        return f"ItemAdapter({self._schema.title})"

    def dump_wire(self, item: T) -> bytes:
        """Write an instance as the JSON of a DynamoDB item: `b'{"id":{"S":"a"},"age":{"N":"3"}}'`.

        Raises:
            InvalidItem: A value cannot be stored; `errors()` has its path.
        """
        return self._schema.plan.dump_wire(item)

    def load_wire(self, data: bytes) -> T:
        """Read an instance from the JSON of a DynamoDB item.

        Raises:
            InvalidItem: The bytes are no item, or not one of this model; `errors()` has the paths.
        """
        item: T = self._schema.plan.load_wire(data)
        return item

    def wire_to_json(self, data: bytes) -> bytes:
        """Get the JSON that the model gives of an item: the bytes of `load_wire(data).model_dump_json(by_alias=True)`.

        Where the model's schema allows it they are made without an instance; the item is checked all the same.

        Raises:
            InvalidItem: The bytes are no item, or not one of this model; `errors()` has the paths.
        """
        return self._schema.plan.wire_to_json(data)

    def item_size(self, item: T) -> ItemSize:
        """Count an instance's bytes as DynamoDB does: see `oxidyn.item_size`.

        Raises:
            InvalidItem: A value cannot be stored; `errors()` has its path.
        """
        return size_by(self._schema.plan, item)

    # An attribute value is a dict of one member whose type depends on its tag, hence Any.
    def dump_item(self, item: T, mode: Literal["python", "json"] = "python") -> dict[str, dict[str, Any]]:
        """Write an instance as a dict, as boto3's low-level client takes it: `{"id": {"S": "a"}}`.

        Binary values are `bytes`, which boto3 encodes itself. With `mode="json"` they are base64 text, as in JSON.

        Raises:
            InvalidItem: A value cannot be stored; `errors()` has its path.
        """
        return self._schema.plan.dump_item(item, mode)

    def load_item(self, item: Mapping[str, Mapping[str, Any]]) -> T:
        """Read an instance from a dict: an item of boto3's, or an image of a stream event in Lambda.

        Binary values may be `bytes`, taken as they are, or base64 text.

        Raises:
            InvalidItem: The dict is no item, or not one of this model; `errors()` has the paths.
        """
        loaded: T = self._schema.plan.load_item(item)
        return loaded


show_public_path(globals())
