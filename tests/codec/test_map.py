import enum
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic import Field as Constrained

from oxidyn import InvalidItem, SchemaError
from tests.codec.judges import Field

NUMBERS = Field(dict[str, int])
NESTED = Field(dict[str, dict[str, int]])


class Colour(enum.Enum):
    RED = "red"


class Size(enum.IntEnum):
    SMALL = 1


def test_dict_is_stored_as_m():
    assert NUMBERS.store({"b": 1, "a": 2}) == {"M": {"b": {"N": "1"}, "a": {"N": "2"}}}
    assert NUMBERS.store({}) == {"M": {}}


names = st.text(min_size=1, max_size=8)


@given(st.dictionaries(names, st.dictionaries(names, st.integers(-100, 100), max_size=3), max_size=3))
def test_any_dict_comes_back(value):
    NESTED.check_round_trip(value)
    NESTED.check_against_boto3(value, value)


@pytest.mark.parametrize(
    ("annotation", "key", "text"),
    [
        (int, 5, "5"),
        (UUID, UUID(int=1), str(UUID(int=1))),
        (date, date(2026, 1, 31), "2026-01-31"),
        (Colour, Colour.RED, "red"),
        (Size, Size.SMALL, "1"),
        (Literal["a"], "a", "a"),
        (Literal[1], 1, "1"),
        (bool, True, "true"),
        (float, 0.5, "0.5"),
        (Decimal, Decimal("0.50"), "0.50"),
    ],
)
def test_keys_are_text_as_pydantics_json_mode_writes_them_and_come_back_typed(annotation, key, text):
    field = Field(dict[annotation, int])

    assert field.store({key: 1}) == {"M": {text: {"N": "1"}}}
    field.check_round_trip({key: 1})
    [loaded] = field.load({"M": {text: {"N": "1"}}})
    assert type(loaded) is type(key)


def test_a_datetime_key_comes_back():
    field = Field(dict[datetime, int])

    field.check_round_trip({datetime(2026, 1, 31, tzinfo=timezone.utc): 1})


def test_a_wrong_value_is_refused_with_its_path():
    assert NESTED.refusal({"M": {"a": {"M": {"b": {"S": "x"}}}}})["loc"] == ("value", "a", "b")
    assert NESTED.refusal_to_store({"a": {"b": "x"}})["loc"] == ("value", "a", "b")


def test_a_key_that_cannot_be_read_is_refused_with_its_path():
    error = Field(dict[int, int]).refusal({"M": {"x": {"N": "1"}}})

    assert error["loc"][:2] == ("value", "x")


@pytest.mark.parametrize("key", [date, Decimal, float, bool, datetime, UUID, int, Colour])
def test_a_key_of_another_type_in_an_instance_is_refused_without_showing_it(key):
    field = Field(dict[key, int])

    with pytest.raises(InvalidItem) as caught:
        field.adapter.dump_wire(field.model.model_construct(value={"hunter2": 1}))

    [error] = caught.value.errors()
    assert "found str" in error["msg"]
    assert "hunter2" not in error["msg"]


def test_an_empty_key_at_any_depth_is_an_error_with_the_path_before_sending():
    assert NUMBERS.refusal_to_store({"": 1})["loc"][0] == "value"
    assert NESTED.refusal_to_store({"a": {"": 1}})["loc"][:2] == ("value", "a")


def test_none_as_a_key_is_an_error_with_the_path():
    assert NUMBERS.refusal_to_store({None: 1})["loc"][0] == "value"


def test_two_keys_with_one_text_are_an_error_with_the_path():
    class Key(str):
        __slots__ = ()

        def __eq__(self, other):
            return self is other

        __hash__ = object.__hash__

    assert NUMBERS.refusal_to_store({Key("a"): 1, Key("a"): 2})["loc"][0] == "value"


@pytest.mark.parametrize("key", [tuple[int, int], Literal[1, "1"], str | None])
def test_a_key_type_whose_text_cannot_be_read_back_is_refused_when_compiled(key):
    with pytest.raises(SchemaError, match=r"Holder\.value"):
        Field(dict[key, int])


def test_a_model_as_key_is_refused_when_compiled():
    class Point(BaseModel, frozen=True):
        x: int

    with pytest.raises(SchemaError, match=r"Holder\.value"):
        Field(dict[Point, int])


@pytest.mark.parametrize("length", range(5))
def test_constraints_hold_for_stored_dicts_as_for_pydantic(length):
    content = {f"k{number}": number for number in range(length)}
    attribute = {"M": {name: {"N": str(number)} for name, number in content.items()}}
    for constraint in (Constrained(min_length=2), Constrained(max_length=3)):
        Field(Annotated[dict[str, int], constraint]).check_against_pydantic(attribute, content)


def test_constraints_of_keys_hold():
    field = Field(dict[Annotated[str, Constrained(max_length=1)], int])

    assert field.refusal({"M": {"ab": {"N": "1"}}})["loc"][:2] == ("value", "ab")


@pytest.mark.parametrize("attribute", [{"S": "x"}, {"NULL": True}, {"L": []}])
def test_another_type_on_the_wire_is_refused_with_its_path(attribute):
    assert NUMBERS.refusal(attribute)["loc"] == ("value",)


@pytest.mark.parametrize("value", [[], None, 5])
def test_another_type_in_an_instance_is_refused_with_its_path(value):
    assert NUMBERS.refusal_to_store(value)["loc"] == ("value",)


def test_a_dict_that_holds_itself_is_an_error_and_not_a_crash():
    value = {}
    value["k"] = value

    assert NESTED.refusal_to_store(value)["loc"][:2] == ("value", "k")


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        (int, st.integers(-(10**30), 10**30)),
        (float, st.floats(allow_nan=False, allow_infinity=False)),
        (Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
        (bool, st.booleans()),
        (UUID, st.uuids()),
        (date, st.dates()),
        (datetime, st.datetimes(timezones=st.none() | st.just(timezone.utc))),
        (time, st.times()),
        (timedelta, st.timedeltas(timedelta(days=-1000), timedelta(days=1000))),
        (bytes, st.binary(min_size=1, max_size=4)),
    ],
)
@given(data=st.data())
def test_any_key_comes_back_or_is_refused_before_it_is_stored(key, keys, data):
    field = Field(dict[key, int])
    instance = field.model(value={data.draw(keys): 1})

    try:
        wire = field.adapter.dump_wire(instance)
    except InvalidItem:
        assert key is bytes  # Pydantic writes bytes as UTF-8 text, which not all bytes are.
    else:
        assert field.adapter.load_wire(wire) == instance
