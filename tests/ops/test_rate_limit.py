"""Rate limits: what asks for its consumption, what waits for it, and what a waiting call holds up."""

from __future__ import annotations

import asyncio
import json
import math
import os
import subprocess
import sys
from typing import Any

import pytest

from oxidyn import AsyncClient, Client, ConditionFailed, InvalidOption, RateLimit, _core, attr
from tests.engines import MotoServer
from tests.ops.models import Counter, User

# So little that whoever comes after any call has to wait.
TRICKLE = 0.01


def told(**rates: float) -> RateLimit:
    """A limit whose clock stands until somebody waits, and then is there at once."""
    limit = RateLimit(**rates)
    object.__setattr__(limit, "_core", _core.RateLimit(limit.read, limit.write, told_clock=True))
    return limit


def waited(limit: RateLimit) -> float:
    core: Any = limit._core
    return sum(core._waits())


@pytest.fixture
def limit() -> RateLimit:
    return told(read=TRICKLE, write=TRICKLE)


@pytest.fixture
def limited(client: Any, users: Any, limit: RateLimit) -> Any:
    """The users' table behind the limit, with two items in it."""
    users.batch_put([User(org="a", id=1), User(org="a", id=2)])
    return client.table(User, name=users.name, rate_limit=limit)


CALLS: dict[str, Any] = {
    "put": lambda users: users.put(User(org="a", id=3)),
    "create": lambda users: users.create(User(org="b", id=os.urandom(4)[0] + 10)),
    "update": lambda users: users.update(("a", 1), attr(User.age).add(1)),
    "delete": lambda users: users.delete("a", 9),
    "batch_put": lambda users: users.batch_put([User(org="a", id=n) for n in range(30)]),
    "batch_delete": lambda users: users.batch_delete([("a", 7)]),
    "get": lambda users: users.get("a", 1),
    "query": lambda users: list(users.query(User.org == "a")),
    "query on an index": lambda users: users.query(User.email == "x", index="by_email").count(),
    "scan": lambda users: list(users.scan()),
    "scan on several pages": lambda users: list(users.scan(page_size=1)),
    "count": lambda users: users.scan().count(),
    "batch_get": lambda users: users.batch_get([("a", 1), ("a", 5)]),
    "query for whole items": lambda users: list(users.query(User.nick == "n", index="by_nick", hydrate=True)),
    "selection": lambda users: list(users.select(User.id).query(User.org == "a")),
    "parallel_scan": lambda users: list(users.parallel_scan(segments=2)),
    "parallel count": lambda users: users.parallel_scan(segments=2).count(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_operation_on_items_waits_for_what_was_consumed_before(limited: Any, limit: RateLimit, call: Any) -> None:
    call(limited)
    before = waited(limit)
    call(limited)

    # Half a unit, the least that a call can consume, is earned in fifty seconds.
    assert waited(limit) - before > 0.4 / TRICKLE


def test_an_operation_as_a_value_is_limited_too(client: Any, limited: Any, limit: RateLimit) -> None:
    operation = limited.ops.get("a", 1)

    client.run(operation)
    client.run(operation)

    assert waited(limit) > 0


# Moto says half a unit of every read. DynamoDB: one unit for each 4 KB of a strongly consistent one.
@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
def test_what_a_call_consumed_is_learnt_from_its_reply(client: Any, users: Any) -> None:
    limit = told(read=10)
    users.put(User(org="a", id=1, note="x" * 390_000))
    limited = client.table(User, name=users.name, rate_limit=limit)

    limited.get("a", 1, consistent=True)
    assert waited(limit) == 0
    limited.get("a", 1, consistent=True)

    # 96 units for 390 KB, of which 10 were there.
    assert waited(limit) == pytest.approx(8.6, abs=0.3)


def test_table_operations_are_not_limited(client: Any, table_name: str, limit: RateLimit) -> None:
    counters = client.table(Counter, name=table_name, rate_limit=limit)

    counters.create_table()
    counters.wait_until_active()
    counters.describe_table()
    counters.delete_table()

    assert waited(limit) == 0


def test_reads_do_not_wait_for_writes(client: Any, users: Any) -> None:
    limit = told(write=TRICKLE)
    limited = client.table(User, name=users.name, rate_limit=limit)

    limited.put(User(org="a", id=1))
    for _ in range(3):
        limited.get("a", 1)

    assert waited(limit) == 0


def test_one_limit_is_shared_by_tables_and_clients(client: Any, users: Any, counters: Any, limit: RateLimit) -> None:
    with Client.local() as other:
        elsewhere = other.table(Counter, name="elsewhere", rate_limit=limit)
        elsewhere.create_table()
        client.table(User, name=users.name, rate_limit=limit).get("a", 1)
        first = waited(limit)
        client.table(Counter, name=counters.name, rate_limit=limit).get("x")
        second = waited(limit)
        elsewhere.get("x")
        third = waited(limit)

    assert 0 == first < second < third


def test_another_load_policy_stays_behind_the_limit(limited: Any, limit: RateLimit) -> None:
    limited.get("a", 1, load="trust")
    limited.get("a", 1, load="trust")

    assert waited(limit) > 0


SEVERAL: dict[str, Any] = {
    "batch_get": lambda client, users, counters: client.batch_get([users.ops.get("a", 1), counters.ops.get("x")]),
    "batch_write": lambda client, users, counters: client.batch_write(
        [users.ops.put(User(org="a", id=4)), counters.ops.put(Counter(name="y"))]
    ),
    "transact, reading": lambda client, users, counters: client.transact(users.ops.get("a", 1), counters.ops.get("x")),
    "transact, writing": lambda client, users, counters: client.transact(
        users.ops.put(User(org="a", id=5)), counters.ops.put(Counter(name="z"))
    ),
}


@pytest.mark.parametrize("call", SEVERAL.values(), ids=SEVERAL)
def test_an_operation_on_several_tables_waits_for_the_limit_of_each(
    client: Any, limited: Any, counters: Any, limit: RateLimit, call: Any
) -> None:
    other = told(read=TRICKLE, write=TRICKLE)
    counters.put(Counter(name="x"))
    limited_too = client.table(Counter, name=counters.name, rate_limit=other)

    call(client, limited, counters)
    call(client, limited, counters)
    assert waited(limit) > 0
    call(client, limited, limited_too)
    call(client, limited, limited_too)
    assert waited(other) > 0


# Moto says half a unit of every read. DynamoDB: a transaction's consume twice what consistent ones do.
@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
def test_each_table_of_an_operation_is_paid_from_its_own_limit(client: Any, users: Any, counters: Any) -> None:
    large, small = told(read=10), told(read=10)
    users.put(User(org="a", id=1, note="x" * 390_000))
    counters.put(Counter(name="x"))
    limited = client.table(User, name=users.name, rate_limit=large)
    limited_too = client.table(Counter, name=counters.name, rate_limit=small)

    for _ in range(2):
        client.transact(limited.ops.get("a", 1), limited_too.ops.get("x"))

    assert waited(large) == pytest.approx(18.2, abs=0.6)
    assert waited(small) == 0


def test_a_condition_that_fails_is_paid_like_a_write(limited: Any, limit: RateLimit) -> None:
    for _ in range(2):
        with pytest.raises(ConditionFailed):
            limited.put(User(org="a", id=1), where=User.age == 99)

    assert waited(limit) > 0


def test_without_a_limit_nothing_is_asked_on_the_wire(users: Any) -> None:
    operation, body = users.ops.get("a", 1).request()

    assert (operation, "ReturnConsumedCapacity" in json.loads(body)) == ("GetItem", False)


def test_a_request_shows_what_the_limit_adds_to_it(limited: Any, limit: RateLimit) -> None:
    _, body = limited.ops.put(User(org="a", id=1)).request()
    _, table = limited.ops.describe_table().request()

    assert json.loads(body)["ReturnConsumedCapacity"] == "TOTAL"
    assert "ReturnConsumedCapacity" not in json.loads(table)
    assert waited(limit) == 0


def open_async(engine: str, moto: MotoServer) -> AsyncClient:
    return AsyncClient.local() if engine == "embedded" else AsyncClient(**moto.client_options())


def test_a_waiting_call_does_not_hold_up_the_event_loop_and_can_be_cancelled(
    engine: str, moto_server: MotoServer, table_name: str
) -> None:
    async def main() -> None:
        async with open_async(engine, moto_server) as client:
            free = client.table(Counter, name=table_name)
            limited = client.table(Counter, name=table_name, rate_limit=RateLimit(read=1e-6, write=1e-6))
            await free.create_table()
            await limited.put(Counter(name="x"))
            await limited.get("x")

            waiting = [asyncio.ensure_future(limited.get("x")), asyncio.ensure_future(limited.put(Counter(name="y")))]
            for _ in range(3):
                assert await free.get("x") is not None
            assert not any(task.done() for task in waiting)
            for task in waiting:
                task.cancel()
            results = await asyncio.gather(*waiting, return_exceptions=True)

            assert all(isinstance(result, asyncio.CancelledError) for result in results)
            assert await free.get("y") is None

    asyncio.run(main())


INTERRUPTED = """
import signal, sys
from typing import Annotated
from oxidyn import Client, Model, PartitionKey, RateLimit
class Counter(Model, table=sys.argv[1]):
    name: Annotated[str, PartitionKey]
options = eval(sys.argv[2])
client = Client(**options) if options else Client.local()
client.table(Counter).create_table()
limited = client.table(Counter, rate_limit=RateLimit(read=1e-6))
limited.get("x")
# It rings while the next call waits for some days.
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    limited.get("x")
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are Unix's")
def test_a_signal_interrupts_a_waiting_call(engine: str, moto_server: MotoServer, table_name: str) -> None:
    options = moto_server.client_options() if engine == "moto" else {}

    process = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, table_name, repr(options)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (process.stdout, process.stderr) == ("interrupted\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are Unix's")
def test_a_forked_child_has_units_of_its_own(table_name: str) -> None:
    limit = told(read=TRICKLE)
    with Client.local() as client:
        limited = client.table(Counter, name=table_name, rate_limit=limit)
        limited.create_table()
        limited.get("x")

        child = os.fork()
        if child == 0:
            limited.get("x")
            os._exit(0 if waited(limit) == 0 else 1)

        assert os.waitpid(child, 0)[1] == 0


def test_a_limit_shows_its_rates_and_keeps_them() -> None:
    limit = RateLimit(read=100, write=2.5)

    assert repr(limit) == "RateLimit(read=100, write=2.5)"
    assert repr(RateLimit(read=10**12)) == "RateLimit(read=1e+12)"
    with pytest.raises(AttributeError):
        limit.read = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ({}, "expected read=, write= or both"),
        ({"read": 0}, "read: expected more than 0 capacity units per second, found 0"),
        ({"write": -1.5}, "write: expected more than 0 capacity units per second, found -1.5"),
        ({"read": math.nan}, "found nan"),
        ({"read": math.inf}, "found inf"),
        ({"read": 10**400}, "read: expected more than 0"),
        ({"write": "5"}, "write: expected capacity units per second as a number, found str"),
        ({"read": True}, "found bool"),
    ],
)
def test_a_rate_that_cannot_be_is_refused(rates: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidOption) as refused:
        RateLimit(**rates)

    assert words in str(refused.value)


def test_what_is_no_rate_limit_is_refused() -> None:
    with Client.local() as client, pytest.raises(InvalidOption, match=r"expected a RateLimit .* found int"):
        client.table(User, rate_limit=5)  # type: ignore[arg-type]
