"""URLs and DSNs: stored as `str(url)`, back of the declared class."""

from typing import Annotated

import pytest
from pydantic import (
    AmqpDsn,
    AnyHttpUrl,
    AnyUrl,
    AnyWebsocketUrl,
    BaseModel,
    ConfigDict,
    FileUrl,
    FtpUrl,
    HttpUrl,
    KafkaDsn,
    MongoDsn,
    MySQLDsn,
    NatsDsn,
    PostgresDsn,
    RedisDsn,
    TypeAdapter,
    UrlConstraints,
    WebsocketUrl,
)
from pydantic_core import MultiHostUrl, Url, core_schema

from oxidyn import ItemAdapter
from tests.codec.judges import Field

URLS = [
    (AnyUrl, "custom:x?y#z"),
    (AnyUrl, "https://exämple.com/ä?b=c d#e"),
    (AnyHttpUrl, "http://example.com:80/a"),
    (HttpUrl, "https://user:pass@example.com:8443/a//b?c"),
    (FileUrl, "file:///a/b"),
    (FtpUrl, "ftp://example.com"),
    (WebsocketUrl, "wss://example.com/a"),
    (AnyWebsocketUrl, "ws://example.com"),
    (PostgresDsn, "postgres://u:p@a:1,b:2/db"),
    (MySQLDsn, "mysql://u:p@a:1/db"),
    (MongoDsn, "mongodb://a,b/db"),
    (RedisDsn, "redis://"),
    (AmqpDsn, "amqp://"),
    (KafkaDsn, "kafka://"),
    (NatsDsn, "nats://localhost:1,localhost:2"),
    (Annotated[AnyUrl, UrlConstraints(allowed_schemes=["ssh"], default_port=22)], "ssh://host"),
]


@pytest.mark.parametrize(("annotation", "text"), URLS)
def test_a_url_is_stored_as_its_text_and_comes_back_of_its_class(annotation, text):
    field = Field(annotation)
    url = TypeAdapter(annotation).validate_python(text)

    field.check_round_trip(url)
    assert field.store(text) == {"S": str(url)}
    assert type(field.load({"S": text})) is type(url)


@pytest.mark.parametrize(("annotation", "text"), URLS)
def test_strict_models_take_back_their_urls(annotation, text):
    url = TypeAdapter(annotation).validate_python(text)

    Field(annotation, config=ConfigDict(strict=True)).check_round_trip(url)


def test_text_that_is_no_such_url_is_refused_with_its_path():
    assert Field(HttpUrl).refusal({"S": "ftp://example.com"})["type"] == "url_scheme"
    assert Field(HttpUrl).refusal({"S": "x"})["loc"] == ("value",)
    assert Field(HttpUrl).refusal({"N": "1"})["loc"] == ("value",)
    assert Field(HttpUrl).refusal_to_store(5)["loc"] == ("value",)


def test_urls_make_sets_and_lie_beside_text_in_unions():
    url = HttpUrl("https://example.com/")

    assert Field(set[HttpUrl]).store({url}) == {"SS": ["https://example.com/"]}
    Field(HttpUrl | None).check_round_trip(None)
    Field(HttpUrl | int).check_round_trip(url)
    assert Field(HttpUrl | int).load({"N": "1"}) == 1


def test_a_class_of_the_users_comes_back():
    class Gopher(AnyUrl):
        _constraints = UrlConstraints(allowed_schemes=["gopher"])

    Field(Gopher).check_round_trip(Gopher("gopher://example.com/1"))


def test_the_default_may_be_text():
    class Site(BaseModel):
        url: HttpUrl = "https://example.com"  # type: ignore[assignment]

    assert ItemAdapter(Site).dump_item(Site()) == {"url": {"S": "https://example.com/"}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (core_schema.url_schema(), Url("https://example.com/a")),
        (core_schema.multi_host_url_schema(), MultiHostUrl("a://b:1,c:2/d")),
    ],
)
def test_pydantic_cores_own_urls_are_stored_too(schema, value):
    class Raw:
        def __get_pydantic_core_schema__(self, source, handler):
            return schema

    field = Field(Annotated[object, Raw()])

    field.check_round_trip(value)
    assert field.store(value) == {"S": str(value)}
