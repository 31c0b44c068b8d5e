"""A fake of AWS on 127.0.0.1: DynamoDB, STS, and the metadata of containers and instances, in one small server.

It records who asked for what and answers as it is told. It judges nothing: moto and the embedded engine do that.
"""

import json
import re
import select
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from typing_extensions import Self

EXPIRY = "2099-01-01T00:00:00Z"


@dataclass
class Request:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def operation(self) -> str:
        return self.headers.get("x-amz-target", "").partition(".")[2]

    @property
    def access_key_id(self) -> str:
        return self._scope()[0]

    @property
    def region(self) -> str:
        return self._scope()[2]

    @property
    def session_token(self) -> str | None:
        return self.headers.get("x-amz-security-token")

    def _scope(self) -> list[str]:
        match = re.search(r"Credential=([^,]+)", self.headers["authorization"])
        assert match is not None
        return match.group(1).split("/")


@dataclass
class Answer:
    """What the fake answers; `cut` closes the connection, before the answer or after it."""

    status: int = 200
    body: bytes = b"{}"
    cut: str | None = None
    hold: bool = False
    headers: dict[str, str] = field(default_factory=dict)


def refusal(code: str, message: str = "no", status: int = 400) -> Answer:
    """Refuse as DynamoDB does."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}
    return Answer(status, json.dumps(body).encode())


class FakeAws:
    """The server; a context manager. `certificate` is a PEM file with its key: the fake speaks TLS then."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.requests: list[Request] = []
        self.answers: list[Answer] = []
        """What the next DynamoDB requests get, in order; `{}` after that."""
        self.expiry = EXPIRY
        """Until when the credentials of containers and instances hold."""
        self.opened = 0
        """Connections so far."""
        self.closed = 0
        self.left = threading.Event()
        """Set when a caller whose request is held has closed its connection."""
        self._changed = threading.Condition()
        self._release_reader, self._release_writer = socket.socketpair()
        self._server = _Server(self)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if certificate is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._release_reader.close()
        self._release_writer.close()

    @property
    def dynamodb(self) -> list[Request]:
        return [request for request in self.requests if request.operation]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds, which requests and the ends of connections may change."""
        with self._changed:
            assert self._changed.wait_for(condition, timeout=20), "the fake waited in vain"

    def wait_for_closed(self) -> None:
        """Wait until every connection is closed, by whichever side."""
        self.wait_for(lambda: self.closed == self.opened)

    def release(self) -> None:
        """Answer every held request, now and from now on."""
        self._release_writer.send(b"x")

    def _hold(self, connection: socket.socket) -> bool:
        """Wait for `release`; false when the caller leaves first."""
        ready, _, _ = select.select([connection, self._release_reader], [], [], 60)
        if self._release_reader in ready:
            return True
        if connection in ready and not connection.recv(1, socket.MSG_PEEK):
            self.left.set()
        return False

    def _answer(self, request: Request) -> Answer:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
            if request.operation:
                return self.answers.pop(0) if self.answers else Answer()
        return _metadata(request, self.expiry)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        assert isinstance(self.server, _Server)
        self.fake = self.server.fake
        super().setup()
        with self.fake._changed:
            self.fake.opened += 1
            self.number = self.fake.opened

    def finish(self) -> None:
        super().finish()
        # Now, not when the server comes to it: the caller is to see it before anything else happens.
        self.connection.close()
        with self.fake._changed:
            self.fake.closed += 1
            self.fake._changed.notify_all()

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body, self.number)
        answer = self.fake._answer(request)
        if answer.hold and not self.fake._hold(self.connection):
            self.close_connection = True
            return
        if answer.cut == "before":
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in {"x-amzn-requestid": f"request-{len(self.fake.requests)}", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
        if answer.cut == "after":
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_CONNECT = handle_any

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base's name)
        pass


class _Server(ThreadingHTTPServer):
    request_queue_size = 256

    def __init__(self, fake: FakeAws) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fake = fake

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers that leave in the middle are part of the tests."""


def _metadata(request: Request, expiry: str) -> Answer:
    """STS, a container's and an instance's credentials; each hands out a key that tells where it came from."""
    match request.path.partition("?")[0]:
        case "/" if request.method == "POST":
            return _sts(parse_qs(request.body.decode()))
        case "/container":
            if request.headers.get("authorization") != "container-token":
                return Answer(403, b"{}")
            return Answer(body=_credentials("CONTAINER", "Token", expiry))
        case "/latest/api/token":
            return Answer(body=b"imds-token", headers={"x-aws-ec2-metadata-token-ttl-seconds": "21600"})
        case "/latest/meta-data/iam/security-credentials/":
            return Answer(body=b"instance-role")
        case "/latest/meta-data/iam/security-credentials/instance-role":
            return Answer(body=_credentials("INSTANCE", "Token", expiry, Code="Success", Type="AWS-HMAC"))
        case "/latest/meta-data/placement/region":
            return Answer(body=b"ap-southeast-2")
        case _:
            return Answer(404, b"")


def _credentials(source: str, token: str, expiry: str, **more: str) -> bytes:
    document = {
        "AccessKeyId": f"{source}-KEY",
        "SecretAccessKey": "secret",
        token: f"{source}-TOKEN",
        "Expiration": expiry,
        "LastUpdated": "2020-01-01T00:00:00Z",
        **more,
    }
    return json.dumps(document).encode()


def _sts(form: dict[str, list[str]]) -> Answer:
    action = form["Action"][0]
    role = form["RoleArn"][0].rpartition("/")[2]
    source = {"AssumeRole": "ROLE", "AssumeRoleWithWebIdentity": "WEB"}[action]
    if source == "WEB" and form["WebIdentityToken"] != ["web-identity"]:
        return Answer(403, b"<ErrorResponse/>")
    body = f"""<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>
        <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/{role}/s</Arn><AssumedRoleId>id:s</AssumedRoleId>
        </AssumedRoleUser><Credentials><AccessKeyId>{source}-{role}</AccessKeyId>
        <SecretAccessKey>secret</SecretAccessKey><SessionToken>{source}-TOKEN</SessionToken>
        <Expiration>{EXPIRY}</Expiration></Credentials></{action}Result></{action}Response>"""
    return Answer(body=body.encode(), headers={"content-type": "text/xml"})
