"""`Client` and `AsyncClient`: the way to DynamoDB, and the tables on it.

Twins over a base without I/O. The connections belong to the core's client, which both share in kind: `Client` runs an
operation and waits, `AsyncClient` hands out an awaitable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, overload

from typing_extensions import Self

from . import _core
from .config import CallHook, Capacity, Config, HotPartitions
from .errors import InvalidOption, SchemaError, shown
from .exports import show_public_path
from .held import Held
from .operations import CONCURRENCY, ClientOperations
from .policies import AnyNumbers, Load, Policies, Unknown, Unset
from .schema import TableSchema
from .table import AsyncTable, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from os import PathLike
    from types import TracebackType

    from ._core import Operation
    from .annotations import IndexKeys, Projection
    from .errors import OxidynError
    from .hot_partitions import HotPartition
    from .metrics import Metrics
    from .partiql import Statement
    from .rate_limit import RateLimit

__all__ = ["AsyncClient", "Client"]

_MOST_PARTITIONS: Final = 1000
"""More than are counted."""

M = TypeVar("M")
R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")


class _ClientBase(Held):
    """A client without I/O."""

    __slots__ = ("__weakref__", "_config", "_core", "_shows_keys", "ops")

    _in_place_of_pickling = (
        "a client holds the connections of its process. Make one in each process, from the same Config."
    )

    ops: ClientOperations
    """The client's operations as values, which send nothing: `client.ops.transact(users.ops.put(user)).request()`."""

    def __init__(
        self,
        *,
        config: Config | None = None,
        region: str | None = None,
        profile: str | None = None,
        endpoint_url: str | None = None,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        session_token: str | None = None,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        operation_timeout: float | None = None,
        max_attempts: int | None = None,
        retry_mode: Literal["standard", "adaptive"] | None = None,
        max_connections: int | None = None,
        ca_bundle: str | PathLike[str] | None = None,
        proxy: str | None = None,
        cursor_key: bytes | None = None,
        metrics: bool | None = None,
        on_call: CallHook | Sequence[CallHook] | None = None,
        capacity: Capacity | None = None,
        hot_partitions: HotPartitions | None = None,
    ) -> None:
        options = Config.of(
            config,
            region=region,
            profile=profile,
            endpoint_url=endpoint_url,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            session_token=session_token,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            operation_timeout=operation_timeout,
            max_attempts=max_attempts,
            retry_mode=retry_mode,
            max_connections=max_connections,
            ca_bundle=ca_bundle,
            proxy=proxy,
            cursor_key=cursor_key,
            metrics=metrics,
            on_call=on_call,
            capacity=capacity,
            hot_partitions=hot_partitions,
        )
        self._core = _core.Client(**options.core_options())
        self._config: Config | None = options
        self._shows_keys = options.hot_partitions == "shown"
        self.ops = ClientOperations()

    @classmethod
    def local(
        cls,
        path: str | PathLike[str] | None = None,
        *,
        cursor_key: bytes | None = None,
        metrics: bool | None = None,
        on_call: CallHook | Sequence[CallHook] | None = None,
        capacity: Capacity | None = None,
        hot_partitions: HotPartitions | None = None,
    ) -> Self:
        """Open DynamoDB in this process, without an account or a server: in memory, or kept in the file `path`."""
        checked = Config(
            cursor_key=cursor_key, metrics=metrics, on_call=on_call, capacity=capacity, hot_partitions=hot_partitions
        )
        client = cls.__new__(cls)
        client._core = _core.Client.local(path, **checked.local_options())  # noqa: SLF001 (another constructor)
        client._config = None  # noqa: SLF001
        client._shows_keys = checked.hot_partitions == "shown"  # noqa: SLF001
        client.ops = ClientOperations()
        return client

    def metrics(self) -> Metrics:
        """Get what all calls of this client took so far, in this process.

        Raises:
            InvalidOption: the client keeps no metrics; `metrics=True` has it keep them.
        """
        from .metrics import Metrics, OperationMetrics  # Not for programs that keep none.

        rows = self._core.metrics()
        if rows is None:
            raise InvalidOption(f"metrics(): this client keeps none; make it with {type(self).__name__}(metrics=True).")
        return Metrics.of_parts(
            {(operation, table or None): OperationMetrics(**sums) for operation, table, sums in rows}
        )

    def hot_partitions(self, count: int = 10) -> list[HotPartition]:
        """Get the partition keys that this client asks most of, in the last minute or two: the hottest first.

        Of each table the partition keys of reads and writes are counted, and of an index those of queries, in bounded
        memory. Statements and scans are of no one partition and are not.

        Raises:
            InvalidOption: the client does not count them; `hot_partitions="hashed"` or `"shown"` has it do so.
        """
        from .hot_partitions import HotPartition  # Not for programs that count none.

        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= _MOST_PARTITIONS:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidOption(f"count={shown(count)}: expected a number of partitions from 1 to {_MOST_PARTITIONS}.")
        rows = self._core.hot_partitions(count)
        if rows is None:
            name = type(self).__name__
            raise InvalidOption(
                f'hot_partitions(): this client counts none; make it with {name}(hot_partitions="hashed"), or "shown" to '
                f"see the keys themselves."
            )
        return [HotPartition.of_row(row, shows_keys=self._shows_keys) for row in rows]

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}.local()" if self._config is None else repr(self._config).replace("Config", name, 1)


def _table_name(schema: TableSchema, name: str | None) -> str:
    schema.require_table_key()
    # An empty name is one that was not found where it was looked up, and no wish for the model's own table.
    if name is not None and (not isinstance(name, str) or not name):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidOption(f"name={name!r}: expected the table's name; leave it out to use the model's own.")
    chosen: str | None = name or getattr(schema.model, "__oxidyn_table__", None)
    if chosen is None:
        title = schema.title
        raise SchemaError(
            f'{title} names no table: declare class {title}(Model, table="..."), or call '
            f'client.table({title}, name="...").'
        )
    return chosen


class Client(_ClientBase):
    """DynamoDB for synchronous code: `client.table(User).get("acme", id)`.

    Without arguments it finds credentials, region and endpoint as every AWS tool does: environment, shared files,
    container and instance services. Options are keywords or one `Config`; docs/configuration.md has each with its unit and
    default. `Client.local()` runs DynamoDB in this process. Threads may share one client, and
    no connection is made before the first call. Use it as a context manager, or `close()` it.
    """

    __slots__ = ()

    def table(
        self,
        model: type[M],
        /,
        *,
        name: str | None = None,
        partition: str | None = None,
        sort: str | None = None,
        indexes: Mapping[str, Projection | IndexKeys] | None = None,
        load: Load = "validate",
        unset: Unset = "store",
        unknown: Unknown = "skip",
        any_numbers: AnyNumbers = "auto",
        rate_limit: RateLimit | None = None,
    ) -> Table[M]:
        """Get the model's table; nothing is sent.

        `name`, `partition`, `sort` and `indexes` say by field names what the model does not say itself, or otherwise:
        any Pydantic model, dataclass or TypedDict has a table. `unset="skip"` leaves out fields that were never set and
        have a plain default; `load="trust"` does not run your own validators again on what is read (types, shapes and
        constraints are checked still); `unknown="error"` refuses stored attributes that are no field, `unknown="keep"` holds them
        beside the instance, so that `put` writes them back; `any_numbers="decimal"` reads numbers without a type as
        `Decimal` unless they are integral. `rate_limit` holds back calls on the table that would consume more.

        Raises:
            SchemaError: the model cannot be stored so; the message names the field and the reason.
        """
        policies = Policies(load, unset, unknown, any_numbers)
        schema = TableSchema.of(model, partition=partition, sort=sort, indexes=indexes, policies=policies)
        return Table(self._core, schema, _table_name(schema, name), rate_limit)

    def run(self, operation: Operation[R], /) -> R:
        """Run an operation that was built as a value: `client.run(users.ops.get("acme", id))`."""
        return self._core.run(operation)

    def execute(self, statement: Statement[M], /, *, consistent: bool = False, limit: int | None = None) -> list[M]:
        """Run a PartiQL statement and get all its items, over as many pages as there are.

        A write gives none, unless its text ends in `RETURNING`. `limit` counts the items that come back.

        Raises:
            InvalidItem: an item is not one of the statement's model; `errors()` has its place among the items.
            ItemExists: the statement inserts an item under a key that is taken.
            ConditionFailed: the WHERE of an UPDATE or DELETE did not hold for the stored item, or there is none.
        """
        return self.run(self.ops.execute(statement, consistent=consistent, limit=limit))

    def batch_execute(
        self, statements: Iterable[Statement[M]], /, *, consistent: bool = False
    ) -> list[M | OxidynError | None]:
        """Run many PartiQL statements, each on one item by its whole key, and get what became of each in its place.

        That is the item that it found or returned, None where there is none, or the exception: one statement that fails
        says nothing of the others. Any number is taken; DynamoDB takes 25 reads or 25 writes at once.
        """
        return self.run(self.ops.batch_execute(statements, consistent=consistent))

    def transact_execute(self, statements: Iterable[Statement[M]], /, *, token: str | None = None) -> list[M | None]:
        """Carry out PartiQL statements as one, all reads or all writes: all of them happen, or none.

        Gives for each the item that it found, None where there is none and for writes. With a `token` of yours the same
        writes are not done again within ten minutes, whoever sends them.

        Raises:
            TransactionCancelled: nothing was done; `reasons` has for each statement what it alone would have raised.
            InvalidOperation: there are reads among the writes, or more than 100 statements.
        """
        return self.run(self.ops.transact_execute(statements, token=token))

    def batch_get(self, operations: Iterable[Operation[R]], /, *, concurrency: int = CONCURRENCY) -> list[R]:
        """Read many items of any tables: `client.batch_get([users.ops.get("acme", 1), orders.ops.get(7)])`.

        One for each operation, in their order, None where there is none. Any number is asked for in requests of 100,
        `concurrency` of them under way at once; a key given twice is asked once.

        Raises:
            InvalidOperation: an operation is no `ops.get(...)`; nothing was sent.
            BatchIncomplete: some were still unread after every retry.
        """
        return self.run(self.ops.batch_get(operations, concurrency=concurrency))

    def batch_write(self, operations: Iterable[Operation[None]], /, *, concurrency: int = CONCURRENCY) -> None:
        """Put and delete many items of any tables: `ops.put(...)` and `ops.delete(...)`, without conditions; not atomic.

        Any number is written in requests of 25, `concurrency` of them under way at once. Of two writes to one key the last
        is sent, be it a put or a delete.

        Raises:
            InvalidOperation: an operation cannot go into a batch; nothing was sent.
            BatchIncomplete: some are not written; the exception has them, and why.
        """
        self.run(self.ops.batch_write(operations, concurrency=concurrency))

    @overload
    def transact(self, a: Operation[A], /, *, token: str | None = None) -> tuple[A]: ...
    @overload
    def transact(self, a: Operation[A], b: Operation[B], /, *, token: str | None = None) -> tuple[A, B]: ...
    @overload
    def transact(
        self, a: Operation[A], b: Operation[B], c: Operation[C], /, *, token: str | None = None
    ) -> tuple[A, B, C]: ...
    @overload
    def transact(
        self, a: Operation[A], b: Operation[B], c: Operation[C], d: Operation[D], /, *, token: str | None = None
    ) -> tuple[A, B, C, D]: ...
    @overload
    def transact(
        self,
        a: Operation[A],
        b: Operation[B],
        c: Operation[C],
        d: Operation[D],
        e: Operation[E],
        /,
        *,
        token: str | None = None,
    ) -> tuple[A, B, C, D, E]: ...
    @overload
    def transact(
        self,
        a: Operation[A],
        b: Operation[B],
        c: Operation[C],
        d: Operation[D],
        e: Operation[E],
        f: Operation[F],
        /,
        *,
        token: str | None = None,
    ) -> tuple[A, B, C, D, E, F]: ...
    @overload
    def transact(self, *operations: Operation[R], token: str | None = None) -> tuple[R, ...]: ...
    def transact(self, *operations: Operation[Any], token: str | None = None) -> tuple[Any, ...]:
        """Run up to 100 operations on one item each, of any tables, together or not at all.

        They are writes and checks (`ops.put`, `create`, `replace`, `update`, `upsert`, `delete`, `check`), each of which
        gives None, or all `ops.get`, which see one moment and give their items. `token` names a transaction of writes for
        ten minutes: run again with it, it is not done again. Without one each call makes its own, so that retries are safe.

        Raises:
            InvalidOperation: an operation cannot go into a transaction, or there are too many; nothing was sent.
            TransactionCancelled: nothing was done; `reasons` has the exception of each operation.
        """
        return self.run(self.ops.transact(*operations, token=token))

    def close(self) -> None:
        """Close the connections; calls after that raise `ClientClosed`."""
        self._core.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(_ClientBase):
    """As `Client`, for asyncio: its tables' methods are awaited. One client serves one event loop or many."""

    __slots__ = ()

    def table(
        self,
        model: type[M],
        /,
        *,
        name: str | None = None,
        partition: str | None = None,
        sort: str | None = None,
        indexes: Mapping[str, Projection | IndexKeys] | None = None,
        load: Load = "validate",
        unset: Unset = "store",
        unknown: Unknown = "skip",
        any_numbers: AnyNumbers = "auto",
        rate_limit: RateLimit | None = None,
    ) -> AsyncTable[M]:
        """See `Client.table`."""
        policies = Policies(load, unset, unknown, any_numbers)
        schema = TableSchema.of(model, partition=partition, sort=sort, indexes=indexes, policies=policies)
        return AsyncTable(self._core, schema, _table_name(schema, name), rate_limit)

    async def run(self, operation: Operation[R], /) -> R:
        """See `Client.run`."""
        return await self._core.spawn(operation)

    async def execute(
        self, statement: Statement[M], /, *, consistent: bool = False, limit: int | None = None
    ) -> list[M]:
        """See `Client.execute`."""
        return await self.run(self.ops.execute(statement, consistent=consistent, limit=limit))

    async def batch_execute(
        self, statements: Iterable[Statement[M]], /, *, consistent: bool = False
    ) -> list[M | OxidynError | None]:
        """See `Client.batch_execute`."""
        return await self.run(self.ops.batch_execute(statements, consistent=consistent))

    async def transact_execute(
        self, statements: Iterable[Statement[M]], /, *, token: str | None = None
    ) -> list[M | None]:
        """See `Client.transact_execute`."""
        return await self.run(self.ops.transact_execute(statements, token=token))

    async def batch_get(self, operations: Iterable[Operation[R]], /, *, concurrency: int = CONCURRENCY) -> list[R]:
        """See `Client.batch_get`."""
        return await self.run(self.ops.batch_get(operations, concurrency=concurrency))

    async def batch_write(self, operations: Iterable[Operation[None]], /, *, concurrency: int = CONCURRENCY) -> None:
        """See `Client.batch_write`."""
        await self.run(self.ops.batch_write(operations, concurrency=concurrency))

    @overload
    async def transact(self, a: Operation[A], /, *, token: str | None = None) -> tuple[A]: ...
    @overload
    async def transact(self, a: Operation[A], b: Operation[B], /, *, token: str | None = None) -> tuple[A, B]: ...
    @overload
    async def transact(
        self, a: Operation[A], b: Operation[B], c: Operation[C], /, *, token: str | None = None
    ) -> tuple[A, B, C]: ...
    @overload
    async def transact(
        self, a: Operation[A], b: Operation[B], c: Operation[C], d: Operation[D], /, *, token: str | None = None
    ) -> tuple[A, B, C, D]: ...
    @overload
    async def transact(
        self,
        a: Operation[A],
        b: Operation[B],
        c: Operation[C],
        d: Operation[D],
        e: Operation[E],
        /,
        *,
        token: str | None = None,
    ) -> tuple[A, B, C, D, E]: ...
    @overload
    async def transact(
        self,
        a: Operation[A],
        b: Operation[B],
        c: Operation[C],
        d: Operation[D],
        e: Operation[E],
        f: Operation[F],
        /,
        *,
        token: str | None = None,
    ) -> tuple[A, B, C, D, E, F]: ...
    @overload
    async def transact(self, *operations: Operation[R], token: str | None = None) -> tuple[R, ...]: ...
    async def transact(self, *operations: Operation[Any], token: str | None = None) -> tuple[Any, ...]:
        """See `Client.transact`."""
        return await self.run(self.ops.transact(*operations, token=token))

    async def close(self) -> None:
        """See `Client.close`."""
        self._core.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


show_public_path(globals())
