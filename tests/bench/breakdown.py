"""Where a call's instructions go, by whose code they are: `python -m tests.bench.breakdown`. Needs valgrind.

Counted under callgrind, which sees the process and not the kernel: the kernel's share is told in microseconds, from a run
without it. valgrind's processor has no instructions for SHA-256, so that signing is told apart: on a real one it takes
about a tenth of this.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from itertools import cycle, repeat
from typing import TYPE_CHECKING, Any

from tests.bench import shapes
from tests.bench.bars import PER_BATCH
from tests.bench.drive import answers, one_by_one
from tests.bench.instructions import functions, profile
from tests.bench.peers import by_oxidyn
from tests.bench.rounds import pin
from tests.bench.stub import Stub, build

if TYPE_CHECKING:
    from tests.bench.rounds import Batch

SHAPES = {"flat": shapes.FLAT, "mixed": shapes.MIXED}
CALLS = (("put", "flat"), ("get", "flat"), ("put", "mixed"), ("get", "mixed"), ("query", "mixed"), ("batch", "mixed"))
# By the first of these that a function's name has, so that what is generic counts for the crate that it is made for.
GROUPS = {
    "codec": r"oxidyn::(codec|wire)",
    "bodies, replies": r"oxidyn::(ops|expr)",
    "Python's side": r"oxidyn::py|pyo3",
    "bridge": r"oxidyn::(bridge|telemetry)",
    "pipeline": r"oxidyn::(transport|error|limits)|crc32fast",
    "AWS crates": r"aws_|<&?aws",
    "hyper, http": r"\b(hyper|hyper_util|hyper_rustls|http|http_body|httparse|tower_service|tower|want)::",
    "tokio": r"\b(tokio|mio|parking_lot|futures_\w+)::",
    "SHA-256": r"\b(sha2|hmac|digest|block_buffer)::",
}
PATTERN = re.compile("|".join(f"(?P<g{number}>{pattern})" for number, pattern in enumerate(GROUPS.values())))
FEW, MANY = 10, 60


def main() -> int:
    """Print the table, or do the work of one cell of it."""
    if len(sys.argv) > 1:
        call, shape, url, times = sys.argv[1:]
        _work(call, shape, url)(int(times))
        return 0
    pin()
    columns = {f"{call} {shape}": _column(call, shape) for call, shape in CALLS}
    rows = [*GROUPS, "Rust's library", "CPython", "C library", "all", "all but SHA-256", "user µs", "kernel µs"]
    sys.stdout.write(f"{'instructions of a call':22}" + "".join(f"{title:>13}" for title in columns) + "\n")
    for row in rows:
        sys.stdout.write(f"{row:22}" + "".join(f"{column[row]:>13,.0f}" for column in columns.values()) + "\n")
    return 0


def _work(call: str, shape_name: str, url: str) -> Batch:
    shape = SHAPES[shape_name]
    peer = by_oxidyn.peer(url, shape)
    assert peer.batch_write
    calls: dict[str, Any] = {
        "put": (peer.put, zip(cycle(peer.instances))),
        "get": (peer.get, repeat(())),
        "query": (peer.query, repeat(())),
        "batch": (peer.batch_write, repeat((peer.instances[:PER_BATCH],))),
    }
    return one_by_one(*calls[call])


def _column(call: str, shape: str) -> dict[str, float]:
    """The difference of two runs, by the calls between them."""
    replies = {**answers(SHAPES[shape]), "BatchWriteItem": {"UnprocessedItems": {}}}
    with Stub(build(), replies) as stub:
        few, many = (
            _by_group(profile("tests.bench.breakdown", call, shape, stub.url, str(times))) for times in (FEW, MANY)
        )
        column = {group: (many[group] - few[group]) / (MANY - FEW) for group in many}
        column["all"] = sum(column.values())
        column["all but SHA-256"] = column["all"] - column["SHA-256"]
        work = _work(call, shape, stub.url)
        user, kernel = _times(work)
    return column | {"user µs": user, "kernel µs": kernel}


def _times(work: Batch) -> tuple[float, float]:
    """CPU microseconds of a call. The kernel tells the two apart by its ticks, so that it takes a second of work."""
    times = 500
    while True:
        before = os.times()
        work(times)
        after = os.times()
        if after.user + after.system - before.user - before.system >= 1:
            return (after.user - before.user) * 1e6 / times, (after.system - before.system) * 1e6 / times
        times *= 2


def _by_group(lines: list[str]) -> Counter[str]:
    groups = list(GROUPS)
    counts: Counter[str] = Counter(dict.fromkeys([*groups, "Rust's library", "CPython", "C library"], 0))
    for binary, function, count in functions(lines):
        if "_core" in binary:
            found = PATTERN.search(function)
            group = groups[int(found.lastgroup[1:])] if found and found.lastgroup else "Rust's library"
        elif "/libc" in binary or "/ld-" in binary or "/libm" in binary:
            group = "C library"
        else:
            group = "CPython"
        counts[group] += count
    return counts


if __name__ == "__main__":
    sys.exit(main())
