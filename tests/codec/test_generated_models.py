"""Properties of models made at random: fields of any type, with defaults, aliases and configs, in classes of every kind.

Judges are Pydantic (what `model_validate` gives), boto3 (what it reads and writes), moto and the embedded engine (what
they take and give back).
"""

import base64
import contextlib
import dataclasses
import json
from collections.abc import Iterator
from datetime import datetime, time
from decimal import Decimal
from typing import Annotated, Any

import pydantic
import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError, create_model

from oxidyn import Client, InvalidItem, ItemAdapter, PartitionKey
from tests.codec.judges import check_round_trip, comparable, is_readable_by_boto3, plain
from tests.codec.strategies import Made, models

# Classes are made for every example, which takes Pydantic its time.
settings.register_profile(
    "generated",
    settings.default,
    max_examples=settings.default.max_examples // 2,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
generated = settings.get_profile("generated")
made = models(2)


@dataclasses.dataclass(frozen=True)
class Example:
    """A class, an instance of it and how it is stored."""

    made: Made
    adapter: ItemAdapter[Any]
    instance: Any

    @property
    def item(self) -> dict[str, Any]:
        return dict(json.loads(self.adapter.dump_wire(self.instance)))

    def load(self, item: dict[str, Any]) -> Any:
        return self.adapter.load_wire(json.dumps(item).encode())


@st.composite
def examples(draw: st.DrawFn) -> Example:
    model = draw(made)
    unset = draw(st.sampled_from(["store", "skip"]))
    load = draw(st.sampled_from(["validate", "validate", "trust"]))
    adapter = ItemAdapter(model.type_, unset=unset, load=load)
    return Example(model, adapter, draw(model.instances))


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types throughout; a number in place of an equal one of another type is told."""
    if type(one) is not type(other):
        return False
    match one:
        case BaseModel():
            extra = (one.model_extra, other.model_extra)
            return same(one.__dict__, other.__dict__) and same(*extra)
        case dict():
            return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
        case list() | tuple():
            return len(one) == len(other) and all(map(same, one, other))
        case set() | frozenset():
            return one == other and sorted(map(type_name, one)) == sorted(map(type_name, other))
        case datetime() | time():
            return one == other and (one.tzinfo is None) == (other.tzinfo is None)
        case _ if dataclasses.is_dataclass(one):
            pairs = ((getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(one))
            return all(same(*pair) for pair in pairs)
        case _:
            return one == other


def type_name(value: Any) -> str:
    return type(value).__name__


@generated
@given(examples())
def test_any_instance_of_any_model_comes_back_by_every_way(example):
    check_round_trip(example.adapter, example.instance)


@generated
@given(examples())
def test_values_come_back_as_their_own_types_at_every_depth(example):
    loaded = example.load(example.item)

    assert same(loaded, example.instance)


@generated
@given(examples())
def test_what_is_loaded_is_what_pydantic_makes_of_the_values(example):
    fields = {example.made.attribute(field): field for field in example.made.fields}
    values = example.made.values(example.instance)
    given_values = {
        field.input_name: values[field.name]
        for attribute, field in fields.items()
        if attribute in example.item or (field.is_required and field.name in values)
    }

    loaded = example.load(example.item)

    expected = example.made.adapter.validate_python(given_values)
    assert same(loaded, expected)
    if isinstance(loaded, BaseModel):
        assert loaded.model_fields_set == expected.model_fields_set


@generated
@given(examples())
def test_boto3_reads_what_is_stored_and_what_it_writes_of_that_is_read(example):
    item = example.adapter.dump_item(example.instance)
    assume(all(map(is_readable_by_boto3, every_value(item))))

    read = {name: plain(TypeDeserializer().deserialize(value)) for name, value in item.items()}
    written = {name: TypeSerializer().serialize(value) for name, value in read.items()}

    assert {name: comparable(value) for name, value in written.items()} == {
        name: comparable(value) for name, value in item.items()
    }
    assert same(example.adapter.load_item(written), example.instance)


def every_value(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every attribute value of an item, at any depth; those of sets as values of their own."""
    for value in item.values():
        yield value
        [(tag, content)] = value.items()
        match tag:
            case "M":
                yield from every_value(content)
            case "L":
                yield from every_value({str(index): each for index, each in enumerate(content)})
            case "NS":
                yield from ({"N": each} for each in content)
            case _:
                pass


TABLES: dict[str, bool] = {}


class Row(BaseModel):
    id: Annotated[str, PartitionKey]


@settings(generated, max_examples=max(5, generated.max_examples // 3))
@given(data=st.data())
@pytest.mark.parametrize("colour", ["sync"], indirect=True)
def test_the_engines_take_what_is_stored_and_give_it_back(client: Client, table_name: str, data: st.DataObject):
    example = data.draw(examples())
    if not TABLES.get(table_name):
        client.table(Row, name=table_name).create_table()
        TABLES[table_name] = True
    row = create_model("Row", __base__=Row, content=(example.made.type_, ...))
    table = client.table(row, name=table_name)
    saved = row(id="a", content=example.instance)

    table.put(saved)
    loaded = table.get("a")

    assert same(loaded, ItemAdapter(row).load_wire(ItemAdapter(row).dump_wire(saved)))
    assert same(loaded, saved)


# Items that were changed on the way: by another writer, by an older version of the model, by damage.

TAGS = ["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"]

wire_values: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.one_of(
        st.text(max_size=4).map(lambda text: {"S": text}),
        st.sampled_from(["5", "1.5", "-1e3", "0.1", "1e20", "12345678901234567890"]).map(lambda text: {"N": text}),
        st.sampled_from(["", "YQ==", "MQ=="]).map(lambda text: {"B": text}),
        st.booleans().map(lambda value: {"BOOL": value}),
        st.just({"NULL": True}),
        st.sampled_from([["a"], ["1", "2"], ["red"]]).map(lambda texts: {"SS": texts}),
        st.sampled_from([["1"], ["1", "2.5"]]).map(lambda texts: {"NS": texts}),
        st.just({"BS": ["YQ=="]}),
        st.sampled_from(["5", "true", "2026-01-31", "2026-01-31T12:30:00Z", "12:30", "P1D", "red", "nan"]).map(
            lambda text: {"S": text}
        ),
    ),
    lambda inner: (
        st.lists(inner, max_size=2).map(lambda values: {"L": values})
        | st.dictionaries(st.text(min_size=1, max_size=2), inner, max_size=2).map(lambda values: {"M": values})
    ),
    max_leaves=4,
)


def untyped(value: dict[str, Any]) -> Any:
    """A stored value as it is read where nothing is known of it, by the rules for `Any`."""
    [(tag, content)] = value.items()
    match tag:
        case "N":
            return untyped_number(content)
        case "B":
            return base64.b64decode(content)
        case "NULL":
            return None
        case "L":
            return [untyped(each) for each in content]
        case "M":
            return {name: untyped(each) for name, each in content.items()}
        case "NS":
            return {untyped_number(each) for each in content}
        case "BS":
            return {base64.b64decode(each) for each in content}
        case "SS":
            return set(content)
        case _:
            return content


def untyped_number(text: str) -> int | float | Decimal:
    number = Decimal(text)
    if number == number.to_integral_value():
        return int(number)
    return float(text) if Decimal(repr(float(text))) == number else number


@st.composite
def changed(draw: st.DrawFn, value: dict[str, Any]) -> dict[str, Any]:
    """A stored value that something was done to, itself or at any depth."""
    [(tag, content)] = value.items()
    if tag == "M" and content and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(content)))
        rest = {other: each for other, each in content.items() if other != name}
        return {"M": rest if draw(st.booleans()) else {**rest, name: draw(changed(content[name]))}}
    if tag == "L" and content and draw(st.booleans()):
        place = draw(st.integers(0, len(content) - 1))
        return {"L": [draw(changed(each)) if index == place else each for index, each in enumerate(content)]}
    match draw(st.sampled_from(["tag", "value", "junk"])):
        case "tag":
            return {draw(st.sampled_from(TAGS)): content}
        case "value":
            return draw(wire_values)
        case _:
            junk = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.none(), max_size=2)
            return {tag: draw(junk)}


@generated
@given(st.data())
def test_a_changed_item_is_refused_or_read_as_something_that_pydantic_takes(data: st.DataObject):
    example = data.draw(examples())
    item = example.item
    assume(item)
    name = data.draw(st.sampled_from(sorted(item)))
    match data.draw(st.sampled_from(["changed", "removed", "added"])):
        case "changed":
            item[name] = data.draw(changed(item[name]))
        case "removed":
            del item[name]
        case _:
            item["added"] = data.draw(wire_values)

    with contextlib.suppress(InvalidItem):
        loaded = example.load(item)

        assert_is_valid(example, loaded)
        assert same(example.load(json.loads(example.adapter.dump_wire(loaded))), loaded)


def assert_is_valid(example: Example, loaded: Any) -> None:
    """Pydantic, which is given all of it as plain values, makes the same of them."""
    if pydantic.VERSION.startswith("2.11."):
        # It takes the fields of dataclasses by their aliases alone.
        return
    judge = example.made.adapter
    shown = judge.dump_python(loaded, by_alias=False)
    assert same(judge.validate_python(shown, by_name=True, by_alias=False, strict=False), loaded)


@generated
@given(st.data())
def test_a_wire_type_that_the_field_does_not_know_is_read_untyped_and_left_to_pydantic(data: st.DataObject):
    example = data.draw(examples())
    field = data.draw(st.sampled_from(example.made.fields))
    value = data.draw(wire_values)
    [tag] = value
    assume(tag not in field.kind.tags)
    values = example.made.values(example.instance)
    given_values = {each.input_name: values[each.name] for each in example.made.fields if each.name in values}
    given_values[field.input_name] = untyped(value)
    item = {**example.item, example.made.attribute(field): value}

    try:
        expected = example.made.adapter.validate_python(given_values)
    except ValidationError:
        with pytest.raises(InvalidItem):
            example.load(item)
    else:
        assert same(example.load(item), expected)
