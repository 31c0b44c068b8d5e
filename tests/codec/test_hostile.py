"""No bytes and no dict crash the decoder: it reads them, or refuses them with InvalidItem."""

import contextlib
import json
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from oxidyn import InvalidItem, ItemAdapter


class Colour(Enum):
    RED = "red"


class Inner(BaseModel):
    text: str = ""
    deeper: "Inner | None" = None


class Everything(BaseModel):
    text: str
    number: int
    fraction: float
    exact: Decimal
    flag: bool
    raw: bytes
    moment: datetime
    day: date
    clock: time
    span: timedelta
    identifier: UUID
    colour: Colour
    kind: Literal["a", 1]
    many: list[int]
    pair: tuple[str, int]
    tags: set[str]
    numbers: set[int]
    table: dict[str, list[int]]
    inner: Inner
    note: str | None = None


ADAPTER = ItemAdapter(Everything)
INSTANCE = Everything(
    text="grün",
    number=10**30,
    fraction=0.1,
    exact=Decimal("1.5"),
    flag=True,
    raw=b"\x00\xff",
    moment=datetime(2026, 1, 31, tzinfo=timezone.utc),
    day=date(2026, 1, 31),
    clock=time(12, 30),
    span=timedelta(seconds=1.5),
    identifier=UUID(int=5),
    colour=Colour.RED,
    kind=1,
    many=[1, 2],
    pair=("a", 1),
    tags={"a"},
    numbers={1},
    table={"k": [1]},
    inner=Inner(text="a", deeper=Inner()),
    note="\n",
)
WIRE = ADAPTER.dump_wire(INSTANCE)

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=4), st.binary(max_size=4)
)
tags = st.sampled_from(["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS", "X", ""])
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(tags | st.text(max_size=3), inner, max_size=2),
        st.builds(lambda tag, content: {tag: content}, tags, inner),
    ),
    max_leaves=6,
)


def read_or_refuse(data: bytes) -> None:
    with contextlib.suppress(InvalidItem):
        assert isinstance(ADAPTER.load_wire(data), Everything)


def test_the_whole_item_comes_back():
    assert ADAPTER.load_wire(WIRE) == INSTANCE


@pytest.mark.parametrize("end", range(len(WIRE)))
def test_truncated_bytes_are_refused(end):
    with pytest.raises(InvalidItem):
        ADAPTER.load_wire(WIRE[:end])


@given(st.integers(0, len(WIRE) - 1), st.binary(min_size=1, max_size=3))
def test_damaged_bytes_are_read_or_refused(at, damage):
    read_or_refuse(WIRE[:at] + damage + WIRE[at + 1 :])


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data):
    read_or_refuse(data)
    read_or_refuse(b'{"text":' + data)


@given(st.sampled_from(sorted(Everything.model_fields)), values)
def test_any_value_of_any_field_is_read_or_refused(field, value):
    item = json.loads(WIRE)
    item[field] = value
    try:
        data = json.dumps(item).encode()
    except TypeError:
        data = None
    if data is not None:
        read_or_refuse(data)
    with contextlib.suppress(InvalidItem):
        ADAPTER.load_item(item)


@pytest.mark.parametrize(
    "data", [b"", b"null", b"[]", b"5", b'"x"', b"{", b"{}{}", WIRE + b"x", b"\xef\xbb\xbf" + WIRE]
)
def test_what_is_no_item_is_refused(data):
    with pytest.raises(InvalidItem):
        ADAPTER.load_wire(data)


def test_a_message_says_where_and_what_was_expected():
    with pytest.raises(InvalidItem) as caught:
        ADAPTER.load_wire(b'{"text":{"S":5}}')

    assert "expected a string" in str(caught.value)


@pytest.mark.parametrize("opening", [b'{"M":{"a":', b'{"L":[', b'{"text":{"M":{"text":', b"[", b'{"a":'])
def test_endless_nesting_is_refused_without_recursion(opening):
    for prefix in (b'{"text":', b'{"unknown":', b'{"table":', b'{"inner":', b""):
        with pytest.raises(InvalidItem):
            ADAPTER.load_wire(prefix + opening * 200_000)


def test_endless_nesting_of_a_dict_is_refused_without_recursion():
    nested: dict[str, object] = {"S": "a"}
    for _ in range(100_000):
        nested = {"M": {"deeper": nested}}
    item = {**json.loads(WIRE), "inner": nested}

    with pytest.raises(InvalidItem):
        ADAPTER.load_item(item)
    while "M" in nested:  # so that freeing it does not recurse either
        nested = nested["M"].pop("deeper")  # type: ignore[attr-defined]


def test_an_attribute_that_stands_twice_is_read_or_refused():
    read_or_refuse(WIRE[:-1] + b',"number":{"N":"1"}}')


@pytest.mark.parametrize(
    "item",
    [
        {"text": {"S": "a", "N": "1"}},
        {"text": {}},
        {"text": None},
        {"text": "a"},
        {5: {"S": "a"}},
        {"raw": {"B": 5}},
        {"tags": {"SS": "abc"}},
        {"many": {"L": ({"N": "1"},)}},
    ],
    ids=repr,
)
def test_a_dict_that_is_no_item_is_refused(item):
    with pytest.raises(InvalidItem):
        ADAPTER.load_item(item)


@pytest.mark.parametrize("item", [None, 5, "x", [], b"{}"], ids=repr)
def test_another_type_than_a_dict_is_refused(item):
    with pytest.raises((InvalidItem, TypeError)):
        ADAPTER.load_item(item)
