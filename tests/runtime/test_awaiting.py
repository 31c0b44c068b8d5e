"""Awaited calls: loops, wakes, cancellation, and ends of every kind."""

import asyncio
import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from oxidyn import ConnectError, _core
from tests.fake_aws import Answer, FakeAws

uvloop = pytest.importorskip("uvloop", reason="uvloop is for Unix") if sys.platform != "win32" else None

Loop = Callable[[], asyncio.AbstractEventLoop]
LOOPS: list[Any] = [asyncio.SelectorEventLoop, *([uvloop.new_event_loop] if uvloop else [])]


class LoopWithoutReaders(asyncio.SelectorEventLoop):
    """As the loops of Windows: descriptors cannot be watched."""

    def add_reader(self, fd: Any, callback: Any, *args: Any) -> None:
        if not isinstance(callback, type(self._read_from_self)) and not hasattr(callback, "__self__"):
            raise NotImplementedError
        super().add_reader(fd, callback, *args)


@pytest.fixture
def fake() -> Iterator[FakeAws]:
    with FakeAws() as fake:
        yield fake


@pytest.fixture
def client(fake: FakeAws) -> Iterator[_core.Client]:
    client = client_of(fake)
    yield client
    client.close()


@pytest.fixture(params=[*LOOPS, LoopWithoutReaders], ids=lambda loop: f"{loop.__module__}.{loop.__qualname__}")
def new_loop(request: pytest.FixtureRequest) -> Loop:
    return request.param


def client_of(fake: FakeAws, **options: Any) -> _core.Client:
    return _core.Client(
        endpoint_url=fake.url, region="eu-central-1", access_key_id="KEY", secret_access_key="secret", **options
    )


def drive(new_loop: Loop, main: Any) -> Any:
    loop = new_loop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()


async def call(client: _core.Client, body: bytes = b"{}") -> bytes:
    return await client._call_awaited("GetItem", body)


def test_reply_and_refusal(client: _core.Client, fake: FakeAws, new_loop: Loop) -> None:
    fake.answers = [Answer(body=b'{"n":1}'), Answer(cut="before"), Answer(cut="before"), Answer(cut="before")]

    async def main() -> None:
        assert await call(client) == b'{"n":1}'
        with pytest.raises(ConnectError):
            await call(client)
        assert await call(client) == b"{}"

    drive(new_loop, main())


def test_many_at_once(client: _core.Client, new_loop: Loop) -> None:
    async def main() -> list[bytes]:
        return await asyncio.gather(*(call(client) for _ in range(300)))

    assert drive(new_loop, main()) == [b"{}"] * 300


def test_embedded_engine(new_loop: Loop) -> None:
    client = _core.Client.local()

    async def main() -> list[bytes]:
        return await asyncio.gather(*(client._call_awaited("ListTables", b"{}") for _ in range(100)))

    assert drive(new_loop, main()) == [b'{"TableNames":[]}'] * 100


def test_as_many_connections_as_allowed(fake: FakeAws) -> None:
    client = client_of(fake, max_connections=3)

    async def main() -> None:
        await asyncio.gather(*(call(client) for _ in range(60)))

    asyncio.run(main())

    # While the first are made, some may be made in vain: their requests went over one that another gave back.
    assert 1 <= fake.opened <= 6


def test_one_wake_serves_many() -> None:
    client = _core.Client.local()
    wakes = 0

    class CountingLoop(asyncio.SelectorEventLoop):
        def add_reader(self, fd: Any, callback: Any, *args: Any) -> None:
            def counted(*args: Any) -> None:
                nonlocal wakes
                wakes += 1
                callback(*args)

            super().add_reader(fd, counted, *args)

    async def main() -> None:
        calls = [client._call_awaited("ListTables", b"{}") for _ in range(1000)]
        # The engine works on while this thread holds the loop, so that most results wait at the first wake.
        finished = threading.Event()
        threading.Thread(target=lambda: (client._call("ListTables", b"{}"), finished.set())).start()
        finished.wait()
        for waiting in calls:
            assert await waiting == b'{"TableNames":[]}'

    drive(CountingLoop, main())

    assert 1 <= wakes < 300


@pytest.mark.parametrize("way", ["cancel", "timeout", "gather", "dropped"])
def test_cancelling_drops_the_request(client: _core.Client, fake: FakeAws, new_loop: Loop, way: str) -> None:
    fake.answers = [Answer(hold=True)]

    async def main() -> None:
        if way == "dropped":
            waiting = client._call_awaited("GetItem", b"{}")
            await asyncio.to_thread(fake.wait_for, lambda: len(fake.requests) == 1)
            del waiting
        else:
            target = asyncio.gather(call(client), call(client)) if way == "gather" else call(client)
            task = asyncio.ensure_future(target)
            await asyncio.to_thread(fake.wait_for, lambda: len(fake.requests) >= 1)
            if way == "timeout":
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(task, 0)
            else:
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        assert await asyncio.to_thread(fake.left.wait, 20)
        assert await call(client) == b"{}"

    drive(new_loop, main())


def test_call_cannot_be_awaited_twice(client: _core.Client) -> None:
    async def main() -> None:
        waiting = client._call_awaited("GetItem", b"{}")
        await waiting
        with pytest.raises(RuntimeError, match="awaited already"):
            await waiting

    asyncio.run(main())


def test_without_a_running_loop_it_is_asyncios_error(client: _core.Client) -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        client._call_awaited("GetItem", b"{}")


def test_loops_in_threads(client: _core.Client, new_loop: Loop) -> None:
    replies: list[bytes] = []

    def work() -> None:
        async def main() -> None:
            for _ in range(20):
                replies.extend(await asyncio.gather(*(call(client) for _ in range(5))))

        drive(new_loop, main())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert replies == [b"{}"] * 800


def test_loop_after_loop_leaves_nothing_behind(client: _core.Client, new_loop: Loop) -> None:
    import os

    loops = []

    def once() -> None:
        loop = new_loop()
        loop.run_until_complete(call(client))
        loop.close()
        loops.append(weakref.ref(loop))

    once()
    descriptors = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
    for _ in range(20):
        once()
    gc.collect()

    alive = [loop for loop in loops if loop() is not None]
    assert len(alive) <= 1
    if sys.platform == "linux":
        assert len(os.listdir("/proc/self/fd")) <= descriptors + 2


def test_loop_closed_with_calls_in_flight_is_silent(fake: FakeAws) -> None:
    code = """
import asyncio, sys
from oxidyn import _core
from oxidyn.config import Config

client = _core.Client(**Config(endpoint_url=sys.argv[1], region="r", access_key_id="k", secret_access_key="s").core_options())
loop = asyncio.new_event_loop()

async def main():
    global waiting
    waiting = client._call_awaited("GetItem", b"{}")
    await asyncio.to_thread(sys.stdin.readline)

loop.run_until_complete(main())
loop.close()
print("closed", flush=True)
sys.stdin.readline()
asyncio.run(asyncio.wait_for(asyncio.sleep(0), 1))
async def again():
    return await client._call_awaited("GetItem", b"{}")
print(asyncio.run(again()))
"""
    fake.answers = [Answer(hold=True)]
    process = start(code, fake)
    assert process.stdin is not None
    assert process.stdout is not None

    fake.wait_for(lambda: len(fake.requests) == 1)
    process.stdin.write("go\n")
    process.stdin.flush()
    assert process.stdout.readline() == "closed\n"
    fake.release()
    output, errors = process.communicate("go\n", timeout=60)

    assert (process.returncode, output, errors) == (0, "b'{}'\n", "")


@pytest.mark.parametrize("ending", ["pass", "sys.exit()", "os._exit(0)"])
@pytest.mark.parametrize("where", ["loop", "thread", "pending task"])
def test_exit_with_calls_in_flight_is_silent(fake: FakeAws, ending: str, where: str) -> None:
    code = f"""
import asyncio, os, sys, threading
from oxidyn import _core
from oxidyn.config import Config

client = _core.Client(**Config(endpoint_url=sys.argv[1], region="r", access_key_id="k", secret_access_key="s").core_options())
where = {where!r}

async def main():
    global waiting
    if where == "pending task":
        waiting = asyncio.ensure_future(asyncio.wait([asyncio.ensure_future(one())]))
        await asyncio.to_thread(sys.stdin.readline)
    else:
        waiting = client._call_awaited("GetItem", b"{{}}")
        await asyncio.to_thread(sys.stdin.readline)

async def one():
    return await client._call_awaited("GetItem", b"{{}}")

if where == "thread":
    threading.Thread(target=client._call, args=("GetItem", b"{{}}"), daemon=True).start()
    sys.stdin.readline()
else:
    asyncio.run(main())
{ending}
"""
    fake.answers = [Answer(hold=True)]
    process = start(code, fake)
    fake.wait_for(lambda: len(fake.requests) == 1)

    output, errors = process.communicate("go\n", timeout=60)

    assert (process.returncode, output, errors) == (0, "", "")


def start(code: str, fake: FakeAws) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, fake.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_asyncio_is_not_imported_before_the_first_awaited_call() -> None:
    code = """
import sys
from oxidyn import _core
client = _core.Client.local()
client._call("ListTables", b"{}")
assert "asyncio" not in sys.modules, "asyncio was imported"
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert (process.returncode, process.stderr) == (0, "")
