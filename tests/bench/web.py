"""A FastAPI service under load: a page of items, and one item, by each way to them.

What is measured is the server's CPU time per request, under as many requests at once as there are connections. uvicorn and
FastAPI are in every number; `nothing`, a route that answers with two bytes, says how much they are.
"""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING, Any

from oxidyn import Page
from tests.bench.report import Bar, Part, Row, Table
from tests.bench.rounds import Sample
from tests.bench.stub import Stub, build
from tests.bench.typed import to_typed
from tests.bench.web_app import SHAPES, SIZE

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from tests.bench.rounds import Effort
    from tests.bench.shapes import Shape

CONNECTIONS = 32
PAGES = {"page_json": "page_json", "page": "page", "aioboto3": "aioboto3", "boto3": "boto3"}
ITEMS = {"get_json": "get_json", "get": "get", "aioboto3": "get_aioboto3", "boto3": "get_boto3"}


class Server:
    """The service in a process of its own, and the load on it."""

    def __init__(self, url: str, shape: str) -> None:
        server = [sys.executable, "-m", "tests.bench.web_app", url, shape]
        self._server = subprocess.Popen(server, stdout=subprocess.PIPE, text=True)
        assert self._server.stdout
        port = int(self._server.stdout.readline())
        self._url = f"http://127.0.0.1:{port}"
        load = [build("bench-load"), str(port), str(CONNECTIONS)]
        self._load = subprocess.Popen(load, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"{self._url}/{path}") as reply:
            body: bytes = reply.read()
            return body

    def load(self, path: str, requests: int) -> float:
        """The server's CPU seconds over so many requests."""
        assert self._load.stdin
        assert self._load.stdout
        before = float(self.get("cpu"))
        self._load.stdin.write(f"/{path} {requests}\n")
        self._load.stdin.flush()
        assert int(self._load.stdout.readline()) > 0
        return float(self.get("cpu")) - before

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._load.communicate()
        self._server.terminate()
        self._server.wait()


def run(effort: Effort) -> Part:
    """Measure pages and single items of each shape by every way."""
    pages = Table(f"web, a page of {SIZE}", baseline="page_json", unit="server's CPU µs per request")
    items = Table("web, one item", baseline="get_json", unit="server's CPU µs per request")
    bare: list[float] = []
    for name, shape in SHAPES.items():
        with Stub(build(), _answers(shape)) as stub, Server(stub.url, name) as server:
            _check(server, shape)
            for table, ways in ((pages, PAGES), (items, ITEMS)):
                samples = _interleave(server, ways | {"nothing": "nothing"}, effort)
                bare.append(samples.pop("nothing").median)
                table.rows.append(Row(shape.name, samples))
    mixed = pages.rows[-1].samples
    bars = [
        Bar("page_json, twenty mixed fields", mixed["page_json"].over(mixed[peer]), limit, f"the route by {peer}")
        for peer, limit in (("page", 0.6), ("aioboto3", 0.06))
    ]
    notes = {
        "requests at once": str(CONNECTIONS),
        "of these, uvicorn's and FastAPI's own, CPU µs": f"{min(bare):.0f}",
        "aioboto3, boto3": "read into Pydantic models by hand, as in `calls`; boto3 in FastAPI's threads",
    }
    return Part("web", [pages, items], bars, notes)


def _answers(shape: Shape) -> dict[str, Any]:
    typed = [to_typed(sample) for sample in shape.samples[:SIZE]]
    query = {"Items": typed, "Count": len(typed), "ScannedCount": len(typed)}
    last = {name: typed[-1][name] for name in ("org", "id")}
    return {"GetItem": {"Item": typed[0]}, "Query": query | {"LastEvaluatedKey": last}}


def _check(server: Server, shape: Shape) -> None:
    """Every way answers with the same items, and ours with the same bytes."""
    assert server.get("page_json") == server.get("page")
    assert server.get("get_json") == server.get("get")
    of_page: Any = Page[shape.model]  # type: ignore[name-defined]
    for path in PAGES.values():
        assert of_page.model_validate_json(server.get(path)).items == shape.samples[:SIZE], path
    for path in ITEMS.values():
        assert shape.model.model_validate_json(server.get(path)) == shape.samples[0], path


def _interleave(server: Server, ways: dict[str, str], effort: Effort) -> dict[str, Sample]:
    sizes = {}
    for name, path in ways.items():
        spent = server.load(path, CONNECTIONS)
        sizes[name] = max(1, round(effort.seconds / spent)) * CONNECTIONS
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(effort.rounds):
        for name, path in ways.items():
            times[name].append(server.load(path, sizes[name]) * 1e6 / sizes[name])
    return {name: Sample(values) for name, values in times.items()}
