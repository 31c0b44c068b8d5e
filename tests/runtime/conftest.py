"""A fake of AWS, and the kinds of event loops."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fake_aws import FakeAws

uvloop = pytest.importorskip("uvloop", reason="uvloop is for Unix") if sys.platform != "win32" else None

LOOPS: list[Any] = [asyncio.new_event_loop, *([uvloop.new_event_loop] if uvloop else [])]


@pytest.fixture
def fake() -> Iterator[FakeAws]:
    with FakeAws() as fake:
        yield fake


@pytest.fixture(params=LOOPS, ids=["asyncio", "uvloop"][: len(LOOPS)])
def new_loop(request: pytest.FixtureRequest) -> Callable[[], asyncio.AbstractEventLoop]:
    return request.param
