"""One test body for both judges and both colours.

Engines: "embedded" runs DynamoDB's emulator in process, "moto" is a server spoken to over HTTP. Colours: "sync" is
`Client`, "async" is `AsyncClient` behind a facade that drives a private event loop, so that a body written for `Client`
exercises the awaited side. What the facade adds is `await` and `async for`, nothing else.
"""

import asyncio
import inspect
import itertools
import logging
import os
import threading
import urllib.request
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, cast

from typing_extensions import Self

if TYPE_CHECKING:
    from oxidyn import Client

Engine = Literal["embedded", "moto"]
Colour = Literal["sync", "async"]

REGION = "eu-central-1"
ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

_numbers = itertools.count(1)


def unique_table_name() -> str:
    """Name a table that no other test of this run uses, in this process or another one."""
    return f"table-{os.getpid()}-{next(_numbers)}"


class MotoServer:
    """Moto's server on a free port of 127.0.0.1, in a thread."""

    def __init__(self) -> None:
        # Only now: moto takes a second to import, and most tests need none of it.
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
        from werkzeug.serving import make_server

        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        app = _one_at_a_time(DomainDispatcherApplication(create_backend_app))
        self._server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.endpoint_url = f"http://127.0.0.1:{self._server.port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()

    def forget(self) -> None:
        """Drop all tables, those of earlier tests too."""
        urllib.request.urlopen(urllib.request.Request(f"{self.endpoint_url}/moto-api/reset", method="POST")).close()

    def client_options(self) -> dict[str, Any]:
        """What `Client` takes to reach this server."""
        return {
            "endpoint_url": self.endpoint_url,
            "region": REGION,
            "access_key_id": ACCESS_KEY_ID,
            "secret_access_key": SECRET_ACCESS_KEY,
        }

    def boto3_client(self) -> Any:
        import boto3

        return boto3.client(
            "dynamodb",
            endpoint_url=self.endpoint_url,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
        )


def _one_at_a_time(app: Any) -> Any:
    """Guard moto's tables, which are plain dicts: with several requests at once it fails, or forgets items."""
    lock = threading.Lock()

    def guarded(environ: Any, start_response: Any) -> Any:
        with lock:
            return app(environ, start_response)

    return guarded


def open_client(engine: Engine, colour: Colour, moto: Callable[[], MotoServer], **options: Any) -> "Client":
    """Make a client of this engine and colour; an `AsyncClient` comes as a facade that looks like `Client`.

    The options are such as both ways of making one take.
    """
    from oxidyn import AsyncClient, Client

    if colour == "sync":
        return Client.local(**options) if engine == "embedded" else Client(**moto().client_options(), **options)
    asynchronous = (
        AsyncClient.local(**options) if engine == "embedded" else AsyncClient(**moto().client_options(), **options)
    )
    return cast("Client", Blocking(asynchronous, asyncio.new_event_loop(), owns_loop=True))


class Blocking:
    """An asynchronous object as a synchronous one: whatever it returns is awaited, or wrapped in the same way.

    `AsyncClient`, `AsyncTable`, `AsyncSelection`, `AsyncQuery` and `AsyncParallelScan` are wrapped; models, errors, operations and plain values pass as they are.
    """

    def __init__(self, target: Any, loop: asyncio.AbstractEventLoop, *, owns_loop: bool = False) -> None:
        self._target = target
        self._loop = loop
        self._owns_loop = owns_loop

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._target, name)
        if not callable(member):
            return self._settle(member)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._settle(member(*args, **kwargs))

        return call

    def _settle(self, value: Any) -> Any:
        if inspect.isawaitable(value):
            value = self._loop.run_until_complete(_as_coroutine(value))
        from oxidyn import AsyncClient, AsyncParallelScan, AsyncQuery, AsyncSelection, AsyncTable

        wrapped = AsyncClient | AsyncParallelScan | AsyncQuery | AsyncSelection | AsyncTable
        return Blocking(value, self._loop) if isinstance(value, wrapped) else value

    def __iter__(self) -> Iterator[Any]:
        return _BlockingIterator(aiter(self._target), self._loop)

    def __enter__(self) -> Self:
        self._settle(self._target.__aenter__())
        return self

    def __exit__(self, *exception: object) -> None:
        self._settle(self._target.__aexit__(*exception))

    def __repr__(self) -> str:
        return repr(self._target)

    def close(self) -> None:
        self._settle(self._target.close())
        if self._owns_loop and not self._loop.is_closed():
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()


class _BlockingIterator:
    """Each `next()` drives the loop just far enough for one item, and may be called again after an error."""

    def __init__(self, items: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._items = items
        self._loop = loop

    def __iter__(self) -> "_BlockingIterator":
        return self

    def __next__(self) -> Any:
        try:
            return self._loop.run_until_complete(_as_coroutine(anext(self._items)))
        except StopAsyncIteration:
            raise StopIteration from None


async def _as_coroutine(awaitable: Any) -> Any:
    return await awaitable
