"""A model of query: whatever serves it, a query gives what a Python filter over all items gives, in the key's order.

Random items, and random conditions each beside the Python function that means the same. A condition is made to be served
by some key, and whatever the query then goes to must give the same items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from oxidyn import Index, KeysOnly, Model, PartitionKey, SortKey, all_of, attr
from tests.engines import unique_table_name

NOON = datetime(2024, 2, 28, 12, tzinfo=timezone.utc)


class Item(Model, indexes={"by_weight": KeysOnly()}):
    group: Annotated[str, PartitionKey]
    at: Annotated[datetime, SortKey]
    word: Annotated[str, Index("local", sort=True), Index("by_colour", sort=True)]
    colour: Annotated[str, Index("by_colour", partition=True), Index("by_place", partition=1)]
    country: Annotated[int, Index("by_place", partition=2)]
    day: Annotated[date, Index("by_place", sort=1)]
    price: Annotated[Decimal, Index("by_place", sort=2), Index("by_owner", sort=True)]
    owner: Annotated[str | None, Index("by_owner", partition=True)] = None
    rank: Annotated[int | None, Index("by_rank", partition=True)] = None
    score: Annotated[float | None, Index("by_rank", sort=True)] = None
    weight: Annotated[int, Index("by_weight", partition=True)] = 0
    note: str = ""
    size: int | None = None


@dataclass(frozen=True)
class Key:
    """A key by its fields."""

    index: str | None
    partition: tuple[str, ...]
    sort: tuple[str, ...]


KEYS = [
    Key(None, ("group",), ("at",)),
    Key("local", ("group",), ("word",)),
    Key("by_colour", ("colour",), ("word",)),
    Key("by_place", ("colour", "country"), ("day", "price")),
    Key("by_owner", ("owner",), ("price",)),
    Key("by_rank", ("rank",), ("score",)),
    Key("by_weight", ("weight",), ()),
]

# Few values each, so that conditions meet items; neighbours on the wire's grid and what has none among them.
VALUES: dict[str, list[Any]] = {
    "group": ["a", "b"],
    "at": [NOON + timedelta(microseconds=n) for n in (-1, 0, 1)] + [NOON + timedelta(days=n) for n in (-1, 1, 2)],
    "word": ["", "a", "aa", "ab", "b", "ä", "\U00010000"][1:],
    "colour": ["red", "blue"],
    "country": [1, 2],
    "day": [date(2024, 2, 27) + timedelta(days=n) for n in range(5)],
    "price": [Decimal(text) for text in ("-1", "0.99", "1", "1.05", "10")],
    "owner": ["ada", "bob"],
    "rank": [1, 2],
    "score": [-0.5, 1e-7, 0.1, 0.30000000000000004, 3.0],
    "weight": [1, 2],
    "note": ["", "x", "xy"],
    "size": [0, 1, 2],
}
OPTIONAL = {"owner", "rank", "score", "size"}


@dataclass(frozen=True)
class Asked:
    """A condition, and what it means."""

    condition: Any
    holds: Callable[[Item], bool]


def values(field: str) -> st.SearchStrategy[Any]:
    return st.sampled_from(VALUES[field])


@st.composite
def items(draw: st.DrawFn) -> list[Item]:
    def item() -> Item:
        drawn = {field: draw(st.none() | values(field) if field in OPTIONAL else values(field)) for field in VALUES}
        return Item(**drawn)

    found = {(each.group, each.at): each for each in (item() for _ in range(draw(st.integers(5, 12))))}
    return list(found.values())


def compared(field: str, sign: str, value: Any) -> Asked:
    ref = attr(getattr(Item, field))

    def of(item: Item) -> Any:
        return getattr(item, field)

    # What is not there has no order, and is unequal to every value.
    return {
        "==": lambda: Asked(ref == value, lambda item: of(item) == value),
        "!=": lambda: Asked(ref != value, lambda item: of(item) != value),
        "<": lambda: Asked(ref < value, lambda item: of(item) is not None and of(item) < value),
        "<=": lambda: Asked(ref <= value, lambda item: of(item) is not None and of(item) <= value),
        ">": lambda: Asked(ref > value, lambda item: of(item) is not None and of(item) > value),
        ">=": lambda: Asked(ref >= value, lambda item: of(item) is not None and of(item) >= value),
    }[sign]()


def both(*asked: Asked) -> Asked:
    return Asked(all_of(*(each.condition for each in asked)), lambda item: all(each.holds(item) for each in asked))


@st.composite
def ranges(draw: st.DrawFn, field: str) -> Asked:
    """What one sort attribute can be asked for beside equality."""
    ref = attr(getattr(Item, field))
    low, high = draw(values(field)), draw(values(field))
    shape = draw(st.sampled_from(["low", "high", "both", "both", "between", "prefix"]))
    lower = compared(field, draw(st.sampled_from([">", ">="])), low)
    upper = compared(field, draw(st.sampled_from(["<", "<="])), high)
    if shape == "low":
        return lower
    if shape == "high":
        return upper
    if shape == "between":
        return (
            both(compared(field, ">=", low), compared(field, "<=", high))
            if low > high
            else Asked(
                ref.between(low, high),
                lambda item: getattr(item, field) is not None and low <= getattr(item, field) <= high,
            )
        )
    if shape == "prefix" and isinstance(low, str):
        return Asked(ref.begins_with(low), lambda item: getattr(item, field).startswith(low))
    return both(*draw(st.permutations([lower, upper])))


@st.composite
def filters(draw: st.DrawFn, fields: list[str]) -> Asked:
    """Anything about these fields."""
    field = draw(st.sampled_from(fields))
    ref = attr(getattr(Item, field))
    kind = draw(st.sampled_from(["compare", "compare", "in", "none", "not", "or"]))
    if kind == "compare":
        return compared(field, draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">="])), draw(values(field)))
    if kind == "in":
        choices = draw(st.lists(values(field), min_size=1, max_size=3))
        return Asked(ref.is_in(choices), lambda item: getattr(item, field) in choices)
    if kind == "none":
        return Asked(ref.is_none(), lambda item: getattr(item, field) is None)
    inner = draw(filters(fields))
    if kind == "not":
        return Asked(~inner.condition, lambda item: not inner.holds(item))
    other = draw(filters(fields))
    return Asked(inner.condition | other.condition, lambda item: inner.holds(item) or other.holds(item))


@dataclass(frozen=True)
class Query:
    """A query that the key serves."""

    key: Key
    asked: Asked
    where: Asked | None
    reverse: bool
    limit: int | None
    page_size: int | None


@st.composite
def queries(draw: st.DrawFn, keys: list[Key]) -> Query:
    key = draw(st.sampled_from(keys))
    parts = [compared(field, "==", draw(values(field))) for field in key.partition]
    # The table in another order is meant by the order alone, and what is not in an index by asking for what is.
    least = 1 if key.index in ("local", "by_rank") else 0
    asked = draw(st.integers(least, len(key.sort)))
    for place, field in enumerate(key.sort[:asked], 1):
        is_range = place == asked and draw(st.booleans())
        parts.append(draw(ranges(field)) if is_range else compared(field, "==", draw(values(field))))
    others = sorted(set(VALUES) - {*key.partition, *key.sort})
    if key.index == "by_weight":
        others = ["group", "at"]
    parts.extend(draw(st.lists(filters(others), max_size=2)))
    return Query(
        key=key,
        asked=both(*draw(st.permutations(parts))),
        where=draw(st.none() | filters(["note", "size"])) if key.index != "by_weight" else None,
        reverse=draw(st.booleans()),
        limit=draw(st.none() | st.integers(1, 4)),
        page_size=draw(st.none() | st.integers(1, 3)),
    )


def check(table: Any, stored: list[Item], query: Query, index: str | None) -> None:
    options: dict[str, Any] = {"index": index, "where": query.where and query.where.condition, "hydrate": True}
    asked = table.query(query.asked.condition, **options)
    [key] = [each for each in KEYS if each.index == asked.explain().index]
    event(f"{'chosen' if index is None else 'forced'}: {key.index}")

    expected = [item for item in stored if query.asked.holds(item) and (query.where is None or query.where.holds(item))]
    if index is not None:
        # What an index leaves out is not missed by whoever names it.
        expected = [item for item in expected if all(getattr(item, field) is not None for field in key.sort)]

    def place(item: Item) -> list[Any]:
        # Text sorts by its UTF-8 bytes.
        keys = [getattr(item, field) for field in key.sort]
        return [each.encode() if isinstance(each, str) else each for each in keys]

    expected.sort(key=place, reverse=query.reverse)
    found = list(table.query(query.asked.condition, reverse=query.reverse, page_size=query.page_size, **options))
    assert [place(item) for item in found] == [place(item) for item in expected]
    assert Counter(map(repr, found)) == Counter(map(repr, expected))
    assert asked.count() == len(expected)
    limited = list(
        table.query(
            query.asked.condition, reverse=query.reverse, page_size=query.page_size, limit=query.limit, **options
        )
    )
    # Among equals in the key's order any may be the last.
    assert [place(item) for item in limited] == [place(item) for item in expected][: query.limit]
    assert not Counter(map(repr, limited)) - Counter(map(repr, expected))


@settings(
    max_examples=12,
    # To shrink takes minutes, and the first example found says enough: items have few fields, and conditions few parts.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(stored=items(), asked=st.lists(queries(KEYS), min_size=6, max_size=6))
def test_a_query_gives_what_a_python_filter_over_all_items_gives(
    client: Any, stored: list[Item], asked: list[Query]
) -> None:
    table = client.table(Item, name=unique_table_name())
    table.create_table()
    table.batch_put(stored)
    for query in asked:
        check(table, stored, query, None)
        check(table, stored, query, query.key.index)
    table.delete_table()
