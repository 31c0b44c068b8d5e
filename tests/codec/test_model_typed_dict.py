import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict
from typing_extensions import NotRequired, TypedDict

from oxidyn import InvalidItem, ItemAdapter
from tests.codec.judges import Field, check_round_trip


class Place(TypedDict):
    city: str
    zip: NotRequired[int]


class Visit(TypedDict, total=False):
    place: Place
    note: str | None


VISIT = ItemAdapter(Visit)

places = st.fixed_dictionaries({"city": st.text()}, optional={"zip": st.integers(0, 99999)})
visits = st.fixed_dictionaries({}, optional={"place": places, "note": st.none() | st.text()})


def test_typed_dicts_are_stored_as_m():
    assert Field(Place).store({"city": "Ulm"}) == {"M": {"city": {"S": "Ulm"}}}
    assert ItemAdapter(Place).dump_item({"city": "Ulm", "zip": 1}) == {"city": {"S": "Ulm"}, "zip": {"N": "1"}}


@given(visits)
def test_any_typed_dict_comes_back_and_a_key_is_left_out_only_when_absent(visit):
    check_round_trip(VISIT, visit)
    Field(list[Visit]).check_round_trip([visit])
    assert set(VISIT.dump_item(visit)) == set(visit)


def test_a_wrong_value_is_refused_with_its_path():
    with pytest.raises(InvalidItem) as caught:
        VISIT.load_item({"place": {"M": {"city": {"N": "1"}}}})
    assert caught.value.errors()[0]["loc"] == ("place", "city")

    with pytest.raises(InvalidItem) as caught:
        VISIT.dump_wire({"place": {"city": 5}})  # type: ignore[typeddict-item]
    assert caught.value.errors()[0]["loc"] == ("place", "city")


@pytest.mark.parametrize("item", [{}, {"zip": {"N": "1"}}])
def test_a_missing_key_is_refused_with_its_path(item):
    with pytest.raises(InvalidItem) as caught:
        ItemAdapter(Place).load_item(item)

    assert [(error["type"], error["loc"]) for error in caught.value.errors()] == [("missing", ("city",))]


def test_a_missing_key_in_an_instance_is_refused_with_its_path():
    with pytest.raises(InvalidItem) as caught:
        ItemAdapter(Place).dump_wire({})  # type: ignore[typeddict-item]

    assert caught.value.errors()[0]["loc"] == ("city",)


def test_keys_that_are_no_field_are_skipped_on_load():
    assert ItemAdapter(Place).load_item({"city": {"S": "Ulm"}, "x": {"N": "1"}}) == {"city": "Ulm"}


def test_a_key_that_is_no_field_is_not_lost_silently_on_store():
    with pytest.raises(InvalidItem) as caught:
        ItemAdapter(Place).dump_wire({"city": "Ulm", "extra": 1})  # type: ignore[typeddict-unknown-key]

    assert caught.value.errors()[0]["loc"] == ("extra",)


def test_a_strict_typed_dict_refuses_what_pydantic_refuses():
    class Strict(TypedDict):
        __pydantic_config__ = ConfigDict(strict=True)  # type: ignore[misc]
        value: int

    with pytest.raises(InvalidItem):
        ItemAdapter(Strict).load_item({"value": {"S": "5"}})
