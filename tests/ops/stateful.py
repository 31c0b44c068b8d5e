"""What the stateful test does, each in three tongues: oxidyn's, boto3's, and plain Python on a model.

A condition is asked of both engines and of boto3, and evaluated here; a change is sent as an action and as the text of an
UpdateExpression, and made here on the model. Stored items are written out by hand, so that neither codec judges itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

from boto3.dynamodb.conditions import Attr as Theirs
from boto3.dynamodb.conditions import ConditionBase
from boto3.dynamodb.types import Binary
from hypothesis import strategies as st
from pydantic import BaseModel

from oxidyn import Action, Condition, Index, Model, PartitionKey, SortKey, all_of, any_of, attr, not_


class Kind(Enum):
    SMALL = "small"
    LARGE = "large"


class Part(BaseModel):
    name: str
    quantity: int = 1


class Thing(Model, table="things"):
    group: Annotated[str, PartitionKey]
    number: Annotated[int, SortKey]
    kind: Annotated[Kind, Index("by_kind", partition=True)] = Kind.SMALL
    at: Annotated[datetime, Index("by_kind", sort=True)] = datetime(2024, 1, 1, tzinfo=timezone.utc)
    count: int = 0
    ratio: float = 0.5
    price: Decimal | None = None
    name: str | None = None
    tags: set[str] = set()
    lines: list[int] = []
    parts: dict[str, Part] = {}
    data: bytes = b""


class Label(BaseModel):
    """A part of a thing."""

    number: int
    name: str | None = None
    tags: set[str] = set()

    @classmethod
    def of(cls, thing: Thing) -> Label:
        return cls(number=thing.number, name=thing.name, tags=thing.tags)


Key = tuple[str, int]


def key_of(thing: Thing) -> Key:
    return thing.group, thing.number


def stored(thing: Thing) -> dict[str, Any]:
    """The item as boto3's resource takes it and gives it back."""
    item: dict[str, Any] = {
        "group": thing.group,
        "number": thing.number,
        "kind": thing.kind.value,
        "at": text_of(thing.at),
        "count": thing.count,
        "ratio": Decimal(repr(thing.ratio)),
        "lines": list(thing.lines),
        "parts": {name: {"name": part.name, "quantity": part.quantity} for name, part in thing.parts.items()},
        "data": thing.data,
    }
    optional = {"price": thing.price, "name": thing.name, "tags": set(thing.tags) or None}
    return item | {name: value for name, value in optional.items() if value is not None}


def text_of(at: datetime) -> str:
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def found_by_boto3(item: dict[str, Any]) -> dict[str, Any]:
    """An item of boto3's resource with plain bytes."""
    return {name: bytes(value) if isinstance(value, Binary) else value for name, value in item.items()}


# Values: few keys, so that operations meet, and texts that need escaping somewhere.

GROUPS = ("a", "b\"'", "c:#?")
numbers = st.integers(0, 4)
keys = st.tuples(st.sampled_from(GROUPS), numbers)
texts = st.sampled_from(["", "x", "xy", "y", "\N{SNOWMAN}", "null"])
counts = st.integers(-3, 3)
prices = st.sampled_from(
    [Decimal("0.1"), Decimal("1.50"), Decimal("123456789012345678901234567890.12345678"), Decimal(7)]
)
instants = st.builds(
    lambda micros: datetime(2024, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=micros), st.integers(0, 3)
)
tags = st.sets(st.sampled_from(["t", "u", "v"]))
names_of_parts = st.sampled_from(["p", "q.r", "size"])

things = st.builds(
    Thing,
    group=st.sampled_from(GROUPS),
    number=numbers,
    kind=st.sampled_from(Kind),
    at=instants,
    count=counts,
    ratio=st.sampled_from([0.0, 0.1, -2.5, 1e-7, 3.0]),
    price=st.none() | prices,
    name=st.none() | texts,
    tags=tags,
    lines=st.lists(counts, max_size=3),
    parts=st.dictionaries(names_of_parts, st.builds(Part, name=texts, quantity=counts), max_size=2),
    data=st.sampled_from([b"", b"\x00", b"\xff\xfe"]),
)


# Conditions


@dataclass(frozen=True)
class Check:
    """One condition; `holds` is given None where there is no item."""

    ours: Condition | bool
    theirs: ConditionBase
    holds: Callable[[Thing | None], bool]
    fields: frozenset[str]
    """The fields that it asks for."""

    def __repr__(self) -> str:
        return f"Check({self.ours!r})"


_ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "lt": lambda left, right: left < right,
    "lte": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "gte": lambda left, right: left >= right,
}


_orders = st.sampled_from(sorted(_ORDERS))


def _compared(field: str, values: st.SearchStrategy[Any], write: Callable[[Any], Any]) -> st.SearchStrategy[Check]:
    """A comparison of a field that every item has; `write` makes the value that boto3 sends."""

    def build(order: str, value: Any) -> Check:
        compare = _ORDERS[order]
        reference = getattr(Thing, field)
        return Check(
            compare(reference, value),
            getattr(Theirs(field), order)(write(value)),
            # `<>` alone holds for an attribute that is not there.
            lambda thing: order == "ne" if thing is None else compare(getattr(thing, field), value),
            frozenset({field}),
        )

    return st.builds(build, _orders, values)


def _is_none(field: str, negated: bool) -> Check:
    ours = attr(getattr(Thing, field))
    none = Theirs(field).not_exists() | Theirs(field).eq(None)
    some = Theirs(field).exists() & Theirs(field).ne(None)
    return Check(
        ours.is_some() if negated else ours.is_none(),
        some if negated else none,
        lambda thing: (thing is not None and getattr(thing, field) is not None) is negated,
        frozenset({field}),
    )


def _begins(prefix: str) -> Check:
    return Check(
        attr(Thing.name).begins_with(prefix),
        Theirs("name").begins_with(prefix),
        lambda thing: thing is not None and thing.name is not None and thing.name.startswith(prefix),
        frozenset({"name"}),
    )


def _between(low: int, high: int) -> Check:
    low, high = sorted((low, high))
    return Check(
        attr(Thing.count).between(low, high),
        Theirs("count").between(low, high),
        lambda thing: thing is not None and low <= thing.count <= high,
        frozenset({"count"}),
    )


def _is_in(values: list[Decimal]) -> Check:
    return Check(
        attr(Thing.price).is_in(values),
        Theirs("price").is_in(values),
        lambda thing: thing is not None and thing.price in values,
        frozenset({"price"}),
    )


def _quantity(name: str, least: int) -> Check:
    path = Theirs(f"parts.{name}.quantity")
    return Check(
        Thing.parts[name].quantity >= least,
        path.gte(least),
        lambda thing: thing is not None and name in thing.parts and thing.parts[name].quantity >= least,
        frozenset({"parts"}),
    )


def _line(place: int, least: int) -> Check:
    return Check(
        Thing.lines[place] >= least,
        Theirs(f"lines[{place}]").gte(least),
        lambda thing: thing is not None and place < len(thing.lines) and thing.lines[place] >= least,
        frozenset({"lines"}),
    )


def _contains_tag(tag: str) -> Check:
    return Check(
        attr(Thing.tags).contains(tag),
        Theirs("tags").contains(tag),
        lambda thing: thing is not None and tag in thing.tags,
        frozenset({"tags"}),
    )


def _contains_line(line: int) -> Check:
    return Check(
        attr(Thing.lines).contains(line),
        Theirs("lines").contains(line),
        lambda thing: thing is not None and line in thing.lines,
        frozenset({"lines"}),
    )


def _size(order: str, size: int) -> Check:
    compare, length = _ORDERS[order], Theirs("lines").size()
    # For an absent attribute moto breaks where DynamoDB says no, so it is asked for first.
    return Check(
        attr(Thing.lines).exists() & compare(attr(Thing.lines).size(), size),
        Theirs("lines").exists() & (~length.eq(size) if order == "ne" else getattr(length, order)(size)),
        lambda thing: thing is not None and compare(len(thing.lines), size),
        frozenset({"lines"}),
    )


def _named(tag: Literal["S", "N"]) -> Check:
    return Check(
        attr(Thing.name).attribute_type(tag),
        Theirs("name").attribute_type(tag),
        lambda thing: thing is not None and thing.name is not None and tag == "S",
        frozenset({"name"}),
    )


def _fields(order: str) -> Check:
    compare = _ORDERS[order]
    return Check(
        compare(Thing.count, Thing.lines[0]),
        getattr(Theirs("count"), order)(Theirs("lines[0]")),
        lambda thing: order == "ne" if thing is None or not thing.lines else compare(thing.count, thing.lines[0]),
        frozenset({"count", "lines"}),
    )


_simple = st.one_of(
    _compared("count", counts, lambda value: value),
    _compared("at", instants, text_of),
    st.builds(_is_none, st.sampled_from(["name", "price"]), st.booleans()),
    st.builds(_begins, st.sampled_from(["x", "\N{SNOWMAN}", "n"])),
    st.builds(_between, counts, counts),
    st.builds(_is_in, st.lists(prices, min_size=1, max_size=3)),
    # boto3 takes a point in a path for a step.
    st.builds(_quantity, st.sampled_from(["p", "size"]), counts),
    st.builds(_line, st.integers(0, 2), counts),
    st.builds(_contains_tag, st.sampled_from(["t", "u", "v"])),
    st.builds(_contains_line, counts),
    st.builds(_size, _orders, st.integers(0, 3)),
    st.builds(_named, st.sampled_from(["S", "N"])),
    st.builds(_fields, _orders),
)


def _all(left: Check, right: Check) -> Check:
    return Check(
        all_of(left.ours, right.ours),
        left.theirs & right.theirs,
        lambda thing: left.holds(thing) and right.holds(thing),
        left.fields | right.fields,
    )


def _any(left: Check, right: Check) -> Check:
    return Check(
        any_of(left.ours, right.ours),
        left.theirs | right.theirs,
        lambda thing: left.holds(thing) or right.holds(thing),
        left.fields | right.fields,
    )


def _not(inner: Check) -> Check:
    return Check(not_(inner.ours), ~inner.theirs, lambda thing: not inner.holds(thing), inner.fields)


checks = st.recursive(
    _simple,
    lambda inner: st.builds(_all, inner, inner) | st.builds(_any, inner, inner) | st.builds(_not, inner),
    max_leaves=4,
)


# Changes


@dataclass(frozen=True)
class Change:
    """One action on one field: in boto3's tongue a clause and its text, with `{name}` and `{value}` for placeholders."""

    field: str
    ours: Action
    clause: str
    text: str
    value: Any
    make: Callable[[Thing], Any]
    """The field's new value."""

    def __repr__(self) -> str:
        return f"Change({self.ours!r})"


def _set(field: str, value: Any, write: Callable[[Any], Any] = lambda value: value) -> Change:
    return Change(
        field, attr(getattr(Thing, field)).set(value), "SET", "{name} = {value}", write(value), lambda _: value
    )


def _unset(field: str) -> Change:
    return Change(field, attr(getattr(Thing, field)).set(None), "REMOVE", "{name}", None, lambda _: None)


def _add(value: int) -> Change:
    return Change(
        "count", attr(Thing.count).add(value), "ADD", "{name} {value}", value, lambda thing: thing.count + value
    )


def _add_tags(value: set[str]) -> Change:
    return Change("tags", attr(Thing.tags).add(value), "ADD", "{name} {value}", value, lambda thing: thing.tags | value)


def _delete_tags(value: set[str]) -> Change:
    return Change(
        "tags", attr(Thing.tags).delete(value), "DELETE", "{name} {value}", value, lambda thing: thing.tags - value
    )


def _append(value: list[int]) -> Change:
    return Change(
        "lines",
        attr(Thing.lines).append(*value),
        "SET",
        "{name} = list_append({name}, {value})",
        value,
        lambda thing: [*thing.lines, *value],
    )


def _prepend(value: list[int]) -> Change:
    return Change(
        "lines",
        attr(Thing.lines).prepend(*value),
        "SET",
        "{name} = list_append({value}, {name})",
        value,
        lambda thing: [*value, *thing.lines],
    )


def _plus(value: int) -> Change:
    return Change(
        "count",
        attr(Thing.count).set(Thing.count + value),
        "SET",
        "{name} = {name} + {value}",
        value,
        lambda thing: thing.count + value,
    )


def _else(value: Decimal) -> Change:
    return Change(
        "price",
        attr(Thing.price).set(attr(Thing.price).if_not_exists(value)),
        "SET",
        "{name} = if_not_exists({name}, {value})",
        value,
        lambda thing: value if thing.price is None else thing.price,
    )


def _plain(parts: dict[str, Part]) -> dict[str, Any]:
    return {name: {"name": part.name, "quantity": part.quantity} for name, part in parts.items()}


_some_tags = st.sets(st.sampled_from(["t", "u", "v"]), min_size=1)

_change = st.one_of(
    st.builds(lambda value: _set("count", value), counts),
    st.builds(_add, counts),
    st.builds(lambda value: _set("ratio", value, lambda value: Decimal(repr(value))), st.sampled_from([0.25, 1e-7])),
    st.builds(lambda value: _set("price", value), prices),
    st.builds(lambda value: _set("name", value), texts),
    st.builds(_unset, st.sampled_from(["name", "price"])),
    st.builds(lambda value: _set("tags", value), _some_tags),
    st.builds(_add_tags, _some_tags),
    st.builds(_delete_tags, _some_tags),
    st.builds(lambda value: _set("lines", value), st.lists(counts, max_size=2)),
    st.builds(_append, st.lists(counts, min_size=1, max_size=2)),
    st.builds(_prepend, st.lists(counts, min_size=1, max_size=2)),
    st.builds(_plus, counts),
    st.builds(_else, prices),
    st.builds(
        lambda value: _set("parts", value, _plain),
        st.dictionaries(names_of_parts, st.builds(Part, name=texts, quantity=counts), max_size=2),
    ),
    st.builds(lambda value: _set("kind", value, lambda kind: kind.value), st.sampled_from(Kind)),
    st.builds(lambda value: _set("at", value, text_of), instants),
    st.builds(lambda value: _set("data", value), st.sampled_from([b"", b"\x01"])),
)

defaults = [
    _set("count", 0),
    _set("ratio", 0.5, lambda value: Decimal(repr(value))),
    _set("lines", []),
    _set("parts", {}),
    _set("kind", Kind.SMALL, lambda kind: kind.value),
    _set("at", datetime(2024, 1, 1, tzinfo=timezone.utc), text_of),
    _set("data", b""),
]
"""What gives a new item every attribute that `stored` has."""

changes = st.lists(_change, min_size=1, max_size=4, unique_by=lambda change: change.field)


def changed(thing: Thing, made: list[Change]) -> Thing:
    return thing.model_copy(update={change.field: change.make(thing) for change in made}, deep=True)


def update_of_boto3(made: list[Change]) -> dict[str, Any]:
    """The members of boto3's update_item."""
    clauses: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    for place, change in enumerate(made):
        name, value = f"#u{place}", f":u{place}"
        names[name] = change.field
        if "{value}" in change.text:
            values[value] = change.value
        clauses.setdefault(change.clause, []).append(change.text.format(name=name, value=value))
    members: dict[str, Any] = {
        "UpdateExpression": " ".join(f"{clause} {', '.join(texts)}" for clause, texts in clauses.items()),
        "ExpressionAttributeNames": names,
    }
    return members | ({"ExpressionAttributeValues": values} if values else {})


# Writes of a batch or a transaction


@dataclass(frozen=True)
class Write:
    """One write as an operation; what refuses it, and what it leaves under its key."""

    key: Key
    operation: Callable[[Any], Any]
    """Made of a table's `ops`."""
    after: Callable[[Thing | None], Thing | None]
    needs: bool | None = None
    """Whether there must be an item, or must be none."""
    check: Check | None = None

    def refused(self, before: Thing | None) -> tuple[str, Thing | None] | None:
        """The exception's class, and the stored item that it carries."""
        if self.needs is True and before is None:
            return "ItemNotFound", None
        if self.needs is False and before is not None:
            return "ItemExists", before
        if self.check is not None and not self.check.holds(before):
            return "ConditionFailed", before
        return None


def _where(check: Check | None) -> Any:
    return None if check is None else check.ours


def _put(thing: Thing, check: Check | None) -> Write:
    return Write(key_of(thing), lambda ops: ops.put(thing, where=_where(check)), lambda _: thing, None, check)


def _create(thing: Thing) -> Write:
    return Write(key_of(thing), lambda ops: ops.create(thing), lambda _: thing, needs=False)


def _replace(thing: Thing, check: Check | None) -> Write:
    return Write(key_of(thing), lambda ops: ops.replace(thing, where=_where(check)), lambda _: thing, True, check)


def _update(key: Key, made: list[Change], check: Check | None) -> Write:
    return Write(
        key,
        lambda ops: ops.update(key, *[change.ours for change in made], where=_where(check)),
        lambda before: None if before is None else changed(before, made),
        True,
        check,
    )


def _delete(key: Key, check: Check | None) -> Write:
    return Write(key, lambda ops: ops.delete(key, where=_where(check)), lambda _: None, None, check)


def _checked(key: Key, check: Check) -> Write:
    return Write(key, lambda ops: ops.check(key, check.ours), lambda before: before, None, check)


_some_check = st.none() | checks

writes = st.one_of(
    st.builds(_put, things, _some_check),
    st.builds(_create, things),
    st.builds(_replace, things, _some_check),
    st.builds(_update, keys, changes, _some_check),
    st.builds(_delete, keys, _some_check),
    st.builds(_checked, keys, checks),
)

plain_writes = st.builds(_put, things, st.none()) | st.builds(_delete, keys, st.none())
"""What DynamoDB takes in a batch: no conditions."""
