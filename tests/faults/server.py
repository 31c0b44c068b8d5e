"""A server of DynamoDB's protocol that misbehaves as it is told, on 127.0.0.1.

What it serves well is the embedded engine's answer, so that its store judges what was written, beside a log of what it
carried out. What it does to a connection is a script of bytes and an end, one for each request, so that a fault is one
line (`tests/faults/faults.py`). One thread serves all connections, a step of each at a time.
"""

from __future__ import annotations

import itertools
import json
import re
import selectors
import socket
import struct
import threading
import zlib
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from typing_extensions import Self

from oxidyn import ServiceError, _core

CASE = re.compile(rb"case-[a-z-]+")


class End(Enum):
    """What a script may end with; without one the connection is kept."""

    CLOSE = auto()
    RESET = auto()
    HOLD = auto()
    """Nothing more is said, until the caller leaves."""


Script = Sequence["bytes | End"]


@dataclass(frozen=True)
class Reply:
    """An answer as DynamoDB gives it."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def head(self) -> bytes:
        return self.head_with(("content-length", str(len(self.body))))

    def head_with(self, *headers: tuple[str, str]) -> bytes:
        told = (("content-type", "application/x-amz-json-1.0"), *self.headers, *headers)
        lines = [f"HTTP/1.1 {self.status} -", *(f"{name}: {value}" for name, value in told), "", ""]
        return "\r\n".join(lines).encode()

    @property
    def wire(self) -> bytes:
        return self.head + self.body

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["__type"]).partition("#")[2]

    @property
    def crc32(self) -> int:
        return zlib.crc32(self.body)


def refusal(code: str, status: int = 400, message: str = "no") -> Reply:
    """Refuse as DynamoDB does."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}
    return Reply(json.dumps(body).encode(), status)


class Store:
    """The embedded engine, asked with the bytes that arrived."""

    def __init__(self) -> None:
        self._engine = _core.Client.local()

    def answer(self, operation: str, body: bytes) -> Reply:
        try:
            return Reply(self._engine._call(operation, body))
        except ServiceError as error:
            return refusal(error.code, 500 if error.code == "InternalServerError" else 400, str(error))

    def items(self, table: str) -> list[str] | None:
        """Everything in the table, in one order; None where there is none."""
        answer = self.answer("Scan", json.dumps({"TableName": table}).encode())
        if answer.status != 200:
            return None
        return sorted(json.dumps(item, sort_keys=True) for item in json.loads(answer.body)["Items"])


@dataclass
class Exchange:
    """One request, as it arrived, and whether it was carried out."""

    path: str
    operation: str
    body: bytes
    headers: dict[str, str]
    connection: int
    case: str
    """The table's name, by which requests of several callers are told apart."""
    number: int
    """Among those of its case, from 0."""
    store: Store
    is_served: bool = False

    def serve(self) -> Reply:
        """Carry it out, and give the answer that would be the right one."""
        self.is_served = True
        reply = self.store.answer(self.operation, self.body)
        return replace(reply, headers=(("x-amzn-requestid", f"request-{self.number}"),))


def well(exchange: Exchange) -> Script:
    """Serve it as it should be."""
    return [exchange.serve().wire]


@dataclass(eq=False)
class _Connection:
    socket: socket.socket
    number: int
    received: bytearray = field(default_factory=bytearray)
    script: deque[bytes | End] = field(default_factory=deque)
    is_held: bool = False


_STOP, _CLOSE, _RESET = b"s", b"c", b"r"


class MisbehavingServer:
    """The server; a context manager."""

    def __init__(
        self, behave: Callable[[Exchange], Script] = well, *, greet: Callable[[int], Script] = lambda _: ()
    ) -> None:
        self.behave = behave
        """Gives the script for a request; called in the server's thread."""
        self.greet = greet
        """Gives the script for a connection of this number before its first request is read."""
        self.store = Store()
        self.exchanges: list[Exchange] = []
        self.keeps_log = True
        self.requests = 0
        self.opened = 0
        self.closed = 0
        self.failures: list[BaseException] = []
        """What `behave` raised."""
        self._counts: defaultdict[str, itertools.count[int]] = defaultdict(itertools.count)
        self._changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._orders, self._ordered = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._ordered, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._orders.send(_STOP)
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            if key.data is not None:
                key.data.socket.close()
        for closed in (self._selector, self._listener, self._orders, self._ordered):
            closed.close()
        if self.failures:
            raise self.failures[0]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds, which requests and the ends of connections may change."""
        with self._changed:
            assert self._changed.wait_for(condition, timeout=20), "the server waited in vain"

    def hang_up(self, end: End) -> None:
        """Close every connection, and wait until that is done."""
        self._orders.send(_RESET if end is End.RESET else _CLOSE)
        self.wait_for(lambda: self.closed == self.opened)

    def forget(self) -> None:
        """Count requests anew."""
        self.exchanges.clear()
        self._counts.clear()

    def of_case(self, case: str) -> list[Exchange]:
        return [exchange for exchange in self.exchanges if exchange.case == case]

    def _serve(self) -> None:
        while True:
            for key, events in self._selector.select():
                if key.fileobj is self._ordered:
                    order = self._ordered.recv(1)
                    if order == _STOP:
                        return
                    self._hang_up(order)
                    continue
                if key.fileobj is self._listener:
                    self._accept()
                    continue
                if key.data.socket.fileno() < 0:
                    continue
                if events & selectors.EVENT_READ:
                    self._read(key.data)
                if events & selectors.EVENT_WRITE and key.data.socket.fileno() >= 0:
                    self._step(key.data)

    def _hang_up(self, order: bytes) -> None:
        for key in list(self._selector.get_map().values()):
            if key.data is not None:
                key.data.script = deque([End.RESET if order == _RESET else End.CLOSE])
                self._step(key.data)

    def _accept(self) -> None:
        accepted, _ = self._listener.accept()
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(accepted, self.opened)
        with self._changed:
            self.opened += 1
            self._changed.notify_all()
        self._selector.register(accepted, selectors.EVENT_READ, connection)
        self._play(connection, self.greet(connection.number))

    def _read(self, connection: _Connection) -> None:
        try:
            received = connection.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self._end(connection)
            return
        connection.received += received
        if not connection.script and not connection.is_held:
            self._take(connection)

    def _take(self, connection: _Connection) -> None:
        """Take a request, if one has arrived as a whole."""
        head, found, rest = bytes(connection.received).partition(b"\r\n\r\n")
        if not found:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        body = rest[:length]
        connection.received = bytearray(rest[length:])
        named = CASE.search(body)
        case = "" if named is None else named.group().decode()
        operation = headers.get("x-amz-target", "").partition(".")[2]
        number = next(self._counts[case])
        path = lines[0].split(" ")[1]
        exchange = Exchange(path, operation, body, headers, connection.number, case, number, self.store)
        try:
            script = self.behave(exchange)
        except BaseException as failure:  # noqa: BLE001 (told by the test, not by a thread that died)
            self.failures.append(failure)
            script = [End.RESET]
        with self._changed:
            self.requests += 1
            if self.keeps_log:
                self.exchanges.append(exchange)
            self._changed.notify_all()
        self._play(connection, script)

    def _play(self, connection: _Connection, script: Script) -> None:
        if script:
            connection.script.extend(script)
            self._step(connection)

    def _step(self, connection: _Connection) -> None:
        """One line of the script: each is sent by itself."""
        line = connection.script.popleft()
        if line is End.HOLD:
            connection.is_held = True
        elif line is End.CLOSE:
            self._end(connection)
            return
        elif line is End.RESET:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._end(connection)
            return
        elif isinstance(line, bytes):
            try:
                sent = connection.socket.send(line) if line else 0
            except BlockingIOError:
                sent = 0
            except OSError:
                self._end(connection)
                return
            if sent < len(line):
                connection.script.appendleft(line[sent:])
        goes_on = selectors.EVENT_WRITE if connection.script else 0
        self._selector.modify(connection.socket, selectors.EVENT_READ | goes_on, connection)
        if not connection.script and not connection.is_held and connection.received:
            self._take(connection)

    def _end(self, connection: _Connection) -> None:
        self._selector.unregister(connection.socket)
        connection.socket.close()
        with self._changed:
            self.closed += 1
            self._changed.notify_all()
