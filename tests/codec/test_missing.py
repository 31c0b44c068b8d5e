"""`MISSING`: a field that holds it is absent from the item, and absent comes back as it."""

import dataclasses
from typing import Any

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from oxidyn import ItemAdapter, UnsupportedTypeError

try:
    from pydantic_core import MISSING
except ImportError:
    pytest.skip("this Pydantic has no MISSING", allow_module_level=True)


class Patch(BaseModel):
    name: str | MISSING = MISSING
    age: int | MISSING | None = MISSING
    tags: set[str] | MISSING = MISSING


def test_missing_is_absent_and_absent_is_missing():
    adapter = ItemAdapter(Patch)

    assert adapter.dump_item(Patch()) == {}
    assert adapter.load_item({}) == Patch()
    assert adapter.load_item({}).name is MISSING
    assert adapter.load_item({}).model_fields_set == set()


@pytest.mark.parametrize("patch", [Patch(name="a"), Patch(age=None), Patch(name="a", age=5, tags={"x"}), Patch()])
def test_what_is_not_missing_comes_back(patch: Any):
    adapter = ItemAdapter(Patch)

    loaded = adapter.load_item(adapter.dump_item(patch))
    assert loaded == patch
    assert loaded.model_dump() == patch.model_dump()


def test_none_is_not_missing():
    assert ItemAdapter(Patch).dump_item(Patch(age=None)) == {"age": {"NULL": True}}


def test_a_required_field_may_be_missing():
    class Sparse(BaseModel):
        first: int | MISSING
        last: int

    adapter = ItemAdapter(Sparse)

    assert adapter.dump_item(Sparse(first=MISSING, last=1)) == {"last": {"N": "1"}}
    assert adapter.load_item({"last": {"N": "1"}}) == Sparse(first=MISSING, last=1)


def test_a_dataclass_may_have_missing_fields():
    @dataclasses.dataclass
    class Sparse:
        first: int | MISSING = MISSING

    assert ItemAdapter(Sparse).dump_item(Sparse()) == {}
    assert ItemAdapter(Sparse).load_item({}) == Sparse()


def test_another_default_is_refused_when_compiled():
    class Odd(BaseModel):
        name: str | MISSING = "a"

    with pytest.raises(UnsupportedTypeError, match=r"^Odd\.name: .*absent"):
        ItemAdapter(Odd)


def test_an_element_that_may_be_missing_is_refused_when_compiled():
    class Odd(BaseModel):
        names: list[str | MISSING]

    with pytest.raises(UnsupportedTypeError, match=r"^Odd\.names\[\]: MISSING"):
        ItemAdapter(Odd)


def test_a_refused_value_is_told_with_its_path():
    with pytest.raises(ValueError, match="name"):
        ItemAdapter(Patch).load_item({"name": {"L": []}})


def test_a_typed_dict_goes_without_it():
    class Sparse(TypedDict):
        first: int | MISSING

    adapter = ItemAdapter(Sparse)

    assert adapter.dump_item({"first": MISSING}) == {}
    assert adapter.load_item({}) == {"first": MISSING}
