"""Every node of Pydantic's core schemas has an answer: it is stored and comes back, or is refused in words.

The names are read from the installed `pydantic_core.core_schema`, so that a new release's new node fails here until it
has an answer.
"""

import builtins
import collections
import dataclasses
import enum
import types
import typing
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import pydantic
import pytest
import typing_extensions
from pydantic import (
    AfterValidator,
    AnyUrl,
    BaseModel,
    BeforeValidator,
    Discriminator,
    Json,
    PostgresDsn,
    WrapValidator,
    computed_field,
)
from pydantic_core import CoreSchema, SchemaSerializer, SchemaValidator, core_schema
from pydantic_core import SchemaError as PydanticSchemaError
from typing_extensions import TypedDict

from oxidyn import SchemaError
from tests.codec.judges import Field


class Raw:
    """Makes a type of a core schema, for nodes that no annotation asks for."""

    def __init__(self, schema: CoreSchema) -> None:
        self.schema = schema

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return self.schema


def raw(schema: CoreSchema) -> Any:
    return Annotated[Any, Raw(schema)]


class Colour(enum.Enum):
    RED = "red"


class Plain:
    pass


class Place(BaseModel):
    city: str


class Tree(BaseModel):
    parts: list["Tree"] = []


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"


class Squared(BaseModel):
    side: int

    @computed_field
    @property
    def area(self) -> int:
        return self.side**2


@dataclasses.dataclass
class Point:
    x: int


class Note(TypedDict):
    text: str


class Pair(NamedTuple):
    x: int
    y: str


@dataclasses.dataclass(frozen=True)
class Stored:
    """The node is in the type's schema, and the value comes back equal and of the same type."""

    annotation: Callable[[], Any]
    value: Callable[[], Any]
    default: Any = ...


@dataclasses.dataclass(frozen=True)
class Refused:
    """The node is in the type's schema, and compiling says in these words why it is not stored."""

    annotation: Callable[[], Any]
    words: str


def stored(annotation: Any, value: Any, **terms: Any) -> Stored:
    return Stored(lambda: annotation, lambda: value, **terms)


def fields_of(model: type[BaseModel]) -> CoreSchema:
    return typing.cast("Any", model.__pydantic_core_schema__)["schema"]


def same(value: Any) -> Any:
    return value


def handled(value: Any, handler: Callable[[Any], Any]) -> Any:
    return handler(value)


PLAIN = core_schema.plain_serializer_function_ser_schema(same)

NODES: dict[str, Stored | Refused] = {
    "any": stored(Any, {"a": [1, None]}),
    "none": stored(None, None),
    "bool": stored(bool, True),
    "int": stored(int, 10**30),
    "float": stored(float, 0.1),
    "decimal": stored(Decimal, Decimal("1.5")),
    "fraction": stored(Fraction, Fraction(1, 3)),
    "complex": stored(complex, 1.5 + 2j),
    "str": stored(str, "grün"),
    "bytes": stored(bytes, b"\x00\xff"),
    "date": stored(date, date(2026, 1, 31)),
    "time": stored(time, time(12, 30)),
    "datetime": stored(datetime, datetime(2026, 1, 31, 12, 30)),
    "timedelta": stored(timedelta, timedelta(seconds=1.5)),
    "uuid": stored(UUID, UUID(int=1)),
    "literal": stored(Literal["a", 1], 1),
    "enum": stored(Colour, Colour.RED),
    "missing-sentinel": Stored(lambda: int | pydantic.MISSING, lambda: 5),
    "ellipsis": Refused(lambda: types.EllipsisType, "`ellipsis`"),
    "is-instance": Refused(lambda: pydantic.InstanceOf[Plain], "Plain|is-instance"),
    "is-subclass": Refused(lambda: type[Plain], "class|is-subclass"),
    "callable": Refused(lambda: Callable[[], int], "callable"),
    "list": stored(list[int], [1, 2]),
    "deque": stored(collections.deque[int], collections.deque([1, 2])),
    "tuple": stored(tuple[int, str], (1, "a")),
    "set": stored(set[str], {"a"}),
    "frozenset": stored(frozenset[int], frozenset({1})),
    "generator": Refused(lambda: raw(core_schema.generator_schema(core_schema.int_schema())), "generator"),
    "dict": stored(dict[str, int], {"a": 1}),
    "ordered-dict": stored(collections.OrderedDict[str, int], collections.OrderedDict(a=1)),
    "counter": stored(collections.Counter[str], collections.Counter(a=2)),
    "function-after": stored(Annotated[int, AfterValidator(same)], 5),
    "function-before": stored(Annotated[int, BeforeValidator(same)], 5),
    "function-wrap": stored(Annotated[int, WrapValidator(handled)], 5),
    "function-plain": stored(Annotated[int, pydantic.PlainValidator(same)], 5),
    "default": stored(int, 5, default=7),
    "nullable": stored(int | None, None),
    "union": stored(int | str, "5"),
    "tagged-union": stored(Annotated[Cat | Dog, Discriminator("kind")], Dog()),
    "chain": stored(raw(core_schema.chain_schema([core_schema.str_schema(), core_schema.int_schema()])), "5"),
    "lax-or-strict": stored(
        raw(core_schema.lax_or_strict_schema(core_schema.int_schema(), core_schema.int_schema(strict=True))), 5
    ),
    "json-or-python": stored(
        raw(core_schema.json_or_python_schema(core_schema.int_schema(), core_schema.int_schema())), 5
    ),
    "typed-dict": stored(Note, Note(text="a")),
    "model": stored(Place, Place(city="Ulm")),
    "model-fields": stored(Place, Place(city="Ulm")),
    "dataclass": stored(Point, Point(1)),
    "dataclass-args": stored(Point, Point(1)),
    "named-tuple": stored(Pair, Pair(1, "a")),
    # What a function is called with is no value that a model could hold by itself.
    "arguments": Refused(
        lambda: raw(
            core_schema.arguments_schema(
                [core_schema.arguments_parameter("x", core_schema.int_schema())], serialization=PLAIN
            )
        ),
        "arguments",
    ),
    "arguments-v3": Refused(
        lambda: raw(
            core_schema.arguments_v3_schema(
                [core_schema.arguments_v3_parameter("x", core_schema.int_schema())], serialization=PLAIN
            )
        ),
        "arguments-v3",
    ),
    "call": Refused(lambda: raw(core_schema.call_schema(core_schema.arguments_schema([]), same)), "call"),
    "custom-error": stored(
        raw(core_schema.custom_error_schema(core_schema.int_schema(), "wrong", custom_error_message="wrong")), 5
    ),
    "json": stored(Json[list[int]], "[1, 2]"),
    "url": stored(AnyUrl, AnyUrl("https://example.com/a")),
    "multi-host-url": stored(PostgresDsn, PostgresDsn("postgres://u:p@a:1,b:2/db")),
    "definitions": stored(Tree, Tree(parts=[Tree()])),
    "definition-ref": stored(Tree, Tree(parts=[Tree()])),
    # The parts of models and their like.
    "model-field": stored(Place, Place(city="Ulm")),
    "dataclass-field": stored(Point, Point(1)),
    "typed-dict-field": stored(Note, Note(text="a")),
    "named-tuple-field": stored(Pair, Pair(1, "a")),
    "computed-field": stored(Squared, Squared(side=2)),
}

# Of these Pydantic makes no validator: its own placeholder, and a dict that CPython has from 3.15 on.
NEVER_IN_A_MODEL = {"invalid"}
if hasattr(builtins, "frozendict"):
    NODES["frozendict"] = Stored(
        lambda: builtins.frozendict[str, int],
        lambda: builtins.frozendict(a=1),
    )
else:
    NEVER_IN_A_MODEL |= {"frozendict"}

# How a value is shown decides nothing about how it is stored where nothing undoes it: each stands on an int or a list.
SERIALIZATIONS: dict[str, Stored | Refused] = {
    "format": stored(raw(core_schema.int_schema(serialization=core_schema.format_ser_schema("5.1f"))), 5),
    "to-string": stored(raw(core_schema.int_schema(serialization=core_schema.to_string_ser_schema())), 5),
    "function-plain": stored(
        raw(
            core_schema.int_schema(serialization=core_schema.plain_serializer_function_ser_schema(lambda value: "***"))
        ),
        5,
    ),
    "function-wrap": stored(
        raw(
            core_schema.int_schema(
                serialization=core_schema.wrap_serializer_function_ser_schema(lambda value, handler: "***")
            )
        ),
        5,
    ),
    # What it shows as a model is an instance that Pydantic makes of nothing else either.
    "model": Refused(
        lambda: raw(
            core_schema.is_instance_schema(
                Place,
                serialization=core_schema.model_ser_schema(Place, fields_of(Place)),
            )
        ),
        "an instance of a class cannot be made of what is stored",
    ),
    "include-exclude-sequence": stored(
        raw(
            core_schema.list_schema(core_schema.int_schema(), serialization=core_schema.filter_seq_schema(exclude={0}))
        ),
        [1, 2],
    ),
    "include-exclude-dict": stored(
        raw(
            core_schema.dict_schema(
                core_schema.str_schema(),
                core_schema.int_schema(),
                serialization=core_schema.filter_dict_schema(exclude={"a"}),
            )
        ),
        {"a": 1, "b": 2},
    ),
}


def names_of_nodes() -> set[str]:
    return set(typing.get_args(core_schema.CoreSchemaType)) | set(typing.get_args(core_schema.CoreSchemaFieldType))


def names_of_simple_serializations() -> set[str]:
    return set(typing.get_args(core_schema.ExpectedSerializationTypes))


def names_of_serializations() -> set[str]:
    """What the classes of serialization schemas have as their `type`, but for the simple ones."""
    classes = [getattr(core_schema, name) for name in dir(core_schema) if name.endswith("SerSchema")]
    kinds = {
        kind
        for each in classes
        if isinstance(each, type)
        for kind in typing.get_args(typing_extensions.get_type_hints(each, vars(core_schema))["type"])
    }
    return kinds - names_of_simple_serializations()


def types_in(schema: Any) -> Iterator[str]:
    """Every `type` in a core schema, at any depth."""
    if isinstance(schema, dict):
        if isinstance(schema.get("type"), str):
            yield schema["type"]
        for value in schema.values():
            yield from types_in(value)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from types_in(value)


def serializations_in(schema: Any) -> Iterator[str]:
    """The `type` of every serialization in a core schema, at any depth."""
    if isinstance(schema, dict):
        if "serialization" in schema:
            yield schema["serialization"]["type"]
        for value in schema.values():
            yield from serializations_in(value)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from serializations_in(value)


def parameters(answers: dict[str, Stored | Refused], names: set[str], kind: type) -> list[Any]:
    return [
        pytest.param(name, answer, id=name)
        for name, answer in answers.items()
        if name in names and isinstance(answer, kind)
    ]


def check_stored(answer: Stored, name: str, names_in: Callable[[Any], Iterator[str]]) -> None:
    field = Field(answer.annotation(), answer.default)

    assert name in names_in(field.model.__pydantic_core_schema__)
    field.check_round_trip(answer.value())


def check_refused(answer: Refused, name: str, names_in: Callable[[Any], Iterator[str]]) -> None:
    annotation = answer.annotation()

    assert name in names_in(pydantic.TypeAdapter(annotation).core_schema)
    with pytest.raises(SchemaError, match=rf"^Holder\.value.*: .*({answer.words})"):
        Field(annotation)


def test_every_node_of_core_schemas_has_an_answer():
    assert names_of_nodes() - NODES.keys() - NEVER_IN_A_MODEL == set()


def test_every_serialization_of_core_schemas_has_an_answer():
    assert names_of_serializations() - SERIALIZATIONS.keys() == set()
    assert names_of_serializations() >= {"format", "to-string", "function-plain", "function-wrap", "model"}


@pytest.mark.parametrize("name", sorted(NEVER_IN_A_MODEL & names_of_nodes()))
def test_pydantic_itself_takes_no_such_node(name: str):
    with pytest.raises(PydanticSchemaError):
        SchemaValidator(typing.cast("Any", {"type": name}))


@pytest.mark.parametrize(("name", "answer"), parameters(NODES, names_of_nodes(), Stored))
def test_a_node_that_is_stored_comes_back(name: str, answer: Stored):
    check_stored(answer, name, types_in)


@pytest.mark.parametrize(("name", "answer"), parameters(NODES, names_of_nodes(), Refused))
def test_a_node_that_is_not_stored_is_refused_in_words(name: str, answer: Refused):
    check_refused(answer, name, types_in)


@pytest.mark.parametrize(("name", "answer"), parameters(SERIALIZATIONS, names_of_serializations(), Refused))
def test_a_serialization_of_what_cannot_be_made_is_refused_in_words(name: str, answer: Refused):
    check_refused(answer, name, serializations_in)


@pytest.mark.parametrize(("name", "answer"), parameters(SERIALIZATIONS, names_of_serializations(), Stored))
def test_a_serialization_is_how_a_value_is_shown_not_how_it_is_stored(name: str, answer: Stored):
    check_stored(answer, name, serializations_in)


def shown_as(name: str) -> CoreSchema:
    return core_schema.int_schema(serialization=core_schema.simple_ser_schema(typing.cast("Any", name)))


def is_taken_by_pydantic(name: str) -> bool:
    try:
        SchemaSerializer(shown_as(name))
    except PydanticSchemaError:
        return False
    return True


def test_nearly_all_simple_serializations_are_taken_by_pydantic():
    refused = {name for name in names_of_simple_serializations() if not is_taken_by_pydantic(name)}

    assert refused <= {"bytearray", "tuple", "frozendict"}


@pytest.mark.parametrize("name", sorted(filter(is_taken_by_pydantic, names_of_simple_serializations())))
def test_a_value_that_is_shown_as_another_type_is_stored_as_its_own(name: str):
    field = Field(raw(shown_as(name)))

    assert name in serializations_in(field.model.__pydantic_core_schema__)
    assert field.adapter.dump_item(field.model(value=5)) == {"value": {"N": "5"}}
    assert field.load({"N": "5"}) == field.model(value=5).value
