"""`Query` and `AsyncQuery` over a core of known pages: when they ask, when they stop, what they do after errors."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from oxidyn import AsyncQuery, InvalidItem, MultipleItemsFound, NoItemFound, Query, Throttled

REFUSED = object()


class Page:
    """A page that decodes as it goes; like the core's, it knows what follows only once it is consumed."""

    def __init__(self, items: list[Any], following: int | None, wanted: int | None) -> None:
        self._items = iter(items)
        self._following = following
        self._wanted = wanted
        self._consumed = False

    def __iter__(self) -> "Page":
        return self

    def __next__(self) -> Any:
        item = next(self._items, None) if self._wanted != 0 else None
        if item is None:
            self._consumed = True
            raise StopIteration
        if self._wanted is not None:
            self._wanted -= 1
        if item is REFUSED:
            raise InvalidItem.from_exception_data("Thing", [], "python", hide_input=True)
        return item

    def turn(self) -> bool:
        return False

    async def turn_awaited(self) -> bool:
        return False

    @property
    def next(self) -> Any:
        assert self._consumed, "asked too early"
        return None if self._following is None or self._wanted == 0 else (self._following, self._wanted)


class Core:
    """The core's query and client in one: operations are tuples, run by looking them up."""

    def __init__(self, *pages: list[Any], failing: tuple[int, ...] = ()) -> None:
        self.pages = pages
        self.asked: list[int] = []
        self.failing = list(failing)
        self.limit: int | None = None

    def at_most(self, limit: int) -> Any:
        self.limit = limit if self.limit is None else min(limit, self.limit)
        return self

    def page(self, cursor: Any) -> Any:
        return cursor or (0, self.limit)

    def count(self) -> Any:
        return "count"

    def run(self, operation: Any) -> Any:
        if operation == "count":
            return sum(map(len, self.pages))
        number, wanted = operation
        self.asked.append(number)
        if number in self.failing:
            self.failing.remove(number)
            raise Throttled("Slow down.")
        return Page(self.pages[number], number + 1 if number + 1 < len(self.pages) else None, wanted)

    async def spawn(self, operation: Any) -> Any:
        await asyncio.sleep(0)
        return self.run(operation)


def unexplained() -> Any:
    raise AssertionError("no test asks for an explanation")


class Awaited:
    """An `AsyncQuery` driven from a test without a loop of its own."""

    def __init__(self, core: Core, limit: int | None) -> None:
        core.limit = limit
        self._query: Any = AsyncQuery(core, unexplained, "things", core.spawn)

    def __iter__(self) -> Iterator[Any]:
        return self.Iteration(aiter(self._query))

    class Iteration:
        def __init__(self, items: Any) -> None:
            self._items = items

        def __iter__(self) -> Any:
            return self

        def __next__(self) -> Any:
            async def one() -> Any:
                return await anext(self._items)

            try:
                return asyncio.run(one())
            except StopAsyncIteration:
                raise StopIteration from None

    def __getattr__(self, name: str) -> Any:
        return lambda: asyncio.run(getattr(self._query, name)())


@pytest.fixture(params=["sync", "async"])
def make(request):
    def make(core: Core, limit: int | None = None) -> Any:
        if request.param == "sync":
            core.limit = limit
            return Query(core, unexplained, "things", core.run)
        return Awaited(core, limit)

    return make


def test_items_of_all_pages_come_in_order(make):
    core = Core([1, 2], [], [3], [])

    assert list(make(core)) == [1, 2, 3]
    assert core.asked == [0, 1, 2, 3]


def test_nothing_is_asked_before_the_first_item(make):
    core = Core([1])
    query = make(core)

    iter(query)

    assert core.asked == []


def test_next_page_is_asked_only_when_it_is_reached(make):
    core = Core([1, 2], [3])
    items = iter(make(core))

    assert (next(items), next(items)) == (1, 2)
    assert core.asked == [0]
    assert next(items) == 3
    assert core.asked == [0, 1]


def test_iteration_that_ended_stays_ended(make):
    core = Core([1])
    items = iter(make(core))

    assert list(items) == [1]
    assert list(items) == []
    assert core.asked == [0]


def test_query_is_asked_anew_by_each_iteration(make):
    core = Core([1], [2])
    query = make(core)

    assert list(query) == list(query) == [1, 2]
    assert core.asked == [0, 1, 0, 1]


@pytest.mark.parametrize("pages", [([1, REFUSED, 3],), ([1], [REFUSED, 3]), ([1, REFUSED], [3])])
def test_iteration_goes_on_after_a_refused_item(make, pages):
    items = iter(make(Core(*pages)))

    assert next(items) == 1
    with pytest.raises(InvalidItem):
        next(items)
    assert next(items) == 3
    with pytest.raises(StopIteration):
        next(items)


@pytest.mark.parametrize("failing", [0, 1])
def test_page_that_failed_is_asked_again(make, failing):
    core = Core([1], [2], failing=(failing,))
    items = iter(make(core))
    got = []

    for _ in range(3):
        try:
            got.append(next(items))
        except Throttled:
            got.append("throttled")

    assert [each for each in got if each != "throttled"] == [1, 2]
    assert got[failing] == "throttled"


def test_limit_goes_to_the_core_and_ends_the_iteration(make):
    core = Core([1, 2], [3, 4], [5])

    assert list(make(core, 3)) == [1, 2, 3]
    assert core.asked == [0, 1]


def test_first_asks_for_one_item(make):
    core = Core([], [7, 8])

    assert make(core).first() == 7
    assert core.limit == 1
    assert make(Core([])).first() is None


def test_one_asks_for_two_items_and_gives_the_only_one(make):
    core = Core([7])

    assert make(core).one() == 7
    assert core.limit == 2
    assert make(Core([7])).one_or_none() == 7
    assert make(Core([])).one_or_none() is None


def test_one_within_a_limit_of_one_takes_the_first(make):
    core = Core([7, 8])

    assert make(core, 1).one() == 7
    assert core.limit == 1


def test_one_of_none_and_of_several_is_an_error(make):
    with pytest.raises(NoItemFound, match=r'found no item.*table "things"'):
        make(Core([])).one()
    with pytest.raises(MultipleItemsFound, match="more than one"):
        make(Core([7], [8])).one()
    with pytest.raises(MultipleItemsFound):
        make(Core([7, 8])).one_or_none()


def test_count_is_the_cores(make):
    core = Core([1, 2], [3])

    assert make(core, 9).count() == 3
    assert core.limit == 9
