"""Requests by way of a proxy, which the fake is for hosts that are nowhere."""

from typing import Any

import pytest

from oxidyn import ConnectError, InvalidOption, _core
from oxidyn.config import Config
from tests.fake_aws import FakeAws

NOWHERE = "http://dynamodb.invalid:8000"
VARIABLES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def call(**options: Any) -> bytes:
    keys = {"access_key_id": "KEY", "secret_access_key": "secret", "region": "eu-central-1", "max_attempts": 1}
    config = Config(**{"endpoint_url": NOWHERE, **keys, **options})
    return _core.Client(**config.core_options())._call("GetItem", b"{}")


def test_proxy_named_by_the_caller() -> None:
    with FakeAws() as fake:
        assert call(proxy=fake.url) == b"{}"

    (request,) = fake.requests
    assert request.path == f"{NOWHERE}/"
    assert request.headers["host"] == "dynamodb.invalid:8000"


def test_proxy_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeAws() as fake:
        monkeypatch.setenv("HTTP_PROXY", fake.url)
        assert call() == b"{}"

        monkeypatch.setenv("NO_PROXY", "dynamodb.invalid")
        with pytest.raises(ConnectError):
            call()

    assert len(fake.requests) == 1


def test_proxy_named_by_the_caller_outranks_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with FakeAws() as fake:
        assert call(proxy=fake.url) == b"{}"


def test_user_and_password_of_a_proxy_are_sent_to_it_and_shown_nowhere() -> None:
    with FakeAws() as fake:
        proxy = fake.url.replace("http://", "http://user:hidden-password@")
        assert call(proxy=proxy) == b"{}"

    assert fake.requests[0].headers["proxy-authorization"] == "Basic dXNlcjpoaWRkZW4tcGFzc3dvcmQ="
    assert "hidden-password" not in repr(Config(proxy=proxy))
    with pytest.raises(InvalidOption) as caught:
        Config(proxy="ftp://user:hidden-password@proxy")
    assert "hidden-password" not in str(caught.value)


def test_proxy_that_is_away_is_told_without_its_password() -> None:
    with pytest.raises(ConnectError, match="no connection to") as caught:
        call(proxy="http://user:hidden-password@127.0.0.1:1")

    assert caught.value.ambiguous is False
    assert "hidden-password" not in str(caught.value)


@pytest.mark.parametrize("proxy", ["proxy", "ftp://proxy", "http://", 1, ""])
def test_proxy_that_is_no_url_is_refused(proxy: Any) -> None:
    with pytest.raises(InvalidOption, match="proxy: expected"):
        Config(proxy=proxy)
