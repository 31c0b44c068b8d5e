"""Exceptions that nobody has to look after."""

from typing import Final

__all__ = ["ANSWERS"]

ANSWERS: Final = frozenset({"ConditionFailed", "ItemExists", "ItemNotFound"})
"""A condition that did not hold is what the program asked for: an answer, and no failure."""
