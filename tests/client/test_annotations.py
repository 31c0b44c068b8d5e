"""Markers: seen by the table at every depth, invisible to JSON schema, OpenAPI and validation."""

import asyncio
import enum
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Annotated, Any, Optional

import httpx
import pytest
from fastapi import FastAPI
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, TypeAdapter, WithJsonSchema
from typing_extensions import TypeAliasType, TypedDict

from oxidyn import TTL, Attribute, Epoch, Include, Index, KeysOnly, Model, PartitionKey, SchemaError, SortKey
from oxidyn.annotations import NAMESPACE


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


def _notes(schema: Any) -> Iterator[dict[str, Any]]:
    """Everything of ours in a core schema, in its order."""
    if isinstance(schema, dict):
        note = schema.get("metadata", {}).get(NAMESPACE) if "type" in schema else None
        if note:
            yield note
        for name, part in schema.items():
            if name != "metadata":
                yield from _notes(part)
    elif isinstance(schema, list | tuple):
        for part in schema:
            yield from _notes(part)


def _of(type_: Any) -> list[dict[str, Any]]:
    return list(_notes(TypeAdapter(type_).core_schema))


# Where markers are found


@pytest.mark.parametrize(
    "type_",
    [
        Annotated[datetime, Epoch],
        Annotated[datetime, Epoch()],
        Annotated[datetime, Epoch("s")],
        Annotated[datetime | None, Epoch],
        Optional[Annotated[datetime, Epoch]],  # noqa: UP045 (not the class that `|` gives, before 3.14)
        list[Annotated[datetime, Epoch]],
        dict[str, list[Annotated[datetime, Epoch] | None]],
        tuple[Annotated[datetime, Epoch], int],
        Annotated[datetime, Epoch, AfterValidator(lambda at: at)],
        Annotated[datetime, BeforeValidator(lambda at: at), Epoch],
        Annotated[datetime, Epoch, Field(gt=datetime(2020, 1, 1, tzinfo=timezone.utc))],
        Annotated[datetime, Field(gt=datetime(2020, 1, 1, tzinfo=timezone.utc)), Epoch],
    ],
)
def test_epoch_is_noted_at_every_depth(type_):
    assert _of(type_) == [{"epoch": "s"}]


def test_epoch_in_milliseconds_is_noted():
    assert _of(Annotated[datetime, Epoch("ms")]) == [{"epoch": "ms"}]


def test_marker_on_a_nested_model_stays_where_the_model_is_used_in_two_places():
    class Address(BaseModel):
        city: Annotated[str, Attribute(name="c")]

    class Order(BaseModel):
        bill: Annotated[Address, Attribute(name="b")]
        ship: Annotated[Address | None, Attribute(name="s")] = None
        other: Address | None = None

    assert sorted(note["name"] for note in _of(Order)) == ["b", "c", "s"]


def test_marker_on_a_nested_model_that_is_used_once_stays():
    class Address(BaseModel):
        city: str

    class Order(BaseModel):
        bill: Annotated[Address, Attribute(name="b")]

    assert _of(Order) == [{"name": "b"}]


def test_marker_on_an_enum_and_a_dataclass_and_a_typed_dict_stays():
    @dataclass
    class Line:
        sku: str

    class Total(TypedDict):
        cents: int

    class Order(BaseModel):
        colour: Annotated[Colour, Attribute(name="a")]
        again: Colour = Colour.RED
        line: Annotated[Line, Attribute(name="b")]
        total: Annotated[Total, Attribute(name="c")]

    assert [note["name"] for note in _of(Order)] == ["a", "b", "c"]


def test_marker_does_not_spread_to_other_uses_of_a_shared_schema():
    shared = {"type": "str"}

    class Shared:
        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
            return shared

    class Order(BaseModel):
        a: Annotated[Shared, Attribute(name="x")]
        b: Shared

    assert _of(Order) == [{"name": "x"}]
    assert shared == {"type": "str"}


def test_marker_inside_a_type_alias_is_found():
    stamp = TypeAliasType("stamp", Annotated[datetime, Epoch])

    class Event(BaseModel):
        at: stamp
        until: stamp | None = None

    assert {"epoch": "s"} in _of(Event)


def test_markers_on_one_field_add_up():
    class Order(BaseModel):
        id: Annotated[str, PartitionKey, Index("a", sort=True), Attribute(name="i"), Index("b", partition=2)]

    [note] = _of(Order)

    assert note["name"] == "i"
    assert note["roles"] == [PartitionKey, Index("a", sort=True), Index("b", partition=2)]


def test_inherited_field_keeps_its_markers():
    class Base(BaseModel):
        id: Annotated[str, PartitionKey]

    class Child(Base):
        at: Annotated[datetime, SortKey, Epoch]

    assert _of(Child) == [{"roles": [PartitionKey]}, {"roles": [SortKey], "epoch": "s"}]


# What they leave alone


class ThingBare(BaseModel):
    org: str
    id: int
    colour: Colour
    at: datetime
    name: Annotated[str, Field(max_length=3, description="a name")]
    expires: datetime | None = None
    stamps: list[datetime] = []
    raw: Annotated[str, WithJsonSchema({"type": "string", "format": "raw"})] = ""


class ThingMarked(Model, table="things", indexes={"by_colour": KeysOnly()}):
    org: Annotated[str, PartitionKey]
    id: Annotated[int, SortKey]
    colour: Annotated[Colour, Index("by_colour", partition=1)]
    at: Annotated[datetime, Epoch, Index("by_colour", sort=True)]
    name: Annotated[str, Field(max_length=3, description="a name"), Attribute(name="n")]
    expires: Annotated[datetime | None, TTL] = None
    stamps: list[Annotated[datetime, Epoch("ms")]] = []
    raw: Annotated[str, Attribute(name="r"), WithJsonSchema({"type": "string", "format": "raw"})] = ""


def _as_bare(document: Any) -> str:
    return json.dumps(document).replace("ThingMarked", "ThingBare")


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_json_schema_is_the_same_without_markers(mode):
    assert _as_bare(ThingMarked.model_json_schema(mode=mode)) == json.dumps(ThingBare.model_json_schema(mode=mode))


def test_values_are_validated_and_dumped_the_same_without_markers():
    values = {"org": "a", "id": "1", "colour": "red", "at": "2026-01-02T03:04:05Z", "name": "n", "stamps": [0]}

    marked, bare = ThingMarked.model_validate(values), ThingBare.model_validate(values)

    assert marked.model_dump() == bare.model_dump()
    assert marked.model_dump_json() == bare.model_dump_json()


def test_errors_are_the_same_without_markers():
    def refusals(model: type[BaseModel]) -> list[Any]:
        with pytest.raises(ValueError) as caught:
            model.model_validate({"org": 1, "colour": "green", "at": "x", "name": "long", "stamps": ["y"]})
        return [(error["type"], error["loc"], error["msg"]) for error in caught.value.errors()]

    assert refusals(ThingMarked) == refusals(ThingBare)


def test_fastapi_request_response_and_openapi_are_the_same_without_markers():
    def app(model: type[BaseModel]) -> Any:
        api = FastAPI()

        @api.post("/things", response_model=model)
        def create(thing: model, tag: Annotated[str, Attribute(name="t")] = "") -> Any:  # type: ignore[valid-type]
            return thing

        @api.get("/things", response_model=list[model])
        def things() -> Any:
            return []

        return api

    marked, bare = app(ThingMarked), app(ThingBare)
    body = {"org": "a", "id": 1, "colour": "red", "at": "2026-01-02T03:04:05Z", "name": "n"}

    assert _as_bare(marked.openapi()) == json.dumps(bare.openapi())
    for content in (body, {**body, "name": "long"}):
        assert asyncio.run(_post(marked, content)) == asyncio.run(_post(bare, content))


async def _post(app: Any, content: Any) -> tuple[int, Any]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
        answer = await client.post("/things", json=content)
    return answer.status_code, answer.json()


# What is refused


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Index(""), "expected the index's name"),
        (lambda: Index(5, partition=True), "expected the index's name"),
        (lambda: Index("a"), "one of partition= and sort="),
        (lambda: Index("a", partition=True, sort=True), "one of partition= and sort="),
        (lambda: Index("a", partition=5), "expected True, or 1 to 4"),
        (lambda: Index("a", sort=0), "expected True, or 1 to 4"),
        (lambda: Index("a", sort=False), "expected True, or 1 to 4"),
        (Include, "KeysOnly"),
        (lambda: Index.keys(partition="a", project="KEYS_ONLY"), "expected All.* found str"),
        (lambda: Attribute(name=""), "at least one character"),
        (lambda: Attribute(name=5), "at least one character"),
        (lambda: Attribute(utc=None), "expected True or False"),
        (lambda: Attribute(format="iso"), 'expected one of "seconds", "offset", "hex", "upper"'),
        (lambda: Attribute(format=["hex"]), "expected one of"),
        (Attribute, "says nothing"),
        (lambda: Epoch("us"), "milliseconds"),
    ],
)
def test_marker_that_means_nothing_is_refused(make, words):
    with pytest.raises(SchemaError, match=words):
        make()


@pytest.mark.parametrize(
    ("marker", "text"),
    [
        (PartitionKey, "PartitionKey"),
        (SortKey, "SortKey"),
        (TTL, "TTL"),
        (Epoch, "Epoch"),
        (Epoch("ms"), 'Epoch("ms")'),
        (Attribute(name="n"), "Attribute(name='n')"),
        (Attribute(name="n", utc=False), "Attribute(name='n', utc=False)"),
        (Attribute(format="hex"), "Attribute(format='hex')"),
    ],
)
def test_marker_is_shown_as_it_is_written(marker, text):
    assert repr(marker) == text
