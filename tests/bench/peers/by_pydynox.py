"""pydynox, blocking and awaited, in two ways: its client fed by Pydantic, and its own models."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from pydynox import DynamoDBClient, Model, ModelConfig
from pydynox.attributes import (
    BooleanAttribute,
    DatetimeAttribute,
    DecimalAttribute,
    EnumAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    StringAttribute,
    StringSetAttribute,
)

from tests.bench import shapes
from tests.bench.peers import (
    ACCESS_KEY_ID,
    PAGE_SIZE,
    REGION,
    SECRET_ACCESS_KEY,
    Peer,
    from_cursor,
    same,
    to_cursor,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from tests.bench.shapes import Shape

QUERY: dict[str, Any] = {
    "expression_attribute_names": {"#org": "org"},
    "expression_attribute_values": {":org": "acme"},
}
BY_HAND = "pydynox, by hand"
BY_HAND_READS = "Pydantic models, by hand: its dicts, model_validate"
OWN = "pydynox Model"
OWN_READS = "its own models; UUID and date as text"

# It warns of every call that took 100 ms, as each of 50 queries in flight on one core does.
logging.getLogger("pydynox").setLevel(logging.ERROR)


def _client(url: str) -> DynamoDBClient:
    return DynamoDBClient(region=REGION, access_key=ACCESS_KEY_ID, secret_key=SECRET_ACCESS_KEY, endpoint_url=url)


def _by_hand_key(shape: Shape) -> dict[str, Any]:
    return shape.samples[0].model_dump(mode="json", include={"org", "id"})


def by_hand(url: str, shape: Shape) -> Peer:
    client = _client(url)
    key = _by_hand_key(shape)

    # Its client refuses datetime, UUID and enum; JSON mode stores the Decimal as text and the set as a list.
    def put(instance: BaseModel) -> None:
        client.sync_put_item("bench", instance.model_dump(mode="json", exclude_none=True))

    def get() -> BaseModel:
        return shape.model.model_validate(client.sync_get_item("bench", key))

    def query() -> list[BaseModel]:
        return [shape.model.model_validate(item) for item in client.sync_query("bench", "#org = :org", **QUERY)]

    def page(cursor: str | None) -> tuple[list[BaseModel], str | None]:
        start = from_cursor(cursor)
        found = client.sync_query("bench", "#org = :org", **QUERY, limit=PAGE_SIZE, last_evaluated_key=start)
        items = [shape.model.model_validate(item) for item in found]
        return items, to_cursor(found.last_evaluated_key)

    def batch_write(instances: Sequence[BaseModel]) -> None:
        client.sync_batch_write("bench", [each.model_dump(mode="json", exclude_none=True) for each in instances])

    return Peer(BY_HAND, BY_HAND_READS, shape.samples, put, get, query, same, page=page, batch_write=batch_write)


async def by_hand_async(url: str, shape: Shape) -> Peer:
    client = _client(url)
    key = _by_hand_key(shape)

    async def put(instance: BaseModel) -> None:
        await client.put_item("bench", instance.model_dump(mode="json", exclude_none=True))

    async def get() -> BaseModel:
        return shape.model.model_validate(await client.get_item("bench", key))

    async def query() -> list[BaseModel]:
        return [shape.model.model_validate(item) async for item in client.query("bench", "#org = :org", **QUERY)]

    return Peer(BY_HAND, BY_HAND_READS, shape.samples, put, get, query, same)


def _models(url: str) -> dict[str, type[Model]]:
    config = ModelConfig(table="bench", client=_client(url))

    class Flat(Model):
        model_config = config
        org = StringAttribute(partition_key=True)
        id = StringAttribute(sort_key=True)
        name = StringAttribute()
        age = NumberAttribute()
        score = NumberAttribute()
        active = BooleanAttribute()

    class Mixed(Model):
        model_config = config
        org = StringAttribute(partition_key=True)
        id = StringAttribute(sort_key=True)
        email = StringAttribute()
        name = StringAttribute()
        created = DatetimeAttribute()
        updated = DatetimeAttribute()
        birthday = StringAttribute()
        balance = DecimalAttribute()
        rating = NumberAttribute()
        visits = NumberAttribute()
        active = BooleanAttribute()
        plan = EnumAttribute(shapes.Plan)
        tags = StringSetAttribute()
        scores = ListAttribute()
        settings: MapAttribute[Any] = MapAttribute()
        quotas: MapAttribute[Any] = MapAttribute()
        address: MapAttribute[Any] = MapAttribute()
        nick = StringAttribute()
        phone = StringAttribute()
        referrer = StringAttribute()

    return {shapes.FLAT.name: Flat, shapes.MIXED.name: Mixed}


def own_model(url: str, shape: Shape) -> type[Model]:
    """Its own model of a shape."""
    return _models(url)[shape.name]


def own_instances(model: type[Model], shape: Shape) -> list[Model]:
    def native(name: str, value: Any) -> Any:
        return str(value) if name in {"id", "birthday", "referrer"} and value is not None else value

    return [
        model(**{name: native(name, value) for name, value in sample.model_dump().items()}) for sample in shape.samples
    ]


def _to_model(shape: Shape, item: Model) -> BaseModel:
    return shape.model.model_validate({name: getattr(item, name) for name in shape.model.model_fields})


def own(url: str, shape: Shape) -> Peer:
    model = own_model(url, shape)
    instances = own_instances(model, shape)
    key: dict[str, Any] = {"org": instances[0].org, "id": instances[0].id}

    # `full_replace` is its PutItem; without it a saved instance would send an UpdateItem of what changed: nothing.
    def put(instance: Model) -> None:
        instance.sync_save(full_replace=True)

    def get() -> Any:
        return model.sync_get(**key)

    def query() -> list[Any]:
        return list(model.sync_query(partition_key="acme"))

    def page(cursor: str | None) -> tuple[list[Any], str | None]:
        found = model.sync_query(partition_key="acme", limit=PAGE_SIZE, last_evaluated_key=from_cursor(cursor))
        return list(found), to_cursor(found.last_evaluated_key)

    return Peer(OWN, OWN_READS, instances, put, get, query, lambda item: _to_model(shape, item), page=page)


async def own_async(url: str, shape: Shape) -> Peer:
    model = own_model(url, shape)
    instances = own_instances(model, shape)
    key: dict[str, Any] = {"org": instances[0].org, "id": instances[0].id}

    async def put(instance: Model) -> None:
        await instance.save(full_replace=True)

    async def get() -> Any:
        return await model.get(**key)

    async def query() -> list[Any]:
        return [item async for item in model.query(partition_key="acme")]

    return Peer(OWN, OWN_READS, instances, put, get, query, lambda item: _to_model(shape, item))
