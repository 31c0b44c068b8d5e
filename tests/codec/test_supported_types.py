"""docs/supported-types.md, row by row."""

import dataclasses
import enum
import json
import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Optional, Union
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import (
    AnyUrl,
    Base64Str,
    BaseModel,
    ByteSize,
    Discriminator,
    ImportString,
    InstanceOf,
    Json,
    JsonValue,
    PostgresDsn,
    RootModel,
    Secret,
    SecretStr,
    SkipValidation,
    Tag,
)
from typing_extensions import NotRequired, TypedDict

from oxidyn import TTL, Attribute, Epoch, UnsupportedTypeError
from tests.codec.judges import Field

PAGE = Path(__file__).parents[2] / "docs" / "supported-types.md"


class Colour(enum.Enum):
    RED = "red"


class Place(BaseModel):
    city: str
    zip: int | None = None


@dataclasses.dataclass
class Point:
    x: int


class Note(TypedDict):
    text: NotRequired[str]


class Tags(RootModel[list[str]]):
    pass


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str


class Pair(NamedTuple):
    x: int
    y: str


def kind_of(pet: Any) -> Any:
    return pet["kind"] if isinstance(pet, dict) else pet.kind


NAMES: dict[str, Any] = {
    each.__name__: each
    for each in (
        AnyUrl,
        Attribute,
        ByteSize,
        Callable,
        Cat,
        Colour,
        Counter,
        Decimal,
        Discriminator,
        Dog,
        Fraction,
        IPv4Address,
        IPv6Network,
        ImportString,
        InstanceOf,
        Iterable,
        Json,
        Mapping,
        Note,
        OrderedDict,
        Pair,
        Path,
        Place,
        Point,
        PostgresDsn,
        Secret,
        SecretStr,
        Sequence,
        SkipValidation,
        Tag,
        Tags,
        UUID,
        ZoneInfo,
        date,
        datetime,
        defaultdict,
        deque,
        kind_of,
        time,
        timedelta,
        timezone,
    )
} | {
    "TTL": TTL,
    "Annotated": Annotated,
    "IntOrColour": Union[int, Colour],  # noqa: UP007
    "JsonValue": JsonValue,
    "Any": Any,
    "Base64Str": Base64Str,
    "Epoch": Epoch,
    "Literal": Literal,
    "Optional": Optional,
    "Pattern": re.Pattern,
    "Union": Union,
    "re": re,
}


def rows(columns: int) -> list[list[str]]:
    """The rows of the table with this many columns, without the backticks."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [[cell.strip("`") for cell in row] for row in cells if len(row) == columns and row[0].startswith("`")]


SUPPORTED = rows(5)
REFUSED = rows(2)


def test_both_tables_were_found():
    assert len(SUPPORTED) >= 40
    assert len(REFUSED) >= 3


@pytest.mark.parametrize(
    ("type_", "example", "attribute", "exact"),
    [row[:4] for row in SUPPORTED],
    ids=[f"{row[0]} {row[1]}" for row in SUPPORTED],
)
def test_a_supported_type_is_stored_and_read_as_the_page_says(type_, example, attribute, exact):
    field = Field(eval(type_, NAMES))
    # What an instance holds: of `Json` and the like that is not what it is given.
    value = field.model(value=eval(example, NAMES)).value

    assert field.store(eval(example, NAMES)) == json.loads(attribute)
    loaded = field.load(json.loads(attribute))
    if exact == "exact":
        assert loaded == value
        assert repr(loaded) == repr(value)
    elif exact == "value":
        assert loaded == value
    elif exact == "untyped":
        assert field.store_instance(field.model.model_construct(value=loaded)) == json.loads(attribute)
    elif exact == "list":
        assert loaded == list(value)
    elif exact == "instant":
        assert loaded == value
        assert loaded.utcoffset() == timedelta(0)
    else:
        assert exact == "rounded"
        assert loaded != value


@pytest.mark.parametrize("type_", [row[0] for row in REFUSED])
def test_a_type_that_is_not_supported_is_refused_as_the_page_says(type_):
    with pytest.raises(UnsupportedTypeError, match=r"Holder\.value"):
        Field(eval(type_, NAMES))
