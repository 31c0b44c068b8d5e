"""execute, batch_execute, transact_execute: PartiQL with Python values in and models out.

Moto's PartiQL is a sketch: reads by `=` with spaces round it, and single changes. What it cannot run is told by the
embedded engine alone, which follows what AWS answers.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from oxidyn import (
    ConditionFailed,
    InvalidExpression,
    InvalidItem,
    InvalidOperation,
    InvalidOption,
    ItemExists,
    Model,
    OxidynError,
    PartitionKey,
    ServiceError,
    Statement,
    TableNotFound,
    TransactionCancelled,
)
from tests.ops.models import Address, Plan, Stranger, User

embedded = pytest.mark.parametrize("engine", ["embedded"], indirect=True)


class Name(BaseModel):
    """A part of a user."""

    org: str
    id: int


class Anything(Model, table="anything"):
    id: Annotated[str, PartitionKey]
    value: Any


@pytest.fixture
def client(client: Any, engine: str, request: pytest.FixtureRequest) -> Any:
    """For each statement moto copies every item of every table, so that those of earlier tests would take it minutes."""
    if engine == "moto":
        request.getfixturevalue("moto_server").forget()
    return client


@pytest.fixture
def anything(client: Any, table_name: str) -> Any:
    table = client.table(Anything, name=table_name)
    table.create_table()
    return table


@pytest.fixture
def bare(client: Any, table_name: str) -> Any:
    """A table whose name needs no quotes: in a batch moto takes them for a part of the name."""
    table = client.table(User, name=table_name.replace("-", "_"))
    table.create_table()
    return table


def people(count: int, **fields: Any) -> list[User]:
    return [User(org="a", id=number, **fields) for number in range(count)]


def one(table: str, *key: object, model: Any = None) -> Any:
    quoted = f'"{table}"' if "-" in table else table
    return Statement(f"SELECT * FROM {quoted} WHERE org = ? AND id = ?", *key, model=model)


# Reading


def test_items_come_back_as_models(client: Any, users: Any) -> None:
    user = User(org="a", id=1, tags={"x"}, address=Address(city="Ulm"), plan=Plan.PAID, scores={"s": Decimal("1.5")})
    users.put(user)
    users.put(User(org="a", id=2))

    assert client.execute(one(users.name, "a", 1, model=User)) == [user]


def test_items_come_back_as_dicts_without_a_model(client: Any, users: Any) -> None:
    users.put(User(org="a", id=1, tags={"x"}, scores={"s": Decimal("1.5")}))

    [found] = client.execute(Statement(f'SELECT org, id, tags, scores FROM "{users.name}" WHERE org = ?', "a"))

    assert found == {"org": "a", "id": 1, "tags": {"x"}, "scores": {"s": 1.5}}
    assert type(found["id"]) is int


def test_a_projection_is_read_by_a_smaller_model_of_any_kind(client: Any, users: Any) -> None:
    class Typed(TypedDict):
        org: str
        id: int

    @dataclass
    class Data:
        org: str
        id: int

    users.put(User(org="a", id=1))

    for model, expected in [(Name, Name(org="a", id=1)), (Typed, {"org": "a", "id": 1}), (Data, Data("a", 1))]:
        statement = Statement(f'SELECT org, id FROM "{users.name}" WHERE org = ? AND id = ?', "a", 1, model=model)
        assert client.execute(statement) == [expected]


def test_a_statement_that_finds_nothing_gives_no_items(client: Any, users: Any) -> None:
    assert client.execute(one(users.name, "a", 1)) == []


@embedded
def test_all_pages_of_a_statement_are_read(client: Any, users: Any) -> None:
    # Three megabytes: DynamoDB's pages hold one.
    written = people(30, note="x" * 100_000)
    users.batch_put(written)

    statement = Statement(f'SELECT * FROM "{users.name}" WHERE org = ?', "a", model=User)

    assert client.execute(statement) == written
    assert client.execute(statement, consistent=True, limit=25) == written[:25]


@embedded
def test_limit_counts_items_that_come_back_whatever_a_condition_leaves_out(client: Any, users: Any) -> None:
    users.batch_put(people(40))

    filtered = Statement(f'SELECT id FROM "{users.name}" WHERE org = ? AND size(org) = ? AND id > ?', "a", 1, 30)

    assert [found["id"] for found in client.execute(filtered, limit=3)] == [31, 32, 33]


@embedded
def test_a_list_among_the_parameters_ends_the_reading_at_one_page(client: Any, users: Any) -> None:
    users.batch_put(people(40, lines=[1]))

    # AWS takes no token of such a statement back, so the limit is not asked for but taken from the whole page.
    statement = Statement(f'SELECT id FROM "{users.name}" WHERE org = ? AND lines = ? AND id > ?', "a", [1], 30)

    assert [found["id"] for found in client.execute(statement, limit=3)] == [31, 32, 33]


@pytest.mark.parametrize("limit", [0, -1, True, "3", 2.0])
def test_a_limit_that_is_no_number_of_items_is_refused(client: Any, limit: Any) -> None:
    with pytest.raises(InvalidOption, match="limit="):
        client.execute(Statement("SELECT * FROM users"), limit=limit)


def test_an_item_that_the_model_refuses_is_told_with_its_place_and_key(client: Any, users: Any) -> None:
    users.put(User(org="a", id=1))
    client.table(Stranger, name=users.name).put(Stranger(org="a", id=2, age="old"))

    with pytest.raises(InvalidItem) as caught:
        client.execute(Statement(f'SELECT * FROM "{users.name}" WHERE org = ?', "a", model=User))

    assert caught.value.errors()[0]["loc"] == (1, "age")
    assert caught.value.key == ("a", 2)
    assert caught.value.table == users.name
    assert caught.value.operation == "ExecuteStatement"
    assert "old" not in str(caught.value)


# Parameters


class Colour(Enum):
    RED = "red"


class Numbered(int, Enum):
    ONE = 1


@dataclass
class Point:
    x: int
    y: float


VALUES: list[Any] = [
    None,
    True,
    3,
    10**37,
    2.5,
    Decimal("1.10"),
    "text '?' \"quoted\"",
    "",
    b"\x00\xff",
    date(2024, 2, 29),
    datetime(2024, 2, 29, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=2))),
    time(1, 2),
    timedelta(seconds=90),
    UUID("12345678-1234-5678-1234-567812345678"),
    Colour.RED,
    Numbered.ONE,
    {"a", "b"},
    {1, 2},
    frozenset({b"x"}),
    [1, "a", None, [2.5]],
    (1, 2),
    deque([1]),
    {"a": {"b": [1]}},
    Address(city="Ulm"),
    Point(1, 2.5),
]


@embedded
@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_parameter_is_stored_as_in_a_field_of_type_any(client: Any, anything: Any, value: Any) -> None:
    anything.put(Anything(id="field", value=value))

    client.execute(Statement(f"INSERT INTO \"{anything.name}\" VALUE {{'id': ?, 'value': ?}}", "parameter", value))

    stored = Statement(f'SELECT "value" FROM "{anything.name}" WHERE id = ?', "parameter")
    expected = Statement(f'SELECT "value" FROM "{anything.name}" WHERE id = ?', "field")
    assert client.execute(stored) == client.execute(expected)


@pytest.mark.parametrize(
    ("value", "path"),
    [(float("nan"), ()), ({"a": [object()]}, ("a", 0)), ({"a", "\ud800"}, None), (User, ())],
    ids=["nan", "object", "surrogate", "class"],
)
def test_a_parameter_that_cannot_be_stored_is_refused_with_its_place(value: Any, path: Any) -> None:
    with pytest.raises(InvalidItem) as caught:
        Statement("SELECT * FROM users WHERE a = ? AND b = ?", "secret", value)

    assert caught.value.title == "Statement"
    location = caught.value.errors()[0]["loc"]
    assert location[:2] == ("parameters", 1)
    if path is not None:
        assert location[2:] == path
    assert "secret" not in str(caught.value)


def test_parameters_are_what_they_were_when_the_statement_was_made(client: Any, users: Any) -> None:
    users.put(User(org="a", id=1, lines=[1, 2]))
    lines = [1, 2]
    statement = Statement(f'SELECT id FROM "{users.name}" WHERE org = ? AND lines = ?', "a", lines)

    lines.append(3)

    assert b'"L":[{"N":"1"},{"N":"2"}]' in client.ops.execute(statement).request()[1]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_parameters_are_counted_against_the_placeholders_before_anything_is_sent(count: int) -> None:
    with pytest.raises(InvalidExpression, match=rf"has 2 `\?` outside quotes, found {count} parameters"):
        Statement("SELECT \"?\" FROM users WHERE a = ? AND b = '?' AND c=? -- ?", *range(count))


@pytest.mark.parametrize("text", ["", " ", "x" * 8193, 3, None, b"SELECT * FROM users"])
def test_a_text_that_is_no_statement_is_refused(text: Any) -> None:
    with pytest.raises(InvalidExpression, match="a statement (is text|has 1 to 8192 characters), found"):
        Statement(text)


# The value


def test_a_statement_is_a_value() -> None:
    statement = Statement("SELECT * FROM users WHERE a = ?", 1, model=User)

    assert statement == Statement("SELECT * FROM users WHERE a = ?", 1.0, model=User)
    assert hash(statement) == hash(Statement("SELECT * FROM users WHERE a = ?", 1, model=User))
    assert statement != Statement("SELECT * FROM users WHERE a = ?", 2, model=User)
    assert statement != Statement("SELECT * FROM users WHERE a = ?", 1)
    assert statement != Statement("SELECT * FROM users WHERE b = ?", 1, model=User)
    assert (statement.text, statement.model) == ("SELECT * FROM users WHERE a = ?", User)
    for name in ("text", "model", "other"):
        with pytest.raises((AttributeError, TypeError)):
            setattr(statement, name, None)


def test_a_statement_shows_no_parameter() -> None:
    assert repr(Statement("SELECT * FROM t WHERE a = ?", "secret")) == "Statement('SELECT * FROM t WHERE a = ?')"
    assert repr(Statement("SELECT * FROM t", model=User)) == "Statement('SELECT * FROM t', model=User)"


def test_operations_on_statements_are_values_too(client: Any, bare: Any) -> None:
    bare.put(User(org="a", id=1))
    statement = one(bare.name, "a", 1, model=User)
    operation = client.ops.execute(statement, consistent=True, limit=5)

    name, body = operation.request()

    assert name == "ExecuteStatement"
    assert b'"ConsistentRead":true' in body
    assert b'"Limit":5' in body
    assert repr(operation) == f'Operation(ExecuteStatement, table="{bare.name}")'
    assert client.run(operation) == client.run(operation) == [User(org="a", id=1)]
    assert client.run(client.ops.batch_execute([statement])) == [User(org="a", id=1)]
    assert client.ops.batch_execute([]).request() is None


@pytest.mark.parametrize("method", ["execute", "batch_execute", "transact_execute"])
def test_what_is_no_statement_is_refused(client: Any, method: str) -> None:
    given: Any = "SELECT * FROM users"

    with pytest.raises(InvalidExpression, match=rf"{method}\(\) expected Statement\(text"):
        getattr(client, method)(given if method == "execute" else [given])


# Writing


@embedded
def test_items_are_written_changed_and_deleted(client: Any, users: Any) -> None:
    table = users.name

    assert client.execute(Statement(f"INSERT INTO \"{table}\" VALUE {{'org': ?, 'id': ?, 'age': ?}}", "a", 1, 7)) == []
    assert users.get("a", 1).age == 7
    changed = client.execute(
        Statement(
            f'UPDATE "{table}" SET age = age + ? WHERE org = ? AND id = ? RETURNING ALL NEW *', 1, "a", 1, model=User
        )
    )
    assert [user.age for user in changed] == [8]
    deleted = client.execute(
        Statement(f'DELETE FROM "{table}" WHERE org = ? AND id = ? RETURNING ALL OLD *', "a", 1, model=User)
    )
    assert [user.age for user in deleted] == [8]
    assert users.get("a", 1) is None


def test_an_update_by_the_key_changes_the_item(client: Any, users: Any) -> None:
    users.put(User(org="a", id=1))

    assert client.execute(Statement(f'UPDATE "{users.name}" SET age = ? WHERE org = ? AND id = ?', 50, "a", 1)) == []

    assert users.get("a", 1).age == 50


@embedded
def test_an_insert_under_a_taken_key_is_item_exists(client: Any, users: Any) -> None:
    users.put(User(org="a", id=1))

    with pytest.raises(ItemExists, match="inserts an item whose key is taken; nothing was written") as caught:
        client.execute(Statement(f"INSERT INTO \"{users.name}\" VALUE {{'org': ?, 'id': ?}}", "a", 1, model=User))

    assert caught.value.item is None
    assert caught.value.table == users.name


@embedded
def test_a_where_that_does_not_hold_is_condition_failed_with_the_stored_item(client: Any, users: Any) -> None:
    users.put(User(org="a", id=1))
    text = f'UPDATE "{users.name}" SET age = ? WHERE org = ? AND id = ? AND age < ?'

    with pytest.raises(ConditionFailed, match="WHERE did not hold") as caught:
        client.execute(Statement(text, 4, "a", 1, 3, model=User))
    assert caught.value.item == User(org="a", id=1)

    with pytest.raises(ConditionFailed) as caught:
        client.execute(Statement(text, 4, "a", 2, 3, model=User))
    assert caught.value.item is None


def test_a_table_that_is_not_there_is_named(client: Any, table_name: str) -> None:
    with pytest.raises(TableNotFound, match=f'no table "{table_name}"'):
        client.execute(one(table_name, "a", 1))


@embedded
def test_a_statement_that_dynamodb_refuses_is_a_service_error(client: Any) -> None:
    with pytest.raises(ServiceError) as caught:
        client.execute(Statement("SELEKT"))

    assert caught.value.code == "ValidationException"
    assert caught.value.table is None
    assert "table" not in str(caught.value)


# Batches


def test_each_statement_of_a_batch_has_its_result_in_its_place(client: Any, bare: Any) -> None:
    written = people(60)
    bare.batch_put(written)
    order = [7, 99, 3, *range(10, 50)]

    results = client.batch_execute([one(bare.name, "a", number, model=User) for number in order], consistent=True)

    assert results == [written[number] if number < 60 else None for number in order]


def test_statements_of_a_batch_read_different_models(client: Any, bare: Any) -> None:
    bare.put(User(org="a", id=1))
    bare.put(User(org="a", id=2))
    name = Statement(f"SELECT org, id FROM {bare.name} WHERE org = ? AND id = ?", "a", 2, model=Name)

    assert client.batch_execute([one(bare.name, "a", 1, model=User), name]) == [
        User(org="a", id=1),
        Name(org="a", id=2),
    ]


def test_an_empty_batch_gives_nothing(client: Any) -> None:
    assert client.batch_execute(iter([])) == []


def test_a_failure_is_the_answer_of_its_statement_alone(client: Any, bare: Any) -> None:
    bare.put(User(org="a", id=1))
    client.table(Stranger, name=bare.name).put(Stranger(org="a", id=2, age="old"))
    keyless = Statement(f"SELECT * FROM {bare.name} WHERE org = ?", "a", model=User)

    found, strange, refused, missing = client.batch_execute(
        [one(bare.name, "a", 1, model=User), one(bare.name, "a", 2, model=User), keyless, one(f"{bare.name}_x", "a", 1)]
    )

    assert found == User(org="a", id=1)
    assert isinstance(strange, InvalidItem)
    assert (strange.key, strange.table, strange.errors()[0]["loc"]) == (("a", 2), bare.name, ("age",))
    assert isinstance(refused, ServiceError)
    assert (refused.code, refused.table) == ("ValidationException", bare.name)
    assert isinstance(missing, TableNotFound)
    assert (missing.table, missing.operation) == (f"{bare.name}_x", "BatchExecuteStatement")


@embedded
def test_writes_of_a_batch_stand_by_themselves(client: Any, users: Any) -> None:
    users.put(User(org="a", id=1))
    users.put(User(org="a", id=2))
    insert = f"INSERT INTO \"{users.name}\" VALUE {{'org': ?, 'id': ?}}"
    change = f'UPDATE "{users.name}" SET age = ? WHERE org = ? AND id = ? AND age < ?'

    taken, written, failed = client.batch_execute(
        [Statement(insert, "a", 1), Statement(insert, "a", 3), Statement(change, 4, "a", 2, 3, model=User)]
    )

    assert isinstance(taken, ItemExists)
    assert written is None
    assert isinstance(failed, ConditionFailed)
    assert failed.item == User(org="a", id=2)
    assert users.get("a", 3) is not None


@embedded
def test_reads_and_writes_of_one_batch_are_sent_apart_and_in_order(client: Any, users: Any) -> None:
    insert = f"INSERT INTO \"{users.name}\" VALUE {{'org': ?, 'id': ?}}"
    before, _, after = client.batch_execute(
        [
            one(users.name, "a", 1, model=Name),
            Statement(insert, "a", 1, model=Name),
            one(users.name, "a", 1, model=Name),
        ]
    )

    assert (before, after) == (None, Name(org="a", id=1))


@embedded
def test_two_statements_on_one_item_in_one_request_are_dynamodbs_refusal(client: Any, users: Any) -> None:
    with pytest.raises(ServiceError, match="duplicates"):
        client.batch_execute([one(users.name, "a", 1), one(users.name, "a", 1)])


def test_what_is_not_of_ours_in_a_batch_is_raised(client: Any, bare: Any) -> None:
    class Raising(BaseModel):
        org: str
        id: int

        def model_post_init(self, _context: Any) -> None:
            raise RuntimeError("mine")

    bare.put(User(org="a", id=1))

    with pytest.raises(RuntimeError, match="mine"):
        client.batch_execute([one(bare.name, "a", 1, model=Raising)])


def test_results_and_failures_are_told_apart_by_their_class(client: Any, bare: Any) -> None:
    bare.put(User(org="a", id=1))

    results = client.batch_execute([one(bare.name, "a", 1, model=User), one(f"{bare.name}_x", "a", 1, model=User)])

    assert [isinstance(result, OxidynError) for result in results] == [False, True]


# Transactions


INSERT = "INSERT INTO \"{}\" VALUE {{'org': ?, 'id': ?}}"


@embedded
def test_statements_of_a_transaction_happen_together(client: Any, users: Any) -> None:
    users.put(User(org="a", id=1))

    results = client.transact_execute(
        [
            Statement(INSERT.format(users.name), "a", 2),
            Statement(f'UPDATE "{users.name}" SET age = ? WHERE org = ? AND id = ?', 50, "a", 1),
        ]
    )

    assert results == [None, None]
    assert [user.age for user in users.query(User.org == "a")] == [50, 30]


def test_a_transaction_of_reads_gives_items_of_one_moment_in_order(client: Any, bare: Any) -> None:
    written = people(3)
    bare.batch_put(written)

    name = Statement(f"SELECT org, id FROM {bare.name} WHERE org = ? AND id = ?", "a", 0, model=Name)

    assert client.transact_execute([one(bare.name, "a", 2, model=User), name]) == [written[2], Name(org="a", id=0)]


@embedded
def test_a_read_of_a_transaction_that_finds_nothing_is_none(client: Any, users: Any) -> None:
    users.put(User(org="a", id=1))

    assert client.transact_execute([one(users.name, "a", 9), one(users.name, "a", 1, model=Name)]) == [
        None,
        Name(org="a", id=1),
    ]


@embedded
def test_a_cancelled_transaction_tells_for_each_statement_what_it_alone_would_have_raised(
    client: Any, users: Any, table_name: str
) -> None:
    users.batch_put(people(2))
    change = f'UPDATE "{users.name}" SET age = ? WHERE org = ? AND id = ? AND age < ?'

    with pytest.raises(TransactionCancelled) as caught:
        client.transact_execute(
            [
                Statement(INSERT.format(users.name), "a", 9),
                Statement(INSERT.format(users.name), "a", 1),
                Statement(change, 4, "a", 0, 3, model=User),
            ]
        )

    written, taken, failed = caught.value.reasons
    assert written is None
    assert isinstance(taken, ItemExists)
    assert isinstance(failed, ConditionFailed)
    assert (failed.item, failed.table) == (User(org="a", id=0), users.name)
    assert caught.value.operation == "ExecuteTransaction"
    assert users.get("a", 9) is None


@embedded
def test_a_transaction_of_statements_run_again_with_its_token_is_not_done_again(client: Any, users: Any) -> None:
    users.put(User(org="a", id=1))
    grow = Statement(f'UPDATE "{users.name}" SET age = age + ? WHERE org = ? AND id = ?', 1, "a", 1)

    for _ in range(3):
        client.transact_execute([grow], token="once")
    client.transact_execute([grow])

    assert users.get("a", 1).age == 32


def test_each_run_of_a_transaction_of_statements_has_a_token_of_its_own(client: Any) -> None:
    operation = client.ops.transact_execute([Statement(INSERT.format("users"), "a", 1)])

    (name, first), (_, second) = operation.request(), operation.request()

    assert name == "ExecuteTransaction"
    assert b'"ClientRequestToken":"' in first
    assert first != second


def test_an_empty_transaction_sends_nothing(client: Any) -> None:
    assert client.ops.transact_execute([]).request() is None
    assert client.transact_execute([]) == []


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            ["SELECT * FROM t", "SELECT * FROM t", "DELETE FROM t"],
            r"cannot take statements\[2\]: .* either reads or writes",
        ),
        (["DELETE FROM t"] * 101, "at most 100 statements, found 101"),
    ],
)
def test_what_cannot_be_one_transaction_is_refused_before_anything_is_sent(
    client: Any, texts: list[str], message: str
) -> None:
    with pytest.raises(InvalidOperation, match=message):
        client.transact_execute([Statement(text) for text in texts])


@pytest.mark.parametrize("token", ["", "x" * 37, 5])
def test_a_token_of_statements_that_cannot_be_is_refused(client: Any, token: Any) -> None:
    with pytest.raises(InvalidOption, match="token="):
        client.transact_execute([Statement("DELETE FROM t")], token=token)


def test_a_token_for_reading_statements_is_refused(client: Any) -> None:
    with pytest.raises(InvalidOperation, match="token= is for writes"):
        client.transact_execute([Statement("SELECT * FROM t")], token="once")


def test_an_item_of_a_transaction_that_the_model_refuses_is_told_with_its_place_and_key(client: Any, bare: Any) -> None:
    bare.put(User(org="a", id=1))
    client.table(Stranger, name=bare.name).put(Stranger(org="a", id=2, age="old"))

    with pytest.raises(InvalidItem) as caught:
        client.transact_execute([one(bare.name, "a", number, model=User) for number in (1, 2)])

    assert caught.value.errors()[0]["loc"] == (1, "age")
    assert caught.value.key == ("a", 2)
