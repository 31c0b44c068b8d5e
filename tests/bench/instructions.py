"""Instructions per operation, by whose they are: `python -m tests.bench.instructions`. Needs valgrind.

Times differ from run to run; counts do not, and they tell our own code from CPython's: making, filling and freeing the
objects that an instance consists of, which no decoder is without.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from oxidyn import ItemAdapter
from tests.bench import shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.bench.shapes import Shape

SHAPES = {
    "flat": shapes.FLAT,
    "mixed": shapes.MIXED,
    "order": shapes.ORDER,
    "vector-7": shapes.VECTOR_7,
    "vector-17": shapes.VECTOR_17,
}
WAYS = ("encode", "decode")
LIBRARIES = ("oxidyn", "pydantic")
FEW = 3
MANY = 8


def main() -> int:
    """Print the table, or do the work of one cell of it."""
    if len(sys.argv) > 1:
        library, way, shape, times = sys.argv[1:]
        _work(library, way, SHAPES[shape], int(times))
        return 0
    sys.stdout.write(f"{'instructions per operation':28}{'all':>10}{'own':>10}{'CPython':>10}{'C library':>10}\n")
    for way in WAYS:
        for shape in SHAPES:
            for library in LIBRARIES:
                own, python, c = _count(library, way, shape)
                title = f"{way} {shape}, {library}"
                sys.stdout.write(f"{title:28}{own + python + c:>10,.0f}{own:>10,.0f}{python:>10,.0f}{c:>10,.0f}\n")
                sys.stdout.flush()
    return 0


def _work(library: str, way: str, shape: Shape, times: int) -> None:
    call, arguments = _call(library, way, shape)
    for argument in chain.from_iterable(repeat(arguments, times)):
        call(argument)


def _call(library: str, way: str, shape: Shape) -> tuple[Callable[..., object], Sequence[object]]:
    if library == "oxidyn":
        adapter = ItemAdapter(shape.model)
        if way == "encode":
            return adapter.dump_wire, shape.samples
        return adapter.load_wire, [adapter.dump_wire(sample) for sample in shape.samples]
    if way == "encode":
        return shape.model.model_dump_json, shape.samples
    return shape.model.model_validate_json, [sample.model_dump_json().encode() for sample in shape.samples]


def _count(library: str, way: str, shape: str) -> tuple[float, float, float]:
    """Own instructions, CPython's and the C library's: the difference of two runs, by the operations between them."""
    few, many = (
        by_binary(profile("tests.bench.instructions", library, way, shape, str(times))) for times in (FEW, MANY)
    )
    operations = (MANY - FEW) * len(SHAPES[shape].samples)
    own, python, c = ((later - earlier) / operations for earlier, later in zip(few, many, strict=True))
    return own, python, c


def profile(module: str, *arguments: str) -> list[str]:
    """The lines of callgrind's profile of `python -m module`."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind.out"
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", sys.executable, "-m", module]
        environment = os.environ | {"PYTHONHASHSEED": "0"}
        subprocess.run([*command, *arguments], check=True, env=environment, stderr=subprocess.DEVNULL)
        return out.read_text().splitlines()


def functions(lines: list[str]) -> Iterator[tuple[str, str, int]]:
    """The binary, the function and a count of its own instructions: the line after `calls=` counts the callee's."""
    names: dict[tuple[str, str], str] = {}
    current = {"ob": "", "fn": ""}
    numbered = iter(lines)
    for line in numbered:
        key, is_spec, value = line.partition("=")
        if is_spec and key in ("ob", "cob", "fn", "cfn"):
            # A name stands with its number where it comes first.
            kind = key[-2:]
            number, _, name = value.partition(" ")
            name = names.setdefault((kind, number), name)
            if key in current:
                current[key] = name
        elif key == "calls":
            next(numbered)
        elif line[:1] in "+-*0123456789" and len(words := line.split()) == 2:
            yield current["ob"], current["fn"], int(words[1])


def by_binary(lines: list[str]) -> tuple[int, int, int]:
    """Sum up a profile: our own instructions, CPython's, the C library's."""
    own = python = c = 0
    for binary, _, count in functions(lines):
        if "_core" in binary:
            own += count
        elif "/libc" in binary or "/ld-" in binary or "/libm" in binary:
            c += count
        else:
            python += count
    return own, python, c


if __name__ == "__main__":
    sys.exit(main())
