"""Programs in processes of their own, against a fake of AWS: what ends a process cannot be tested within one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.fake_aws import FakeAws

PRELUDE = """
import asyncio, os, signal, sys, threading, warnings
# Python 3.12 and later warn of every fork beside threads, and threads are what this is about.
warnings.filterwarnings("ignore", category=DeprecationWarning)
from oxidyn import AsyncClient, Client
from tests.ops.models import Counter

OPTIONS = dict(endpoint_url=sys.argv[1], region="r", access_key_id="k", secret_access_key="s", max_attempts=1)
client = Client(**OPTIONS)
counters = client.table(Counter)
awaited = AsyncClient(**OPTIONS).table(Counter)
# A parent in the background has its children ignore the signal.
signal.signal(signal.SIGINT, signal.default_int_handler)
"""

REPOSITORY = Path(__file__).parents[2]


def start(code: str, fake: FakeAws, *, prelude: str = PRELUDE, **options: Any) -> subprocess.Popen[str]:
    """Start a program that has a client of the fake, a table, and the same awaited."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *filter(None, sys.path)])}
    return subprocess.Popen(
        [sys.executable, "-c", prelude + code, fake.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )


def run(code: str, fake: FakeAws, **options: Any) -> tuple[int, str, str]:
    """Run a program to its end, and give its exit code, its output and what it said on standard error."""
    with start(code, fake, **options) as process:
        output, errors = process.communicate(timeout=100)
    return process.returncode, output, errors
