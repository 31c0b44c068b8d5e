import pytest
from pydantic import ConfigDict

from tests.codec.judges import Field

BOOLEAN = Field(bool)


@pytest.mark.parametrize("value", [True, False])
def test_bool_is_stored_as_bool(value):
    assert BOOLEAN.store(value) == {"BOOL": value}
    BOOLEAN.check_round_trip(value)
    BOOLEAN.check_against_boto3(value, value)


def test_a_wire_tag_that_the_field_does_not_know_is_left_to_pydantic():
    assert BOOLEAN.load({"S": "yes"}) is True
    assert BOOLEAN.load({"N": "0"}) is False
    assert Field(bool, config=ConfigDict(strict=True)).refusal({"N": "0"})["loc"] == ("value",)


@pytest.mark.parametrize("attribute", [{"S": "maybe"}, {"N": "2"}, {"NULL": True}, {"L": []}, {"M": {}}])
def test_another_type_on_the_wire_is_refused_with_its_path(attribute):
    assert BOOLEAN.refusal(attribute)["loc"] == ("value",)


@pytest.mark.parametrize("value", ["yes", None, 1])
def test_another_type_in_an_instance_is_refused_with_its_path(value):
    assert BOOLEAN.refusal_to_store(value)["loc"] == ("value",)
