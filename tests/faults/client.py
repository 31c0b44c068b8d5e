"""Clients of either colour on a misbehaving server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from oxidyn import AsyncClient, Client
from tests.engines import Blocking, Colour
from tests.faults.server import MisbehavingServer


def options(url: str, **more: Any) -> dict[str, Any]:
    """What a client takes to reach the server at `url`, without asking the environment."""
    given = {
        "endpoint_url": url,
        "region": "eu-central-1",
        "access_key_id": "KEY",
        "secret_access_key": "secret",
        **more,
    }
    return {name: value for name, value in given.items() if value is not None}


@contextmanager
def client_of(server: MisbehavingServer, colour: Colour, **more: Any) -> Iterator[Client]:
    """Open a client; an `AsyncClient` comes as a facade that looks like `Client`."""
    given = options(server.url, **more)
    client: Any = Client(**given) if colour == "sync" else AsyncClient(**given)
    if colour == "async":
        client = Blocking(client, asyncio.new_event_loop(), owns_loop=True)
    try:
        yield client
    finally:
        client.close()
