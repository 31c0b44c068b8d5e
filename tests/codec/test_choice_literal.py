import enum
from typing import Literal

import pytest

from oxidyn import SchemaError
from tests.codec.judges import Field

KIND = Field(Literal["a", "b"])


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("annotation", "value", "attribute"),
    [
        (Literal["a", "b"], "a", {"S": "a"}),
        (Literal[1, 2], 2, {"N": "2"}),
        (Literal[True], True, {"BOOL": True}),
        (Literal[b"x"], b"x", {"B": "eA=="}),
        (Literal["a", 1], 1, {"N": "1"}),
        (Literal[Colour.RED], Colour.RED, {"S": "red"}),
    ],
)
def test_literal_is_stored_by_value(annotation, value, attribute):
    field = Field(annotation)

    assert field.store(value) == attribute
    field.check_round_trip(value)


def test_a_literal_that_may_be_none_is_null():
    field = Field(Literal["a", None])  # noqa: PYI061 (this spelling is a literal schema, `| None` is a nullable one)

    assert field.store(None) == {"NULL": True}
    assert field.load({"NULL": True}) is None


@pytest.mark.parametrize("attribute", [{"S": "c"}, {"N": "1"}, {"NULL": True}, {"L": []}])
def test_another_value_on_the_wire_is_refused_with_its_path(attribute):
    assert KIND.refusal(attribute)["loc"] == ("value",)


def test_a_refused_value_has_pydantics_own_error():
    error = KIND.refusal({"S": "c"})

    assert error["type"] == "literal_error"
    assert "'a' or 'b'" in error["msg"]


@pytest.mark.parametrize("value", ["c", None, 1])
def test_another_value_in_an_instance_is_refused_with_its_path(value):
    assert KIND.refusal_to_store(value)["loc"] == ("value",)


def test_one_and_true_and_the_text_one_are_three_values():
    field = Field(Literal[1, "1"])

    for value in (1, "1"):
        loaded = field.load(field.store(value))
        assert loaded == value
        assert type(loaded) is type(value)
    Field(Literal[1]).check_against_pydantic({"BOOL": True}, True)
    Field(Literal[True]).check_against_pydantic({"N": "1"}, 1)


def test_values_that_cannot_be_told_apart_on_the_wire_are_refused_when_compiled():
    class Number(enum.IntEnum):
        ONE = 1

    with pytest.raises(SchemaError, match=r"Holder\.value"):
        Field(Literal[1, Number.ONE])
