"""parallel_scan on both engines, in both colours. What crosses threads, loops and the wire: tests/client/test_parallel_scan.py.

Moto gives the whole table for every segment, so what depends on how a table is divided is asked of the embedded engine,
which divides it by the keys' hashes as DynamoDB does.
"""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import pytest

from oxidyn import (
    Client,
    Index,
    InvalidCursor,
    InvalidExpression,
    InvalidItem,
    InvalidOption,
    KeysOnly,
    Model,
    PartitionKey,
    ScanProgress,
    SegmentProgress,
    TableNotFound,
    attr,
)
from tests.ops.models import Counter, Stranger, User

only_embedded = pytest.mark.parametrize("engine", ["embedded"], indirect=True)


@pytest.fixture
def segments(engine: str) -> int:
    return 4 if engine == "embedded" else 1


@pytest.fixture
def crowd(users: Any) -> set[tuple[str, int]]:
    people = [User(org=f"org{n % 9}", id=n, age=n) for n in range(60)]
    users.batch_put(people)
    return {(person.org, person.id) for person in people}


def keys(items: Any) -> list[tuple[str, int]]:
    return [(user.org, user.id) for user in items]


def some(scan: Any, count: int) -> list[tuple[str, int]]:
    """The next items, one by one."""
    items = iter(scan)
    return keys(next(items) for _ in range(count))


def test_every_item_is_handed_out_once(users: Any, crowd: set[tuple[str, int]], segments: int) -> None:
    for page_size in (None, 1, 7):
        found = keys(users.parallel_scan(segments=segments, page_size=page_size))

        assert len(found) == len(crowd)
        assert set(found) == crowd


def test_a_filter_is_applied_and_pages_without_items_are_passed(
    users: Any, crowd: set[tuple[str, int]], segments: int
) -> None:
    found = keys(users.parallel_scan(segments=segments, where=User.age >= 55, page_size=2))

    assert sorted(number for _, number in found) == [55, 56, 57, 58, 59]


def test_an_empty_table_gives_nothing(users: Any, segments: int) -> None:
    scan = users.parallel_scan(segments=segments)

    assert list(scan) == []
    assert scan.progress.finished


def test_an_index_is_read(users: Any, segments: int) -> None:
    users.batch_put([User(org="a", id=1, email="x"), User(org="a", id=2)])

    assert keys(users.parallel_scan(segments=segments, index="by_email", page_size=1)) == [("a", 1)]


def test_consistent_reads_are_asked_for(users: Any, crowd: set[tuple[str, int]], segments: int) -> None:
    assert len(keys(users.parallel_scan(segments=segments, consistent=True))) == len(crowd)
    with pytest.raises(InvalidExpression, match="only eventually consistent"):
        users.parallel_scan(index="by_email", consistent=True)


def test_trust_is_taken_for_one_scan(client: Any, table_name: str, segments: int) -> None:
    from pydantic import field_validator

    class Shout(Model):
        id: Annotated[str, PartitionKey]
        word: str

        @field_validator("word")
        @classmethod
        def _louder(cls, word: str) -> str:
            return word + "!"

    shouts = client.table(Shout, name=table_name)
    shouts.create_table()
    shouts.put(Shout(id="a", word="x"))

    assert [shout.word for shout in shouts.parallel_scan(segments=segments)] == ["x!!"]
    assert [shout.word for shout in shouts.parallel_scan(segments=segments, load="trust")] == ["x!"]


# ---- counting


def test_count_counts_all_segments(users: Any, crowd: set[tuple[str, int]], segments: int) -> None:
    scan = users.parallel_scan(segments=segments, page_size=3)

    assert scan.count() == 60
    assert scan.progress.items == 0
    assert users.parallel_scan(segments=segments, where=User.age < 7).count() == 7


def test_count_begins_where_the_scan_began(users: Any, crowd: set[tuple[str, int]], segments: int) -> None:
    scan = users.parallel_scan(segments=segments, page_size=4)
    some(scan, 13)

    resumed = users.parallel_scan(segments=segments, after=scan.cursor)

    assert resumed.count() == 47
    some(resumed, 5)
    assert resumed.count() == 47


def test_a_finished_scan_counts_nothing_more(users: Any, crowd: set[tuple[str, int]], segments: int) -> None:
    scan = users.parallel_scan(segments=segments)
    list(scan)

    assert users.parallel_scan(segments=segments, after=scan.cursor).count() == 0


# ---- cursors


@pytest.mark.parametrize("page_size", [None, 1, 4])
def test_the_cursor_goes_on_right_behind_the_items_handed_out(
    users: Any, crowd: set[tuple[str, int]], segments: int, page_size: int | None
) -> None:
    scan = users.parallel_scan(segments=segments, page_size=page_size)
    found: list[tuple[str, int]] = []

    for count in (0, 1, 2, 10, 4, 30):
        found += some(scan, count)
        scan = users.parallel_scan(segments=segments, page_size=3, after=scan.cursor)
    found += keys(scan)

    assert len(found) == len(crowd)
    assert set(found) == crowd


def test_the_cursor_goes_on_behind_each_single_item(users: Any, crowd: set[tuple[str, int]], segments: int) -> None:
    found: list[tuple[str, int]] = []
    cursor = None
    while True:
        scan = users.parallel_scan(segments=segments, where=User.age >= 20, after=cursor)
        if (item := next(iter(scan), None)) is None:
            break
        found += keys([item])
        cursor = scan.cursor

    assert len(found) == 40
    assert set(found) == {key for key in crowd if key[1] >= 20}


def test_the_cursor_of_an_index_goes_on(users: Any, segments: int) -> None:
    users.batch_put([User(org=f"o{n % 3}", id=n, email=f"m{n % 2}") for n in range(12)])
    scan = users.parallel_scan(segments=segments, index="by_email")
    found = some(scan, 5)

    found += keys(users.parallel_scan(segments=segments, index="by_email", after=scan.cursor))

    assert sorted(number for _, number in found) == list(range(12))


def test_the_cursor_does_not_move_the_scan(users: Any, crowd: set[tuple[str, int]], segments: int) -> None:
    scan = users.parallel_scan(segments=segments, page_size=4)
    found = some(scan, 6)

    assert scan.cursor == scan.cursor
    assert set(found + keys(scan)) == crowd


def test_a_cursor_asked_for_before_the_first_item_begins_at_the_start(
    users: Any, crowd: set[tuple[str, int]], segments: int
) -> None:
    cursor = users.parallel_scan(segments=segments).cursor

    assert set(keys(users.parallel_scan(segments=segments, after=cursor))) == crowd


def test_behind_the_cursor_of_a_finished_scan_nothing_comes(
    users: Any, crowd: set[tuple[str, int]], segments: int
) -> None:
    scan = users.parallel_scan(segments=segments)
    list(scan)

    resumed = users.parallel_scan(segments=segments, after=scan.cursor)

    assert list(resumed) == []
    assert resumed.progress.finished


def test_a_cursor_goes_on_with_other_page_sizes_and_policies(
    users: Any, crowd: set[tuple[str, int]], segments: int
) -> None:
    scan = users.parallel_scan(segments=segments, page_size=4)
    found = some(scan, 9)

    found += keys(users.parallel_scan(segments=segments, page_size=2, consistent=True, load="trust", after=scan.cursor))

    assert len(found) == 60
    assert set(found) == crowd


def test_a_foreign_cursor_is_refused(users: Any, counters: Any, crowd: set[tuple[str, int]]) -> None:
    cursor = users.parallel_scan(segments=4, where=User.age > 5).cursor

    for foreign, words in [
        (lambda: counters.parallel_scan(segments=4, after=cursor), "another query"),
        (lambda: users.parallel_scan(segments=4, after=cursor), "another query"),
        (lambda: users.parallel_scan(segments=4, where=User.age > 6, after=cursor), "another query"),
        (lambda: users.parallel_scan(segments=4, where=User.age > 5, index="by_email", after=cursor), "another query"),
        (lambda: users.parallel_scan(segments=5, where=User.age > 5, after=cursor), "4 segments.* segments=4"),
        (lambda: users.parallel_scan(segments=4, where=User.age > 5, after=cursor[:-1]), "cut off"),
        (lambda: users.parallel_scan(segments=4, where=User.age > 5, after="x"), "cut off"),
        (lambda: users.parallel_scan(segments=4, where=User.age > 5, after=""), "cut off"),
    ]:
        with pytest.raises(InvalidCursor, match=words) as refused:
            foreign()
        assert refused.value.table in (users.name, counters.name)


def test_the_cursor_of_a_page_is_none_of_a_parallel_scan(users: Any, crowd: set[tuple[str, int]]) -> None:
    page = users.scan().page(5).cursor
    parallel = users.parallel_scan(segments=1).cursor

    with pytest.raises(InvalidCursor, match="another kind"):
        users.parallel_scan(segments=1, after=page)
    with pytest.raises(InvalidCursor, match="another kind"):
        users.scan().page(5, parallel)


def test_cursors_are_signed_where_the_client_has_a_key() -> None:
    with Client.local(cursor_key=b"k" * 32) as signing, Client.local() as plain:
        ours, theirs = signing.table(Counter), plain.table(Counter)
        signed, unsigned = ours.parallel_scan().cursor, theirs.parallel_scan().cursor

        ours.parallel_scan(after=signed)
        with pytest.raises(InvalidCursor, match="not signed"):
            ours.parallel_scan(after=unsigned)
        with pytest.raises(InvalidCursor, match="is signed"):
            theirs.parallel_scan(after=signed)
        with pytest.raises(InvalidCursor, match="signature"):
            ours.parallel_scan(after=signed[:-2] + ("A" if signed[-2] != "A" else "B") + signed[-1])


# ---- progress


def test_progress_tells_each_segment_and_all(users: Any, crowd: set[tuple[str, int]], segments: int) -> None:
    scan = users.parallel_scan(segments=segments, where=User.age >= 30, page_size=5)
    assert scan.progress == ScanProgress(
        tuple(SegmentProgress(0, 0, False) for _ in range(segments)), items=0, scanned=0, finished=False
    )

    some(scan, 12)
    halfway = scan.progress
    list(scan)
    end = scan.progress

    assert len(halfway.segments) == segments
    assert halfway.items == sum(segment.items for segment in halfway.segments) == 12
    assert 12 <= halfway.scanned < 60
    assert not halfway.finished
    assert (end.items, end.scanned, end.finished) == (30, 60, True)
    assert all(segment.finished for segment in end.segments)


@only_embedded
def test_a_segment_is_finished_with_its_last_item(users: Any, crowd: set[tuple[str, int]]) -> None:
    scan = users.parallel_scan(segments=4)

    some(scan, 60)

    assert scan.progress.finished
    assert {segment.items for segment in scan.progress.segments} != {15}


def test_progress_is_a_value(users: Any) -> None:
    progress = users.parallel_scan().progress

    with pytest.raises(dataclasses.FrozenInstanceError):
        progress.items = 5
    with pytest.raises(dataclasses.FrozenInstanceError):
        progress.segments[0].items = 5


def test_a_resumed_scan_tells_its_own_progress(users: Any, crowd: set[tuple[str, int]], segments: int) -> None:
    scan = users.parallel_scan(segments=segments)
    some(scan, 20)

    resumed = users.parallel_scan(segments=segments, after=scan.cursor)
    list(resumed)

    assert resumed.progress.items == 40


# ---- errors


@pytest.fixture
def with_strangers(users: Any, client: Any) -> Any:
    """Two items of the users' table that are none of the model's, among three that are."""
    strangers = client.table(Stranger, name=users.name)
    users.batch_put([User(org="a", id=1), User(org="b", id=2), User(org="c", id=3)])
    strangers.put(Stranger(org="a", id=9, age="old"))
    strangers.put(Stranger(org="c", id=8, age="old"))
    return users


def everything(scan: Any) -> tuple[list[int], list[Any]]:
    """Ids of the items, and the keys of those that were refused."""
    items, refused = [], []
    iterator = iter(scan)
    while True:
        try:
            items.append(next(iterator).id)
        except InvalidItem as error:
            refused.append(error.key)
        except StopIteration:
            return sorted(items), sorted(refused)


def test_after_an_item_that_was_refused_the_next_one_comes(with_strangers: Any, segments: int) -> None:
    scan = with_strangers.parallel_scan(segments=segments)

    assert everything(scan) == ([1, 2, 3], [("a", 9), ("c", 8)])
    assert scan.progress.items == 5


def test_the_cursor_goes_on_behind_an_item_that_was_refused(with_strangers: Any, segments: int) -> None:
    scan = with_strangers.parallel_scan(segments=segments)
    items: Any = iter(scan)
    seen: list[int] = []

    with pytest.raises(InvalidItem) as refused:
        seen.extend(user.id for user in items)
    rest, refused_later = everything(with_strangers.parallel_scan(segments=segments, after=scan.cursor))

    assert (refused.value.operation, refused.value.table) == ("Scan", with_strangers.name)
    assert sorted(seen + rest) == [1, 2, 3]
    assert len(refused_later) == 1


def test_after_a_failed_request_iterating_asks_again(client: Any, table_name: str, segments: int) -> None:
    counters = client.table(Counter, name=table_name)
    scan = counters.parallel_scan(segments=segments)
    items = iter(scan)
    for _ in range(segments):
        with pytest.raises(TableNotFound):
            next(items)

    counters.create_table()
    counters.put(Counter(name="x"))
    found = []
    # What was asked for before the table was there fails once more.
    for _ in range(2 * segments):
        try:
            found += [counter.name for counter in scan]
        except TableNotFound:
            continue

    assert found == ["x"]


def test_items_are_not_read_through_an_index_that_lacks_fields(users: Any, segments: int) -> None:
    users.put(User(org="a", id=1, nick="x"))
    scan = users.parallel_scan(segments=segments, index="by_nick")

    with pytest.raises(InvalidExpression, match="by_nick"):
        next(iter(scan))
    assert scan.count() == 1


def test_an_index_of_keys_is_read_by_a_model_of_keys(client: Any, users: Any, segments: int) -> None:
    class Nick(Model, indexes={"by_nick": KeysOnly()}):
        org: Annotated[str, PartitionKey]
        id: int
        nick: Annotated[str, Index("by_nick", partition=True)]

    users.put(User(org="a", id=1, nick="x"))
    nicks = client.table(Nick, name=users.name, partition="org", sort="id")

    assert [nick.nick for nick in nicks.parallel_scan(segments=segments, index="by_nick")] == ["x"]


def test_the_scan_is_behind_its_rate_limit(client: Any, users: Any, crowd: set[tuple[str, int]], segments: int) -> None:
    from tests.ops.test_rate_limit import told, waited

    limit = told(read=0.1)
    limited = client.table(User, name=users.name, rate_limit=limit)

    assert len(list(limited.parallel_scan(segments=segments, page_size=10))) == 60
    assert waited(limit) > 0


# ---- options


@pytest.mark.parametrize("segments", [0, -1, 1001, 2.0, "4", True, None])
def test_a_number_of_segments_that_cannot_be_is_refused(segments: Any) -> None:
    with Client.local() as client, pytest.raises(InvalidOption, match="segments=.*from 1 to 1000"):
        client.table(Counter).parallel_scan(segments=segments)


def test_a_page_size_that_cannot_be_is_refused() -> None:
    with Client.local() as client, pytest.raises(InvalidOption, match="page_size=0"):
        client.table(Counter).parallel_scan(page_size=0)


def test_a_cursor_that_is_no_text_is_refused() -> None:
    with Client.local() as client, pytest.raises(InvalidOption, match="after: expected .* found bytes"):
        client.table(Counter).parallel_scan(after=b"x")  # type: ignore[arg-type]


def test_a_condition_of_another_model_is_refused_before_anything_is_sent(users: Any) -> None:
    with pytest.raises(InvalidExpression, match="Counter"):
        users.parallel_scan(where=attr(Counter.count) > 1)


def test_a_scan_shows_its_table_and_segments(users: Any) -> None:
    assert repr(users.parallel_scan(segments=3)).endswith(f'ParallelScan(table="{users.name}", segments=3)')
