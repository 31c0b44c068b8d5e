"""Secrets: refused, unless the field says that they are stored in the clear; then errors show nothing of them."""

import traceback
from datetime import date
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Secret, SecretBytes, SecretStr
from pydantic import Field as PydanticField

from oxidyn import Attribute, InvalidItem, ItemAdapter, UnsupportedTypeError
from tests.codec.judges import Field

Plaintext = Attribute(plaintext=True)


class Date(Secret[date]):
    pass


class Token(SecretStr):
    pass


class Login(BaseModel):
    user: str
    password: SecretStr


class Vault(BaseModel):
    login: Login
    inner: list["Vault"] = []


CASES: list[tuple[Any, Any, Any]] = [
    (SecretStr, SecretStr("hunter2"), {"S": "hunter2"}),
    (SecretStr, SecretStr(""), {"S": ""}),
    (SecretBytes, SecretBytes(b"\x00"), {"B": "AA=="}),
    (Secret[int], Secret[int](5), {"N": "5"}),
    (Secret[date], Secret[date](date(2026, 1, 31)), {"S": "2026-01-31"}),
    (Date, Date(date(2026, 1, 31)), {"S": "2026-01-31"}),
    (Token, Token("t"), {"S": "t"}),
    (Secret[list[int]], Secret[list[int]]([1]), {"L": [{"N": "1"}]}),
    (SecretStr | None, None, {"NULL": True}),
    (SecretStr | int, SecretStr("a"), {"S": "a"}),
    (list[SecretStr], [SecretStr("a")], {"L": [{"S": "a"}]}),
    (set[SecretStr], {SecretStr("a")}, {"SS": ["a"]}),
    (tuple[SecretStr, int], (SecretStr("a"), 1), {"L": [{"S": "a"}, {"N": "1"}]}),
    (dict[str, SecretStr], {"a": SecretStr("b")}, {"M": {"a": {"S": "b"}}}),
    (Login, Login(user="u", password="p"), {"M": {"user": {"S": "u"}, "password": {"S": "p"}}}),  # type: ignore[arg-type]
]
SECRETS = [case[0] for case in CASES]


@pytest.mark.parametrize("annotation", SECRETS)
def test_a_secret_is_refused_when_compiled_with_what_to_say(annotation):
    with pytest.raises(UnsupportedTypeError, match=r"^(Holder\.value|Login).*Attribute\(plaintext=True\)"):
        Field(annotation)


@pytest.mark.parametrize(("annotation", "value", "stored"), CASES)
def test_with_plaintext_every_secret_inside_is_stored_by_its_value_and_comes_back(annotation, value, stored):
    field = Field(Annotated[annotation, Plaintext])

    assert field.store(value) == stored
    field.check_round_trip(value)


def test_plaintext_is_the_fields_own_also_where_a_model_is_shared_or_recursive():
    class Both(BaseModel):
        open: Annotated[Vault, Plaintext]
        closed: Vault

    class One(BaseModel):
        open: Annotated[Vault, Plaintext]

    with pytest.raises(UnsupportedTypeError, match="plaintext"):
        ItemAdapter(Both)
    login = Login(user="u", password=SecretStr("p"))
    one = One(open=Vault(login=login, inner=[Vault(login=login)]))
    adapter = ItemAdapter(One)
    assert adapter.load_item(adapter.dump_item(one)) == one


def test_a_secret_is_no_key_of_a_dict():
    with pytest.raises(UnsupportedTypeError, match=r"^Holder\.value\[key\]: a secret is no key"):
        Field(Annotated[dict[SecretStr, int], Plaintext])


def test_a_default_secret_needs_no_attribute():
    field = Field(Annotated[SecretStr, Plaintext], SecretStr("d"))

    assert field.load(None) == SecretStr("d")


SECRET = "hunter2-classified"


class Strict(Secret[Annotated[str, PydanticField(max_length=3)]]):
    pass


@pytest.mark.parametrize(
    ("annotation", "attribute"),
    [
        (Annotated[Secret[int], Plaintext], {"S": SECRET}),
        (Annotated[Strict, Plaintext], {"S": SECRET}),
        (Annotated[SecretStr | None, Plaintext], {"L": [{"S": SECRET}]}),
        (Annotated[SecretBytes, Plaintext], {"L": [{"S": SECRET}]}),
        (Annotated[Secret[dict[str, int]], Plaintext], {"M": {SECRET: {"S": SECRET}}}),
        (Annotated[list[Secret[int] | Strict], Plaintext], {"L": [{"S": SECRET}]}),
        (Annotated[dict[str, Secret[list[date]]], Plaintext], {"M": {"a": {"L": [{"S": SECRET}]}}}),
    ],
)
def test_an_error_in_reading_a_secret_shows_nothing_of_it(annotation, attribute):
    field = Field(annotation)

    with pytest.raises(InvalidItem) as caught:
        field.load(attribute)
    shown = [
        str(caught.value),
        repr(caught.value),
        repr(caught.value.errors()),
        caught.value.json(),
        "".join(traceback.format_exception(caught.value)),
    ]
    assert SECRET not in "".join(shown)
    assert caught.value.errors()[0]["loc"][0] == "value"


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Annotated[SecretStr, Plaintext], SECRET),
        (Annotated[SecretStr, Plaintext], SecretStr(SECRET + "\ud800")),
        (Annotated[Secret[int], Plaintext], Secret(SECRET)),
        (Annotated[Secret[dict[str, int]], Plaintext], Secret({SECRET: SECRET})),
        (Annotated[list[SecretStr], Plaintext], [SECRET]),
        (Annotated[Secret[int] | Secret[date], Plaintext], Secret(SECRET)),
    ],
)
def test_an_error_in_storing_a_secret_shows_nothing_of_it(annotation, value):
    error = Field(annotation).refusal_to_store(value)

    assert SECRET not in repr(error)
    assert error["loc"][0] == "value"
