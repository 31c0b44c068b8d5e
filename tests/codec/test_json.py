"""Stored items as JSON: the bytes that the model's own `model_dump_json(by_alias=True)` gives, by whichever way they are made."""

import dataclasses
import enum
import inspect
import json
import warnings
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PrivateAttr,
    RootModel,
    TypeAdapter,
    computed_field,
    create_model,
    field_serializer,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticSerializationError
from typing_extensions import TypedDict

from oxidyn import Attribute, Epoch, InvalidItem, ItemAdapter, PartitionKey, SortKey
from tests.codec.strategies import SCALARS, Colour, Kind, Level, Made, kinds, models
from tests.codec.test_generated_models import generated


def expected(adapter: ItemAdapter[Any], wire: bytes, judge: TypeAdapter[Any] | None = None) -> bytes:
    """What the model gives of the item; a TypedDict's is asked for by its judge."""
    item = adapter.load_wire(wire)
    return (judge or TypeAdapter(type(item))).dump_json(item, by_alias=True)


def outcome(make: Callable[[], bytes]) -> Any:
    """The bytes, or why there are none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return make()
        except InvalidItem as refusal:
            return [(error["type"], error["loc"], error["msg"]) for error in refusal.errors()]
        except PydanticSerializationError:
            # Bytes that are no text have no JSON under Pydantic's default.
            return PydanticSerializationError


def check_outcome(adapter: ItemAdapter[Any], wire: bytes, judge: TypeAdapter[Any] | None = None) -> None:
    """Both ways give the same bytes, or refuse the item for the same reasons."""
    assert outcome(lambda: adapter.wire_to_json(wire)) == outcome(lambda: expected(adapter, wire, judge))


def wire_of(attributes: dict[str, Any]) -> bytes:
    return json.dumps(attributes, separators=(",", ":")).encode()


def check(type_: Any, attributes: dict[str, Any], **options: Any) -> Any:
    """Both ways give the same bytes; what these stand for."""
    adapter = ItemAdapter(type_, **options)
    wire = wire_of(attributes)
    given_json = adapter.wire_to_json(wire)
    item = adapter.load_wire(wire)
    assert given_json == TypeAdapter(type_).dump_json(item, by_alias=True)
    return json.loads(given_json)


def no_instance(*_: object) -> Any:
    raise AssertionError("an instance was made")


def is_direct(model: Any, attributes: dict[str, Any], **options: Any) -> bool:
    """Whether the item's JSON is made without an instance of the model."""
    adapter = ItemAdapter(model, **options)
    wire = wire_of(attributes)
    before = adapter.wire_to_json(wire)
    model.__new__ = no_instance
    try:
        return adapter.wire_to_json(wire) == before
    except AssertionError:
        return False
    finally:
        del model.__new__


# ---- equal bytes, for everything that can be stored ----


@st.composite
def stored(draw: st.DrawFn) -> tuple[ItemAdapter[Any], TypeAdapter[Any], Any]:
    model: Made = draw(models(2))
    adapter = ItemAdapter(model.type_, unset=draw(st.sampled_from(["store", "skip"])))
    return adapter, model.adapter, draw(model.instances)


@generated
@given(stored(), st.randoms(use_true_random=False))
def test_the_json_of_any_model_is_the_models_own(example, random):
    adapter, judge, instance = example
    wire = adapter.dump_wire(instance)
    attributes = list(json.loads(wire).items())
    random.shuffle(attributes)
    shuffled = wire_of(dict(attributes))

    check_outcome(adapter, wire, judge)
    check_outcome(adapter, shuffled, judge)


@st.composite
def fields(draw: st.DrawFn) -> tuple[Kind, Any]:
    kind = draw(st.sampled_from(SCALARS) | kinds(1))
    return kind, draw(kind.values)


@given(fields())
def test_the_json_of_a_field_of_any_type_is_the_models_own(example):
    kind, value = example
    model = create_model("Holder", value=(kind.annotation, ...), other=(str, "x"))
    adapter = ItemAdapter(model)
    wire = adapter.dump_wire(model(value=value))
    check_outcome(adapter, wire)


@generated
@given(stored(), st.data())
def test_an_item_that_the_model_refuses_is_refused_alike(example, data):
    adapter, judge, instance = example
    attributes = json.loads(adapter.dump_wire(instance))
    if not attributes:
        return
    name = data.draw(st.sampled_from(sorted(attributes)))
    wrong = [
        {"S": "wrong"},
        {"N": "1e400"},
        {"N": "nan"},
        {"BOOL": True},
        {"M": {}},
        {"L": [{"S": "x"}]},
        {"NULL": True},
    ]
    attributes[name] = data.draw(st.sampled_from([*wrong, None]))
    wire = wire_of({name: value for name, value in attributes.items() if value is not None})
    check_outcome(adapter, wire, judge)


# ---- numbers ----

numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e125, max_value=1e125)
    .filter(lambda value: value == 0 or abs(value) >= 1e-130)
    .map(repr),
    st.decimals(-(10**20), 10**20, places=8).map(str),
    st.integers(-(10**38) + 1, 10**38 - 1).map(str),
    st.from_regex(r"-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,18})?", fullmatch=True),
    st.from_regex(r"-?0\.0{0,12}[0-9]{1,17}", fullmatch=True),
    st.from_regex(r"-?[0-9]{0,5}\.?[0-9]{0,5}([eE][+-]?[0-9]{1,3})?", fullmatch=True),
)


@pytest.mark.parametrize(
    "annotation",
    [
        int,
        float,
        Decimal,
        Annotated[int, Field(ge=-5, lt=10**12)],
        Annotated[float, Field(gt=-1e3, le=1e20)],
        Annotated[float, Field(multiple_of=0.5)],
        Annotated[int, Field(multiple_of=3)],
        Annotated[Decimal, Field(max_digits=9)],
        timedelta,
        Annotated[datetime, Epoch],
        Annotated[datetime, Epoch("ms")],
    ],
)
@given(text=numbers)
def test_a_number_is_printed_or_refused_as_the_model_does(annotation, text):
    adapter = ItemAdapter(create_model("Number", value=(annotation, ...)))
    wire = wire_of({"value": {"N": text}})
    check_outcome(adapter, wire)


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-0",
        "0.0",
        "1",
        "-1",
        "10",
        "1.0",
        "1.50",
        "0.1",
        "0.00001",
        "0.000001",
        "0.0000001",
        "100000000000000",
        "1000000000000000",
        "10000000000000000",
        "12345678901234567",
        "123456789012345.6",
        "1234567890123456.7",
        "0.30000000000000004",
        "1e16",
        "1E+22",
        "1e-7",
        "5e-324",
        "99999999999999999999999999999999999999",
        "0.1234567890123456789",
    ],
)
@pytest.mark.parametrize("annotation", [int, float, Decimal])
def test_numbers_at_the_edges_of_forms_are_printed_as_pydantic_prints_them(annotation, text):
    adapter = ItemAdapter(create_model("Number", value=(annotation, ...)))
    wire = wire_of({"value": {"N": text}})
    check_outcome(adapter, wire)


# ---- text, bytes, times ----


@given(st.text(), st.booleans())
def test_text_is_escaped_as_pydantic_escapes_it_however_it_came(text, ascii_only):
    adapter = ItemAdapter(create_model("Text", value=(str, ...), names=(dict[str, str], ...)))
    item = {"value": {"S": text}, "names": {"M": {text or "x": {"S": text}}}}
    wire = json.dumps(item, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    check_outcome(adapter, wire)


@given(st.text(max_size=6), st.integers(0, 4), st.integers(0, 6))
def test_lengths_are_counted_in_characters(text, least, most):
    adapter = ItemAdapter(create_model("Text", value=(Annotated[str, Field(min_length=least, max_length=most)], ...)))
    wire = wire_of({"value": {"S": text}})
    check_outcome(adapter, wire)


@pytest.mark.parametrize("form", ["utf8", "base64", "hex"])
@given(value=st.binary(max_size=20) | st.text(max_size=8).map(str.encode))
def test_bytes_are_printed_in_the_form_that_the_config_asks_for(form, value):
    model = create_model("Bytes", __config__=ConfigDict(ser_json_bytes=form), value=(bytes, ...))
    adapter = ItemAdapter(model)
    wire = adapter.dump_wire(model(value=value))
    check_outcome(adapter, wire)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"ser_json_timedelta": "float"},
        {"ser_json_temporal": "seconds"},
        {"ser_json_temporal": "milliseconds"},
        {"ser_json_bytes": "base64"},
        {"ser_json_inf_nan": "strings"},
    ],
    ids=str,
)
@given(value=st.timedeltas(), moment=st.datetimes(), day=st.dates())
def test_times_are_printed_in_the_form_that_the_config_asks_for(config, value, moment, day):
    class Times(BaseModel):
        model_config = ConfigDict(**config)
        lasting: timedelta
        at: datetime
        on: date
        during: time
        else_: Any = float("inf")

    adapter = ItemAdapter(Times)
    wire = adapter.dump_wire(Times(lasting=value, at=moment, on=day, during=moment.time(), else_=b"x"))

    assert adapter.wire_to_json(wire) == expected(adapter, wire)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:30:00.000000Z",
        "2026-01-31T12:30:00.120000Z",
        "2026-01-31T12:30:00Z",
        "2026-01-31T12:30:00.000000",
        "2026-01-31T12:30:00.5+02:00",
        "2026-01-31T12:30:00.000000+00:00",
        "2026-01-31T12:30:00.000000-05:30",
        "2026-01-31 12:30",
        "2026-01-31",
        "1769862600",
    ],
)
@pytest.mark.parametrize("annotation", [datetime, date, time, Annotated[datetime, Attribute(utc=False)]])
def test_every_text_of_a_time_that_is_read_is_printed_as_the_model_prints_it(annotation, text):
    adapter = ItemAdapter(create_model("Times", value=(annotation, ...)))
    wire = wire_of({"value": {"S": text}})
    check_outcome(adapter, wire)


# ---- models ----


class Line(BaseModel):
    sku: str
    count: int = 1


class Order(BaseModel):
    id: Annotated[str, PartitionKey]
    placed_at: Annotated[datetime, SortKey]
    total: Decimal = Field(serialization_alias="totalPrice", default=Decimal(0))
    lines: list[Line] = []
    secret: str = Field(exclude=True, default="hidden")
    colour: Colour = Colour.RED
    level: Level | None = None
    tags: dict[str, str] = Field(default_factory=dict)


ORDER = {
    "tags": {"M": {"b": {"S": "1"}, "a": {"S": "2"}}},
    "lines": {"L": [{"M": {"count": {"N": "2"}, "sku": {"S": "x"}}}, {"M": {"sku": {"S": "y"}}}]},
    "id": {"S": "a"},
    "placed_at": {"S": "2026-01-31T12:30:00.000000Z"},
    "secret": {"S": "s"},
}


def test_fields_come_in_the_models_order_with_defaults_for_what_is_absent():
    assert check(Order, ORDER) == {
        "id": "a",
        "placed_at": "2026-01-31T12:30:00Z",
        "totalPrice": "0",
        "lines": [{"sku": "x", "count": 2}, {"sku": "y", "count": 1}],
        "colour": "red",
        "level": None,
        "tags": {"b": "1", "a": "2"},
    }


def test_a_field_that_is_not_shown_is_checked_all_the_same():
    adapter = ItemAdapter(Order)
    with pytest.raises(InvalidItem, match="secret"):
        adapter.wire_to_json(wire_of(ORDER | {"secret": {"L": []}}))


def test_no_instance_is_made_where_the_schema_allows_it():
    assert is_direct(Order, ORDER)
    assert is_direct(Line, {"sku": {"S": "x"}})


@pytest.mark.parametrize("unknown", ["skip", "error", "keep"])
def test_attributes_that_are_no_field_are_not_shown_or_refused(unknown):
    adapter = ItemAdapter(Line, unknown=unknown)
    wire = wire_of({"other": {"N": "1"}, "sku": {"S": "x"}})
    if unknown == "error":
        with pytest.raises(InvalidItem, match="other"):
            adapter.wire_to_json(wire)
    else:
        assert adapter.wire_to_json(wire) == b'{"sku":"x","count":1}'


def test_an_attribute_that_is_there_twice_counts_by_its_last_value():
    adapter = ItemAdapter(create_model("Twice", a=(int, ...), names=(dict[str, int], ...)))
    wire = b'{"a":{"N":"1"},"names":{"M":{"x":{"N":"1"},"y":{"N":"2"},"x":{"N":"3"}}},"a":{"N":"2"}}'

    assert adapter.wire_to_json(wire) == expected(adapter, wire) == b'{"a":2,"names":{"x":3,"y":2}}'


def test_a_key_in_another_form_than_the_plans_is_refused():
    adapter = ItemAdapter(Order)
    with pytest.raises(InvalidItem, match="stored as S 9999-99-99A99:99:99A, but written as"):
        adapter.wire_to_json(wire_of(ORDER | {"placed_at": {"S": "2026-01-31T12:30:00Z"}}))


def test_a_value_below_32_levels_is_refused():
    class Tree(BaseModel):
        parts: list["Tree"] = []

    def nested(depth: int) -> dict[str, Any]:
        return {"parts": {"L": [{"M": nested(depth - 1)}] if depth else []}}

    adapter = ItemAdapter(Tree)
    assert adapter.wire_to_json(wire_of(nested(14))) == expected(adapter, wire_of(nested(14)))
    with pytest.raises(InvalidItem, match="nested deeper"):
        adapter.wire_to_json(wire_of(nested(18)))
    assert is_direct(Tree, nested(3))


def test_bytes_behind_the_item_are_refused():
    with pytest.raises(InvalidItem, match="nothing more"):
        ItemAdapter(Line).wire_to_json(wire_of({"sku": {"S": "x"}}) + b"x")


def test_blanks_between_the_tokens_change_nothing():
    wire = json.dumps(ORDER, indent=1).encode()
    assert ItemAdapter(Order).wire_to_json(wire) == ItemAdapter(Order).wire_to_json(wire_of(ORDER))


def test_only_bytes_are_taken():
    with pytest.raises(TypeError, match="wire_to_json takes bytes, not str"):
        ItemAdapter(Line).wire_to_json("{}")  # type: ignore[arg-type]


# ---- what only the model can say ----


class Masked(BaseModel):
    card: str

    @field_serializer("card")
    def mask(self, card: str) -> str:
        return "*" * len(card)


class Named(BaseModel):
    first: str
    last: str

    @computed_field
    def name(self) -> str:
        return f"{self.first} {self.last}"


class Reduced(BaseModel):
    value: int

    @model_serializer
    def reduce(self) -> int:
        return self.value


class Counted(BaseModel):
    value: int
    _reads: int = PrivateAttr(default=0)

    def model_post_init(self, context: Any) -> None:
        self.value += 1


class Doubled(BaseModel):
    value: int

    @model_validator(mode="after")
    def double(self) -> "Doubled":
        self.value *= 2
        return self


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    value: int


@pytest.mark.parametrize(
    ("model", "attributes", "shown"),
    [
        (Masked, {"card": {"S": "4711"}}, {"card": "****"}),
        (Named, {"first": {"S": "A"}, "last": {"S": "B"}}, {"first": "A", "last": "B", "name": "A B"}),
        (Reduced, {"value": {"N": "1"}}, 1),
        (Counted, {"value": {"N": "1"}}, {"value": 2}),
        (Doubled, {"value": {"N": "1"}}, {"value": 2}),
        (Open, {"value": {"N": "1"}, "more": {"S": "x"}}, {"value": 1, "more": "x"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_only_the_model_can_say_is_said_by_it_alone_and_in_other_models(model, attributes, shown):
    outer = create_model("Outer", one=(model, ...), many=(list[model], []), name=(str, "x"))
    item = {"M": attributes}

    assert check(model, attributes) == shown
    assert check(outer, {"one": item, "many": {"L": [item, item]}}) == {"one": shown, "many": [shown] * 2, "name": "x"}
    assert not is_direct(model, attributes)


@pytest.mark.skipif("exclude_if" not in inspect.signature(Field).parameters, reason="Pydantic 2.12")
def test_a_field_that_is_shown_only_sometimes_is_the_models_to_print():
    class Hidden(BaseModel):
        value: int = Field(exclude_if=lambda value: value == 1)
        other: int = 2

    assert check(Hidden, {"value": {"N": "1"}}) == {"other": 2}
    assert check(Hidden, {"value": {"N": "3"}}) == {"value": 3, "other": 2}


def test_validators_and_serializers_of_a_fields_type_leave_the_others_direct():
    shouted = Annotated[
        str, AfterValidator(str.upper), PlainSerializer(lambda text: f"{text}!"), Attribute(serializer=False)
    ]

    class Shouting(BaseModel):
        id: str
        word: shouted

    attributes = {"id": {"S": "a"}, "word": {"S": "x"}}
    assert check(Shouting, attributes) == {"id": "a", "word": "X!"}
    assert is_direct(Shouting, attributes)


def test_a_model_of_many_values_that_pydantic_makes_is_printed_as_a_whole():
    wide = create_model("Wide", **{f"any{n}": (Any, ...) for n in range(8)})

    assert not is_direct(wide, {f"any{n}": {"S": "x"} for n in range(8)})


def test_defaults_that_are_made_anew_are_made_for_each_item():
    class Stamped(BaseModel):
        id: UUID = Field(default_factory=uuid4)

    adapter = ItemAdapter(Stamped)
    assert adapter.wire_to_json(b"{}") != adapter.wire_to_json(b"{}")


def test_a_default_of_another_type_warns_as_the_model_does():
    model = create_model("Odd", count=(int, "none"))
    adapter = ItemAdapter(model)

    with pytest.warns(UserWarning, match="Expected `int`"):
        assert adapter.wire_to_json(b"{}") == b'{"count":"none"}'


def test_an_interrupt_within_a_validator_passes():
    def interrupt(value: str) -> str:
        raise KeyboardInterrupt

    adapter = ItemAdapter(create_model("Stopped", word=(Annotated[str, AfterValidator(interrupt)], ...)))
    with pytest.raises(KeyboardInterrupt):
        adapter.wire_to_json(wire_of({"word": {"S": "x"}}))


def test_an_exception_of_a_validator_says_where_it_came_from():
    def fail(value: str) -> str:
        raise RuntimeError("no")

    adapter = ItemAdapter(create_model("Failed", word=(Annotated[str, AfterValidator(fail)], ...)))
    with pytest.raises(RuntimeError) as caught:
        adapter.wire_to_json(wire_of({"word": {"S": "x"}}))
    assert caught.value.__notes__ == ["oxidyn: at Failed.word"]  # type: ignore[attr-defined, unused-ignore]


def test_sets_come_in_the_order_in_which_the_models_set_iterates():
    model = create_model("Tagged", tags=(set[str], ...), numbers=(frozenset[int], ...))
    attributes = {"tags": {"SS": [f"t{n}" for n in range(50)]}, "numbers": {"NS": [str(n * 7919) for n in range(50)]}}

    check(model, attributes)
    assert is_direct(model, attributes)


def test_dataclasses_root_models_and_typed_dicts_are_printed_as_pydantic_prints_them():
    class Ids(RootModel[list[int]]):
        pass

    class Note(TypedDict):
        text: str

    @dataclasses.dataclass
    class Entry:
        ids: Ids
        note: Note
        line: Line
        pair: tuple[int, str] = (1, "x")
        more: tuple[int, ...] = ()

    line = {"M": {"sku": {"S": "s"}}}
    attributes = {"line": line, "note": {"M": {"text": {"S": "t"}}}, "ids": {"L": [{"N": "1"}]}}
    shown = {"ids": [1], "note": {"text": "t"}, "line": {"sku": "s", "count": 1}, "pair": [1, "x"], "more": []}
    assert check(Entry, attributes) == shown
    assert is_direct(Entry, attributes)


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


def test_choices_are_printed_by_their_values():
    many = enum.Enum("many", {f"m{n}": f"v{n}" for n in range(40)})  # type: ignore[misc]
    model = create_model(
        "Choices",
        size=(Size, ...),
        word=(Literal["a", 7, True, None, b"x", Colour.BLUE], ...),  # noqa: PYI061 (`| None` is a nullable schema)
        many=(many, ...),
    )
    for stored_word, shown in [({"S": "a"}, "a"), ({"N": "7"}, 7), ({"B": "eA=="}, "x"), ({"S": "blue"}, "blue"),
                               ({"BOOL": True}, True), ({"NULL": True}, None)]:  # fmt: skip
        attributes = {"size": {"N": "2"}, "word": stored_word, "many": {"S": "v39"}}
        assert check(model, attributes) == {"size": 2, "word": shown, "many": "v39"}
        assert is_direct(model, attributes)
