"""Keys of maps: text as Pydantic's JSON mode writes and reads it."""

import enum
import json
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import PurePosixPath
from typing import Annotated, Literal, Union
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AnyUrl, BaseModel, TypeAdapter, ValidationError
from pydantic import Field as Constrained

from oxidyn import UnsupportedTypeError
from tests.codec.judges import Field


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    x: int


KEYS = {
    str: st.text(min_size=1, max_size=4),
    int: st.integers(-(10**20), 10**20),
    UUID: st.uuids(),
    date: st.dates(),
    datetime: st.datetimes(timezones=st.just(timezone.utc)),
    time: st.times(),
    timedelta: st.timedeltas(timedelta(0), timedelta(days=9)),
    Decimal: st.decimals(-1000, 1000, places=2),
    bool: st.booleans(),
    bytes: st.text(min_size=1, max_size=3).map(str.encode),
    Colour: st.sampled_from(Colour),
    Literal["a", "b"]: st.sampled_from(["a", "b"]),
    IPv4Address: st.ip_addresses(v=4),
    PurePosixPath: st.sampled_from(["/a/b", "a", "."]).map(PurePosixPath),
    AnyUrl: st.sampled_from(["https://example.com/a?b=c", "ftp://a/"]).map(AnyUrl),
    Annotated[str, Constrained(min_length=1)]: st.text(min_size=1, max_size=3),
}


@pytest.mark.parametrize("key", list(KEYS), ids=str)
@given(data=st.data())
def test_a_key_comes_back_typed_and_its_text_is_that_of_pydantics_json(key, data):
    annotation = dict[key, int]
    field = Field(annotation)
    value = {data.draw(KEYS[key]): 1}

    [text] = field.store(value)["M"]

    field.check_round_trip(value)
    assert [text] == list(json.loads(TypeAdapter(annotation).dump_json(value)))


@given(
    types=st.lists(st.sampled_from([key for key in KEYS if key is not timedelta]), min_size=2, max_size=3, unique=True),
    data=st.data(),
)
def test_a_key_of_a_union_comes_back_or_is_refused_and_text_is_read_as_pydantics_json_reads_it(types, data):
    annotation = dict[Union[tuple(types)], int]  # type: ignore[misc, arg-type]  # noqa: UP007
    field = Field(annotation)
    key = data.draw(KEYS[data.draw(st.sampled_from(types))])
    instance = field.model.model_construct(value={key: 1})

    [expected] = TypeAdapter(annotation).validate_json(TypeAdapter(annotation).dump_json({key: 1}))
    if isinstance(key, str) or (expected == key and type(expected) is type(key)):
        [loaded] = field.load(field.store_instance(instance))
        assert (loaded, type(loaded)) == (expected, type(expected))
    else:
        assert field.refusal_to_store({key: 1})["type"] == "key"


def test_text_is_read_as_the_member_that_pydantics_json_mode_reads():
    assert Field(dict[UUID | date, int]).load({"M": {"2026-01-31": {"N": "1"}}}) == {date(2026, 1, 31): 1}
    assert Field(dict[int | Colour, int]).load({"M": {"red": {"N": "1"}, "5": {"N": "2"}}}) == {Colour.RED: 1, 5: 2}


def test_a_key_whose_text_would_be_read_as_another_is_refused_with_its_path():
    error = Field(dict[int | str, int]).refusal_to_store({5: 1})

    assert error["loc"] == ("value", 5)
    assert "read as another" in error["msg"]
    Field(dict[int | str, int]).check_round_trip({"5": 1})


def test_text_that_no_member_reads_is_refused_with_its_path():
    field = Field(dict[UUID | date, int])
    with pytest.raises(ValidationError) as caught:
        field.load({"M": {"x": {"N": "1"}}})
    assert all(error["loc"][:2] == ("value", "x") for error in caught.value.errors())


@pytest.mark.parametrize("key", [int | None, None, Literal["a"] | None, Colour | None])
def test_a_key_that_may_be_none_is_refused_when_compiled(key):
    with pytest.raises(UnsupportedTypeError, match=r"Holder\.value\[key\]: .*None"):
        Field(dict[key, int])


@pytest.mark.parametrize("key", [tuple[int, int], frozenset[str], Inner, int | tuple[int, int]], ids=str)
def test_a_key_that_is_no_scalar_is_refused_when_compiled(key):
    with pytest.raises(UnsupportedTypeError, match=r"Holder\.value\[key\]: a dict with keys"):
        Field(dict[key, int])
