"""Computed fields are stored where they are marked to be, and skipped when an item is read."""

import dataclasses
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

import pydantic.dataclasses
import pytest
from pydantic import BaseModel, ConfigDict, computed_field

from oxidyn import (
    TTL,
    Attribute,
    Client,
    Epoch,
    Index,
    InvalidItem,
    ItemAdapter,
    KeysOnly,
    PartitionKey,
    SchemaError,
    UnsupportedTypeError,
    expr,
)
from tests.codec.judges import check_round_trip

MOMENT = datetime(2026, 1, 31, tzinfo=timezone.utc)


class Box(BaseModel):
    side: int

    @computed_field
    @property
    def shown(self) -> int:
        return self.side

    @computed_field
    @property
    def area(self) -> Annotated[int, Attribute(name="a")]:
        return self.side**2


BOX = ItemAdapter(Box)


def test_a_computed_field_with_a_stored_name_is_stored_under_it_and_others_are_not():
    assert BOX.dump_item(Box(side=3)) == {"side": {"N": "3"}, "a": {"N": "9"}}


def test_a_stored_computed_field_is_computed_anew_when_the_item_is_read():
    assert BOX.load_item({"side": {"N": "3"}, "a": {"N": "7"}}).area == 9
    assert BOX.load_item({"a": {"S": "many"}, "side": {"N": "3"}}) == Box(side=3)
    assert BOX.load_item({"side": {"N": "3"}}) == Box(side=3)
    assert BOX.load_item({"side": {"N": "3"}, "a": {"N": "9"}}).model_fields_set == {"side"}
    check_round_trip(BOX, Box(side=3))


@pytest.mark.parametrize("extra", ["ignore", "forbid", "allow"])
@pytest.mark.parametrize("unknown", ["skip", "error", "keep"])
def test_a_stored_computed_field_is_neither_unknown_nor_an_extra(extra, unknown):
    class Open(Box):
        model_config = ConfigDict(extra=extra)

    adapter = ItemAdapter(Open, unknown=unknown)
    loaded = adapter.load_item({"side": {"N": "3"}, "a": {"N": "9"}})

    assert loaded == Open(side=3)
    assert adapter.dump_item(loaded) == {"side": {"N": "3"}, "a": {"N": "9"}}


def test_a_computed_field_that_is_not_stored_is_unknown():
    with pytest.raises(InvalidItem):
        ItemAdapter(Box, unknown="error").load_item({"side": {"N": "3"}, "shown": {"N": "3"}})


def test_none_and_the_empty_set_are_left_out_of_a_computed_field():
    class Tagged(BaseModel):
        text: str

        @computed_field
        @property
        def first(self) -> Annotated[str | None, Attribute(name="first")]:
            return self.text[:1] or None

        @computed_field
        @property
        def letters(self) -> Annotated[set[str], Attribute(name="letters")]:
            return set(self.text)

    assert ItemAdapter(Tagged).dump_item(Tagged(text="aa")) == {
        "text": {"S": "aa"},
        "first": {"S": "a"},
        "letters": {"SS": ["a"]},
    }
    assert ItemAdapter(Tagged).dump_item(Tagged(text="")) == {"text": {"S": ""}}


def test_a_wrong_value_of_a_computed_field_is_an_error_with_its_path_and_what_it_raises_passes():
    class Odd(BaseModel):
        value: int

        @computed_field
        @property
        def odd(self) -> Annotated[int, Attribute(name="o")]:
            if self.value == 0:
                raise LookupError("nothing there")
            return "many"  # type: ignore[return-value]

    with pytest.raises(InvalidItem) as caught:
        ItemAdapter(Odd).dump_item(Odd(value=1))
    assert [error["loc"] for error in caught.value.errors()] == [("odd",)]
    with pytest.raises(LookupError, match="nothing there"):
        ItemAdapter(Odd).dump_item(Odd(value=0))


def test_computed_fields_of_nested_models_dataclasses_and_subclasses_are_stored():
    @pydantic.dataclasses.dataclass
    class Square:
        side: int

        @computed_field
        @property
        def area(self) -> Annotated[int, Attribute(name="area")]:
            return self.side**2

    class Child(Box):
        squares: list[Square] = []

    child = Child(side=2, squares=[Square(1)])
    adapter = ItemAdapter(Child)

    assert adapter.dump_item(child) == {
        "side": {"N": "2"},
        "squares": {"L": [{"M": {"side": {"N": "1"}, "area": {"N": "1"}}}]},
        "a": {"N": "4"},
    }
    check_round_trip(adapter, child)
    assert dataclasses.asdict(adapter.load_item(adapter.dump_item(child)).squares[0]) == {"side": 1}


def test_markers_say_how_a_computed_field_is_stored():
    class Event(BaseModel):
        at: datetime

        @computed_field
        @property
        def end(self) -> Annotated[datetime, Attribute(name="end"), Epoch]:
            return self.at + timedelta(hours=1)

    assert ItemAdapter(Event).dump_item(Event(at=MOMENT))["end"] == {"N": "1769821200"}


class Parcel(BaseModel):
    id: Annotated[str, PartitionKey]
    city: str | None
    sent: datetime

    @computed_field
    @property
    def place(self) -> Annotated[str | None, Index("by_place", partition=True)]:
        return self.city and self.city.lower()

    @computed_field
    @property
    def expires(self) -> Annotated[datetime, TTL]:
        return self.sent + timedelta(days=1)


def test_a_computed_field_may_be_part_of_an_index_and_say_when_the_item_expires():
    parcels = [Parcel(id="a", city="ULM", sent=MOMENT), Parcel(id="b", city=None, sent=MOMENT)]
    assert ItemAdapter(Parcel).dump_item(parcels[0]) == {
        "id": {"S": "a"},
        "city": {"S": "ULM"},
        "sent": {"S": "2026-01-31T00:00:00.000000Z"},
        "place": {"S": "ulm"},
        "expires": {"N": "1769904000"},
    }

    with Client.local() as client:
        table = client.table(Parcel, name="parcels")
        table.create_table()
        table.batch_put(parcels)
        fields: Any = expr(Parcel)

        assert list(table.query(fields.place == "ulm", index="by_place")) == parcels[:1]
        assert list(table.scan(where=fields.expires > MOMENT)) == parcels
        assert table.get("b") == parcels[1]


def test_an_index_may_be_named_from_outside_on_a_marked_computed_field():
    class Plain(BaseModel):
        id: str

        @computed_field
        @property
        def initial(self) -> Annotated[str, Attribute(name="i")]:
            return self.id[0]

        @computed_field
        @property
        def unmarked(self) -> str:
            return self.id[0]

    from oxidyn import Index as Options

    keys = Options.keys(partition="initial", project=KeysOnly())
    ItemAdapter(Plain, partition="id", indexes={"by_initial": keys})
    with pytest.raises(SchemaError, match="unmarked"):
        ItemAdapter(Plain, partition="id", indexes={"by": Options.keys(partition="unmarked")})


def test_a_key_of_the_table_is_no_computed_field():
    class Keyed(BaseModel):
        value: str

        @computed_field
        @property
        def id(self) -> Annotated[str, PartitionKey]:
            return self.value

    with pytest.raises(SchemaError, match=r"Keyed\.id: a table's key"):
        ItemAdapter(Keyed)


def test_what_cannot_be_stored_is_refused_only_where_it_is_marked():
    class Marked(BaseModel):
        value: int

        @computed_field
        @property
        def other(self) -> Annotated[type[Box], Attribute(name="o")]:
            return Box

    class Unmarked(BaseModel):
        value: int

        @computed_field
        @property
        def other(self) -> type[Box]:
            return Box

    with pytest.raises(UnsupportedTypeError, match=r"Marked\.other"):
        ItemAdapter(Marked)
    assert ItemAdapter(Unmarked).dump_item(Unmarked(value=1)) == {"value": {"N": "1"}}


def test_a_stored_name_that_a_field_has_already_is_refused():
    class Twice(BaseModel):
        value: int

        @computed_field
        @property
        def other(self) -> Annotated[int, Attribute(name="value")]:
            return self.value

    with pytest.raises(SchemaError, match=r"Twice\.other"):
        ItemAdapter(Twice)
