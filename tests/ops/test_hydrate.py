"""hydrate=True: whole items through an index that holds only a part of each.

The engines index at once; what is deleted or moves between the two reads is told on scripted replies, in
tests/rust/ops/hydrate.rs.
"""

from __future__ import annotations

from typing import Annotated, Any

import pytest

from oxidyn import Include, Index, InvalidExpression, InvalidItem, KeysOnly, Model, PartitionKey, SortKey


class Book(Model, indexes={"by_author": KeysOnly(), "by_year": Include("title"), "by_shelf": KeysOnly()}):
    library: Annotated[str, PartitionKey]
    isbn: Annotated[int, SortKey]
    author: Annotated[str, Index("by_author", partition=True)]
    year: Annotated[int, Index("by_author", sort=True), Index("by_year", sort=True)]
    country: Annotated[str, Index("by_year", partition=True)] = "de"
    shelf: Annotated[int, Index("by_shelf", sort=True)] = 0
    title: str = ""
    text: str = ""
    tags: set[str] = set()


@pytest.fixture
def books(client: Any, table_name: str) -> Any:
    books = client.table(Book, name=table_name)
    books.create_table()
    return books


@pytest.fixture
def shelf(books: Any) -> list[Book]:
    """230 books, whose isbns and years run in opposite directions."""
    shelf = [
        Book(library=f"l{n % 3}", isbn=n, author="mann", year=2000 - n, title=f"t{n}", text="…" * 20, tags={f"g{n}"})
        for n in range(230)
    ]
    books.batch_put(shelf)
    return shelf


BY_MANN = Book.author == "mann"


def test_a_query_gives_whole_items_in_the_order_of_the_index(books: Any, shelf: list[Book]) -> None:
    assert list(books.query(BY_MANN, index="by_author", hydrate=True)) == shelf[::-1]
    assert list(books.query(BY_MANN, hydrate=True, reverse=True)) == shelf
    assert list(books.query((Book.country == "de") & (Book.year > 1990), hydrate=True)) == shelf[9::-1]


def test_a_scan_gives_whole_items_of_global_and_local_indexes(books: Any, shelf: list[Book]) -> None:
    for index in ("by_author", "by_shelf"):
        found = list(books.scan(index=index, hydrate=True))
        assert sorted(found, key=lambda book: book.isbn) == shelf


def test_hydration_makes_an_index_a_candidate_for_items(books: Any, shelf: list[Book]) -> None:
    query = books.query(BY_MANN & (Book.year > 1995))
    with pytest.raises(InvalidExpression, match="hydrate=True"):
        query.first()

    hydrated = books.query(BY_MANN & (Book.year > 1995), hydrate=True)

    assert list(hydrated) == shelf[4::-1]
    [note] = hydrated.explain().notes
    assert note == "each item is read from the table, since the index does not hold country, shelf, title, text, tags"


def test_what_is_held_whole_is_not_read_twice(books: Any, shelf: list[Book]) -> None:
    query = books.query((Book.library == "l0") & (Book.isbn < 10), hydrate=True)

    assert list(query) == shelf[0:10:3]
    assert query.explain().notes == ()


def test_limit_first_one_and_count(books: Any, shelf: list[Book]) -> None:
    def query(**options: Any) -> Any:
        return books.query(BY_MANN, hydrate=True, **options)

    assert list(query(limit=3)) == shelf[:-4:-1]
    assert query().first() == shelf[-1]
    assert query(reverse=True).first() == shelf[0]
    assert books.query(BY_MANN & (Book.year == 1990), hydrate=True).one() == shelf[10]
    assert query().count() == 230
    assert query(limit=7).count() == 7


def test_pages_with_cursors_hold_whole_items(books: Any, shelf: list[Book]) -> None:
    query = books.query(BY_MANN, where=Book.isbn != 200, hydrate=True)
    found, cursor = [], None
    for _ in range(6):
        page = query.page(40, after=cursor)
        found.append(page.items)
        cursor = page.cursor

    assert [len(items) for items in found] == [40] * 5 + [29]
    assert [book for items in found for book in items] == [book for book in shelf[::-1] if book.isbn != 200]
    assert cursor is None


@pytest.mark.parametrize("page_size", [1, 7, 100, 1000])
def test_pages_of_any_size_give_the_same(books: Any, shelf: list[Book], page_size: int) -> None:
    limit = 20 if page_size == 1 else None

    found = list(books.query(BY_MANN, hydrate=True, page_size=page_size, limit=limit))

    assert found == shelf[::-1][:limit]


def test_a_filter_sees_what_the_index_holds(books: Any, shelf: list[Book]) -> None:
    country = Book.country == "de"

    found = books.query(country, where=(Book.title == "t7") | (Book.isbn > 227), hydrate=True)
    assert [book.isbn for book in found] == [229, 228, 7]
    assert list(found) == [shelf[229], shelf[228], shelf[7]]
    with pytest.raises(InvalidExpression, match=r"Book\.text, which index by_year does not hold"):
        books.query(country, where=Book.text == "x", hydrate=True).first()


def test_consistent_reads_of_a_local_index_are_consistent_throughout(books: Any, shelf: list[Book]) -> None:
    found = list(books.scan(index="by_shelf", hydrate=True, consistent=True))

    assert len(found) == 230


def test_the_iterator_goes_on_after_an_item_that_is_refused(client: Any, books: Any, shelf: list[Book]) -> None:
    class Blank(Model):
        library: Annotated[str, PartitionKey]
        isbn: Annotated[int, SortKey]
        author: str = "mann"
        year: int
        tags: str = "no set"

    client.table(Blank, name=books.name).put(Blank(library="l1", isbn=226, year=2000 - 226 + 400))
    items = iter(books.query(BY_MANN, hydrate=True, reverse=True))

    with pytest.raises(InvalidItem, match="tags"):
        next(items)
    assert [book.isbn for book in items] == [isbn for isbn in range(230) if isbn != 226]
