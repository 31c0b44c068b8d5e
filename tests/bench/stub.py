"""The stub server of `stub.rs`: built, started with its answers, ended."""

from __future__ import annotations

import json
import resource
import subprocess
import urllib.request
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

REPOSITORY = Path(__file__).parents[2]


def build(example: str = "bench-stub", features: str = "") -> Path:
    """Build the stub, or another of the bench's Rust programs, and return its path."""
    cargo = ["cargo", "build", "--quiet", "--release", "--no-default-features", "--example", example]
    cargo += ["--features", features] if features else []
    messages = subprocess.run(
        [*cargo, "--message-format", "json"], cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    executables = [json.loads(line).get("executable") for line in messages.splitlines()]
    return Path(next(path for path in executables if path))


class Stub:
    """A running stub; `answers` are the replies' JSON by operation. Several to one operation are given in turn."""

    def __init__(self, executable: Path, answers: dict[str, Any | list[Any]]) -> None:
        self._process = subprocess.Popen([executable], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin
        assert self._process.stdout
        for operation, answer in answers.items():
            for each in answer if isinstance(answer, list) else [answer]:
                response = _response(json.dumps(each, separators=(",", ":"), ensure_ascii=False).encode())
                self._process.stdin.write(b"%s %d\n%s" % (operation.encode(), len(response), response))
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        self.cpu_per_request = 0.0

    def last_body(self) -> Any:
        """The JSON of the last request's body."""
        request = urllib.request.Request(self.url, data=b"", headers={"X-Amz-Target": "Bench.LastBody"})
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        before = _children_cpu()
        requests, _ = self._process.communicate()
        self.cpu_per_request = (_children_cpu() - before) * 1e6 / max(1, int(requests))


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _response(body: bytes) -> bytes:
    # What the service sends, text beyond ASCII as UTF-8, with the checksum that botocore verifies.
    head = (
        "HTTP/1.1 200 OK\r\nServer: Server\r\nDate: Fri, 20 Nov 2026 09:00:00 GMT\r\n"
        f"Content-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\nConnection: keep-alive\r\n"
        f"x-amzn-RequestId: {'0' * 52}\r\nx-amz-crc32: {zlib.crc32(body)}\r\n\r\n"
    )
    return head.encode() + body
