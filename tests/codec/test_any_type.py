"""Types put together at random: every value comes back, and what is refused is what Pydantic refuses."""

import enum
import json
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, create_model

from oxidyn import InvalidItem, ItemAdapter
from tests.codec.judges import Field, check_round_trip


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Place(BaseModel):
    city: str = "Ulm"
    tags: set[str] = set()


aware = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone.utc))
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=5),
    int: st.integers(-(10**20), 10**20),
    float: st.floats(-1e9, 1e9).filter(lambda value: value == 0 or abs(value) > 1e-100),
    Decimal: st.decimals(-1000, 1000, places=2),
    bool: st.booleans(),
    bytes: st.binary(max_size=5),
    UUID: st.uuids(),
    datetime: aware | st.datetimes(),
    date: st.dates(),
    time: st.times(),
    timedelta: st.timedeltas(),
    Colour: st.sampled_from(Colour),
    Literal["a", 1]: st.sampled_from(["a", 1]),
}
KEYS = (str, int, UUID, date, Colour)

TypeAndValues = tuple[Any, st.SearchStrategy[Any]]


def scalars() -> st.SearchStrategy[TypeAndValues]:
    return st.sampled_from(list(SCALARS.items()))


def containers(inner: st.SearchStrategy[TypeAndValues]) -> st.SearchStrategy[TypeAndValues]:
    def mapping(key: Any, value: TypeAndValues) -> TypeAndValues:
        keys = st.text(min_size=1, max_size=4) if key is str else SCALARS[key]
        return dict[key, value[0]], st.dictionaries(keys, value[1], max_size=3)

    def model(parts: list[TypeAndValues]) -> TypeAndValues:
        fields: Any = {f"f{number}": (part[0], ...) for number, part in enumerate(parts)}
        made = create_model("Inner", **fields)
        return made, st.fixed_dictionaries({f"f{number}": part[1] for number, part in enumerate(parts)}).map(
            lambda values: made(**values)
        )

    return st.one_of(
        inner.map(lambda each: (list[each[0]], st.lists(each[1], max_size=3))),
        inner.map(lambda each: (tuple[each[0], ...], st.lists(each[1], max_size=3).map(tuple))),
        inner.map(lambda each: (each[0] | None, st.none() | each[1])),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda parts: (tuple[tuple(part[0] for part in parts)], st.tuples(*(part[1] for part in parts)))
        ),
        st.builds(mapping, st.sampled_from(KEYS), inner),
        st.lists(inner, min_size=1, max_size=3).map(model),
        scalars().map(lambda each: (set[each[0]], st.sets(each[1], max_size=3))),
        scalars().map(lambda each: (frozenset[each[0]], st.frozensets(each[1], max_size=3))),
    )


types_and_values = st.recursive(scalars(), containers, max_leaves=4)


@given(types_and_values, st.data())
def test_any_value_of_any_type_comes_back(type_and_values, data):
    annotation, values = type_and_values
    field = Field(annotation)

    field.check_round_trip(data.draw(values))


@given(types_and_values, types_and_values, st.data())
def test_bytes_of_another_type_are_read_or_refused(written, read, data):
    writer = Field(written[0])
    item = writer.adapter.dump_wire(writer.model(value=data.draw(written[1])))

    reader = Field(read[0])
    try:
        loaded = reader.adapter.load_wire(item)
    except InvalidItem as error:
        paths = [each["loc"] for each in error.errors()]
    else:
        paths = []
        check_round_trip(reader.adapter, loaded)
    assert all(path[0] == "value" for path in paths)


scalar_attributes = st.one_of(
    st.text("0123456789.-:TZ aredtruyesno", max_size=8).map(lambda text: {"S": text}),
    st.sampled_from(["5", "1.5", "true", "no", "red", "2026-01-31", "12:30", "PT1M", "1e3", " 7 ", "", "a"]).map(
        lambda text: {"S": text}
    ),
    st.integers(-(10**6), 10**6).map(lambda number: {"N": str(number)}),
    st.decimals(-1000, 1000, places=1).map(lambda number: {"N": str(number)}),
    st.booleans().map(lambda value: {"BOOL": value}),
    st.just({"NULL": True}),
    st.just({"L": []}),
    st.just({"M": {}}),
)


def decoded(attribute: Any) -> Any:
    """The value by its tag alone: N as int where integral, else as float."""
    value = TypeDeserializer().deserialize(attribute)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("annotation", [str, int, float, bool, bytes, UUID, date, time, Colour, Literal["a", 1]])
@given(attribute=scalar_attributes)
def test_load_accepts_and_refuses_what_model_validate_does_of_the_decoded_value(annotation, strict, attribute):
    field = Field(annotation, config=ConfigDict(strict=strict))
    [tag] = attribute
    own_tag = next(iter(field.store(next_value(annotation))))
    if tag == own_tag:
        # Of the field's own tag the plan makes the field's own type, also in strict mode.
        return

    field.check_against_pydantic(attribute, decoded(attribute))


def next_value(annotation: Any) -> Any:
    return {
        str: "a",
        int: 1,
        float: 1.5,
        bool: True,
        bytes: b"a",
        UUID: UUID(int=1),
        date: date(2026, 1, 31),
        time: time(12),
        Colour: Colour.RED,
        Literal["a", 1]: "a",
    }[annotation]


@given(st.lists(types_and_values, min_size=1, max_size=4), st.data())
def test_fields_do_not_touch_each_other(parts, data):
    fields: Any = {f"f{number}": (part[0], ...) for number, part in enumerate(parts)}
    model = create_model("Record", **fields)
    adapter = ItemAdapter(model)
    values = {f"f{number}": data.draw(part[1]) for number, part in enumerate(parts)}
    instance = model(**values)

    item = json.loads(adapter.dump_wire(instance))

    for number, part in enumerate(parts):
        name = f"f{number}"
        alone = create_model("Record", **{name: (part[0], ...)})(**{name: values[name]})
        assert json.loads(ItemAdapter(type(alone)).dump_wire(alone)).get(name) == item.get(name)
    assert adapter.load_wire(json.dumps(dict(reversed(item.items()))).encode()) == instance
