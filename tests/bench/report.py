"""What was measured, as text for people and as JSON."""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.bench.rounds import Ratio, Sample

RESULTS = Path(__file__).parent / "results"
PEERS = ("pydantic", "boto3", "aioboto3", "pynamodb", "pydynox")


@dataclass(frozen=True)
class Row:
    """One thing that every column does."""

    title: str
    samples: dict[str, Sample]


@dataclass(frozen=True)
class Table:
    """Medians, each with its ratio to the baseline's column."""

    title: str
    baseline: str
    unit: str = "CPU µs per operation"
    rows: list[Row] = field(default_factory=list)

    def text(self) -> str:
        columns = list(dict.fromkeys(name for row in self.rows for name in row.samples))
        lines = [["", *columns]]
        for row in self.rows:
            base = row.samples[self.baseline]
            lines.append([row.title, *(self._cell(row.samples.get(name), base) for name in columns)])
        widths = [max(len(line[column]) for line in lines) for column in range(len(columns) + 1)]
        padded = [
            "  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))])
            for line in lines
        ]
        return "\n".join([f"{self.title}: {self.unit}, times {self.baseline} [least, greatest]", *padded])

    def _cell(self, sample: Sample | None, base: Sample) -> str:
        if sample is None:
            return "-"
        number = _number(sample.median)
        return number if sample is base else f"{number} {_ratio(sample.over(base))}"


@dataclass(frozen=True)
class Bar:
    """A promise: `ratio` is at most `limit`."""

    name: str
    ratio: Ratio
    limit: float
    of: str = "Pydantic's JSON"

    @property
    def holds(self) -> bool:
        return self.ratio.median <= self.limit

    def text(self) -> str:
        verdict = "holds" if self.holds else "FAILS"
        return f"{verdict}: {self.name}: {_share(self.ratio)} of {self.of}, at most {self.limit:g}"


@dataclass(frozen=True)
class Part:
    """One part of the bench: its tables, its promises, and what the reader must know beside them."""

    name: str
    tables: list[Table]
    bars: list[Bar]
    notes: dict[str, str]

    def text(self) -> str:
        notes = [f"  {name}: {note}" for name, note in self.notes.items()]
        blocks = [table.text() for table in self.tables]
        blocks += ["\n".join(lines) for lines in ([bar.text() for bar in self.bars], notes) if lines]
        return "\n\n".join(blocks)

    def save(self, core: int | None) -> None:
        RESULTS.mkdir(exist_ok=True)
        content = {"machine": _machine(core), **asdict(self)}
        (RESULTS / f"{self.name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _machine(core: int | None) -> dict[str, Any]:
    return {
        "when": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "pinned to core": core,
        "versions": {name: version(name) for name in PEERS},
    }


def _number(value: float) -> str:
    return f"{value:,.2f}" if value < 10 else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def _ratio(ratio: Ratio) -> str:
    return f"{ratio.median:.2f}x [{ratio.least:.2f}, {ratio.greatest:.2f}]"


def _share(ratio: Ratio) -> str:
    return f"{ratio.median:.3f}x [{ratio.least:.3f}, {ratio.greatest:.3f}]"
