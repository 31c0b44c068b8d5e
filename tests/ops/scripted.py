"""A service that answers as it is told, and a client of each colour on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from oxidyn import AsyncClient, Client
from tests.engines import Blocking, Colour
from tests.fake_aws import Answer, FakeAws, Request


class Service(FakeAws):
    """Answers each request by what it holds, whatever their order."""

    def __init__(self) -> None:
        super().__init__()
        self.judge: Callable[[str], Answer | None] = lambda _: None
        """The answer to a request's body, or None for the next of `answers`."""

    def _answer(self, request: Request) -> Answer:
        usual = super()._answer(request)
        return (self.judge(request.body.decode()) if request.operation else None) or usual


def client_on(fake: FakeAws, colour: Colour) -> Client:
    """Make a client that tries everything once; an `AsyncClient` comes as a facade that looks like `Client`."""
    options: Any = {
        "endpoint_url": fake.url,
        "region": "eu-central-1",
        "access_key_id": "KEY",
        "secret_access_key": "secret",
        "max_attempts": 1,
    }
    if colour == "sync":
        return Client(**options)
    return cast("Client", Blocking(AsyncClient(**options), asyncio.new_event_loop(), owns_loop=True))
