"""The way through boto3's types: what one writes by hand around boto3 to store a Pydantic model, and the judge of what was sent."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

if TYPE_CHECKING:
    from pydantic import BaseModel

    M = TypeVar("M", bound=BaseModel)

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def to_typed(instance: BaseModel) -> dict[str, Any]:
    """boto3's low-level item of a model: `model_dump`, a walk to the types boto3 knows, `TypeSerializer`."""
    return {name: _serialize(_plain(value)) for name, value in instance.model_dump(exclude_none=True).items()}


def from_typed(model: type[M], item: dict[str, Any]) -> M:
    return model.model_validate({name: _deserialize(value) for name, value in item.items()})


def _plain(value: Any) -> Any:  # Any: whatever a model may hold
    if value is None or isinstance(value, (str, bool, int, Decimal)):
        return value
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    if isinstance(value, set):
        return {_plain(member) for member in value}
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"no shape of the bench holds a {type(value).__name__}")
