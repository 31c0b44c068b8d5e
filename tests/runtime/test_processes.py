"""Clients before and after forks: multiprocessing by every way of starting, process pools, and servers that fork first."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.fake_aws import FakeAws
from tests.runtime.programs import REPOSITORY, run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are Unix's")

MODULE = """
import asyncio, os, sys
from oxidyn import AsyncClient, Client
from tests.ops.models import Counter

OPTIONS = dict(endpoint_url=os.environ["FAKE"], region="r", access_key_id="k", secret_access_key="s", max_attempts=1)
# Made at import, as an application does: with `fork` before the child, with the other ways in each process.
counters = Client(**OPTIONS).table(Counter)
awaited = AsyncClient(**OPTIONS).table(Counter)

def work(number):
    async def main():
        return await asyncio.gather(*(awaited.get("hits") for _ in range(3)))
    return [counters.get("hits"), list(counters.scan()), list(counters.parallel_scan(segments=2)), asyncio.run(main())]
"""
RIGHT = "[None, [], [], [None, None, None]]"

MAIN = """
import multiprocessing, sys, warnings
warnings.filterwarnings("ignore", category=DeprecationWarning)
import shared

if __name__ == "__main__":
    method, use = sys.argv[1:]
    context = multiprocessing.get_context(method)
    if use == "used":
        shared.work(0)
    with context.Pool(3) as pool:
        results = pool.map(shared.work, range(6))
    shared.work(0)
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        results += pool.map(shared.work, range(4))
    for result in results:
        print(result)
"""


@pytest.mark.parametrize("use", ["unused", "used"])
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_by_every_way_of_starting(fake: FakeAws, tmp_path: Path, method: str, use: str) -> None:
    import subprocess

    (tmp_path / "shared.py").write_text(MODULE)
    (tmp_path / "main.py").write_text(MAIN)
    path = os.pathsep.join([str(tmp_path), str(REPOSITORY), *filter(None, sys.path)])
    process = subprocess.run(
        [sys.executable, str(tmp_path / "main.py"), method, use],
        env={**os.environ, "PYTHONPATH": path, "FAKE": fake.url},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.splitlines() == [RIGHT] * 10


@pytest.mark.parametrize("preload", ["", "counters.get('hits'); asyncio.run(awaited.get('hits'))"])
def test_a_server_that_forks_first_and_serves_then(fake: FakeAws, preload: str) -> None:
    """As gunicorn and Celery do: the application is loaded, and perhaps used, before the workers are forked."""
    code = f"""
import socket
{preload}
listening = socket.create_server(("127.0.0.1", 0))
address = listening.getsockname()

def serve(requests):
    for number in range(requests):
        connection, _ = listening.accept()
        with connection:
            threads = [threading.Thread(target=counters.get, args=("hits",)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            answer = [counters.get("hits"), asyncio.run(awaited.get("hits")), list(counters.parallel_scan(segments=2))]
            connection.sendall(repr(answer).encode())

workers = []
for _ in range(4):
    worker = os.fork()
    if worker == 0:
        serve(5)
        # As a worker ends: through the interpreter's own end.
        sys.exit(0)
    workers.append(worker)
for _ in range(20):
    with socket.create_connection(address) as asking:
        print(b"".join(iter(lambda: asking.recv(1000), b"")).decode())
print([os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) for worker in workers])
counters.get("hits")
"""
    returncode, output, errors = run(code, fake)

    assert (returncode, errors) == (0, "")
    assert output.splitlines() == ["[None, None, []]"] * 20 + ["[0, 0, 0, 0]"]


def test_a_fork_while_other_threads_call(fake: FakeAws) -> None:
    code = """
stop = threading.Event()

def call():
    while not stop.is_set():
        counters.get("hits")

def call_awaited():
    async def main():
        while not stop.is_set():
            await asyncio.gather(*(awaited.get("hits") for _ in range(5)))
    asyncio.run(main())

threads = [threading.Thread(target=target) for target in [call, call_awaited] * 3]
for thread in threads:
    thread.start()
for _ in range(30):
    child = os.fork()
    if child == 0:
        assert counters.get("hits") is None
        assert asyncio.run(awaited.get("hits")) is None
        assert list(counters.parallel_scan(segments=2)) == []
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
for thread in threads:
    thread.join()
"""
    assert run(code, fake) == (0, "", "")


def test_a_fork_inside_a_running_loop(fake: FakeAws) -> None:
    code = """
async def main():
    before = asyncio.ensure_future(awaited.get("hits"))
    await asyncio.sleep(0)
    child = os.fork()
    if child == 0:
        asyncio.events._set_running_loop(None)
        assert asyncio.run(awaited.get("hits")) is None
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    print(await before, await awaited.get("hits"))

asyncio.run(main())
"""
    assert run(code, fake) == (0, "None None\n", "")


def test_an_iteration_begun_before_a_fork_goes_on_in_both(fake: FakeAws) -> None:
    from tests.fake_aws import Answer

    page = b'{"Items":[{"name":{"S":"a"}},{"name":{"S":"b"}}],"LastEvaluatedKey":{"name":{"S":"b"}}}'
    last = b'{"Items":[{"name":{"S":"c"}}]}'
    fake.answers = [Answer(body=page), Answer(body=last), Answer(body=last)]
    code = """
items = iter(counters.scan())
print(next(items).name)
sys.stdout.flush()
child = os.fork()
rest = [item.name for item in items]
if child:
    assert os.waitpid(child, 0)[1] == 0
print(rest, flush=True)
os._exit(0)
"""
    assert run(code, fake) == (0, "a\n['b', 'c']\n['b', 'c']\n", "")


SUBINTERPRETER = """
import sys
sys.path[:] = {path!r}
try:
    import oxidyn._core
except ImportError as error:
    print(type(error).__name__, error)
else:
    print("imported")
"""


def test_a_subinterpreter_is_refused_cleanly(fake: FakeAws) -> None:
    code = f"""
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
counters.get("hits")
inner = interpreters.create()
failure = interpreters.run_string(inner, {SUBINTERPRETER!r}.format(path=sys.path))
sys.stdout.flush()
print(failure)
interpreters.destroy(inner)
print(counters.get("hits"))
"""
    returncode, output, errors = run(code, fake)

    assert (returncode, errors) == (0, "")
    refusal, *rest = output.splitlines()
    assert refusal.startswith("ImportError")
    assert "subinterpreters" in refusal
    assert rest == ["None", "None"]
