"""Fixtures of every Python test: clients on both judges in both colours, boto3 beside them, table names.

A test that takes `client` runs four times. To run on one judge or in one colour only, say so:
`@pytest.mark.parametrize("engine", ["embedded"], indirect=True)`.

Properties take the same examples in every run, so that a red one is the change's doing, and are checked without a clock.
`HYPOTHESIS_PROFILE=long` draws fifty times as many, anew each time; give pytest `--timeout=0` with it.
"""

import functools
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests.engines import Colour, Engine, MotoServer, open_client, unique_table_name

if TYPE_CHECKING:
    from oxidyn import Client


suite = settings(derandomize=True, deadline=None, print_blob=True)
settings.register_profile("suite", suite)
settings.register_profile("long", suite, derandomize=False, database=None, max_examples=50 * suite.max_examples)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


@pytest.fixture(autouse=True)
def _no_aws_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the developer's own AWS account, profiles and region out of every test."""
    nowhere = tmp_path_factory.getbasetemp() / "no-aws-files"
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_DYNAMODB",
        # A proxy would stand between the tests and 127.0.0.1.
        *(name for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY") for name in (proxy, proxy.lower())),
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(nowhere / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@functools.cache
def _moto() -> MotoServer:
    """Start moto once for the process, with the first test that asks."""
    return MotoServer()


@pytest.fixture(scope="session", autouse=True)
def _stop_moto_at_the_end() -> Iterator[None]:
    yield
    if _moto.cache_info().currsize:
        _moto().stop()


@pytest.fixture
def moto_server() -> MotoServer:
    """Moto's server over HTTP on 127.0.0.1: `endpoint_url`, `client_options()`."""
    return _moto()


@pytest.fixture
def boto3_client(moto_server: MotoServer) -> Iterator[Any]:
    """Reach the same moto server as `client` does with engine "moto", by boto3's low-level client."""
    client = moto_server.boto3_client()
    yield client
    client.close()


@pytest.fixture(params=["embedded", "moto"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.param


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> Colour:
    return request.param


@pytest.fixture
def client(engine: Engine, colour: Colour) -> "Iterator[Client]":
    """Make a client of each engine and colour; the asynchronous ones look like `Client` to the test."""
    client = open_client(engine, colour, _moto)
    yield client
    client.close()


@pytest.fixture
def table_name() -> str:
    """Name a table that no other test uses."""
    return unique_table_name()
