"""`Table` and `AsyncTable`: one model in one DynamoDB table.

Twins over a base that only builds operations: each method runs one, or returns a query. All thinking happens in
`TableOperations` and in the core; nothing here knows DynamoDB's expressions or the wire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, overload

from typing_extensions import TypeVarTuple, Unpack

from .errors import InvalidOption, shown
from .exports import show_public_path
from .operations import CONCURRENCY, Cores, TableOperations
from .query import AsyncQuery, Query
from .reading import Reads

if TYPE_CHECKING:
    from collections.abc import Iterable

    from . import _core
    from .expressions import Condition
    from .parallel_scan import AsyncParallelScan, ParallelScan
    from .policies import Load
    from .rate_limit import RateLimit
    from .schema import TableSchema
    from .selection import AsyncSelection, Selection
    from .updates import Action

__all__ = ["AsyncTable", "Table"]

M = TypeVar("M")  # Unbound: dataclasses and TypedDicts have tables too.
S = TypeVar("S")
Ts = TypeVarTuple("Ts")


class _TableBase(Reads[M]):
    """A table without I/O."""

    __slots__ = ("_own", "_schema", "ops")

    ops: TableOperations[M]
    """The table's operations as values, which send nothing: `users.ops.put(user).request()`."""

    def __init__(
        self, client: _core.Client, schema: TableSchema, name: str, rate_limit: RateLimit | None = None
    ) -> None:
        limit: _core.RateLimit | None = None
        if rate_limit is not None:
            from .rate_limit import core_of

            limit = core_of(rate_limit)
        self._own: Cores[M] = Cores(schema, name, client, limit)
        super().__init__(client, self._own, name)
        self._schema = schema
        self.ops = TableOperations(self._own, schema)

    @property
    def model(self) -> type[M]:
        """The model whose instances the table holds."""
        model: type[M] = self._schema.model
        return model

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self._schema.title}, name="{self.name}")'

    def _parallel_scan(
        self,
        segments: object,
        where: Condition | bool | None,
        index: str | None,
        page_size: int | None,
        consistent: bool,
        load: Load | None,
        after: object,
    ) -> tuple[_core.ParallelScan[M], str | None]:
        """The core's scan, and why its items cannot be read, where they cannot."""
        if not isinstance(segments, int) or isinstance(segments, bool) or not 1 <= segments <= _MOST_SEGMENTS:
            raise InvalidOption(
                f"segments={shown(segments)}: expected a whole number from 1 to {_MOST_SEGMENTS}, since a page of up to 1 MB "
                f"is held for each."
            )
        if after is not None and not isinstance(after, str):
            raise InvalidOption(
                f"after: expected the cursor of a parallel scan, or None to begin; found {type(after).__name__}."
            )
        scan, _ = self._scan(where, index, None, page_size, consistent, False, load)
        return scan.parallel(segments, after), scan.refusal


_MOST_SEGMENTS: Final = 1000


class Table(_TableBase[M]):
    """One model in one table; made by `client.table(User)`.

    A key is the partition key's value, a `(partition, sort)` tuple, or an instance; `get` and `delete` also take the two
    values one after the other. Every method raises `TableNotFound` where there is no such table, `Throttled` where
    DynamoDB still throttles after every retry, other `ServiceError`s by their code, and a `TransportError` where no
    answer came.
    """

    __slots__ = ()

    def put(self, item: M, /, *, where: Condition | bool | None = None) -> None:
        """Write the item, in place of one with the same key.

        Raises:
            ConditionFailed: `where` did not hold for the stored item (or for none).
            InvalidItem: a value has no form in DynamoDB, such as a nan or an empty key.
            ItemTooLarge: the item is above 400 KB.
        """
        self._client.run(self.ops.put(item, where=where))

    def create(self, item: M, /) -> None:
        """Write the item where there is none with its key.

        Raises:
            ItemExists: there is one already; nothing was written.
        """
        self._client.run(self.ops.create(item))

    def replace(self, item: M, /, *, where: Condition | bool | None = None) -> None:
        """Write the item in place of one with the same key, which must be there.

        Raises:
            ItemNotFound: there is no item under the key; nothing was written.
            ConditionFailed: `where` did not hold for the stored item.
        """
        self._client.run(self.ops.replace(item, where=where))

    def get(self, *key: object, consistent: bool = False, load: Load | None = None) -> M | None:
        """Read the item under the key, or None where there is none.

        `consistent` reads what every write before it left, at twice the price. `load="trust"` does not run your own
        validators on this read, whatever the table's policy; `query`, `scan` and `batch_get` take it too.

        Raises:
            InvalidKey: the key has too many or too few parts, or one of the wrong type.
            InvalidItem: the stored item is not one of the model's.
        """
        return self._client.run(self.ops.get(*key, consistent=consistent, load=load))

    def get_json(self, *key: object, consistent: bool = False, load: Load | None = None) -> bytes | None:
        """Read the item under the key as JSON, or None where there is none.

        The bytes are those of `get(*key).model_dump_json(by_alias=True)`, which FastAPI answers with as well. Where the
        model's schema allows it they are made of the stored bytes, without an instance; the item is checked all the same.

        Raises:
            InvalidKey: the key has too many or too few parts, or one of the wrong type.
            InvalidItem: the stored item is not one of the model's.
        """
        return self._client.run(self.ops.get_json(*key, consistent=consistent, load=load))

    @overload
    def update(
        self, key: object, /, *actions: Action, where: Condition | bool | None = None, returning: None = None
    ) -> None: ...
    @overload
    def update(
        self, key: object, /, *actions: Action, where: Condition | bool | None = None, returning: Literal["old", "new"]
    ) -> M: ...
    def update(
        self,
        key: object,
        /,
        *actions: Action,
        where: Condition | bool | None = None,
        returning: Literal["old", "new"] | None = None,
    ) -> M | None:
        """Change attributes of an item that exists, atomically: `users.update(key, attr(User.age).add(1))`.

        `returning` asks for the item as it was before ("old") or is now ("new").

        Raises:
            ItemNotFound: there is no item under the key; nothing was written.
            ConditionFailed: `where` did not hold for the item.
        """
        return self._client.run(self.ops.update(key, *actions, where=where, returning=returning))

    @overload
    def upsert(
        self, key: object, /, *actions: Action, where: Condition | bool | None = None, returning: None = None
    ) -> None: ...
    @overload
    def upsert(
        self, key: object, /, *actions: Action, where: Condition | bool | None = None, returning: Literal["old"]
    ) -> M | None: ...
    @overload
    def upsert(
        self, key: object, /, *actions: Action, where: Condition | bool | None = None, returning: Literal["new"]
    ) -> M: ...
    def upsert(
        self,
        key: object,
        /,
        *actions: Action,
        where: Condition | bool | None = None,
        returning: Literal["old", "new"] | None = None,
    ) -> M | None:
        """Change attributes of the item, which is created where there is none: `upsert(key, attr(Counter.hits).add(1))`.

        A new item has its key and what the actions give it, so they must give it every field that the model requires.
        `returning` asks for the item as it was before ("old", None where there was none) or is now ("new").

        Raises:
            InvalidExpression: the item could be created without a required field, or an action lies inside an
                attribute that a new item has not; nothing was sent.
            ConditionFailed: `where` did not hold for the item (or for none).
        """
        return self._client.run(self.ops.upsert(key, *actions, where=where, returning=returning))

    @overload
    def delete(self, *key: object, where: Condition | bool | None = None, returning: None = None) -> None: ...
    @overload
    def delete(self, *key: object, where: Condition | bool | None = None, returning: Literal["old"]) -> M | None: ...
    def delete(
        self, *key: object, where: Condition | bool | None = None, returning: Literal["old"] | None = None
    ) -> M | None:
        """Delete the item under the key, where there is one; `returning="old"` gives it back.

        Raises:
            ConditionFailed: `where` did not hold for the item (or for none).
        """
        return self._client.run(self.ops.delete(*key, where=where, returning=returning))

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
    ) -> Query[M]:
        """Find the items of one partition, in the order of the sort key: `users.query(User.org == "acme")`.

        The condition decides which key finds them, the table's or an index's (`explain()` tells which and why), unless
        `index` names one; its other parts, and `where`, filter what was read. `limit` counts the items that come back,
        `page_size` what DynamoDB reads at once. With `hydrate` an index that holds only a part of each item gives whole
        items all the same: they are read from the table.

        Raises:
            InvalidExpression: no key serves the condition, or a part of it cannot be asked of the key.
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
    ) -> Query[M]:
        """Read the whole table (or `index`), in no order; `where` filters what was read, after it was billed.

        `hydrate` as for `query`.
        """
        core, explain = self._scan(where, index, limit, page_size, consistent, hydrate, load)
        return Query(core, explain, self.name, self._client.run)

    def parallel_scan(
        self,
        *,
        segments: int = 8,
        where: Condition | bool | None = None,
        index: str | None = None,
        page_size: int | None = None,
        consistent: bool = False,
        load: Load | None = None,
        after: str | None = None,
    ) -> ParallelScan[M]:
        """Read the whole table (or `index`) in segments side by side, in no order.

        A page of each segment is fetched ahead while others are consumed, so choose `segments` by how much of the table's
        capacity the scan may take; a `RateLimit` bounds it in units. `after` goes on from the `cursor` of a scan of the
        same table, index, condition and number of segments, in this process or another.

        Raises:
            InvalidCursor: `after` is no cursor of this scan, or was cut off or altered.
        """
        scan, refusal = self._parallel_scan(segments, where, index, page_size, consistent, load, after)
        from .parallel_scan import ParallelScan

        return ParallelScan(self._client, scan, self.name, refusal)

    @overload
    def select(self, model: type[S], /) -> Selection[S]: ...  # type: ignore[overload-overlap]
    @overload
    def select(self, *fields: Unpack[Ts]) -> Selection[tuple[Unpack[Ts]]]: ...
    def select(self, *what: Any) -> Selection[Any]:  # type: ignore[misc]
        """Read no more of each item than a smaller model, or some fields: `users.select(User.name, User.address.city)`.

        The fields of a smaller model are this table's, by their stored names; parts of fields come back as a tuple. What
        is selected has no methods that write.

        Raises:
            SchemaError: the smaller model has a field that the table's model has not, or one of another wire form.
            InvalidExpression: what was given is neither a model nor fields of the table's.
        """
        from .selection import Selected, Selection

        return Selection(self._client, Selected(self._own, self._schema, what), self.name)

    def batch_get(
        self,
        keys: Iterable[object],
        /,
        *,
        consistent: bool = False,
        load: Load | None = None,
        concurrency: int = CONCURRENCY,
    ) -> list[M | None]:
        """Read many items: one for each key, in the keys' order, None where there is none.

        Any number of keys is asked for in requests of 100, `concurrency` of them under way at once; a key given twice is
        asked once.

        Raises:
            BatchIncomplete: some were still unread after every retry.
        """
        batch = self.ops.batch_get(keys, consistent=consistent, load=load, concurrency=concurrency)
        return self._client.run(batch)

    def batch_put(self, items: Iterable[M], /, *, concurrency: int = CONCURRENCY) -> None:
        """Write many items, each in place of one with the same key; not atomic.

        Any number is written in requests of 25, `concurrency` of them under way at once. Of two items with one key the
        last is written.

        Raises:
            BatchIncomplete: some are not written; the exception has them, and why.
        """
        self._client.run(self.ops.batch_put(items, concurrency=concurrency))

    def batch_delete(self, keys: Iterable[object], /, *, concurrency: int = CONCURRENCY) -> None:
        """Delete many items by their keys; not atomic. As `batch_put`.

        Raises:
            BatchIncomplete: some are not deleted; the exception has their keys, and why.
        """
        self._client.run(self.ops.batch_delete(keys, concurrency=concurrency))

    def create_table(self) -> None:
        """Create the table, billed per request, with the model's key and indexes.

        It may take DynamoDB a while until the table can be used: `wait_until_active()`. Only where a field is marked
        `TTL` this waits itself, because it can be enabled no sooner.

        Raises:
            TableExists: there is a table of that name.
            TableNotActive: with a TTL field, it was not active in time.
        """
        self._client.run(self.ops.create_table())

    def delete_table(self) -> None:
        """Delete the table with all its items."""
        self._client.run(self.ops.delete_table())

    def describe_table(self) -> dict[str, Any]:
        """Read DynamoDB's own description of the table: its status, size, indexes."""
        return self._client.run(self.ops.describe_table())

    def wait_until_active(self) -> None:
        """Wait until the table and its indexes can be used.

        Raises:
            TableNotActive: it was not active in time.
        """
        self._client.run(self.ops.wait_until_active())


class AsyncTable(_TableBase[M]):
    """As `Table`, with `await` and `async for`."""

    __slots__ = ()

    async def put(self, item: M, /, *, where: Condition | bool | None = None) -> None:
        """See `Table.put`."""
        await self._client.spawn(self.ops.put(item, where=where))

    async def create(self, item: M, /) -> None:
        """See `Table.create`."""
        await self._client.spawn(self.ops.create(item))

    async def replace(self, item: M, /, *, where: Condition | bool | None = None) -> None:
        """See `Table.replace`."""
        await self._client.spawn(self.ops.replace(item, where=where))

    async def get(self, *key: object, consistent: bool = False, load: Load | None = None) -> M | None:
        """See `Table.get`."""
        return await self._client.spawn(self.ops.get(*key, consistent=consistent, load=load))

    async def get_json(self, *key: object, consistent: bool = False, load: Load | None = None) -> bytes | None:
        """See `Table.get_json`."""
        return await self._client.spawn(self.ops.get_json(*key, consistent=consistent, load=load))

    @overload
    async def update(
        self, key: object, /, *actions: Action, where: Condition | bool | None = None, returning: None = None
    ) -> None: ...
    @overload
    async def update(
        self, key: object, /, *actions: Action, where: Condition | bool | None = None, returning: Literal["old", "new"]
    ) -> M: ...
    async def update(
        self,
        key: object,
        /,
        *actions: Action,
        where: Condition | bool | None = None,
        returning: Literal["old", "new"] | None = None,
    ) -> M | None:
        """See `Table.update`."""
        return await self._client.spawn(self.ops.update(key, *actions, where=where, returning=returning))

    @overload
    async def upsert(
        self, key: object, /, *actions: Action, where: Condition | bool | None = None, returning: None = None
    ) -> None: ...
    @overload
    async def upsert(
        self, key: object, /, *actions: Action, where: Condition | bool | None = None, returning: Literal["old"]
    ) -> M | None: ...
    @overload
    async def upsert(
        self, key: object, /, *actions: Action, where: Condition | bool | None = None, returning: Literal["new"]
    ) -> M: ...
    async def upsert(
        self,
        key: object,
        /,
        *actions: Action,
        where: Condition | bool | None = None,
        returning: Literal["old", "new"] | None = None,
    ) -> M | None:
        """See `Table.upsert`."""
        return await self._client.spawn(self.ops.upsert(key, *actions, where=where, returning=returning))

    @overload
    async def delete(self, *key: object, where: Condition | bool | None = None, returning: None = None) -> None: ...
    @overload
    async def delete(
        self, *key: object, where: Condition | bool | None = None, returning: Literal["old"]
    ) -> M | None: ...
    async def delete(
        self, *key: object, where: Condition | bool | None = None, returning: Literal["old"] | None = None
    ) -> M | None:
        """See `Table.delete`."""
        return await self._client.spawn(self.ops.delete(*key, where=where, returning=returning))

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
    ) -> AsyncQuery[M]:
        """See `Table.query`."""
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
    ) -> AsyncQuery[M]:
        """See `Table.scan`."""
        core, explain = self._scan(where, index, limit, page_size, consistent, hydrate, load)
        return AsyncQuery(core, explain, self.name, self._client.spawn)

    def parallel_scan(
        self,
        *,
        segments: int = 8,
        where: Condition | bool | None = None,
        index: str | None = None,
        page_size: int | None = None,
        consistent: bool = False,
        load: Load | None = None,
        after: str | None = None,
    ) -> AsyncParallelScan[M]:
        """See `Table.parallel_scan`."""
        scan, refusal = self._parallel_scan(segments, where, index, page_size, consistent, load, after)
        from .parallel_scan import AsyncParallelScan

        return AsyncParallelScan(self._client, scan, self.name, refusal)

    @overload
    def select(self, model: type[S], /) -> AsyncSelection[S]: ...  # type: ignore[overload-overlap]
    @overload
    def select(self, *fields: Unpack[Ts]) -> AsyncSelection[tuple[Unpack[Ts]]]: ...
    def select(self, *what: Any) -> AsyncSelection[Any]:  # type: ignore[misc]
        """See `Table.select`."""
        from .selection import AsyncSelection, Selected

        return AsyncSelection(self._client, Selected(self._own, self._schema, what), self.name)

    async def batch_get(
        self,
        keys: Iterable[object],
        /,
        *,
        consistent: bool = False,
        load: Load | None = None,
        concurrency: int = CONCURRENCY,
    ) -> list[M | None]:
        """See `Table.batch_get`."""
        batch = self.ops.batch_get(keys, consistent=consistent, load=load, concurrency=concurrency)
        return await self._client.spawn(batch)

    async def batch_put(self, items: Iterable[M], /, *, concurrency: int = CONCURRENCY) -> None:
        """See `Table.batch_put`."""
        await self._client.spawn(self.ops.batch_put(items, concurrency=concurrency))

    async def batch_delete(self, keys: Iterable[object], /, *, concurrency: int = CONCURRENCY) -> None:
        """See `Table.batch_delete`."""
        await self._client.spawn(self.ops.batch_delete(keys, concurrency=concurrency))

    async def create_table(self) -> None:
        """See `Table.create_table`."""
        await self._client.spawn(self.ops.create_table())

    async def delete_table(self) -> None:
        """See `Table.delete_table`."""
        await self._client.spawn(self.ops.delete_table())

    async def describe_table(self) -> dict[str, Any]:
        """See `Table.describe_table`."""
        return await self._client.spawn(self.ops.describe_table())

    async def wait_until_active(self) -> None:
        """See `Table.wait_until_active`."""
        await self._client.spawn(self.ops.wait_until_active())


show_public_path(globals())
