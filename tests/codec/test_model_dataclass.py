import dataclasses
from typing import Annotated

import pydantic.dataclasses
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxidyn import Attribute, InvalidItem, ItemAdapter
from tests.codec.judges import Field, check_round_trip


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0
    label: str | None = None
    tags: set[str] = dataclasses.field(default_factory=set)


@pydantic.dataclasses.dataclass
class Checked:
    name: Annotated[str, Attribute(name="n")]
    at: Point


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    x: int
    y: list[int] = dataclasses.field(default_factory=list)


POINT = ItemAdapter(Point)

points = st.builds(
    Point,
    x=st.integers(-(10**20), 10**20),
    y=st.integers(-9, 9),
    label=st.none() | st.text(),
    tags=st.sets(st.text()),
)


def test_dataclasses_are_stored_as_m():
    assert Field(Point).store(Point(1)) == {"M": {"x": {"N": "1"}, "y": {"N": "0"}}}
    assert POINT.dump_item(Point(1, label="a")) == {"x": {"N": "1"}, "y": {"N": "0"}, "label": {"S": "a"}}
    assert ItemAdapter(Checked).dump_item(Checked("a", Point(1)))["n"] == {"S": "a"}


@given(points)
def test_any_dataclass_comes_back(point):
    check_round_trip(POINT, point)
    check_round_trip(ItemAdapter(Checked), Checked("a", point))
    Field(list[Point]).check_round_trip([point])


def test_a_frozen_dataclass_with_slots_comes_back():
    check_round_trip(ItemAdapter(Slotted), Slotted(1, [2]))
    assert ItemAdapter(Slotted).load_item({"x": {"N": "1"}}) == Slotted(1)


def test_a_wrong_value_is_refused_with_its_path():
    with pytest.raises(InvalidItem) as caught:
        ItemAdapter(Checked).load_item({"n": {"S": "a"}, "at": {"M": {"x": {"S": "x"}}}})

    assert caught.value.errors()[0]["loc"] == ("at", "x")
    with pytest.raises(InvalidItem) as caught:
        POINT.dump_wire(Point("x"))  # type: ignore[arg-type]
    assert caught.value.errors()[0]["loc"] == ("x",)


def test_a_missing_value_is_refused_as_pydantic_does():
    with pytest.raises(InvalidItem) as caught:
        POINT.load_item({})

    assert caught.value.errors()[0]["loc"] == ("x",)


def test_post_init_runs():
    @dataclasses.dataclass
    class Doubled:
        value: int
        twice: int = dataclasses.field(init=False, default=0)

        def __post_init__(self):
            self.twice = self.value * 2

    try:
        adapter = ItemAdapter(Doubled)
    except Exception as error:  # noqa: BLE001 (a refusal that names the class is an answer too)
        assert "Doubled" in str(error)  # noqa: PT017
    else:
        assert adapter.load_item(adapter.dump_item(Doubled(2))).twice == 4


def test_another_class_is_refused():
    with pytest.raises(InvalidItem):
        POINT.dump_wire(Slotted(1))  # type: ignore[arg-type]


def test_fields_that_init_does_not_take_and_inherited_ones_come_back():
    @dataclasses.dataclass
    class Base:
        a: int
        b: int = dataclasses.field(default=1, kw_only=True)

    @dataclasses.dataclass
    class Child(Base):
        c: list[int] = dataclasses.field(default_factory=list)

    check_round_trip(ItemAdapter(Child), Child(1, [2], b=3))
    assert ItemAdapter(Child).load_item({"a": {"N": "1"}}) == Child(1)


def test_default_factories_make_new_values_each_time():
    first, second = (ItemAdapter(Slotted).load_item({"x": {"N": "1"}}) for _ in range(2))

    first.y.append(1)

    assert second.y == []
