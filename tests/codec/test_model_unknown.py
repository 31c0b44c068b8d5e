"""`unknown="keep"`: attributes that are no field are held beside the instance and written back."""

import copy
import dataclasses
import functools
import gc
import json
import pickle
import weakref
from typing import Any

import pydantic.dataclasses
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, RootModel
from typing_extensions import TypedDict

from oxidyn import Client, InvalidItem, ItemAdapter, SchemaError
from tests.codec.judges import comparable


class Part(BaseModel):
    sku: str


@dataclasses.dataclass
class Point:
    x: int


class Order(BaseModel):
    id: str
    parts: list[Part] = []
    named: dict[str, Part] = {}
    at: Point | None = None


class Parts(RootModel[list[Part]]):
    pass


ORDER = ItemAdapter(Order, unknown="keep")
NEW = {"M": {"a": {"L": [{"NS": ["1", "2"]}, {"NULL": True}]}, "ü\n": {"B": "YQ=="}}}
ITEM = {
    "new": NEW,
    "id": {"S": "a"},
    "parts": {"L": [{"M": {"sku": {"S": "x"}, "new": NEW}}, {"M": {"sku": {"S": "y"}}}]},
    "named": {"M": {"k": {"M": {"sku": {"S": "z"}, "colour": {"S": "red"}}}}},
    "at": {"M": {"x": {"N": "1"}, "y": {"N": "2.50"}}},
    "more": {"BOOL": False},
}


def as_json(adapter: ItemAdapter[Any], instance: Any) -> Any:
    return adapter.dump_item(instance, mode="json")


def test_attributes_that_are_no_field_are_written_back_at_every_depth():
    order = ORDER.load_item(ITEM)

    assert as_json(ORDER, order) == ITEM
    assert json.loads(ORDER.dump_wire(order)) == ITEM


attributes = st.recursive(
    st.builds(lambda text: {"S": text}, st.text())
    | st.builds(lambda number: {"N": str(number)}, st.integers(-9, 9))
    | st.sampled_from([{"NULL": True}, {"BOOL": True}, {"B": "AP8="}, {"SS": ["a"]}, {"M": {}}, {"L": []}]),
    lambda inner: (
        st.builds(lambda each: {"L": each}, st.lists(inner, max_size=3))
        | st.builds(lambda each: {"M": each}, st.dictionaries(st.text(min_size=1), inner, max_size=3))
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.text(min_size=1), attributes, max_size=4))
def test_any_attributes_come_back_as_they_were(others):
    others.pop("sku", None)
    adapter = ItemAdapter(Part, unknown="keep")
    item = {"sku": {"S": "x"}, **others}

    written = as_json(adapter, adapter.load_wire(json.dumps(item, indent=1).encode()))

    assert comparable({"M": written}) == comparable({"M": item})


def test_what_is_kept_shows_in_no_dump_comparison_repr_or_set_of_fields():
    kept, plain = ORDER.load_item(ITEM), ItemAdapter(Order).load_item(ITEM)

    assert kept == plain
    assert plain == kept
    assert kept.parts[0] == Part(sku="x")
    assert repr(kept) == repr(plain)
    assert kept.model_dump() == plain.model_dump()
    assert kept.model_dump_json() == plain.model_dump_json()
    assert dict(kept) == dict(plain)
    assert kept.model_fields_set == plain.model_fields_set
    assert (kept.model_extra, kept.__pydantic_private__) == (None, None)
    assert dataclasses.asdict(kept.at) == {"x": 1}
    assert as_json(ItemAdapter(Order), kept) == as_json(ItemAdapter(Order), plain)


@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        Order.model_copy,
        functools.partial(Order.model_copy, deep=True),
        lambda order: pickle.loads(pickle.dumps(order)),
        Order.model_validate,
    ],
    ids=["copy", "deepcopy", "model_copy", "deep model_copy", "pickle", "model_validate"],
)
def test_copies_and_pickles_take_what_is_kept_along(copied):
    assert as_json(ORDER, copied(ORDER.load_item(ITEM))) == ITEM


def test_a_copy_with_changed_fields_takes_what_is_kept_along():
    changed = ORDER.load_item(ITEM).model_copy(update={"id": "b"})

    assert as_json(ORDER, changed) == {**ITEM, "id": {"S": "b"}}


def test_an_instance_made_anew_of_a_dump_has_nothing_to_write_back():
    order = ORDER.load_item(ITEM)

    assert "new" not in ORDER.dump_item(Order.model_validate(order.model_dump()))
    assert "new" not in ORDER.dump_item(Order(id="a"))


def test_instances_without_unknown_attributes_hold_nothing():
    order = ORDER.load_item({"id": {"S": "a"}})

    assert vars(order) == vars(Order(id="a"))


def test_frozen_models_and_those_with_an_init_or_post_init_of_their_own_keep():
    class Frozen(BaseModel, frozen=True):
        value: int

    class Counting(BaseModel):
        value: int

        def __init__(self, **data: Any) -> None:
            super().__init__(**data)

    class Hooked(BaseModel):
        value: int

        def model_post_init(self, context: Any, /) -> None:
            self.value += 0

    class Guarded(BaseModel, validate_assignment=True):
        value: int

    item = {"value": {"N": "1"}, "new": NEW}
    for model in (Frozen, Counting, Hooked, Guarded):
        adapter = ItemAdapter(model, unknown="keep")
        loaded = adapter.load_item(item)
        assert as_json(adapter, loaded) == item
    assert hash(ItemAdapter(Frozen, unknown="keep").load_item(item)) == hash(Frozen(value=1))
    guarded = ItemAdapter(Guarded, unknown="keep").load_item(item)
    guarded.value = 2
    assert as_json(ItemAdapter(Guarded, unknown="keep"), guarded) == {"value": {"N": "2"}, "new": NEW}


def test_dataclasses_and_models_under_root_models_and_unions_keep():
    @pydantic.dataclasses.dataclass(frozen=True)
    class Holder:
        parts: Parts
        either: Part | Point | str

    item = {
        "parts": {"L": [{"M": {"sku": {"S": "x"}, "new": NEW}}]},
        "either": {"M": {"x": {"N": "1"}, "new": NEW}},
        "new": NEW,
    }
    adapter = ItemAdapter(Holder, unknown="keep")

    assert as_json(adapter, adapter.load_item(item)) == item


def test_extra_allow_takes_its_attributes_itself():
    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")
        part: Part

    adapter = ItemAdapter(Open, unknown="keep")
    item = {"part": {"M": {"sku": {"S": "x"}, "new": NEW}}, "more": {"N": "1"}}
    loaded = adapter.load_item(item)

    assert loaded.model_extra == {"more": 1}
    assert as_json(adapter, loaded) == item


def test_what_has_no_place_for_unknown_attributes_is_refused_when_compiled():
    class Entry(TypedDict):
        value: int

    @dataclasses.dataclass(slots=True)
    class Slotted:
        value: int

    class Outer(BaseModel):
        inner: list[Entry]

    for model, words in ((Entry, "a TypedDict"), (Slotted, "a dataclass with slots"), (Outer, "a TypedDict")):
        with pytest.raises(SchemaError, match=words):
            ItemAdapter(model, unknown="keep")
    with pytest.raises(SchemaError, match=r"Outer\.inner"):
        ItemAdapter(Outer, unknown="keep")


def test_an_unknown_attribute_that_could_not_be_written_back_is_refused_with_its_path():
    adapter = ItemAdapter(Order, unknown="keep")

    for broken in (b'{"X":"a"}', b'{"S":5}', b'"a"', b'{"N":"x"}'):
        wire = b'{"id":{"S":"a"},"parts":{"L":[{"M":{"sku":{"S":"x"},"new":' + broken + b"}}]}}"
        with pytest.raises(InvalidItem) as caught:
            adapter.load_wire(wire)
        assert caught.value.errors()[0]["loc"] == ("parts", 0, "new")
        assert ItemAdapter(Order).load_wire(wire).parts == [Part(sku="x")]


def test_what_is_copied_to_where_it_would_lie_too_deep_is_refused_with_its_path():
    class Tree(BaseModel):
        child: "Tree | None" = None

    deep: Any = {"S": "x"}
    for _ in range(25):
        deep = {"M": {"a": deep}}
    adapter = ItemAdapter(Tree, unknown="keep")
    tree = adapter.load_item({"new": deep})
    for _ in range(6):
        tree = Tree(child=tree)
    assert adapter.load_wire(adapter.dump_wire(tree)) == tree

    with pytest.raises(InvalidItem) as caught:
        adapter.dump_wire(Tree(child=tree))

    assert caught.value.errors()[0]["loc"] == (*["child"] * 7, "new")


def test_a_table_writes_back_what_another_writer_added():
    class User(BaseModel):
        id: str
        age: int = 0

    with Client.local() as client:
        users = client.table(User, name="users", partition="id", unknown="keep")
        newer = client.table(
            pydantic.create_model("User2", id=(str, ...), age=(int, 0), nick=(str, "")), name="users", partition="id"
        )
        users.create_table()
        newer.put(newer_user := newer._schema.model(id="a", nick="al"))

        user = users.get("a")
        assert user is not None
        user.age = 5
        users.put(user)

        assert newer.get("a") == newer_user.model_copy(update={"age": 5})


def test_what_is_kept_goes_with_its_instance():
    class Collected(BaseModel):
        value: int
        __slots__ = ("__weakref__",)

    adapter = ItemAdapter(Collected, unknown="keep")
    loaded = adapter.load_item({"value": {"N": "1"}, "new": NEW})
    watch = weakref.ref(loaded)
    del loaded
    gc.collect()

    assert watch() is None


def test_keeping_holds_no_more_memory_with_each_item():
    import tracemalloc

    def work() -> None:
        for _ in range(200):
            ORDER.dump_item(ORDER.load_item(ITEM))

    work()
    gc.collect()
    tracemalloc.start()
    work()
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    work()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    assert after - before < 2000
