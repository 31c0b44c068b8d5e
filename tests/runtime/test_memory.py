"""Memory does not grow with the items that are read, nor with the calls that were made."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

from oxidyn import AsyncClient, Client
from tests.fake_aws import Answer, FakeAws
from tests.ops.models import Counter
from tests.runtime.options import options

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")

MEGABYTE = 2**20
ITEMS_OF_A_PAGE = 2000


def resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def pages(number: int) -> list[Answer]:
    """So many pages, of two bodies in turn, since a page may not end where it began: it is the reader's memory that is
    looked at.
    """
    items = [{"name": {"S": f"n{place}"}, "count": {"N": "1"}} for place in range(ITEMS_OF_A_PAGE)]
    further = [
        Answer(body=json.dumps({"Items": items, "LastEvaluatedKey": {"name": {"S": end}}}).encode()) for end in "yz"
    ]
    last = Answer(body=json.dumps({"Items": items}).encode())
    return [*islice(cycle(further), number - 1), last]


def test_memory_is_flat_over_a_scan_of_a_million_items(fake: FakeAws) -> None:
    table = Client(**options(fake)).table(Counter)
    count, before, most = 0, 0, 0

    fake.answers = pages(1_000_000 // ITEMS_OF_A_PAGE)
    for count, _ in enumerate(table.scan(), 1):
        if count == 100_000:
            before = resident()
        elif count % 100_000 == 0:
            most = max(most, resident())

    assert count == 1_000_000
    assert most - before < 5 * MEGABYTE


@pytest.mark.parametrize("way", ["scan", "parallel_scan", "page"])
def test_memory_is_flat_over_awaited_pages(fake: FakeAws, way: str) -> None:
    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            table = client.table(Counter)
            count, before, most = 0, 0, 0
            fake.answers = pages(100)
            if way == "page":
                for number in range(100):
                    page = await table.scan().page(ITEMS_OF_A_PAGE)
                    count += len(page.items)
                    del page
                    if number == 20:
                        before = resident()
                    elif number % 20 == 0:
                        most = max(most, resident())
            else:
                scan = table.scan() if way == "scan" else table.parallel_scan(segments=1)
                async for _ in scan:
                    count += 1
                    if count == 20 * ITEMS_OF_A_PAGE:
                        before = resident()
                    elif count % (20 * ITEMS_OF_A_PAGE) == 0:
                        most = max(most, resident())
            assert count == 100 * ITEMS_OF_A_PAGE
            assert most - before < 5 * MEGABYTE

    asyncio.run(main())


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_memory_is_flat_over_many_calls(colour: str) -> None:
    """On the embedded engine, which keeps no more of an item than its last form."""

    async def awaited(table: Any, calls: int) -> None:
        for _ in range(calls // 50):
            await asyncio.gather(*(table.put(Counter(name="hits")) for _ in range(25)))
            await asyncio.gather(*(table.get("hits") for _ in range(25)))

    async def main() -> None:
        async with AsyncClient.local() as client:
            table = client.table(Counter)
            await table.create_table()
            await awaited(table, 2000)
            before = resident()
            await awaited(table, 10_000)
            assert resident() - before < 5 * MEGABYTE

    if colour == "async":
        asyncio.run(main())
        return
    with Client.local() as client:
        table = client.table(Counter)
        table.create_table()

        def block(calls: int) -> None:
            for _ in range(calls // 2):
                table.put(Counter(name="hits"))
                table.get("hits")

        block(2000)
        before = resident()
        block(10_000)
        assert resident() - before < 5 * MEGABYTE
