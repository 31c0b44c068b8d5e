"""How each library puts, gets and queries the bench's models: one file per library, one shape of answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from pydantic import BaseModel

REGION = "eu-central-1"
ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

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


def same(instance: BaseModel) -> BaseModel:
    """For the libraries that give Pydantic models."""
    return instance
