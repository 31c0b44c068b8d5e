"""Faults of the connection itself, before a request or between two, under every operation, sync and async."""

from __future__ import annotations

import datetime as dt
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from email.utils import format_datetime
from typing import Any

import pytest

from oxidyn import AccessDenied, ConnectError, RequestTimeout
from tests.engines import Colour
from tests.faults.cases import CASES, Case, Thing
from tests.faults.client import client_of
from tests.faults.faults import FAULTS, Fault
from tests.faults.judge import Outcome, expect, run, set_up
from tests.faults.server import End, Exchange, MisbehavingServer, Reply, Script, refusal, well

NO_HINDRANCE = Fault("no hindrance", well)
NO_CONNECTION = Fault("no connection", well, (ConnectError, RequestTimeout), is_in_doubt=False)


@pytest.fixture(scope="module")
def workers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(len(CASES)) as workers:
        yield workers


def expect_nothing_sent(server: MisbehavingServer, outcomes: dict[str, Outcome]) -> None:
    expect(outcomes, CASES, NO_CONNECTION, is_always=True)
    assert server.exchanges == []


def test_a_refused_connection_is_told_and_nothing_is_in_doubt(colour: Colour, workers: ThreadPoolExecutor) -> None:
    with MisbehavingServer() as server, socket.socket() as nobody:
        set_up(server)
        nobody.bind(("127.0.0.1", 0))

        outcomes = run(server, CASES, colour, workers, endpoint_url=f"http://127.0.0.1:{nobody.getsockname()[1]}")

        expect_nothing_sent(server, outcomes)


def test_a_name_that_does_not_resolve_is_told_and_nothing_is_in_doubt(
    colour: Colour, workers: ThreadPoolExecutor
) -> None:
    with MisbehavingServer() as server:
        set_up(server)

        # RFC 6761: no name under .invalid resolves. One with so long a label is refused before anybody is asked.
        outcomes = run(server, CASES, colour, workers, endpoint_url=f"http://{'d' * 64}.invalid")

        expect_nothing_sent(server, outcomes)


@pytest.mark.parametrize(
    "greeting",
    [
        pytest.param([End.CLOSE], id="closed"),
        pytest.param([End.RESET], id="reset"),
        pytest.param([b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", End.CLOSE], id="no TLS"),
        pytest.param([b"\x15\x03\x03\x00\x02\x02\x28", End.CLOSE], id="alert"),
        pytest.param([End.HOLD], id="silence"),
    ],
)
def test_a_tls_handshake_that_fails_is_told_and_nothing_is_in_doubt(
    colour: Colour, workers: ThreadPoolExecutor, greeting: Script
) -> None:
    with MisbehavingServer() as server:
        set_up(server)
        server.greet = lambda _: greeting

        outcomes = run(
            server, CASES, colour, workers, endpoint_url=server.url.replace("http", "https"), connect_timeout=0.4
        )

        expect_nothing_sent(server, outcomes)


@pytest.mark.parametrize("end", [End.CLOSE, End.RESET], ids=["closed", "reset"])
def test_connections_closed_while_idle_hinder_no_blocking_call(end: End) -> None:
    """As after a Lambda's freeze: nothing of a blocking client runs between its calls, so it cannot have noticed."""
    # Each is tried once: sent into a closed connection, it would fail.
    with MisbehavingServer() as server, client_of(server, "sync", max_attempts=1) as client:
        set_up(server)
        outcomes = {}
        for case in CASES:
            client.table(Thing, name="case-get").get("a", 1)
            server.hang_up(end)
            outcomes[case.name] = alone(server, case, client)

        expect(outcomes, CASES, NO_HINDRANCE, is_always=False)


@pytest.mark.parametrize("end", [End.CLOSE, End.RESET], ids=["closed", "reset"])
def test_connections_closed_while_idle_are_noticed_by_who_awaits_or_got_over(end: End) -> None:
    # The thread that would notice may come second, so that a request goes into a connection that is closed by then.
    cases = [case for case in CASES if case.is_repeated]
    with MisbehavingServer() as server, client_of(server, "async") as client:
        set_up(server)
        outcomes = {}
        for case in cases:
            client.table(Thing, name="case-get").get("a", 1)
            server.hang_up(end)
            outcomes[case.name] = alone(server, case, client)

        expect(outcomes, cases, NO_HINDRANCE, is_always=False)


def alone(server: MisbehavingServer, case: Case, client: Any) -> Outcome:
    server.forget()
    before = server.store.items(case.table)
    result = case.act(client, client.table(Thing, name=case.table))
    return Outcome(result, None, before, server.store.items(case.table), server.of_case(case.table))


# ---- credentials and clocks ----


def token_of(exchange: Exchange) -> str:
    return exchange.headers.get("x-amz-security-token", "")


class Issuer:
    """A container's credentials: each time others, of which the service takes the newest."""

    def __init__(self) -> None:
        self.issued = 0
        self.expired: set[str] = set()

    def __call__(self, exchange: Exchange) -> Script:
        if exchange.path == "/credentials":
            self.issued += 1
            credentials = {
                "AccessKeyId": "KEY",
                "SecretAccessKey": "secret",
                "Token": f"token-{self.issued}",
                "Expiration": "2099-01-01T00:00:00Z",
            }
            return [Reply(json.dumps(credentials).encode()).wire]
        if token_of(exchange) in self.expired:
            return [
                refusal("ExpiredTokenException", message="The security token included in the request is expired").wire
            ]
        return well(exchange)


def test_an_expired_token_is_replaced_and_the_request_made_again(
    colour: Colour, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = Issuer()
    with MisbehavingServer() as server:
        set_up(server)
        server.behave = issuer
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{server.url}/credentials")
        given = {"region": "eu-central-1", "endpoint_url": server.url, "access_key_id": None, "secret_access_key": None}
        with client_of(server, colour, **given) as client:
            outcomes = {}
            for case in CASES:
                issuer.expired.add(f"token-{issuer.issued}")
                outcomes[case.name] = alone(server, case, client)

        expect(outcomes, CASES, NO_HINDRANCE, is_always=False)
        assert issuer.issued <= len(CASES) + 1


def test_an_expired_token_that_cannot_be_replaced_is_told(colour: Colour, workers: ThreadPoolExecutor) -> None:
    expired = Fault("expired", lambda _: [refusal("ExpiredTokenException").wire], (AccessDenied,), is_in_doubt=False)
    with MisbehavingServer() as server:
        set_up(server)
        server.behave = expired.script

        outcomes = run(server, CASES, colour, workers, session_token="token")

        expect(outcomes, CASES, expired, is_always=True)


class Clock:
    """A service whose clock is another: it refuses what was signed more than five minutes from its own time."""

    def __init__(self, offset: dt.timedelta) -> None:
        self.offset = offset

    def __call__(self, exchange: Exchange) -> Script:
        now = dt.datetime.now(dt.timezone.utc) + self.offset
        signed = dt.datetime.strptime(exchange.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.timezone.utc)
        if abs(now - signed) < dt.timedelta(minutes=5):
            return well(exchange)
        body = refusal("InvalidSignatureException", message="Signature expired: it is too far from the time here").body
        return [Reply(body, 400, (("date", format_datetime(now, usegmt=True)),)).wire]


@pytest.mark.parametrize("hours", [2, -2])
def test_a_clock_that_is_wrong_is_corrected_by_the_services(
    colour: Colour, workers: ThreadPoolExecutor, hours: int
) -> None:
    with MisbehavingServer() as server:
        set_up(server)
        server.behave = Clock(dt.timedelta(hours=hours))

        outcomes = run(server, CASES, colour, workers)

        expect(outcomes, CASES, NO_HINDRANCE, is_always=False)


# ---- deadlines ----


def test_a_deadline_holds_over_all_tries(colour: Colour, workers: ThreadPoolExecutor) -> None:
    late = Fault("late", lambda _: [End.HOLD], (RequestTimeout,))
    with MisbehavingServer() as server:
        set_up(server)
        server.behave = late.script

        # One try may take longer than all of them together.
        outcomes = run(server, CASES, colour, workers, operation_timeout=0.4, read_timeout=60, max_attempts=5)

        expect(outcomes, CASES, late, is_always=True)


def test_a_deadline_ends_slow_bytes_that_never_pause(colour: Colour) -> None:
    drip = [b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n", *([b" "] * 1_000_000)]
    with (
        MisbehavingServer(lambda _: drip) as server,
        client_of(server, colour, read_timeout=0.3, connect_timeout=0.1, max_attempts=1) as client,
        pytest.raises(RequestTimeout),
    ):
        client.table(Thing, name="case-drip").get("a", 1)


def test_a_client_is_as_good_as_new_after_every_fault(colour: Colour) -> None:
    with MisbehavingServer() as server:
        set_up(server)
        with client_of(server, colour, max_attempts=1, read_timeout=0.3, connect_timeout=0.3) as client:
            table = client.table(Thing, name="case-get")
            for fault in FAULTS:
                if fault.is_late:
                    continue
                server.behave = fault.script
                with suppress(*fault.errors):
                    table.get("a", 1)
                server.behave = well
                assert table.get("a", 3) == Thing(org="a", id=3, count=3), fault
