"""`hostile` guided by coverage: libFuzzer, through atheris, on an extension that counts which of its branches it takes.

`make fuzz` builds the extension so and runs this; `make fuzz SECONDS=3600` does it for an hour. What libFuzzer found
interesting stays in target/fuzz/corpus for the next time; what is wrong is printed and kept in tests/codec/corpus.
"""

import random
import sys
from pathlib import Path

import atheris

from tests.codec.hostile import SHAPES, check, keep, mutate

# An input's first byte chooses the shape.
NAMES = list(SHAPES)


def split(data: bytes) -> tuple[str, bytes]:
    return NAMES[data[0] % len(NAMES)] if data else NAMES[0], data[1:]


def change(data: bytes, most: int, seed: int) -> bytes:
    """Half of the time by the form of items, which bytes alone would hardly keep; else as libFuzzer does."""
    chance = random.Random(seed)
    if chance.random() < 0.5:
        return bytes(atheris.Mutate(data, most))
    name, item = split(data)
    return (data[:1] + mutate(item or SHAPES[name].seed, chance))[:most]


def try_one(data: bytes) -> None:
    name, item = split(data)
    try:
        check(SHAPES[name], item)
    # A panic of the core's is no Exception.
    except BaseException as finding:
        if isinstance(finding, KeyboardInterrupt):
            raise
        print(f"{keep(SHAPES[name], item)}: {type(finding).__name__}: {str(finding)[:300]}", flush=True)  # noqa: T201


def main() -> None:
    corpus = Path(sys.argv[-1])
    corpus.mkdir(parents=True, exist_ok=True)
    for number, shape in enumerate(SHAPES.values()):
        (corpus / f"seed-{number}").write_bytes(bytes([number]) + shape.seed)
    atheris.Setup(sys.argv, try_one, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
