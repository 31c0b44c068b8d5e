"""A fake of AWS, and the kinds of event loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fake_aws import FakeAws

LOOPS: list[Any] = [asyncio.new_event_loop]
try:
    import uvloop
except ImportError:  # It is for Unix.
    pass
else:
    LOOPS.append(uvloop.new_event_loop)


@pytest.fixture
def fake() -> Iterator[FakeAws]:
    with FakeAws() as fake:
        yield fake


@pytest.fixture(params=LOOPS, ids=["asyncio", "uvloop"][: len(LOOPS)])
def new_loop(request: pytest.FixtureRequest) -> Callable[[], asyncio.AbstractEventLoop]:
    return request.param
