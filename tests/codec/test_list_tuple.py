import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.codec.judges import Field

PAIR = Field(tuple[str, int])
MANY = Field(tuple[int, ...])


def test_tuple_is_stored_as_l():
    assert PAIR.store(("a", 1)) == {"L": [{"S": "a"}, {"N": "1"}]}
    assert MANY.store(()) == {"L": []}


@given(st.tuples(st.text(), st.integers(-100, 100)), st.lists(st.integers(-100, 100)).map(tuple))
def test_any_tuple_comes_back(pair, many):
    PAIR.check_round_trip(pair)
    MANY.check_round_trip(many)
    Field(tuple[str, int] | None).check_round_trip(pair)
    Field(tuple[()]).check_round_trip(())


@pytest.mark.parametrize(("content", "path"), [([{"S": "a"}], ("value", 1)), ([{"S": "a"}, {"S": "x"}], ("value", 1))])
def test_a_missing_or_wrong_item_is_refused_with_its_path(content, path):
    assert PAIR.refusal({"L": content})["loc"] == path


def test_too_many_items_are_refused():
    assert PAIR.refusal({"L": [{"S": "a"}, {"N": "1"}, {"N": "2"}]})["loc"][0] == "value"


@pytest.mark.parametrize("value", [("a",), ("a", 1, 2), ("a", "x"), None])
def test_a_wrong_tuple_in_an_instance_is_refused_with_its_path(value):
    assert PAIR.refusal_to_store(value)["loc"][0] == "value"


@pytest.mark.parametrize("attribute", [{"S": "x"}, {"NULL": True}, {"M": {}}])
def test_another_type_on_the_wire_is_refused_with_its_path(attribute):
    assert PAIR.refusal(attribute)["loc"] == ("value",)
