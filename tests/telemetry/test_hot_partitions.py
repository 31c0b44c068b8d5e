"""`client.hot_partitions()`: which keys are asked for most, how they are named, and what counts."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING, Annotated, Any

import pytest

from oxidyn import Client, ConditionFailed, InvalidOption, Model, PartitionKey, Throttled, attr
from tests.fake_aws import FakeAws, refusal
from tests.telemetry.conftest import Note

if TYPE_CHECKING:
    from oxidyn import HotPartition
    from tests.telemetry.conftest import Make


def units(partitions: list[HotPartition]) -> dict[tuple[str | None, str], tuple[float, float]]:
    """What each was asked, in proportion to the least write: the speed depends on the clock, the proportion does not."""
    least = min([each.write_units for each in partitions if each.write_units] or [1.0])
    return {
        (each.index, each.partition): (round(each.read_units / least, 6), round(each.write_units / least, 6))
        for each in partitions
    }


def test_partitions_are_told_hottest_first_with_reads_and_writes(make: Make, notes_of: Any) -> None:
    client = make(hot_partitions="shown")
    notes = notes_of(client)

    notes.put(Note(owner="cold", number=1))
    for number in range(6):
        notes.put(Note(owner="hot", number=number))
    notes.get("hot", 1, consistent=True)
    notes.get("warm", 1, consistent=True)

    found = client.hot_partitions()
    assert [each.partition for each in found] == ["hot", "cold", "warm"]
    assert {each.table for each in found} == {notes.name}
    assert units(found) == {(None, "hot"): (1.0, 6.0), (None, "cold"): (0.0, 1.0), (None, "warm"): (1.0, 0.0)}
    assert found[0].share == pytest.approx(6 / 7)
    assert 0 < found[0].utilisation < 1
    assert [each.partition for each in client.hot_partitions(1)] == ["hot"]


def test_every_way_of_reading_and_writing_counts(make: Make, notes_of: Any) -> None:
    client = make(hot_partitions="shown")
    notes = notes_of(client)

    notes.batch_put([Note(owner="a", number=number) for number in range(30)])
    notes.upsert(("b", 1), attr(Note.text).set("x"))
    client.transact(notes.ops.put(Note(owner="c", number=1)), notes.ops.delete("c", 2))
    notes.batch_get([("d", 1), ("d", 2)], consistent=True)
    list(notes.query(Note.owner == "e", consistent=True))
    list(notes.query(Note.subject == "s", index="by_subject"))

    found = units(client.hot_partitions())
    assert found[None, "a"] == (0.0, 30.0)
    assert found[None, "c"] == (0.0, 4.0)
    assert found[None, "d"] == (2.0, 0.0)
    assert found[None, "e"] == (1.0, 0.0)
    assert found["by_subject", "s"] == (0.5, 0.0)


def test_keys_are_hashed_unless_they_are_to_be_shown(make: Make, notes_of: Any) -> None:
    client = make(hot_partitions="hashed")
    notes_of(client).put(Note(owner="acme", number=1))

    (found,) = client.hot_partitions()

    assert found.partition == hashlib.sha256(b'{"S":"acme"}').hexdigest()[:16]
    assert "acme" not in repr(found)


def test_throttled_tries_are_told_and_consume_nothing(of_fake: Make, fake: FakeAws) -> None:
    client = of_fake(hot_partitions="shown", max_attempts=1)
    notes = client.table(Note)
    fake.answers = [refusal("ThrottlingException"), refusal("ConditionalCheckFailedException")]

    with pytest.raises(Throttled):
        notes.put(Note(owner="a", number=1))
    with pytest.raises(ConditionFailed):
        notes.put(Note(owner="b", number=1), where=Note.text == "x")

    found = {each.partition: each.write_units for each in client.hot_partitions()}
    assert found["a"] == 0
    # The condition was looked at, at the price of the write.
    assert found["b"] > 0


def test_units_are_those_that_dynamodb_tells_where_they_are_asked_for(make: Make, notes_of: Any) -> None:
    client = make(hot_partitions="shown", capacity="total")
    notes = notes_of(client)

    notes.put(Note(owner="a", number=1))
    notes.put(Note(owner="b", number=1, subject="also in the index"))
    metrics = client.hot_partitions()

    found = {each.partition: each.write_units for each in metrics}
    assert found["b"] >= found["a"] > 0


def test_memory_is_bounded_and_the_hot_one_is_found_among_many(of_fake: Make) -> None:
    client = of_fake(hot_partitions="shown")
    notes = client.table(Note)
    for start in range(0, 2000, 100):
        notes.batch_put([Note(owner=f"cold {number}", number=1) for number in range(start, start + 100)])
        notes.batch_put([Note(owner="hot", number=number) for number in range(20)])

    found = client.hot_partitions(1000)

    assert len(found) <= 256
    assert found[0].partition == "hot"


def test_keys_of_numbers_and_bytes_are_shown_as_the_wire_has_them(of_fake: Make) -> None:
    class Count(Model, table="counts"):
        number: Annotated[int, PartitionKey]

    class Blob(Model, table="blobs"):
        key: Annotated[bytes, PartitionKey]

    client = of_fake(hot_partitions="shown")
    client.table(Count).put(Count(number=7))
    client.table(Blob).put(Blob(key=b"ab"))

    assert {each.table: each.partition for each in client.hot_partitions()} == {"counts": "7", "blobs": "YWI="}


def test_partition_is_a_frozen_value(of_fake: Make) -> None:
    client = of_fake(hot_partitions="shown")
    client.table(Note).put(Note(owner="a", number=1))

    (found,) = client.hot_partitions()
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.partition = "b"  # type: ignore[misc]


def test_client_that_counts_none_says_how_to_have_them() -> None:
    with Client.local() as client, pytest.raises(InvalidOption, match=r'Client\(hot_partitions="hashed"\)'):
        client.hot_partitions()


@pytest.mark.parametrize("count", [0, -1, True, 1001, "ten"])
def test_count_that_cannot_be_is_refused(count: Any) -> None:
    with Client.local(hot_partitions="hashed") as client, pytest.raises(InvalidOption, match="^count="):
        client.hot_partitions(count)


def test_option_that_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidOption, match='^hot_partitions: expected "hashed" or "shown", found True'):
        Client(hot_partitions=True)  # type: ignore[arg-type]
