"""`LogCalls`: what is logged, at which level, and what never is."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from oxidyn import CallRecord, ConditionFailed, Throttled
from oxidyn.telemetry import LogCalls
from tests.fake_aws import FakeAws, refusal
from tests.telemetry.conftest import Note

if TYPE_CHECKING:
    from tests.telemetry.conftest import Make


def test_nothing_is_logged_unless_it_is_asked_for(
    of_fake: Make, fake: FakeAws, caplog: pytest.LogCaptureFixture
) -> None:
    notes = of_fake(max_attempts=1).table(Note)
    fake.answers = [refusal("ThrottlingException")]

    with caplog.at_level(logging.DEBUG), pytest.raises(Throttled):
        notes.get("a", 1)
    with caplog.at_level(logging.DEBUG):
        notes.get("a", 1)

    assert [record for record in caplog.records if record.name.startswith("oxidyn")] == []


def test_call_is_logged_as_debug_with_the_fields_of_its_record(of_fake: Make, caplog: pytest.LogCaptureFixture) -> None:
    notes = of_fake(on_call=LogCalls()).table(Note)

    with caplog.at_level(logging.DEBUG, logger="oxidyn"):
        notes.get("a", 1)

    (record,) = caplog.records
    assert (record.name, record.levelname) == ("oxidyn", "DEBUG")
    assert record.getMessage().startswith('GetItem "notes": ')
    assert record.getMessage().endswith("request id request-1")
    assert (vars(record)["operation"], vars(record)["table"]) == ("GetItem", "notes")
    assert vars(record)["request_ids"] == ("request-1",)


@pytest.mark.parametrize(
    ("call", "level"),
    [
        (CallRecord("GetItem"), "DEBUG"),
        (CallRecord("PutItem", error="ConditionFailed", code="ConditionalCheckFailedException"), "DEBUG"),
        (CallRecord("PutItem", error="ItemExists"), "DEBUG"),
        (CallRecord("GetItem", error="Throttled", code="ThrottlingException"), "WARNING"),
        (CallRecord("GetItem", attempts=2), "WARNING"),
        (CallRecord("GetItem", attempts=2, throttled=1), "WARNING"),
        (CallRecord("BatchGetItem", requests=3, attempts=3), "DEBUG"),
        (CallRecord("GetItem", duration=0.2), "WARNING"),
    ],
)
def test_what_somebody_should_look_at_is_a_warning(
    call: CallRecord, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="oxidyn"):
        LogCalls(slow=0.2)(call)

    assert [record.levelname for record in caplog.records] == [level]


def test_log_has_neither_keys_nor_values_nor_secrets(
    of_fake: Make, fake: FakeAws, caplog: pytest.LogCaptureFixture
) -> None:
    notes = of_fake(on_call=LogCalls()).table(Note)
    fake.answers = [refusal("ConditionalCheckFailedException")]

    with caplog.at_level(logging.DEBUG), pytest.raises(ConditionFailed):
        notes.put(Note(owner="the owner", number=7777, text="the text"), where=Note.text == "the condition")

    logged = "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "ConditionFailed" in logged
    for secret in ("the owner", "7777", "the text", "the condition", "KEY", "secret"):
        assert secret not in logged


def test_another_logger_may_be_given(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        LogCalls(logger=logging.getLogger("orders.database"))(CallRecord("GetItem"))

    assert [record.name for record in caplog.records] == ["orders.database"]


def test_import_of_oxidyn_imports_neither_logging_nor_opentelemetry() -> None:
    program = (
        "import pydantic, sys; before = set(sys.modules); from oxidyn import Client; print(*set(sys.modules) - before)"
    )

    brought = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert not {name for name in brought.stdout.split() if name.partition(".")[0] in {"logging", "opentelemetry"}}
