import base64
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field as Constrained

from tests.codec.judges import Field

BYTES = Field(bytes)


def test_bytes_are_stored_as_b():
    assert BYTES.store(b"\x00\xff") == {"B": "AP8="}
    assert BYTES.store(b"") == {"B": ""}


def test_in_a_dict_for_boto3_bytes_are_bytes():
    item = BYTES.adapter.dump_item(BYTES.model(value=b"\x00\xff"))

    assert item == {"value": {"B": b"\x00\xff"}}


@given(st.binary())
def test_any_bytes_come_back(value):
    BYTES.check_round_trip(value)
    BYTES.check_against_boto3(value, value)
    assert BYTES.store(value) == {"B": base64.b64encode(value).decode()}


def test_a_dict_is_read_with_bytes_as_they_are_and_text_as_base64():
    assert BYTES.adapter.load_item({"value": {"B": b"YQ=="}}).value == b"YQ=="
    assert BYTES.adapter.load_item({"value": {"B": "YQ=="}}).value == b"a"


@pytest.mark.parametrize("text", ["a", "YQ", "Y Q=", "YQ===", "_-8=", "é"])
def test_text_that_is_not_base64_is_refused_with_its_path(text):
    assert BYTES.refusal({"B": text})["loc"] == ("value",)


@pytest.mark.parametrize("attribute", [{"N": "5"}, {"NULL": True}, {"L": []}, {"BS": ["YQ=="]}])
def test_another_type_on_the_wire_is_refused_with_its_path(attribute):
    assert BYTES.refusal(attribute)["loc"] == ("value",)


@given(st.binary(max_size=5))
def test_constraints_hold_for_stored_bytes_as_for_pydantic(value):
    for constraint in (Constrained(min_length=2), Constrained(max_length=3)):
        field = Field(Annotated[bytes, constraint])
        field.check_against_pydantic({"B": base64.b64encode(value).decode()}, value)
