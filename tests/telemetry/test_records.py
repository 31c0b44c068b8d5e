"""What the record of a call says: its requests, tries, bytes, capacity, ids, time and end."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from oxidyn import (
    CallRecord,
    Client,
    ClientClosed,
    ConditionFailed,
    ConsumedCapacity,
    InvalidItem,
    InvalidOption,
    RateLimit,
    Statement,
    Throttled,
    attr,
)
from tests.fake_aws import Answer, FakeAws, refusal
from tests.telemetry.conftest import Note, fake_options

if TYPE_CHECKING:
    from tests.telemetry.conftest import Make


def test_every_call_is_told_once_when_it_ends(make: Make, notes_of: Any, records: list[CallRecord]) -> None:
    client = make(on_call=records.append)
    notes = notes_of(client)
    records.clear()

    notes.put(Note(owner="a", number=1))
    notes.get("a", 1)
    notes.update(("a", 1), attr(Note.text).set("x"))
    list(notes.query(Note.owner == "a"))
    list(notes.scan())
    notes.scan().count()
    notes.query(Note.owner == "a").page(5)
    notes.batch_put([Note(owner="b", number=n) for n in range(30)])
    notes.batch_get([("b", 1), ("b", 2)])
    client.transact(notes.ops.put(Note(owner="c", number=1)), notes.ops.delete("b", 3))
    client.transact(notes.ops.get("c", 1))
    notes.delete("a", 1)

    assert [(record.operation, record.table, record.entries) for record in records] == [
        ("PutItem", notes.name, None),
        ("GetItem", notes.name, None),
        ("UpdateItem", notes.name, None),
        ("Query", notes.name, None),
        ("Scan", notes.name, None),
        ("Scan", notes.name, None),
        ("Query", notes.name, None),
        ("BatchWriteItem", notes.name, 30),
        ("BatchGetItem", notes.name, 2),
        ("TransactWriteItems", notes.name, 2),
        ("TransactGetItems", notes.name, 1),
        ("DeleteItem", notes.name, None),
    ]
    assert [record.requests for record in records] == [1] * 7 + [2] + [1] * 4
    assert all(record.error is None for record in records)


def test_each_page_of_an_iteration_is_a_call(make: Make, notes_of: Any, records: list[CallRecord]) -> None:
    notes = notes_of(make(on_call=records.append))
    notes.batch_put([Note(owner="a", number=n) for n in range(5)])
    records.clear()

    assert len(list(notes.query(Note.owner == "a", page_size=2))) == 5

    assert [record.operation for record in records] == ["Query"] * 3


def test_every_segment_of_a_parallel_scan_is_told(make: Make, notes_of: Any, records: list[CallRecord]) -> None:
    notes = notes_of(make(on_call=records.append))
    notes.batch_put([Note(owner=f"{n}", number=n) for n in range(8)])
    records.clear()

    assert len(list(notes.parallel_scan(segments=3))) == 8

    assert len(records) >= 3
    assert {(record.operation, record.table, record.requests) for record in records} == {("Scan", notes.name, 1)}


def test_statement_is_told_with_its_table(make: Make, notes_of: Any, records: list[CallRecord]) -> None:
    client = make(on_call=records.append)
    notes = notes_of(client)
    records.clear()

    client.execute(Statement(f'SELECT * FROM "{notes.name}" WHERE owner = ?', "a", model=Note))

    assert [(record.operation, record.table) for record in records] == [("ExecuteStatement", notes.name)]


def test_record_has_the_request_ids_of_all_its_requests(
    of_fake: Make, fake: FakeAws, records: list[CallRecord]
) -> None:
    notes = of_fake(on_call=records.append).table(Note)

    notes.get("a", 1)
    notes.batch_put([Note(owner="a", number=n) for n in range(26)], concurrency=1)

    assert [record.request_ids for record in records] == [("request-1",), ("request-2", "request-3")]


def test_record_of_a_failed_call_names_the_exception_and_dynamodbs_code(
    of_fake: Make, fake: FakeAws, records: list[CallRecord]
) -> None:
    notes = of_fake(on_call=records.append, max_attempts=1).table(Note)
    fake.answers = [
        refusal("ConditionalCheckFailedException"),
        refusal("ThrottlingException"),
        Answer(body=json.dumps({"Item": {"owner": {"S": "a"}, "number": {"S": "no number"}}}).encode()),
    ]

    with pytest.raises(ConditionFailed):
        notes.put(Note(owner="a", number=1), where=Note.text == "x")
    with pytest.raises(Throttled):
        notes.get("a", 1)
    with pytest.raises(InvalidItem):
        notes.get("a", 1)

    assert [(record.error, record.code) for record in records] == [
        ("ConditionFailed", "ConditionalCheckFailedException"),
        ("Throttled", "ThrottlingException"),
        ("InvalidItem", None),
    ]
    assert [record.request_ids for record in records] == [("request-1",), ("request-2",), ("request-3",)]


def test_call_that_cannot_be_made_is_told_and_one_that_sends_nothing_is_not(
    fake: FakeAws, records: list[CallRecord]
) -> None:
    client = Client(**fake_options(fake, on_call=records.append))
    notes = client.table(Note)

    notes.batch_put([])
    assert records == []
    client.close()
    with pytest.raises(ClientClosed):
        notes.get("a", 1)

    assert [(record.operation, record.requests, record.error) for record in records] == [("GetItem", 0, "ClientClosed")]


def test_duration_and_start_are_those_of_the_call(of_fake: Make, fake: FakeAws, records: list[CallRecord]) -> None:
    notes = of_fake(on_call=records.append).table(Note)

    before = time.time()
    notes.get("a", 1)
    after = time.time()

    (record,) = records
    assert before - 1e-3 <= record.started <= after
    assert 0 < record.duration <= after - before + 1e-3


def test_capacity_is_asked_for_only_on_request(of_fake: Make, fake: FakeAws, records: list[CallRecord]) -> None:
    of_fake(on_call=records.append).table(Note).get("a", 1)
    of_fake(on_call=records.append, capacity="total").table(Note).get("a", 1)
    of_fake(on_call=records.append, capacity="indexes").table(Note).get("a", 1)
    # Nobody would be told.
    of_fake(capacity="total").table(Note).get("a", 1)

    asked = [json.loads(request.body).get("ReturnConsumedCapacity") for request in fake.dynamodb]
    assert asked == [None, "TOTAL", "INDEXES", None]
    assert [record.read_units for record in records] == [None, None, None]


def test_table_operation_asks_for_no_capacity(of_fake: Make, fake: FakeAws, records: list[CallRecord]) -> None:
    fake.answers = [Answer(body=b'{"Table":{"TableStatus":"ACTIVE"}}')]

    of_fake(on_call=records.append, capacity="total").table(Note).describe_table()

    assert "ReturnConsumedCapacity" not in json.loads(fake.dynamodb[0].body)


def test_consumed_capacity_is_told_for_reads_and_writes(make: Make, notes_of: Any, records: list[CallRecord]) -> None:
    notes = notes_of(make(on_call=records.append, capacity="total"))
    records.clear()

    notes.put(Note(owner="a", number=1))
    notes.get("a", 1)
    notes.batch_put([Note(owner="b", number=n) for n in range(26)])

    put, get, batch = records
    assert (put.read_units, put.write_units) == (None, 1.0)
    assert (get.read_units, get.write_units) == (0.5, None)
    assert batch.write_units is not None
    assert put.capacity == (ConsumedCapacity(notes.name, write_units=1.0),)
    assert get.capacity == (ConsumedCapacity(notes.name, read_units=0.5),)


def test_capacity_of_statements_is_read_or_write_by_what_they_do(
    of_fake: Make, fake: FakeAws, records: list[CallRecord]
) -> None:
    client = of_fake(on_call=records.append, capacity="total")
    told = {"Items": [], "ConsumedCapacity": {"TableName": "notes", "CapacityUnits": 2.5}}
    fake.answers = [Answer(body=json.dumps(told).encode()) for _ in range(2)]

    client.execute(Statement("SELECT * FROM notes WHERE owner = ?", "a", model=Note))
    client.execute(Statement("DELETE FROM notes WHERE owner = ? AND number = ?", "a", 1, model=Note))

    assert [(record.read_units, record.write_units) for record in records] == [(2.5, None), (None, 2.5)]


def test_capacity_of_indexes_is_told_beside_the_tables_total(
    of_fake: Make, fake: FakeAws, records: list[CallRecord]
) -> None:
    notes = of_fake(on_call=records.append, capacity="indexes").table(Note)
    told = {
        "TableName": "notes",
        "CapacityUnits": 3.0,
        "Table": {"CapacityUnits": 1.0},
        "GlobalSecondaryIndexes": {"by_subject": {"CapacityUnits": 2.0}},
        "LocalSecondaryIndexes": None,
    }
    fake.answers = [Answer(body=json.dumps({"ConsumedCapacity": told}).encode())]

    notes.put(Note(owner="a", number=1, subject="s"))

    (record,) = records
    assert record.write_units == 3.0
    assert record.capacity == (
        ConsumedCapacity("notes", write_units=3.0),
        ConsumedCapacity("notes", "by_subject", write_units=2.0),
    )


def test_capacity_of_several_requests_is_summed_table_by_table(
    of_fake: Make, fake: FakeAws, records: list[CallRecord]
) -> None:
    client = of_fake(on_call=records.append, capacity="total")
    notes, others = client.table(Note), client.table(Note, name="others")
    told = [{"TableName": "notes", "CapacityUnits": 1.0}, {"TableName": "others", "CapacityUnits": 0.5}]
    fake.answers = [Answer(body=json.dumps({"ConsumedCapacity": told}).encode()) for _ in range(2)]
    writes = [notes.ops.put(Note(owner="a", number=n)) for n in range(25)]

    client.batch_write([*writes, others.ops.delete("a", 1)])

    (record,) = records
    assert (record.table, record.entries, record.requests, record.write_units) == (None, 26, 2, 3.0)
    assert set(map(repr, record.capacity)) == {
        'ConsumedCapacity("notes", read_units=0, write_units=2)',
        'ConsumedCapacity("others", read_units=0, write_units=1)',
    }


def test_rate_limit_and_capacity_ask_once(of_fake: Make, fake: FakeAws, records: list[CallRecord]) -> None:
    notes = of_fake(on_call=records.append, capacity="indexes").table(Note, rate_limit=RateLimit(read=100))

    notes.get("a", 1)

    assert fake.dynamodb[0].body.count(b"ReturnConsumedCapacity") == 1


def test_record_is_frozen_and_shows_neither_keys_nor_values(
    of_fake: Make, fake: FakeAws, records: list[CallRecord]
) -> None:
    of_fake(on_call=records.append).table(Note).put(Note(owner="the owner", number=7777, text="the text"))

    (record,) = records
    with pytest.raises(AttributeError):
        record.operation = "GetItem"  # type: ignore[misc]
    assert repr(record).startswith('CallRecord("PutItem", "notes", duration=')
    assert not any(secret in repr(record) for secret in ("the owner", "7777", "the text", "KEY", "secret"))


def test_record_can_be_made_to_try_a_hook_with() -> None:
    record = CallRecord("GetItem", "users", duration=0.25, error="Throttled", request_ids=("id",))

    assert (record.operation, record.table, record.duration, record.error) == ("GetItem", "users", 0.25, "Throttled")
    assert (record.requests, record.attempts, record.capacity, record.request_ids) == (1, 1, (), ("id",))


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"on_call": "print"}, "^on_call: expected a function that takes a CallRecord, or a list of such, found str"),
        ({"on_call": 7}, "^on_call: expected a function that takes a CallRecord, or a list of such, found int"),
        ({"capacity": "all"}, '^capacity: expected "total" or "indexes", found \'all\''),
        ({"metrics": "yes"}, "^metrics: expected True or False, found str"),
    ],
)
def test_option_that_cannot_be_is_refused(option: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOption, match=message):
        Client(**option)
    with pytest.raises(InvalidOption, match=message):
        Client.local(**option)


def test_async_hook_is_refused_for_nobody_would_await_it() -> None:
    async def hook(record: CallRecord) -> None: ...

    class Hook:
        async def __call__(self, record: CallRecord) -> None: ...

    for refused in (hook, Hook(), [print, hook]):
        with pytest.raises(InvalidOption, match="^on_call: expected a plain function, found an async one"):
            Client(on_call=refused)
