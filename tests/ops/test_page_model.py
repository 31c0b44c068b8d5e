"""Pages against a Python filter: whatever the items, the query and the sizes, each item comes once and in order."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxidyn import Client, Index, InvalidCursor, KeysOnly, Model, PartitionKey, SortKey, all_of
from tests.engines import unique_table_name


class Step(Model, indexes={"by_rank": KeysOnly()}):
    """Text keys have no neighbours, so open ends are left out on the client; ranks repeat, so only the key tells them apart."""

    path: Annotated[str, PartitionKey]
    name: Annotated[str, SortKey]
    rank: Annotated[int, Index("by_rank", sort=True)]
    shown: bool


NAMES = st.text("abc", min_size=1, max_size=3)
STEPS = st.lists(
    st.builds(Step, path=st.just("p"), name=NAMES, rank=st.integers(0, 3), shown=st.booleans()),
    unique_by=lambda step: step.name,
    max_size=25,
)
SIZES = st.integers(1, 9)
CLIENT = Client.local()


@st.composite
def bounds(draw: st.DrawFn) -> tuple[Any, Any]:
    """Give a range of names as conditions, and as a test of one name."""
    conditions: list[Any] = [Step.path == "p"]
    tests: list[Any] = []
    for sign in draw(st.sets(st.sampled_from(["<", ">"]))):
        end, is_open = draw(NAMES), draw(st.booleans())
        if sign == "<":
            conditions.append(Step.name < end if is_open else Step.name <= end)
            tests.append(lambda name, end=end, is_open=is_open: name < end or (name == end and not is_open))
        else:
            conditions.append(Step.name > end if is_open else Step.name >= end)
            tests.append(lambda name, end=end, is_open=is_open: name > end or (name == end and not is_open))
    return all_of(*conditions), lambda name: all(test(name) for test in tests)


def pages_of(query: Any, sizes: list[int]) -> list[Any]:
    """All pages; the sizes take turns."""
    pages = [query.page(sizes[0])]
    while pages[-1].cursor is not None:
        pages.append(query.page(sizes[len(pages) % len(sizes)], pages[-1].cursor))
        assert len(pages) <= 2 * 25 + 2
    return pages


@settings(max_examples=150)
@given(
    steps=STEPS,
    range_=bounds(),
    sizes=st.lists(SIZES, min_size=1, max_size=3),
    page_size=st.none() | SIZES,
    limit=st.none() | st.integers(1, 30),
    filtered=st.booleans(),
    reverse=st.booleans(),
    by_rank=st.booleans(),
)
def test_pages_hold_what_a_python_filter_finds_each_item_once_and_in_order(
    steps: list[Step],
    range_: tuple[Any, Any],
    sizes: list[int],
    page_size: int | None,
    limit: int | None,
    filtered: bool,
    reverse: bool,
    by_rank: bool,
) -> None:
    table = CLIENT.table(Step, name=unique_table_name())
    table.create_table()
    table.batch_put(steps)
    condition, is_in = range_
    if by_rank:
        condition, is_in = Step.path == "p", lambda _: True
    query: Any = table.query(
        condition,
        where=Step.shown if filtered else None,
        index="by_rank" if by_rank else None,
        reverse=reverse,
        limit=limit,
        page_size=page_size,
    )

    pages = pages_of(query, sizes)

    found = [step for page in pages for step in page.items]
    expected = [step for step in steps if is_in(step.name) and (step.shown or not filtered)]
    place = (lambda step: step.rank) if by_rank else (lambda step: step.name)
    assert [place(step) for step in found] == sorted(map(place, expected), reverse=reverse)[:limit]
    assert len({step.name for step in found}) == len(found)
    assert all(step in expected for step in found)
    for number, page in enumerate(pages[:-1]):
        assert len(page.items) == sizes[number % len(sizes)]
    table.delete_table()


class Row(Model):
    """A key of each type."""

    number: Annotated[int, PartitionKey]
    data: Annotated[bytes, SortKey]


@pytest.fixture(scope="module")
def rows() -> Any:
    rows = Client.local().table(Row, name=unique_table_name())
    rows.create_table()
    rows.batch_put([Row(number=number, data=bytes([number, 0])) for number in range(1, 9)])
    return rows


@settings(max_examples=300)
@given(text=st.text() | st.text("ABEQab09-_", max_size=60))
def test_no_text_but_a_cursor_is_taken_for_one(rows: Any, text: str) -> None:
    with pytest.raises(InvalidCursor):
        rows.scan().page(3, after=text)


@settings(max_examples=300)
@given(content=st.binary(max_size=40) | st.tuples(st.text("-.0123456789eE", max_size=5), st.binary(max_size=5)))
def test_whatever_key_an_unsigned_cursor_holds_it_is_refused_or_gone_on_from(
    rows: Any, content: bytes | tuple[str, bytes]
) -> None:
    """Nothing else comes of it, although anyone can compute its checksum."""
    if isinstance(content, tuple):
        number, data = content[0].encode(), content[1]
        content = b"\x03" + bytes([len(number)]) + number + bytes([len(data)]) + data
    genuine = rows.scan().page(3).cursor
    head = base64.urlsafe_b64decode(genuine + "=" * (-len(genuine) % 4))[:9]
    forged = head + content + hashlib.sha256(head + content).digest()[:4]

    with contextlib.suppress(InvalidCursor):
        page = rows.scan().page(3, after=base64.urlsafe_b64encode(forged).decode().rstrip("="))
        assert all(isinstance(row, Row) for row in page.items)
