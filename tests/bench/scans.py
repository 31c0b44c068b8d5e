"""Scanning 100,000 items of the embedded engine: items per second of the clock, and what the process grows by meanwhile.

The engine keeps the items in memory, in the same process; what is measured is how much more than that the scan takes at
its peak. Every item is dropped as it comes. Nothing is pinned: what a parallel scan gains here is that the engine reads
ahead on one core while items become models on another.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

from tests.bench.report import Part, Row, Table
from tests.bench.rounds import Sample
from tests.bench.stub import REPOSITORY

if TYPE_CHECKING:
    from tests.bench.rounds import Effort

ITEMS = 100_000
SEGMENTS = 8

PRELUDE = dedent(f"""
    import asyncio, ctypes, gc, json, os, sys, time
    from pathlib import Path
    from oxidyn import AsyncClient, Client
    from tests.bench.shapes import FLAT, Flat

    os.sched_setaffinity(0, range(os.cpu_count()))
    ITEMS, SEGMENTS, ROUNDS = {ITEMS}, {SEGMENTS}, int(sys.argv[1])

    def table(client):
        return client.table(Flat, name="bench", partition="org", sort="id")

    def chunks():
        flat = FLAT.samples[0]
        for start in range(0, ITEMS, 1000):
            yield [flat.model_copy(update={{"org": f"org-{{n}}", "id": "id"}}) for n in range(start, start + 1000)]

    def memory(which):
        status = Path("/proc/self/status").read_text()
        return int(status.split(which + ":")[1].split()[0]) / 1024

    def begin():
        # What is free already would hide what is taken now.
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")  # The peak begins anew.
        return memory("VmRSS"), time.perf_counter()

    def end(name, begun):
        size, started = begun
        took = time.perf_counter() - started
        print(json.dumps([name, ITEMS / took, memory("VmHWM") - size]))
""")

BLOCKING = """
with Client.local() as client:
    users = table(client)
    users.create_table()
    for chunk in chunks():
        users.batch_put(chunk)
    for _ in range(ROUNDS):
        for name, scan in (("scan", users.scan), ("parallel", lambda: users.parallel_scan(segments=SEGMENTS))):
            begun = begin()
            assert sum(1 for _ in scan()) == ITEMS
            end(name, begun)
"""

AWAITED = """
async def main():
    async with AsyncClient.local() as client:
        users = table(client)
        await users.create_table()
        for chunk in chunks():
            await users.batch_put(chunk)
        for _ in range(ROUNDS):
            for name, scan in (("scan", users.scan), ("parallel", lambda: users.parallel_scan(segments=SEGMENTS))):
                begun, found = begin(), 0
                async for _ in scan():
                    found += 1
                assert found == ITEMS
                end(name, begun)

asyncio.run(main())
"""

WAYS = {"scan": "scan()", "parallel": f"parallel_scan(segments={SEGMENTS})"}


def run(effort: Effort) -> Part:
    """Measure both ways of scanning, blocking and awaited, in a fresh process each."""
    tables = []
    for colour, program in (("blocking", BLOCKING), ("awaited", AWAITED)):
        command = [sys.executable, "-c", PRELUDE + program, str(min(effort.rounds, 5))]
        process = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
        measured = [json.loads(line) for line in process.stdout.splitlines()]
        title = f"{ITEMS:,} items, {colour}"
        for place, unit in ((1, "items per second"), (2, "MB beyond the stored items, at most")):
            samples = {way: Sample([each[place] for each in measured if each[0] == name]) for name, way in WAYS.items()}
            tables.append(Table(title, WAYS["scan"], unit, [Row(colour, samples)]))
    return Part("scans", tables, [], {"cores": f"{os.cpu_count()}"})
