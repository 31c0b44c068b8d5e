"""Credentials appear nowhere: not in messages, reprs, tracebacks, logs, warnings or on standard error."""

from __future__ import annotations

import logging
import pickle
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxidyn import AsyncClient, Client, Config, EndpointError, InvalidOption, OxidynError
from tests.faults.cases import Thing
from tests.faults.client import options
from tests.faults.faults import FAULTS
from tests.faults.server import End, Exchange, MisbehavingServer, Reply, Script, refusal

# Long enough that no secret is a part of another word by chance; quotes, braces and percent signs are what text that is
# formatted twice trips over.
SECRETS = st.text(
    st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=16, max_size=40
).map(lambda text: f"<{text}>")  # fmt: skip


def _head(exchange: Exchange) -> str:
    return "\n".join(f"{name}:{value}" for name, value in exchange.headers.items())


def _echo(exchange: Exchange) -> Script:
    """Tell the caller its own request, as DynamoDB does of one whose signature does not match."""
    return [refusal("InvalidSignatureException", message=f"The Canonical String was {_head(exchange)}").wire]


def _echo_in_a_page(exchange: Exchange) -> Script:
    return [Reply(_head(exchange).encode(), 403).wire]


def _echo_in_reasons(exchange: Exchange) -> Script:
    body = refusal("TransactionCanceledException", message=_head(exchange)).body[:-1]
    token = exchange.headers.get("x-amz-security-token", "").replace("\\", "\\\\").replace('"', '\\"')
    reason = b'{"Code":"ValidationError","Message":"%s"}' % token.encode()
    return [Reply(body + b',"CancellationReasons":[%s]}' % reason, 400).wire]


ANSWERS: list[Callable[[Exchange], Script]] = [
    *(fault.script for fault in FAULTS if not fault.is_slow),
    _echo,
    _echo_in_a_page,
    _echo_in_reasons,
    lambda exchange: [refusal("ExpiredTokenException", message=_head(exchange)).wire],
    lambda exchange: [b"HTTP/1.1 200 OK\r\n" + _head(exchange).encode(), End.CLOSE],
]


@pytest.fixture(scope="module")
def server() -> Iterator[MisbehavingServer]:
    with MisbehavingServer() as server:
        yield server


class Heard(logging.Handler):
    """Everything that is logged, at any level."""

    def __init__(self) -> None:
        super().__init__(0)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {vars(record)}")


def everything_of(error: BaseException) -> Iterator[str]:
    """What an error tells those who look closely."""
    yield str(error)
    yield repr(error)
    yield repr(vars(error))
    yield from traceback.format_exception(error)
    yield pickle.dumps(error).decode("latin-1")
    for other in (error.__cause__, error.__context__, *getattr(error, "reasons", ()), *getattr(error, "errors", ())):
        if isinstance(other, BaseException):
            yield from everything_of(other)


def attempts(client: Client) -> Iterator[str]:
    things = client.table(Thing, name="case-secret")
    for act in (
        lambda: things.get("a", 1),
        lambda: things.put(Thing(org="a", id=1)),
        lambda: client.transact(things.ops.put(Thing(org="a", id=1))),
    ):
        try:
            act()
        except OxidynError as error:
            yield from everything_of(error)


@given(secret=SECRETS, token=SECRETS, cursor_key=SECRETS, answer=st.sampled_from(ANSWERS))
def test_no_failure_tells_a_credential(
    server: MisbehavingServer,
    secret: str,
    token: str,
    cursor_key: str,
    answer: Callable[[Exchange], Script],
) -> None:
    server.behave = answer
    heard = Heard()
    root = logging.getLogger()
    level = root.level
    root.addHandler(heard)
    root.setLevel(0)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            secrets: dict[str, Any] = {"secret_access_key": secret, "session_token": token}
            given = options(server.url, **secrets, cursor_key=cursor_key.encode(), max_attempts=1)
            with Client(**given) as client:
                told = [repr(client), str(client), *attempts(client)]
    finally:
        root.removeHandler(heard)
        root.setLevel(level)

    text = "\n".join([*told, *heard.lines, *(str(warning.message) for warning in warned)])
    for hidden in (secret, token, cursor_key):
        assert hidden not in text
        assert repr(hidden)[1:-1] not in text


@given(secret=SECRETS, token=SECRETS)
def test_no_repr_tells_a_credential(secret: str, token: str) -> None:
    given: dict[str, Any] = {"access_key_id": "KEY", "secret_access_key": secret, "session_token": token}

    told = [repr(Config(**given)), repr(Client(**given)), repr(AsyncClient(**given)), repr(Client(**given)._core)]

    assert "access_key_id='KEY'" in told[0]
    for text in told:
        assert secret not in text
        assert token not in text


@pytest.mark.parametrize("url", ["http://user:hidden@127.0.0.1:1", "https://hidden@localhost"])
def test_a_password_in_an_endpoints_url_is_refused_and_not_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidOption) as refused:
        Config(endpoint_url=url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    with Client(region="r", access_key_id="k", secret_access_key="s") as client, pytest.raises(EndpointError) as told:
        client.table(Thing).get("a", 1)

    assert "hidden" not in f"{refused.value} {told.value}"


@pytest.mark.parametrize("broken", ["line\nbreak-of-a-secret", "nul\0-of-a-secret"])
@pytest.mark.parametrize("option", ["secret_access_key", "session_token"])
def test_a_credential_that_cannot_be_sent_is_not_told_either(
    server: MisbehavingServer, option: str, broken: str, capfd: pytest.CaptureFixture[str]
) -> None:
    server.behave = _echo
    told: list[str] = []
    try:
        with Client(**options(server.url, **{option: broken}, max_attempts=1)) as client:
            told.extend(attempts(client))
    except OxidynError as error:
        told.extend((str(error), repr(error)))
    captured = capfd.readouterr()

    assert told
    for text in (*told, captured.out, captured.err):
        assert "of-a-secret" not in text
