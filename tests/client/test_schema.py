"""`TableSchema`: keys, indexes and TTL as the model's markers and the options say, and what is refused."""

import gc
import weakref
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel, create_model, model_validator
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypeAliasType, TypedDict

from oxidyn import TTL, All, Epoch, Include, Index, InvalidOption, KeysOnly, Model, PartitionKey, SchemaError, SortKey
from oxidyn.policies import Policies
from oxidyn.schema import IndexSchema, TableSchema, field_names

T = TypeVar("T")


class Order(Model, table="orders", indexes={"by_day": KeysOnly()}):
    org: Annotated[str, PartitionKey]
    id: Annotated[str, SortKey]
    day: Annotated[str, Index("by_day", partition=True)]
    at: Annotated[datetime, Index("by_day", sort=1), Index("local", sort=True)]
    number: Annotated[int, Index("by_day", sort=2)]
    expires: Annotated[datetime | None, TTL] = None


# What is read


def test_keys_indexes_and_ttl_are_read_from_the_markers():
    schema = TableSchema.of(Order)

    assert (schema.partition, schema.sort, schema.ttl, schema.title) == ("org", "id", "expires", "Order")
    assert schema.indexes == (
        IndexSchema("by_day", ("day",), ("at", "number"), KeysOnly(), ("expires",)),
        IndexSchema("local", (), ("at",), All(), ()),
    )


def test_markers_are_read_through_what_wraps_them():
    key = TypeAliasType("key", Annotated[str, PartitionKey])

    class Thing(Model):
        a: key
        b: Annotated[str, SortKey, Field(max_length=3)]
        c: Annotated[str | None, Index("by_c", partition=True)] = None
        d: Annotated[str, Index("by_d", partition=True)] | None = None

    schema = TableSchema.of(Thing)

    assert (schema.partition, schema.sort) == ("a", "b")
    assert [index.partition for index in schema.indexes] == [("c",), ("d",)]


def test_roles_of_a_nested_model_are_not_the_tables():
    class Inner(Model):
        id: Annotated[str, PartitionKey]
        until: Annotated[datetime, TTL, Index("i", partition=True)]

    class Outer(Model):
        id: Annotated[str, PartitionKey]
        inner: Inner
        more: list[Inner] = []

    schema = TableSchema.of(Outer)

    assert (schema.partition, schema.ttl, schema.indexes) == ("id", None, ())


def test_model_that_refers_to_itself_is_read():
    class Node(Model):
        id: Annotated[str, PartitionKey]
        children: "list[Node]" = []

    Node.model_rebuild()

    assert TableSchema.of(Node).partition == "id"


def test_incomplete_model_is_completed():
    class Later(Model):
        model_config = ConfigDict(defer_build=True)
        id: Annotated[str, PartitionKey]

    assert TableSchema.of(Later).partition == "id"
    assert repr(Later.id) == "Later.id"


def test_generic_parametrization_is_read():
    class Box(Model, Generic[T]):
        id: Annotated[T, PartitionKey]

    assert TableSchema.of(Box[str]).partition == "id"


@dataclass
class Event:
    org: Annotated[str, PartitionKey]
    day: str
    at: Annotated[datetime, Epoch]


@pydantic_dataclass
class PydanticEvent:
    org: Annotated[str, PartitionKey]
    day: str
    at: datetime


class EventDict(TypedDict):
    org: Annotated[str, PartitionKey]
    day: str
    at: datetime


class PlainEvent(BaseModel):
    org: Annotated[str, PartitionKey]
    day: str
    at: datetime


@pytest.mark.parametrize("model", [Event, PydanticEvent, EventDict, PlainEvent])
def test_any_model_is_read_with_options(model):
    schema = TableSchema.of(
        model, sort="at", indexes={"by_day": Index.keys(partition="day", sort=("at", "org"), project=Include("org"))}
    )

    assert (schema.partition, schema.sort) == ("org", "at")
    assert schema.indexes == (IndexSchema("by_day", ("day",), ("at", "org"), Include("org"), ()),)


def test_options_take_the_place_of_markers():
    schema = TableSchema.of(Order, partition="day", sort="org", indexes={"by_day": All()})

    assert (schema.partition, schema.sort) == ("day", "org")
    assert schema.indexes[0].project == All()


# Once


@pytest.mark.parametrize("model", [Order, Event, PydanticEvent, EventDict, PlainEvent])
def test_schema_is_read_once_for_each_set_of_options(model):
    schema = TableSchema.of(model)

    assert TableSchema.of(model) is schema
    skipping = Policies(unset="skip")
    assert TableSchema.of(model, policies=skipping) is not schema
    assert TableSchema.of(model, policies=skipping) is TableSchema.of(model, policies=skipping)


def test_subclass_has_a_schema_of_its_own():
    class Child(Order):
        extra: int = 0

    assert TableSchema.of(Child) is not TableSchema.of(Order)
    assert TableSchema.of(Child).model is Child


def test_rebuilt_model_is_read_again():
    class Thing(Model):
        id: Annotated[str, PartitionKey]

    before = TableSchema.of(Thing)
    Thing.model_rebuild(force=True)

    assert TableSchema.of(Thing) is not before


def test_reading_a_model_changes_no_field_of_its_subclasses():
    class Parent(Model):
        id: Annotated[str, PartitionKey]
        age: int

    TableSchema.of(Parent)

    class Child(Parent):
        age: int

    assert Child.model_fields["age"].is_required()
    assert set(Child.model_fields) == {"id", "age"}


def test_model_that_is_gone_takes_its_schema_with_it():
    made = create_model("Made", __base__=Model, id=(Annotated[str, PartitionKey], ...))
    schema = TableSchema.of(made)
    assert schema.partition == "id"
    gone = weakref.ref(made)

    del made, schema
    gc.collect()

    assert gone() is None


# What is refused


def _model(**fields: Any) -> Any:
    return create_model("Thing", __base__=Model, **{name: (type_, ...) for name, type_ in fields.items()})


def _part(name: str = "i", **place: Any) -> Any:
    return Annotated[str, Index(name, **place)]


_KEY = Annotated[str, PartitionKey]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"a": _KEY, "b": _KEY}, r"Thing\.b: PartitionKey is already on a"),
        ({"a": _KEY, "b": Annotated[str, SortKey], "c": Annotated[str, SortKey]}, r"Thing\.c: SortKey is already on b"),
        ({"a": Annotated[str, SortKey]}, "no partition key"),
        ({"a": Annotated[str, PartitionKey, SortKey]}, r"Thing\.a: is both"),
        ({"a": _KEY, "b": Annotated[datetime, TTL], "c": Annotated[int, TTL]}, r"Thing\.c: TTL is already on b"),
        (
            {"a": _KEY, "b": _part(partition=True), "c": _part(partition=True)},
            r"Thing\.b: .*beside c: number the fields",
        ),
        ({"a": _KEY, "b": _part(partition=1), "c": _part(partition=True)}, r"Thing\.c: .*beside b: number the fields"),
        ({"a": _KEY, "b": _part(partition=1), "c": _part(partition=3)}, r"Thing\.c: .*expected partition=2 next"),
        ({"a": _KEY, "b": _part(partition=1), "c": _part(partition=1)}, r"Thing\.c: .*expected partition=2 next"),
        ({"a": _KEY, "b": _part(partition=2)}, r"Thing\.b: .*expected partition=1 next"),
        ({"a": _KEY, "b": _part(sort=True)}, 'the index "i" has no partition part.*a sort key on the table'),
        (
            {"a": _KEY, "b": Annotated[str, SortKey], "c": _part(sort=1), "d": _part(sort=2)},
            'the index "i" has no partition part.*one sort field',
        ),
        (
            {"a": _KEY, "b": Annotated[str, Index("i", partition=True), Index("i", sort=True)]},
            'the index "i" names a field twice: b, b',
        ),
    ],
)
def test_markers_that_make_no_table_are_refused(fields, words):
    with pytest.raises(SchemaError, match=words):
        TableSchema.of(_model(**fields))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"partition": "nope"}, r"Order: partition= names 'nope', which is no field; there are org, id"),
        ({"sort": "nope"}, r"Order: sort= names 'nope'"),
        ({"sort": "org"}, r"Order\.org: is both"),
        ({"indexes": {"x": Index.keys(partition="nope")}}, r"""the index "x" names 'nope'"""),
        ({"indexes": {"x": Index.keys()}}, 'the index "x" has no key'),
        (
            {"indexes": {"x": Index.keys(partition=("org", "id", "day", "at", "number"))}},
            r'Order\.number: the index "x" has 5 partition fields.*at most 4',
        ),
        ({"indexes": {"by_day": "KEYS_ONLY"}}, r'Order: indexes=\{"by_day": \.\.\.\} expected All\(\).* found str'),
        ({"indexes": ["by_day"]}, "Order: indexes= expected a dict.* found list"),
        ({"indexes": {"x": KeysOnly()}}, 'speaks of "x", but no field'),
        ({"indexes": {"local": Include("nope")}}, r"Include\(\) of Order: the index \"local\" names 'nope'"),
        (
            {"indexes": {"by_day": Index.keys(partition="day")}},
            'the index "by_day" is described twice.*day, at, number',
        ),
    ],
)
def test_options_that_make_no_table_are_refused(options, words):
    with pytest.raises(SchemaError, match=words):
        TableSchema.of(Order, **options)


@pytest.mark.parametrize(
    "options", [{"load": "always"}, {"unset": "drop"}, {"unknown": "guess"}, {"any_numbers": "float"}]
)
def test_policy_that_is_none_is_refused(options):
    [name] = options
    with pytest.raises(InvalidOption, match=f"{name}='\\w+': expected '(validate|store|skip|auto)' or"):
        TableSchema.of(Order, policies=Policies(**options))


def test_a_table_of_another_load_policy_is_read_from_what_this_one_was_given():
    schema = TableSchema.of(Order, partition="day", sort="org", policies=Policies(unset="skip"))
    trusting = schema.loading("trust")

    assert (trusting.partition, trusting.sort, trusting.indexes) == ("day", "org", schema.indexes)
    assert trusting is TableSchema.of(Order, partition="day", sort="org", policies=Policies("trust", "skip"))
    assert schema.loading(None) is schema.loading("validate") is schema
    assert trusting.loading("validate") is schema


def test_key_is_required_of_a_table_and_not_of_a_schema():
    schema = TableSchema.of(_model(a=str))

    assert schema.partition is None
    with pytest.raises(SchemaError, match=r"Thing has no partition key: mark a field"):
        schema.require_table_key()


@pytest.mark.parametrize("model", [int, list[int], RootModel[int], dict[str, int], str | int])
def test_what_has_no_fields_is_no_item(model):
    with pytest.raises(SchemaError, match="is no item: "):
        TableSchema.of(model)


@pytest.mark.parametrize(
    "instance", [PlainEvent(org="secret", day="", at=0), Event("secret", "", datetime(2026, 1, 1)), {"a": "secret"}]
)
def test_instance_in_place_of_its_class_is_refused_without_its_values(instance):
    with pytest.raises(
        SchemaError, match=f"expected a model's class, found an instance of {type(instance).__name__}"
    ) as caught:
        TableSchema.of(instance)

    assert caught.value.__cause__ is None


def test_what_pydantic_has_no_schema_for_is_refused():
    class Unknown:
        pass

    with pytest.raises(SchemaError, match="Unknown has no schema in Pydantic"):
        TableSchema.of(Unknown)


def test_model_that_refers_to_what_is_missing_is_refused():
    class Thing(Model):
        other: "Missing"  # noqa: F821

    with pytest.raises(SchemaError, match="Thing is not complete: it refers to Missing"):
        TableSchema.of(Thing)


def test_model_validators_do_not_hide_the_fields():
    class Thing(Model):
        id: Annotated[str, PartitionKey]

        @model_validator(mode="before")
        @classmethod
        def _before(cls, values: Any) -> Any:
            return values

        @model_validator(mode="after")
        def _after(self) -> "Thing":
            return self

    assert field_names(Thing) == ("id",)
