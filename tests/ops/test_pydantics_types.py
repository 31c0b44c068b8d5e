"""Types of Pydantic's own as keys and in conditions, and what an error shows of a secret there."""

import traceback
from fractions import Fraction
from ipaddress import IPv4Address
from pathlib import PurePosixPath
from typing import Annotated, Any

import pytest
from pydantic import Field, HttpUrl, Json, Secret

from oxidyn import Attribute, InvalidExpression, InvalidItem, InvalidKey, Model, PartitionKey, SortKey, attr

SECRET = "hunter2-classified"


class Token(Secret[Annotated[str, Field(max_length=8)]]):
    pass


class Host(Model, table="hosts"):
    address: Annotated[IPv4Address, PartitionKey]
    path: Annotated[PurePosixPath, SortKey]
    url: HttpUrl = HttpUrl("https://example.com/")
    share: Fraction = Fraction(0)
    labels: Json[dict[str, int]] = {}
    token: Annotated[Token, Attribute(plaintext=True)] = Token("t")


class Session(Model, table="sessions"):
    token: Annotated[Token, Attribute(plaintext=True), PartitionKey]


@pytest.fixture
def hosts(client: Any, table_name: str) -> Any:
    table = client.table(Host, name=table_name)
    table.create_table()
    for number in range(3):
        host = Host(address=IPv4Address("192.0.2.1"), path=PurePosixPath(f"/{number}"), share=Fraction(number, 3))
        table.put(host.model_copy(update={"labels": {"n": number}}))
    return table


def paths(found: Any) -> list[str]:
    return [str(host.path) for host in found]


def test_addresses_and_paths_are_keys(hosts: Any) -> None:
    host = hosts.get("192.0.2.1", "/1")

    assert host.path == PurePosixPath("/1")
    assert hosts.get(IPv4Address("192.0.2.1"), PurePosixPath("/1")) == hosts.get(host) == host


def test_paths_sort_as_their_text(hosts: Any) -> None:
    found = hosts.query((Host.address == IPv4Address("192.0.2.1")) & (Host.path > PurePosixPath("/0")))

    assert paths(found) == ["/1", "/2"]


@pytest.mark.parametrize(
    "where",
    [
        lambda: attr(Host.url) == "https://example.com",
        lambda: Host.share == Fraction(2, 6),
        lambda: Host.token == Token("t"),
    ],
)
def test_values_are_compared_as_they_are_stored(hosts: Any, where: Any) -> None:
    assert "/1" in paths(hosts.query(Host.address == IPv4Address("192.0.2.1"), where=where()))


def test_conditions_reach_into_json(hosts: Any) -> None:
    found = hosts.query(Host.address == IPv4Address("192.0.2.1"), where=Host.labels["n"] == 2)

    assert paths(found) == ["/2"]


@pytest.mark.parametrize(
    "where", [lambda: Host.address < IPv4Address("192.0.2.9"), lambda: Host.share >= Fraction(1, 3)]
)
def test_what_does_not_sort_as_its_text_is_not_compared_by_order(hosts: Any, where: Any) -> None:
    with pytest.raises(InvalidExpression, match=r"Host\.(address|share): .*does not sort"):
        list(hosts.scan(where=where()))


def test_a_refused_secret_is_not_shown_in_keys_conditions_and_updates(hosts: Any, client: Any) -> None:
    sessions = client.table(Session, name="sessions")
    host = hosts.get("192.0.2.1", "/1")

    for refused in (
        lambda: sessions.get(SECRET),
        lambda: sessions.get(Token.__new__(Token)),
        lambda: list(hosts.scan(where=Host.token == SECRET)),
        lambda: hosts.update(host, attr(Host.token).set(SECRET)),
    ):
        with pytest.raises((InvalidKey, InvalidItem, AttributeError)) as caught:
            refused()
        shown = [traceback.format_exception_only(error) for error in (caught.value, caught.value.__cause__) if error]
        errors = getattr(caught.value.__cause__ or caught.value, "errors", list)()
        assert SECRET not in f"{shown}{errors}"
