"""Blocking calls: threads, idle connections, Ctrl-C, forks."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from oxidyn import Client, _core
from tests.fake_aws import Answer, FakeAws
from tests.ops.models import Counter

PRELUDE = """
import asyncio, os, signal, sys, threading, time, warnings
# Python 3.12 and later warn of every fork beside threads, and threads are what this is about.
warnings.filterwarnings("ignore", category=DeprecationWarning)
from oxidyn import _core
from oxidyn.config import Config

def make():
    return _core.Client(
        **Config(endpoint_url=sys.argv[1], region="r", access_key_id="k", secret_access_key="s").core_options()
    )

client = make()

def call():
    assert client._call("GetItem", b"{}") == b"{}"

async def call_awaited():
    assert await client._call_awaited("GetItem", b"{}") == b"{}"

def in_child(*steps):
    child = os.fork()
    if child == 0:
        try:
            for step in steps:
                step()
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0

def awaited():
    asyncio.run(call_awaited())
"""


@pytest.fixture
def fake() -> Iterator[FakeAws]:
    with FakeAws() as fake:
        yield fake


def client_of(fake: FakeAws, **options: Any) -> _core.Client:
    return _core.Client(
        endpoint_url=fake.url, region="eu-central-1", access_key_id="KEY", secret_access_key="secret", **options
    )


def run(code: str, fake: FakeAws) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + code, fake.url], capture_output=True, text=True, timeout=60, check=False
    )


def interrupted(code: str, fake: FakeAws, *, requests: int) -> "tuple[subprocess.Popen[str], float]":
    """Press Ctrl-C while so many requests are held, and tell how long it took until that was heard."""
    process = subprocess.Popen(
        [sys.executable, "-c", PRELUDE + code, fake.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    fake.wait_for(lambda: len(fake.requests) == requests)
    pressed = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupted\n"
    return process, time.monotonic() - pressed


def test_forty_threads_share_a_client(fake: FakeAws) -> None:
    client = client_of(fake)
    replies: list[bytes] = []

    def work() -> None:
        replies.extend(client._call("GetItem", b"{}") for _ in range(25))

    threads = [threading.Thread(target=work) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert replies == [b"{}"] * 1000
    assert fake.opened <= 40


def test_other_threads_run_while_a_call_waits(fake: FakeAws) -> None:
    fake.answers = [Answer(hold=True)]
    client = client_of(fake)
    thread = threading.Thread(target=client._call, args=("GetItem", b"{}"))

    thread.start()
    fake.wait_for(lambda: len(fake.requests) == 1)
    fake.release()
    thread.join(20)

    assert not thread.is_alive()


def test_connection_that_the_server_closed_while_idle_does_not_fail_the_next_call(fake: FakeAws) -> None:
    client = client_of(fake, max_attempts=1)

    for _ in range(50):
        fake.answers = [Answer(cut="after")]
        # Not repeatable: it would fail if it were sent into the closed connection.
        assert client._call("UpdateItem", b"{}") == b"{}"
        fake.wait_for_closed()

    assert fake.opened == 50


def test_connections_that_the_server_closed_while_idle_do_not_fail_the_next_batch(fake: FakeAws) -> None:
    with Client(endpoint_url=fake.url, region="r", access_key_id="k", secret_access_key="s", max_attempts=1) as client:
        counters = client.table(Counter)
        items = [Counter(name=f"c{number}") for number in range(200)]

        for _ in range(10):
            fake.answers = [Answer(cut="after") for _ in range(8)]
            counters.batch_put(items)
            fake.wait_for_closed()

    assert len(fake.requests) == 80


def test_connections_are_closed_with_the_client(fake: FakeAws) -> None:
    client = client_of(fake)
    client._call("GetItem", b"{}")

    client.close()

    fake.wait_for_closed()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are Unix's")
def test_ctrl_c_interrupts_a_call_and_drops_its_request(fake: FakeAws) -> None:
    fake.answers = [Answer(hold=True)]
    # A parent in the background has its children ignore the signal.
    code = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    client._call("GetItem", b"{}")
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.stdin.readline()
call()
"""
    process, waited = interrupted(code, fake, requests=1)
    assert fake.left.wait(20)
    _, errors = process.communicate("go\n", timeout=60)

    assert (process.returncode, errors) == (0, "")
    assert waited < 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals are Unix's")
def test_ctrl_c_interrupts_a_batch_and_drops_all_its_requests(fake: FakeAws) -> None:
    fake.answers = [Answer(hold=True) for _ in range(8)]
    code = """
import signal
from oxidyn import Client
from tests.ops.models import Counter
signal.signal(signal.SIGINT, signal.default_int_handler)
counters = Client(endpoint_url=sys.argv[1], region="r", access_key_id="k", secret_access_key="s").table(Counter)
items = [Counter(name=f"c{number}") for number in range(500)]
try:
    counters.batch_put(items)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.stdin.readline()
counters.batch_put(items[:25])
"""
    process, _ = interrupted(code, fake, requests=8)
    fake.wait_for(lambda: fake.closed == 8)
    _, errors = process.communicate("go\n", timeout=60)

    assert (process.returncode, errors) == (0, "")
    assert len(fake.requests) == 9


@pytest.mark.skipif(sys.platform == "win32", reason="signals are Unix's")
def test_ctrl_c_interrupts_a_batch_on_the_embedded_engine_while_it_waits() -> None:
    code = """
import signal
from oxidyn import Client
from tests.ops.models import Counter
signal.signal(signal.SIGINT, signal.default_int_handler)
counters = Client.local().table(Counter)
counters.create_table()
items = [Counter(name=f"c{number}") for number in range(100_000)]
main = threading.get_ident()

def press():
    while counters.get("c0") is None:
        pass
    signal.pthread_kill(main, signal.SIGINT)

threading.Thread(target=press, daemon=True).start()
try:
    counters.batch_put(items)
except KeyboardInterrupt:
    assert counters.get("c99999") is None
    print("interrupted")
"""
    process = subprocess.run(
        [sys.executable, "-c", PRELUDE + code, "http://127.0.0.1:1"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (process.stdout, process.stderr) == ("interrupted\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are Unix's")
@pytest.mark.parametrize(
    "code",
    [
        "in_child(call)",
        "in_child(awaited)",
        "call(); in_child(call); call()",
        "awaited(); in_child(awaited); awaited()",
        "call(); awaited(); in_child(call, awaited); awaited(); call()",
        "call(); in_child(lambda: in_child(call), call)",
        """
threading.Thread(target=lambda: [call() for _ in range(200)], daemon=True).start()
for _ in range(10):
    in_child(call, awaited)
""",
        """
async def main():
    await call_awaited()
    in_child(awaited)
    await asyncio.gather(*(call_awaited() for _ in range(10)))
asyncio.run(main())
""",
    ],
)
def test_fork_gets_connections_of_its_own(fake: FakeAws, code: str) -> None:
    process = run(code, fake)

    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are Unix's")
def test_fork_does_not_use_its_parents_connection(fake: FakeAws) -> None:
    process = run("call(); in_child(call); call()", fake)

    assert (process.returncode, process.stderr) == (0, "")
    first, child, last = (request.connection for request in fake.requests)
    assert first == last != child


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are Unix's")
def test_database_file_stays_the_parents(fake: FakeAws, tmp_path: Any) -> None:
    code = f"""
client = _core.Client.local({str(tmp_path / "app.db")!r})
client._call("ListTables", b"{{}}")

def refused():
    try:
        client._call("ListTables", b"{{}}")
    except Exception as error:
        assert "belongs to one process" in str(error), error
    else:
        raise AssertionError("the child used its parent's file")
    client.close()

in_child(refused)
client._call("ListTables", b"{{}}")
"""
    process = run(code, fake)

    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are Unix's")
def test_database_in_memory_is_copied_by_a_fork(fake: FakeAws) -> None:
    code = """
client = _core.Client.local()

def call():
    client._call("ListTables", b"{}")

async def call_awaited():
    await client._call_awaited("ListTables", b"{}")

call(); awaited(); in_child(call, awaited); call(); awaited()
"""
    process = run(code, fake)

    assert (process.returncode, process.stderr) == (0, "")
