"""Clients that tell of their calls: on both judges in both colours, and on a fake that answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, cast

import pytest

from oxidyn import AsyncClient, CallRecord, Client, Index, Model, PartitionKey, SortKey
from tests.engines import REGION, Blocking, Colour, Engine, MotoServer, open_client
from tests.fake_aws import FakeAws

if TYPE_CHECKING:
    from oxidyn import Table

Make = Callable[..., Client]


class Note(Model, table="notes"):
    owner: Annotated[str, PartitionKey]
    number: Annotated[int, SortKey]
    text: str = ""
    subject: Annotated[str | None, Index("by_subject", partition=True)] = None


@pytest.fixture
def records() -> list[CallRecord]:
    """What a hook was told, where a test gives `records.append` as one."""
    return []


@pytest.fixture
def make(engine: Engine, colour: Colour, moto_server: MotoServer) -> Iterator[Make]:
    """Make a client of the test's engine and colour, with options."""
    made: list[Client] = []

    def make(**options: Any) -> Client:
        made.append(open_client(engine, colour, lambda: moto_server, **options))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def notes_of(table_name: str) -> Callable[[Client], Table[Note]]:
    """Make the table of a client."""

    def notes_of(client: Client) -> Table[Note]:
        notes = client.table(Note, name=table_name)
        notes.create_table()
        return notes

    return notes_of


@pytest.fixture
def fake() -> Iterator[FakeAws]:
    with FakeAws() as fake:
        yield fake


def fake_options(fake: FakeAws, **options: Any) -> dict[str, Any]:
    keys = {"access_key_id": "KEY", "secret_access_key": "secret"}
    return {"endpoint_url": fake.url, "region": REGION, **keys, **options}


@pytest.fixture
def of_fake(fake: FakeAws, colour: Colour) -> Iterator[Make]:
    """Make a client of the test's colour that reaches the fake, with options."""
    made: list[Client] = []

    def make(**options: Any) -> Client:
        options = fake_options(fake, **options)
        if colour == "sync":
            client = Client(**options)
        else:
            client = cast("Client", Blocking(AsyncClient(**options), asyncio.new_event_loop(), owns_loop=True))
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()
