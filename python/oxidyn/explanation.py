"""`Explanation`: where a query goes and why, as `explain()` tells it. No values: these may be secrets."""

from __future__ import annotations

from dataclasses import dataclass

from .exports import show_public_path

__all__ = ["Candidate", "Explanation", "Told"]

Told = tuple[
    str | None,
    str | None,
    str | None,
    str,
    list[str],
    list[tuple[str | None, list[str], list[str], str | None]],
]
"""What the core tells: the fields of an `Explanation` behind `table`, in their order."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """The table or one of its indexes, and what it does for a query's condition."""

    index: str | None
    """The index's name; None is the table itself."""
    key: tuple[str, ...]
    """The fields of its key: partition, then sort."""
    serves: tuple[str, ...]
    """Those of them that the condition finds items by."""
    misses: str | None
    """What it misses; None where it serves the query."""

    def __str__(self) -> str:
        served = f"serves {', '.join(self.serves)}" if self.serves else ""
        said = "; ".join(each for each in (self.misses, served) if each)
        return f"{_place(self.index)} ({', '.join(self.key)}): {said}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a query goes, and why: `print(orders.query(...).explain())`."""

    table: str
    """The table's name in DynamoDB."""
    index: str | None
    """The index that is queried; None for the table itself."""
    key_condition: str | None
    """What the items are found by, as it is sent, with `…` in place of values; None for a scan, which reads them all."""
    filter: str | None
    """What is asked of the items that were read, which are billed all the same."""
    why: str
    """Why the query goes there."""
    notes: tuple[str, ...]
    """What else happens: what is read besides, or left out on the client."""
    candidates: tuple[Candidate, ...]
    """The table and its indexes, in the order of preference; none for a scan."""

    @classmethod
    def of(cls, table: str, told: Told) -> Explanation:
        """What the core tells, in its order."""
        index, key_condition, filter_, why, notes, candidates = told
        return cls(
            table,
            index,
            key_condition,
            filter_,
            why,
            tuple(notes),
            tuple(Candidate(index, tuple(key), tuple(serves), misses) for index, key, serves, misses in candidates),
        )

    def __str__(self) -> str:
        verb = "scan" if self.key_condition is None else "query"
        index = "" if self.index is None else f", index {self.index}"
        lines = [f'{verb} of table "{self.table}"{index}', f"why: {self.why}"]
        if self.key_condition is not None:
            lines.append(f"key condition: {self.key_condition}")
        if self.filter is not None:
            lines.append(f"filter: {self.filter}")
        lines += [f"note: {note}" for note in self.notes]
        if self.candidates:
            lines.append("candidates:")
            lines += [f"  {candidate}" for candidate in self.candidates]
        return "\n".join(lines)


def _place(index: str | None) -> str:
    return "the table" if index is None else f"index {index}"


show_public_path(globals())
