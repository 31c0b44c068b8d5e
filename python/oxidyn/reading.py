"""What reads items: a table, or a selection of its items. Query and scan are built here; nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from .expressions import as_condition
from .held import Held
from .query import LARGEST_PAGE, expect_count

if TYPE_CHECKING:
    from collections.abc import Callable

    from . import _core
    from .explanation import Explanation, Told
    from .expressions import Condition
    from .policies import Load

__all__ = ["Reads"]

R = TypeVar("R")  # What an item is read as.


class _Cores(Protocol[R]):
    """The core's tables, by their `load` policies."""

    def loading(self, load: Load | None) -> _core.Table[R]: ...


class Reads(Held, Generic[R]):
    """A table's items, to be read."""

    __slots__ = ("_client", "_cores", "name")

    _in_place_of_pickling = (
        "a table belongs to a client, which holds the connections of its process. Make both in each process."
    )

    name: str
    """The table's name in DynamoDB."""

    def __init__(self, client: _core.Client, cores: _Cores[R], name: str) -> None:
        self._client = client
        self._cores = cores
        self.name = name

    def _query(
        self,
        condition: Condition | bool,
        where: Condition | bool | None,
        index: str | None,
        reverse: bool,
        limit: int | None,
        page_size: int | None,
        consistent: bool,
        hydrate: bool,
        load: Load | None,
    ) -> tuple[_core.Query[R], Callable[[], Explanation]]:
        """The core's query, and what explains it."""
        _check_sizes(limit, page_size)
        key = as_condition(condition)
        rest = None if where is None else as_condition(where)
        core = self._cores.loading(load)
        return (
            core.query(key, rest, index, reverse, limit, page_size, consistent, hydrate),
            lambda: _explanation(self.name, core.explain(key, rest, index, consistent, hydrate)),
        )

    def _scan(
        self,
        where: Condition | bool | None,
        index: str | None,
        limit: int | None,
        page_size: int | None,
        consistent: bool,
        hydrate: bool,
        load: Load | None,
    ) -> tuple[_core.Query[R], Callable[[], Explanation]]:
        """As `_query`."""
        _check_sizes(limit, page_size)
        rest = None if where is None else as_condition(where)
        core = self._cores.loading(load)
        return (
            core.scan(rest, index, limit, page_size, consistent, hydrate),
            lambda: _explanation(self.name, core.explain_scan(rest, index, consistent, hydrate)),
        )


_MOST_ITEMS: Final = 2**64 - 1
"""What the core counts to."""


def _check_sizes(limit: object, page_size: object) -> None:
    for option, value, most in (("limit", limit, _MOST_ITEMS), ("page_size", page_size, LARGEST_PAGE)):
        if value is not None:
            expect_count(option, value, most)


def _explanation(table: str, told: Told) -> Explanation:
    from .explanation import Explanation

    return Explanation.of(table, told)
