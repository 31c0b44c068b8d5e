"""Measuring side by side: CPU time, interleaved rounds, one core."""

from __future__ import annotations

import gc
import os
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    # Does its work `n` times; what it gives is the CPU seconds that this took, where another process did it.
    Batch = Callable[[int], float | None]


@dataclass(frozen=True)
class Effort:
    """How long to measure: `rounds` batches of each case, each of about `seconds` of CPU time."""

    rounds: int
    seconds: float


@dataclass(frozen=True)
class Sample:
    """CPU microseconds per operation, one value for each round."""

    rounds: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    def over(self, other: Sample) -> Ratio:
        """How many times `other` this is; the spread is that of the rounds, in each of which both were measured."""
        each = [mine / theirs for mine, theirs in zip(self.rounds, other.rounds, strict=True)]
        return Ratio(self.median / other.median, min(each), max(each))


@dataclass(frozen=True)
class Ratio:
    """A ratio of medians, and the least and the greatest ratio within a round."""

    median: float
    least: float
    greatest: float


def pin() -> int | None:
    """Keep this process, and every thread and child it starts from now on, on one core, where the system can.

    A small call costs twice as much CPU when the kernel spreads client and server over idle cores: compare in one mode.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def interleave(cases: Mapping[str, Batch], effort: Effort, multiple_of: int = 1) -> dict[str, Sample]:
    """Measure the cases in turn, round after round, so that whatever disturbs the machine disturbs all of them."""
    sizes = {name: _batch_size(batch, effort.seconds, multiple_of) for name, batch in cases.items()}
    times: dict[str, list[float]] = {name: [] for name in cases}
    # The collector stays on, as in a user's process, but does not walk what the peers' imports left behind.
    gc.collect()
    gc.freeze()
    for _ in range(effort.rounds):
        for name, batch in cases.items():
            times[name].append(_seconds(batch, sizes[name]) * 1e6 / sizes[name])
    gc.unfreeze()
    return {name: Sample(values) for name, values in times.items()}


def _seconds(batch: Batch, times: int) -> float:
    start = time.process_time()
    elsewhere = batch(times)
    return time.process_time() - start if elsewhere is None else elsewhere


def _batch_size(batch: Batch, seconds: float, multiple_of: int) -> int:
    size = multiple_of
    while True:
        spent = _seconds(batch, size)
        if spent > seconds / 4:
            return max(1, round(size * seconds / spent / multiple_of)) * multiple_of
        size *= 2
