"""Whatever is in flight when the interpreter ends: nothing is said, nothing panics, and the exit code is kept."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from tests.fake_aws import Answer, FakeAws
from tests.runtime.programs import run, start

IN_FLIGHT = {
    "a blocking call in a daemon thread": """
threading.Thread(target=counters.get, args=("hits",), daemon=True).start()
""",
    "blocking calls in many daemon threads": """
for _ in range(20):
    threading.Thread(target=counters.get, args=("hits",), daemon=True).start()
""",
    "a batch in a daemon thread": """
threading.Thread(target=counters.batch_put, args=([Counter(name=str(n)) for n in range(100)],), daemon=True).start()
""",
    "an awaited call that nobody awaits any more": """
async def main():
    global task
    task = asyncio.ensure_future(awaited.get("hits"))
    await asyncio.sleep(0)
    await asyncio.to_thread(sys.stdin.readline)
    ending()

asyncio.run(main())
""",
    "an awaited call in a loop that is left as it is": """
loop = asyncio.new_event_loop()
task = loop.create_task(awaited.get("hits"))
loop.call_soon(loop.stop)
loop.run_forever()
# asyncio's own complaint about tasks that nobody waited for.
task._log_destroy_pending = False
""",
    "an awaited call in a daemon thread's loop": """
threading.Thread(target=lambda: asyncio.run(awaited.get("hits")), daemon=True).start()
""",
    "a parallel scan that was begun": """
scan = counters.parallel_scan(segments=3)
threading.Thread(target=lambda: next(scan), daemon=True).start()
""",
    "a query that was abandoned": """
items = iter(counters.scan())
threading.Thread(target=lambda: next(items), daemon=True).start()
""",
}

ENDINGS = {
    "pass": 0,
    "sys.exit(7)": 7,
    "os._exit(8)": 8,
    "raise SystemExit(9)": 9,
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("in_flight", IN_FLIGHT)
def test_exit_with_calls_in_flight_is_silent_and_keeps_its_code(fake: FakeAws, in_flight: str, ending: str) -> None:
    code = f"""
def ending():
    {ending}
{IN_FLIGHT[in_flight]}
sys.stdin.readline()
ending()
"""
    fake.answers = [Answer(hold=True) for _ in range(30)]

    with start(code, fake) as process:
        fake.wait_for(lambda: len(fake.requests) >= 1)
        output, errors = process.communicate("go\ngo\n", timeout=60)

    assert (process.returncode, output, errors) == (ENDINGS[ending], "", "")


def test_answers_that_come_while_the_interpreter_ends_are_silent(fake: FakeAws) -> None:
    code = """
import atexit
for _ in range(10):
    threading.Thread(target=lambda: [counters.get("hits") for _ in range(10_000)], daemon=True).start()

async def many():
    await asyncio.gather(*(awaited.get("hits") for _ in range(10_000)))

threading.Thread(target=lambda: asyncio.run(many()), daemon=True).start()
counters.get("hits")
sys.exit(3)
"""
    assert [run(code, fake) for _ in range(5)] == [(3, "", "")] * 5


def test_a_call_at_exit_is_answered(fake: FakeAws) -> None:
    code = """
import atexit
atexit.register(lambda: print(counters.get("hits")))
atexit.register(lambda: print(asyncio.run(awaited.get("hits"))))
counters.get("hits")
"""
    assert run(code, fake) == (0, "None\nNone\n", "")


def test_a_client_that_is_dropped_by_the_end_of_the_interpreter_is_silent(fake: FakeAws) -> None:
    code = """
class Holder:
    def __init__(self):
        self.client = Client(**OPTIONS)
        self.items = iter(self.client.table(Counter).scan())
        next(self.items, None)
    def __del__(self):
        self.client.close()
holder = Holder()
holder.itself = holder
"""
    assert run(code, fake) == (0, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are Unix's")
@pytest.mark.parametrize("in_flight", ["counters.get('hits')", "asyncio.run(awaited.get('hits'))"])
def test_a_deadly_signal_ends_a_process_that_waits(fake: FakeAws, in_flight: str) -> None:
    fake.answers = [Answer(hold=True)]

    with start(in_flight, fake) as process:
        fake.wait_for(lambda: len(fake.requests) == 1)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=60)

    assert (process.returncode, output, errors) == (-signal.SIGTERM, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are Unix's")
@pytest.mark.parametrize(
    "call",
    [
        "counters.get('hits')",
        "counters.batch_put([Counter(name=str(n)) for n in range(100)])",
        "list(counters.scan())",
        "list(counters.parallel_scan(segments=2))",
        "counters.scan().page(10)",
        "counters.wait_until_active()",
        "asyncio.run(awaited.get('hits'))",
        "asyncio.run(awaited.scan().page(10))",
    ],
)
def test_ctrl_c_interrupts_a_wait_at_once_and_a_signal_handler_runs_meanwhile(fake: FakeAws, call: str) -> None:
    """The answer never comes: only the signals end the wait."""
    code = f"""
def handler(*_):
    print("handled", flush=True)
signal.signal(signal.SIGUSR1, handler)
try:
    {call}
except KeyboardInterrupt:
    print("interrupted", flush=True)
sys.stdin.readline()
print(counters.get("hits"))
"""
    fake.answers = [Answer(hold=True) for _ in range(8)]

    with start(code, fake) as process:
        assert process.stdout is not None
        fake.wait_for(lambda: len(fake.requests) >= 1)
        process.send_signal(signal.SIGUSR1)
        assert process.stdout.readline() == "handled\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        assert fake.left.wait(20)
        fake.answers = []
        output, errors = process.communicate("go\n", timeout=60)

    assert (process.returncode, output, errors) == (0, "None\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are Unix's")
def test_a_forked_child_ends_silently_with_its_parents_calls_in_flight(fake: FakeAws) -> None:
    code = """
threading.Thread(target=counters.get, args=("hits",), daemon=True).start()
sys.stdin.readline()
child = os.fork()
if child == 0:
    sys.exit(5)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    fake.answers = [Answer(hold=True)]

    with start(code, fake) as process:
        fake.wait_for(lambda: len(fake.requests) == 1)
        output, errors = process.communicate("go\n", timeout=60)

    assert (process.returncode, output, errors) == (0, "5\n", "")
