"""Unions: the wire type decides, then Pydantic's JSON mode, then the discriminator."""

import enum
import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional, Union
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    NaiveDatetime,
    TypeAdapter,
    ValidationError,
    WrapValidator,
)
from pydantic import Field as Constrained
from typing_extensions import TypeAliasType, TypedDict

from oxidyn import Attribute, Epoch, InvalidItem, ItemAdapter, SchemaError, UnsupportedTypeError, _core
from tests.codec.judges import Field, check_round_trip, comparable

Json = TypeAliasType("Json", "dict[str, Json] | list[Json] | str | bool | int | float | None")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str = "Rex"


class Pup(Dog):
    weeks: int = 1


class Small(BaseModel):
    x: int


class Large(BaseModel):
    x: int
    y: int = 0


@dataclass
class Point:
    kind: Literal["point"]
    x: int


class Note(TypedDict):
    kind: Literal["note"]
    text: str


aware = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone.utc))
texts = st.text(max_size=6) | st.sampled_from(
    [
        "12345678-9abc-4ef0-8fed-cba987654321",
        "123456789ABC4EF08FEDCBA987654321",
        "{12345678-9abc-4ef0-8fed-cba987654321}",
        "urn:uuid:12345678-9abc-4ef0-8fed-cba987654321",
        "x" * 36,
        "2026-01-31",
        "2026-01-31T00:00:00.000000Z",
        "2026-01-31T12:30:00.000001Z",
        "2026-01-31T12:30:00.000000",
        "2026-01-31 12:30",
        "12:30:00.000000",
        "12:30",
        "red",
        "5",
        "-1.5",
        "1e3",
        "inf",
        "NaN",
        "true",
        "",
        " ",
    ]
)
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    int: st.integers(-(10**20), 10**20),
    float: st.floats(-1e9, 1e9).filter(lambda value: value == 0 or abs(value) > 1e-100),
    Decimal: st.decimals(-1000, 1000, places=2),
    bool: st.booleans(),
    bytes: st.binary(max_size=5),
    UUID: st.uuids(),
    date: st.dates(),
    datetime: aware | st.datetimes(),
    time: st.times(),
    Colour: st.sampled_from(Colour),
    Level: st.sampled_from(Level),
    Literal["a", 1]: st.sampled_from(["a", 1]),
    Cat: st.builds(Cat, lives=st.integers(0, 9)),
    Dog: st.builds(Dog, name=st.text(max_size=3)),
    list[int]: st.lists(st.integers(-5, 5), max_size=3),
    set[str]: st.sets(st.text(max_size=3), max_size=3),
    type(None): st.none(),
}
members = st.lists(st.sampled_from(list(VALUES)), min_size=2, max_size=4, unique=True)
TEXT = (str, UUID, date, datetime, time, Colour)
NUMBERS = (int, float, Decimal, Level)


def union_of(types: list[Any], *, left_to_right: bool = False) -> Any:
    union = Union[tuple(types)]  # noqa: UP007 (the members are not known here)
    return Annotated[union, Constrained(union_mode="left_to_right")] if left_to_right else union


def as_by_json(annotation: Any, json_text: str) -> Any:
    """What Pydantic makes of JSON; its exception class where it refuses."""
    try:
        return TypeAdapter(annotation).validate_json(json_text)
    except ValidationError:
        return ValidationError


@given(members, st.data())
def test_any_value_comes_back_equal_or_as_the_member_that_reads_its_text(types, data):
    field = Field(union_of(types))
    value = data.draw(VALUES[data.draw(st.sampled_from(types))])
    instance = field.model.model_construct(value=value)

    attribute = field.store_instance(instance)
    loaded = field.load(attribute)

    [tag] = attribute
    if tag not in ("S", "N", "L"):
        assert (loaded, type(loaded)) == (value, type(value))
    elif tag != "S":
        again = field.store_instance(field.model.model_construct(value=loaded))
        # A float may come back as the int of its value, whose text is another: 1e8 and 100000000.
        assert again == attribute or Decimal(again["N"]) == Decimal(attribute["N"])


@pytest.mark.parametrize("left_to_right", [False, True])
@given(types=st.lists(st.sampled_from(TEXT), min_size=2, max_size=4, unique=True), text=texts)
def test_text_is_read_as_pydantics_json_mode_reads_it(types, text, left_to_right):
    annotation = union_of(types, left_to_right=left_to_right)
    field = Field(annotation)

    expected = as_by_json(annotation, json.dumps(text))

    if expected is ValidationError:
        with pytest.raises(InvalidItem):
            field.load({"S": text})
    else:
        loaded = field.load({"S": text})
        assert (loaded, type(loaded)) == (expected, type(expected))


@pytest.mark.parametrize("left_to_right", [False, True])
@given(
    types=st.lists(st.sampled_from((int, float, Level)), min_size=2, max_size=3, unique=True),
    number=st.integers(-(10**15), 10**15) | st.floats(-1e9, 1e9).filter(lambda value: value == 0 or abs(value) > 1e-99),
)
def test_a_number_is_read_as_pydantics_json_mode_reads_it(types, number, left_to_right):
    annotation = union_of(types, left_to_right=left_to_right)
    field = Field(annotation)
    stored = format(Decimal(repr(number)), "f")
    stored = stored.rstrip("0").rstrip(".") if "." in stored else stored

    expected = as_by_json(annotation, "0" if stored == "-0" else stored)

    if expected is ValidationError:
        with pytest.raises(InvalidItem):
            field.load({"N": stored})
    else:
        loaded = field.load({"N": stored})
        assert (loaded, type(loaded)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("annotation", "attribute", "value"),
    [
        (int | float, {"N": "3"}, 3),
        (float | int, {"N": "3"}, 3),
        (int | float, {"N": "0.1"}, 0.1),
        (int | Decimal, {"N": "0.1"}, Decimal("0.1")),
        (float | Decimal, {"N": "0.1"}, 0.1),
        (float | Decimal, {"N": "3"}, 3.0),
        (Decimal | float, {"N": "3"}, Decimal(3)),
        (float | Decimal, {"N": "0.1234567890123456789"}, Decimal("0.1234567890123456789")),
        (int | float | Decimal, {"N": "1" + "0" * 30}, 10**30),
        (Annotated[int, Constrained(ge=0)] | Decimal, {"N": "0.1234567890123456789"}, Decimal("0.1234567890123456789")),
        (Annotated[int, Constrained(ge=0)] | float, {"N": "-1"}, -1.0),
        (bool | int, {"BOOL": True}, True),
        (bool | int, {"N": "1"}, 1),
        (UUID | str, {"S": "12345678-9abc-4ef0-8fed-cba987654321"}, UUID("12345678-9abc-4ef0-8fed-cba987654321")),
        (str | UUID, {"S": "hello"}, "hello"),
        (date | datetime, {"S": "2026-01-31"}, date(2026, 1, 31)),
        (
            date | datetime,
            {"S": "2026-01-31T00:00:00.000000Z"},
            datetime(2026, 1, 31, tzinfo=timezone.utc),
        ),
        (date | datetime | None, {"NULL": True}, None),
        (str | bytes, {"B": "YQ=="}, b"a"),
        (str | list[str], {"L": [{"S": "a"}]}, ["a"]),
        (str | set[str], {"SS": ["a"]}, {"a"}),
        (int | str | None, {"S": "5"}, "5"),
        (dict[str, int] | list[int], {"M": {"a": {"N": "1"}}}, {"a": 1}),
        (list[int] | list[str], {"L": [{"S": "a"}]}, ["a"]),
        (list[int] | list[str], {"L": [{"N": "1"}]}, [1]),
        (tuple[int, int] | tuple[int], {"L": [{"N": "1"}]}, (1,)),
        (set[UUID | str], {"SS": ["a", str(UUID(int=1))]}, {"a", UUID(int=1)}),
        (list[int | str], {"L": [{"N": "1"}, {"S": "1"}]}, [1, "1"]),
        (Annotated[int | str, Constrained(union_mode="left_to_right")], {"S": "5"}, "5"),
        (Annotated[datetime, Epoch] | str, {"N": "0"}, datetime(1970, 1, 1, tzinfo=timezone.utc)),
        (Small | str, {"M": {"x": {"N": "1"}}}, Small(x=1)),
        (Small | Large, {"M": {"x": {"N": "1"}}}, Small(x=1)),
        (Small | Large, {"M": {"x": {"N": "1"}, "y": {"N": "0"}}}, Large(x=1, y=0)),
        (Cat | Dog, {"M": {"kind": {"S": "dog"}, "name": {"S": "a"}}}, Dog(name="a")),
        (Point | Note, {"M": {"kind": {"S": "note"}, "text": {"S": "a"}}}, {"kind": "note", "text": "a"}),
        (int | Any, {"L": [{"S": "a"}]}, ["a"]),
        (Json, {"M": {"a": {"L": [{"N": "1"}, {"S": "b"}, {"NULL": True}]}}}, {"a": [1, "b", None]}),
    ],
)
def test_what_is_stored_comes_back_as_the_member_it_is_read_as(annotation, attribute, value):
    field = Field(annotation)

    loaded = field.load(attribute)

    assert (loaded, type(loaded)) == (value, type(value))
    assert repr(loaded) == repr(value)
    again = field.store_instance(field.model.model_construct(value=loaded))
    assert comparable(again) == comparable(attribute)


@given(members, st.data())
def test_python_values_of_no_member_are_refused_by_the_members_names(types, data):
    field = Field(union_of(types))
    value = data.draw(st.sampled_from([object(), 1j, range(3)]))

    error = field.refusal_to_store(value)

    assert error["loc"] == ("value",)
    assert "found" in error["msg"]


def test_the_refusal_names_the_members_and_what_was_found():
    error = Field(int | Cat | None).refusal_to_store("x")

    assert error["loc"] == ("value",)
    assert error["msg"] == "expected a value of a member of the union (int, Cat), found str"


def test_a_part_of_the_one_member_that_fits_is_refused_with_its_own_path():
    assert Field(list[int] | str).refusal_to_store([1, "a"])["loc"] == ("value", 1)
    assert Field(Cat | Dog).refusal_to_store(Cat.model_construct(lives="x"))["loc"] == ("value", "lives")


def test_a_bool_is_no_int_and_a_datetime_no_date():
    assert Field(int | str).refusal_to_store(True)["loc"] == ("value",)
    assert Field(date | str).refusal_to_store(datetime(2026, 1, 31))["loc"] == ("value",)


def test_a_value_of_a_members_subclass_is_stored_as_that_member():
    class Text(str):
        __slots__ = ()

    field = Field(int | str)
    assert field.store_instance(field.model.model_construct(value=Text("a"))) == {"S": "a"}
    assert Field(Cat | Dog | Pup).store(Pup(weeks=2))["M"]["weeks"] == {"N": "2"}


def test_a_str_that_reads_as_another_member_comes_back_as_that_member_as_through_pydantics_json():
    text = "12345678-9abc-4ef0-8fed-cba987654321"
    field = Field(UUID | str)
    instance = field.model(value=text)

    loaded = field.adapter.load_wire(field.adapter.dump_wire(instance))

    assert loaded.value == UUID(text)
    assert loaded == field.model.model_validate_json(instance.model_dump_json())


@pytest.mark.parametrize(
    "annotation",
    [int | timedelta, float | Annotated[datetime, Epoch], Decimal | timedelta | None],
)
def test_numbers_and_times_in_one_union_are_refused_when_compiled(annotation):
    with pytest.raises(UnsupportedTypeError, match=r"Holder\.value: .*told apart"):
        Field(annotation)


def test_a_member_that_is_not_stored_is_refused_when_compiled():
    with pytest.raises(UnsupportedTypeError, match=r"Holder\.value"):
        Field(int | type[int])


def test_the_members_markers_are_their_own():
    field = Field(Annotated[datetime, Epoch] | NaiveDatetime)

    assert field.store(datetime(1970, 1, 1, tzinfo=timezone.utc)) == {"N": "0"}


# ---- wrong types and hostile bytes ----


@pytest.mark.parametrize(
    ("annotation", "attribute"),
    [
        (int | str, {"M": {}}),
        (int | str, {"N": "x"}),
        (int | float, {"N": "nan"}),
        (int | float, {"N": "1e999"}),
        (UUID | date, {"S": "neither"}),
        (Cat | Dog, {"S": "cat"}),
        (Cat | Dog, {"M": {"kind": {"S": "bird"}}}),
        (list[int] | list[bool], {"L": [{"S": "x"}]}),
        (str | bytes, {"B": "?"}),
        (str | int, {"SS": ["a"]}),
    ],
)
def test_what_no_member_reads_is_refused_with_its_path(annotation, attribute):
    field = Field(annotation)

    with pytest.raises(InvalidItem) as caught:
        field.load(attribute)
    assert all(error["loc"][0] == "value" for error in caught.value.errors())


def test_a_scalar_of_its_own_wire_type_that_is_refused_is_left_to_pydantic():
    field = Field(Annotated[str, Constrained(max_length=2)] | int)

    assert field.load({"S": "123"}) == 123
    with pytest.raises(InvalidItem):
        field.load({"S": "abc"})


def test_hostile_recursion_through_members_of_one_shape_ends():
    class Left(BaseModel):
        next: Optional["Left | Right | Third"] = None
        x: int

    class Right(BaseModel):
        next: Optional["Left | Right | Third"] = None
        x: int

    class Third(BaseModel):
        next: Optional["Left | Right | Third"] = None
        x: int

    for model in (Left, Right, Third):
        model.model_rebuild(_types_namespace={"Left": Left, "Right": Right, "Third": Third})
    item: Any = {"x": {"S": "no"}}
    for _ in range(25):
        item = {"next": {"M": item}, "x": {"N": "1"}}

    with pytest.raises(InvalidItem):
        ItemAdapter(Left).load_wire(json.dumps(item).encode())


def test_cycles_through_unions_are_refused():
    field = Field(Json)
    cycle: list[Any] = []
    cycle.append(cycle)

    assert field.refusal_to_store(cycle)["type"] == "nesting"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_a_recursive_union_comes_back(value):
    Field(Json).check_round_trip(value)


class Plain(BaseModel):
    x: int = Constrained(alias="xX")


class Fuller(BaseModel):
    x: int = Constrained(alias="xX")
    y: int = Constrained(0, alias="yY")


class Named(BaseModel):
    x: Annotated[int, Attribute(name="stored")]


class NamedFuller(Named):
    y: int = 0


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(Plain | Fuller, Fuller(xX=1, yY=2)), (Plain | Fuller, Plain(xX=1)), (Named | NamedFuller, NamedFuller(x=1, y=2))],
)
def test_models_of_one_shape_are_told_under_whatever_names_they_are_stored(annotation, value):
    Field(annotation).check_round_trip(value)


def test_models_of_one_shape_below_a_validator_keep_what_is_stored():
    seen: list[Any] = []

    def look(value: Any, handler: Any) -> Any:
        seen.append(value)
        return handler(value)

    field = Field(Annotated[Small | Large, WrapValidator(look)])

    field.check_round_trip(Large(x=1, y=2))
    assert field.load({"M": {"x": {"N": "1"}, "y": {"N": "2"}}}) == Large(x=1, y=2)
    assert seen[-1] == {"x": 1, "y": 2}


class WithNote(BaseModel):
    x: int
    note: str | None = None


class WithTags(BaseModel):
    x: int
    tags: set[str] = set()


class WithBoth(BaseModel):
    x: int
    note: str | None = None
    place: str | None = None
    inner: "WithNote | WithTags | None" = None


class Sloppy(BaseModel):
    x: int
    name: str = None  # type: ignore[assignment]


@pytest.mark.parametrize("load", ["validate", "trust"])
@pytest.mark.parametrize(
    "value",
    [WithNote(x=1), WithTags(x=1), WithBoth(x=1), WithBoth(x=1, inner=WithTags(x=2)), None],
    ids=repr,
)
def test_models_in_a_union_are_told_by_fields_that_are_none_or_empty_too(value, load):
    """Pydantic's JSON has these fields, and tells the models by them."""
    members = WithNote | WithTags | WithBoth | None
    field = Field(members, load=load)

    field.check_round_trip(value)
    Field(list[members], load=load).check_round_trip([value])
    assert field.model.model_validate_json(field.model(value=value).model_dump_json()).value == value


def test_none_that_its_own_type_refuses_is_left_out_in_a_union_too():
    Field(Sloppy | Large).check_round_trip(Sloppy(x=1))


def test_none_is_left_out_of_the_one_model_in_a_union():
    assert Field(WithNote | int).store(WithNote(x=1)) == {"M": {"x": {"N": "1"}}}


# ---- discriminators ----

Pet = Annotated[Cat | Dog, Discriminator("kind")]


@pytest.mark.parametrize("pet", [Cat(lives=3), Dog(name="a")])
def test_the_discriminator_tells_the_member(pet):
    Field(Pet).check_round_trip(pet)
    Field(list[Pet]).check_round_trip([pet, pet])
    Field(dict[str, Pet]).check_round_trip({"a": pet})
    Field(Pet | None, None).check_round_trip(pet)


def test_the_discriminators_value_is_read_first_wherever_it_is_stored():
    loaded = Field(Pet).load({"M": {"name": {"S": "a"}, "other": {"L": []}, "kind": {"S": "dog"}}})

    assert loaded == Dog(name="a")


@pytest.mark.parametrize(
    ("attribute", "type_"),
    [
        ({"M": {"name": {"S": "a"}}}, "union_tag_not_found"),
        ({"M": {"kind": {"S": "bird"}}}, "union_tag_invalid"),
        ({"M": {"kind": {"L": []}}}, "union_tag_invalid"),
    ],
)
def test_a_discriminator_that_is_missing_or_unknown_is_refused_with_its_path(attribute, type_):
    error = Field(Pet).refusal(attribute)

    assert error["type"] == type_
    assert error["loc"] == ("value", "kind")
    assert "cat, dog" in error["msg"]


def test_a_refused_part_of_the_told_member_has_its_own_path():
    assert Field(Pet).refusal({"M": {"kind": {"S": "cat"}, "lives": {"S": "x"}}})["loc"] == ("value", "lives")


def test_another_wire_type_than_m_is_refused():
    assert Field(Pet).refusal({"S": "cat"})["loc"] == ("value",)


def test_a_discriminator_is_found_under_its_alias_and_its_stored_name():
    class Aliased(BaseModel):
        model_config = ConfigDict(serialize_by_alias=True)
        kind: Literal["aliased"] = Constrained("aliased", alias="petKind")

    class Other(BaseModel):
        model_config = ConfigDict(serialize_by_alias=True)
        kind: Literal["other"] = Constrained("other", alias="petKind")

    field = Field(Annotated[Aliased | Other, Discriminator("kind")])

    assert field.store(Other()) == {"M": {"petKind": {"S": "other"}}}
    field.check_round_trip(Other())


def test_enums_and_numbers_discriminate_too():
    class Red(BaseModel):
        by: Literal[Colour.RED]

    class One(BaseModel):
        by: Literal[1, 2]

    field = Field(Annotated[Red | One, Discriminator("by")])

    for value in (Red(by=Colour.RED), One(by=1), One(by=2)):
        field.check_round_trip(value)
    assert field.load({"M": {"by": {"N": "1.0"}}}) == One(by=1)


def test_discriminated_unions_lie_in_each_other():
    class Black(BaseModel):
        kind: Literal["cat"] = "cat"
        colour: Literal["black"] = "black"

    class White(BaseModel):
        kind: Literal["cat"] = "cat"
        colour: Literal["white"] = "white"

    cats = Annotated[Black | White, Discriminator("colour")]
    field = Field(Annotated[cats | Dog, Discriminator("kind")])

    for value in (Black(), White(), Dog()):
        field.check_round_trip(value)


def test_dataclasses_and_typed_dicts_are_discriminated_too():
    field = Field(Annotated[Point | Note, Discriminator("kind")])

    field.check_round_trip(Point(kind="point", x=1))
    field.check_round_trip({"kind": "note", "text": "a"})


def test_a_recursive_model_may_hold_discriminated_unions():
    class Leaf(BaseModel):
        kind: Literal["leaf"] = "leaf"

    class Branch(BaseModel):
        kind: Literal["branch"] = "branch"
        parts: list[Annotated["Branch | Leaf", Discriminator("kind")]] = []

    Branch.model_rebuild(_types_namespace={"Leaf": Leaf, "Branch": Branch})

    check_round_trip(ItemAdapter(Branch), Branch(parts=[Leaf(), Branch(parts=[Leaf()])]))


@pytest.mark.parametrize("annotation", [Pet, Cat | Dog], ids=["tagged", "smart"])
def test_literals_that_discriminate_are_always_stored(annotation):
    field = Field(annotation, unset="skip")

    assert field.store(Cat()) == {"M": {"kind": {"S": "cat"}}}
    assert field.load(field.store(Dog())) == Dog()


# ---- keys, conditions ----


def plan(annotation: Any) -> Any:
    model = Field(annotation).model
    return _core.Plan(model.__pydantic_core_schema__, model, title="Holder", partition="value")


def test_a_union_of_numbers_may_be_a_key():
    assert plan(int | float) is not None


@pytest.mark.parametrize("annotation", [int | str, UUID | str, int | None, date | datetime])
def test_other_unions_are_no_keys(annotation):
    with pytest.raises(SchemaError, match=r"Holder\.value"):
        plan(annotation)
