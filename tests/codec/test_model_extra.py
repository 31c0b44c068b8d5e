"""`extra="allow"`: attributes that are no field are values beside the fields, as under `model_validate`."""

import copy
import dataclasses
import functools
import json
from typing import Annotated, Any

import pydantic.dataclasses
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import NotRequired, TypedDict

from oxidyn import Attribute, Client, Index, InvalidItem, ItemAdapter, PartitionKey, UnsupportedTypeError
from tests.codec.judges import check_round_trip

ALLOW = ConfigDict(extra="allow")


class Open(BaseModel):
    model_config = ALLOW
    value: int
    note: str | None = None


class Typed(BaseModel):
    model_config = ALLOW
    __pydantic_extra__: dict[str, int] = Field(init=False)
    value: int


class Named(BaseModel):
    model_config = ALLOW
    __pydantic_extra__: dict[Annotated[str, Field(min_length=2)], set[str]] = Field(init=False)


class Nested(BaseModel):
    model_config = ALLOW
    __pydantic_extra__: dict[str, Open] = Field(init=False)
    parts: list[Open] = []


@pydantic.dataclasses.dataclass(config=ALLOW)
class Record:
    value: int
    note: str | None = None


class Entry(TypedDict):
    __pydantic_config__ = ALLOW  # type: ignore[misc]
    value: int
    note: NotRequired[str]


def refusal(work: Any) -> Any:
    with pytest.raises(InvalidItem) as caught:
        work()
    [error] = caught.value.errors()
    return error


def test_extras_are_stored_as_attributes_of_their_own_beside_the_fields():
    adapter = ItemAdapter(Open)

    assert adapter.dump_item(Open(value=1, more="x", list=[1, None])) == {
        "value": {"N": "1"},
        "more": {"S": "x"},
        "list": {"L": [{"N": "1"}, {"NULL": True}]},
    }


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.text()
    | st.binary()
    | st.sampled_from([0.5, -1.25]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3),
    max_leaves=6,
)
names = st.text(min_size=1, max_size=8).filter(lambda name: name not in {"value", "note", "parts"})


def same(loaded: Any, validated: Any) -> None:
    assert type(loaded) is type(validated)
    assert loaded == validated
    if isinstance(validated, BaseModel):
        assert vars(loaded) == vars(validated)
        assert loaded.model_extra == validated.model_extra
        assert list(loaded.model_extra or ()) == list(validated.model_extra or ())
        assert loaded.model_fields_set == validated.model_fields_set
        assert loaded.model_dump() == validated.model_dump()
    elif dataclasses.is_dataclass(validated):
        assert vars(loaded) == vars(validated)


@pytest.mark.parametrize("type_", [Open, Record, Entry], ids=lambda type_: type_.__name__)
@given(extras=st.dictionaries(names, values, max_size=4))
def test_whatever_stands_beside_the_fields_comes_back_as_pydantic_validates_it(type_, extras):
    pydantic_adapter = TypeAdapter(type_)
    validated = pydantic_adapter.validate_python({"value": 1, "note": "a", **extras})
    adapter = ItemAdapter(type_)

    same(adapter.load_wire(adapter.dump_wire(validated)), validated)
    check_round_trip(adapter, validated)


@given(st.dictionaries(names, st.integers(-9, 9) | st.text(max_size=2), max_size=4))
def test_typed_extras_are_taken_and_refused_as_under_model_validate(extras):
    item = {"value": {"N": "1"}} | {
        name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in extras.items()
    }
    try:
        validated = Typed.model_validate({"value": 1, **extras})
    except ValidationError as error:
        with pytest.raises(InvalidItem) as caught:
            ItemAdapter(Typed).load_item(item)
        assert {line["loc"] for line in caught.value.errors()} == {line["loc"] for line in error.errors()}  # noqa: PT017
    else:
        same(ItemAdapter(Typed).load_item(item), validated)


def test_typed_extras_are_stored_by_their_type():
    adapter = ItemAdapter(Named)
    instance = Named(tags={"a"}, none=set())

    assert adapter.dump_item(instance) == {"tags": {"SS": ["a"]}, "none": {"L": []}}
    check_round_trip(adapter, instance)
    assert refusal(lambda: adapter.load_item({"x": {"SS": ["a"]}}))["loc"] == ("x",)
    assert refusal(lambda: adapter.load_item({"xx": {"SS": ["a"], "S": "b"}}))["type"] == "wire"


def test_nested_models_and_extras_that_are_models_come_back():
    nested = Nested(parts=[Open(value=1, x=True)], first=Open(value=2, y=[0.5]))

    check_round_trip(ItemAdapter(Nested), nested)
    loaded = ItemAdapter(Nested).load_wire(ItemAdapter(Nested).dump_wire(nested))
    assert loaded.model_extra == {"first": Open(value=2, y=[0.5])}
    assert refusal(lambda: ItemAdapter(Nested).load_item({"first": {"M": {}}}))["loc"] == ("first", "value")


def test_an_instance_without_extras_has_an_empty_dict_of_them_as_under_model_validate():
    loaded = ItemAdapter(Open).load_item({"value": {"N": "1"}})

    assert loaded.model_extra == Open.model_validate({"value": 1}).model_extra == {}
    loaded.more = 1
    assert ItemAdapter(Open).load_item({"value": {"N": "1"}}).model_extra == {}


def test_a_subclass_that_allows_no_extras_any_more_has_none():
    class Closed(Typed):
        model_config = ConfigDict(extra="forbid")

    same(ItemAdapter(Closed).load_item({"value": {"N": "1"}, "more": {"N": "1"}}), Closed(value=1))


def test_names_of_extras_are_among_model_fields_set_and_not_shared():
    adapter = ItemAdapter(Open)

    for name in ("a", "b"):
        assert adapter.load_item({"value": {"N": "1"}, name: {"S": "x"}}).model_fields_set == {"value", name}
    assert adapter.load_item({"value": {"N": "1"}}).model_fields_set == {"value"}


def test_an_extra_that_has_the_stored_name_of_a_field_is_an_error_with_its_path():
    class Renamed(BaseModel):
        model_config = ALLOW
        a: Annotated[int, Attribute(name="A")] = 0

    assert refusal(lambda: ItemAdapter(Renamed).dump_item(Renamed(A=1)))["loc"] == ("A",)
    assert refusal(lambda: ItemAdapter(Renamed).dump_item(Renamed(A=1)))["type"] == "extra_clash"


def test_an_extra_that_cannot_be_stored_is_an_error_with_its_path():
    adapter = ItemAdapter(Open)

    assert refusal(lambda: adapter.dump_item(Open(value=1, more=[object()])))["loc"] == ("more", 0)
    assert refusal(lambda: adapter.dump_item(Open.model_validate({"value": 1, "": 1})))["loc"] == ("",)
    odd = Open(value=1)
    odd.__pydantic_extra__ = {5: 1}  # type: ignore[dict-item]
    assert refusal(lambda: adapter.dump_item(odd))["loc"] == (5,)
    assert refusal(lambda: ItemAdapter(Typed).dump_item(Typed.model_construct(value=1, more="x")))["loc"] == ("more",)


def test_extras_that_cannot_be_stored_are_refused_when_compiled():
    class Unstorable(BaseModel):
        model_config = ALLOW
        __pydantic_extra__: dict[str, type[int]] = Field(init=False)

    with pytest.raises(UnsupportedTypeError, match=r"Unstorable\.\[extra\]|Unstorable\[extra\]"):
        ItemAdapter(Unstorable)


def test_every_refused_extra_is_listed_beside_the_refused_fields():
    item = {"value": {"S": "x"}, "a": {"S": "y"}, "b": {"N": "1"}, "c": {"M": {}}}

    with pytest.raises(InvalidItem) as caught:
        ItemAdapter(Typed).load_item(item)

    assert {error["loc"] for error in caught.value.errors()} == {("value",), ("a",), ("c",)}


def test_key_and_index_attributes_are_no_extras():
    class Event(BaseModel):
        model_config = ALLOW
        id: Annotated[str, PartitionKey, Attribute(name="pk")]
        day: Annotated[str | None, Index("by_day", partition=True), Attribute(name="d")] = None

    event = Event(id="a", day="mon", colour="red")
    with Client.local() as client:
        events = client.table(Event, name="events")
        events.create_table()
        events.put(event)
        loaded = events.get("a")

    assert loaded == event
    assert loaded is not None
    assert loaded.model_extra == {"colour": "red"}


def test_a_custom_init_and_post_init_see_extras_as_under_model_validate():
    class Counting(BaseModel):
        model_config = ALLOW
        value: int

        def __init__(self, **data: Any) -> None:
            super().__init__(**data, count=len(data))

    class Hooked(Open):
        def model_post_init(self, context: Any, /) -> None:
            assert self.model_extra is not None
            self.model_extra["seen"] = sorted(self.model_extra)

    for model in (Counting, Hooked):
        loaded = ItemAdapter(model).load_item({"value": {"N": "1"}, "more": {"S": "x"}})
        same(loaded, model.model_validate({"value": 1, "more": "x"}))


def test_unknown_error_refuses_nothing_that_extra_allow_takes():
    adapter = ItemAdapter(Nested, unknown="error")
    item = {"parts": {"L": [{"M": {"value": {"N": "1"}, "x": {"S": "a"}}}]}}

    assert adapter.load_item(item).parts[0].model_extra == {"x": "a"}


def test_with_unset_skip_extras_are_stored():
    assert set(ItemAdapter(Open, unset="skip").dump_item(Open(value=1, more=2))) == {"value", "more"}


def test_an_instance_of_a_subclass_or_of_model_construct_is_stored_with_its_extras():
    class Child(Open):
        rank: int = 1

    adapter = ItemAdapter(Open)

    assert set(adapter.dump_item(Child(value=1, more=2))) == {"value", "more"}
    assert set(adapter.dump_item(Open.model_construct(value=1, note=None, more=2))) == {"value", "more"}
    bare = Open.__new__(Open)
    bare.__dict__["value"] = 1
    bare.__dict__["note"] = None
    assert adapter.dump_item(bare) == {"value": {"N": "1"}}


def test_extras_of_a_dataclass_lie_in_its_dict_without_what_cached_properties_left():
    @pydantic.dataclasses.dataclass(config=ALLOW)
    class Circle:
        radius: int

        @functools.cached_property
        def area(self) -> int:
            return 3 * self.radius**2

    adapter = ItemAdapter(Circle)
    circle = TypeAdapter(Circle).validate_python({"radius": 2, "colour": "red"})
    assert circle.area == 12

    assert adapter.dump_item(circle) == {"radius": {"N": "2"}, "colour": {"S": "red"}}
    assert vars(adapter.load_item(adapter.dump_item(circle))) == {"radius": 2, "colour": "red"}


def test_a_dataclass_with_slots_has_no_place_for_extras_which_are_skipped():
    @pydantic.dataclasses.dataclass(config=ALLOW, slots=True)
    class Slotted:
        value: int

    assert ItemAdapter(Slotted).load_item({"value": {"N": "1"}, "more": {"S": "x"}}) == Slotted(1)


def test_a_typed_dict_takes_the_config_of_the_model_around_it():
    class Inner(TypedDict):
        value: int

    class Outer(BaseModel):
        model_config = ALLOW
        inner: Inner

    outer = Outer.model_validate({"inner": {"value": 1, "more": "x"}})

    assert outer.inner == {"value": 1, "more": "x"}
    check_round_trip(ItemAdapter(Outer), outer)


def test_extra_items_of_a_typed_dict_have_their_type():
    try:

        class Counts(TypedDict, extra_items=int):  # type: ignore[call-arg]
            name: str

        takes_extra_items = "extras_schema" in TypeAdapter(Counts).core_schema
    except TypeError:
        takes_extra_items = False
    if not takes_extra_items:
        pytest.skip("this Pydantic or typing_extensions knows no extra_items")

    adapter = ItemAdapter(Counts)
    check_round_trip(adapter, {"name": "a", "x": 1})
    assert refusal(lambda: adapter.load_item({"name": {"S": "a"}, "x": {"S": "many"}}))["loc"] == ("x",)


def test_frozen_models_with_extras_can_be_hashed_copied_and_compared():
    class Fixed(BaseModel):
        model_config = ConfigDict(extra="allow", frozen=True)
        value: int

    adapter = ItemAdapter(Fixed)
    loaded = adapter.load_wire(adapter.dump_wire(Fixed(value=1, more=2)))

    assert hash(loaded) == hash(Fixed(value=1, more=2))
    assert copy.deepcopy(loaded) == loaded == Fixed(value=1, more=2)
    assert json.loads(loaded.model_dump_json()) == {"value": 1, "more": 2}
