"""`Config`: a client's options as one value."""

import copy
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest

from oxidyn import AsyncClient, Client, Config, InvalidOption

BOTH = pytest.mark.parametrize("cls", [Client, AsyncClient])
SECRETS = {
    "access_key_id": "AKIA",
    "secret_access_key": "hidden",
    "session_token": "hidden",
    "cursor_key": b"hidden" * 3,
}


@BOTH
def test_client_takes_its_options_as_one_config(cls):
    config = Config(region="eu-central-1", max_attempts=2)

    assert repr(cls(config=config)) == f"{cls.__name__}(region='eu-central-1', max_attempts=2)"
    assert repr(cls(config=config)) == repr(cls(region="eu-central-1", max_attempts=2))


@BOTH
def test_keyword_outranks_the_config_which_stays_as_it_was(cls):
    config = Config(region="eu-central-1", max_attempts=2)

    assert repr(cls(config=config, max_attempts=5)) == f"{cls.__name__}(region='eu-central-1', max_attempts=5)"
    assert config == Config(region="eu-central-1", max_attempts=2)


@BOTH
def test_keywords_and_config_are_checked_together(cls):
    with pytest.raises(InvalidOption, match="secret_access_key: expected together with access_key_id"):
        cls(config=Config(region="eu-central-1"), access_key_id="AKIA")


@pytest.mark.parametrize("config", ["eu-central-1", {"region": "eu-central-1"}, Config])
def test_what_is_no_config_is_refused(config: Any):
    with pytest.raises(InvalidOption, match=r"^config: expected a Config such as Config\(region=...\), found "):
        Client(config=config)


def test_config_is_checked_when_it_is_made():
    with pytest.raises(InvalidOption, match="^endpoint_url: expected a URL"):
        Config(endpoint_url="localhost")
    with pytest.raises(InvalidOption, match="^connect_timeout: expected more than 0 seconds"):
        replace(Config(), connect_timeout=0)


def test_config_is_frozen_takes_only_keywords_and_refuses_what_it_does_not_know():
    config = Config(region="eu-central-1")

    with pytest.raises(FrozenInstanceError):
        config.region = "us-east-1"  # type: ignore[misc]
    with pytest.raises(TypeError):
        Config("eu-central-1")  # type: ignore[misc]
    with pytest.raises(TypeError, match="regoin"):
        Config(regoin="eu-central-1")  # type: ignore[call-arg]


def test_config_is_a_value():
    config = Config(region="eu-central-1", **SECRETS)

    assert config == Config(region="eu-central-1", **SECRETS)
    assert hash(config) == hash(copy.copy(config))
    assert pickle.loads(pickle.dumps(config)) == copy.deepcopy(config) == config


def test_no_option_of_config_is_there_unless_given():
    assert [getattr(Config(), field.name) for field in fields(Config)] == [None] * len(fields(Config))


@pytest.mark.parametrize("of", [Config(**SECRETS), Client(**SECRETS)], ids=["config", "client"])
def test_secrets_are_in_no_repr(of):
    assert "AKIA" in repr(of)
    assert "hidden" not in repr(of)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"retry_mode": "legacy"}, r"^retry_mode: expected 'standard' or 'adaptive', found 'legacy'"),
        ({"retry_mode": []}, "^retry_mode: expected"),
        ({"operation_timeout": 0}, "^operation_timeout: expected more than 0 seconds"),
        ({"ca_bundle": 1}, "^ca_bundle: expected the path of a file, found int"),
    ],
)
def test_option_of_the_transport_that_cannot_be_is_refused(options: dict[str, Any], expected: str):
    with pytest.raises(InvalidOption, match=expected):
        Config(**options)
