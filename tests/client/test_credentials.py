"""Who signs: every source of credentials, and which one wins. The fake tells by the key of the Authorization header."""

import datetime as dt
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from oxidyn import CredentialsError, InvalidOption, ServiceError, _core
from oxidyn.config import Config
from tests.fake_aws import FakeAws, Request, refusal

REGION = "eu-central-1"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeAws]:
    """A fake in front of an empty environment: no source of credentials, but STS where it would be asked."""
    for name in (
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    with FakeAws() as fake:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", fake.url)
        yield fake


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fake: FakeAws) -> "Sources":
    return Sources(monkeypatch, tmp_path, fake)


class Sources:
    """Switches the sources of credentials on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, fake: FakeAws) -> None:
        self._monkeypatch = monkeypatch
        self._folder = folder
        self._fake = fake

    def environment(self) -> None:
        self._monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT-KEY")
        self._monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    def profile(self, name: str = "default") -> None:
        with (self._folder / "credentials").open("a") as file:
            file.write(f"[{name}]\naws_access_key_id = PROFILE-{name}\naws_secret_access_key = secret\n")

    def role_profile(self, name: str, source: str) -> None:
        with (self._folder / "config").open("a") as file:
            file.write(
                f"[profile {name}]\nrole_arn = arn:aws:iam::123456789012:role/{name}\nsource_profile = {source}\n"
            )

    def web_identity(self) -> None:
        token = self._folder / "token"
        token.write_text("web-identity")
        self._monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
        self._monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/web")

    def container(self) -> None:
        self._monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{self._fake.url}/container")
        self._monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "container-token")

    def instance(self) -> None:
        self._monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
        self._monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", self._fake.url)


def call(fake: FakeAws, **options: Any) -> Request:
    """Make one call and give back the request as DynamoDB saw it."""
    config = Config(**{"region": REGION, "endpoint_url": fake.url, **options})
    client = _core.Client(**config.core_options())
    client._call("ListTables", b"{}")
    client.close()
    return fake.dynamodb[-1]


def test_explicit_arguments(fake: FakeAws) -> None:
    request = call(fake, access_key_id="EXPLICIT-KEY", secret_access_key="secret", session_token="token")

    assert request.access_key_id == "EXPLICIT-KEY"
    assert request.session_token == "token"
    assert fake.requests == [request]


def test_environment(fake: FakeAws, sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    sources.environment()
    monkeypatch.setenv("AWS_SESSION_TOKEN", "ENVIRONMENT-TOKEN")

    request = call(fake)

    assert request.access_key_id == "ENVIRONMENT-KEY"
    assert request.session_token == "ENVIRONMENT-TOKEN"


def test_default_profile_of_the_shared_files(fake: FakeAws, sources: Sources) -> None:
    sources.profile()

    assert call(fake).access_key_id == "PROFILE-default"


def test_profile_named_by_the_environment(fake: FakeAws, sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    sources.profile()
    sources.profile("work")
    monkeypatch.setenv("AWS_PROFILE", "work")

    assert call(fake).access_key_id == "PROFILE-work"


def test_profile_named_by_the_caller_outranks_the_environment(
    fake: FakeAws, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources.environment()
    sources.profile("work")
    sources.profile("other")
    monkeypatch.setenv("AWS_PROFILE", "other")

    assert call(fake, profile="work").access_key_id == "PROFILE-work"


def test_profile_that_assumes_a_role(fake: FakeAws, sources: Sources) -> None:
    sources.profile("base")
    sources.role_profile("reader", source="base")

    request = call(fake, profile="reader")

    assert request.access_key_id == "ROLE-reader"
    assert request.session_token == "ROLE-TOKEN"
    assert fake.requests[0].access_key_id == "PROFILE-base"


def test_web_identity(fake: FakeAws, sources: Sources) -> None:
    sources.web_identity()

    assert call(fake).access_key_id == "WEB-web"


def test_container(fake: FakeAws, sources: Sources) -> None:
    sources.container()

    request = call(fake)

    assert request.access_key_id == "CONTAINER-KEY"
    assert request.session_token == "CONTAINER-TOKEN"


def test_instance(fake: FakeAws, sources: Sources) -> None:
    sources.instance()

    assert call(fake).access_key_id == "INSTANCE-KEY"


def test_precedence(fake: FakeAws, sources: Sources) -> None:
    found = []
    for switch_on in (
        sources.instance,
        sources.container,
        sources.web_identity,
        sources.profile,
        sources.environment,
    ):
        switch_on()
        found.append(call(fake).access_key_id)
    found.append(call(fake, access_key_id="EXPLICIT-KEY", secret_access_key="secret").access_key_id)

    assert found == [
        "INSTANCE-KEY",
        "CONTAINER-KEY",
        "WEB-web",
        "PROFILE-default",
        "ENVIRONMENT-KEY",
        "EXPLICIT-KEY",
    ]


def test_credentials_are_asked_for_once(fake: FakeAws, sources: Sources) -> None:
    sources.container()
    client = _core.Client(region=REGION, endpoint_url=fake.url)

    for _ in range(3):
        client._call("ListTables", b"{}")

    assert [request.path for request in fake.requests].count("/container") == 1


def test_credentials_are_asked_for_once_by_callers_on_many_threads(fake: FakeAws, sources: Sources) -> None:
    sources.container()
    client = _core.Client(region=REGION, endpoint_url=fake.url)
    start = threading.Barrier(16)

    def call_at_once(_: int) -> bytes:
        start.wait()
        return client._call("ListTables", b"{}")

    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(call_at_once, range(16))) == {b"{}"}

    assert [request.path for request in fake.requests].count("/container") == 1
    assert len(fake.dynamodb) == 16


def test_credentials_that_are_over_are_asked_for_anew(fake: FakeAws, sources: Sources) -> None:
    sources.container()
    fake.expiry = "2020-01-01T00:00:00Z"
    client = _core.Client(region=REGION, endpoint_url=fake.url)

    for _ in range(2):
        client._call("ListTables", b"{}")

    assert [request.path for request in fake.requests].count("/container") == 2


def test_credentials_that_hold_for_minutes_are_not_asked_for_with_each_call(fake: FakeAws, sources: Sources) -> None:
    sources.container()
    fake.expiry = (dt.datetime.now(dt.timezone.utc) + dt.timedelta(minutes=4)).strftime("%Y-%m-%dT%H:%M:%SZ")
    client = _core.Client(region=REGION, endpoint_url=fake.url)

    for _ in range(3):
        client._call("ListTables", b"{}")

    assert [request.path for request in fake.requests].count("/container") == 1


@pytest.mark.parametrize("operation", ["GetItem", "UpdateItem"])
def test_expired_token_is_read_anew_from_the_file_and_the_request_tried_again(
    fake: FakeAws, tmp_path: Path, operation: str
) -> None:
    def write(name: str) -> None:
        keys = f"aws_access_key_id = {name}\naws_secret_access_key = secret\naws_session_token = {name}-TOKEN\n"
        (tmp_path / "credentials").write_text(f"[default]\n{keys}")

    write("OLD")
    client = _core.Client(region=REGION, endpoint_url=fake.url)
    client._call(operation, b"{}")
    write("NEW")
    fake.answers = [refusal("ExpiredTokenException")]

    client._call(operation, b"{}")

    assert [request.access_key_id for request in fake.dynamodb] == ["OLD", "OLD", "NEW"]
    assert fake.dynamodb[-1].session_token == "NEW-TOKEN"


def test_token_that_stays_expired_is_an_error(fake: FakeAws) -> None:
    fake.answers = [refusal("ExpiredTokenException") for _ in range(9)]

    with pytest.raises(ServiceError, match="ExpiredTokenException"):
        call(fake, access_key_id="KEY", secret_access_key="secret", session_token="token")

    assert len(fake.requests) == 3


def test_no_credentials_says_where_they_were_looked_for_and_what_to_do(fake: FakeAws) -> None:
    with pytest.raises(CredentialsError, match=r"AWS_ACCESS_KEY_ID.*profile.*Client\.local") as caught:
        call(fake)

    assert caught.value.ambiguous is False
    assert fake.requests == []


def test_unknown_profile_is_named(fake: FakeAws, sources: Sources) -> None:
    sources.environment()

    with pytest.raises(CredentialsError, match='no profile "nowhere"'):
        call(fake, profile="nowhere")


def test_refused_source_is_told_with_its_cause(
    fake: FakeAws, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources.container()
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "wrong")

    with pytest.raises(CredentialsError, match="could not be loaded"):
        call(fake)


def test_half_of_a_key_pair_is_refused() -> None:
    with pytest.raises(InvalidOption, match="secret_access_key: expected together with access_key_id"):
        Config(access_key_id="AKIA")


def test_secrets_are_in_no_message(fake: FakeAws) -> None:
    config = Config(region=REGION, endpoint_url=fake.url, access_key_id="AKIA", secret_access_key="hush")

    assert "hush" not in repr(config)
