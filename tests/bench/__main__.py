"""`python -m tests.bench [--quick] [--check] [--only PART]`."""

from __future__ import annotations

import argparse
import importlib
import sys

from tests.bench.rounds import Effort, pin

PARTS = ("codec", "plans", "bars", "calls", "pages", "expressions", "scans", "web", "imports")


def main() -> int:
    """Run the parts asked for, print and save what they measured; with `--check`, fail where a bar does."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="oxidyn beside its peers, in CPU time")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part; may be repeated")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: numbers within a tenth or two")
    parser.add_argument("--check", action="store_true", help="end with status 1 when a bar fails")
    arguments = parser.parse_args()

    effort = Effort(rounds=3, seconds=0.02) if arguments.quick else Effort(rounds=15, seconds=0.06)
    core = pin()
    failed = False
    for name in arguments.only or PARTS:
        part = importlib.import_module(f"tests.bench.{name}").run(effort)
        part.save(core)
        sys.stdout.write(f"{part.text()}\n\n")
        sys.stdout.flush()
        failed |= not all(bar.holds for bar in part.bars)
    return 1 if failed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
