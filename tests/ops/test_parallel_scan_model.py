"""Parallel scans against a Python filter: whatever is stored, asked for and interrupted, each item comes once."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxidyn import Client, Index, Model, PartitionKey, SortKey
from tests.engines import unique_table_name

if TYPE_CHECKING:
    from collections.abc import Iterator


class Reading(Model):
    """All three types of keys; ranks repeat, so that only the table's key tells their items apart."""

    sensor: Annotated[bytes, PartitionKey]
    number: Annotated[int, SortKey]
    rank: Annotated[str, Index("by_rank", partition=True)]
    value: int


READINGS = st.lists(
    st.builds(
        Reading,
        sensor=st.sampled_from([b"\x00", b"\xff", b"a"]) | st.binary(min_size=1, max_size=3),
        number=st.integers(-5, 5) | st.integers(-(10**37), 10**37),
        rank=st.sampled_from(["", "ä", "z"]).map(lambda text: text + "r"),
        value=st.integers(0, 9),
    ),
    max_size=40,
    unique_by=lambda reading: (reading.sensor, reading.number),
)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Client.local() as client:
        yield client


def key(reading: Reading) -> tuple[bytes, int]:
    return reading.sensor, reading.number


@settings(max_examples=60)
@given(
    readings=READINGS,
    segments=st.integers(1, 6),
    page_size=st.none() | st.integers(1, 7),
    index=st.sampled_from([None, "by_rank"]),
    least=st.none() | st.integers(0, 9),
    stops=st.lists(st.integers(0, 9), max_size=6),
)
def test_each_item_that_a_python_filter_keeps_comes_once_over_any_number_of_cursors(
    client: Client,
    readings: list[Reading],
    segments: int,
    page_size: int | None,
    index: str | None,
    least: int | None,
    stops: list[int],
) -> None:
    table = client.table(Reading, name=unique_table_name())
    table.create_table()
    table.batch_put(readings)
    where: Any = None if least is None else Reading.value >= least
    kept = {key(reading) for reading in readings if least is None or reading.value >= least}

    def scan(after: str | None) -> Any:
        return table.parallel_scan(segments=segments, page_size=page_size, index=index, where=where, after=after)

    found: list[tuple[bytes, int]] = []
    cursor = None
    for stop in stops:
        part = scan(cursor)
        found += [key(reading) for reading in itertools.islice(part, stop)]
        cursor = part.cursor
    rest = scan(cursor)
    assert rest.count() == len(kept) - len(found)
    found += [key(reading) for reading in rest]

    assert len(found) == len(kept)
    assert set(found) == kept
    assert rest.progress.finished
    table.delete_table()
