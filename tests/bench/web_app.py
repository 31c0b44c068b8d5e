"""The web service that `web` puts load on: a page of items and one item, each way to them a route.

`python -m tests.bench.web_app STUB_URL SHAPE` prints the port that it listens on.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import aioboto3
import boto3
import uvicorn
import uvloop
from botocore.config import Config
from fastapi import FastAPI, Query, Response

from oxidyn import AsyncClient, Page, expr
from tests.bench import shapes
from tests.bench.peers import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, from_cursor, to_cursor
from tests.bench.peers.by_boto3 import QUERY, boto3_key
from tests.bench.typed import from_typed

if TYPE_CHECKING:
    import socket

    from tests.bench.shapes import Shape

SHAPES = {"flat": shapes.FLAT, "mixed": shapes.MIXED}
SIZE = 100

Size = Annotated[int, Query(ge=1, le=SIZE)]

# Any: the response models are the shape's, which no checker knows, and so is what each library gives.


def add_ours(app: FastAPI, shape: Shape, table: Any) -> None:
    """Add the routes by oxidyn, through models and without them."""
    model: Any = shape.model
    of_page: Any = Page[model]
    key: Any = shape.samples[0]

    @app.get("/page_json", response_model=of_page)
    async def page_json(size: Size = SIZE, after: str | None = None) -> Response:
        page = await table.query(expr(model).org == "acme").page_json(size, after)
        return Response(page, media_type="application/json")

    @app.get("/page", response_model=of_page)
    async def page(size: Size = SIZE, after: str | None = None) -> Any:
        return await table.query(expr(model).org == "acme").page(size, after)

    @app.get("/get_json", response_model=model)
    async def get_json() -> Response:
        return Response(await table.get_json(key.org, key.id), media_type="application/json")

    @app.get("/get", response_model=model)
    async def get() -> Any:
        return await table.get(key.org, key.id)


def add_boto3s(app: FastAPI, shape: Shape, awaited: Any, blocking: Any) -> None:
    """Add the routes by aioboto3, and by boto3 in FastAPI's threads."""
    model: Any = shape.model
    of_page: Any = Page[model]
    key = boto3_key(shape)

    def page_of(reply: Any) -> Any:
        items = [from_typed(model, item) for item in reply["Items"]]
        return of_page(items=items, cursor=to_cursor(reply.get("LastEvaluatedKey")))

    def asked(size: int, after: str | None) -> dict[str, Any]:
        start = {} if after is None else {"ExclusiveStartKey": from_cursor(after)}
        return QUERY | start | {"Limit": size}

    @app.get("/aioboto3", response_model=of_page)
    async def page_by_aioboto3(size: Size = SIZE, after: str | None = None) -> Any:
        return page_of(await awaited.query(**asked(size, after)))

    @app.get("/boto3", response_model=of_page)
    def page_by_boto3(size: Size = SIZE, after: str | None = None) -> Any:
        return page_of(blocking.query(**asked(size, after)))

    @app.get("/get_aioboto3", response_model=model)
    async def get_by_aioboto3() -> Any:
        return from_typed(model, (await awaited.get_item(TableName="bench", Key=key))["Item"])

    @app.get("/get_boto3", response_model=model)
    def get_by_boto3() -> Any:
        return from_typed(model, blocking.get_item(TableName="bench", Key=key)["Item"])


def add_bare(app: FastAPI) -> None:
    """Add a route that does nothing, and one that tells the CPU time of the process."""

    @app.get("/nothing")
    async def nothing() -> Response:
        return Response(b"{}", media_type="application/json")

    @app.get("/cpu")
    async def cpu() -> float:
        return time.process_time()


class Server(uvicorn.Server):
    """uvicorn, which says on which port it is."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(f"{self.servers[0].sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()


async def serve(url: str, shape: Shape) -> None:
    theirs: Any = {
        "endpoint_url": url,
        "region_name": REGION,
        "aws_access_key_id": ACCESS_KEY_ID,
        "aws_secret_access_key": SECRET_ACCESS_KEY,
        # As many connections as there are requests at once; ten is botocore's own.
        "config": Config(max_pool_connections=50),
    }
    ours: Any = {
        "endpoint_url": url,
        "region": REGION,
        "access_key_id": ACCESS_KEY_ID,
        "secret_access_key": SECRET_ACCESS_KEY,
    }
    async with AsyncClient(**ours) as client, aioboto3.Session().client("dynamodb", **theirs) as awaited:
        app = FastAPI()
        add_ours(app, shape, client.table(shape.model, name="bench", partition="org", sort="id"))
        add_boto3s(app, shape, awaited, boto3.client("dynamodb", **theirs))
        add_bare(app)
        # The load's connections are kept from round to round, however slow the others are in between.
        options: Any = {"http": "httptools", "access_log": False, "log_level": "warning", "timeout_keep_alive": 600}
        await Server(uvicorn.Config(app, port=0, **options)).serve()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], SHAPES[sys.argv[2]]))
