from typing import Annotated
from uuid import UUID, uuid1

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import UUID4

from tests.codec.judges import Field

IDENTIFIER = Field(UUID)
TEXT = "12345678-9abc-4ef0-8fed-cba987654321"


def test_uuid_is_stored_as_s_hyphenated_and_in_lower_case():
    assert IDENTIFIER.store(UUID(TEXT)) == {"S": TEXT}


@given(st.uuids())
def test_any_uuid_comes_back(value):
    IDENTIFIER.check_round_trip(value)
    assert IDENTIFIER.store(value) == {"S": str(value)}


@pytest.mark.parametrize("text", [TEXT.upper(), TEXT.replace("-", ""), f"urn:uuid:{TEXT}", f"{{{TEXT}}}"])
def test_reading_accepts_every_form_pydantic_does(text):
    assert IDENTIFIER.load({"S": text}) == UUID(TEXT)


@pytest.mark.parametrize("text", ["", "x", TEXT[:-1], TEXT[:-1] + "g"])
def test_text_that_is_no_uuid_is_refused_with_its_path(text):
    assert IDENTIFIER.refusal({"S": text})["loc"] == ("value",)


@pytest.mark.parametrize("attribute", [{"N": "5"}, {"NULL": True}, {"L": []}])
def test_another_type_on_the_wire_is_refused_with_its_path(attribute):
    assert IDENTIFIER.refusal(attribute)["loc"] == ("value",)


def test_what_comes_back_is_a_whole_uuid():
    loaded = IDENTIFIER.load({"S": TEXT})

    assert (hash(loaded), loaded.version, repr(loaded), loaded.hex) == (
        hash(UUID(TEXT)),
        4,
        repr(UUID(TEXT)),
        UUID(TEXT).hex,
    )
    with pytest.raises(TypeError):
        loaded.int = 1


def test_the_version_holds_for_stored_text_as_for_pydantic():
    versioned = Field(UUID4)

    assert versioned.load({"S": TEXT}) == UUID(TEXT)
    assert versioned.refusal({"S": str(uuid1())})["loc"] == ("value",)
    assert Field(Annotated[UUID4, "text"]).store(UUID(TEXT)) == {"S": TEXT}


@pytest.mark.parametrize("value", [TEXT, None, 5])
def test_another_type_in_an_instance_is_refused_with_its_path(value):
    assert IDENTIFIER.refusal_to_store(value)["loc"] == ("value",)
