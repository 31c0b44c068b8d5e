"""`OpenTelemetry`: spans and metrics by the conventions for databases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from .answers import ANSWERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider
    from opentelemetry.util.types import AttributeValue

    from oxidyn._core import CallRecord

__all__ = ["OpenTelemetry"]

_SYSTEM: Final = {"db.system.name": "aws.dynamodb"}
_SCOPE: Final = "oxidyn"
_BUCKETS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
"""What the conventions advise, in seconds."""
_NANOSECONDS: Final = 1_000_000_000


class OpenTelemetry:
    """Give each call a client span, and count it, by OpenTelemetry's conventions for databases.

    A span is the child of the caller's current one, has the call's own start and end, and is named after operation and
    table: `PutItem users`. The metric is `db.client.operation.duration`; beside it `oxidyn.throttled` counts throttled
    tries and `oxidyn.consumed_capacity` capacity units. A condition that did not hold is told by its
    `db.response.status_code`, but is no error.

    `attributes` go with all of them, such as `{"cloud.region": "eu-central-1"}`. Without providers the global ones are
    used. It needs the package opentelemetry-api, and an SDK that the program sets up, as ever.
    """

    __slots__ = ("_attributes", "_capacity", "_client_kind", "_duration", "_error", "_throttled", "_tracer")

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
    ) -> None:
        try:
            from opentelemetry import metrics, trace
        except ModuleNotFoundError as error:
            message = "OpenTelemetry() needs the package opentelemetry-api: pip install 'oxidyn[opentelemetry]'."
            raise ModuleNotFoundError(message, name=error.name) from error
        self._attributes = {**_SYSTEM, **(attributes or {})}
        self._client_kind = trace.SpanKind.CLIENT
        self._error = trace.StatusCode.ERROR
        self._tracer = trace.get_tracer(_SCOPE, tracer_provider=tracer_provider)
        meter = metrics.get_meter(_SCOPE, meter_provider=meter_provider)
        self._duration = meter.create_histogram(
            "db.client.operation.duration",
            unit="s",
            description="Duration of database client operations.",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )
        self._throttled = meter.create_counter(
            "oxidyn.throttled", unit="{attempt}", description="Tries that were refused because too much was asked."
        )
        self._capacity = meter.create_counter(
            "oxidyn.consumed_capacity", unit="{unit}", description="Capacity units that calls consumed."
        )

    def __call__(self, call: CallRecord) -> None:
        """Make the span of a call, and count it."""
        attributes = self._attributes | _of_both(call)
        self._duration.record(call.duration, attributes)
        if call.throttled:
            self._throttled.add(call.throttled, attributes)
        for kind, units in (("read", call.read_units), ("write", call.write_units)):
            if units:
                self._capacity.add(units, attributes | {"oxidyn.capacity.type": kind})
        start = int(call.started * _NANOSECONDS)
        span = self._tracer.start_span(
            call.operation if call.table is None else f"{call.operation} {call.table}",
            kind=self._client_kind,
            attributes=attributes,
            start_time=start,
        )
        if span.is_recording():
            span.set_attributes(_of_span(call))
            if "error.type" in attributes:
                span.set_status(self._error, call.error)
        span.end(start + int(call.duration * _NANOSECONDS))


def _of_both(call: CallRecord) -> dict[str, AttributeValue]:
    """What spans and metrics have: few values each."""
    attributes: dict[str, AttributeValue] = {"db.operation.name": call.operation}
    if call.table is not None:
        attributes["db.collection.name"] = call.table
    if call.code is not None:
        attributes["db.response.status_code"] = call.code
    if call.error is not None and call.error not in ANSWERS:
        attributes["error.type"] = call.code or call.error
    return attributes


def _of_span(call: CallRecord) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {
        "oxidyn.requests": call.requests,
        "oxidyn.attempts": call.attempts,
        "oxidyn.throttled": call.throttled,
    }
    if call.entries is not None and call.entries > 1:
        attributes["db.operation.batch.size"] = call.entries
    tables = [capacity.table for capacity in call.capacity if capacity.index is None]
    if tables or call.table is not None:
        attributes["aws.dynamodb.table_names"] = tables or [str(call.table)]
    if call.request_ids:
        attributes["aws.request_id"] = call.request_ids[-1]
    if call.capacity:
        attributes["aws.dynamodb.consumed_capacity"] = _consumed(call)
    return attributes


def _consumed(call: CallRecord) -> list[str]:
    """The total of each table, in DynamoDB's own form."""
    return [
        json.dumps(
            {
                "TableName": capacity.table,
                "CapacityUnits": capacity.read_units + capacity.write_units,
                "ReadCapacityUnits": capacity.read_units,
                "WriteCapacityUnits": capacity.write_units,
            }
        )
        for capacity in call.capacity
        if capacity.index is None
    ]
