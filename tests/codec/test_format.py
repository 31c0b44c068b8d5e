"""`Attribute(format=...)`: the other text forms of datetimes and UUIDs, each of fixed width."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Annotated, Any
from uuid import UUID, uuid1

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    UUID4,
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    NaiveDatetime,
    PlainSerializer,
    WrapValidator,
    create_model,
)
from pydantic import Field as Constrained
from typing_extensions import TypedDict

from oxidyn import TTL, Attribute, Epoch, Index, InvalidItem, ItemAdapter, PartitionKey, SchemaError, SortKey
from tests.codec.judges import Field, check_round_trip

UTC = timezone.utc
MOMENT = datetime(2026, 1, 31, 10, 30, tzinfo=UTC)
IDENTIFIER = UUID("12345678-9abc-4ef0-8fed-cba987654321")

Seconds = Annotated[datetime, Attribute(format="seconds")]
Offset = Annotated[datetime, Attribute(format="offset")]
Hex = Annotated[UUID, Attribute(format="hex")]
Upper = Annotated[UUID, Attribute(format="upper")]

zones = st.integers(-24 * 60 + 1, 24 * 60 - 1).map(lambda minutes: timezone(timedelta(minutes=minutes)))
aware = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=zones)
whole = aware.map(lambda value: value.replace(microsecond=0))


@pytest.mark.parametrize(
    ("annotation", "value", "text"),
    [
        (Seconds, MOMENT, "2026-01-31T10:30:00Z"),
        (Seconds, MOMENT.astimezone(timezone(timedelta(hours=2))), "2026-01-31T10:30:00Z"),
        (Seconds, datetime(2026, 1, 31, 10, 30), "2026-01-31T10:30:00"),
        (Annotated[NaiveDatetime, Attribute(format="seconds")], datetime(2026, 1, 31), "2026-01-31T00:00:00"),
        (Annotated[AwareDatetime, Attribute(format="seconds")], MOMENT, "2026-01-31T10:30:00Z"),
        (Offset, MOMENT.replace(microsecond=5), "2026-01-31T10:30:00.000005+00:00"),
        (Offset, MOMENT.astimezone(timezone(timedelta(hours=-7))), "2026-01-31T10:30:00.000000+00:00"),
        (Offset, datetime(2026, 1, 31), "2026-01-31T00:00:00.000000"),
        (Hex, IDENTIFIER, "123456789abc4ef08fedcba987654321"),
        (Upper, IDENTIFIER, "12345678-9ABC-4EF0-8FED-CBA987654321"),
        (Annotated[UUID4, Attribute(format="hex")], IDENTIFIER, "123456789abc4ef08fedcba987654321"),
        (Seconds | None, MOMENT, "2026-01-31T10:30:00Z"),
        (Annotated[UUID | None, Attribute(format="upper")], UUID(int=10), "00000000-0000-0000-0000-00000000000A"),
    ],
)
def test_a_format_is_how_the_value_is_stored(annotation, value, text):
    field = Field(annotation)

    assert field.store(value) == {"S": text}
    assert field.load({"S": text}) == value
    field.check_round_trip(value)


@given(whole)
def test_any_instant_of_whole_seconds_comes_back_from_seconds(value):
    assert Field(Seconds).store(value)["S"] == value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    Field(Seconds).check_round_trip(value)


@given(aware)
def test_any_instant_comes_back_from_offset(value):
    assert Field(Offset).store(value)["S"] == value.astimezone(UTC).isoformat(timespec="microseconds")
    Field(Offset).check_round_trip(value)


@given(st.uuids())
def test_any_uuid_comes_back_from_hex_and_from_upper(value):
    assert Field(Hex).store(value) == {"S": value.hex}
    assert Field(Upper).store(value) == {"S": str(value).upper()}
    Field(Hex).check_round_trip(value)
    Field(Upper).check_round_trip(value)


@pytest.mark.parametrize("annotation", [Seconds, Offset], ids=["seconds", "offset"])
@given(left=whole, right=whole)
def test_stored_texts_sort_as_the_instants_do(annotation, left, right):
    texts = [Field(annotation).store(value)["S"] for value in (left, right)]

    assert len(texts[0]) == len(texts[1])
    assert (texts[0] < texts[1]) == (left < right)


@pytest.mark.parametrize("annotation", [Hex, Upper], ids=["hex", "upper"])
@given(left=st.uuids(), right=st.uuids())
def test_stored_uuids_sort_as_the_uuids_do(annotation, left, right):
    texts = [Field(annotation).store(value)["S"] for value in (left, right)]

    assert len(texts[0]) == len(texts[1])
    assert (texts[0] < texts[1]) == (left < right)


@pytest.mark.parametrize("value", [MOMENT.replace(microsecond=1), datetime(2026, 1, 31, 0, 0, 0, 999_999)])
def test_a_remainder_of_a_second_is_an_error_with_its_path(value):
    error = Field(Seconds).refusal_to_store(value)

    assert error["loc"] == ("value",)
    assert "whole seconds" in error["msg"]
    assert Field(list[Seconds]).refusal_to_store([MOMENT, value])["loc"] == ("value", 1)


def test_formats_hold_anywhere_in_a_type():
    assert Field(dict[str, list[Hex]]).store({"a": [IDENTIFIER]}) == {"M": {"a": {"L": [{"S": IDENTIFIER.hex}]}}}
    assert Field(set[Upper]).store({IDENTIFIER}) == {"SS": [str(IDENTIFIER).upper()]}
    Field(set[Upper]).check_round_trip({IDENTIFIER, UUID(int=0)})
    Field(dict[str, list[Hex]]).check_round_trip({"a": [IDENTIFIER]})


@pytest.mark.parametrize(
    ("annotation", "texts", "value"),
    [
        (
            Seconds,
            ["2026-01-31T10:30:00.000000Z", "2026-01-31T12:30:00+02:00", "2026-01-31 10:30:00Z", "1769855400"],
            MOMENT,
        ),
        (Offset, ["2026-01-31T10:30:00.000000Z", "2026-01-31T10:30:00Z", "2026-01-31T10:30Z"], MOMENT),
        (Hex, [str(IDENTIFIER), str(IDENTIFIER).upper(), IDENTIFIER.hex.upper(), IDENTIFIER.urn], IDENTIFIER),
        (Upper, [str(IDENTIFIER), IDENTIFIER.hex, f"{{{IDENTIFIER}}}"], IDENTIFIER),
    ],
)
def test_reading_accepts_every_form_outside_keys(annotation, texts, value):
    for text in texts:
        assert Field(annotation).load({"S": text}) == value


def test_what_is_read_passes_the_fields_own_constraints():
    assert Field(Annotated[UUID4, Attribute(format="hex")]).refusal({"S": uuid1().hex})["loc"] == ("value",)
    assert Field(Seconds).refusal({"S": "2026-02-30T10:30:00Z"})["loc"] == ("value",)
    assert Field(Hex).refusal({"S": "g" * 32})["loc"] == ("value",)


@pytest.mark.parametrize(
    ("annotation", "canonical", "others"),
    [
        (
            Seconds,
            "2026-01-31T10:30:00Z",
            ["2026-01-31T10:30:00.000000Z", "2026-01-31T12:30:00+02:00", "2026-01-31T10:30:00+00:00"],
        ),
        (Offset, "2026-01-31T10:30:00.000000+00:00", ["2026-01-31T10:30:00.000000Z", "2026-01-31T10:30:00+00:00"]),
        (Hex, IDENTIFIER.hex, [str(IDENTIFIER), IDENTIFIER.hex.upper(), f"{IDENTIFIER.hex[:-1]}\\u0031"]),
        (Upper, str(IDENTIFIER).upper(), [str(IDENTIFIER), IDENTIFIER.hex.upper(), IDENTIFIER.hex]),
    ],
)
def test_a_key_must_be_stored_in_its_declared_form(annotation, canonical, others):
    for role in (PartitionKey, Index("by_id", partition=True)):
        adapter: ItemAdapter[Any] = ItemAdapter(create_model("Keyed", id=(Annotated[annotation, role], ...)))

        item = adapter.load_wire(f'{{"id":{{"S":"{canonical}"}}}}'.encode())
        assert adapter.dump_item(item) == {"id": {"S": canonical}}
        for other in others:
            if "\\u" in other:  # the same text, spelled otherwise in JSON
                assert adapter.load_wire(f'{{"id":{{"S":"{other}"}}}}'.encode()) == item
                continue
            with pytest.raises(InvalidItem, match="a key attribute is stored as S"):
                adapter.load_wire(f'{{"id":{{"S":"{other}"}}}}'.encode())


def test_blanks_in_the_json_of_a_key_hide_no_other_form():
    adapter: ItemAdapter[Any] = ItemAdapter(create_model("Keyed", id=(Annotated[UUID, PartitionKey], ...)))

    for blanks in ("    ", "  "):
        wire = f'{{"id":{{"S":{blanks}"{IDENTIFIER.hex}"{" " * (4 - len(blanks))}}}}}'.encode()
        with pytest.raises(InvalidItem, match="key attribute"):
            adapter.load_wire(wire)


def test_a_naive_value_in_a_key_is_refused_with_a_format_too():
    class Event(BaseModel):
        id: Annotated[str, PartitionKey]
        at: Annotated[datetime, SortKey, Attribute(format="seconds")]

    with pytest.raises(InvalidItem, match="timezone"):
        ItemAdapter(Event).dump_wire(Event(id="a", at=datetime(2026, 1, 31)))


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (Annotated[str, Attribute(format="hex")], r'Attribute\(format="hex"\) is for UUID fields'),
        (Annotated[datetime, Attribute(format="upper")], r'Attribute\(format="upper"\) is for UUID fields'),
        (Annotated[UUID, Attribute(format="seconds")], r'Attribute\(format="seconds"\) is for datetime fields'),
        (Annotated[int, Attribute(format="offset")], r'Attribute\(format="offset"\) is for datetime fields'),
        (Annotated[list[UUID], Attribute(format="hex")], r'Attribute\(format="hex"\) is for UUID fields'),
        (Annotated[UUID | int, Attribute(format="hex")], r'Attribute\(format="hex"\) is for UUID fields'),
        (Annotated[datetime, Epoch, Attribute(format="seconds")], "goes without Epoch, TTL and utc=False"),
        (Annotated[datetime, TTL, Attribute(format="seconds")], "goes without Epoch, TTL and utc=False"),
        (Annotated[datetime, Attribute(utc=False, format="offset")], "goes without Epoch, TTL and utc=False"),
        (Annotated[NaiveDatetime, Attribute(format="offset")], "a naive datetime is no instant"),
        (dict[Annotated[UUID, Attribute(format="hex")], int], "this is a map's key"),
        (dict[Annotated[datetime, Epoch], int], "this is a map's key"),
    ],
)
def test_a_format_on_another_type_is_refused_when_compiled(annotation, message):
    with pytest.raises(SchemaError, match=rf"Holder\.value.*: .*{message}"):
        Field(annotation)


@pytest.mark.parametrize(
    ("annotation", "value", "stored"),
    [
        (Hex | int, IDENTIFIER, {"S": IDENTIFIER.hex}),
        (Upper | str, IDENTIFIER, {"S": str(IDENTIFIER).upper()}),
        (Hex | str, "plain", {"S": "plain"}),
        (Hex | str, IDENTIFIER, {"S": IDENTIFIER.hex}),
        (date | Seconds, MOMENT.replace(hour=11), {"S": "2026-01-31T11:30:00Z"}),
        (date | Seconds, date(2026, 1, 31), {"S": "2026-01-31"}),
        (Offset | int, MOMENT, {"S": "2026-01-31T10:30:00.000000+00:00"}),
        (Seconds | Hex, IDENTIFIER, {"S": IDENTIFIER.hex}),
    ],
)
def test_formats_hold_for_the_members_of_a_union(annotation, value, stored):
    field = Field(annotation)

    assert field.store(value) == stored
    assert (field.load(stored), type(field.load(stored))) == (value, type(value))


def test_formats_hold_in_dataclasses_typed_dicts_and_named_types():
    @dataclass
    class Point:
        at: Seconds

    class Note(TypedDict):
        id: Upper

    class Both(BaseModel):
        point: Point
        note: Note

    adapter = ItemAdapter(Both)
    both = Both(point=Point(at=MOMENT), note={"id": IDENTIFIER})

    assert adapter.dump_item(both) == {
        "point": {"M": {"at": {"S": "2026-01-31T10:30:00Z"}}},
        "note": {"M": {"id": {"S": str(IDENTIFIER).upper()}}},
    }
    check_round_trip(adapter, both)


@pytest.mark.parametrize(
    "annotation",
    [
        Annotated[UUID, AfterValidator(lambda value: value), Attribute(format="hex")],
        Annotated[UUID, BeforeValidator(lambda value: value), Attribute(format="hex")],
        Annotated[UUID, WrapValidator(lambda value, handler: handler(value)), Attribute(format="hex")],
        Annotated[Hex, AfterValidator(lambda value: value)],
        Annotated[Hex, Constrained(strict=True)],
        Annotated[Hex, PlainSerializer(str)],
    ],
    ids=["after", "before", "wrap", "inside after", "strict", "serializer"],
)
@pytest.mark.parametrize("role", [None, PartitionKey])
def test_formats_hold_beside_validators_and_serializers_of_the_users(annotation, role):
    field = Field(annotation if role is None else Annotated[annotation, role])

    assert field.store(IDENTIFIER) == {"S": IDENTIFIER.hex}
    field.check_round_trip(IDENTIFIER)
    if role is not None:
        assert field.refusal({"S": str(IDENTIFIER)})["type"] == "key_form"
