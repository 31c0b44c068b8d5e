"""Serializers of the user's: when they decide what is stored, and when they are for an API."""

import base64
from typing import Annotated, Any

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WrapSerializer,
    WrapValidator,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic.dataclasses import dataclass
from pydantic_core import core_schema

from oxidyn import Attribute, InvalidItem, ItemAdapter, SchemaError
from tests.codec.judges import Field, check_round_trip


def encode(value: bytes) -> str:
    return base64.b16encode(value).decode()


def decode(value: Any) -> Any:
    return base64.b16decode(value) if isinstance(value, str) else value


HexBytes = Annotated[bytes, PlainSerializer(encode), BeforeValidator(decode)]
CheckedHexBytes = Annotated[bytes, PlainSerializer(encode), AfterValidator(lambda code: code)]


def mask(_: object) -> str:
    return "***"


# When it counts


def test_a_serializer_that_a_before_validator_can_undo_decides_what_is_stored():
    field = Field(Annotated[bytes, PlainSerializer(encode), BeforeValidator(decode)])

    assert field.store(b"\x0a") == {"S": "0A"}
    field.check_round_trip(b"\x0a")


@pytest.mark.parametrize("load", ["validate", "trust"])
def test_a_validator_that_undoes_a_serializer_runs_on_every_load(load):
    field = Field(Annotated[bytes, PlainSerializer(encode), BeforeValidator(decode)], load=load)

    assert field.load({"S": "0A"}) == b"\x0a"


def test_a_serializer_beside_a_plain_validator_decides_what_is_stored():
    class Point:
        def __init__(self, x: int) -> None:
            self.x = x

    field = Field(
        Annotated[
            Any,
            PlainValidator(lambda value: value if isinstance(value, Point) else Point(value["x"])),
            PlainSerializer(lambda point: {"x": point.x}),
        ]
    )

    assert field.store(Point(3)) == {"M": {"x": {"N": "3"}}}
    assert field.load({"M": {"x": {"N": "3"}}}).x == 3


def test_a_serializer_that_nothing_can_undo_is_for_an_api_and_the_value_itself_is_stored():
    field = Field(Annotated[str, PlainSerializer(mask)])

    assert field.store("4111") == {"S": "4111"}
    field.check_round_trip("4111")


def test_a_serializer_for_json_never_counts():
    field = Field(Annotated[bytes, PlainSerializer(encode, when_used="json"), BeforeValidator(decode)])

    assert field.store(b"a") == {"B": "YQ=="}


def test_a_serializer_beside_an_after_validator_must_say_what_it_is():
    with pytest.raises(SchemaError, match=r"Holder\.value: .*Attribute\(serializer=True\).*serializer=False"):
        Field(CheckedHexBytes)
    assert Field(Annotated[CheckedHexBytes, Attribute(serializer=False)]).store(b"\x0a") == {"B": "Cg=="}
    decoding = Annotated[Any, AfterValidator(decode), PlainSerializer(encode), Attribute(serializer=True)]
    assert Field(decoding).store(b"\x0a") == {"S": "0A"}
    assert Field(decoding).load({"S": "0A"}) == b"\x0a"


def test_attribute_says_it_everywhere():
    assert Field(Annotated[HexBytes, Attribute(serializer=False)]).store(b"\x0a") == {"B": "Cg=="}
    assert Field(Annotated[int, PlainSerializer(str), Attribute(serializer=True)]).store(5) == {"S": "5"}
    assert Field(Annotated[int, PlainSerializer(str), Attribute(serializer=True)]).load({"S": "5"}) == 5
    inside = Field(list[Annotated[int, PlainSerializer(str), Attribute(serializer=True)]])
    assert inside.store([5]) == {"L": [{"S": "5"}]}
    assert inside.load({"L": [{"S": "5"}]}) == [5]


def test_a_wrap_serializer_counts_as_a_plain_one_does():
    def doubled(value: int, handler: Any) -> int:
        return handler(value) * 2

    field = Field(Annotated[int, WrapSerializer(doubled), BeforeValidator(lambda value: value)])

    assert field.store(4) == {"N": "8"}


# On fields and models


def test_a_field_serializer_of_a_model_gets_the_instance():
    class Salted(BaseModel):
        salt: str
        code: str

        @field_serializer("code")
        def write(self, code: str) -> str:
            return self.salt + code

        @field_validator("code", mode="before")
        @classmethod
        def read(cls, code: str, info: Any) -> str:
            return code.removeprefix(info.data["salt"])

    item = Salted(salt="x", code="1")

    assert ItemAdapter(Salted).dump_item(item) == {"salt": {"S": "x"}, "code": {"S": "x1"}}
    check_round_trip(ItemAdapter(Salted), item)


def test_a_field_serializer_counts_in_a_field_that_the_api_does_not_show():
    from pydantic import Field as Declared

    class Hidden(BaseModel):
        code: bytes = Declared(exclude=True, alias="c")

        @field_serializer("code")
        def write(self, code: bytes) -> str:
            return encode(code)

        @field_validator("code", mode="before")
        @classmethod
        def read(cls, code: Any) -> Any:
            return decode(code)

    item = Hidden(c=b"\x0a")

    assert ItemAdapter(Hidden).dump_item(item) == {"code": {"S": "0A"}}
    assert ItemAdapter(Hidden).load_item({"code": {"S": "0A"}}) == item


def test_a_field_serializer_of_a_dataclass_counts_too():
    @dataclass
    class Record:
        other: int
        code: bytes

        @field_serializer("code")
        def write(self, code: bytes) -> str:
            return encode(code)

        @field_validator("code", mode="before")
        @classmethod
        def read(cls, code: Any) -> Any:
            return decode(code)

    assert ItemAdapter(Record).dump_item(Record(1, b"\x0a"))["code"] == {"S": "0A"}
    check_round_trip(ItemAdapter(Record), Record(1, b"\x0a"))


def test_a_serializer_of_a_model_counts_where_a_validator_can_undo_it():
    class Packed(BaseModel):
        id: str
        x: int
        y: int

        @model_serializer
        def write(self) -> dict[str, Any]:
            return {"id": self.id, "point": [self.x, self.y]}

        @model_validator(mode="before")
        @classmethod
        def read(cls, data: Any) -> Any:
            if "point" in data:
                return {"id": data["id"], "x": data["point"][0], "y": data["point"][1]}
            return data

    item = Packed(id="a", x=1, y=2)
    stored = {"id": {"S": "a"}, "point": {"L": [{"N": "1"}, {"N": "2"}]}}

    assert ItemAdapter(Packed, partition="id").dump_item(item) == stored
    check_round_trip(ItemAdapter(Packed, partition="id"), item)
    Field(list[Packed]).check_round_trip([item])


def test_a_serializer_of_a_model_that_nothing_can_undo_is_for_an_api():
    class Masked(BaseModel):
        card: str

        @model_serializer
        def show(self) -> dict[str, str]:
            return {"card": "***"}

        @model_validator(mode="after")
        def check(self) -> Any:
            return self

    check_round_trip(ItemAdapter(Masked), Masked(card="4111"))
    assert ItemAdapter(Masked).dump_item(Masked(card="4111")) == {"card": {"S": "4111"}}


@pytest.mark.parametrize("change", [{"id": "A"}, {}])
def test_a_serializer_of_a_model_must_leave_the_keys_as_the_fields_give_them(change):
    class Packed(BaseModel):
        id: str

        @model_serializer
        def write(self) -> dict[str, Any]:
            return change

        @model_validator(mode="before")
        @classmethod
        def read(cls, data: Any) -> Any:
            return data

    with pytest.raises(InvalidItem) as caught:
        ItemAdapter(Packed, partition="id").dump_wire(Packed(id="a"))
    assert caught.value.errors()[0]["loc"] == ("id",)


# Keys, sets and errors


def test_a_key_is_what_the_serializer_gives_where_its_type_says_so():
    class User(BaseModel):
        code: Annotated[bytes, PlainSerializer(encode, return_type=str), BeforeValidator(decode)]

    class Lenient(BaseModel):
        code: Annotated[
            bytes, PlainSerializer(encode, return_type=str), BeforeValidator(lambda code: decode(code.upper()))
        ]

    adapter = ItemAdapter(User, partition="code")

    assert adapter.dump_item(User(code=b"\x0a")) == {"code": {"S": "0A"}}
    with pytest.raises(InvalidItem, match="another item"):
        # The same code, but not as it is written.
        ItemAdapter(Lenient, partition="code").load_item({"code": {"S": "0a"}})


def test_a_key_that_is_read_below_a_validator_of_its_model_is_looked_at_when_it_is_finished():
    class User(BaseModel):
        code: Annotated[
            bytes, PlainSerializer(encode, return_type=str), BeforeValidator(lambda code: decode(upper(code)))
        ]

        @model_validator(mode="before")
        @classmethod
        def check(cls, data: Any) -> Any:
            return data

    class Looking(BaseModel):
        age: int = 0
        code: Annotated[
            bytes, PlainSerializer(encode, return_type=str), BeforeValidator(lambda code: decode(upper(code)))
        ]

        @field_validator("code")
        @classmethod
        def look(cls, code: bytes, info: ValidationInfo) -> bytes:
            assert "age" in info.data
            return code

    def upper(code: Any) -> Any:
        return code.upper() if isinstance(code, str) else code

    for model, load in ((User, "validate"), (User, "trust"), (Looking, "validate")):
        adapter = ItemAdapter(model, partition="code", load=load)

        check_round_trip(adapter, model(code=b"\x0a"))
        with pytest.raises(InvalidItem, match="another item"):
            adapter.load_item({"code": {"S": "0a"}})


def test_a_key_whose_serializer_needs_the_instance_is_refused():
    class User(BaseModel):
        code: bytes

        @field_serializer("code")
        def write(self, code: bytes) -> str:
            return encode(code)

        @field_validator("code", mode="before")
        @classmethod
        def read(cls, code: Any) -> Any:
            return decode(code)

    with pytest.raises(SchemaError, match=r"User\.code: .*PlainSerializer"):
        ItemAdapter(User, partition="code")


def test_a_key_without_a_return_type_is_refused():
    class User(BaseModel):
        code: Annotated[bytes, PlainSerializer(lambda code: code.hex()), BeforeValidator(lambda code: code)]

    with pytest.raises(SchemaError, match=r"User\.code: a key is stored as text"):
        ItemAdapter(User, partition="code")


def test_a_result_that_is_not_of_the_return_type_is_refused_with_its_path():
    field = Field(Annotated[bytes, PlainSerializer(lambda _: 5, return_type=str), BeforeValidator(decode)])

    with pytest.warns(UserWarning, match="serializer"):
        assert field.refusal_to_store(b"a")["loc"] == ("value",)


def test_a_result_that_cannot_be_stored_is_refused_with_its_path():
    field = Field(Annotated[bytes, PlainSerializer(lambda _: object()), BeforeValidator(decode)])

    assert field.refusal_to_store(b"a")["loc"] == ("value",)


def test_a_serializer_that_raises_is_a_refusal_with_its_path():
    def fail(_: object) -> str:
        raise ValueError("no")

    field = Field(Annotated[bytes, PlainSerializer(fail), BeforeValidator(decode)])

    assert field.refusal_to_store(b"a")["loc"] == ("value",)


# Types that only a function makes


class Money:
    def __init__(self, text: str) -> None:
        self.cents = round(float(text) * 100)

    def __str__(self) -> str:
        return f"{self.cents / 100:.2f}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and other.cents == self.cents

    def __hash__(self) -> int:
        return hash(self.cents)


@pytest.mark.parametrize("load", ["validate", "trust"])
@pytest.mark.parametrize(
    "annotation",
    [
        Annotated[
            Money,
            PlainValidator(lambda value: value if isinstance(value, Money) else Money(value)),
            PlainSerializer(str),
        ],
        Annotated[
            Money,
            BeforeValidator(lambda value: value if isinstance(value, Money) else Money(value)),
            PlainSerializer(str),
        ],
        Annotated[
            Money,
            WrapValidator(lambda value, handler: handler(value if isinstance(value, Money) else Money(value))),
            PlainSerializer(str, when_used="json"),
        ],
    ],
    ids=["plain", "before", "wrap, serialized for JSON only"],
)
def test_a_class_that_cannot_be_stored_is_stored_as_its_serializer_says(annotation, load):
    field = Field(annotation, config=ConfigDict(arbitrary_types_allowed=True), load=load)

    assert field.store(Money("1.5")) == {"S": "1.50"}
    field.check_round_trip(Money("1.5"))


@pytest.mark.parametrize("load", ["validate", "trust"])
def test_a_class_that_makes_the_value_of_another_type_is_the_type(load):
    class Code(str):
        __slots__ = ()

    class Tagged:
        def __init__(self, text: str) -> None:
            self.text = text

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Tagged) and other.text == self.text

        __hash__ = None

        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
            return core_schema.no_info_after_validator_function(
                cls,
                core_schema.str_schema(),
                serialization=core_schema.plain_serializer_function_ser_schema(lambda tagged: tagged.text),
            )

    code = Field(Annotated[str, AfterValidator(Code)], load=load)
    assert type(code.load(code.store("a"))) is Code
    tagged = Field(Tagged, load=load)
    assert tagged.store("a") == {"S": "a"}
    assert tagged.load({"S": "a"}) == Tagged("a")
