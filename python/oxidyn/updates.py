"""What an update does to one attribute, as data: made by `attr(User.age).add(1)` and its like."""

from __future__ import annotations

from typing import Any, final

from .exports import show_public_path
from .expressions import Expression, shown

__all__ = ["Action"]


@final
class Action(Expression):
    """One change of an update."""

    __slots__ = ("__oxidyn_node__",)

    # ("set", ref, source), ("add" | "delete", ref, value), ("append" | "prepend", ref, items), ("remove", ref): what the
    # core walks.
    __oxidyn_node__: tuple[Any, ...]

    def __init__(self, node: tuple[Any, ...]) -> None:
        self.__oxidyn_node__ = node

    def __repr__(self) -> str:
        verb, ref, *values = self.__oxidyn_node__
        return f"attr({ref!r}).{verb}({', '.join(map(shown, values))})"


show_public_path(globals())
