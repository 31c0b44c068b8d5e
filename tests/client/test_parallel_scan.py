"""What a parallel scan does on the wire, beside threads, loops and forks, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Annotated, Any

import pytest

from oxidyn import AsyncClient, Client, ClientClosed, InvalidCursor, Model, PartitionKey, ServiceError, TransportError
from tests.fake_aws import Answer, FakeAws, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engines import MotoServer


class Word(Model, table="words"):
    word: Annotated[str, PartitionKey]


@pytest.fixture
def fake() -> Iterator[FakeAws]:
    with FakeAws() as fake:
        yield fake


def options(fake: FakeAws) -> dict[str, Any]:
    return {"endpoint_url": fake.url, "region": "r", "access_key_id": "k", "secret_access_key": "s", "max_attempts": 1}


_numbers = itertools.count()
_ends = itertools.count()


def page(items: int = 1, *, last: bool = False, hold: bool = False) -> Answer:
    """A page of new items; all but the last of a segment have one behind it."""
    body: dict[str, Any] = {
        "Items": [{"word": {"S": f"w{next(_numbers)}"}} for _ in range(items)],
        "Count": items,
        "ScannedCount": items + 1,
    }
    if not last:
        body["LastEvaluatedKey"] = {"word": {"S": f"z{next(_ends)}"}}
    return Answer(body=json.dumps(body).encode(), hold=hold)


def asked(fake: FakeAws) -> list[tuple[int, int]]:
    bodies = [json.loads(request.body) for request in fake.requests]
    return [(body["Segment"], body["TotalSegments"]) for body in bodies]


def test_nothing_is_sent_before_the_first_item_is_asked_for(fake: FakeAws) -> None:
    with Client(**options(fake)) as client:
        scan = client.table(Word).parallel_scan(segments=3)
        assert scan.cursor
        assert not scan.progress.finished

        assert fake.requests == []
        fake.answers = [page(0, last=True) for _ in range(3)]
        assert list(scan) == []

    assert sorted(asked(fake)) == [(0, 3), (1, 3), (2, 3)]


def test_at_most_one_page_of_each_segment_is_on_its_way_or_waiting(fake: FakeAws) -> None:
    segments, pages, found = 3, 20, 0
    fake.answers = [page(5) for _ in range(pages)] + [page(5, last=True) for _ in range(segments)]
    with Client(**options(fake)) as client:
        scan = client.table(Word).parallel_scan(segments=segments)
        for found, _ in enumerate(scan, start=1):
            taken_up = -(-found // 5)
            # Those that were taken up, and one for each segment.
            assert len(fake.requests) <= taken_up + segments
            if len(fake.answers) > segments:
                fake.wait_for(lambda: len(fake.requests) == taken_up + segments)  # noqa: B023 (called at once)

    assert found == 5 * (pages + segments)
    assert len(fake.requests) == pages + segments


def test_pages_come_in_the_order_in_which_they_are_ready(fake: FakeAws) -> None:
    fake.answers = [page(1, last=True, hold=True), page(2, last=True), page(3, last=True)]
    with Client(**options(fake)) as client:
        scan = client.table(Word).parallel_scan(segments=3)

        first = [next(scan).word for _ in range(5)]
        fake.release()
        rest = [word.word for word in scan]

    assert len(first) == 5
    assert len(rest) == 1
    assert scan.progress.scanned == 9


def test_a_scan_that_is_abandoned_drops_its_requests(fake: FakeAws) -> None:
    fake.answers = [page(1)] + [page(1, hold=True) for _ in range(3)]
    with Client(**options(fake)) as client:
        scan = client.table(Word).parallel_scan(segments=2)
        next(scan)
        fake.wait_for(lambda: len(fake.requests) == 3)

        del scan
        gc.collect()

        assert fake.left.wait(20)


def test_an_awaited_scan_that_is_abandoned_drops_its_requests(fake: FakeAws) -> None:
    fake.answers = [page(1)] + [page(1, hold=True) for _ in range(3)]

    async def main() -> None:
        async with AsyncClient(**options(fake)) as client:
            scan = client.table(Word).parallel_scan(segments=2)
            async for _ in scan:
                break
            waiting = asyncio.ensure_future(anext(scan))
            await asyncio.to_thread(fake.wait_for, lambda: len(fake.requests) == 3)
            waiting.cancel()
            await asyncio.wait([waiting])
            del scan, waiting
            gc.collect()
            assert await asyncio.to_thread(fake.left.wait, 20)

    asyncio.run(main())


def test_after_a_failed_request_that_segment_is_asked_again(fake: FakeAws) -> None:
    fake.answers = [refusal("InternalServerError", status=500), page(2, last=True)]
    with Client(**options(fake)) as client:
        scan = client.table(Word).parallel_scan(segments=1)

        with pytest.raises(ServiceError, match="InternalServerError") as failed:
            next(scan)
        found = [word.word for word in scan]

    assert failed.value.operation == "Scan"
    assert len(found) == 2
    assert asked(fake) == [(0, 1), (0, 1)]


def test_other_segments_go_on_after_one_failed(fake: FakeAws) -> None:
    fake.answers = [refusal("InternalServerError", status=500), *(page(3, last=True) for _ in range(3))]
    found, failures = 0, 0
    with Client(**options(fake)) as client:
        scan = client.table(Word).parallel_scan(segments=3)
        while not scan.progress.finished:
            try:
                for _ in scan:
                    found += 1
            except ServiceError:
                failures += 1

    assert (found, failures) == (9, 1)


def test_a_closed_client_ends_the_scan_with_an_error_that_says_so(fake: FakeAws) -> None:
    fake.answers = [page(2), page(2)]
    client = Client(**options(fake))
    scan = client.table(Word).parallel_scan(segments=1)
    next(scan)
    fake.wait_for(lambda: len(fake.requests) == 2)

    client.close()

    # What was fetched already still comes.
    assert len([next(scan) for _ in range(3)]) == 3
    with pytest.raises(ClientClosed):
        next(scan)


def test_a_reply_that_is_none_fails_the_request_and_not_an_item(fake: FakeAws) -> None:
    cut_off = page(2).body[:-3]
    fake.answers = [Answer(body=cut_off), page(1, last=True)]
    with Client(**options(fake)) as client:
        scan = client.table(Word).parallel_scan(segments=1)

        with pytest.raises(TransportError):
            next(scan)

        assert len(list(scan)) == 1


# ---- loops and tasks


def test_waiting_does_not_hold_up_the_event_loop_and_cancelling_loses_nothing(fake: FakeAws) -> None:
    fake.answers = [page(2, last=True, hold=True), page(2, last=True, hold=True)]

    async def main() -> int:
        async with AsyncClient(**options(fake)) as client:
            scan = client.table(Word).parallel_scan(segments=2)
            waiting = asyncio.ensure_future(anext(scan))
            await asyncio.to_thread(fake.wait_for, lambda: len(fake.requests) == 2)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            fake.release()
            return len([word async for word in scan])

    assert asyncio.run(main()) == 4
    assert len(fake.requests) == 2


def test_tasks_share_a_scan() -> None:
    async def main() -> None:
        async with AsyncClient.local() as client:
            words = client.table(Word)
            await words.create_table()
            await words.batch_put(Word(word=str(n)) for n in range(500))
            scan = words.parallel_scan(segments=4, page_size=10)

            async def work() -> list[str]:
                return [word.word async for word in scan]

            parts = await asyncio.gather(*(work() for _ in range(5)))

            found = list(itertools.chain(*parts))
            assert len(found) == 500
            assert set(found) == {str(n) for n in range(500)}

    asyncio.run(main())


def test_a_scan_goes_on_in_another_loop() -> None:
    async def begin() -> Any:
        words = client.table(Word)
        await words.create_table()
        await words.batch_put(Word(word=str(n)) for n in range(30))
        scan = words.parallel_scan(segments=3, page_size=2)
        return scan, [(await anext(scan)).word for _ in range(5)]

    async def end(scan: Any) -> list[str]:
        return [word.word async for word in scan]

    client = AsyncClient.local()
    scan, found = asyncio.run(begin())
    found += asyncio.run(end(scan))

    assert sorted(found) == sorted(str(n) for n in range(30))


# ---- threads, signals, processes


def test_threads_share_a_scan() -> None:
    found: list[str] = []
    with Client.local() as client:
        words = client.table(Word)
        words.create_table()
        words.batch_put(Word(word=str(n)) for n in range(1000))
        scan = words.parallel_scan(segments=4, page_size=10)

        def work() -> None:
            found.extend(word.word for word in scan)

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    assert len(found) == 1000
    assert set(found) == {str(n) for n in range(1000)}
    assert scan.progress.items == 1000


INTERRUPTED = """
import signal, sys
from typing import Annotated
from oxidyn import Client, Model, PartitionKey
class Word(Model, table="words"):
    word: Annotated[str, PartitionKey]
client = Client(endpoint_url=sys.argv[1], region="r", access_key_id="k", secret_access_key="s")
scan = client.table(Word).parallel_scan(segments=2)
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    next(scan)
except KeyboardInterrupt:
    print("interrupted", flush=True)
sys.stdin.readline()
print(len(list(scan)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are Unix's")
def test_a_signal_interrupts_the_waiting_and_loses_nothing(fake: FakeAws) -> None:
    fake.answers = [page(2, last=True, hold=True), page(1, last=True, hold=True)]
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, fake.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "interrupted\n"

    fake.release()

    assert process.communicate("go\n", timeout=60)[0] == "3\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are Unix's")
def test_a_forked_child_goes_on_where_the_scan_stood(moto_server: MotoServer, table_name: str) -> None:
    with Client(**moto_server.client_options()) as client:
        words = client.table(Word, name=table_name)
        words.create_table()
        words.batch_put(Word(word=str(n)) for n in range(20))
        scan = words.parallel_scan(segments=1, page_size=3)
        found = {next(scan).word for _ in range(7)}

        child = os.fork()
        if child == 0:
            rest = [word.word for word in scan]
            os._exit(0 if len(rest) == 13 and not found & set(rest) else 1)
        assert os.waitpid(child, 0)[1] == 0

        assert len(list(scan)) == 13


RESUMED = """
import sys
from typing import Annotated
from oxidyn import Client, Model, PartitionKey
class Word(Model, table="words"):
    word: Annotated[str, PartitionKey]
with Client.local(sys.argv[1]) as client:
    for word in client.table(Word).parallel_scan(segments=4, after=sys.argv[2]):
        print(word.word)
"""


def test_another_process_goes_on_from_the_cursor(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with Client.local(path) as client:
        words = client.table(Word)
        words.create_table()
        words.batch_put(Word(word=str(n)) for n in range(40))
        scan = words.parallel_scan(segments=4)
        found = [next(scan).word for _ in range(17)]
        cursor = scan.cursor
        del scan, words

    resumed = subprocess.run(
        [sys.executable, "-c", RESUMED, str(path), cursor], capture_output=True, text=True, timeout=60, check=False
    )

    assert resumed.stderr == ""
    assert sorted(found + resumed.stdout.split()) == sorted(str(n) for n in range(40))


def test_a_cursor_of_other_keys_is_refused() -> None:
    class Numbered(Model, table="words"):
        number: Annotated[int, PartitionKey]

    with Client.local() as client:
        words = client.table(Word)
        words.create_table()
        words.batch_put([Word(word="a"), Word(word="b")])
        started = words.parallel_scan(segments=1)
        next(started)

        with pytest.raises(InvalidCursor, match="none of this table"):
            client.table(Numbered).parallel_scan(segments=1, after=started.cursor)
