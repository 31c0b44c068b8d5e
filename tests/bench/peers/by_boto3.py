"""boto3's client with a bridge to Pydantic written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3

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
from tests.bench.typed import from_typed, to_typed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from tests.bench.shapes import Shape


def peer(url: str, shape: Shape) -> Peer:
    client = boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
    )
    key = boto3_key(shape)

    def put(instance: BaseModel) -> None:
        client.put_item(TableName="bench", Item=to_typed(instance))

    def get() -> BaseModel:
        return from_typed(shape.model, client.get_item(TableName="bench", Key=key)["Item"])

    def query() -> list[BaseModel]:
        reply = client.query(**QUERY)
        return [from_typed(shape.model, item) for item in reply["Items"]]

    def query_all() -> list[BaseModel]:
        pages = client.get_paginator("query").paginate(**QUERY)
        return [from_typed(shape.model, item) for page in pages for item in page["Items"]]

    def page(cursor: str | None) -> tuple[list[BaseModel], str | None]:
        start = {} if cursor is None else {"ExclusiveStartKey": from_cursor(cursor)}
        reply = client.query(**QUERY, **start, Limit=PAGE_SIZE)
        items = [from_typed(shape.model, item) for item in reply["Items"]]
        return items, to_cursor(reply.get("LastEvaluatedKey"))

    def batch_write(instances: Sequence[BaseModel]) -> None:
        writes = [{"PutRequest": {"Item": to_typed(instance)}} for instance in instances]
        client.batch_write_item(RequestItems={"bench": writes})

    return Peer(
        "boto3",
        "Pydantic models, by hand: TypeDeserializer, model_validate",
        shape.samples,
        put,
        get,
        query,
        same,
        query_all=query_all,
        page=page,
        batch_write=batch_write,
    )


QUERY: dict[str, Any] = {
    "TableName": "bench",
    "KeyConditionExpression": "#org = :org",
    "ExpressionAttributeNames": {"#org": "org"},
    "ExpressionAttributeValues": {":org": {"S": "acme"}},
}


def boto3_key(shape: Shape) -> dict[str, Any]:
    item = to_typed(shape.samples[0])
    return {"org": item["org"], "id": item["id"]}
