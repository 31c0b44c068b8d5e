"""Operations carried out side by side on a server that misbehaves, and what is to be said of their outcomes."""

from __future__ import annotations

import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from oxidyn import AsyncClient, BatchIncomplete, Client, ConnectError, OxidynError
from tests.engines import Blocking, Colour
from tests.faults.cases import CASES, STORED, Case, Thing
from tests.faults.client import options
from tests.faults.faults import Fault
from tests.faults.server import Exchange, MisbehavingServer, well

ATTEMPTS = 2
CLIENTS = 4
"""Over which the cases are spread: a client's budget of retries is not for all of them failing at once."""


@dataclass(frozen=True)
class Outcome:
    """What came of one operation."""

    result: Any
    error: BaseException | None
    before: list[str] | None
    after: list[str] | None
    exchanges: list[Exchange]


def set_up(server: MisbehavingServer, cases: list[Case] = CASES) -> None:
    """Make the tables of the cases with what is stored there, and forget that it was asked for."""
    behave, server.behave = server.behave, well
    with Client(**options(server.url)) as client:
        for case in cases:
            if case.has_table:
                table = client.table(Thing, name=case.table)
                table.create_table()
                table.batch_put(STORED)
    server.forget()
    server.behave = behave


def run(
    server: MisbehavingServer, cases: list[Case], colour: Colour, workers: ThreadPoolExecutor, **more: Any
) -> dict[str, Outcome]:
    """Carry the cases out side by side, through a few clients that they share."""
    make = Client if colour == "sync" else AsyncClient
    clients = [make(**options(server.url, **{"max_attempts": ATTEMPTS, **more})) for _ in range(CLIENTS)]

    def carry_out(case: Case) -> Outcome:
        return attempt(server, case, clients[CASES.index(case) % CLIENTS])

    outcomes = dict(zip((case.name for case in cases), workers.map(carry_out, cases), strict=True))
    for client in clients:
        client._core.close()
    return outcomes


def attempt(server: MisbehavingServer, case: Case, shared: Client | AsyncClient) -> Outcome:
    """Carry one case out; an `AsyncClient` is awaited on a loop of its own."""
    before = server.store.items(case.table)
    client: Any = shared
    if isinstance(shared, AsyncClient):
        client = Blocking(shared, asyncio.new_event_loop(), owns_loop=True)
    result, error = None, None
    try:
        result = case.act(client, client.table(Thing, name=case.table))
    except Exception as raised:  # noqa: BLE001 (what it is, is judged later)
        error = raised
    finally:
        if client is not shared:
            client._loop.close()
    return Outcome(result, error, before, server.store.items(case.table), server.of_case(case.table))


@functools.cache
def right() -> dict[str, Outcome]:
    """What comes of each operation where nothing goes wrong."""
    with MisbehavingServer() as server, ThreadPoolExecutor(1) as workers:
        set_up(server)
        return run(server, CASES, "sync", workers)


def told(outcome: Outcome) -> OxidynError | None:
    """The error that an operation told: batches of statements tell it in their result."""
    if isinstance(outcome.result, list):
        return next((part for part in outcome.result if isinstance(part, OxidynError)), None)
    return outcome.error  # type: ignore[return-value]


def judge(case: Case, fault: Fault, outcome: Outcome, *, is_always: bool) -> str | None:
    """What is wrong with an outcome, if something is."""
    if fault.is_late and not case.is_repeated and isinstance(outcome.error, ConnectError):
        return None if outcome.error.ambiguous else f"a doubt that is not told: {outcome.error!r}"
    if not fault.errors or (not is_always and (case.is_repeated or not fault.is_in_doubt)):
        return judge_result(right()[case.name], outcome)
    return judge_error(case, fault, outcome)


def judge_result(expected: Outcome, outcome: Outcome) -> str | None:
    if (error := told(outcome)) is not None:
        return f"an error where a right result was due: {error!r}"
    if outcome.result != expected.result:
        return f"the wrong result {outcome.result!r}"
    if outcome.after != expected.after:
        return f"a right result over a wrong store: {outcome.after}"
    return None


def judge_error(case: Case, fault: Fault, outcome: Outcome) -> str | None:
    error = told(outcome)
    if error is None:
        return f"no error, but {outcome.result!r}"
    causes = error.errors if isinstance(error, BatchIncomplete) else (error,)
    if not all(isinstance(cause, fault.errors) for cause in causes):
        return f"an error of another type: {error!r}"
    in_doubt = any(getattr(cause, "ambiguous", False) for cause in causes)
    if in_doubt and not fault.is_in_doubt:
        return f"doubt where there is none: {error!r}"
    if outcome.after != outcome.before and not in_doubt and not isinstance(error, BatchIncomplete):
        return f"a write was made that the error denies: {error!r}"
    requests, least = len(outcome.exchanges), len(right()[case.name].exchanges)
    if not case.is_repeated and fault.is_in_doubt and requests > least:
        return f"what must not be done twice was asked for by {requests} requests instead of {least}"
    return None


def expect(outcomes: dict[str, Outcome], cases: list[Case], fault: Fault, *, is_always: bool) -> None:
    judged = {case.name: judge(case, fault, outcomes[case.name], is_always=is_always) for case in cases}
    wrong = [f"{name}: {reason}" for name, reason in judged.items() if reason is not None]
    assert not wrong, "\n".join(wrong)
