"""Operations as values: what `users.get(...)` runs, `users.ops.get(...)` only builds.

An operation does nothing until a client runs it, as often as one likes. `request()` shows what it would send.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar, cast, overload

from pydantic import BaseModel

from . import _core
from ._core import Operation
from .annotations import Include, KeysOnly
from .errors import InvalidExpression, InvalidOperation, InvalidOption, shown
from .exports import show_public_path
from .expressions import as_condition, kind_of
from .updates import Action

if TYPE_CHECKING:
    from .annotations import Projection
    from .errors import OxidynError
    from .expressions import Condition
    from .partiql import Statement
    from .policies import Load
    from .schema import TableSchema

__all__ = ["CONCURRENCY", "ClientOperations", "Cores", "Operation", "TableOperations"]

M = TypeVar("M")  # Unbound: dataclasses and TypedDicts have tables too.
R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")

CONCURRENCY: Final = 8
"""Requests of one batch under way at once, unless the caller says otherwise."""
_MOST_CONCURRENCY: Final = 100
_LONGEST_TOKEN: Final = 36


class Cores(Generic[M]):
    """The core's tables for one table: its own, and those that read under another `load` policy."""

    __slots__ = ("_others", "_schema", "own")

    def __init__(
        self, schema: TableSchema, name: str, client: _core.Client, rate_limit: _core.RateLimit | None
    ) -> None:
        held = [(index.name, *_projection(index.project), index.lacks) for index in schema.indexes]
        self.own: _core.Table[M] = _core.Table(schema.plan, name, held, client, rate_limit)
        self._schema = schema
        self._others: dict[Load, _core.Table[M]] = {}

    def loading(self, load: Load | None) -> _core.Table[M]:
        """The one that reads under this policy; None is the table's own."""
        if load is None:
            return self.own
        core = self._others.get(load)
        if core is None:
            core = self._others[load] = self.own.with_plan(self._schema.loading(load).plan)
        return core


class ClientOperations:
    """A client's operations as values: each method takes what the client's own takes, and sends nothing."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ClientOperations()"

    def execute(
        self, statement: Statement[M], /, *, consistent: bool = False, limit: int | None = None
    ) -> Operation[list[M]]:
        """Build what `Client.execute` runs."""
        from . import partiql

        return partiql.execute(statement, consistent, limit)

    def batch_execute(
        self, statements: Iterable[Statement[M]], /, *, consistent: bool = False
    ) -> Operation[list[M | OxidynError | None]]:
        """Build what `Client.batch_execute` runs."""
        from . import partiql

        return partiql.batch_execute(statements, consistent)

    def transact_execute(
        self, statements: Iterable[Statement[M]], /, *, token: str | None = None
    ) -> Operation[list[M | None]]:
        """Build what `Client.transact_execute` runs."""
        from . import partiql

        return partiql.transact_execute(statements, _token(token))

    def batch_get(self, operations: Iterable[Operation[R]], /, *, concurrency: int = CONCURRENCY) -> Operation[list[R]]:
        """Build what `Client.batch_get` runs."""
        return _core.batch_get(list(operations), requests_at_once(concurrency))

    def batch_write(
        self, operations: Iterable[Operation[None]], /, *, concurrency: int = CONCURRENCY
    ) -> Operation[None]:
        """Build what `Client.batch_write` runs."""
        return _core.batch_write(list(operations), requests_at_once(concurrency))

    @overload
    def transact(self, a: Operation[A], /, *, token: str | None = None) -> Operation[tuple[A]]: ...
    @overload
    def transact(self, a: Operation[A], b: Operation[B], /, *, token: str | None = None) -> Operation[tuple[A, B]]: ...
    @overload
    def transact(
        self, a: Operation[A], b: Operation[B], c: Operation[C], /, *, token: str | None = None
    ) -> Operation[tuple[A, B, C]]: ...
    @overload
    def transact(
        self, a: Operation[A], b: Operation[B], c: Operation[C], d: Operation[D], /, *, token: str | None = None
    ) -> Operation[tuple[A, B, C, D]]: ...
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
    ) -> Operation[tuple[A, B, C, D, E]]: ...
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
    ) -> Operation[tuple[A, B, C, D, E, F]]: ...
    @overload
    def transact(self, *operations: Operation[R], token: str | None = None) -> Operation[tuple[R, ...]]: ...
    def transact(self, *operations: Operation[Any], token: str | None = None) -> Operation[Any]:
        """Build what `Client.transact` runs."""
        return _core.transact(list(operations), _token(token))


class TableOperations(Generic[M]):
    """A table's operations as values: each method takes what the table's own takes, and sends nothing."""

    __slots__ = ("_core", "_cores", "_schema")

    def __init__(self, cores: Cores[M], schema: TableSchema) -> None:
        self._cores = cores
        self._core = cores.own
        self._schema = schema

    def __repr__(self) -> str:
        return f"TableOperations({self._schema.title})"

    def put(self, item: M, /, *, where: Condition | bool | None = None) -> Operation[None]:
        """Build what `Table.put` runs."""
        return self._core.put(item, _condition(where))

    def create(self, item: M, /) -> Operation[None]:
        """Build what `Table.create` runs."""
        return self._core.create(item)

    def replace(self, item: M, /, *, where: Condition | bool | None = None) -> Operation[None]:
        """Build what `Table.replace` runs."""
        return self._core.replace(item, _condition(where))

    def get(self, *key: object, consistent: bool = False, load: Load | None = None) -> Operation[M | None]:
        """Build what `Table.get` runs."""
        return self._cores.loading(load).get(key_parts(key), consistent)

    def get_json(self, *key: object, consistent: bool = False, load: Load | None = None) -> Operation[bytes | None]:
        """Build what `Table.get_json` runs."""
        return self._cores.loading(load).get_json(key_parts(key), consistent)

    @overload
    def update(
        self, key: object, /, *actions: Action, where: Condition | bool | None = None, returning: None = None
    ) -> Operation[None]: ...
    @overload
    def update(
        self, key: object, /, *actions: Action, where: Condition | bool | None = None, returning: Literal["old", "new"]
    ) -> Operation[M]: ...
    def update(
        self,
        key: object,
        /,
        *actions: Action,
        where: Condition | bool | None = None,
        returning: Literal["old", "new"] | None = None,
    ) -> Operation[Any]:
        """Build what `Table.update` runs."""
        return self._core.update(key_parts((key,)), _actions("update", actions), _condition(where), returning)

    @overload
    def upsert(
        self, key: object, /, *actions: Action, where: Condition | bool | None = None, returning: None = None
    ) -> Operation[None]: ...
    @overload
    def upsert(
        self, key: object, /, *actions: Action, where: Condition | bool | None = None, returning: Literal["old"]
    ) -> Operation[M | None]: ...
    @overload
    def upsert(
        self, key: object, /, *actions: Action, where: Condition | bool | None = None, returning: Literal["new"]
    ) -> Operation[M]: ...
    def upsert(
        self,
        key: object,
        /,
        *actions: Action,
        where: Condition | bool | None = None,
        returning: Literal["old", "new"] | None = None,
    ) -> Operation[Any]:
        """Build what `Table.upsert` runs."""
        return self._core.upsert(key_parts((key,)), _actions("upsert", actions), _condition(where), returning)

    @overload
    def delete(
        self, *key: object, where: Condition | bool | None = None, returning: None = None
    ) -> Operation[None]: ...
    @overload
    def delete(
        self, *key: object, where: Condition | bool | None = None, returning: Literal["old"]
    ) -> Operation[M | None]: ...
    def delete(
        self, *key: object, where: Condition | bool | None = None, returning: Literal["old"] | None = None
    ) -> Operation[Any]:
        """Build what `Table.delete` runs."""
        return self._core.delete(key_parts(key), _condition(where), returning)

    def check(self, key: object, /, where: Condition | bool) -> Operation[None]:
        """Build a check for `Client.transact`: the transaction is done only if `where` holds for the stored item.

        Run alone, it is a transaction of one, and raises `ConditionFailed`.
        """
        return self._core.check(key_parts((key,)), as_condition(where))

    def batch_get(
        self,
        keys: Iterable[object],
        /,
        *,
        consistent: bool = False,
        load: Load | None = None,
        concurrency: int = CONCURRENCY,
    ) -> Operation[list[M | None]]:
        """Build what `Table.batch_get` runs."""
        return self._cores.loading(load).batch_get(
            entries("batch_get", keys), consistent, requests_at_once(concurrency)
        )

    def batch_put(self, items: Iterable[M], /, *, concurrency: int = CONCURRENCY) -> Operation[None]:
        """Build what `Table.batch_put` runs."""
        return self._core.batch_put(entries("batch_put", items), requests_at_once(concurrency))

    def batch_delete(self, keys: Iterable[object], /, *, concurrency: int = CONCURRENCY) -> Operation[None]:
        """Build what `Table.batch_delete` runs."""
        return self._core.batch_delete(entries("batch_delete", keys), requests_at_once(concurrency))

    def create_table(self) -> Operation[None]:
        """Build what `Table.create_table` runs."""
        return self._core.create_table()

    def delete_table(self) -> Operation[None]:
        """Build what `Table.delete_table` runs."""
        return self._core.delete_table()

    def describe_table(self) -> Operation[dict[str, Any]]:
        """Build what `Table.describe_table` runs."""
        return self._core.describe_table()

    def wait_until_active(self) -> Operation[None]:
        """Build what `Table.wait_until_active` runs."""
        return self._core.wait_until_active()


def key_parts(key: tuple[object, ...]) -> tuple[object, ...]:
    """A key's parts: `get("acme", 1)` and `get(("acme", 1))` mean the same."""
    if len(key) == 1 and isinstance(key[0], tuple):
        return key[0]  # pyright: ignore[reportUnknownVariableType]
    return key


def entries(method: str, given: Iterable[A]) -> list[A]:
    """The keys or items of a batch on one table."""
    # Most of these are one entry, and iterable all the same: `batch_delete("ada")` would delete "a" and "d".
    found: Any = given  # What a caller without a checker gave.
    if isinstance(found, (str, bytes, bytearray, BaseModel, Mapping)) or not isinstance(found, Iterable):
        raise InvalidOperation(
            f"{method}() expected a list of entries, or another iterable, found {kind_of(cast('object', found))}: put a "
            f"single one into a list. Nothing was sent."
        )
    return list(given)


def requests_at_once(requests: object) -> int:
    if isinstance(requests, int) and not isinstance(requests, bool) and 1 <= requests <= _MOST_CONCURRENCY:
        return requests
    raise InvalidOption(f"concurrency={shown(requests)}: expected 1 to {_MOST_CONCURRENCY} requests under way at once.")


def _token(token: object) -> str | None:
    if token is None:
        return None
    found = kind_of(token)
    if isinstance(token, str):
        size = len(token.encode(errors="surrogatepass"))
        if 1 <= size <= _LONGEST_TOKEN:
            return token
        # The token itself is not shown: it may be made of what it stands for.
        found = f"{size}"
    raise InvalidOption(
        f"token=: expected a string of 1 to {_LONGEST_TOKEN} bytes as UTF-8, such as a UUID's, found {found}; leave it out to "
        f"have one made."
    )


def _actions(verb: str, actions: tuple[object, ...]) -> tuple[Action, ...]:
    for action in actions:
        if not isinstance(action, Action):
            raise InvalidExpression(
                f"{verb}() expected actions such as attr(User.age).set(3), found {kind_of(action)}; a condition goes to "
                f"where=."
            )
    return cast("tuple[Action, ...]", actions)


def _condition(where: Condition | bool | None) -> Condition | None:
    return None if where is None else as_condition(where)


def _projection(project: Projection) -> tuple[str, tuple[str, ...]]:
    """DynamoDB's projection type, and the fields it includes."""
    if isinstance(project, Include):
        return "INCLUDE", project.fields
    return ("KEYS_ONLY" if isinstance(project, KeysOnly) else "ALL"), ()


show_public_path(globals())
