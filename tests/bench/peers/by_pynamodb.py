"""PynamoDB with models of its own: it knows no Pydantic."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pynamodb.attributes import (
    Attribute,
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.constants import STRING
from pynamodb.models import Model

from tests.bench import shapes
from tests.bench.peers import ACCESS_KEY_ID, PAGE_SIZE, REGION, SECRET_ACCESS_KEY, Peer, from_cursor, to_cursor

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tests.bench.shapes import Shape


class IsoDateTime(Attribute[datetime]):
    """ISO 8601 text; PynamoDB's own attribute reads only texts that end in `+0000`, which is no form of ISO 8601."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        return value.isoformat()

    def deserialize(self, value: str) -> datetime:
        return datetime.fromisoformat(value)


class Address(MapAttribute[str, Any]):
    street = UnicodeAttribute()
    city = UnicodeAttribute()
    zip = UnicodeAttribute()
    country = UnicodeAttribute()


def _models(url: str) -> dict[str, type[Model]]:
    class Local:
        table_name = "bench"
        host = url
        region = REGION
        aws_access_key_id = ACCESS_KEY_ID
        aws_secret_access_key = SECRET_ACCESS_KEY

    class Flat(Model):
        Meta = Local
        org = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        name = UnicodeAttribute()
        age = NumberAttribute()
        score = NumberAttribute()
        active = BooleanAttribute()

    class Mixed(Model):
        Meta = Local
        org = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        email = UnicodeAttribute()
        name = UnicodeAttribute()
        created = IsoDateTime()
        updated = IsoDateTime()
        birthday = UnicodeAttribute()
        balance = NumberAttribute()
        rating = NumberAttribute()
        visits = NumberAttribute()
        active = BooleanAttribute()
        plan = UnicodeAttribute()
        tags = UnicodeSetAttribute()
        scores: ListAttribute[float] = ListAttribute(of=NumberAttribute)
        settings: MapAttribute[str, str] = MapAttribute()
        quotas: MapAttribute[str, float] = MapAttribute()
        address = Address()
        nick = UnicodeAttribute(null=True)
        phone = UnicodeAttribute(null=True)
        referrer = UnicodeAttribute(null=True)

    return {shapes.FLAT.name: Flat, shapes.MIXED.name: Mixed}


def _native(name: str, value: Any) -> Any:
    """A field's value as PynamoDB's models hold it: text where PynamoDB has no type, a float for the Decimal."""
    if name == "plan":
        return value.value
    if name == "balance":
        return float(value)
    if name in {"id", "birthday", "referrer"} and value is not None:
        return str(value)
    return value


def peer(url: str, shape: Shape) -> Peer:
    model = _models(url)[shape.name]
    instances = [
        model(**{name: _native(name, value) for name, value in sample.model_dump().items()}) for sample in shape.samples
    ]
    hash_key, range_key = instances[0].org, instances[0].id

    def put(instance: Model) -> None:
        instance.save()

    def get() -> Model:
        return model.get(hash_key, range_key)

    def query() -> list[Model]:
        return list(model.query("acme"))

    def page(cursor: str | None) -> tuple[list[Model], str | None]:
        found = model.query("acme", limit=PAGE_SIZE, last_evaluated_key=from_cursor(cursor))
        return list(found), to_cursor(found.last_evaluated_key)

    def to_model(item: Model) -> BaseModel:
        values = {name: getattr(item, name) for name in model.get_attributes()}
        return shape.model.model_validate(
            {name: value.as_dict() if isinstance(value, MapAttribute) else value for name, value in values.items()}
        )

    reads_into = "its own models; UUID, date and enum as text, Decimal as float"
    return Peer("PynamoDB", reads_into, instances, put, get, query, to_model, page=page)
