"""`Selection` and `AsyncSelection`: a part of each item of a table, made by `users.select(...)`.

A selection reads, through the same keys, indexes and pages as its table, and has no method that writes: what it gives is
a smaller model or a tuple, so it is never mistaken for a whole item.
"""

from __future__ import annotations

from inspect import isclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_origin

from .errors import InvalidExpression
from .exports import show_public_path
from .expressions import Ref, kind_of
from .operations import CONCURRENCY, entries, key_parts, requests_at_once
from .query import AsyncQuery, Query
from .reading import Reads
from .schema import title_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from . import _core
    from ._core import Operation
    from .expressions import Condition
    from .operations import Cores
    from .policies import Load
    from .schema import TableSchema

__all__ = ["AsyncSelection", "Selected", "Selection", "SelectionOperations"]

S = TypeVar("S")  # A model, or a tuple of values.


class Selected(Generic[S]):
    """What is selected of a table's items, and the core's tables that read it, by their `load` policies."""

    __slots__ = ("_cores", "_made", "_select", "text")

    text: str
    """What is selected, for reprs."""

    def __init__(self, cores: Cores[Any], schema: TableSchema, what: tuple[object, ...]) -> None:
        self._cores = cores
        self._select: Callable[[_core.Table[Any], Load | None], _core.Table[S]]
        if len(what) == 1 and (isclass(what[0]) or get_origin(what[0]) is not None):
            self.text = title_of(what[0])
            self._select = lambda core, load: core.select_model(schema.smaller(what[0], load))
        else:
            references = _references(what)
            self.text = ", ".join(map(repr, references))
            self._select = lambda core, _: core.select_fields(references)
        self._made: dict[Load | None, _core.Table[S]] = {None: self._select(cores.own, None)}

    def loading(self, load: Load | None) -> _core.Table[S]:
        """The one that reads under this policy; None is the table's own."""
        core = self._made.get(load)
        if core is None:
            core = self._made[load] = self._select(self._cores.loading(load), load)
        return core


def _references(what: tuple[object, ...]) -> tuple[Ref, ...]:
    references = tuple(each for each in what if isinstance(each, Ref) and each.__oxidyn_path__)
    if not what or len(references) < len(what):
        wrong = next((each for each in what if not (isinstance(each, Ref) and each.__oxidyn_path__)), None)
        raise InvalidExpression(
            f"select() expected one smaller model, or fields such as User.name, found "
            f"{kind_of(wrong) if what else 'nothing'}."
        )
    return references


class SelectionOperations(Generic[S]):
    """A selection's operations as values: each method takes what the selection's own takes, and sends nothing."""

    __slots__ = ("_selected",)

    def __init__(self, selected: Selected[S]) -> None:
        self._selected = selected

    def __repr__(self) -> str:
        return f"SelectionOperations({self._selected.text})"

    def get(self, *key: object, consistent: bool = False, load: Load | None = None) -> Operation[S | None]:
        """Build what `Selection.get` runs."""
        return self._selected.loading(load).get(key_parts(key), consistent)

    def batch_get(
        self,
        keys: Iterable[object],
        /,
        *,
        consistent: bool = False,
        load: Load | None = None,
        concurrency: int = CONCURRENCY,
    ) -> Operation[list[S | None]]:
        """Build what `Selection.batch_get` runs."""
        return self._selected.loading(load).batch_get(
            entries("batch_get", keys), consistent, requests_at_once(concurrency)
        )


class _SelectionBase(Reads[S]):
    """A selection without I/O."""

    __slots__ = ("_text", "ops")

    ops: SelectionOperations[S]
    """The selection's operations as values, which send nothing: `names.ops.get(key).request()`."""

    def __init__(self, client: _core.Client, selected: Selected[S], name: str) -> None:
        super().__init__(client, selected, name)
        self.ops = SelectionOperations(selected)
        self._text = selected.text

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self._text}, table="{self.name}")'


class Selection(_SelectionBase[S]):
    """A part of each item of a table, to be read; made by `users.select(Smaller)` or `users.select(User.name, User.age)`.

    Keys, conditions and indexes are the table's, and so is what each method raises.
    """

    __slots__ = ()

    def get(self, *key: object, consistent: bool = False, load: Load | None = None) -> S | None:
        """Read what is selected of the item under the key, or None where there is none; see `Table.get`."""
        return self._client.run(self.ops.get(*key, consistent=consistent, load=load))

    def query(
        self,
        condition: Condition | bool,
        /,
        *,
        where: Condition | bool | None = None,
        index: str | None = None,
        reverse: bool = False,
        limit: int | None = None,
        page_size: int | None = None,
        consistent: bool = False,
        hydrate: bool = False,
        load: Load | None = None,
    ) -> Query[S]:
        """Find what is selected of the items of one partition; see `Table.query`.

        Conditions may ask for fields that are not selected. An index need hold those only that are.
        """
        core, explain = self._query(condition, where, index, reverse, limit, page_size, consistent, hydrate, load)
        return Query(core, explain, self.name, self._client.run)

    def scan(
        self,
        *,
        where: Condition | bool | None = None,
        index: str | None = None,
        limit: int | None = None,
        page_size: int | None = None,
        consistent: bool = False,
        hydrate: bool = False,
        load: Load | None = None,
    ) -> Query[S]:
        """Read what is selected of every item of the table (or `index`); see `Table.scan`."""
        core, explain = self._scan(where, index, limit, page_size, consistent, hydrate, load)
        return Query(core, explain, self.name, self._client.run)

    def batch_get(
        self,
        keys: Iterable[object],
        /,
        *,
        consistent: bool = False,
        load: Load | None = None,
        concurrency: int = CONCURRENCY,
    ) -> list[S | None]:
        """Read what is selected of many items, in the keys' order, None where there is none; see `Table.batch_get`."""
        return self._client.run(self.ops.batch_get(keys, consistent=consistent, load=load, concurrency=concurrency))


class AsyncSelection(_SelectionBase[S]):
    """As `Selection`, with `await` and `async for`."""

    __slots__ = ()

    async def get(self, *key: object, consistent: bool = False, load: Load | None = None) -> S | None:
        """See `Selection.get`."""
        return await self._client.spawn(self.ops.get(*key, consistent=consistent, load=load))

    def query(
        self,
        condition: Condition | bool,
        /,
        *,
        where: Condition | bool | None = None,
        index: str | None = None,
        reverse: bool = False,
        limit: int | None = None,
        page_size: int | None = None,
        consistent: bool = False,
        hydrate: bool = False,
        load: Load | None = None,
    ) -> AsyncQuery[S]:
        """See `Selection.query`."""
        core, explain = self._query(condition, where, index, reverse, limit, page_size, consistent, hydrate, load)
        return AsyncQuery(core, explain, self.name, self._client.spawn)

    def scan(
        self,
        *,
        where: Condition | bool | None = None,
        index: str | None = None,
        limit: int | None = None,
        page_size: int | None = None,
        consistent: bool = False,
        hydrate: bool = False,
        load: Load | None = None,
    ) -> AsyncQuery[S]:
        """See `Selection.scan`."""
        core, explain = self._scan(where, index, limit, page_size, consistent, hydrate, load)
        return AsyncQuery(core, explain, self.name, self._client.spawn)

    async def batch_get(
        self,
        keys: Iterable[object],
        /,
        *,
        consistent: bool = False,
        load: Load | None = None,
        concurrency: int = CONCURRENCY,
    ) -> list[S | None]:
        """See `Selection.batch_get`."""
        batch = self.ops.batch_get(keys, consistent=consistent, load=load, concurrency=concurrency)
        return await self._client.spawn(batch)


show_public_path(globals())
