from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from typing_extensions import TypedDict

from oxidyn import InvalidItem, ItemAdapter
from tests.codec.judges import check_round_trip


class Tree(BaseModel):
    name: str
    children: list[Tree] = []
    parent: Tree | None = None


class Left(BaseModel):
    right: Right | None = None


class Right(BaseModel):
    left: Left | None = None


class Branch(TypedDict, total=False):
    name: str
    parts: dict[str, Branch]


trees = st.recursive(
    st.builds(Tree, name=st.text(max_size=3)),
    lambda children: st.builds(Tree, name=st.text(max_size=3), children=st.lists(children, max_size=3)),
    max_leaves=8,
)


@given(trees)
def test_any_recursive_model_comes_back(tree):
    check_round_trip(ItemAdapter(Tree), tree)


def test_models_that_refer_to_each_other_come_back():
    check_round_trip(ItemAdapter(Left), Left(right=Right(left=Left(right=Right()))))


def test_a_cycle_is_an_error_and_not_a_crash():
    tree = Tree(name="a")
    tree.children.append(tree)

    with pytest.raises(InvalidItem):
        ItemAdapter(Tree).dump_wire(tree)


def nested_tree(levels: int) -> Tree:
    tree = Tree(name="leaf")
    for _ in range(levels):
        tree = Tree(name="a", parent=tree)
    return tree


def test_at_most_32_levels_are_stored():
    adapter = ItemAdapter(Tree)

    check_round_trip(adapter, nested_tree(20))
    with pytest.raises(InvalidItem):
        adapter.dump_wire(nested_tree(40))


def test_deeper_bytes_are_refused_and_not_a_crash():
    item = b'{"name":{"S":"a"},"parent":{"M":' * 100_000

    with pytest.raises(InvalidItem):
        ItemAdapter(Tree).load_wire(item)


branches = st.recursive(
    st.fixed_dictionaries({}, optional={"name": st.text(max_size=3)}),
    lambda inner: st.fixed_dictionaries(
        {}, optional={"parts": st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=3)}
    ),
    max_leaves=6,
)


@given(branches)
def test_any_recursive_typed_dict_comes_back(branch):
    check_round_trip(ItemAdapter(Branch), branch)


def test_a_wrong_value_far_down_is_refused_with_its_path():
    item = {"name": {"S": "a"}, "parent": {"M": {"name": {"S": "b"}, "children": {"L": [{"M": {}}]}}}}

    with pytest.raises(InvalidItem) as caught:
        ItemAdapter(Tree).load_item(item)

    assert caught.value.errors()[0]["loc"] == ("parent", "children", 0, "name")
