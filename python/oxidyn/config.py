"""`Config`: a client's options, checked when it is made. What is None is found where every AWS tool looks.

Each field has a row in docs/configuration.md: its unit, its default and where else it may be said.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from typing_extensions import Self

from .errors import InvalidOption, shown
from .exports import show_public_path

if TYPE_CHECKING:
    from ._core import CallRecord

__all__ = ["CallHook", "Capacity", "Config", "HotPartitions"]

CallHook: TypeAlias = "Callable[[CallRecord], object]"
"""What is told of each call; what it returns is not looked at."""
Capacity: TypeAlias = Literal["total", "indexes"]
HotPartitions: TypeAlias = Literal["hashed", "shown"]

# A proxy's URL may hold a password.
_SECRET = frozenset({"secret_access_key", "session_token", "proxy", "cursor_key"})
_RETRY_MODES = ("standard", "adaptive")
_LARGEST_COUNT = 10_000
_LEAST_KEY_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Config:
    """The options of `Client` and `AsyncClient`, as one value that cannot be changed: `Client(config=Config(region="eu-central-1"))`.

    The same keywords may be given to a client itself, and outrank its config's. What is None is found where every AWS
    tool looks, or has a default. `dataclasses.replace(config, max_attempts=1)` makes another one. Reprs show no secrets.

    Raises:
        InvalidOption: an option cannot be; the message names it and says what was expected.
    """

    region: str | None = None
    """The AWS region: "eu-central-1"."""
    profile: str | None = None
    """A profile of ~/.aws/config and ~/.aws/credentials; it outranks keys in the environment."""
    endpoint_url: str | None = None
    """Where DynamoDB answers, if not at AWS: "http://localhost:8000"."""
    access_key_id: str | None = None
    secret_access_key: str | None = None
    session_token: str | None = None
    connect_timeout: float | None = None
    """Seconds for a connection to be made; 5 unless said."""
    read_timeout: float | None = None
    """Seconds for an answer to begin; 30 unless said."""
    operation_timeout: float | None = None
    """Seconds for one request with all its tries and the waits between them; unlimited unless said."""
    max_attempts: int | None = None
    """How often a request is tried in all; AWS_MAX_ATTEMPTS, the profile's `max_attempts`, or 3 unless said."""
    retry_mode: Literal["standard", "adaptive"] | None = None
    """Whether throttling slows the client down ("adaptive"); AWS_RETRY_MODE, the profile's `retry_mode`, or "standard"
    unless said."""
    max_connections: int | None = None
    """Connections of an `AsyncClient`, 50 unless said; further calls wait. A `Client` has one for each thread that calls,
    and up to so many while that thread's batch has several requests under way."""
    ca_bundle: str | os.PathLike[str] | None = None
    """A PEM file of the certificates that are trusted, instead of the system's; AWS_CA_BUNDLE unless said."""
    proxy: str | None = None
    """The URL of the proxy that every request goes through; HTTP_PROXY, HTTPS_PROXY and NO_PROXY unless said."""
    cursor_key: bytes | None = None
    """Signs the cursors of pages, so that only those come back that this key signed: 16 bytes or more, the same in every
    process."""
    metrics: bool | None = None
    """True keeps sums of all calls for `Client.metrics`."""
    on_call: CallHook | Sequence[CallHook] | None = None
    """A hook, or several, that get the `CallRecord` of each call when it ends, on the caller's thread or the event loop's."""
    capacity: Capacity | None = None
    """Asks what each call consumes, in total or with the part of each index, for records and metrics."""
    hot_partitions: HotPartitions | None = None
    """Counts for `Client.hot_partitions` what is asked of each partition key: given out as a hash, or as it is."""

    def __post_init__(self) -> None:
        for name in (
            "region",
            "profile",
            "endpoint_url",
            "access_key_id",
            "secret_access_key",
            "session_token",
            "proxy",
        ):
            _expect_text(name, getattr(self, name))
        for name in ("connect_timeout", "read_timeout", "operation_timeout"):
            _expect_seconds(name, getattr(self, name))
        for name in ("max_attempts", "max_connections"):
            _expect_count(name, getattr(self, name))
        self._expect_ways()
        _expect_key(self.cursor_key)
        self._settle_telemetry()
        if self.region is not None and not re.fullmatch(r"[A-Za-z0-9-]+", self.region):
            raise InvalidOption(f'region: expected a name such as "eu-central-1", found {self.region!r}.')
        if (self.access_key_id is None) is not (self.secret_access_key is None):
            given, missing = (
                ("access_key_id", "secret_access_key") if self.access_key_id else ("secret_access_key", "access_key_id")
            )
            raise InvalidOption(f"{missing}: expected together with {given}, found none.")
        if self.session_token is not None and self.access_key_id is None:
            raise InvalidOption(
                "session_token: expected only together with access_key_id and secret_access_key, which are missing."
            )

    def _settle_telemetry(self) -> None:
        _expect_flag("metrics", self.metrics)
        hooks = self.on_call
        if hooks is not None and not callable(hooks):
            if not isinstance(hooks, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance]
                _expect_hook(hooks)
            # Its own, so that nobody changes it afterwards.
            object.__setattr__(self, "on_call", tuple(hooks))
        for hook in self._hooks():
            _expect_hook(hook)
        if self.capacity not in {None, "total", "indexes"}:
            raise InvalidOption(f'capacity: expected "total" or "indexes", found {shown(self.capacity)}.')
        if self.hot_partitions not in {None, "hashed", "shown"}:
            raise InvalidOption(f'hot_partitions: expected "hashed" or "shown", found {shown(self.hot_partitions)}.')

    def _expect_ways(self) -> None:
        """Check how the service is reached."""
        if self.endpoint_url is not None and _has_password(self.endpoint_url):
            # Not shown: messages tell where the endpoint is, and would tell the password.
            raise InvalidOption("endpoint_url: expected a URL without user and password, found one with them.")
        if self.endpoint_url is not None and not _is_url(self.endpoint_url):
            raise InvalidOption(
                f'endpoint_url: expected a URL such as "http://localhost:8000", found {self.endpoint_url!r}.'
            )
        if self.retry_mode not in (None, *_RETRY_MODES):
            modes = " or ".join(map(repr, _RETRY_MODES))
            raise InvalidOption(f"retry_mode: expected {modes}, found {self.retry_mode!r}.")
        if self.ca_bundle is not None and not isinstance(self.ca_bundle, str | os.PathLike):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidOption(f"ca_bundle: expected the path of a file, found {type(self.ca_bundle).__name__}.")
        if self.proxy is not None and not _is_url(self.proxy):
            # Not shown, since it may hold a password.
            raise InvalidOption('proxy: expected a URL such as "http://proxy.example.com:8080", found something else.')

    @classmethod
    def of(cls, config: object, **given: Any) -> Self:  # Any: each option has its own type.
        """Make the config of a client: the options given to the client itself, over those of its `config=`."""
        if config is None:
            return cls(**given)
        if not isinstance(config, cls):
            raise InvalidOption(
                f"config: expected a Config such as {cls.__name__}(region=...), found {type(config).__name__}."
            )
        return replace(config, **{name: value for name, value in given.items() if value is not None})

    def core_options(self) -> dict[str, Any]:  # Any: each option has its own type.
        """Give the keywords of the core's client."""
        options = {field.name: getattr(self, field.name) for field in fields(self)}
        return options | self.local_options()

    def local_options(self) -> dict[str, Any]:
        """Give those of a core's client that has no network."""
        return {
            "cursor_key": self.cursor_key,
            "metrics": bool(self.metrics),
            "on_call": self._hooks(),
            "capacity": self.capacity,
            "hot_partitions": self.hot_partitions is not None,
        }

    def _hooks(self) -> list[CallHook]:
        if self.on_call is None:
            return []
        return [self.on_call] if callable(self.on_call) else list(self.on_call)

    def __repr__(self) -> str:
        given = ((field.name, getattr(self, field.name)) for field in fields(self))
        shown = (f"{name}={'**' if name in _SECRET else repr(value)}" for name, value in given if value is not None)
        return f"{type(self).__name__}({', '.join(shown)})"


def _expect_text(name: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, str):
        raise InvalidOption(f"{name}: expected a string, found {type(value).__name__}.")
    if not value.strip():
        raise InvalidOption(
            f"{name}: expected some text, found an empty string; leave it out to use the environment's."
        )


def _expect_seconds(name: str, value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidOption(f"{name}: expected seconds as a number, found {type(value).__name__}.")
    # An int is compared as it is: a large one has no float.
    if not 0 < value <= 24 * 60 * 60:
        raise InvalidOption(f"{name}: expected more than 0 seconds and at most a day, found {shown(value)}.")


def _expect_count(name: str, value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidOption(f"{name}: expected a whole number, found {type(value).__name__}.")
    if not 1 <= value <= _LARGEST_COUNT:
        raise InvalidOption(f"{name}: expected 1 to {_LARGEST_COUNT}, found {shown(value)}.")


def _expect_key(value: object) -> None:
    if value is None:
        return
    if not isinstance(value, bytes):
        raise InvalidOption(f"cursor_key: expected bytes, found {type(value).__name__}.")
    if len(value) < _LEAST_KEY_BYTES:
        raise InvalidOption(
            f"cursor_key: expected at least {_LEAST_KEY_BYTES} bytes, found {len(value)}: secrets.token_bytes(32) makes a key."
        )


def _expect_flag(name: str, value: object) -> None:
    if value is not None and not isinstance(value, bool):
        raise InvalidOption(f"{name}: expected True or False, found {type(value).__name__}.")


def _expect_hook(hook: object) -> None:
    if not callable(hook):
        raise InvalidOption(
            f"on_call: expected a function that takes a CallRecord, or a list of such, found {type(hook).__name__}."
        )
    if iscoroutinefunction(hook) or iscoroutinefunction(getattr(hook, "__call__", None)):  # noqa: B004 (is it async?)
        raise InvalidOption(
            "on_call: expected a plain function, found an async one, which nobody would await: have it put the record "
            "into a queue, or start a task."
        )


def _has_password(url: str) -> bool:
    return "@" in url.partition("//")[2].partition("/")[0]


def _is_url(url: str) -> bool:
    from urllib.parse import urlsplit  # Not for programs without an endpoint of their own.

    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


show_public_path(globals())
