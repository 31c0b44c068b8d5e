"""Conditions beyond a value's comparison: sizes, parts, types, fields with fields, and what is refused before sending."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from oxidyn import (
    Attribute,
    ConditionFailed,
    Epoch,
    InvalidExpression,
    InvalidItem,
    Model,
    PartitionKey,
    all_of,
    any_of,
    attr,
    expr,
    some,
)
from tests.ops.models import Word


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Line(BaseModel):
    sku: str = Field(alias="s", default="")
    qty: int = 0


class Doc(Model, table="docs"):
    id: Annotated[str, PartitionKey]
    title: str = ""
    subtitle: str = ""
    nick: str | None = None
    note: str | None = "none yet"
    low: int = 0
    high: int = 10
    price: Decimal = Decimal(1)
    score: float = 0.0
    tags: set[str] = set()
    marks: set[str] = set()
    sizes: set[int] = set()
    parts: frozenset[bytes] = frozenset()
    lines: list[Line] = []
    counts: list[int] = []
    pair: tuple[int, str] = (0, "")
    run: tuple[int, ...] = ()
    scores: dict[str, int] = {}
    by_name: Annotated[dict[str, Line], Attribute(name="order by.#1")] = {}
    colour: Colour = Colour.RED
    raw: bytes = b""
    active: bool = True
    seen: Annotated[datetime, Epoch] = datetime(2026, 1, 1, tzinfo=timezone.utc)
    due: Annotated[datetime, Epoch("ms")] = datetime(2026, 1, 1, tzinfo=timezone.utc)
    made: datetime = datetime(2026, 1, 1, tzinfo=timezone.utc)
    took: timedelta = timedelta()
    ref: UUID = UUID(int=0)
    hex: Annotated[UUID, Attribute(format="hex")] = UUID(int=0)
    anything: Any = None


@pytest.fixture
def docs(client: Any, table_name: str) -> Any:
    table = client.table(Doc, name=table_name)
    table.create_table()
    table.batch_put(
        [
            Doc(
                id="a",
                title="abc",
                subtitle="ab",
                nick="n",
                low=3,
                high=3,
                tags={"x", "y"},
                marks={"x", "y"},
                sizes={1, 2},
                parts=frozenset({b"p", b"q"}),
                lines=[Line(s="pen", qty=2), Line(s="ink", qty=5)],
                counts=[2, 3],
                run=(1, 2),
                scores={"k.1": 4, "size": 1},
                by_name={"a b.c": Line(s="cap", qty=1)},
                raw=b"abc",
            ),
            Doc(id="b", title="bcd", subtitle="xyz", low=5, high=2, tags={"x"}, colour=Colour.BLUE, active=False),
            Doc(id="c", nick="same", note="same", low=-1, counts=[1]),
            Doc(id="d", note=None, score=0.5, price=Decimal("0.5")),
        ]
    )
    return table


def found(docs: Any, condition: Any) -> str:
    return "".join(sorted(doc.id for doc in docs.scan(where=condition)))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda: Doc.active, "acd"),
        (lambda: ~Doc.active, "b"),
        (lambda: Doc.active & (Doc.low > 0), "a"),
        (lambda: Doc.anything, ""),
    ],
)
def test_a_bare_reference_to_a_bool_is_the_condition_that_it_is_true(docs: Any, condition: Any, expected: str) -> None:
    assert found(docs, condition()) == expected


@pytest.mark.parametrize("field", ["low", "price", "score", "title", "nick", "tags", "counts", "seen", "colour"])
def test_a_bare_reference_to_anything_else_is_refused_though_true_could_be_converted(docs: Any, field: str) -> None:
    bare = getattr(Doc, field)
    wanted = rf"found Doc\.{field}, which by itself is one only where it holds a bool: compare it \(Doc\.{field} == …\)"

    for attempt in (
        lambda: found(docs, bare),
        lambda: found(docs, ~bare | Doc.active),
        lambda: docs.delete("a", where=bare),
    ):
        with pytest.raises(InvalidExpression, match=wanted):
            attempt()

    assert docs.get("a") is not None


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda: attr(Doc.title).contains("bc"), "ab"),
        (lambda: ~attr(Doc.title).contains("bc"), "cd"),
        (lambda: attr(Doc.colour).attribute_type("S"), "abcd"),
        (lambda: attr(Doc.tags).contains("y"), "a"),
        (lambda: attr(Doc.sizes).contains(2), "a"),
        (lambda: attr(Doc.parts).contains(b"q"), "a"),
        (lambda: attr(Doc.counts).contains(3), "a"),
        (lambda: attr(Doc.run).contains(2), "a"),
        (lambda: attr(Doc.lines).contains(Line(s="pen", qty=2)), "a"),
        (lambda: attr(Doc.title).contains(Doc.subtitle), "acd"),
        (lambda: attr(Doc.tags).contains(Doc.subtitle), ""),
        (lambda: attr(Doc.counts).contains(Doc.high), "a"),
    ],
)
def test_contains_looks_in_text_sets_and_lists(docs: Any, condition: Any, expected: str) -> None:
    assert found(docs, condition()) == expected


@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
def test_contains_looks_in_bytes_and_prefixes_are_bytes_too(docs: Any) -> None:
    # moto looks for neither in binary, which DynamoDB's begins_with takes by its documentation.
    assert found(docs, attr(Doc.raw).contains(b"bc")) == "a"
    assert found(docs, attr(Doc.raw).begins_with(b"ab")) == "a"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda: attr(Doc.title).size() > 2, "ab"),
        (lambda: attr(Doc.title).size() == 0, "cd"),
        (lambda: attr(Doc.lines).size() == 2, "a"),
        (lambda: attr(Doc.lines).size() != 2, "bcd"),
        (lambda: attr(Doc.scores).size() >= 1, "a"),
        (lambda: attr(Doc.raw).size().between(1, 3), "a"),
        (lambda: attr(Doc.counts).size().between(Doc.low, Doc.high), "cd"),
        (lambda: attr(Doc.counts).size() < Doc.low, "ab"),
        (lambda: Doc.low <= attr(Doc.counts).size(), "cd"),
        (lambda: attr(Doc.title).size() == attr(Doc.subtitle).size(), "bcd"),
        (lambda: attr(Doc.lines).size() < attr(Doc.counts).size(), "c"),
    ],
)
def test_size_compares_with_numbers_fields_and_sizes(docs: Any, condition: Any, expected: str) -> None:
    assert found(docs, condition()) == expected


@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda: attr(Doc.tags).size() == 0, "cd"),
        (lambda: attr(Doc.tags).size() != 0, "ab"),
        (lambda: attr(Doc.tags).size() < 2, "bcd"),
        (lambda: attr(Doc.tags).size() > 0, "ab"),
        (lambda: attr(Doc.tags).size().between(0, 1), "bcd"),
        (lambda: attr(Doc.tags).size().between(1, 2), "ab"),
        (lambda: attr(Doc.tags).size() < Doc.low, "ab"),
        (lambda: Doc.low < attr(Doc.tags).size(), "c"),
        (lambda: attr(Doc.tags).size() == attr(Doc.marks).size(), "acd"),
        (lambda: attr(Doc.tags).size() != attr(Doc.marks).size(), "b"),
        (lambda: attr(Doc.tags).size() > attr(Doc.marks).size(), "b"),
    ],
)
def test_the_size_of_an_empty_set_is_0_although_it_is_not_stored(docs: Any, condition: Any, expected: str) -> None:
    # moto fails on the size of what is not stored; in DynamoDB no comparison with it holds.
    assert found(docs, condition()) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda: Doc.low == Doc.high, "a"),
        (lambda: Doc.low != Doc.high, "bcd"),
        (lambda: Doc.low < Doc.high, "cd"),
        (lambda: Doc.low >= Doc.high, "ab"),
        (lambda: Doc.score < Doc.price, "abc"),
        (lambda: Doc.score == Doc.price, "d"),
        (lambda: attr(Doc.low).between(0, Doc.high), "ad"),
        (lambda: attr(Doc.low).between(Doc.high, 9), "ab"),
        (lambda: attr(Doc.low).is_in([Doc.high, 5]), "ab"),
        (lambda: attr(Doc.title).begins_with(Doc.subtitle), "acd"),
        (lambda: Doc.lines[0].qty < Doc.lines[1].qty, "a"),
        (lambda: Doc.seen == Doc.seen, "abcd"),
    ],
)
def test_fields_compare_with_fields(docs: Any, condition: Any, expected: str) -> None:
    assert found(docs, condition()) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        # nick is left out where it is None, note is stored as NULL.
        (lambda: Doc.nick == Doc.note, "cd"),
        (lambda: Doc.nick != Doc.note, "ab"),
        (lambda: Doc.title == Doc.nick, ""),
        (lambda: attr(Doc.nick).is_in([Doc.note, "n"]), "acd"),
        (lambda: Doc.tags == Doc.marks, "acd"),
        (lambda: Doc.tags != Doc.marks, "b"),
        (lambda: attr(Doc.tags).is_in([set(), {"x"}]), "bcd"),
    ],
)
def test_none_and_the_empty_set_equal_themselves_however_each_field_stores_them(
    docs: Any, condition: Any, expected: str
) -> None:
    assert found(docs, condition()) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda: attr(Doc.note).attribute_type("NULL"), "d"),
        (lambda: attr(Doc.note).attribute_type("S"), "abc"),
        (lambda: attr(Doc.tags).attribute_type("SS"), "ab"),
        (lambda: attr(Doc.sizes).attribute_type("NS"), "a"),
        (lambda: attr(Doc.lines).attribute_type("L"), "abcd"),
        (lambda: attr(Doc.scores).attribute_type("M"), "abcd"),
        (lambda: attr(Doc.active).attribute_type("BOOL"), "abcd"),
        (lambda: attr(Doc.raw).attribute_type("B"), "abcd"),
        (lambda: attr(Doc.low).attribute_type("N"), "abcd"),
        (lambda: attr(Doc.parts).attribute_type("BS"), "a"),
    ],
)
def test_attribute_type_is_the_type_on_the_wire(docs: Any, condition: Any, expected: str) -> None:
    assert found(docs, condition()) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda: Doc.lines[0].qty == 2, "a"),
        (lambda: Doc.lines[1].sku == "ink", "a"),
        (lambda: attr(Doc.lines[1]).exists(), "a"),
        (lambda: Doc.pair[0] == 0, "abcd"),
        (lambda: Doc.scores["k.1"] == 4, "a"),
        (lambda: Doc.scores["size"] == 1, "a"),
        (lambda: Doc.by_name["a b.c"].qty > 0, "a"),
        (lambda: attr(Doc.by_name["a b.c"].sku).begins_with("c"), "a"),
        (lambda: attr(Doc.scores["k.1"]).not_exists(), "bcd"),
    ],
)
def test_paths_go_through_lists_dicts_and_nested_models_whatever_their_names(
    docs: Any, condition: Any, expected: str
) -> None:
    assert found(docs, condition()) == expected


def test_a_condition_of_a_write_takes_all_of_it(docs: Any) -> None:
    held = all_of(
        attr(Doc.lines).size() == 2,
        attr(Doc.tags).contains("x"),
        Doc.low >= Doc.high,
        any_of(attr(Doc.nick).attribute_type("S"), attr(Doc.title).begins_with(Doc.subtitle)),
    )

    docs.update("a", attr(Doc.low).add(1), where=held)

    with pytest.raises(ConditionFailed) as caught:
        docs.update("a", attr(Doc.low).add(1), where=~held)
    assert caught.value.item == docs.get("a")


# What is refused before anything is sent


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (lambda: attr(Doc.low).size() > 1, r"size\(\) works on text, bytes and collections, and Doc\.low is none"),
        (lambda: attr(Doc.active).size() > 1, r"Doc\.active is none"),
        (lambda: attr(Doc.tags).size() > "1", r"attr\(Doc\.tags\)\.size\(\) is compared with whole numbers, found str"),
        (lambda: attr(Doc.tags).size() > 1.5, "found float"),
        (lambda: attr(Doc.tags).size() > True, "found bool"),
        (lambda: attr(Doc.tags).size() > Doc.title, r"compared with numbers, and Doc\.title is none"),
        (lambda: attr(Doc.tags).size() > Doc.took, r"compared with numbers, and Doc\.took is none"),
        (
            lambda: attr(expr(Doc).low).contains(3),
            r"contains works on text, bytes, sets and lists, and Doc\.low is none",
        ),
        (lambda: attr(expr(Doc).scores).contains("k"), r"Doc\.scores is none"),
        (lambda: attr(expr(Doc).pair).contains(1), r"Doc\.pair is none"),
        (lambda: attr(expr(Doc).made).contains("2026"), r"Doc\.made is none"),
        (lambda: attr(Doc.title).contains(Doc.title), r"looks for Doc\.title in itself"),
        (lambda: attr(Doc.title).contains(attr(Doc.tags).size()), "looks for text or bytes, not for a size"),
        (lambda: attr(Doc.counts).contains(attr(Doc.tags).size()), "a size is computed in comparisons alone"),
        (lambda: attr(expr(Doc).tags).contains(Doc.low), r"Doc\.tags cannot be compared with Doc\.low: .* never equal"),
        (
            lambda: attr(expr(Doc).title).begins_with(Doc.ref),
            r"begins_with looks for text or bytes, and Doc\.ref is none",
        ),
        (lambda: Doc.low == Doc.title, r"Doc\.low cannot be compared with Doc\.title: .* different types"),
        (lambda: Doc.seen > Doc.due, "the one is stored as seconds since 1970, the other as milliseconds since 1970"),
        (lambda: Doc.seen > Doc.made, "different types"),
        (lambda: Doc.ref == Doc.hex, "the one is stored as UUIDs, the other as UUIDs without hyphens"),
        (lambda: Doc.title == Doc.ref, "the one is stored as plain values, the other as UUIDs"),
        (lambda: Doc.low < Doc.took, "the one is stored as plain values, the other as durations"),
        (lambda: Doc.tags > {"a"}, r"Doc\.tags is stored as SS, which has no order"),
        (lambda: Doc.tags < Doc.marks, r"Doc\.tags is not stored in a form that has an order"),
        (lambda: Doc.active > False, r"Doc\.active: it is stored as BOOL, which has no order"),
        (lambda: Doc.lines[0] > Line(), r"Doc\.lines\[0\]: it is stored as M"),
        (lambda: attr(expr(Doc).anything).between(1, "x"), r"those for Doc\.anything are stored as N and S"),
        (
            lambda: attr(Doc.low).is_in(range(101)),
            r"Doc\.low: is_in was given 101 values, and DynamoDB takes at most 100",
        ),
        (lambda: Doc.lines[0].town == "x", r"Doc\.lines\[0\] has no field town; it has sku, qty"),  # type: ignore[attr-defined]
        (lambda: Doc.lines.first == 1, r"Doc\.lines is a list: an element is told by its index"),
        (lambda: Doc.low.x == 1, r"Doc\.low has no parts"),
        (lambda: any_of(*(Doc.low == number for number in range(151))), "more operators and functions than the 300"),
        (lambda: any_of(*(attr(Doc.low).is_in(range(100)) for _ in range(8))), "more text than the 4096 bytes"),
        (lambda: any_of(Doc.title == "x" * 2**20, Doc.title == "y" * 2**20), "more names and values than the 2097152"),
    ],
)
@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
@pytest.mark.parametrize("colour", ["sync"], indirect=True)
def test_a_condition_that_cannot_hold_its_meaning_is_refused_by_the_fields_names(
    client: Any, table_name: str, condition: Any, words: str
) -> None:
    with pytest.raises(InvalidExpression, match=words) as caught:
        list(client.table(Doc, name=table_name).scan(where=condition()))

    assert caught.value.table == table_name


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (lambda: Doc.low == "many", "low"),
        (lambda: attr(Doc.sizes).contains("x"), "sizes"),
        (lambda: attr(Doc.lines).contains(3), "lines"),
        (lambda: attr(Doc.low).between(1, "many"), "low"),
        (lambda: attr(Doc.colour).is_in([Colour.RED, "green"]), "colour"),
        (lambda: attr(Doc.tags).contains(None), "tags"),
        (lambda: Doc.by_name["a"].qty == "many", r"by_name\.a\.qty"),
    ],
)
@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
@pytest.mark.parametrize("colour", ["sync"], indirect=True)
def test_a_value_of_the_wrong_type_is_refused_by_the_fields_name(
    client: Any, table_name: str, condition: Any, words: str
) -> None:
    with pytest.raises(InvalidItem, match=words):
        list(client.table(Doc, name=table_name).scan(where=condition()))


def test_messages_name_fields_and_not_what_they_are_stored_under(client: Any, table_name: str) -> None:
    class Renamed(Model):
        id: Annotated[str, PartitionKey]
        status: Annotated[int, Attribute(name="s0")] = 0
        kinds: Annotated[set[str], Attribute(name="s1")] = set()
        place: Annotated[Line, Attribute(name="s2")] = Line()
        anything: Annotated[Any, Attribute(name="s3")] = None

    table = client.table(Renamed, name=table_name)
    refused: list[Any] = [
        lambda: table.ops.update("a", attr(Renamed.status).set(1), attr(Renamed.status).set(2)),
        lambda: table.ops.update("a", attr(Renamed.place).remove(), attr(Renamed.place.sku).set("x")),
        lambda: table.ops.update("a", attr(expr(Renamed).anything).add("x")),
        lambda: table.ops.update("a", attr(expr(Renamed).status).delete({1})),
        lambda: table.ops.update("a", attr(expr(Renamed).status).append(1)),
        lambda: table.scan(where=attr(Renamed.status).is_in(range(101))).first(),
        lambda: table.scan(where=Renamed.kinds > {"x"}).first(),
        lambda: table.scan(where=attr(expr(Renamed).anything).between(1, "x")).first(),
        lambda: table.scan(where=attr(expr(Renamed).anything) > [1]).first(),
        lambda: table.scan(where=attr(expr(Renamed).anything).begins_with("x")).first(),
    ]
    for refuse in refused:
        with pytest.raises(InvalidExpression, match=r"Renamed\.(status|place|kinds|anything)") as caught:
            refuse()
        assert not any(stored in str(caught.value) for stored in ("s0", "s1", "s2", "s3"))


def test_some_reads_on_through_optional_parts(client: Any, table_name: str) -> None:
    class Box(Model):
        id: Annotated[str, PartitionKey]
        line: Line | None = None
        lines: list[Line | None] = []

    boxes = client.table(Box, name=table_name)
    boxes.create_table()
    boxes.put(Box(id="a", line=Line(qty=3), lines=[None, Line(qty=3)]))

    assert boxes.scan(where=some(Box.line).qty == some(Box.lines[1]).qty).count() == 1
    assert boxes.scan(where=attr(Box.lines).contains(None)).count() == 1
    assert boxes.scan(where=attr(Box.lines[0]).is_none()).count() == 1


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        (lambda: attr(Word.word).contains("a"), "`contains` cannot be a key condition"),
        (lambda: attr(Word.word).size() > 3, "`size` cannot be a key condition"),
        (lambda: attr(Word.word).attribute_type("S"), "`attribute_type` cannot be a key condition"),
        (lambda: Word.word > Word.language, "language is a key attribute of .*, and a comparison with another field"),
        (lambda: attr(Word.word).begins_with(Word.language), "and a comparison with another field"),
    ],
)
@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
@pytest.mark.parametrize("colour", ["sync"], indirect=True)
def test_what_cannot_be_a_key_condition_is_refused_on_key_attributes(words: Any, condition: Any, reason: str) -> None:
    with pytest.raises(InvalidExpression, match=reason):
        list(words.query((Word.language == "en") & condition()))
