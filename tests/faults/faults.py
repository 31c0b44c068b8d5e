"""What may go wrong between a request and its answer, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from oxidyn import ConnectError, OxidynError, ReplyError, RequestTimeout, ServiceError, Throttled
from tests.faults.server import End, Exchange, Reply, Script, refusal


@dataclass(frozen=True)
class Fault:
    """One way of treating a request."""

    name: str
    script: Callable[[Exchange], Script]
    errors: tuple[type[OxidynError], ...] = ()
    """One of these where it is not got over; without any, it is no hindrance."""
    is_in_doubt: bool = True
    """Whether the caller cannot know if the request was carried out."""
    is_slow: bool = False
    """Whether only a deadline ends it."""
    is_late: bool = False
    """Whether it comes behind a whole answer, and may so meet the next request on its way."""

    def __str__(self) -> str:
        return self.name


def _lost(name: str, script: Callable[[Exchange], Script], *errors: type[OxidynError], is_slow: bool = False) -> Fault:
    return Fault(name, script, errors or (ConnectError,), is_slow=is_slow)


def _refused(name: str, reply: Reply, *errors: type[OxidynError]) -> Fault:
    return Fault(name, lambda _: [reply.wire], errors, is_in_doubt=False)


def _harmless(name: str, script: Callable[[Exchange], Script], *, is_late: bool = False) -> Fault:
    return Fault(name, script, is_late=is_late)


def _each_byte(data: bytes) -> Script:
    return [data[place : place + 1] for place in range(len(data))]


def _half_a_body(exchange: Exchange, end: End) -> Script:
    reply = exchange.serve()
    return [reply.head, reply.body[: len(reply.body) // 2], end]


def _longer(exchange: Exchange) -> Script:
    reply = exchange.serve()
    return [reply.head_with(("content-length", str(len(reply.body) + 10))), reply.body, End.CLOSE]


def _chunked(exchange: Exchange) -> Script:
    reply = exchange.serve()
    half = len(reply.body) // 2
    parts = [part for part in (reply.body[:half], reply.body[half:]) if part]
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in parts]
    return [reply.head_with(("transfer-encoding", "chunked")), *chunks, b"0\r\n\r\n"]


def _half_of_the_chunks(exchange: Exchange) -> Script:
    *begun, _ = _chunked(exchange)
    return [*begun, End.CLOSE]


def _wrong_sum(exchange: Exchange) -> Script:
    reply = exchange.serve()
    return [
        reply.head_with(("content-length", str(len(reply.body))), ("x-amz-crc32", str(~reply.crc32 & 0xFFFF_FFFF))),
        reply.body,
    ]


def _another_body(exchange: Exchange) -> Script:
    """One that reads as well as the right one: only the sum tells."""
    reply = exchange.serve()
    body = reply.body.replace(b"plain", b"plume").replace(b"{}", b"{ }")
    return [
        reply.head_with(("content-length", str(len(body))), ("x-amz-crc32", str(reply.crc32 ^ (body == reply.body)))),
        body,
    ]


def _right_sum(exchange: Exchange) -> Script:
    reply = exchange.serve()
    return [reply.head_with(("content-length", str(len(reply.body))), ("x-amz-crc32", str(reply.crc32))), reply.body]


BROKEN = (ConnectError, ReplyError)

FAULTS = [
    _lost("reset before it was carried out", lambda _: [End.RESET]),
    _lost("closed before it was carried out", lambda _: [End.CLOSE]),
    _lost("reset before the reply", lambda exchange: exchange.serve() and [End.RESET]),
    _lost("closed before the reply", lambda exchange: exchange.serve() and [End.CLOSE]),
    _lost("reset within the header", lambda exchange: [exchange.serve().head[:40], End.RESET], *BROKEN),
    _lost("half a header", lambda exchange: [exchange.serve().head[:40], End.CLOSE], *BROKEN),
    _lost("reset within the body", lambda exchange: _half_a_body(exchange, End.RESET), *BROKEN),
    _lost("half a body", lambda exchange: _half_a_body(exchange, End.CLOSE), *BROKEN),
    _lost("a length that is too long", _longer, *BROKEN),
    _lost("half of the chunks", _half_of_the_chunks, *BROKEN),
    _lost("a length that is no number", lambda e: [e.serve().head_with(("content-length", "x")), End.CLOSE], *BROKEN),
    _lost("no HTTP", lambda exchange: exchange.serve() and [b"\x00\x16\x03 what?\r\n\r\n", End.CLOSE], *BROKEN),
    _lost("no answer", lambda exchange: exchange.serve() and [End.HOLD], RequestTimeout, is_slow=True),
    _lost("no end of the header", lambda e: [e.serve().head[:40], End.HOLD], RequestTimeout, is_slow=True),
    _lost("no end of the body", lambda e: _half_a_body(e, End.HOLD), RequestTimeout, is_slow=True),
    _lost("a wrong checksum", _wrong_sum, ReplyError),
    _lost("a body that its checksum denies", _another_body, ReplyError),
    Fault("500", lambda _: [refusal("InternalServerError", 500).wire], (ServiceError,)),
    Fault("500 when it was carried out", lambda e: e.serve() and [refusal("InternalServerError", 500).wire], (ServiceError,)),
    Fault("502 of a gateway", lambda e: e.serve() and [Reply(b"<html>bad gateway</html>", 502).wire], (ReplyError,)),
    _refused("throttled", refusal("ThrottlingException"), Throttled),
    _refused("throughput exceeded", refusal("ProvisionedThroughputExceededException"), Throttled),
    _harmless("slow bytes", lambda exchange: _each_byte(exchange.serve().wire)),
    _harmless("closed after the reply", lambda exchange: [exchange.serve().wire, End.CLOSE], is_late=True),
    _harmless("reset after the reply", lambda exchange: [exchange.serve().wire, End.RESET], is_late=True),
    _harmless("a right checksum", _right_sum),
    _harmless("in chunks", _chunked),
    _harmless("up to the close", lambda exchange: [(reply := exchange.serve()).head_with() + reply.body, End.CLOSE]),
    _harmless("told to go on first", lambda exchange: [b"HTTP/1.1 100 Continue\r\n\r\n", exchange.serve().wire]),
    _harmless("connection: close", lambda e: [e.serve().wire.replace(b"\r\n", b"\r\nconnection: close\r\n", 1), End.CLOSE]),
]  # fmt: skip
