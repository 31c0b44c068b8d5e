"""The ninety-nine cases in which libraries of this kind were compared: saved and loaded through a real endpoint.

Each is a model with a field `v` and no default (or the feature that the case is named for). Ninety-four come back as an
equal value of the same type; five cannot be stored and are refused before anything is sent. Four have terms, which the
cases state: a `SecretStr` says `Attribute(plaintext=True)`, a validator that changes its own result is loaded with
`load="trust"`, `3.0` of `Union[int, float]` comes back equal by value, and `model_fields_set` is kept by `unset="skip"`.
"""

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path
from re import Pattern
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

import pytest
from pydantic import (
    AliasChoices,
    BaseModel,
    Discriminator,
    Field,
    HttpUrl,
    Json,
    PrivateAttr,
    RootModel,
    SecretStr,
    computed_field,
    create_model,
    field_serializer,
    field_validator,
    model_serializer,
)
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from oxidyn import Attribute, Client, InvalidItem, UnsupportedTypeError

T = TypeVar("T")


@pytest.fixture
def colour() -> str:
    """What is stored does not depend on who waits for it."""
    return "sync"


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    HIGH = 3


class Size(str, enum.Enum):
    BIG = "big"


class Place(BaseModel):
    city: str
    zip: int


class Meeting(BaseModel):
    at: datetime


class Price(BaseModel):
    amount: Decimal


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    weight: float


class Numbers(RootModel[list[int]]):
    pass


class Box(BaseModel, Generic[T]):
    content: T


@dataclass
class Point:
    x: int
    y: float


class Movie(TypedDict):
    title: str
    score: float


class Pair(NamedTuple):
    x: int
    y: str


Pet = Annotated[Cat | Dog, Discriminator("kind")]
MOMENT = datetime(2026, 1, 31, 12, 30, 15, 123456, tzinfo=timezone.utc)


class Keyed(BaseModel):
    """What every case's model begins with."""

    id: str


@dataclass(frozen=True)
class Case:
    """An instance to save, made when the test runs, and the options of its table."""

    name: str
    make: Callable[[], Any]
    options: dict[str, Any] = field(default_factory=dict)
    is_refused: bool = False
    changes_type: bool = False


CASES: list[Case] = []


def case(name: str, **terms: Any) -> Callable[[Callable[[], Any]], None]:
    """Add a case whose instance the decorated function makes."""

    def add(make: Callable[[], Any]) -> None:
        CASES.append(Case(name, make, **terms))

    return add


def one_field(name: str, annotation: Any, value: Any, **terms: Any) -> None:
    """Add a case of a model with `v` of this type, holding this value."""

    def make() -> Any:
        return create_model("Item", __base__=Keyed, v=(annotation, ...))(id="a", v=value)

    CASES.append(Case(name, make, **terms))


one_field("str", str, "grün")
one_field("str empty", str, "")
one_field("int", int, 42)
one_field("int neg", int, -42)
one_field("int 2**53+1", int, 2**53 + 1)
one_field("int 2**64+1", int, 2**64 + 1)
one_field("int 10**37+1 (38 digits)", int, 10**37 + 1)
one_field("int 10**40+1 (too big)", int, 10**40 + 1, is_refused=True)
one_field("bool", bool, True)
one_field("float 1.1", float, 1.1)
one_field("float 0.1+0.2", float, 0.1 + 0.2)
one_field("float 3.0", float, 3.0)
one_field("float 1e-7", float, 1e-7)
one_field("float 1e100", float, 1e100)
one_field("float 1e-200", float, 1e-200, is_refused=True)
one_field("float nan", float, float("nan"), is_refused=True)
one_field("float inf", float, float("inf"), is_refused=True)
one_field("datetime aware UTC", datetime, MOMENT)
one_field("datetime aware +05:30", datetime, MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30))))
one_field("datetime naive", datetime, MOMENT.replace(tzinfo=None))
one_field("date", date, date(2026, 1, 31))
one_field("time", time, time(3, 4, 5))
one_field("timedelta", timedelta, timedelta(days=1, seconds=3, microseconds=7))
one_field("UUID", UUID, UUID(int=2**127 + 5))
one_field("Enum", Colour, Colour.RED)
one_field("IntEnum", Level, Level.HIGH)
one_field("str Enum", Size, Size.BIG)
one_field("Literal", Literal["a", "b"], "b")
one_field("Decimal 1.10", Decimal, Decimal("1.10"))
one_field("Decimal 38 digits", Decimal, Decimal("1.2345678901234567890123456789012345678"))
one_field("Decimal 40 digits", Decimal, Decimal("1.234567890123456789012345678901234567890"), is_refused=True)
one_field("Optional[int]=None", int | None, None)
one_field("Optional[str]=None", str | None, None)
one_field("nested model", Place, Place(city="Ulm", zip=89073))
one_field("nested model w/ datetime", Meeting, Meeting(at=MOMENT))
one_field("nested model w/ Decimal", Price, Price(amount=Decimal("19.99")))
one_field("list[Model]", list[Place], [Place(city="Ulm", zip=1), Place(city="", zip=2)])
one_field("dict[str,Model]", dict[str, Place], {"home": Place(city="Ulm", zip=1)})
one_field("dict[str,None]", dict[str, str | None], {"x": None, "y": "z"})
one_field("list[Optional]", list[int | None], [1, None, 3])
one_field("dict[int,str]", dict[int, str], {1: "a", -2: "b"})
one_field("dict[Enum,int]", dict[Colour, int], {Colour.RED: 1, Colour.BLUE: 2})
one_field("Any dict w/ float", dict[str, Any], {"a": 1.5, "b": {"c": [1, 2.25, "x", None, True]}})
one_field("set[str]", set[str], {"a", "b"})
one_field("set[int]", set[int], {1, 2, 3})
one_field("set[float]", set[float], {1.5, 2.25})
one_field("set[Decimal]", set[Decimal], {Decimal("1.1"), Decimal(2)})
one_field("set[bytes]", set[bytes], {b"a", b"\x00\xff"})
one_field("set[UUID]", set[UUID], {UUID(int=1), UUID(int=2)})
one_field("set[Enum]", set[Colour], {Colour.RED, Colour.BLUE})
one_field("set empty", set[str], set())
one_field("frozenset[str]", frozenset[str], frozenset({"a", "b"}))
one_field("tuple[int,str]", tuple[int, str], (1, "a"))
one_field("tuple[float,...]", tuple[float, ...], (1.5, 2.5))
one_field("bytes", bytes, b"\x00\xffabc")
one_field("bytes empty", bytes, b"")


@case("SecretStr")
def _() -> Any:
    class Item(Keyed):
        v: Annotated[SecretStr, Attribute(plaintext=True)]

    return Item(id="a", v=SecretStr("hunter2"))


one_field("HttpUrl", HttpUrl, HttpUrl("https://example.com/a"))
one_field("EmailStr-like constr", Annotated[str, Field(pattern=r"^[^@]+@[^@]+$", max_length=254)], "a@example.com")
one_field("IPv4Address", IPv4Address, IPv4Address("1.2.3.4"))
one_field("discriminated union", Pet, Dog(weight=1.5))
one_field("list[discriminated union]", list[Pet], [Cat(lives=9), Dog(weight=1.5)])
one_field("plain union int|str", int | str, "5")
one_field("Union[int,float] 3.0", int | float, 3.0, changes_type=True)
one_field("Union[datetime,str]", datetime | str, MOMENT)
one_field("RootModel[list[int]]", Numbers, Numbers([1, 2]))
one_field("Generic Box[int]", Box[int], Box[int](content=1))
one_field("Generic Box[datetime]", Box[datetime], Box[datetime](content=MOMENT))
one_field("dataclass field", Point, Point(1, 2.5))
one_field("TypedDict", Movie, Movie(title="Alien", score=8.5))
one_field("NamedTuple", Pair, Pair(1, "a"))
one_field("Path", Path, Path("/a/b"))
one_field("Pattern", Pattern[str], re.compile("a+"))
one_field("Json[dict]", Json[dict[str, Any]], '{"a": [1, 2.5]}')


@case("complex-key str w/ #")
def _() -> Any:
    class Item(Keyed):
        v: str

    return Item(id="USER#1#profile", v="a#b")


@case("Field(alias='n')")
def _() -> Any:
    class Item(Keyed):
        v: int = Field(alias="n")

    return Item(id="a", n=1)


@case("Field(alias) + populate_by_name")
def _() -> Any:
    class Item(Keyed, populate_by_name=True):
        v: int = Field(alias="n")

    return Item(id="a", v=1)


@case("validation_alias only")
def _() -> Any:
    class Item(Keyed):
        v: int = Field(validation_alias="n_in")

    return Item(id="a", n_in=1)


@case("validation_alias=AliasChoices(name,n_in)")
def _() -> Any:
    class Item(Keyed):
        v: int = Field(validation_alias=AliasChoices("v", "n_in"))

    return Item(id="a", n_in=1)


@case("serialization_alias only")
def _() -> Any:
    class Item(Keyed):
        v: int = Field(serialization_alias="n_out")

    return Item(id="a", v=1)


@case("alias_generator=to_camel")
def _() -> Any:
    class Item(Keyed, alias_generator=to_camel):
        v: int
        first_name: str

    return Item(id="a", v=1, firstName="Ada")


@case("computed_field")
def _() -> Any:
    class Item(Keyed):
        v: str

        @computed_field
        @property
        def full(self) -> str:
            return f"{self.v}!"

    return Item(id="a", v="x")


@case("computed_field + extra=forbid")
def _() -> Any:
    class Item(Keyed, extra="forbid"):
        v: str

        @computed_field
        @property
        def full(self) -> str:
            return f"{self.v}!"

    return Item(id="a", v="x")


@case("field_serializer datetime->iso")
def _() -> Any:
    class Item(Keyed):
        v: datetime

        @field_serializer("v")
        def iso(self, value: datetime) -> str:
            return value.isoformat()

    return Item(id="a", v=MOMENT)


@case("field_serializer(when_used=json)")
def _() -> Any:
    class Item(Keyed):
        v: str

        @field_serializer("v", when_used="json")
        def mask(self, value: str) -> str:
            return "***"

    return Item(id="a", v="hunter2")


@case("model_serializer(wrap) adds key")
def _() -> Any:
    class Item(Keyed, extra="forbid"):
        v: int

        @model_serializer(mode="wrap")
        def with_more(self, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
            return {**handler(self), "extra_out": 1}

    return Item(id="a", v=1)


@case("Field(exclude=True) required")
def _() -> Any:
    class Item(Keyed):
        v: str = Field(exclude=True)

    return Item(id="a", v="kept")


@case("Field(exclude=True) default None")
def _() -> Any:
    class Item(Keyed):
        v: str | None = Field(default=None, exclude=True)

    return Item(id="a", v="kept")


@case("PrivateAttr")
def _() -> Any:
    class Item(Keyed):
        v: int
        _seen: int = PrivateAttr(default=5)

    return Item(id="a", v=1)


@case("extra='allow'")
def _() -> Any:
    class Item(Keyed, extra="allow"):
        v: int

    return Item(id="a", v=1, more="x")


@case("extra='allow' w/ float")
def _() -> Any:
    class Item(Keyed, extra="allow"):
        v: int

    return Item(id="a", v=1, more=1.5)


@case("frozen=True")
def _() -> Any:
    class Item(Keyed, frozen=True):
        v: int

    return Item(id="a", v=1)


@case("strict=True (int,datetime,float)")
def _() -> Any:
    class Item(Keyed, strict=True):
        v: int
        d: datetime
        f: float

    return Item(id="a", v=1, d=MOMENT, f=1.5)


@case("strict=True (int,float)")
def _() -> Any:
    class Item(Keyed, strict=True):
        v: int
        f: float

    return Item(id="a", v=1, f=3.0)


@case("strict=True UUID")
def _() -> Any:
    class Item(Keyed, strict=True):
        v: UUID

    return Item(id="a", v=UUID(int=1))


@case("non-idempotent field_validator ('x'->'x!')", options={"load": "trust"})
def _() -> Any:
    class Item(Keyed):
        v: str

        @field_validator("v")
        @classmethod
        def shout(cls, value: str) -> str:
            return f"{value}!"

    return Item(id="a", v="x")


@case("loaded == saved (model __eq__)")
def _() -> Any:
    class Item(Keyed):
        v: list[Place]
        note: str | None = None

    return Item(id="a", v=[Place(city="Ulm", zip=1)])


@case("model_fields_set preserved", options={"unset": "skip"})
def _() -> Any:
    class Item(Keyed):
        v: int
        m: int = 5

    return Item(id="a", v=1)


@case("reserved words as fields (name,size)")
def _() -> Any:
    class Item(Keyed):
        v: int
        name: str
        size: int

    return Item(id="a", v=1, name="x", size=2)


def parameters(*, refused: bool) -> list[Any]:
    return [pytest.param(each, id=each.name) for each in CASES if each.is_refused is refused]


def test_there_are_ninety_four_cases_that_come_back_and_five_that_are_refused():
    assert len({each.name for each in CASES}) == 99
    assert len(parameters(refused=False)) == 94
    assert len(parameters(refused=True)) == 5


@pytest.mark.parametrize("case", parameters(refused=False))
def test_what_was_saved_is_loaded_equal_and_of_the_same_type(case: Case, client: Client, table_name: str):
    saved = case.make()
    table = client.table(type(saved), name=table_name, partition="id", **case.options)
    table.create_table()

    table.put(saved)
    loaded = table.get(saved.id)

    assert loaded == saved
    assert type(loaded) is type(saved)
    if not case.changes_type:
        assert type(loaded.v) is type(saved.v)
    assert loaded.model_extra == saved.model_extra
    assert [type(value) for value in (loaded.model_extra or {}).values()] == [
        type(value) for value in (saved.model_extra or {}).values()
    ]


@pytest.mark.parametrize("case", parameters(refused=True))
def test_what_cannot_be_stored_is_refused_by_its_field_before_it_is_sent(case: Case, client: Client, table_name: str):
    refused = case.make()
    table = client.table(type(refused), name=table_name, partition="id")
    table.create_table()

    with pytest.raises(InvalidItem) as caught:
        table.put(refused)

    assert [error["loc"] for error in caught.value.errors()] == [("v",)]
    assert table.get(refused.id) is None


# The terms of four cases, from their other side.


def test_a_secret_is_refused_where_nothing_says_that_it_is_stored_as_plain_text(client: Client):
    class Item(Keyed):
        v: SecretStr

    with pytest.raises(UnsupportedTypeError, match=r"Item\.v: "):
        client.table(Item, name="secrets", partition="id")


def test_a_validator_that_changes_its_own_result_runs_again_where_loading_validates(client: Client, table_name: str):
    class Item(Keyed):
        v: str

        @field_validator("v")
        @classmethod
        def shout(cls, value: str) -> str:
            return f"{value}!"

    table = client.table(Item, name=table_name, partition="id")
    table.create_table()
    table.put(Item(id="a", v="x"))

    loaded = table.get("a")

    assert loaded is not None
    assert loaded.v == "x!!"


def test_an_integral_float_of_a_union_with_int_comes_back_as_the_int_of_its_value(client: Client, table_name: str):
    class Item(Keyed):
        v: int | float

    table = client.table(Item, name=table_name, partition="id")
    table.create_table()
    table.put(Item(id="a", v=3.0))

    loaded = table.get("a")

    assert loaded is not None
    assert (loaded.v, type(loaded.v)) == (3.0, int)


@pytest.mark.parametrize(("unset", "fields_set"), [("skip", {"id", "v"}), ("store", {"id", "v", "m"})])
def test_fields_that_were_never_set_count_as_set_where_they_are_stored(
    unset: Any, fields_set: set[str], client: Client, table_name: str
):
    class Item(Keyed):
        v: int
        m: int = 5

    table = client.table(Item, name=table_name, partition="id", unset=unset)
    table.create_table()
    table.put(Item(id="a", v=1))

    loaded = table.get("a")

    assert loaded is not None
    assert loaded.model_fields_set == fields_set


def test_model_fields_set_of_the_case_is_what_it_was(client: Client, table_name: str):
    [case] = [each for each in CASES if each.name == "model_fields_set preserved"]
    saved = case.make()
    table = client.table(type(saved), name=table_name, partition="id", **case.options)
    table.create_table()
    table.put(saved)

    loaded = table.get("a")

    assert loaded is not None
    assert loaded.model_fields_set == saved.model_fields_set == {"id", "v"}
