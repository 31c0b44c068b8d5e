import enum
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict

from oxidyn import SchemaError, UnsupportedTypeError
from tests.codec.judges import Field


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Name(str, enum.Enum):
    A = "a"


class Rate(float, enum.Enum):
    HALF = 0.5


class Mixed(enum.Enum):
    NUMBER = 1
    TEXT = "1"
    YES = True


class Access(enum.IntFlag):
    READ = 1
    WRITE = 2


@pytest.mark.parametrize(
    ("member", "attribute"),
    [
        (Colour.RED, {"S": "red"}),
        (Size.LARGE, {"N": "2"}),
        (Name.A, {"S": "a"}),
        (Rate.HALF, {"N": "0.5"}),
    ],
)
def test_enum_is_stored_by_value(member, attribute):
    field = Field(type(member))

    assert field.store(member) == attribute
    assert field.load(attribute) is member


@given(st.sampled_from([*Colour, *Size, *Name, *Rate]))
def test_any_member_comes_back(member):
    Field(type(member)).check_round_trip(member)


@pytest.mark.parametrize(
    ("kind", "attribute"),
    [(Colour, {"S": "blue"}), (Colour, {"N": "1"}), (Size, {"N": "3"}), (Colour, {"NULL": True}), (Colour, {"L": []})],
)
def test_a_value_that_is_no_members_is_refused_with_its_path(kind, attribute):
    assert Field(kind).refusal(attribute)["loc"] == ("value",)


def test_a_refused_value_has_pydantics_own_error():
    error = Field(Colour).refusal({"S": "blue"})

    assert error["type"] == "enum"
    assert "'red' or 'green'" in error["msg"]


def test_a_number_is_compared_by_value():
    assert Field(Size).load({"N": "2.0"}) is Size.LARGE


def test_members_of_other_types_do_not_meet():
    mixed = Field(Mixed)

    for member in (Mixed.NUMBER, Mixed.TEXT):
        assert mixed.load(mixed.store(member)) is member


def test_use_enum_values_keeps_values_in_instances_and_stores_them():
    field = Field(Colour, config=ConfigDict(use_enum_values=True))

    assert field.store(Colour.RED) == {"S": "red"}
    assert type(field.load({"S": "red"})) is str
    assert field.load({"S": "red"}) == "red"
    assert field.refusal({"S": "else"})["loc"] == ("value",)
    assert field.refusal_to_store("else")["loc"] == ("value",)


def test_use_enum_values_leaves_a_default_that_is_not_validated_a_member():
    field = Field(Colour, Colour.RED, config=ConfigDict(use_enum_values=True))

    assert field.store_instance(field.model()) == {"S": "red"}


def test_a_missing_hook_is_asked():
    class Lenient(enum.Enum):
        KNOWN = "known"

        @classmethod
        def _missing_(cls, value):
            return cls.KNOWN if value == "KNOWN" else None

    assert Field(Lenient).load({"S": "KNOWN"}) is Lenient.KNOWN
    assert Field(Lenient).refusal({"S": "else"})["loc"] == ("value",)


def test_flags_that_are_combined_come_back():
    field = Field(Access)

    assert field.store(Access.READ | Access.WRITE) == {"N": "3"}
    assert field.load({"N": "3"}) == Access.READ | Access.WRITE


def test_a_member_of_another_enum_is_refused_with_its_path():
    assert Field(Colour).refusal_to_store(Name.A)["loc"] == ("value",)


def test_members_that_would_be_stored_alike_are_refused_when_compiled():
    class Rough(enum.Enum):
        FLOAT = 0.1
        EXACT = Decimal("0.1")

    with pytest.raises(SchemaError, match=r"Holder\.value"):
        Field(Rough)


class Planet(enum.Enum):
    EARTH = (5.97e24, 6378137)
    MARS = (6.42e23, 3396190)
    HOME = EARTH


class Odd(enum.Enum):
    DAY = date(2026, 1, 31)
    MAP = {"a": [1, None]}
    SET = frozenset({"x", "y"})
    NOTHING = ()


@pytest.mark.parametrize("member", [*Planet, *Odd])
def test_members_of_odd_values_are_stored_by_value_and_come_back(member):
    field = Field(type(member))

    field.check_round_trip(member)
    assert field.load(field.store(member)) is member


def test_members_of_odd_values_are_found_in_any_form_of_the_value():
    assert Field(Planet).store(Planet.MARS) == {"L": [{"N": "6.42e+23"}, {"N": "3396190"}]}
    rewritten = {"L": [{"N": "642000000000000000000000"}, {"N": "3396190.0"}]}
    assert Field(Planet).load(rewritten) is Planet.MARS
    assert Field(Planet, any_numbers="decimal").load(rewritten) is Planet.MARS
    assert Field(Odd).load({"SS": ["y", "x"]}) is Odd.SET
    assert Field(Planet).refusal({"L": []})["loc"] == ("value",)


def test_a_value_without_a_form_is_refused_when_compiled():
    class Opaque(enum.Enum):
        ONE = object()

    with pytest.raises(UnsupportedTypeError, match=r"^Holder\.value: .*type object"):
        Field(Opaque)


def test_members_of_odd_values_that_are_stored_alike_are_refused_when_compiled():
    lists = enum.Enum("Lists", {"A": (1, 2), "B": [1, 2]})
    texts = enum.Enum("Texts", {"A": "2026-01-31", "B": date(2026, 1, 31)})

    for alike in (lists, texts):
        with pytest.raises(UnsupportedTypeError, match="stored alike"):
            Field(alike)


Many = enum.Enum("Many", {f"M{number}": f"text-{number}" for number in range(300)})
ManyNumbers = enum.IntEnum("ManyNumbers", {f"N{number}": number * 7 for number in range(40)})


@given(st.sampled_from(Many), st.sampled_from(ManyNumbers))
def test_members_of_large_enums_come_back(text, number):
    Field(Many).check_round_trip(text)
    Field(ManyNumbers).check_round_trip(number)
    Field(dict[Many, int]).check_round_trip({text: 1})
    Field(dict[ManyNumbers, int]).check_round_trip({number: 1})
    assert Field(ManyNumbers).load({"N": f"{number.value}.0"}) is number


def test_what_is_no_member_of_a_large_enum_is_refused_with_its_path():
    assert Field(Many).refusal({"S": "text-300"})["loc"] == ("value",)
    assert Field(ManyNumbers).refusal({"N": "1"})["loc"] == ("value",)
    assert Field(Many).refusal_to_store("text-300")["loc"] == ("value",)
    field = Field(Many)
    assert field.store_instance(field.model.model_construct(value="text-1")) == {"S": "text-1"}
