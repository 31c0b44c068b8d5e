"""Every operation under every fault, sync and async: a right result or a typed error that says what is known.

The operations of one test run at the same time through a few clients, as an application's do: what one meets must not
reach another. A fault meets the first request of each, the last one, or all.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from oxidyn import Client, ParallelScan, Query, Selection, ServiceError, Table
from tests.engines import Colour
from tests.faults import cases as told_cases
from tests.faults.cases import CASES, Case
from tests.faults.faults import FAULTS, Fault
from tests.faults.judge import Outcome, expect, right, run, set_up, told
from tests.faults.server import End, Exchange, MisbehavingServer, Reply, Script, refusal, well


@pytest.fixture(scope="module")
def workers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(len(CASES)) as workers:
        yield workers


def faulty(
    behave: Callable[[Exchange], Script], cases: list[Case], colour: Colour, workers: ThreadPoolExecutor, **more: Any
) -> dict[str, Outcome]:
    with MisbehavingServer(behave) as server:
        set_up(server, cases)
        return run(server, cases, colour, workers, **more)


def tries(fault: Fault) -> dict[str, int]:
    """Where connections die behind their replies, several tries in a row may meet dying ones of the pool."""
    return {"max_attempts": 5} if fault.is_late else {}


QUICK = [fault for fault in FAULTS if not fault.is_slow]
SLOW = [fault for fault in FAULTS if fault.is_slow]
DEADLINES = {"connect_timeout": 0.4, "read_timeout": 0.4}


def test_every_public_operation_is_among_the_cases() -> None:
    sends_nothing = {
        "close",
        "cursor",
        "explain",
        "hot_partitions",
        "local",
        "metrics",
        "model",
        "name",
        "ops",
        "progress",
        "select",
        "table",
    }
    kinds = (Client, Table, Selection, Query, ParallelScan)
    public = {name for kind in kinds for name in dir(kind) if not name.startswith("_")} - sends_nothing

    source = inspect.getsource(told_cases)

    assert {name for name in public if f".{name}(" not in source} == set()


def test_every_operation_is_right_where_nothing_goes_wrong() -> None:
    assert {name: told(outcome) for name, outcome in right().items()} == dict.fromkeys(right())


@pytest.mark.parametrize("fault", QUICK, ids=str)
def test_a_fault_of_the_first_request(fault: Fault, colour: Colour, workers: ThreadPoolExecutor) -> None:
    def behave(exchange: Exchange) -> Script:
        return fault.script(exchange) if exchange.number == 0 else well(exchange)

    outcomes = faulty(behave, CASES, colour, workers, **tries(fault))

    expect(outcomes, CASES, fault, is_always=False)


@pytest.mark.parametrize("fault", QUICK, ids=str)
def test_a_fault_of_the_last_request(fault: Fault, colour: Colour, workers: ThreadPoolExecutor) -> None:
    cases = [case for case in CASES if len(right()[case.name].exchanges) > 1]
    last = {case.table: len(right()[case.name].exchanges) - 1 for case in cases}

    def behave(exchange: Exchange) -> Script:
        return fault.script(exchange) if exchange.number == last[exchange.case] else well(exchange)

    outcomes = faulty(behave, cases, colour, workers, **tries(fault))

    expect(outcomes, cases, fault, is_always=False)


@pytest.mark.parametrize("fault", QUICK, ids=str)
def test_a_fault_of_every_request(fault: Fault, colour: Colour, workers: ThreadPoolExecutor) -> None:
    # What has patience with a throttled table is told in tests/ops/test_batch_incomplete.py, without its waits.
    cases = [case for case in CASES if fault.is_in_doubt or not case.has_patience]

    outcomes = faulty(fault.script, cases, colour, workers, **tries(fault))

    expect(outcomes, cases, fault, is_always=True)


REFUSALS = [refusal("ThrottlingException"), refusal("InternalServerError", 500), refusal("AccessDeniedException")]


@pytest.mark.parametrize("refused", REFUSALS, ids=lambda reply: reply.code)
def test_what_a_lost_answer_left_in_doubt_stays_so_whatever_comes_after_it(
    refused: Reply, colour: Colour, workers: ThreadPoolExecutor
) -> None:
    # Of several requests one may be refused that never was in doubt.
    alone = [case for case in CASES if len(right()[case.name].exchanges) == 1]
    cases = [case for case in alone if case.is_repeated and not case.has_patience]

    def behave(exchange: Exchange) -> Script:
        return [End.CLOSE] if exchange.number == 0 and exchange.serve() else [refused.wire]

    outcomes = faulty(behave, cases, colour, workers)

    for case in cases:
        error = told(outcomes[case.name])
        assert isinstance(error, ServiceError), case.name
        assert error.ambiguous, case.name


@pytest.mark.parametrize("fault", SLOW, ids=str)
def test_a_deadline_ends_what_never_ends(fault: Fault, colour: Colour, workers: ThreadPoolExecutor) -> None:
    def behave(exchange: Exchange) -> Script:
        return fault.script(exchange) if exchange.number == 0 else well(exchange)

    outcomes = faulty(behave, CASES, colour, workers, **DEADLINES)

    expect(outcomes, CASES, fault, is_always=False)
