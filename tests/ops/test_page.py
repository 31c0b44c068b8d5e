"""page: some items at a time, and cursors that go on from there."""

from __future__ import annotations

import base64
import itertools
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from oxidyn import Index, InvalidCursor, InvalidItem, InvalidOption, Model, Page, PartitionKey, SortKey, attr
from tests.ops.models import Counter, Plan, Price, Stranger, User, Word

NOON = datetime(2025, 1, 1, 12, tzinfo=timezone.utc)


@pytest.fixture
def crowd(users: Any) -> list[User]:
    """Ten users of acme, ids 0 to 9, ages 20 to 29, and two of another organisation."""
    people = [
        User(
            org="acme",
            id=number,
            age=20 + number,
            email="all@acme.example" if number % 2 else None,
            plan=Plan.PAID if number < 6 else Plan.FREE,
            joined=NOON - number * timedelta(days=1),
        )
        for number in range(10)
    ]
    users.batch_put([*people, User(org="other", id=1), User(org="other", id=2)])
    return people


def pages_of(query: Any, size: int) -> list[Any]:
    """All pages, from the first to the one without a cursor."""
    pages = [query.page(size)]
    while pages[-1].cursor is not None:
        pages.append(query.page(size, after=pages[-1].cursor))
        assert len(pages) < 100, "the cursors go round in circles"
    return pages


def ids(pages: list[Any]) -> list[list[int]]:
    return [[item.id for item in page.items] for page in pages]


def test_pages_go_through_a_partition_in_order(users: Any, crowd: list[User]) -> None:
    pages = pages_of(users.query(User.org == "acme"), 4)

    assert ids(pages) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert [item for page in pages for item in page.items] == crowd


def test_a_last_page_that_is_full_has_no_cursor(users: Any, crowd: list[User]) -> None:
    assert ids(pages_of(users.query(User.org == "acme"), 5)) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert ids(pages_of(users.query(User.org == "acme"), 10)) == [list(range(10))]


def test_nothing_found_is_an_empty_page_without_a_cursor(users: Any) -> None:
    page = users.query(User.org == "nobody").page(10)

    assert page.items == []
    assert page.cursor is None


def test_an_empty_range_is_an_empty_page_and_sends_nothing(client: Any) -> None:
    nowhere = client.table(User, name="no-such-table")

    assert nowhere.query((User.org == "acme") & (User.id > 6) & (User.id < 3)).page(10).items == []


def test_a_page_is_filled_to_its_size_after_filtering(users: Any, crowd: list[User]) -> None:
    odd = users.query(User.org == "acme", where=attr(User.email).exists(), page_size=2)

    assert ids(pages_of(odd, 2)) == [[1, 3], [5, 7], [9]]
    assert ids(pages_of(odd, 4)) == [[1, 3, 5, 7], [9]]


def test_a_page_that_ends_in_the_middle_of_a_reply_goes_on_behind_its_last_item(users: Any, crowd: list[User]) -> None:
    unfiltered = users.query(User.org == "acme")
    filtered = users.query(User.org == "acme", where=User.age >= 23)

    assert ids(pages_of(unfiltered, 3)) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]
    assert ids(pages_of(filtered, 3)) == [[3, 4, 5], [6, 7, 8], [9]]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("page_size", [None, 1, 3, 50])
@pytest.mark.parametrize("where", [None, lambda: User.age >= 24, lambda: User.age < 0])
def test_pages_of_every_size_give_what_iterating_gives(
    users: Any, crowd: list[User], reverse: bool, page_size: int | None, where: Any
) -> None:
    query = users.query(User.org == "acme", where=where() if where else None, reverse=reverse, page_size=page_size)
    everything = list(query)

    for size in (1, 2, 3, 9, 10, 11):
        pages = pages_of(query, size)
        assert [item for page in pages for item in page.items] == everything
        assert all(len(page.items) == size for page in pages[:-1])


def test_pages_in_reverse_order(users: Any, crowd: list[User]) -> None:
    assert ids(pages_of(users.query(User.org == "acme", reverse=True), 4)) == [[9, 8, 7, 6], [5, 4, 3, 2], [1, 0]]


def test_pages_of_a_global_index_go_on_by_its_key_and_the_tables(users: Any, crowd: list[User]) -> None:
    by_plan = users.query(User.plan == Plan.PAID, index="by_plan")
    # All have the same key in this index, so only the table's key tells them apart.
    by_email = users.query(User.email == "all@acme.example", index="by_email")

    assert ids(pages_of(by_plan, 4)) == [[5, 4, 3, 2], [1, 0]]
    assert sorted(itertools.chain(*ids(pages_of(by_email, 2)))) == [1, 3, 5, 7, 9]


def test_pages_of_a_local_index(users: Any, crowd: list[User]) -> None:
    by_joined = users.query(User.org == "acme", index="by_joined", where=User.age < 27)

    assert ids(pages_of(by_joined, 3)) == [[6, 5, 4], [3, 2, 1], [0]]


class Match(Model):
    """A global index with several attributes in each part of its key."""

    id: Annotated[str, PartitionKey]
    cup: Annotated[str, Index("by_place", partition=1)]
    region: Annotated[str, Index("by_place", partition=2)]
    round: Annotated[int, Index("by_place", sort=1)]
    bracket: Annotated[str, Index("by_place", sort=2)]


def test_pages_of_an_index_with_several_attributes_in_each_part_of_its_key(client: Any, table_name: str) -> None:
    matches = client.table(Match, name=table_name)
    matches.create_table()
    places = [(turn, bracket, copy) for turn in (9, 10) for bracket in ("lower", "upper") for copy in "ab"]
    matches.batch_put(
        [
            Match(id=f"{turn}{bracket}{copy}", cup="winter", region="eu", round=turn, bracket=bracket)
            for turn, bracket, copy in places
        ]
    )

    pages = pages_of(matches.query((Match.cup == "winter") & (Match.region == "eu"), index="by_place"), 3)

    assert [len(page.items) for page in pages] == [3, 3, 2]
    found = [item for page in pages for item in page.items]
    assert [(item.round, item.bracket) for item in found] == [(turn, bracket) for turn, bracket, _ in places]
    assert len({item.id for item in found}) == len(places)


def test_pages_of_a_scan(users: Any, counters: Any, crowd: list[User]) -> None:
    counters.batch_put([Counter(name=f"c{number}") for number in range(7)])

    everyone = pages_of(users.scan(), 5)
    grown_up = pages_of(users.scan(where=(User.org == "acme") & (User.age >= 25)), 2)
    indexed = pages_of(users.scan(index="by_email"), 2)
    named = pages_of(counters.scan(), 3)

    assert [len(page.items) for page in everyone] == [5, 5, 2]
    assert sorted(itertools.chain(*ids(grown_up))) == [5, 6, 7, 8, 9]
    assert sorted(itertools.chain(*ids(indexed))) == [1, 3, 5, 7, 9]
    assert sorted(counter.name for page in named for counter in page.items) == [f"c{number}" for number in range(7)]


def test_pages_of_whole_items_through_an_index_that_holds_a_part_of_each(users: Any) -> None:
    twins = [User(org="acme", id=number, nick="twin", age=20 + number) for number in range(5)]
    users.batch_put([*twins, User(org="acme", id=9, nick="other")])

    everyone = pages_of(users.query(User.nick == "twin", index="by_nick", hydrate=True), 2)
    scanned = pages_of(users.scan(index="by_nick", hydrate=True), 4)

    assert [len(page.items) for page in everyone] == [2, 2, 1]
    assert sorted((user for page in everyone for user in page.items), key=lambda user: user.id) == twins
    assert [len(page.items) for page in scanned] == [4, 2]


def test_pages_of_a_selection_go_on_by_keys_that_are_not_selected(users: Any, crowd: list[User]) -> None:
    ages = users.select(User.age)
    paid = ages.query(User.plan == Plan.PAID, index="by_plan")
    sized = ages.query(User.org == "acme", where=attr(User.email).exists(), page_size=3)

    assert [page.items for page in pages_of(ages.query(User.org == "acme", reverse=True), 7)] == [
        [(29,), (28,), (27,), (26,), (25,), (24,), (23,)],
        [(22,), (21,), (20,)],
    ]
    assert [page.items for page in pages_of(paid, 4)] == [[(25,), (24,), (23,), (22,)], [(21,), (20,)]]
    assert [page.items for page in pages_of(sized, 3)] == [[(21,), (23,), (25,)], [(27,), (29,)]]
    assert sum(len(page.items) for page in pages_of(ages.scan(), 5)) == 12


def test_a_cursor_goes_on_in_a_selection_of_the_same_query(users: Any, crowd: list[User]) -> None:
    first = users.query(User.org == "acme").page(4)

    assert users.select(User.id).query(User.org == "acme").page(2, after=first.cursor).items == [(4,), (5,)]


def test_items_on_an_open_end_are_left_out_before_a_page_is_filled(words: Any, prices: Any) -> None:
    words.batch_put([Word(language="de", word=word) for word in ("a", "b", "c", "d", "e")])
    prices.batch_put([Price(symbol="x", amount=Decimal(text)) for text in ("0.9", "1", "1.05", "2.5")])

    inner = words.query((Word.language == "de") & (Word.word > "a") & (Word.word < "e"))
    amounts = prices.query((Price.symbol == "x") & (Price.amount >= Decimal("0.9")) & (Price.amount < Decimal("2.50")))

    assert [[item.word for item in page.items] for page in pages_of(inner, 2)] == [["b", "c"], ["d"]]
    assert [[item.word for item in page.items] for page in pages_of(inner, 3)] == [["b", "c", "d"]]
    assert [len(page.items) for page in pages_of(amounts, 2)] == [2, 1]


def test_limit_counts_over_all_pages(users: Any, crowd: list[User]) -> None:
    assert ids(pages_of(users.query(User.org == "acme", limit=7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert ids(pages_of(users.query(User.org == "acme", limit=6), 3)) == [[0, 1, 2], [3, 4, 5]]
    assert ids(pages_of(users.query(User.org == "acme", where=User.age > 20, limit=4, page_size=1), 3)) == [
        [1, 2, 3],
        [4],
    ]
    assert ids(pages_of(users.query(User.org == "acme", limit=2), 5)) == [[0, 1]]


def test_size_and_page_size_may_change_from_page_to_page(users: Any, crowd: list[User]) -> None:
    first = users.query(User.org == "acme", page_size=2).page(3)
    second = users.query(User.org == "acme", page_size=5, consistent=True).page(6, after=first.cursor)

    assert ids([first, second]) == [[0, 1, 2], [3, 4, 5, 6, 7, 8]]


def test_items_written_and_deleted_between_pages_do_not_disturb_the_place(users: Any, crowd: list[User]) -> None:
    query = users.query(User.org == "acme")
    first = query.page(4)
    users.delete("acme", 3)
    users.put(User(org="acme", id=-1))

    assert ids([query.page(3, after=first.cursor)]) == [[4, 5, 6]]


class Draw(Model):
    """Integers that fall into one place of a set's table are iterated in the order they came in."""

    day: Annotated[str, PartitionKey]
    number: Annotated[int, SortKey]
    balls: set[int] = {0}
    size: int = 8


def test_a_cursor_goes_on_whatever_order_a_set_of_the_condition_is_iterated_in(client: Any, table_name: str) -> None:
    draws = client.table(Draw, name=table_name)
    draws.create_table()
    draws.batch_put([Draw(day="d", number=number, balls={0, 8, 16}) for number in range(3)])
    orders = [set(dict.fromkeys(members)) for members in ((0, 8, 16), (16, 8, 0), (8, 16, 0))]

    queries = [
        draws.query(Draw.day == "d", where=(Draw.balls == balls) & attr(Draw.size).is_in(balls)) for balls in orders
    ]

    assert len({tuple(balls) for balls in orders}) == 3
    assert len({query.page(2).cursor for query in queries}) == 1


def test_a_cursor_is_short_and_stands_in_a_url_as_it_is(users: Any, crowd: list[User]) -> None:
    cursor = users.query(User.org == "acme").page(4).cursor

    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert len(cursor) < 30


def test_a_cursor_of_another_query_is_refused(client: Any, users: Any, crowd: list[User], table_name: str) -> None:
    acme = User.org == "acme"
    other = client.table(User, name=f"{table_name}-other")
    cursor = users.query(acme).page(4).cursor

    for foreign in (
        users.query(User.org == "other"),
        users.query(acme & (User.id > 0)),
        users.query(acme, where=User.age > 0),
        users.query(acme, reverse=True),
        users.query(acme, index="by_joined"),
        users.scan(where=acme),
        other.query(acme),
    ):
        with pytest.raises(InvalidCursor, match=r"another query made it: .*HTTP 400"):
            foreign.page(4, after=cursor)


def test_a_cursor_of_another_value_on_an_open_end_is_refused(words: Any) -> None:
    words.batch_put([Word(language="de", word=word) for word in ("a", "b", "c")])
    german = Word.language == "de"
    closed = words.query(german & (Word.word >= "a") & (Word.word <= "z")).page(1)

    with pytest.raises(InvalidCursor, match="another query"):
        words.query(german & (Word.word > "a") & (Word.word <= "z")).page(1, after=closed.cursor)


def test_a_cursor_that_is_cut_off_or_altered_is_refused(users: Any, crowd: list[User]) -> None:
    query = users.query(User.org == "acme")
    cursor = query.page(4).cursor
    bytes_of = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))

    for length in range(len(cursor)):
        with pytest.raises(InvalidCursor, match="refused: .*HTTP 400"):
            query.page(4, after=cursor[:length])
    for place in range(len(bytes_of)):
        altered = bytearray(bytes_of)
        altered[place] ^= 0x08
        with pytest.raises(InvalidCursor, match="refused"):
            query.page(4, after=base64.urlsafe_b64encode(altered).rstrip(b"=").decode())
    for nonsense in ("", " ", "page 2", cursor + "=", cursor + "A", f" {cursor}", "é", "../../etc"):
        with pytest.raises(InvalidCursor):
            query.page(4, after=nonsense)


def test_a_cursor_of_another_version_says_so(users: Any, crowd: list[User]) -> None:
    query = users.query(User.org == "acme")
    cursor = query.page(4).cursor
    newer = base64.urlsafe_b64encode(b"\x20" + base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[1:])

    with pytest.raises(InvalidCursor, match="version 2, and this release of oxidyn reads version 1"):
        query.page(4, after=newer.rstrip(b"=").decode())


def test_a_refused_cursor_is_told_with_its_table_and_shows_no_value(users: Any, crowd: list[User]) -> None:
    cursor = users.query(User.org == "acme").page(4).cursor

    with pytest.raises(InvalidCursor) as caught:
        users.query(User.org == "other").page(4, after=cursor)

    assert isinstance(caught.value, ValueError)
    assert caught.value.table == users.name
    assert caught.value.operation == "Query"
    assert "acme" not in str(caught.value)
    assert cursor not in str(caught.value)


def test_what_is_no_size_or_cursor_is_refused_by_name(users: Any) -> None:
    query = users.query(User.org == "acme")

    for size in (0, -1, True, "3", 2**31, None):
        with pytest.raises(InvalidOption, match="^size="):
            query.page(size)
    with pytest.raises(InvalidOption, match="^after: .*found int"):
        query.page(3, after=4)


def test_a_stored_item_that_the_model_refuses_is_told_by_its_key(client: Any, users: Any, crowd: list[User]) -> None:
    client.table(Stranger, name=users.name).put(Stranger(org="acme", id=2, age="old"))

    with pytest.raises(InvalidItem) as caught:
        users.query(User.org == "acme").page(4)

    assert caught.value.key == ("acme", 2)
    assert ids([users.query((User.org == "acme") & (User.id > 2)).page(2)]) == [[3, 4]]


def test_a_page_is_a_pydantic_model_of_the_tables_model(users: Any, crowd: list[User]) -> None:
    page = users.query(User.org == "acme").page(2)

    assert isinstance(page, Page)
    assert type(page) is Page[User]
    assert isinstance(page, BaseModel)
    assert Page[User].model_validate_json(page.model_dump_json()) == page
    assert page.model_dump()["items"][0]["id"] == 0


def test_page_works_where_the_only_key_is_bytes(client: Any, table_name: str) -> None:
    class Blob(Model):
        digest: Annotated[bytes, PartitionKey]

    blobs = client.table(Blob, name=table_name)
    blobs.create_table()
    blobs.batch_put([Blob(digest=bytes([number, 255, 0])) for number in range(5)])

    pages = pages_of(blobs.scan(), 2)

    assert [len(page.items) for page in pages] == [2, 2, 1]
    assert {blob.digest[0] for page in pages for blob in page.items} == set(range(5))
