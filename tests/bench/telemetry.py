"""What telemetry costs a put: `python -m tests.bench.telemetry WITHOUT.so`. Needs valgrind.

Counted in instructions of the client under callgrind, over HTTP against the stub: with nobody to tell, against an extension
in which it is compiled out (`cargo build --release --lib --features without-telemetry`), and with each listener. Prints a
bar, and fails above it: with nobody to tell, at most a hundredth.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.instructions import by_binary
from tests.bench.stub import REPOSITORY, Stub, build

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW = 200
MANY = 1200
MOST = 0.01
"""Of a put's instructions, with nobody to tell."""

LISTENERS: dict[str, dict[str, Any]] = {
    "nobody": {},
    "metrics": {"metrics": True},
    "hot partitions": {"hot_partitions": "hashed"},
    "a hook in C": {"on_call": id},
    "metrics, capacity asked": {"metrics": True, "capacity": "total"},
}


def main() -> int:
    """Print the table, or do the puts of one of its rows."""
    if len(sys.argv) == 4:
        _put(sys.argv[1], LISTENERS[sys.argv[2]], int(sys.argv[3]))
        return 0
    [without] = map(Path, sys.argv[1:])
    extension = next((REPOSITORY / "python" / "oxidyn").glob("_core.*.so"))
    with tempfile.TemporaryDirectory() as folder, Stub(build(), {"PutItem": {}}) as stub:
        compiled_out = Path(folder) / "python"
        shutil.copytree(REPOSITORY / "python", compiled_out, ignore=shutil.ignore_patterns("*.so"))
        shutil.copy(without, compiled_out / "oxidyn" / extension.name)
        least = _per_put(compiled_out, stub.url, "nobody")
        sys.stdout.write(f"{'instructions of a put':28}{'':>10}{'more':>10}\n{'compiled out':28}{least:>10,.0f}\n")
        cost = {}
        for name in LISTENERS:
            count = _per_put(REPOSITORY / "python", stub.url, name)
            cost[name] = count / least - 1
            sys.stdout.write(f"{name:28}{count:>10,.0f}{cost[name]:>10.2%}\n")
            sys.stdout.flush()
    is_met = cost["nobody"] <= MOST
    sys.stdout.write(f"with nobody to tell: {cost['nobody']:.2%}, bar {MOST:.0%}: {'met' if is_met else 'MISSED'}\n")
    return 0 if is_met else 1


def _put(url: str, options: dict[str, Any], times: int) -> None:
    from oxidyn import Client
    from tests.bench.shapes import FLAT

    client = Client(endpoint_url=url, region="eu-central-1", access_key_id="a", secret_access_key="b", **options)
    items = client.table(FLAT.model, name="flat", partition="org", sort="id")
    for item in _endless(FLAT.samples, times):
        items.put(item)


def _endless(samples: list[Any], times: int) -> Iterator[Any]:
    for number in range(times):
        yield samples[number % len(samples)]


def _per_put(python: Path, url: str, name: str) -> float:
    few, many = (_instructions(python, url, name, times) for times in (FEW, MANY))
    return (many - few) / (MANY - FEW)


def _instructions(python: Path, url: str, name: str, times: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind.out"
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", sys.executable, "-m", __spec__.name]
        environment = os.environ | {"PYTHONHASHSEED": "0", "PYTHONPATH": f"{python}:{REPOSITORY}"}
        subprocess.run(
            [*command, url, name, str(times)], check=True, env=environment, cwd=folder, stderr=subprocess.DEVNULL
        )
        return sum(by_binary(out.read_text().splitlines()))


if __name__ == "__main__":
    sys.exit(main())
