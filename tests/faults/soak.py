"""Mixed operations at hundreds in flight on a server that fails every tenth request: `make soak`.

Each worker has a partition of its own and keeps account of what may be stored under each key: one value while every answer
is known, several after a write whose answer was lost. Whatever is read must be one of them, and so must what the server's
own store holds in the end. Half the workers of each process await, the others block; the server is a process of its own,
so that memory and descriptors are the client's.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oxidyn import (
    AsyncClient,
    BatchIncomplete,
    Client,
    ItemExists,
    ItemNotFound,
    OxidynError,
    Statement,
    TransactionCancelled,
    attr,
)
from tests.faults.cases import Thing
from tests.faults.client import options
from tests.faults.faults import FAULTS
from tests.faults.server import Exchange, MisbehavingServer, Script, well

TABLE = "case-soak"
KEYS = 40
"""Of each worker: few, so that neither the account nor the store grows with the length of the run."""
FAULTY = 0.1
SLOW = 0.002
"""Of the faulty requests: each waits for a deadline."""
DEADLINES = {"connect_timeout": 1.0, "read_timeout": 2.0}

Values = set["int | None"]
Steps = Generator[Any, Any, None]
"""Yields what is to be run, and is given its result or its error."""


class WrongError(AssertionError):
    """Something was lost, or made up."""


@dataclass
class Account:
    """What may be stored in one worker's partition."""

    org: str
    seed: int
    values: dict[int, Values] = field(default_factory=lambda: {key: {None} for key in range(KEYS)})
    outcomes: Counter[str] = field(default_factory=Counter)
    written: int = 0

    def expect(self, key: int, item: Thing | None) -> None:
        found = None if item is None else item.count
        if found not in self.values[key] or (item is not None and (item.org, item.id) != (self.org, key)):
            raise WrongError(f"{self.org}/{key}: found {item!r}, expected one of {self.values[key]}")
        self.values[key] = {found}

    def new(self, key: int) -> Thing:
        self.written += 1
        return Thing(org=self.org, id=key, count=1000 * self.written)

    def note(self, error: OxidynError | None) -> bool:
        """Count an outcome; whether it is in doubt."""
        causes = error.errors if isinstance(error, BatchIncomplete) else (error,)
        in_doubt = any(getattr(cause, "ambiguous", False) for cause in causes)
        self.outcomes["done" if error is None else "in doubt" if in_doubt else "not done"] += 1
        return in_doubt

    def wrote(self, key: int, value: int | None, error: OxidynError | None) -> None:
        if self.note(error):
            self.values[key].add(value)
        elif error is None:
            self.values[key] = {value}

    # ---- one operation each ----

    def steps(self, client: Any, operations: int) -> Steps:
        chance = random.Random(self.seed)
        table = client.table(Thing, name=TABLE)
        acts = (
            self.put, self.create, self.add, self.delete, self.get, self.query, self.count_all, self.batch_put,
            self.batch_get, self.transact, self.execute, self.select,
        )  # fmt: skip
        for _ in range(operations):
            act = chance.choice(acts)
            yield from act(client, table, chance.randrange(KEYS))

    def put(self, client: Any, table: Any, key: int) -> Steps:
        item = self.new(key)
        _, error = yield table.ops.put(item)
        self.wrote(key, item.count, error)

    def create(self, client: Any, table: Any, key: int) -> Steps:
        item = self.new(key)
        _, error = yield table.ops.create(item)
        if isinstance(error, ItemExists):
            if self.values[key] == {None}:
                raise WrongError(f"{self.org}/{key}: there is no item that create() could have met")
            self.values[key].discard(None)
            self.outcomes["refused"] += 1
        elif error is None and None not in self.values[key]:
            raise WrongError(f"{self.org}/{key}: created over {self.values[key]}")
        elif None in self.values[key]:
            self.wrote(key, item.count, error)

    def add(self, client: Any, table: Any, key: int) -> Steps:
        result, error = yield table.ops.update((self.org, key), attr(Thing.count).add(1), returning="new")
        added: Values = {value + 1 for value in self.values[key] if value is not None}
        if isinstance(error, ItemNotFound):
            self.expect(key, None)
            self.outcomes["refused"] += 1
        elif self.note(error):
            self.values[key] |= added
        elif error is None:
            self.values[key] = added
            self.expect(key, result)

    def delete(self, client: Any, table: Any, key: int) -> Steps:
        _, error = yield table.ops.delete(self.org, key)
        self.wrote(key, None, error)

    def get(self, client: Any, table: Any, key: int) -> Steps:
        item, error = yield table.ops.get(self.org, key, consistent=True)
        if not self.note(error) and error is None:
            self.expect(key, item)

    def query(self, client: Any, table: Any, key: int) -> Steps:
        items, error = yield table.query(Thing.org == self.org, consistent=True, page_size=15)
        if not self.note(error) and error is None:
            found = {item.id: item for item in items}
            for each in range(KEYS):
                self.expect(each, found.get(each))

    def count_all(self, client: Any, table: Any, key: int) -> Steps:
        _, error = yield table.query(Thing.org == self.org)._core.count()
        self.note(error)

    def batch_put(self, client: Any, table: Any, key: int) -> Steps:
        items = [self.new(each) for each in range(KEYS)]
        _, error = yield table.ops.batch_put(items, concurrency=1)
        in_doubt = self.note(error)
        left = {item.id for item in error.unprocessed} if isinstance(error, BatchIncomplete) else set(range(KEYS))
        for item in items:
            if error is None or (isinstance(error, BatchIncomplete) and item.id not in left):
                self.values[item.id] = {item.count}
            elif in_doubt:
                self.values[item.id].add(item.count)

    def batch_get(self, client: Any, table: Any, key: int) -> Steps:
        keys = [(self.org, each) for each in range(KEYS)]
        items, error = yield table.ops.batch_get(keys, consistent=True)
        if not self.note(error) and error is None:
            for each, item in enumerate(items):
                self.expect(each, item)

    def transact(self, client: Any, table: Any, key: int) -> Steps:
        other = (key + 1) % KEYS
        items = {key: self.new(key), other: self.new(other)}
        _, error = yield client.ops.transact(*(table.ops.put(item) for item in items.values()))
        if error is None:
            self.note(error)
            self.values.update({each: {item.count} for each, item in items.items()})
            return
        if isinstance(error, TransactionCancelled) or not self.note(error):
            return
        for each, item in items.items():
            self.values[each].add(item.count)
        while error is not None:
            found, error = yield table.ops.batch_get([(self.org, each) for each in items], consistent=True)
        made = [item is not None and item.count == items[each].count for each, item in zip(items, found, strict=True)]
        if made[0] != made[1]:
            raise WrongError(f"{self.org}/{key}: half of a transaction was made")
        for each, item in zip(items, found, strict=True):
            self.expect(each, item)

    def execute(self, client: Any, table: Any, key: int) -> Steps:
        text = f'SELECT * FROM "{TABLE}" WHERE org = ? AND id = ?'
        items, error = yield client.ops.execute(Statement(text, self.org, key, model=Thing), consistent=True)
        if not self.note(error) and error is None:
            self.expect(key, items[0] if items else None)

    def select(self, client: Any, table: Any, key: int) -> Steps:
        found, error = yield table.select(Thing.id, Thing.count).ops.get(self.org, key, consistent=True)
        if not self.note(error) and error is None:
            self.expect(key, None if found is None else Thing(org=self.org, id=found[0], count=found[1]))


def drive(client: Client, steps: Steps) -> None:
    answer: Any = None
    while True:
        try:
            what = steps.send(answer)
        except StopIteration:
            return
        try:
            answer = (list(what) if isinstance(what, Iterator) or hasattr(what, "page") else client.run(what), None)
        except OxidynError as error:
            answer = (None, error)


async def drive_awaited(client: AsyncClient, steps: Steps) -> None:
    answer: Any = None
    while True:
        try:
            what = steps.send(answer)
        except StopIteration:
            return
        try:
            result = [item async for item in what] if hasattr(what, "page") else await client.run(what)
            answer = (result, None)
        except OxidynError as error:
            answer = (None, error)


# ---- the server's process ----


def serve(seed: int) -> None:
    """Serve until a line comes, and tell what is stored."""
    chance = random.Random(seed)
    quick = [fault for fault in FAULTS if not fault.is_slow]
    slow = [fault for fault in FAULTS if fault.is_slow]

    def behave(exchange: Exchange) -> Script:
        if chance.random() >= FAULTY:
            return well(exchange)
        return chance.choice(slow if chance.random() < SLOW else quick).script(exchange)

    with MisbehavingServer() as server:
        server.keeps_log = False
        print(server.url, flush=True)
        for line in sys.stdin:
            if line == "misbehave\n":
                server.behave = behave
                print("ready", flush=True)
            else:
                server.behave = well
                print(json.dumps([server.requests, server.store.items(TABLE)]), flush=True)


@contextmanager
def server_process(seed: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.faults.soak", "--serve", "--seed", str(seed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


def ask(process: subprocess.Popen[str], line: str) -> str:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


# ---- the run ----


@dataclass(frozen=True)
class Resources:
    """What the process holds."""

    memory: int
    """Bytes that are in memory."""
    descriptors: int

    @staticmethod
    def now() -> Resources:
        gc.collect()
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * 4096
        return Resources(resident, len(list(Path("/proc/self/fd").iterdir())))


@dataclass(frozen=True)
class Report:
    """What came of a run."""

    operations: int
    requests: int
    outcomes: Counter[str]
    resources: list[Resources]
    """At the start, after each round, and when the clients were closed."""

    def __str__(self) -> str:
        rounds = [f"{at.memory / 1e6:.0f} MB, {at.descriptors} descriptors" for at in self.resources]
        return "\n".join(
            [
                f"{self.operations} operations in {self.requests} requests: {dict(self.outcomes)}",
                "every write accounted for against the server's store",
                *(f"  {label}: {held}" for label, held in zip(self._labels(), rounds, strict=True)),
            ]
        )

    def _labels(self) -> list[str]:
        return ["start", *(f"round {number}" for number in range(1, len(self.resources) - 1)), "closed"]


def soak(operations: int, in_flight: int, *, seed: int, rounds: int = 4) -> Report:
    """Run so many operations, half of them awaited; raises WrongError where one is not accounted for."""
    each = max(1, operations // (in_flight * rounds))
    accounts = [Account(f"worker-{number}", seed + number) for number in range(in_flight)]
    awaiting, blocking = accounts[::2], accounts[1::2]
    with server_process(seed) as process:
        assert process.stdout is not None
        given = options(process.stdout.readline().strip(), **DEADLINES, max_connections=in_flight)
        with Client(**given) as client:
            client.table(Thing, name=TABLE).create_table()
            resources = [Resources.now()]
            assert ask(process, "misbehave") == "ready"
            for number in range(rounds):
                _round(client, blocking, given, awaiting, each, number)
                resources.append(Resources.now())
        requests, stored = json.loads(ask(process, "tell"))
        assert process.stdin is not None
        process.stdin.close()
    resources.append(Resources.now())
    _settle(accounts, stored)
    outcomes: Counter[str] = Counter()
    for account in accounts:
        outcomes += account.outcomes
    return Report(each * in_flight * rounds, requests, outcomes, resources)


def _round(
    client: Client, blocking: list[Account], given: dict[str, Any], awaiting: list[Account], each: int, number: int
) -> None:
    failures: list[BaseException] = []

    def work(account: Account) -> None:
        try:
            account.seed += 1000 * number
            drive(client, account.steps(client, each))
        except BaseException as error:  # noqa: BLE001 (raised again by the one who waits)
            failures.append(error)

    threads = [threading.Thread(target=work, args=(account,)) for account in blocking]
    for thread in threads:
        thread.start()

    async def main() -> None:
        async with AsyncClient(**given) as awaited:
            works: list[Coroutine[Any, Any, None]] = []
            for account in awaiting:
                account.seed += 1000 * number
                works.append(drive_awaited(awaited, account.steps(awaited, each)))
            await asyncio.gather(*works)

    asyncio.run(main())
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _settle(accounts: list[Account], stored: list[str]) -> None:
    items = [Thing(**{name: _plain(value) for name, value in json.loads(item).items()}) for item in stored]
    found = {(item.org, item.id): item for item in items}
    for account in accounts:
        for key in range(KEYS):
            account.expect(key, found.pop((account.org, key), None))
    if found:
        raise WrongError(f"the store has what nobody wrote: {list(found)}")


def _plain(value: dict[str, str]) -> str | int:
    ((tag, content),) = value.items()
    return int(content) if tag == "N" else content


def main() -> None:
    """Run and tell; ends with an error where something is not as promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=200_000)
    parser.add_argument("--in-flight", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.seed)
        return
    report = soak(arguments.operations, arguments.in_flight, seed=arguments.seed)
    print(report)
    first, last, closed = report.resources[1], report.resources[-2], report.resources[-1]
    if last.memory > first.memory + MEMORY_SLACK or closed.descriptors > report.resources[0].descriptors + 8:
        sys.exit("memory or descriptors grew")


MEMORY_SLACK = 16 << 20
"""What the allocator may keep from one round to the next."""

if __name__ == "__main__":
    main()
