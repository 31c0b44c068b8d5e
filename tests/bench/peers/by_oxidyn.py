"""oxidyn, blocking and awaited, over the very models that the others read into by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oxidyn import AsyncClient, Client, expr
from tests.bench.peers import ACCESS_KEY_ID, PAGE_SIZE, REGION, SECRET_ACCESS_KEY, Peer, same

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tests.bench.shapes import Shape

READS = "Pydantic models"


def _options(url: str) -> dict[str, Any]:
    return {
        "region": REGION,
        "endpoint_url": url,
        "access_key_id": ACCESS_KEY_ID,
        "secret_access_key": SECRET_ACCESS_KEY,
    }


def _key(shape: Shape) -> tuple[Any, Any]:
    sample: Any = shape.samples[0]
    return sample.org, sample.id


def peer(url: str, shape: Shape) -> Peer:
    table = Client(**_options(url)).table(shape.model, name="bench", partition="org", sort="id")
    org, id_ = _key(shape)

    def get() -> BaseModel | None:
        return table.get(org, id_)

    def query() -> list[BaseModel]:
        return list(table.query(expr(shape.model).org == "acme"))

    def page(cursor: str | None) -> tuple[list[BaseModel], str | None]:
        page = table.query(expr(shape.model).org == "acme").page(PAGE_SIZE, cursor)
        return page.items, page.cursor

    return Peer("oxidyn", READS, shape.samples, table.put, get, query, same, page=page, batch_write=table.batch_put)


async def peer_async(url: str, shape: Shape) -> Peer:
    client = AsyncClient(**_options(url))
    table = client.table(shape.model, name="bench", partition="org", sort="id")
    org, id_ = _key(shape)

    async def get() -> BaseModel | None:
        return await table.get(org, id_)

    async def query() -> list[BaseModel]:
        return [item async for item in table.query(expr(shape.model).org == "acme")]

    return Peer("oxidyn", READS, shape.samples, table.put, get, query, same, client.close)
