"""aioboto3's client with the same bridge to Pydantic as boto3's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aioboto3
from botocore.config import Config

from tests.bench.peers import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, Peer, same
from tests.bench.peers.by_boto3 import QUERY, boto3_key
from tests.bench.typed import from_typed, to_typed

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tests.bench.shapes import Shape


async def peer(url: str, shape: Shape) -> Peer:
    context = aioboto3.Session().client(
        "dynamodb",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
        # As many connections as there are calls in flight; ten is botocore's own.
        config=Config(max_pool_connections=50),
    )
    client = await context.__aenter__()
    key = boto3_key(shape)

    async def put(instance: BaseModel) -> None:
        await client.put_item(TableName="bench", Item=to_typed(instance))

    async def get() -> BaseModel:
        reply = await client.get_item(TableName="bench", Key=key)
        return from_typed(shape.model, reply["Item"])

    async def query() -> list[BaseModel]:
        reply = await client.query(**QUERY)
        return [from_typed(shape.model, item) for item in reply["Items"]]

    async def close() -> None:
        await context.__aexit__(None, None, None)

    return Peer(
        "aioboto3",
        "Pydantic models, by hand: TypeDeserializer, model_validate",
        shape.samples,
        put,
        get,
        query,
        same,
        close,
    )
