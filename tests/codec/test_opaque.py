"""Types that only Python can make: stored by their text or serializer, read back by their own validator."""

import ipaddress
import math
import os
import pathlib
import re
from fractions import Fraction
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pytest
from annotated_types import Gt, MaxLen, Predicate
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    Base64Bytes,
    Base64Str,
    Base64UrlStr,
    BaseModel,
    ByteSize,
    ConfigDict,
    DirectoryPath,
    EmailStr,
    EncodedStr,
    EncoderProtocol,
    FilePath,
    GetCoreSchemaHandler,
    HttpUrl,
    ImportString,
    IPvAnyAddress,
    IPvAnyInterface,
    IPvAnyNetwork,
    NameEmail,
    NewPath,
    Strict,
    TypeAdapter,
)
from pydantic_core import CoreSchema, core_schema

from oxidyn import InvalidItem, ItemAdapter, UnsupportedTypeError
from tests.codec.judges import Field

TEXTS = [
    (ipaddress.IPv4Address, ipaddress.IPv4Address("192.0.2.1")),
    (ipaddress.IPv6Address, ipaddress.IPv6Address("2001:db8::1")),
    (ipaddress.IPv4Interface, ipaddress.IPv4Interface("192.0.2.1/24")),
    (ipaddress.IPv6Interface, ipaddress.IPv6Interface("2001:db8::1/64")),
    (ipaddress.IPv4Network, ipaddress.IPv4Network("192.0.2.0/24")),
    (ipaddress.IPv6Network, ipaddress.IPv6Network("2001:db8::/32")),
    (IPvAnyAddress, ipaddress.IPv6Address("::1")),
    (IPvAnyInterface, ipaddress.IPv4Interface("192.0.2.1/24")),
    (IPvAnyNetwork, ipaddress.IPv4Network("192.0.2.0/24")),
    (pathlib.Path, pathlib.Path("/a/ü b")),
    (pathlib.PurePath, pathlib.PurePath("a")),
    (pathlib.PurePosixPath, pathlib.PurePosixPath("/a")),
    (pathlib.PureWindowsPath, pathlib.PureWindowsPath("c:\\a\\b")),
    (os.PathLike, pathlib.PurePath("/a")),
    (os.PathLike[bytes], pathlib.PurePath("/a")),
    (DirectoryPath, pathlib.Path("/")),
    (NewPath, pathlib.Path("/no-such-file")),
    (re.Pattern, re.compile("(?i)a+")),
    (re.Pattern[str], re.compile("a|b")),
    (ZoneInfo, ZoneInfo("Europe/Berlin")),
    (Fraction, Fraction(-1, 3)),
]


@pytest.mark.parametrize(("annotation", "value"), TEXTS, ids=repr)
def test_it_is_stored_as_pydantics_json_mode_writes_it(annotation, value):
    field = Field(annotation)

    text = TypeAdapter(annotation).dump_python(value, mode="json")
    assert field.store_instance(field.model.model_construct(value=value)) == {"S": text}


@pytest.mark.parametrize(("annotation", "value"), [each for each in TEXTS if each[0] is not os.PathLike[bytes]])
def test_it_comes_back_equal_and_of_the_same_type(annotation, value):
    Field(annotation).check_round_trip(value)


@pytest.mark.parametrize(("annotation", "value"), [each for each in TEXTS if not hasattr(each[0], "__metadata__")])
def test_strict_fields_and_models_take_back_what_they_stored(annotation, value):
    if annotation is not os.PathLike[bytes]:
        Field(annotation, config=ConfigDict(strict=True)).check_round_trip(value)
    if annotation in (ipaddress.IPv4Address, pathlib.Path, Fraction):
        Field(Annotated[annotation, Strict()]).check_round_trip(value)


@pytest.mark.parametrize(("annotation", "value"), TEXTS[:5])
def test_a_set_of_such_texts_is_one_on_the_wire(annotation, value):
    field = Field(set[annotation])

    field.check_round_trip({value})
    assert field.store({value}) == {"SS": [str(value)]}


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        (ipaddress.IPv4Address, ipaddress.IPv4Address("192.0.2.1"), "192.0.2.1"),
        (pathlib.PurePosixPath, pathlib.PurePosixPath("/a"), "/a"),
        (HttpUrl, HttpUrl("https://example.com"), "https://example.com/"),
        (Fraction, Fraction(1, 3), "1/3"),
        (ByteSize, ByteSize(5), "5"),
        (re.Pattern[str], re.compile("a"), "a"),
    ],
)
def test_it_may_be_the_key_of_a_dict(key, value, text):
    field = Field(dict[key, int])

    assert field.store({value: 1}) == {"M": {text: {"N": "1"}}}
    field.check_round_trip({value: 1})
    assert field.model.model_validate({"value": {value: 1}}) == field.model(value=field.load({"M": {text: {"N": "1"}}}))


def test_text_that_the_type_refuses_is_refused_with_its_path():
    for annotation in (ipaddress.IPv4Address, re.Pattern[str], ZoneInfo, Fraction):
        assert Field(annotation).refusal({"S": "("})["loc"] == ("value",)


def test_another_wire_type_is_left_to_pydantic():
    address = Field(ipaddress.IPv4Address)

    assert address.load({"N": "1"}) == ipaddress.IPv4Address(1)
    assert Field(pathlib.Path).refusal({"N": "1"})["loc"] == ("value",)


def test_another_type_in_an_instance_is_refused_with_its_path():
    for annotation in (ipaddress.IPv4Address, pathlib.Path, re.Pattern, ZoneInfo, Fraction, complex, ByteSize):
        assert Field(annotation).refusal_to_store([])["loc"] == ("value",)
        assert Field(annotation).refusal_to_store(None)["loc"] == ("value",)


def test_an_unvalidated_default_may_be_the_text_of_the_value():
    class Host(BaseModel):
        address: ipaddress.IPv4Address = "192.0.2.1"  # type: ignore[assignment]
        path: pathlib.Path = "a"  # type: ignore[assignment]

    adapter = ItemAdapter(Host)

    assert adapter.dump_item(Host()) == {"address": {"S": "192.0.2.1"}, "path": {"S": "a"}}
    with pytest.raises(InvalidItem):
        adapter.dump_item(Host.model_construct(address="no address"))


def test_a_file_that_is_gone_is_refused_as_pydantic_refuses_it(tmp_path):
    field = Field(FilePath)
    file = tmp_path / "file"
    file.touch()
    stored = field.store(file)

    assert field.load(stored) == file
    file.unlink()
    assert field.refusal(stored)["type"] == "path_not_file"


def test_a_file_that_is_gone_is_read_where_stored_values_are_trusted(tmp_path):
    field = Field(FilePath, load="trust")

    assert field.load({"S": str(tmp_path / "gone")}) == tmp_path / "gone"


# ---- patterns, imports ----


def test_a_pattern_of_bytes_is_stored_as_b():
    for annotation in (re.Pattern, re.Pattern[bytes]):
        field = Field(annotation)
        field.check_round_trip(re.compile(b"a"))
        assert field.store(re.compile(b"a")) == {"B": "YQ=="}


def test_a_pattern_with_flags_that_its_text_does_not_hold_is_refused():
    error = Field(re.Pattern).refusal_to_store(re.compile("a", re.IGNORECASE))

    assert error["loc"] == ("value",)
    Field(re.Pattern).check_round_trip(re.compile("(?i)a"))


@pytest.mark.parametrize("value", ["math", "math.cos", "collections.abc.Mapping"])
def test_what_is_imported_is_stored_by_its_name(value):
    field = Field(ImportString)

    assert field.store(value) == {"S": value}
    assert field.load({"S": value}) is field.model(value=value).value


def test_an_imported_number_is_stored_as_itself():
    assert Field(ImportString).store("math.pi") == {"N": str(math.pi)}
    assert Field(ImportString).load({"N": str(math.pi)}) == math.pi


def test_an_object_that_its_name_does_not_import_is_refused():
    assert Field(ImportString).refusal_to_store(lambda: None)["loc"] == ("value",)
    assert Field(ImportString).refusal_to_store("no.such.module")["loc"] == ("value",)


def test_the_type_of_an_import_holds():
    field = Field(ImportString[int])

    assert field.refusal({"S": "math.cos"})["loc"] == ("value",)


# ---- numbers, encodings ----


@given(st.fractions())
def test_any_fraction_comes_back(value):
    Field(Fraction).check_round_trip(value)


@given(st.complex_numbers(allow_nan=False))
def test_any_complex_number_comes_back_bit_for_bit(value):
    field = Field(complex)

    loaded = field.load(field.store(value))
    assert repr(loaded) == repr(value)


def test_a_complex_number_that_is_none_is_stored_and_read():
    field = Field(complex)

    assert field.store(complex("nan+infj")) == {"S": "nan+infj"}
    assert field.store(complex(1e300, -0.0)) == {"S": "1e+300-0j"}
    assert repr(field.load({"S": "nan+infj"})) == "(nan+infj)"
    assert field.load({"N": "1.5"}) == 1.5
    assert field.refusal({"S": "i"})["loc"] == ("value",)


def test_a_byte_size_is_a_number_and_comes_back_as_one():
    field = Field(ByteSize)

    field.check_round_trip(ByteSize(1536))
    assert field.store("1.5KiB") == {"N": "1536"}
    assert field.load({"S": "1KB"}) == 1000
    assert field.refusal({"N": "-1"})["loc"] == ("value",)


class Rot13(EncoderProtocol):
    @classmethod
    def decode(cls, data: bytes) -> bytes:
        return bytes(cls.turn(byte) for byte in data)

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return cls.decode(value)

    @staticmethod
    def turn(byte: int) -> int:
        return (byte - 97 + 13) % 26 + 97 if 97 <= byte <= 122 else byte


@pytest.mark.parametrize(
    ("annotation", "given", "stored"),
    [
        (Base64Bytes, b"AP8=", {"B": "QVA4PQ=="}),
        (Base64Str, "YWJj", {"S": "YWJj"}),
        (Base64UrlStr, "YT8_", {"S": "YT8_"}),
        (Annotated[str, EncodedStr(encoder=Rot13)], "uryyb", {"S": "uryyb"}),
    ],
)
def test_the_encoded_form_is_stored_and_decoded_once(annotation, given, stored):
    field = Field(annotation)
    value = field.model(value=given).value

    assert field.store(given) == stored
    assert field.load(stored) == value
    assert field.load(field.store(given)) == value


# ---- constraints, e-mail addresses ----


@pytest.mark.parametrize(
    ("annotation", "value", "refused"),
    [
        (Annotated[Fraction, Gt(0)], Fraction(1, 3), {"S": "-1/3"}),
        (Annotated[pathlib.PurePosixPath, Predicate(pathlib.PurePosixPath.is_absolute)], "/a", {"S": "a"}),
        (Annotated[ByteSize, Gt(5)], ByteSize(6), {"N": "5"}),
        (Annotated[Base64Str, MaxLen(3)], "YWJj", {"S": "YWJjZA=="}),
    ],
)
def test_constraints_hold_for_what_is_stored(annotation, value, refused):
    field = Field(annotation)

    field.check_round_trip(value)
    assert field.refusal(refused)["loc"] == ("value",)


def test_email_addresses_are_text_and_are_validated_when_they_are_read():
    pytest.importorskip("email_validator")
    address, named = Field(EmailStr), Field(NameEmail)

    address.check_round_trip("ada@example.com")
    assert address.store("ada@EXAMPLE.com") == {"S": "ada@example.com"}
    assert address.refusal({"S": "ada"})["loc"] == ("value",)
    named.check_round_trip("Ada <ada@example.com>")
    assert named.store("Ada <ada@example.com>") == {"S": "Ada <ada@example.com>"}


# ---- a type of the user's ----


class Celsius:
    """A type whose schema has a branch for JSON and one for Python, as Pydantic's documentation writes them."""

    def __init__(self, degrees: float) -> None:
        self.degrees = degrees

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Celsius) and self.degrees == other.degrees

    def __hash__(self) -> int:
        return hash(self.degrees)

    def __str__(self) -> str:
        return f"{self.degrees}°"

    @classmethod
    def parse(cls, text: str) -> "Celsius":
        return cls(float(text.removesuffix("°")))


def custom(make: Any) -> Any:
    class Made:
        def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
            return make()

    return Annotated[Celsius, Made()]


def parsed() -> CoreSchema:
    return core_schema.no_info_after_validator_function(Celsius.parse, core_schema.str_schema())


TO_STRING = core_schema.to_string_ser_schema()
CELSIUS = {
    "json-or-python with a union": custom(
        lambda: core_schema.json_or_python_schema(
            json_schema=parsed(),
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(Celsius), parsed()]),
            serialization=TO_STRING,
        )
    ),
    "json-or-python with instances alone": custom(
        lambda: core_schema.json_or_python_schema(
            json_schema=parsed(), python_schema=core_schema.is_instance_schema(Celsius), serialization=TO_STRING
        )
    ),
    "lax-or-strict": custom(
        lambda: core_schema.lax_or_strict_schema(
            lax_schema=parsed(), strict_schema=core_schema.is_instance_schema(Celsius), serialization=TO_STRING
        )
    ),
}


@pytest.mark.parametrize("annotation", CELSIUS.values(), ids=CELSIUS)
def test_a_class_with_a_schema_of_its_own_is_stored_as_its_serializer_says(annotation):
    field = Field(annotation)
    value = Celsius(36.6)
    instance = field.model.model_construct(value=value)

    assert field.store_instance(instance) == {"S": "36.6°"}
    assert field.load({"S": "36.6°"}) == value


@pytest.mark.parametrize("annotation", CELSIUS.values(), ids=CELSIUS)
def test_such_classes_make_sets_and_refuse_with_their_path(annotation):
    field = Field(set[annotation])

    assert field.store_instance(field.model.model_construct(value={Celsius(1)})) == {"SS": ["1°"]}
    assert field.load({"SS": ["1.0°"]}) == {Celsius(1)}
    with pytest.raises(InvalidItem) as caught:
        Field(annotation).load({"S": "warm"})
    assert {error["loc"][0] for error in caught.value.errors()} == {"value"}


def test_the_form_for_python_is_stored_where_it_can_be():
    as_map = core_schema.plain_serializer_function_ser_schema(
        lambda value, info: {"degrees": value.degrees, "raw": b"x"} if info.mode == "python" else "json", info_arg=True
    )
    read = core_schema.no_info_plain_validator_function(
        lambda value: value if isinstance(value, Celsius) else Celsius(value["degrees"])
    )
    field = Field(
        custom(
            lambda: core_schema.json_or_python_schema(
                json_schema=read,
                python_schema=core_schema.union_schema([core_schema.is_instance_schema(Celsius), read]),
                serialization=as_map,
            )
        )
    )

    stored = field.store(Celsius(1.5))
    assert stored == {"M": {"degrees": {"N": "1.5"}, "raw": {"B": "eA=="}}}
    assert field.load(stored) == Celsius(1.5)


def test_a_type_that_nothing_reads_back_is_refused_when_compiled_with_what_to_add():
    only_written = custom(lambda: core_schema.is_instance_schema(Celsius, serialization=TO_STRING))
    either = custom(
        lambda: core_schema.json_or_python_schema(
            core_schema.is_instance_schema(Celsius), core_schema.is_instance_schema(Celsius), serialization=TO_STRING
        )
    )

    for annotation in (only_written, either):
        with pytest.raises(UnsupportedTypeError, match=r"^Holder\.value: .*Celsius.*BeforeValidator.*PlainSerializer"):
            Field(annotation)


def test_what_a_serializer_raises_is_told_with_the_path():
    def fail(value: Celsius) -> str:
        raise ValueError("too warm")

    field = Field(
        custom(
            lambda: core_schema.json_or_python_schema(
                parsed(),
                core_schema.is_instance_schema(Celsius),
                serialization=core_schema.plain_serializer_function_ser_schema(fail),
            )
        )
    )

    error = field.refusal_to_store(Celsius(1))
    assert error["loc"] == ("value",)
    assert "too warm" in error["msg"]


def test_a_name_of_a_time_zone_that_no_file_can_have_is_refused():
    assert Field(ZoneInfo).refusal({"S": "Europe/" + "Berlin" * 100})["loc"] == ("value",)
