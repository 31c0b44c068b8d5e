"""Every public operation that asks DynamoDB, on a table of its own: what it does, and what may be sent twice.

Each is written for `Client`; `AsyncClient` comes as a facade that looks like it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from oxidyn import TTL, Index, KeysOnly, Model, PartitionKey, SortKey, Statement, attr


class Thing(Model, table="things", indexes={"by_kind": KeysOnly()}):
    org: Annotated[str, PartitionKey]
    id: Annotated[int, SortKey]
    kind: Annotated[str, Index("by_kind", partition=True)] = "plain"
    count: int = 0


class Session(Model, table="sessions"):
    id: Annotated[str, PartitionKey]
    expires: Annotated[datetime | None, TTL] = None


class Brief(Model):
    org: str
    count: int


STORED = [Thing(org="a", id=number, count=number) for number in range(5)]
ADDED = Thing(org="a", id=9, count=90)
MANY = [Thing(org="b", id=number, count=number) for number in range(30)]

Act = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Case:
    """An operation, and what may be expected of it."""

    name: str
    act: Act
    """Given the client and the table; the result, which compares."""
    is_repeated: bool = True
    """Whether it is sent again after an answer that was lost: what it does twice is what it does once."""
    has_table: bool = True
    has_patience: bool = False
    """Whether it goes on by itself when it is throttled, after every retry."""

    @property
    def table(self) -> str:
        return f"case-{self.name}"


def case(name: str, act: Act, **options: bool) -> Case:
    return Case(name, act, **options)


def _statement(table: Any, text: str, *parameters: object, **options: Any) -> Statement[Any]:
    return Statement(text.replace("things", f'"{table.name}"'), *parameters, **options)


def _description(table: Any) -> Any:
    description = table.describe_table()
    return description.get("TableName"), description.get("TableStatus")


ONE_ITEM = "SELECT * FROM things WHERE org = ? AND id = ?"
ADD_ONE = "UPDATE things SET count = count + 1 WHERE org = ? AND id = ?"
OF_A = Thing.org == "a"

CASES = [
    case("put", lambda c, t: t.put(ADDED)),
    case("put-where", lambda c, t: t.put(Thing(org="a", id=1, count=7), where=Thing.count == 1), is_repeated=False),
    case("create", lambda c, t: t.create(ADDED), is_repeated=False),
    case("replace", lambda c, t: t.replace(Thing(org="a", id=1, count=7)), is_repeated=False),
    case("get", lambda c, t: t.get("a", 3)),
    case("get-json", lambda c, t: t.get_json("a", 3)),
    case("get-nothing", lambda c, t: t.get("a", 77)),
    case("update", lambda c, t: t.update(("a", 3), attr(Thing.count).add(1), returning="new"), is_repeated=False),
    case("upsert", lambda c, t: t.upsert(("a", 9), attr(Thing.count).add(1)), is_repeated=False),
    case("delete", lambda c, t: t.delete("a", 3)),
    case("delete-where", lambda c, t: t.delete("a", 3, where=Thing.count == 3), is_repeated=False),
    case("delete-returning", lambda c, t: t.delete("a", 3, returning="old"), is_repeated=False),
    case("query", lambda c, t: list(t.query(OF_A, page_size=2))),
    case("query-first", lambda c, t: t.query(OF_A, reverse=True).first()),
    case("query-one", lambda c, t: t.query(OF_A & (Thing.id == 2)).one()),
    case("query-one-or-none", lambda c, t: t.query(OF_A & (Thing.id == 77)).one_or_none()),
    case("query-count", lambda c, t: t.query(OF_A, page_size=2).count()),
    case("query-page", lambda c, t: t.query(OF_A, where=Thing.count > 1, page_size=2).page(2)),
    case("query-page-json", lambda c, t: t.query(OF_A, where=Thing.count > 1, page_size=2).page_json(2)),
    case("query-hydrated", lambda c, t: _sorted(t.query(Thing.kind == "plain", hydrate=True, page_size=3))),
    case("scan", lambda c, t: _sorted(t.scan(page_size=2))),
    case("scan-count", lambda c, t: t.scan(page_size=2).count()),
    case("parallel-scan", lambda c, t: _sorted(t.parallel_scan(segments=2, page_size=2))),
    case("parallel-count", lambda c, t: t.parallel_scan(segments=2, page_size=2).count()),
    case("select-get", lambda c, t: t.select(Brief).get("a", 3)),
    case("select-query", lambda c, t: list(t.select(Thing.id, Thing.count).query(OF_A, page_size=2))),
    case("select-batch-get", lambda c, t: t.select(Brief).batch_get([("a", 1), ("a", 9)]), has_patience=True),
    case("batch-get", lambda c, t: t.batch_get([("a", 1), ("a", 9), ("a", 2)]), has_patience=True),
    case("batch-put", lambda c, t: t.batch_put(MANY, concurrency=1), has_patience=True),
    case("batch-delete", lambda c, t: t.batch_delete(STORED, concurrency=1), has_patience=True),
    case("create-table", lambda c, t: t.create_table(), is_repeated=False, has_table=False),
    case("create-table-ttl", lambda c, t: _sessions(c, t).create_table(), is_repeated=False, has_table=False),
    case("delete-table", lambda c, t: t.delete_table(), is_repeated=False),
    case("describe-table", lambda c, t: _description(t)),
    case("wait-until-active", lambda c, t: t.wait_until_active()),
    case("run", lambda c, t: c.run(t.ops.put(ADDED))),
    case("execute-read", lambda c, t: c.execute(_statement(t, "SELECT * FROM things WHERE org = ?", "a", model=Thing))),
    case("execute-write", lambda c, t: c.execute(_statement(t, ADD_ONE, "a", 3)), is_repeated=False),
    case(
        "batch-execute-read",
        lambda c, t: c.batch_execute([_statement(t, ONE_ITEM, "a", n) for n in (1, 9)]),
        has_patience=True,
    ),
    case(
        "batch-execute-write",
        lambda c, t: c.batch_execute([_statement(t, ADD_ONE, "a", n) for n in (1, 2)]),
        is_repeated=False,
        has_patience=True,
    ),
    case("transact-execute-read", lambda c, t: c.transact_execute([_statement(t, ONE_ITEM, "a", n) for n in (1, 9)])),
    case("transact-execute-write", lambda c, t: c.transact_execute([_statement(t, ADD_ONE, "a", n) for n in (1, 2)])),
    case("transact-get", lambda c, t: c.transact(t.ops.get("a", 1), t.ops.get("a", 9))),
    case("transact-write", lambda c, t: c.transact(t.ops.put(ADDED), t.ops.update(("a", 1), attr(Thing.count).add(1)))),
    case("client-batch-get", lambda c, t: c.batch_get([t.ops.get("a", 1), t.ops.get("a", 9)]), has_patience=True),
    case("client-batch-write", lambda c, t: c.batch_write([t.ops.put(ADDED), t.ops.delete("a", 1)]), has_patience=True),
]


def _sorted(items: Any) -> list[Thing]:
    return sorted(items, key=lambda thing: thing.id)


def _sessions(client: Any, table: Any) -> Any:
    return client.table(Session, name=table.name)
