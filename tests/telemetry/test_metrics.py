"""`client.metrics()`: sums that are right, a snapshot that stays as it is."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from oxidyn import ConditionFailed, InvalidOption, Metrics, OperationMetrics
from tests.fake_aws import Answer, FakeAws, refusal
from tests.telemetry.conftest import Note, fake_options

if TYPE_CHECKING:
    from tests.telemetry.conftest import Make


def test_metrics_are_kept_for_each_operation_on_each_table_and_in_total(make: Make, notes_of: Any) -> None:
    client = make(metrics=True, capacity="total")
    notes = notes_of(client)
    notes.put(Note(owner="a", number=1))
    notes.put(Note(owner="a", number=2))
    notes.get("a", 1)
    client.transact(notes.ops.get("a", 1))

    metrics = client.metrics()

    puts = metrics.operations["PutItem", notes.name]
    assert (puts.calls, puts.requests, puts.failed, puts.write_units) == (2, 2, 0, 2.0)
    assert metrics.of(operation="GetItem").read_units == 0.5
    assert metrics.of(table=notes.name) == metrics.total
    assert metrics.total.calls == sum(part.calls for part in metrics.operations.values())
    assert 0 < puts.duration <= metrics.total.duration
    assert puts.longest <= puts.duration


def test_client_that_keeps_no_metrics_says_how_to_have_them(make: Make) -> None:
    with pytest.raises(
        InvalidOption, match=r"^metrics\(\): this client keeps none; make it with \w*Client\(metrics=True\)"
    ):
        make().metrics()


def test_failed_calls_are_counted_by_what_they_raised(of_fake: Make, fake: FakeAws) -> None:
    client = of_fake(metrics=True, max_attempts=1)
    notes = client.table(Note)
    fake.answers = [refusal("ConditionalCheckFailedException")] * 2 + [refusal("ThrottlingException")]

    for _ in range(2):
        with pytest.raises(ConditionFailed):
            notes.put(Note(owner="a", number=1), where=Note.text == "x")
    with pytest.raises(Exception, match="throttles"):
        notes.get("a", 1)
    notes.get("a", 1)

    total = client.metrics().total
    assert (total.calls, total.failed) == (4, 3)
    assert total.errors == {"ConditionFailed": 2, "Throttled": 1}


def test_snapshot_does_not_change(of_fake: Make) -> None:
    client = of_fake(metrics=True)
    notes = client.table(Note)
    notes.get("a", 1)
    before = client.metrics()

    notes.get("a", 1)

    assert (before.total.calls, client.metrics().total.calls) == (1, 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        before.total = OperationMetrics()  # type: ignore[misc]


def test_snapshot_of_an_operation_can_be_told_as_json(of_fake: Make) -> None:
    client = of_fake(metrics=True)
    client.table(Note).get("a", 1)

    told = json.loads(json.dumps(dataclasses.asdict(client.metrics().total)))

    assert (told["calls"], told["errors"]) == (1, {})


def test_percentile_is_an_eighth_too_long_at_most() -> None:
    metrics = OperationMetrics(calls=100, longest=1.0, durations=((0.001, 50), (0.002, 49), (1.125, 1)))

    assert [metrics.percentile(percent) for percent in (1, 50, 51, 99, 99.5, 100)] == [
        0.001,
        0.001,
        0.002,
        0.002,
        1.0,
        1.0,
    ]
    assert OperationMetrics().percentile(99) == 0.0
    with pytest.raises(InvalidOption, match=r"^percentile\(0\): expected a percentage"):
        metrics.percentile(0)


def test_histogram_has_every_call(of_fake: Make) -> None:
    client = of_fake(metrics=True)
    notes = client.table(Note)
    for number in range(20):
        notes.get("a", number)

    total = client.metrics().total
    ends = [end for end, _ in total.durations]
    assert sum(count for _, count in total.durations) == 20
    assert ends == sorted(ends)
    assert 0 < total.percentile(50) <= total.percentile(100) == total.longest


def test_no_call_is_no_metrics(make: Make) -> None:
    assert make(metrics=True).metrics() == Metrics(total=OperationMetrics(), operations={})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is Unix's")
def test_forked_child_counts_from_nothing(fake: FakeAws) -> None:
    import subprocess

    program = """
import os, sys
from oxidyn import Client
from tests.telemetry.conftest import Note
options = eval(sys.argv[1])
client = Client(**options, metrics=True)
notes = client.table(Note)
notes.get("a", 1)
notes.get("a", 2)
child = os.fork()
if child == 0:
    notes.get("a", 3)
    os._exit(client.metrics().total.calls)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
assert client.metrics().total.calls == 2
"""
    subprocess.run([sys.executable, "-c", program, repr(fake_options(fake))], check=True, timeout=60)


def test_answer_of_a_throttled_batch_is_counted_with_all_its_requests(of_fake: Make, fake: FakeAws) -> None:
    client = of_fake(metrics=True)
    unprocessed = {
        "UnprocessedItems": {"notes": [{"PutRequest": {"Item": {"owner": {"S": "a"}, "number": {"N": "1"}}}}]}
    }
    fake.answers = [Answer(body=json.dumps(unprocessed).encode())]

    client.table(Note).batch_put([Note(owner="a", number=1), Note(owner="a", number=2)])

    batch = client.metrics().operations["BatchWriteItem", "notes"]
    assert (batch.calls, batch.requests) == (1, 2)
