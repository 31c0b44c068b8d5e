"""Rust without Python: the official typed client, and hyper with a signature by hand (`rust_peers/`)."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from tests.bench.typed import to_typed

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from tests.bench.rounds import Batch
    from tests.bench.shapes import Shape

EXAMPLE = "bench-rust-peers"
FEATURES = "aws,embedded,python-dependencies"
"""Those of the Rust tests, so that the two share what is built."""
SDK = "Rust SDK"
BY_HAND = "hyper by hand"


class RustPeers:
    """A running program, which does as many operations as it is told and says what CPU time they took."""

    def __init__(self, executable: Path, url: str, shape: Shape) -> None:
        self._process = subprocess.Popen([executable, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        items = json.dumps([to_typed(sample) for sample in shape.samples]).encode()
        self._send(b"%d\n%s" % (len(items), items))

    def batch(self, peer: str, operation: str, reads: int = 0) -> Batch:
        """`reads`: the items that one operation must read."""
        words = f"{'sdk' if peer == SDK else 'by_hand'} {operation}"

        def batch(times: int) -> float:
            self._send(f"{words} {times}\n".encode())
            assert self._process.stdout
            nanoseconds, read = self._process.stdout.readline().split()
            assert int(read) == reads * times, f"{peer}, {operation}, read something else"
            return int(nanoseconds) / 1e9

        return batch

    def _send(self, data: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        self._process.communicate()
