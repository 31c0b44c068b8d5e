"""Where requests go: every source of the region and of the endpoint, and which one wins."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oxidyn import ConnectError, EndpointError, InvalidOption, RegionError, _core
from oxidyn.config import Config
from tests.fake_aws import FakeAws, Request


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeAws]:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with FakeAws() as fake:
        yield fake


def call(fake: FakeAws, **options: Any) -> Request:
    client = _core.Client(**Config(**options).core_options())
    client._call("ListTables", b"{}")
    client.close()
    return fake.dynamodb[-1]


def write_config(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text)


def test_region_by_argument_environment_and_profile(
    fake: FakeAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_config(tmp_path, "[default]\nregion = eu-west-3\n")
    by_profile = call(fake, endpoint_url=fake.url).region
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    by_environment = call(fake, endpoint_url=fake.url).region
    by_argument = call(fake, endpoint_url=fake.url, region="eu-west-1").region

    assert (by_profile, by_environment, by_argument) == ("eu-west-3", "eu-west-2", "eu-west-1")


def test_region_by_the_default_region_variable(fake: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "sa-east-1")

    assert call(fake, endpoint_url=fake.url).region == "sa-east-1"


def test_region_of_the_named_profile(fake: FakeAws, tmp_path: Path) -> None:
    write_config(tmp_path, "[default]\nregion = eu-west-3\n[profile work]\nregion = eu-north-1\n")
    (tmp_path / "credentials").write_text("[work]\naws_access_key_id = K\naws_secret_access_key = s\n")

    assert call(fake, endpoint_url=fake.url, profile="work").region == "eu-north-1"


def test_region_of_the_instance(fake: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url)

    assert call(fake, endpoint_url=fake.url).region == "ap-southeast-2"


def test_no_region_says_how_to_provide_one(fake: FakeAws) -> None:
    with pytest.raises(RegionError, match=r"AWS_REGION.*Client\(region="):
        call(fake, endpoint_url=fake.url)


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"])
def test_endpoint_by_the_environment(fake: FakeAws, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, fake.url)

    assert call(fake, region="eu-central-1").operation == "ListTables"


def test_endpoint_for_dynamodb_comes_before_the_one_for_all(fake: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", fake.url)

    assert call(fake, region="eu-central-1").operation == "ListTables"


def test_endpoint_by_argument_comes_before_the_environment(fake: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")

    assert call(fake, region="eu-central-1", endpoint_url=fake.url).operation == "ListTables"


def test_endpoint_by_the_services_section_of_the_profile(fake: FakeAws, tmp_path: Path) -> None:
    write_config(
        tmp_path,
        f"[default]\nregion = eu-central-1\nservices = local\n\n[services local]\ndynamodb =\n  endpoint_url = {fake.url}\n",
    )

    assert call(fake).operation == "ListTables"


def test_configured_endpoints_can_be_ignored(fake: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")

    assert call(fake, region="eu-central-1", endpoint_url=fake.url).operation == "ListTables"


def test_endpoint_of_the_environment_that_is_no_url_is_refused(fake: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "localhost:8000")

    with pytest.raises(EndpointError, match='"localhost:8000" is not a URL'):
        call(fake, region="eu-central-1")


def test_endpoint_argument_that_is_no_url_is_refused() -> None:
    with pytest.raises(InvalidOption, match="endpoint_url: expected a URL"):
        Config(endpoint_url="localhost:8000")


def test_endpoint_where_nothing_answers_is_named(fake: FakeAws) -> None:
    with FakeAws() as gone:
        url = gone.url

    with pytest.raises(ConnectError, match=f"no connection to {url}.*refused.*endpoint_url") as caught:
        call(fake, region="eu-central-1", endpoint_url=url)

    assert caught.value.ambiguous is False


def test_name_that_does_not_resolve_is_named(fake: FakeAws) -> None:
    with pytest.raises(ConnectError, match=r"http://nowhere\.invalid"):
        call(fake, region="eu-central-1", endpoint_url="http://nowhere.invalid")


@pytest.mark.parametrize(
    ("mode", "host"),
    [
        ("preferred", "123456789012.ddb.eu-central-1.amazonaws.com"),
        ("required", "123456789012.ddb.eu-central-1.amazonaws.com"),
        ("disabled", "dynamodb.eu-central-1.amazonaws.com"),
    ],
)
def test_endpoint_of_the_account_that_the_credentials_are_of(
    fake: FakeAws, monkeypatch: pytest.MonkeyPatch, mode: str, host: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ACCOUNT_ID", "123456789012")
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", mode)
    client = _core.Client(region="eu-central-1", proxy=fake.url, max_attempts=1)

    # The fake is no proxy for TLS; what it was asked to connect to is enough.
    with pytest.raises(ConnectError):
        client._call("ListTables", b"{}")

    (request,) = fake.requests
    assert (request.method, request.path) == ("CONNECT", f"{host}:443")
