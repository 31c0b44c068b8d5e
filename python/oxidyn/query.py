"""What `query` and `scan` return: nothing is sent until it is iterated, or asked by `first()`, `one()`, `page()`, `count()`.

Iterated items come as they are consumed, one reply after the other. Neither class is a generator: after an `InvalidItem`
(one stored item that the model refuses) the same iterator goes on with the next item, and after a failed request it asks
again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from . import _core
from .errors import InvalidOption, MultipleItemsFound, NoItemFound, shown
from .exports import show_public_path

if TYPE_CHECKING:
    from ._core import Operation
    from .explanation import Explanation
    from .pages import Page

__all__ = ["AsyncQuery", "Query"]

M = TypeVar("M")
R = TypeVar("R")

LARGEST_PAGE: Final = 2**31 - 1
"""DynamoDB's `Limit` has 32 bits."""


def expect_count(option: str, value: object, most: int) -> None:
    """Refuse what is no number of items."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise InvalidOption(f"{option}={shown(value)}: expected a number of items from 1 to {most}.")


class _Run(Protocol):
    def __call__(self, operation: Operation[R], /) -> R: ...


class _Spawn(Protocol):
    def __call__(self, operation: Operation[R], /) -> Awaitable[R]: ...


class _Pages(Generic[M]):
    """Where an iteration stands: on which page, and which operation fetches the next one."""

    __slots__ = ("_fetch", "_page", "_query")

    def __init__(self, query: _core.Query[M]) -> None:
        self._query = query
        self._page: _core.Page[M] | None = None
        self._fetch: Operation[_core.Page[M]] | None = query.page(None)

    def _following(self) -> Operation[_core.Page[M]] | None:
        """What fetches the page after this one; the same again where that failed, None after the last."""
        if self._page is not None:
            # Only a page that was consumed knows how many items are still wanted.
            cursor = self._page.next
            self._page = None
            self._fetch = None if cursor is None else self._query.page(cursor)
        return self._fetch


class _PagesInTurn(_Pages[M]):
    """The pages of a `Query`, fetched as its items are asked for."""

    __slots__ = ("_run",)

    def __init__(self, query: _core.Query[M], run: _Run) -> None:
        super().__init__(query)
        self._run = run

    def turn(self) -> _core.Page[M] | None:
        """Go to the next slice of the page, or to the next page; None where there is none."""
        return self._page if self._goes_on() or self._fetched() else None

    def _goes_on(self) -> bool:
        """Begin the next slice of the page, if there is one."""
        return self._page is not None and self._page.turn()

    def _fetched(self) -> bool:
        """Fetch the next page, if there is one."""
        fetch = self._following()
        if fetch is not None:
            self._page = self._run(fetch)
        return fetch is not None


class AsyncQueryIterator(_Pages[M], AsyncIterator[M]):
    """An iteration of an `AsyncQuery`. Several tasks may take from it: each item goes to one of them."""

    __slots__ = ("_items", "_spawn", "_turning")

    def __init__(self, query: _core.Query[M], spawn: _Spawn) -> None:
        from asyncio import Lock  # Not for programs without an event loop: it is half as heavy as oxidyn itself.

        super().__init__(query)
        self._items: Iterator[M] = iter(())
        self._spawn = spawn
        self._turning = Lock()

    async def __anext__(self) -> M:
        for item in self._items:
            return item
        async with self._turning:
            while True:
                # Another task may have turned the page while this one waited for its turn.
                for item in self._items:
                    return item
                # The loop turns between the slices of a page, even for a consumer that awaits nothing else.
                if self._page is not None and await self._page.turn_awaited():
                    continue
                fetch = self._following()
                if fetch is None:
                    raise StopAsyncIteration
                self._items = self._page = await self._spawn(fetch)


class _QueryBase(Generic[M]):
    """A query without I/O: it can be asked again, each time from the start."""

    __slots__ = ("_core", "_explain", "_table")

    def __init__(self, core: _core.Query[M], explain: Callable[[], Explanation], table: str) -> None:
        self._core = core
        self._explain = explain
        self._table = table

    def __repr__(self) -> str:
        return f'{type(self).__name__}(table="{self._table}")'

    def explain(self) -> Explanation:
        """Tell where the query goes and why, what is asked there, and what the other keys miss; nothing is sent."""
        return self._explain()

    def _fill(self, size: int, after: str | None) -> Operation[Page[M]]:
        self._expect_place(size, after)
        return self._core.fill(size, after)

    def _fill_json(self, size: int, after: str | None) -> Operation[bytes]:
        self._expect_place(size, after)
        return self._core.fill_json(size, after)

    def _expect_place(self, size: int, after: str | None) -> None:
        expect_count("size", size, LARGEST_PAGE)
        if after is not None and not isinstance(after, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidOption(
                f"after: expected the cursor of a page, or None for the first one; found {type(after).__name__}."
            )

    def _only(self, items: list[M]) -> M | None:
        if len(items) > 1:
            raise MultipleItemsFound(
                "The query found more than one item where one was expected; first() takes the first of several.",
                operation="Query",
                table=self._table,
            )
        return items[0] if items else None

    def _found(self, item: M | None) -> M:
        if item is None:
            raise NoItemFound(
                "The query found no item where one was expected; first() and one_or_none() give None then.",
                operation="Query",
                table=self._table,
            )
        return item


class Query(_QueryBase[M]):
    """The items that a query or a scan finds: iterate over it, or take `first()`, `one()`, `count()`."""

    __slots__ = ("_run",)

    def __init__(self, core: _core.Query[M], explain: Callable[[], Explanation], table: str, run: _Run) -> None:
        super().__init__(core, explain, table)
        self._run = run

    def __iter__(self) -> Iterator[M]:
        """Read the items page by page.

        Raises:
            InvalidExpression: the index does not hold every field of the model.
            InvalidItem: a stored item is not one of the model's; the iterator goes on with the next.
        """
        return self._iterated(self._core)

    def first(self) -> M | None:
        """Get the first item, or None where there is none."""
        return next(self._iterated(self._core.at_most(1)), None)

    def one(self) -> M:
        """Get the only item.

        Raises:
            NoItemFound: there is none.
            MultipleItemsFound: there are several.
        """
        return self._found(self.one_or_none())

    def one_or_none(self) -> M | None:
        """Get the only item, or None where there is none.

        Raises:
            MultipleItemsFound: there are several.
        """
        return self._only(list(self._iterated(self._core.at_most(2))))

    def page(self, size: int, after: str | None = None) -> Page[M]:
        """Get a page of `size` items: the first one, or the one behind the cursor of the page before.

        The page is filled up to its size after filtering, over as many requests as that takes, at most 100; after these
        it comes short. `cursor` is None where nothing follows. `limit` counts over all pages; `page_size` is what
        DynamoDB reads at once.

        Raises:
            InvalidCursor: `after` is no cursor of this query: another table, index, condition, value or order made it, or
                another `cursor_key`, or it was cut off or altered.
            InvalidItem: a stored item is not one of the model's; iterating goes on with the next.
        """
        return self._run(self._fill(size, after))

    def page_json(self, size: int, after: str | None = None) -> bytes:
        """Get the same page as JSON: the bytes of `page(size, after).model_dump_json(by_alias=True)`.

        With `response_model=Page[User]` FastAPI answers a page with these bytes. Where the model's schema allows it they
        are made of the stored bytes, without instances of the model; every item is checked all the same.

        Raises:
            InvalidCursor: `after` is no cursor of this query.
            InvalidItem: a stored item is not one of the model's.
        """
        return self._run(self._fill_json(size, after))

    def count(self) -> int:
        """Count the items without reading them; DynamoDB bills it as if they were read."""
        return self._run(self._core.count())

    def _iterated(self, query: _core.Query[M]) -> Iterator[M]:
        return _core.Items(_PagesInTurn(query, self._run).turn)


class AsyncQuery(_QueryBase[M]):
    """As `Query`, with `async for` and `await`."""

    __slots__ = ("_spawn",)

    def __init__(self, core: _core.Query[M], explain: Callable[[], Explanation], table: str, spawn: _Spawn) -> None:
        super().__init__(core, explain, table)
        self._spawn = spawn

    def __aiter__(self) -> AsyncIterator[M]:
        """See `Query.__iter__`."""
        return AsyncQueryIterator(self._core, self._spawn)

    async def first(self) -> M | None:
        """See `Query.first`."""
        return await anext(AsyncQueryIterator(self._core.at_most(1), self._spawn), None)

    async def one(self) -> M:
        """See `Query.one`."""
        return self._found(await self.one_or_none())

    async def one_or_none(self) -> M | None:
        """See `Query.one_or_none`."""
        return self._only([item async for item in AsyncQueryIterator(self._core.at_most(2), self._spawn)])

    async def page(self, size: int, after: str | None = None) -> Page[M]:
        """See `Query.page`."""
        return await self._spawn(self._fill(size, after))

    async def page_json(self, size: int, after: str | None = None) -> bytes:
        """See `Query.page_json`."""
        return await self._spawn(self._fill_json(size, after))

    async def count(self) -> int:
        """See `Query.count`."""
        return await self._spawn(self._core.count())


show_public_path(globals())
