"""Instances of subclasses: stored by the declared type, or under `SerializeAsAny` by their own."""

import dataclasses
import gc
import weakref
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, InstanceOf, SerializeAsAny, TypeAdapter, computed_field
from pydantic import Field as PydanticField

from oxidyn import Attribute, InvalidItem, ItemAdapter
from tests.codec.judges import Field


class Animal(BaseModel):
    name: str


class Dog(Animal):
    tricks: list[str] = []
    friend: Animal | None = None
    friends: SerializeAsAny[list[Animal]] = []


class Cat(Animal):
    lives: Annotated[int, Attribute(name="l")] = 9

    @computed_field
    @property
    def left(self) -> Annotated[int, Attribute(name="left")]:
        return self.lives - 1


@dataclasses.dataclass
class Shape:
    name: str


@dataclasses.dataclass
class Square(Shape):
    side: int


REX = Dog(name="Rex", tricks=["sit"], friend=Cat(name="Tom"), friends=[Cat(name="Kit", lives=3)])
STORED = {
    "M": {
        "name": {"S": "Rex"},
        "tricks": {"L": [{"S": "sit"}]},
        "friend": {"M": {"name": {"S": "Tom"}}},
        "friends": {"L": [{"M": {"name": {"S": "Kit"}, "l": {"N": "3"}, "left": {"N": "2"}}}]},
    }
}


def test_an_instance_of_a_subclass_is_stored_by_the_fields_of_the_declared_type():
    assert Field(Animal).store(REX) == {"M": {"name": {"S": "Rex"}}}


@pytest.mark.parametrize(
    ("annotation", "value", "stored"),
    [
        (SerializeAsAny[Animal], REX, STORED),
        (SerializeAsAny[Animal] | None, REX, STORED),
        (SerializeAsAny[Animal | None], REX, STORED),
        (list[SerializeAsAny[Animal]], [REX, Animal(name="a")], {"L": [STORED, {"M": {"name": {"S": "a"}}}]}),
        (SerializeAsAny[list[Animal]], [REX], {"L": [STORED]}),
        (SerializeAsAny[dict[str, Animal]], {"a": REX}, {"M": {"a": STORED}}),
        (SerializeAsAny[Animal | int], REX, STORED),
        (SerializeAsAny[Shape], Square("a", 2), {"M": {"name": {"S": "a"}, "side": {"N": "2"}}}),
        (SerializeAsAny[int], 5, {"N": "5"}),
    ],
    ids=repr,
)
def test_under_serialize_as_any_an_instance_is_stored_with_the_fields_of_its_own_class(annotation, value, stored):
    assert Field(annotation).store(value) == stored


def test_what_comes_back_is_what_pydantic_gives_from_the_declared_type():
    field = Field(SerializeAsAny[Animal])
    instance = field.model(value=REX)
    assert instance.model_dump()["value"]["tricks"] == ["sit"]

    loaded = field.adapter.load_wire(field.adapter.dump_wire(instance))

    assert loaded == field.model.model_validate(instance.model_dump())
    assert type(loaded.value) is Animal


def test_an_instance_of_the_declared_class_comes_back():
    Field(SerializeAsAny[Animal]).check_round_trip(Animal(name="a"))
    Field(SerializeAsAny[Dog]).check_round_trip(Dog(name="a"))


def test_serialize_as_any_says_nothing_of_the_fields_inside_and_of_other_fields():
    class Owner(BaseModel):
        any_: SerializeAsAny[Animal]
        plain: Animal

    stored = ItemAdapter(Owner).dump_item(Owner(any_=REX, plain=REX))

    assert stored["any_"] == STORED
    assert stored["plain"] == {"M": {"name": {"S": "Rex"}}}
    assert stored["any_"]["M"]["friend"] == {"M": {"name": {"S": "Tom"}}}


def test_a_recursive_model_is_stored_by_runtime_types_where_it_says_so():
    class Node(BaseModel):
        next_: "SerializeAsAny[Node] | None" = None

    class Leaf(Node):
        value: int

    stored = ItemAdapter(Node).dump_item(Node(next_=Node(next_=Leaf(value=1))))

    assert stored == {"next_": {"M": {"next_": {"M": {"value": {"N": "1"}}}}}}


def test_another_class_is_refused_and_wrong_values_have_their_path():
    field = Field(SerializeAsAny[Animal])

    assert field.refusal_to_store(Shape("a"))["type"] == "model_type"
    assert field.refusal_to_store(Dog.model_construct(name="a", tricks=[5]))["loc"] == ("value", "tricks", 0)


def test_a_subclass_that_cannot_be_stored_is_told_when_it_is_met_with_the_values_path():
    class Strange(Animal):
        value: Callable[[], int]

    refused = Field(SerializeAsAny[Animal]).refusal_to_store(Strange(name="a", value=int))

    assert refused["loc"] == ("value",)
    assert "Strange.value" in refused["msg"]


def test_the_options_of_the_table_hold_for_subclasses():
    field = Field(SerializeAsAny[Animal], unset="skip")

    assert field.store(Dog(name="a")) == {"M": {"name": {"S": "a"}}}


def test_a_subclass_made_at_run_time_goes_with_its_adapter():
    def use() -> tuple[weakref.ref[Any], weakref.ref[Any]]:
        class Passing(Animal):
            value: int = 0

        class Holder(BaseModel):
            value: SerializeAsAny[Animal]

        ItemAdapter(Holder).dump_wire(Holder(value=Passing(name="a")))
        return weakref.ref(Passing), weakref.ref(Holder)

    references = use()
    gc.collect()

    assert [each() for each in references] == [None, None]


def test_more_subclasses_than_are_remembered_are_stored():
    field = Field(SerializeAsAny[Animal])

    for number in range(80):
        subclass: Any = type(f"Animal{number}", (Animal,), {"__annotations__": {f"f{number}": int}})
        value = subclass(name="a", **{f"f{number}": 1})
        assert set(field.store(value)["M"]) == {"name", f"f{number}"}


def test_instance_of_a_model_is_stored_as_that_model_and_read_back_into_one():
    field = Field(InstanceOf[Animal])

    assert field.store(REX) == {"M": {"name": {"S": "Rex"}}}
    assert field.load({"M": {"name": {"S": "Rex"}}}) == TypeAdapter(InstanceOf[Animal]).validate_json('{"name":"Rex"}')
    field.check_round_trip(Animal(name="a"))
    assert field.refusal({"M": {}})["loc"] == ("value", "name")
    Field(list[InstanceOf[Animal]]).check_round_trip([Animal(name="a")])
    with pytest.raises(InvalidItem):
        field.adapter.dump_wire(field.model.model_construct(value={"name": "a"}))


def test_a_constraint_beside_serialize_as_any_holds():
    field = Field(Annotated[SerializeAsAny[list[Animal]], PydanticField(min_length=1)])

    assert field.refusal({"L": []})["type"] == "too_short"
