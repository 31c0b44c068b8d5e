"""`oxidyn.item_size`: what DynamoDB counts, told without sending."""

import base64
import sys
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from typing_extensions import TypedDict

from oxidyn import Attribute, InvalidItem, InvalidOption, ItemAdapter, ItemSize, item_size


class Holder(BaseModel):
    value: Any
    number: Annotated[int, Attribute(name="größe")] = 1


def number_size(text: str) -> int:
    """The developer guide's rule, with the two halves of a byte that the embedded engine's authors measured."""
    sign, digits, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)
    significant = "".join(map(str, digits)).strip("0")
    if not significant:
        return 1
    trailing = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    after = min(len(significant), max(0, -(exponent + trailing)))
    before = len(significant) - after
    return 1 + -(-before // 2) + -(-after // 2) + sign


def value_size(attribute: dict[str, Any]) -> int:
    """The developer guide's rules over boto3's low-level form."""
    [(tag, content)] = attribute.items()
    match tag:
        case "S":
            return len(content.encode())
        case "N":
            return number_size(content)
        case "B":
            return len(base64.b64decode(content))
        case "BOOL" | "NULL":
            return 1
        case "SS" | "NS" | "BS":
            return sum(value_size({tag[0]: each}) for each in content)
        case "L":
            return 3 + sum(1 + value_size(each) for each in content)
        case _:
            return 3 + sum(1 + len(name.encode()) + value_size(each) for name, each in content.items())


numbers = st.integers(-(10**37), 10**37) | st.decimals(-1000, 1000, places=5) | st.floats(1e-9, 1e30)
scalars = st.none() | st.booleans() | numbers | st.text(max_size=9) | st.binary(max_size=9)
values = st.recursive(
    scalars | st.sets(st.text(max_size=3), min_size=1) | st.sets(st.integers(-999, 999), min_size=1),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_an_items_size_is_that_of_the_developer_guide(value):
    item = Holder(value=value)
    stored = ItemAdapter(Holder).dump_item(item, mode="json")

    size = item_size(item)

    assert size.bytes == sum(len(name.encode()) + value_size(attribute) for name, attribute in stored.items())
    whole = [part.bytes for part in size.heaviest if part.path in stored]
    assert sum(whole) == size.bytes
    assert [part.bytes for part in size.heaviest] == sorted((part.bytes for part in size.heaviest), reverse=True)


class Page(BaseModel):
    number: int
    text: str


class Document(BaseModel):
    id: str
    pages: list[Page]
    meta: dict[str, str]


def test_the_heaviest_attributes_come_first_with_the_parts_in_them_that_weigh_a_tenth():
    pages = [Page(number=1, text="x"), Page(number=2, text="y" * 5_000)]

    size = item_size(Document(id="a", pages=pages, meta={"a": "x" * 100, "b": "y" * 900}))

    assert [part.path for part in size.heaviest] == [
        "pages",
        "pages[1]",
        "pages[1].text",
        "meta",
        "meta.b",
        "id",
    ]
    assert size.heaviest[2] == ("pages[1].text", 5_000 + len("text") + 1)
    assert size.heaviest[-1] == ("id", len("id") + 1)


@pytest.mark.parametrize(
    ("length", "reads", "writes"),
    [(0, 1, 1), (1017, 1, 1), (1018, 1, 2), (4089, 1, 4), (4090, 2, 5), (409_593, 100, 400)],
)
def test_units_are_whole_and_at_least_one(length, reads, writes):
    class Text(BaseModel):
        text: str
        n: int = 1

    size = item_size(Text(text="x" * length))

    assert size.bytes == len("text") + length + len("n") + 2
    assert (size.read_units, size.write_units) == (reads, writes)


def test_an_item_above_the_limit_has_a_size_too():
    assert item_size(Holder(value="x" * 500_000)).bytes > 409_600


def test_an_adapter_counts_what_it_stores_itself():
    class Loose(TypedDict):
        text: str

    assert ItemAdapter(Loose).item_size({"text": "abc"}) == ItemSize(7, (("text", 7),))  # type: ignore[arg-type]
    holder = Holder(value="abc")
    assert ItemAdapter(Holder).item_size(holder) == item_size(holder)
    assert ItemAdapter(Holder, unset="skip").item_size(holder).bytes == len("value") + 3


def test_a_dataclass_has_a_size():
    @dataclass
    class Point:
        x: int

    assert item_size(Point(x=7)).bytes == 3


@pytest.mark.parametrize("wrong", [Holder, {"value": 1}])
def test_a_class_or_a_dict_is_refused_by_what_it_is(wrong):
    with pytest.raises(InvalidOption, match=r"item_size\(\) expected an instance"):
        item_size(wrong)


def test_a_value_that_cannot_be_stored_has_no_size():
    with pytest.raises(InvalidItem) as caught:
        item_size(Holder(value=float("nan")))

    assert caught.value.errors()[0]["loc"] == ("value",)


def test_sizes_are_values():
    size = item_size(Holder(value=1))

    assert size == item_size(Holder(value=2))
    assert hash(size) == hash(item_size(Holder(value=1)))
    assert sys.getsizeof(size) < 100
