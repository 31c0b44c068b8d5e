"""An instance's fields are written and read where its dict keeps them; whatever the dict's layout, nothing else is seen."""

import gc
import sys
from datetime import datetime, timedelta, tzinfo

import pytest
from pydantic import BaseModel, ConfigDict, create_model

from oxidyn import InvalidItem, ItemAdapter


def model_of(fields: int) -> type[BaseModel]:
    return create_model("Wide", **{f"field_{at}": (int | None, None if at % 3 else at) for at in range(fields)})


@pytest.mark.parametrize("fields", [0, 1, 2, 5, 6, 10, 11, 21, 22, 42, 43, 85, 86, 127, 128, 129, 170, 171, 300])
def test_models_of_any_number_of_fields_come_back(fields):
    model = model_of(fields)
    adapter = ItemAdapter(model)
    for instance in (
        model(),
        model(**{name: at for at, name in enumerate(model.model_fields)}),
        model(**{name: at for at, name in enumerate(model.model_fields) if at % 2}),
    ):
        wire = adapter.dump_wire(instance)

        loaded = adapter.load_wire(wire)

        assert loaded == instance
        assert list(vars(loaded)) == list(model.model_fields)
        assert adapter.dump_wire(loaded) == wire
        assert adapter.dump_wire(instance.model_copy()) == wire
        assert adapter.dump_wire(model.model_validate(vars(instance))) == wire


class Point(BaseModel):
    model_config = ConfigDict(frozen=True)

    x: int
    y: int
    label: str = "none"


POINT = ItemAdapter(Point)
WIRE = b'{"x":{"N":"1"},"y":{"N":"2"},"label":{"S":"a"}}'


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        ({"x": 1, "y": 2, "label": "a"}, WIRE),
        ({"label": "a", "y": 2, "x": 1}, WIRE),
        ({"x": 1, "label": "a", "y": 2}, WIRE),
        ({"x": 1, "y": 2, "label": "a", "other": 3}, WIRE),
        ({"other": 3, "x": 1, "y": 2, "label": "a"}, WIRE),
        ({3: 4, "x": 1, "y": 2, "label": "a"}, WIRE),
    ],
)
def test_a_dict_in_another_order_or_with_other_entries_is_written_alike(content, wire):
    instance = Point.model_construct()
    object.__setattr__(instance, "__dict__", dict(content))

    assert POINT.dump_wire(instance) == wire


def test_a_dict_whose_entries_were_deleted_and_set_again_is_written_alike():
    instance = POINT.load_wire(WIRE)
    names = vars(instance)

    for name in ("y", "x", "label"):
        value = names.pop(name)
        names[name] = value
        assert POINT.dump_wire(instance) == WIRE
    names["other"] = names.pop("y")
    names["y"] = 2

    assert POINT.dump_wire(instance) == WIRE


def test_instances_do_not_share_what_is_set_on_one_of_them():
    first, second = POINT.load_wire(WIRE), POINT.load_wire(WIRE)

    vars(first)["x"] = 9
    vars(first)["more"] = 1

    assert vars(second) == {"x": 1, "y": 2, "label": "a"}
    assert POINT.load_wire(WIRE) == second
    assert POINT.load_wire(b'{"x":{"N":"1"},"y":{"N":"2"}}').label == "none"


def test_an_attribute_that_comes_twice_counts_as_it_came_last():
    loaded = POINT.load_wire(b'{"x":{"N":"7"},"y":{"N":"2"},"label":{"S":"b"},"x":{"N":"1"},"label":{"S":"a"}}')

    assert loaded == POINT.load_wire(WIRE)


def test_the_references_of_values_are_counted_right():
    class Holder(BaseModel):
        text: str
        numbers: list[int]
        default: tuple[int, ...] = (1, 2, 3)

    adapter = ItemAdapter(Holder)
    wire = b'{"text":{"S":"%s"},"numbers":{"L":[]}}' % (b"x" * 40)
    default = Holder.model_fields["default"].default
    before = sys.getrefcount(default)

    held = [adapter.load_wire(wire) for _ in range(100)]

    assert {sys.getrefcount(vars(each)["text"]) for each in held} == {2}
    assert {sys.getrefcount(vars(each)["numbers"]) for each in held} == {2}
    assert sys.getrefcount(default) == before + 100
    held.clear()
    assert sys.getrefcount(default) == before


def test_the_garbage_collector_sees_what_an_instance_holds():
    class Node(BaseModel):
        name: str
        children: list["Node"]

    adapter = ItemAdapter(Node)
    loaded = adapter.load_wire(b'{"name":{"S":"a"},"children":{"L":[]}}')

    assert gc.is_tracked(vars(loaded))
    loaded.children.append(loaded)
    tracked = len(gc.get_objects())
    del loaded
    assert gc.collect() > 0
    assert len(gc.get_objects()) < tracked


def test_user_code_may_change_the_dict_while_it_is_written():
    class Zone(tzinfo):
        def utcoffset(self, moment):
            vars(instance).clear()
            vars(instance).update({f"other_{at}": at for at in range(100)})
            return timedelta(0)

    class Event(BaseModel):
        at: datetime
        name: str | None = None
        place: str | None = None

    instance = Event.model_construct(at=datetime(2026, 1, 31, tzinfo=Zone()), name="a", place="b")
    adapter = ItemAdapter(Event)

    with pytest.raises(InvalidItem, match="Field required"):
        adapter.dump_wire(instance)
