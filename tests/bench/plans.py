"""What a plan costs before the first item: the time of compiling it and the memory that it keeps."""

from __future__ import annotations

import gc
import statistics
import time
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import BaseModel, create_model

from oxidyn import ItemAdapter, _core
from tests.bench import shapes
from tests.bench.report import Bar, Part, Row, Table
from tests.bench.rounds import Ratio, Sample

if TYPE_CHECKING:
    from tests.bench.rounds import Effort

KINDS = (str, int, float, bool, datetime, date, Decimal, UUID, str | None, list[str])
Inner = create_model("Inner", **{f"part_{at}": (kind, ...) for at, kind in enumerate(KINDS)})
# 50 fields, ten of which are lists of a model with ten more.
Wide = create_model(
    "Wide",
    **{f"field_{at}": (kind, ...) for at, kind in enumerate(KINDS * 4)},
    **{f"models_{at}": (list[Inner], ...) for at in range(10)},
)
MODELS: dict[str, type[BaseModel]] = {
    "six flat fields": shapes.Flat,
    "twenty mixed fields": shapes.Mixed,
    "50 fields, ten of them nested": Wide,
}
# Milliseconds; the promise is for the last of the models.
LIMIT = 1.0
# So many that pages, which the memory is counted in, do not matter.
KEPT = 2000


def run(effort: Effort) -> Part:
    """Compile each model time after time, then keep many of its plans."""
    compiled = Table("plans: compiling a model", baseline="oxidyn", unit="CPU ms")
    rounds = effort.rounds * 5
    for name, model in MODELS.items():
        compiled.rows.append(Row(name, {"oxidyn": Sample([_compile(model) for _ in range(rounds)])}))
    last = compiled.rows[-1]
    times = last.samples["oxidyn"].rounds
    ratio = Ratio(statistics.median(times), min(times), max(times))
    notes = {f"bytes of a plan, {name}": f"{_memory(model):,}" for name, model in MODELS.items()}
    return Part("plans", [compiled], [Bar(f"compile, {last.title}", ratio, LIMIT, "a millisecond")], notes)


def _compile(model: type[BaseModel]) -> float:
    # A class keeps its plans, and so each time it is another.
    class Fresh(model):
        pass

    start = time.process_time()
    ItemAdapter(Fresh)
    return (time.process_time() - start) * 1e3


def _memory(model: type[BaseModel]) -> int:
    schema = model.__pydantic_core_schema__
    gc.collect()
    before = _resident()
    plans = [_core.Plan(schema, model, title=model.__name__) for _ in range(KEPT)]
    return (_resident() - before) // len(plans)


def _resident() -> int:
    """The process's memory in bytes; 0 where the system does not tell."""
    statistics_of_memory = Path("/proc/self/statm")
    if not statistics_of_memory.exists():
        return 0
    return int(statistics_of_memory.read_text().split()[1]) * 4096
