"""`Page`: some items of a query, and the cursor behind which the next ones come."""

# Not `from __future__ import annotations`: Pydantic would look `M` up in `oxidyn`, where the class says that it stands.
from typing import Generic, TypeVar

from pydantic import BaseModel

from .exports import show_public_path

__all__ = ["Page"]

M = TypeVar("M")  # Unbound: dataclasses and TypedDicts have tables too.


# Built when it is first used, since most programs that import oxidyn have no pages.
class Page(BaseModel, Generic[M], defer_build=True):
    """A page of items, and the cursor that gets the next page."""

    items: list[M]
    cursor: str | None


show_public_path(globals())
