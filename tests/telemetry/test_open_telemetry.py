"""`OpenTelemetry`: spans and metrics as the SDK gets them, under the names of the database conventions."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from oxidyn import AsyncClient, CallRecord, ConsumedCapacity, ItemExists, Throttled
from oxidyn.telemetry import OpenTelemetry
from tests.fake_aws import Answer, FakeAws, refusal
from tests.telemetry.conftest import Note, fake_options

if TYPE_CHECKING:
    from tests.telemetry.conftest import Make


class Collected:
    """A hook whose spans and metrics are kept in memory."""

    def __init__(self, **options: Any) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        meter_provider = MeterProvider([self.reader])
        self.hook = OpenTelemetry(tracer_provider=self.tracer_provider, meter_provider=meter_provider, **options)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def points(self, name: str) -> list[Any]:
        data = self.reader.get_metrics_data()
        metrics = [
            metric for resource in data.resource_metrics for scope in resource.scope_metrics for metric in scope.metrics
        ]
        return [point for metric in metrics if metric.name == name for point in metric.data.data_points]


@pytest.fixture
def collected() -> Collected:
    return Collected()


def test_call_is_a_client_span_named_after_operation_and_table(
    of_fake: Make, fake: FakeAws, collected: Collected
) -> None:
    of_fake(on_call=collected.hook).table(Note).get("a", 1)

    (span,) = collected.spans
    assert (span.name, span.kind, span.status.status_code) == ("GetItem notes", SpanKind.CLIENT, StatusCode.UNSET)
    attributes = dict(span.attributes or {})
    assert attributes.pop("oxidyn.attempts") is not None
    assert attributes == {
        "db.system.name": "aws.dynamodb",
        "db.operation.name": "GetItem",
        "db.collection.name": "notes",
        "aws.dynamodb.table_names": ("notes",),
        "aws.request_id": "request-1",
        "oxidyn.requests": 1,
        "oxidyn.throttled": 0,
    }


def test_span_has_the_calls_own_start_and_duration(collected: Collected) -> None:
    collected.hook(CallRecord("GetItem", "notes", started=1000.5, duration=0.25))

    (span,) = collected.spans
    assert (span.start_time, span.end_time) == (1_000_500_000_000, 1_000_750_000_000)


def test_spans_are_children_of_the_span_of_the_task_that_called(fake: FakeAws, collected: Collected) -> None:
    tracer = collected.tracer_provider.get_tracer("test")

    async def handle(notes: Any, number: int) -> None:
        with tracer.start_as_current_span(f"request {number}"):
            await notes.get("a", number)
            await notes.get("a", number)

    async def main() -> None:
        async with AsyncClient(**fake_options(fake, on_call=collected.hook)) as client:
            await asyncio.gather(*(handle(client.table(Note), number) for number in range(10)))

    asyncio.run(main())

    requests = {span.context.span_id: span for span in collected.spans if span.name.startswith("request")}
    calls = [span for span in collected.spans if span.name == "GetItem notes"]
    parents = [span.parent.span_id for span in calls if span.parent is not None]
    assert sorted(parents) == sorted([*requests, *requests])
    assert all(span.context.trace_id == requests[span.parent.span_id].context.trace_id for span in calls if span.parent)


def test_failed_call_is_an_error_by_dynamodbs_code(of_fake: Make, fake: FakeAws, collected: Collected) -> None:
    notes = of_fake(on_call=collected.hook, max_attempts=1).table(Note)
    fake.answers = [refusal("ThrottlingException"), Answer(cut="before")]

    with pytest.raises(Throttled):
        notes.get("a", 1)
    with pytest.raises(Exception, match="connection"):
        notes.get("a", 1)

    throttled, lost = collected.spans
    assert throttled.status.status_code == lost.status.status_code == StatusCode.ERROR
    assert throttled.attributes is not None
    assert lost.attributes is not None
    assert throttled.attributes["error.type"] == "ThrottlingException"
    assert throttled.attributes["db.response.status_code"] == "ThrottlingException"
    assert lost.attributes["error.type"] == "ConnectError"
    assert "db.response.status_code" not in lost.attributes


def test_condition_that_did_not_hold_is_told_and_is_no_error(
    of_fake: Make, fake: FakeAws, collected: Collected
) -> None:
    notes = of_fake(on_call=collected.hook).table(Note)
    fake.answers = [refusal("ConditionalCheckFailedException")]

    with pytest.raises(ItemExists):
        notes.create(Note(owner="a", number=1))

    (span,) = collected.spans
    assert span.attributes is not None
    assert span.attributes["db.response.status_code"] == "ConditionalCheckFailedException"
    assert "error.type" not in span.attributes
    assert span.status.status_code == StatusCode.UNSET


def test_batch_tells_its_size_its_tables_and_their_capacity(collected: Collected) -> None:
    capacity = (
        ConsumedCapacity("notes", write_units=2.0),
        ConsumedCapacity("notes", "by_subject", write_units=1.0),
        ConsumedCapacity("others", write_units=0.5),
    )

    collected.hook(CallRecord("BatchWriteItem", entries=3, write_units=2.5, capacity=capacity, request_ids=("a", "b")))

    (span,) = collected.spans
    assert span.attributes is not None
    assert (span.name, span.attributes["db.operation.batch.size"]) == ("BatchWriteItem", 3)
    assert "db.collection.name" not in span.attributes
    assert span.attributes["aws.dynamodb.table_names"] == ("notes", "others")
    assert span.attributes["aws.request_id"] == "b"
    consumed = span.attributes["aws.dynamodb.consumed_capacity"]
    assert isinstance(consumed, tuple)
    assert [json.loads(str(table)) for table in consumed] == [
        {"TableName": "notes", "CapacityUnits": 2.0, "ReadCapacityUnits": 0.0, "WriteCapacityUnits": 2.0},
        {"TableName": "others", "CapacityUnits": 0.5, "ReadCapacityUnits": 0.0, "WriteCapacityUnits": 0.5},
    ]


def test_duration_is_a_histogram_with_the_buckets_of_the_conventions(collected: Collected) -> None:
    for duration in (0.002, 0.004, 2.0):
        collected.hook(CallRecord("GetItem", "notes", duration=duration))

    (point,) = collected.points("db.client.operation.duration")
    assert point.explicit_bounds == (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
    assert (point.count, point.sum) == (3, pytest.approx(2.006))
    assert dict(point.attributes) == {
        "db.system.name": "aws.dynamodb",
        "db.operation.name": "GetItem",
        "db.collection.name": "notes",
    }


def test_throttles_and_capacity_are_counted(collected: Collected) -> None:
    for _ in range(2):
        collected.hook(CallRecord("GetItem", "notes", throttled=2, read_units=0.5))

    (throttled,) = collected.points("oxidyn.throttled")
    (consumed,) = collected.points("oxidyn.consumed_capacity")
    assert (throttled.value, consumed.value) == (4, 1.0)
    assert consumed.attributes["oxidyn.capacity.type"] == "read"


def test_attributes_given_are_on_spans_and_metrics() -> None:
    collected = Collected(attributes={"cloud.region": "eu-central-1"})

    collected.hook(CallRecord("GetItem"))

    (span,) = collected.spans
    (point,) = collected.points("db.client.operation.duration")
    assert span.attributes is not None
    assert span.attributes["cloud.region"] == point.attributes["cloud.region"] == "eu-central-1"


def test_span_that_is_not_sampled_is_not_described() -> None:
    hook = OpenTelemetry(tracer_provider=TracerProvider(sampler=ALWAYS_OFF))

    hook(CallRecord("GetItem", "notes", request_ids=("a",)))


def test_missing_package_is_told_by_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)

    with pytest.raises(ModuleNotFoundError, match=r"pip install 'oxidyn\[opentelemetry\]'"):
        OpenTelemetry()


def test_hook_without_an_sdk_does_nothing(of_fake: Make) -> None:
    assert of_fake(on_call=OpenTelemetry()).table(Note).get("a", 1) is None
