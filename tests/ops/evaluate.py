"""Random conditions and updates, each beside what it means in Python: the judge of what the engines make of them.

A condition comes with a predicate on the model, an action with what it does to a copy of the model. Neither looks at how
anything is stored, except where the condition asks for just that (`exists`, `attribute_type`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from hypothesis import strategies as st
from pydantic import BaseModel

from oxidyn import Action, Attribute, Condition, Model, PartitionKey, all_of, any_of, attr, not_, some


class Sub(BaseModel):
    qty: int = 0
    names: list[str] = []


class Thing(Model, table="things"):
    id: Annotated[str, PartitionKey]
    n: int = 0
    m: int = 0
    left_out: int | None = None
    null: int | None = 7
    amount: Decimal = Decimal(0)
    s: Annotated[str, Attribute(name="size")] = ""
    t: Annotated[str, Attribute(name="or AND #1.x")] = ""
    nick: str | None = None
    note: str | None = "none yet"
    flag: bool = False
    tags: set[str] = set()
    marks: set[str] = set()
    nums: set[int] = set()
    lines: list[int] = []
    more: list[int] = []
    scores: dict[str, int] = {}
    sub: Sub | None = None


NUMBERS = st.integers(-3, 3)
TEXTS = st.text("ab", max_size=3)
SETS = st.sets(st.sampled_from(["a", "b", "ab"]), max_size=3)
LISTS = st.lists(NUMBERS, max_size=3)

THINGS = st.builds(
    Thing,
    id=st.just("drawn"),
    n=NUMBERS,
    m=NUMBERS,
    left_out=st.none() | NUMBERS,
    null=st.none() | NUMBERS,
    amount=st.sampled_from([Decimal("-0.5"), Decimal(0), Decimal("1.0"), Decimal("2.25")]),
    s=TEXTS,
    t=TEXTS,
    nick=st.none() | TEXTS,
    note=st.none() | TEXTS,
    flag=st.booleans(),
    tags=SETS,
    marks=SETS,
    nums=st.sets(NUMBERS, max_size=3),
    lines=LISTS,
    more=LISTS,
    scores=st.dictionaries(st.sampled_from(["k", "k.1", "size"]), NUMBERS),
    sub=st.none() | st.builds(Sub, qty=NUMBERS, names=st.lists(TEXTS, max_size=2)),
)


# Conditions


@dataclass
class Judged:
    condition: Condition | bool
    holds: Callable[[Thing], bool]
    asks_size_of_set: bool = False
    """moto fails on the size of what is not stored."""

    def __repr__(self) -> str:
        return repr(self.condition)


_COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]
_ORDERS = _COMPARISONS[2:]

_NUMBER_FIELDS = ["n", "m", "left_out", "null", "amount"]
_TEXT_FIELDS = ["s", "t", "nick", "note"]
_SET_FIELDS = ["tags", "marks"]


def _ref(name: str) -> Any:
    return getattr(Thing, name)


def _ordered(compare: Any, left: Any, right: Any) -> bool:
    """None has no order, and is equal to itself alone."""
    if compare in _ORDERS and (left is None or right is None):
        return False
    return bool(compare(left, right))


def _with_value(fields: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Judged]:
    def judged(name: str, compare: Any, value: Any) -> Judged:
        return Judged(compare(attr(_ref(name)), value), lambda thing: _ordered(compare, getattr(thing, name), value))

    return st.builds(judged, st.sampled_from(fields), st.sampled_from(_COMPARISONS), values)


def _with_none(fields: list[str]) -> st.SearchStrategy[Judged]:
    def judged(name: str, compare: Any) -> Judged:
        return Judged(compare(_ref(name), None), lambda thing: compare(getattr(thing, name), None))

    return st.builds(judged, st.sampled_from(fields), st.sampled_from(_COMPARISONS[:2]))


def _with_field(fields: list[str], comparisons: list[Any]) -> st.SearchStrategy[Judged]:
    def judged(left: str, right: str, compare: Any) -> Judged:
        return Judged(
            compare(_ref(left), _ref(right)),
            lambda thing: _ordered(compare, getattr(thing, left), getattr(thing, right)),
        )

    return st.builds(judged, st.sampled_from(fields), st.sampled_from(fields), st.sampled_from(comparisons))


def _between(fields: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Judged]:
    def judged(name: str, low: Any, high: Any) -> Judged:
        return Judged(
            attr(_ref(name)).between(low, high),
            lambda thing: getattr(thing, name) is not None and low <= getattr(thing, name) <= high,
        )

    return st.builds(judged, st.sampled_from(fields), values, values)


def _between_fields(name: str, low: str, high: str) -> Judged:
    return Judged(
        attr(_ref(name)).between(_ref(low), _ref(high)),
        lambda thing: (
            _ordered(operator.le, getattr(thing, low), getattr(thing, name))
            and _ordered(operator.le, getattr(thing, name), getattr(thing, high))
        ),
    )


def _is_in(fields: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Judged]:
    def judged(name: str, choices: list[Any], other: str | None) -> Judged:
        asked = choices if other is None else [*choices, _ref(other)]
        return Judged(
            attr(_ref(name)).is_in(asked),
            lambda thing: (
                getattr(thing, name) in choices or (other is not None and getattr(thing, name) == getattr(thing, other))
            ),
        )

    return st.builds(
        judged,
        st.sampled_from(fields),
        st.lists(values, min_size=1, max_size=3),
        st.none() | st.sampled_from(fields),
    )


def _text_part(name: str, part: str, other: str | None, verb: str) -> Judged:
    def holds(thing: Thing) -> bool:
        text, looked_for = getattr(thing, name), part if other is None else getattr(thing, other)
        if text is None or looked_for is None:
            return False
        return bool(text.startswith(looked_for)) if verb == "begins_with" else looked_for in text

    ask = getattr(attr(_ref(name)), verb)
    return Judged(ask(part if other is None else _ref(other)), holds)


def _text_parts() -> st.SearchStrategy[Judged]:
    pairs = [(a, b) for a in _TEXT_FIELDS for b in [None, *_TEXT_FIELDS] if a != b]
    verbs = st.sampled_from(["begins_with", "contains"])
    return st.builds(
        lambda pair, part, verb: _text_part(pair[0], part, pair[1], verb), st.sampled_from(pairs), TEXTS, verbs
    )


def _elements() -> st.SearchStrategy[Judged]:
    def judged(name: str, element: Any, other: str | None) -> Judged:
        asked = element if other is None else _ref(other)
        return Judged(
            attr(_ref(name)).contains(asked),
            lambda thing: (element if other is None else getattr(thing, other)) in getattr(thing, name),
        )

    words = st.builds(
        judged, st.sampled_from(_SET_FIELDS), st.sampled_from(["a", "b", "ab"]), st.sampled_from([None, "s"])
    )
    numbers = st.builds(judged, st.sampled_from(["nums", "lines"]), NUMBERS, st.sampled_from([None, "n", "left_out"]))
    return words | numbers


def _sizes(fields: list[str], *, of_sets: bool) -> st.SearchStrategy[Judged]:
    def judged(name: str, compare: Any, number: int, field: str | None, other: str | None) -> Judged:
        size: Any = attr(_ref(name)).size()
        asked: Any = number if field is None else _ref(field)
        if other is not None:
            asked = attr(_ref(other)).size()

        def holds(thing: Thing) -> bool:
            expected = number if field is None else getattr(thing, field)
            if other is not None:
                expected = len(getattr(thing, other))
            return _ordered(compare, len(getattr(thing, name)), expected)

        return Judged(compare(size, asked), holds, of_sets)

    compared = st.builds(
        judged,
        st.sampled_from(fields),
        st.sampled_from(_COMPARISONS),
        NUMBERS,
        st.sampled_from([None, "n", "amount"]),
        st.none() | st.sampled_from(fields),
    )

    def between(name: str, low: int, high: int) -> Judged:
        return Judged(
            attr(_ref(name)).size().between(low, high), lambda thing: low <= len(getattr(thing, name)) <= high, of_sets
        )

    return compared | st.builds(between, st.sampled_from(fields), NUMBERS, NUMBERS)


_STORED: list[tuple[str, Callable[[Thing], str | None]]] = [
    ("n", lambda _: "N"),
    ("left_out", lambda thing: None if thing.left_out is None else "N"),
    ("null", lambda thing: "NULL" if thing.null is None else "N"),
    ("note", lambda thing: "NULL" if thing.note is None else "S"),
    ("tags", lambda thing: "SS" if thing.tags else None),
    ("nums", lambda thing: "NS" if thing.nums else None),
    ("lines", lambda _: "L"),
    ("scores", lambda _: "M"),
    ("flag", lambda _: "BOOL"),
]
"""As what each field is stored, None where it is not."""


def _stored_as() -> st.SearchStrategy[Judged]:
    def judged(field: tuple[str, Callable[[Thing], str | None]], ask: str, tag: Any) -> Judged:
        name, stored = field
        lifted = attr(_ref(name))
        return {
            "exists": Judged(lifted.exists(), lambda thing: stored(thing) is not None),
            "not_exists": Judged(lifted.not_exists(), lambda thing: stored(thing) is None),
            "is_some": Judged(lifted.is_some(), lambda thing: stored(thing) not in (None, "NULL")),
            "is_none": Judged(lifted.is_none(), lambda thing: stored(thing) in (None, "NULL")),
            "attribute_type": Judged(lifted.attribute_type(tag), lambda thing: stored(thing) == tag),
        }[ask]

    asks = st.sampled_from(["exists", "not_exists", "is_some", "is_none", "attribute_type"])
    return st.builds(
        judged, st.sampled_from(_STORED), asks, st.sampled_from(["S", "N", "NULL", "L", "M", "SS", "NS", "BOOL"])
    )


def _paths() -> st.SearchStrategy[Judged]:
    def of_list(place: int, compare: Any, value: int) -> Judged:
        def holds(thing: Thing) -> bool:
            # Nothing is stored past the end: that is unequal to every value.
            found = thing.lines[place] if place < len(thing.lines) else None
            return _ordered(compare, found, value)

        return Judged(compare(Thing.lines[place], value), holds)

    def of_dict(key: str, compare: Any, value: int) -> Judged:
        return Judged(compare(Thing.scores[key], value), lambda thing: _ordered(compare, thing.scores.get(key), value))

    def of_sub(compare: Any, other: str | None, value: int) -> Judged:
        def holds(thing: Thing) -> bool:
            found = None if thing.sub is None else thing.sub.qty
            return _ordered(compare, found, value if other is None else getattr(thing, other))

        return Judged(compare(some(Thing.sub).qty, value if other is None else _ref(other)), holds)

    comparisons = st.sampled_from(_COMPARISONS)
    return (
        st.builds(of_list, st.integers(0, 2), comparisons, NUMBERS)
        | st.builds(of_dict, st.sampled_from(["k", "k.1", "size"]), comparisons, NUMBERS)
        | st.builds(of_sub, comparisons, st.sampled_from([None, "n"]), NUMBERS)
    )


def _flag() -> Judged:
    return Judged(Thing.flag, lambda thing: thing.flag)


def conditions() -> st.SearchStrategy[Judged]:
    leaves = st.one_of(
        _with_value(_NUMBER_FIELDS, NUMBERS),
        _with_value(_TEXT_FIELDS, TEXTS),
        _with_none(["left_out", "null", "nick", "note"]),
        _with_field(_NUMBER_FIELDS, _COMPARISONS),
        _with_field(_TEXT_FIELDS, _COMPARISONS),
        _with_field(_SET_FIELDS, _COMPARISONS[:2]),
        st.builds(
            lambda name, compare, value: Judged(
                compare(_ref(name), value), lambda thing: compare(getattr(thing, name), value)
            ),
            st.sampled_from(_SET_FIELDS),
            st.sampled_from(_COMPARISONS[:2]),
            SETS,
        ),
        _between(_NUMBER_FIELDS, NUMBERS),
        _between(_TEXT_FIELDS, TEXTS),
        st.builds(_between_fields, *[st.sampled_from(_NUMBER_FIELDS)] * 3),
        _is_in(_NUMBER_FIELDS[:4], st.none() | NUMBERS),
        _is_in(_TEXT_FIELDS, st.none() | TEXTS),
        _is_in(_SET_FIELDS, SETS),
        _text_parts(),
        _elements(),
        _sizes(["s", "lines", "more", "scores"], of_sets=False),
        _sizes(["tags", "marks", "nums", "lines"], of_sets=True),
        _stored_as(),
        _paths(),
        st.builds(_flag),
    )

    def joined(several: list[Judged], join: Any, combine: Any) -> Judged:
        return Judged(
            join(*(each.condition for each in several)),
            lambda thing: combine(each.holds(thing) for each in several),
            any(each.asks_size_of_set for each in several),
        )

    def extended(inner: st.SearchStrategy[Judged]) -> st.SearchStrategy[Judged]:
        several = st.lists(inner, min_size=1, max_size=3)
        return (
            several.map(lambda each: joined(each, all_of, all))
            | several.map(lambda each: joined(each, any_of, any))
            | inner.map(
                lambda each: Judged(not_(each.condition), lambda thing: not each.holds(thing), each.asks_size_of_set)
            )
        )

    return st.recursive(leaves, extended, max_leaves=6)


# Updates


@dataclass
class Change:
    field: str
    action: Action
    apply: Callable[[Thing, Thing], None]
    """Of the item before, to the item after."""

    def __repr__(self) -> str:
        return repr(self.action)


def _assigned(field: str, value: Any, meaning: Callable[[Thing], Any]) -> Change:
    return Change(field, attr(_ref(field)).set(value), lambda before, after: setattr(after, field, meaning(before)))


_SOURCES: list[tuple[str, Callable[[int], Any], Callable[[Thing, int], int]]] = [
    ("value", lambda number: number, lambda _, number: number),
    ("field", lambda _: Thing.m, lambda thing, _: thing.m),
    ("sum", lambda number: Thing.n + number, lambda thing, number: thing.n + number),
    ("difference", lambda number: number - Thing.m, lambda thing, number: number - thing.m),
    ("fields", lambda _: Thing.n - Thing.m, lambda thing, _: thing.n - thing.m),
    (
        "fallback",
        lambda number: attr(Thing.left_out).if_not_exists(number),
        lambda thing, number: number if thing.left_out is None else thing.left_out,
    ),
    (
        "fallback and sum",
        lambda number: attr(Thing.left_out).if_not_exists(0) + number,
        lambda thing, number: (thing.left_out or 0) + number,
    ),
    (
        "fallback to a field",
        lambda _: attr(Thing.left_out).if_not_exists(Thing.m) + 1,
        lambda thing, _: (thing.m if thing.left_out is None else thing.left_out) + 1,
    ),
]


def _numbers() -> st.SearchStrategy[Change]:
    def change(field: str, source: Any, number: int) -> Change:
        _, build, meaning = source
        return _assigned(field, build(number), lambda before: meaning(before, number))

    fields = st.sampled_from(["n", "m", "left_out", "null", "amount"])
    return st.builds(change, fields, st.sampled_from(_SOURCES), NUMBERS)


def _added(field: str, number: int) -> Change:
    def apply(before: Thing, after: Thing) -> None:
        setattr(after, field, getattr(before, field) + number)

    return Change(field, attr(_ref(field)).add(number), apply)


def _extended(field: str, items: list[int], *, in_front: bool) -> Change:
    def apply(before: Thing, after: Thing) -> None:
        stored: list[int] = getattr(before, field)
        setattr(after, field, items + stored if in_front else stored + items)

    lifted = attr(_ref(field))
    return Change(field, lifted.prepend(*items) if in_front else lifted.append(*items), apply)


def _members(field: str, members: set[str], *, taken: bool) -> Change:
    def apply(before: Thing, after: Thing) -> None:
        stored: set[str] = getattr(before, field)
        setattr(after, field, stored - members if taken else stored | members)

    lifted = attr(_ref(field))
    return Change(field, lifted.delete(members) if taken else lifted.add(members), apply)


def _removed(field: str) -> Change:
    default = Thing.model_fields[field].get_default(call_default_factory=True)
    return Change(field, attr(_ref(field)).remove(), lambda _, after: setattr(after, field, default))


def _scored(key: str, number: int) -> Change:
    return Change(
        "scores",
        attr(Thing.scores[key]).set(number),
        lambda before, after: setattr(after, "scores", {**before.scores, key: number}),
    )


def changes() -> st.SearchStrategy[list[Change]]:
    one = st.one_of(
        _numbers(),
        st.builds(_added, st.sampled_from(["n", "m", "amount"]), NUMBERS),
        st.builds(
            lambda field, value: _assigned(field, value, lambda _: value),
            st.sampled_from(["nick", "note"]),
            st.none() | TEXTS,
        ),
        st.builds(
            lambda field, value: _assigned(field, value, lambda _: value), st.sampled_from(["tags", "marks"]), SETS
        ),
        st.builds(lambda: _assigned("s", Thing.t, lambda before: before.t)),
        st.builds(
            _extended,
            st.sampled_from(["lines", "more"]),
            st.lists(NUMBERS, min_size=1, max_size=2),
            in_front=st.booleans(),
        ),
        st.builds(
            _members,
            st.sampled_from(_SET_FIELDS),
            st.sets(st.sampled_from(["a", "b", "ab"]), min_size=1),
            taken=st.booleans(),
        ),
        st.builds(_removed, st.sampled_from(["left_out", "null", "nick", "note", "tags", "lines", "sub"])),
        st.builds(_scored, st.sampled_from(["k", "k.1", "size"]), NUMBERS),
    )
    return st.lists(one, min_size=1, max_size=5, unique_by=lambda change: change.field)
