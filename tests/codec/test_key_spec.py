"""What key and index fields are held to, in tables and adapters alike."""

from datetime import date, datetime, time, timezone
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import BaseModel, NaiveDatetime, create_model

from oxidyn import Attribute, Epoch, Index, InvalidItem, ItemAdapter, Model, PartitionKey, SchemaError, SortKey
from tests.codec.judges import check_round_trip

IDENTIFIER = UUID("12345678-9abc-4ef0-8fed-cba987654321")


class Event(BaseModel):
    org: Annotated[str, PartitionKey]
    at: Annotated[datetime, SortKey]
    day: Annotated[date | None, Index("by_day", partition=True)] = None
    note: str | None = None


EVENT = ItemAdapter(Event)
MOMENT = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def keyed(annotation: Any) -> Any:
    return create_model("Keyed", id=(Annotated[annotation, PartitionKey], ...))


def test_key_fields_are_attributes_like_any_other():
    assert EVENT.dump_item(Event(org="a", at=MOMENT, day=date(2026, 1, 31))) == {
        "org": {"S": "a"},
        "at": {"S": "2026-01-31T12:00:00.000000Z"},
        "day": {"S": "2026-01-31"},
    }
    check_round_trip(EVENT, Event(org="a", at=MOMENT))


def test_an_index_key_that_is_none_is_left_out():
    assert "day" not in EVENT.dump_item(Event(org="a", at=MOMENT, day=None))


def test_an_index_key_that_may_be_none_must_have_the_default_none():
    class Wrong(BaseModel):
        id: Annotated[str, PartitionKey]
        day: Annotated[date | None, Index("by_day", partition=True)]

    with pytest.raises(SchemaError, match=r"Wrong\.day"):
        ItemAdapter(Wrong)


@pytest.mark.parametrize(
    "annotation", [bool, list[str], set[str], dict[str, int], tuple[int, int], float | None, str | None, Event]
)
def test_a_table_key_that_is_not_s_n_or_b_or_may_be_none_is_refused_when_compiled(annotation):
    with pytest.raises(SchemaError, match=r"Keyed\.id"):
        ItemAdapter(keyed(annotation))


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (str, "a"),
        (int, 5),
        (bytes, b"a"),
        (UUID, IDENTIFIER),
        (date, date(2026, 1, 31)),
        (datetime, MOMENT),
        (NaiveDatetime, datetime(2026, 1, 31)),
        (Annotated[datetime, Epoch], MOMENT),
    ],
)
def test_a_key_that_is_s_n_or_b_comes_back(annotation, value):
    model = keyed(annotation)

    check_round_trip(ItemAdapter(model), model(id=value))


@pytest.mark.parametrize("value", ["", b""], ids=["text", "bytes"])
def test_empty_text_or_bytes_in_a_key_is_an_error_before_anything_is_sent(value):
    model = keyed(type(value))

    with pytest.raises(InvalidItem) as caught:
        ItemAdapter(model).dump_wire(model(id=value))

    assert caught.value.errors()[0]["loc"] == ("id",)


def test_empty_text_in_an_index_key_is_an_error_too():
    class Indexed(BaseModel):
        id: Annotated[str, PartitionKey]
        email: Annotated[str, Index("by_email", partition=True)]

    with pytest.raises(InvalidItem) as caught:
        ItemAdapter(Indexed).dump_wire(Indexed(id="a", email=""))

    assert caught.value.errors()[0]["loc"] == ("email",)


def test_empty_text_that_is_no_key_is_stored():
    assert EVENT.dump_item(Event(org="a", at=MOMENT, note=""))["note"] == {"S": ""}


def test_a_naive_value_in_a_key_or_an_index_is_refused_unless_the_field_is_naive():
    with pytest.raises(InvalidItem) as caught:
        EVENT.dump_wire(Event(org="a", at=datetime(2026, 1, 31)))

    assert caught.value.errors()[0]["loc"] == ("at",)


def test_an_aware_time_in_a_key_is_refused():
    model = keyed(time)

    check_round_trip(ItemAdapter(model), model(id=time(12, 30)))
    with pytest.raises(InvalidItem):
        ItemAdapter(model).dump_wire(model(id=time(12, 30, tzinfo=timezone.utc)))


@pytest.mark.parametrize(
    ("annotation", "canonical", "other"),
    [
        (datetime, "2026-01-31T12:00:00.000000Z", "2026-01-31T12:00:00Z"),
        (datetime, "2026-01-31T12:00:00.000000Z", "2026-01-31T13:00:00.000000+01:00"),
        (UUID, str(IDENTIFIER), str(IDENTIFIER).upper()),
        (UUID, str(IDENTIFIER), IDENTIFIER.hex),
        (date, "2026-01-31", "2026-01-31T00:00:00"),
        (time, "12:30:00.000000", "12:30"),
    ],
)
def test_a_key_must_be_stored_exactly_as_the_plan_would_write_it(annotation, canonical, other):
    adapter = ItemAdapter(keyed(annotation))

    adapter.load_item({"id": {"S": canonical}})
    with pytest.raises(InvalidItem) as caught:
        adapter.load_item({"id": {"S": other}})
    assert caught.value.errors()[0]["loc"] == ("id",)


def test_a_key_in_another_form_is_told_by_both_forms_without_its_value():
    with pytest.raises(InvalidItem) as caught:
        EVENT.load_item({"org": {"S": "a"}, "at": {"S": "2026-01-31T12:34:56Z"}})

    [error] = caught.value.errors()
    assert error["loc"] == ("at",)
    assert "stored as S 9999-99-99A99:99:99A, but written as S 9999-99-99A99:99:99.999999A" in error["msg"]
    assert "2026" not in str(caught.value)


def test_an_index_key_must_be_stored_exactly_as_the_plan_would_write_it():
    with pytest.raises(InvalidItem) as caught:
        EVENT.load_item(
            {"org": {"S": "a"}, "at": {"S": "2026-01-31T12:00:00.000000Z"}, "day": {"S": "2026-01-31T00:00:00"}}
        )

    assert caught.value.errors()[0]["loc"] == ("day",)


def test_a_number_key_is_compared_by_value():
    assert ItemAdapter(keyed(int)).load_item({"id": {"N": "5.0"}}).id == 5


def test_a_key_stored_under_another_name_comes_back():
    class Named(BaseModel):
        id: Annotated[str, PartitionKey, Attribute(name="pk")]

    assert ItemAdapter(Named).dump_item(Named(id="a")) == {"pk": {"S": "a"}}
    check_round_trip(ItemAdapter(Named), Named(id="a"))


def test_keys_of_a_nested_model_are_ignored():
    class Outer(BaseModel):
        event: Event
        text: str

    check_round_trip(ItemAdapter(Outer), Outer(event=Event(org="", at=datetime(2026, 1, 31)), text=""))


def test_keys_are_named_by_options_for_models_one_does_not_own():
    class Foreign(BaseModel):
        a: str
        b: int

    adapter = ItemAdapter(Foreign, partition="a", sort="b", indexes={"by_b": Index.keys(partition="b")})

    check_round_trip(adapter, Foreign(a="x", b=1))
    with pytest.raises(InvalidItem):
        adapter.dump_wire(Foreign(a="", b=1))
    with pytest.raises(SchemaError, match=r"Foreign"):
        ItemAdapter(Foreign, partition="c")


def test_an_adapter_needs_no_keys():
    class Loose(Model):
        text: str

    check_round_trip(ItemAdapter(Loose), Loose(text="a"))


def test_with_unset_skip_keys_and_index_keys_are_stored_all_the_same():
    class Defaulted(BaseModel):
        id: Annotated[str, PartitionKey] = "a"
        rank: Annotated[int, Index("by_rank", partition=True)] = 5
        note: str = "n"

    adapter = ItemAdapter(Defaulted, unset="skip")

    assert adapter.dump_item(Defaulted()) == {"id": {"S": "a"}, "rank": {"N": "5"}}


def test_a_missing_key_attribute_is_refused_with_its_path():
    with pytest.raises(InvalidItem) as caught:
        EVENT.load_item({"org": {"S": "a"}})

    assert caught.value.errors()[0]["loc"] == ("at",)


def test_a_key_of_another_type_on_the_wire_is_refused_with_its_path():
    with pytest.raises(InvalidItem) as caught:
        ItemAdapter(keyed(str)).load_item({"id": {"N": "5"}})

    assert caught.value.errors()[0]["loc"] == ("id",)


@pytest.mark.parametrize(
    ("annotation", "attribute"), [(int, {"S": "5"}), (str, {"B": "YQ=="}), (bytes, {"S": "a"}), (date, {"N": "86400"})]
)
def test_what_pydantic_would_convert_from_another_type_on_the_wire_is_no_key(annotation, attribute):
    field = create_model("Loose", id=(annotation, ...))

    ItemAdapter(field).load_item({"id": attribute})
    with pytest.raises(InvalidItem):
        ItemAdapter(keyed(annotation)).load_item({"id": attribute})
