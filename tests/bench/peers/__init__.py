"""How each library puts, gets and queries the bench's models: one file per library, one shape of answer."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from pydantic import BaseModel

REGION = "eu-central-1"
ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

PAGE_SIZE = 100

# Any, here and in the peers: each library has its own type of instance, and the blocking and the awaited calls share one form.


@dataclass(frozen=True)
class Peer:
    """One library over one shape; `put` is called with each of `instances` in turn."""

    name: str
    # What `get` and `query` give, for the reader of the table.
    reads_into: str
    instances: Sequence[Any]
    put: Callable[[Any], Any]
    get: Callable[[], Any]
    query: Callable[[], Any]
    # From what `get` and `query` give to the shape's model, to check that everything was read.
    to_model: Callable[[Any], BaseModel]
    close: Callable[[], Awaitable[None]] | None = None
    # The items of all pages, where `query` reads the first one only.
    query_all: Callable[[], list[Any]] | None = None
    # A page of `PAGE_SIZE` items, and the text from which the next one goes on; from such a text, or the first one.
    page: Callable[[str | None], tuple[list[Any], str | None]] | None = None
    # Puts several instances in one request.
    batch_write: Callable[[Sequence[Any]], Any] | None = None


def same(instance: BaseModel) -> BaseModel:
    """For the libraries that give Pydantic models."""
    return instance


def to_cursor(key: dict[str, Any] | None) -> str | None:
    """Write a start key as text for a URL, for the libraries that have no cursors: what one writes by hand."""
    return None if key is None else base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def from_cursor(cursor: str | None) -> dict[str, Any] | None:
    """Read the start key of `to_cursor` back."""
    return None if cursor is None else json.loads(base64.urlsafe_b64decode(cursor))
