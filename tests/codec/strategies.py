"""Hypothesis strategies over models: types, classes made of them, and instances of these.

`kinds(depth)` draws a type with the values that it holds, `models(depth)` a class of fields of such types with its
instances. Drawn values are those that come back equal: what DynamoDB cannot hold is other tests' matter.
"""

import dataclasses
import enum
import functools
import operator
import re
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address, IPv6Network
from pathlib import Path
from re import Pattern
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import pydantic.dataclasses
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from pydantic import (
    AfterValidator,
    AnyUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    JsonValue,
    RootModel,
    SecretStr,
    Tag,
    TypeAdapter,
    WrapValidator,
    create_model,
    model_validator,
)
from pydantic import Field as Declared
from pydantic.fields import FieldInfo
from typing_extensions import NamedTuple, NotRequired, TypedDict

from oxidyn import Attribute, Epoch

T = TypeVar("T")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 3


class Mixed(enum.Enum):
    TEXT = "a"
    NUMBER = 1
    BYTES = b"\x00"


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str


class Numbers(RootModel[list[int]]):
    pass


def kind_of(pet: Any) -> Any:
    return pet.get("kind") if isinstance(pet, dict) else getattr(pet, "kind", None)


class Tree(BaseModel):
    label: str = ""
    parts: list["Tree"] = []


@dataclasses.dataclass(frozen=True)
class Kind:
    """A type, and the values of it that come back equal."""

    annotation: Any
    values: SearchStrategy[Any]
    tags: frozenset[str]
    """The wire types that it is read from natively; what has another is left to Pydantic."""
    is_hashable: bool = False
    is_key: bool = False
    """Whether it may be the type of a dict's keys."""

    def __repr__(self) -> str:
        return f"Kind({self.annotation})"


def _kind(annotation: Any, values: SearchStrategy[Any], tags: str, **terms: bool) -> Kind:
    return Kind(annotation, values, frozenset(tags.split()), **terms)


def _in_range(value: float) -> bool:
    """DynamoDB's numbers end at 1E-130, a float's at 5e-324."""
    return value == 0 or abs(value) >= 1e-130


offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
texts = st.text(max_size=6)
names = st.text(min_size=1, max_size=5)
floats = st.floats(-1e125, 1e125).filter(_in_range)
decimals = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(-(10**25), 10**25), st.integers(-40, 40)
)
integers = st.integers(-(10**38) + 1, 10**38 - 1)
aware = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=offsets)
untyped = st.recursive(
    st.none()
    | st.booleans()
    | integers
    | floats.filter(lambda value: value != int(value))
    | texts
    | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
trees: SearchStrategy[Tree] = st.recursive(
    st.builds(Tree, label=texts),
    lambda inner: st.builds(Tree, label=texts, parts=st.lists(inner, max_size=2)),
    max_leaves=4,
)


def has_bytes(value: Any) -> bool:
    match value:
        case bytes():
            return True
        case list():
            return any(map(has_bytes, value))
        case dict():
            return any(map(has_bytes, value.values()))
        case _:
            return False


SCALARS = [
    _kind(str, texts, "S", is_hashable=True),
    _kind(Annotated[str, Declared(min_length=1, max_length=5)], names, "S", is_hashable=True, is_key=True),
    _kind(int, integers, "N", is_hashable=True, is_key=True),
    _kind(Annotated[int, Declared(ge=0, lt=100)], st.integers(0, 99), "N", is_hashable=True, is_key=True),
    _kind(float, floats, "N", is_hashable=True, is_key=True),
    _kind(Decimal, decimals, "N", is_hashable=True, is_key=True),
    _kind(bool, st.booleans(), "BOOL", is_hashable=True, is_key=True),
    _kind(bytes, st.binary(max_size=6), "B", is_hashable=True),
    _kind(UUID, st.uuids(), "S", is_hashable=True, is_key=True),
    _kind(datetime, st.datetimes() | aware, "S", is_hashable=True, is_key=True),
    _kind(Annotated[datetime, Attribute(utc=False)], aware, "S"),
    _kind(Annotated[datetime, Epoch], aware, "N"),
    _kind(date, st.dates(), "S", is_hashable=True, is_key=True),
    _kind(time, st.times() | st.times(timezones=offsets), "S", is_hashable=True, is_key=True),
    _kind(timedelta, st.timedeltas(), "N", is_hashable=True),
    _kind(Colour, st.sampled_from(Colour), "S", is_hashable=True, is_key=True),
    _kind(Level, st.sampled_from(Level), "N", is_hashable=True, is_key=True),
    _kind(Mixed, st.sampled_from(Mixed), "S N B", is_hashable=True),
    _kind(Literal["a", "b", 7], st.sampled_from(["a", "b", 7]), "S N", is_hashable=True, is_key=True),
    _kind(Any, untyped, "S N B BOOL NULL L M SS NS BS"),
    _kind(type(None), st.none(), "NULL"),
    _kind(Cat | Dog, st.builds(Cat, lives=integers) | st.builds(Dog, name=texts), "M"),
    _kind(
        Annotated[Cat | Dog, Declared(discriminator="kind")],
        st.builds(Cat, lives=integers) | st.builds(Dog, name=texts),
        "M",
    ),
    _kind(
        Annotated[
            Annotated[Cat, Tag("cat")] | Annotated[Dog, Tag("dog")],
            Discriminator(kind_of),
        ],
        st.builds(Cat, lives=integers) | st.builds(Dog, name=texts),
        "M",
    ),
    _kind(Tree, trees, "M"),
    _kind(JsonValue, untyped.filter(lambda value: not has_bytes(value)), "S N B BOOL NULL L M SS NS BS"),
]
# What only Python can make, and stands as text, a number or a map of its own.
SCALARS += [
    _kind(IPv4Address, st.ip_addresses(v=4), "S", is_hashable=True),
    _kind(IPv6Network, st.ip_addresses(v=6).map(IPv6Network), "S", is_hashable=True),
    _kind(Path, names.filter(lambda name: "\0" not in name).map(Path), "S", is_hashable=True),
    _kind(Pattern[str], names.map(re.escape).map(re.compile), "S"),
    _kind(
        AnyUrl,
        st.from_regex(r"https://[a-z]{1,5}\.example/[a-z]{0,3}", fullmatch=True).map(AnyUrl),
        "S",
        is_hashable=True,
    ),
    # Of a union with numbers it reads those that are integral, which are equal.
    _kind(Fraction, st.fractions(), "S N", is_hashable=True),
    _kind(complex, st.complex_numbers(allow_nan=False, allow_infinity=False), "S", is_hashable=True),
    _kind(ZoneInfo, st.sampled_from(["UTC", "Europe/Berlin"]).map(ZoneInfo), "S"),
    _kind(Annotated[SecretStr, Attribute(plaintext=True)], texts.map(SecretStr), "S"),
    _kind(Numbers, st.lists(integers, max_size=3).map(Numbers), "L"),
]
KEYS = [kind for kind in SCALARS if kind.is_key]


def _listed(kind: Kind) -> Kind:
    return _kind(list[kind.annotation], st.lists(kind.values, max_size=3), "L")


def _constant_tuple(kinds: list[Kind]) -> Kind:
    annotation = tuple[tuple(kind.annotation for kind in kinds)]  # type: ignore[misc]
    values = st.tuples(*(kind.values for kind in kinds))
    return _kind(annotation, values, "L", is_hashable=all(kind.is_hashable for kind in kinds))


def _endless_tuple(kind: Kind) -> Kind:
    return _kind(
        tuple[kind.annotation, ...], st.lists(kind.values, max_size=3).map(tuple), "L", is_hashable=kind.is_hashable
    )


class Pair(NamedTuple, Generic[T]):
    """A named tuple of one type, the second of whose fields may be missing."""

    first: T
    second: T | None = None


def _pair(kind: Kind) -> Kind:
    values = st.builds(Pair, kind.values, kind.values)
    return _kind(Pair[kind.annotation], values, "L", is_hashable=kind.is_hashable)  # type: ignore[name-defined]


def _deque(kind: Kind) -> Kind:
    return _kind(deque[kind.annotation], st.lists(kind.values, max_size=3).map(deque), "L")


def _sequence(kind: Kind) -> Kind:
    return _kind(Sequence[kind.annotation], st.lists(kind.values, max_size=3), "L")


def _set(kind: Kind) -> Kind:
    return _kind(set[kind.annotation], st.sets(kind.values, max_size=3), _tags_of_sets(kind))


def _frozenset(kind: Kind) -> Kind:
    values = st.frozensets(kind.values, max_size=3)
    return _kind(frozenset[kind.annotation], values, _tags_of_sets(kind), is_hashable=True)


def _tags_of_sets(kind: Kind) -> str:
    return {"S": "L SS", "N": "L NS", "B": "L BS"}.get(" ".join(kind.tags), "L")


def _dict(key: Kind, value: Kind) -> Kind:
    return _kind(dict[key.annotation, value.annotation], st.dictionaries(key.values, value.values, max_size=3), "M")


def _ordered_dict(key: Kind, value: Kind) -> Kind:
    # DynamoDB keeps no order, and two that differ in it are not equal.
    values = _dict(key, value).values.map(lambda each: OrderedDict(list(each.items())[:1]))
    return _kind(OrderedDict[key.annotation, value.annotation], values, "M")


def _counter(key: Kind) -> Kind:
    values = st.dictionaries(key.values, st.integers(-5, 5), max_size=3).map(Counter)
    return _kind(Counter[key.annotation], values, "M")


def _mapping(key: Kind, value: Kind) -> Kind:
    return _kind(Mapping[key.annotation, value.annotation], _dict(key, value).values, "M")


def _optional(kind: Kind) -> Kind:
    return Kind(kind.annotation | None, st.none() | kind.values, kind.tags | {"NULL"}, kind.is_hashable)


def same_value(value: Any) -> Any:
    return value


def handled(value: Any, handler: Callable[[Any], Any]) -> Any:
    return handler(value)


VALIDATORS = [AfterValidator(same_value), BeforeValidator(same_value), WrapValidator(handled)]


def _validated(kind: Kind, validator: Any) -> Kind:
    return dataclasses.replace(kind, annotation=Annotated[kind.annotation, validator])


def _unions(draw: DrawFn, kind: SearchStrategy[Kind]) -> Kind:
    """Members that the wire tells apart: others come back as Pydantic reads their text."""
    members = [draw(kind)]
    other = draw(kind)
    if not other.tags & members[0].tags:
        members.append(other)
    annotation = functools.reduce(operator.or_, (member.annotation for member in members))
    values = st.one_of(*(member.values for member in members))
    tags = frozenset[str]().union(*(member.tags for member in members))
    return Kind(annotation, values, tags, all(member.is_hashable for member in members))


unions = st.composite(_unions)


@functools.cache
def kinds(depth: int) -> SearchStrategy[Kind]:
    """Types nested to this depth."""
    scalars = st.sampled_from(SCALARS)
    if depth == 0:
        return scalars
    inner = kinds(depth - 1)
    hashable = inner.filter(lambda kind: kind.is_hashable)
    return st.one_of(
        scalars,
        inner.map(_listed),
        st.lists(inner, min_size=1, max_size=3).map(_constant_tuple),
        inner.map(_endless_tuple),
        hashable.map(_set),
        hashable.map(_frozenset),
        st.builds(_dict, st.sampled_from(KEYS), inner),
        inner.map(_pair),
        inner.map(_deque),
        inner.map(_sequence),
        st.builds(_ordered_dict, st.sampled_from(KEYS), inner),
        st.sampled_from(KEYS).map(_counter),
        st.builds(_mapping, st.sampled_from(KEYS), inner),
        st.builds(_validated, inner, st.sampled_from(VALIDATORS)),
        inner.map(_optional),
        unions(inner),
        models(depth - 1).map(lambda model: Kind(model.type_, model.instances, frozenset({"M"}))),
    )


@dataclasses.dataclass(frozen=True)
class FieldOf:
    """A field of a class that was made."""

    name: str
    kind: Kind
    default: Any = ...
    factory: Callable[[], Any] | None = None
    alias: Literal["both", "validation", "serialization"] | None = None

    @property
    def is_required(self) -> bool:
        return self.default is ... and self.factory is None

    @property
    def input_name(self) -> str:
        """Under which validation takes it."""
        return f"{self.name}In" if self.alias in ("both", "validation") else self.name

    @property
    def output_name(self) -> str:
        """Under which serialization shows it, by alias."""
        match self.alias:
            case "both":
                return self.input_name
            case "serialization":
                return f"{self.name}Out"
            case _:
                return self.name

    def declared(self) -> FieldInfo:
        terms: dict[str, Any] = {}
        if self.default is not ...:
            terms["default"] = self.default
        if self.factory is not None:
            terms["default_factory"] = self.factory
        match self.alias:
            case "both":
                terms["alias"] = self.input_name
            case "validation":
                terms["validation_alias"] = self.input_name
            case "serialization":
                terms["serialization_alias"] = self.output_name
        info: FieldInfo = Declared(**terms)
        return info


@dataclasses.dataclass(frozen=True)
class Made:
    """A class that was made, and its instances."""

    type_: Any
    fields: tuple[FieldOf, ...]
    instances: SearchStrategy[Any]
    adapter: TypeAdapter[Any]
    """Pydantic's own, which judges what we load."""
    is_by_alias: bool = False

    def attribute(self, field: FieldOf) -> str:
        """Under which the field is stored."""
        return field.output_name if self.is_by_alias else field.name

    def values(self, instance: Any) -> dict[str, Any]:
        """The instance's values by the fields' names in Python, without what it does not have."""
        if isinstance(instance, dict):
            return instance
        return {field.name: getattr(instance, field.name) for field in self.fields}

    def __repr__(self) -> str:
        return f"Made({self.type_}, {self.fields})"


@st.composite
def _fields(draw: DrawFn, depth: int, *, has_defaults: bool = True, has_aliases: bool = True) -> tuple[FieldOf, ...]:
    fields: list[FieldOf] = []
    for name in draw(
        st.lists(st.sampled_from(["a", "größe", "name", "size", "v"]), min_size=1, max_size=4, unique=True)
    ):
        kind = draw(kinds(depth))
        alias = draw(st.sampled_from([None, None, "both", "validation", "serialization"])) if has_aliases else None
        match draw(st.sampled_from(["required", "plain", "factory"])) if has_defaults else "required":
            case "required":
                field = FieldOf(name, kind, alias=alias)
            case "plain":
                field = FieldOf(name, kind, default=draw(kind.values), alias=alias)
            case _:
                value = draw(kind.values)
                field = FieldOf(name, kind, factory=lambda value=value: value, alias=alias)
        fields.append(field)
    return tuple(fields)


def _made(type_: Any, fields: tuple[FieldOf, ...], optional: set[str], *, is_by_alias: bool = False) -> Made:
    adapter = TypeAdapter(type_)

    def build(values: dict[str, Any]) -> Any:
        return adapter.validate_python(
            {field.input_name: values[field.name] for field in fields if field.name in values}
        )

    instances = st.fixed_dictionaries(
        {field.name: field.kind.values for field in fields if field.name not in optional},
        optional={field.name: field.kind.values for field in fields if field.name in optional},
    ).map(build)
    return Made(type_, fields, instances, adapter, is_by_alias)


def _with_defaults(fields: tuple[FieldOf, ...]) -> set[str]:
    return {field.name for field in fields if not field.is_required}


configs: SearchStrategy[ConfigDict] = st.builds(
    ConfigDict,
    extra=st.sampled_from(["ignore", "forbid", "allow"]),
    frozen=st.booleans(),
    strict=st.booleans(),
    serialize_by_alias=st.booleans(),
)


def _check_after(self: Any) -> Any:
    return self


def _check_before(cls: type, data: Any) -> Any:
    return data


def _check_around(cls: type, data: Any, handler: Callable[[Any], Any]) -> Any:
    return handler(data)


MODEL_VALIDATORS: list[dict[str, Any]] = [
    {},
    {},
    {},
    {"check": model_validator(mode="after")(_check_after)},
    {"check": model_validator(mode="before")(classmethod(_check_before))},
    {"check": model_validator(mode="wrap")(classmethod(_check_around))},
]


@st.composite
def _models(draw: DrawFn, depth: int) -> Made:
    fields = draw(_fields(depth))
    config = draw(configs)
    model = create_model(
        "Record",
        __config__=config,
        __validators__=draw(st.sampled_from(MODEL_VALIDATORS)),
        **{field.name: (field.kind.annotation, field.declared()) for field in fields},
    )
    return _made(model, fields, _with_defaults(fields), is_by_alias=bool(config.get("serialize_by_alias")))


class Box(BaseModel, Generic[T]):
    """A model of two fields of one type."""

    content: T
    more: list[T] = []


@st.composite
def _generics(draw: DrawFn, depth: int) -> Made:
    kind = draw(kinds(depth))
    fields = (FieldOf("content", kind), FieldOf("more", _listed(kind), default=[]))
    return _made(Box[kind.annotation], fields, {"more"})  # type: ignore[name-defined]


@st.composite
def _dataclasses(draw: DrawFn, depth: int) -> Made:
    fields = draw(_fields(depth, has_aliases=False))
    terms = {"kw_only": True, "frozen": draw(st.booleans()), "slots": draw(st.booleans())}
    annotations = {field.name: field.kind.annotation for field in fields}
    if draw(st.booleans()):
        defaults = {field.name: field.declared() for field in fields if not field.is_required}
        namespace = {"__annotations__": annotations, **defaults}
        type_ = pydantic.dataclasses.dataclass(**terms)(type("Entry", (), namespace))
    else:
        # The standard library's own takes no mutable default.
        declared = [
            (field.name, annotations[field.name])
            if field.is_required
            else (
                field.name,
                annotations[field.name],
                dataclasses.field(default_factory=field.factory or (lambda field=field: field.default)),
            )
            for field in fields
        ]
        type_ = dataclasses.make_dataclass("Entry", declared, **terms)
    return _made(type_, fields, _with_defaults(fields))


@st.composite
def _typed_dicts(draw: DrawFn, depth: int) -> Made:
    fields = draw(_fields(depth, has_defaults=False, has_aliases=False))
    optional = {field.name for field in fields if draw(st.booleans())}
    type_ = TypedDict(
        "Note",
        {
            field.name: NotRequired[field.kind.annotation] if field.name in optional else field.kind.annotation
            for field in fields
        },
    )
    return _made(type_, fields, optional)


@functools.cache
def models(depth: int) -> SearchStrategy[Made]:
    """Classes of every kind, with fields of types nested to this depth."""
    return st.one_of(_models(depth), _models(depth), _dataclasses(depth), _typed_dicts(depth), _generics(depth))
