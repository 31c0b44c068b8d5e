"""What an update does to one attribute, as data: made by `attr(User.age).add(1)` and its like."""

from __future__ import annotations

from typing import Any, final

__all__ = ["Action"]


@final
class Action:
    """One change of an update."""

    __slots__ = ("__oxidyn_node__",)

    __oxidyn_node__: tuple[Any, ...]  # ("set" | "add", ref, value), ("remove", ref): what the core walks.

    def __init__(self, node: tuple[Any, ...]) -> None:
        self.__oxidyn_node__ = node

    def __repr__(self) -> str:
        verb, ref, *values = self.__oxidyn_node__
        return f"attr({ref!r}).{verb}({'…' if values else ''})"
