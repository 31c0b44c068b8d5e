"""Root models are stored as their root is; what is made of them is what Pydantic makes."""

import copy
import json
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar, Union
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, PrivateAttr, RootModel, TypeAdapter, ValidationError
from pydantic import Field as PydanticField
from typing_extensions import TypedDict

from oxidyn import (
    Attribute,
    Client,
    Epoch,
    InvalidItem,
    ItemAdapter,
    PartitionKey,
    SchemaError,
    UnsupportedTypeError,
    expr,
)
from tests.codec.judges import Field

T = TypeVar("T")


class Name(RootModel[str]):
    pass


class Frozen(RootModel[int], frozen=True):
    pass


class Tags(RootModel[list[str]]):
    def __getitem__(self, index: int) -> str:
        return self.root[index]


class Places(RootModel[dict[str, "Place"]]):
    pass


class Place(BaseModel):
    city: str
    zip: int | None = None


class Box(RootModel[T], Generic[T]):
    pass


class Tree(RootModel[Union[dict[str, "Tree"], list["Tree"], int, str]]):  # noqa: UP007 (it refers to itself)
    pass


class Chain(RootModel[list["Chain"]]):
    pass


class Five(RootModel[int]):
    root: int = 5


class Note(TypedDict):
    text: str


@pytest.mark.parametrize(
    ("annotation", "value", "stored"),
    [
        (Name, Name("a"), {"S": "a"}),
        (Tags, Tags(["a"]), {"L": [{"S": "a"}]}),
        (Places, Places({"x": Place(city="Ulm")}), {"M": {"x": {"M": {"city": {"S": "Ulm"}}}}}),
        (RootModel[Place], RootModel[Place](Place(city="Ulm")), {"M": {"city": {"S": "Ulm"}}}),
        (RootModel[Note], RootModel[Note]({"text": "a"}), {"M": {"text": {"S": "a"}}}),
        (Box[int], Box[int](3), {"N": "3"}),
        (Box[Box[Decimal]], Box[Box[Decimal]](Decimal("1.5")), {"N": "1.5"}),
        (Five, Five(), {"N": "5"}),
        (Five, Five(6), {"N": "6"}),
        (list[Name], [Name("a"), Name("b")], {"L": [{"S": "a"}, {"S": "b"}]}),
        (dict[str, Name], {"x": Name("a")}, {"M": {"x": {"S": "a"}}}),
        (set[Frozen], {Frozen(1)}, {"NS": ["1"]}),
        (Name | int, Name("a"), {"S": "a"}),
        (Name | int, 3, {"N": "3"}),
        (Tags | Place, Place(city="Ulm"), {"M": {"city": {"S": "Ulm"}}}),
        (Frozen | Name | Tags, Frozen(2), {"N": "2"}),
        (Name | None, None, {"NULL": True}),
        (RootModel[int | None], RootModel[int | None](None), {"NULL": True}),
        (RootModel[set[str]], RootModel[set[str]](set()), {"L": []}),
        (
            RootModel[Annotated[datetime, Epoch]],
            RootModel[datetime](datetime(2026, 1, 31, tzinfo=timezone.utc)),
            {"N": "1769817600"},
        ),
        (RootModel[date | UUID], RootModel[date | UUID](date(2026, 1, 31)), {"S": "2026-01-31"}),
        (Tree, Tree({"a": Tree([Tree(1), Tree("x")])}), {"M": {"a": {"L": [{"N": "1"}, {"S": "x"}]}}}),
        (Chain, Chain([Chain([]), Chain([Chain([])])]), {"L": [{"L": []}, {"L": [{"L": []}]}]}),
    ],
    ids=repr,
)
def test_a_root_model_is_stored_as_its_root_and_comes_back(annotation, value, stored):
    field = Field(annotation)

    assert field.store(value) == stored
    field.check_round_trip(value)


@given(
    st.recursive(
        st.integers(-9, 9) | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner)
    )
)
def test_any_recursive_root_comes_back(value):
    Field(Tree).check_round_trip(Tree.model_validate(value))


def test_a_wrong_root_is_refused_with_the_path_that_pydantic_gives():
    field = Field(Tags)
    with pytest.raises(ValidationError) as expected:
        field.model.model_validate({"value": ["a", {}]})

    assert field.refusal({"L": [{"S": "a"}, {"M": {}}]})["loc"] == expected.value.errors()[0]["loc"]
    assert Field(Frozen).refusal({"S": "x"})["type"] == "int_parsing"
    assert Field(Frozen).load({"S": "7"}) == Frozen(7)


def test_a_root_that_is_missing_or_wrong_in_an_instance_is_refused_with_its_path():
    assert Field(Name).refusal_to_store(Name.model_construct(3))["loc"] == ("value",)
    forgotten = Name.model_construct("x")
    del forgotten.__dict__["root"]
    assert Field(Name).refusal_to_store(forgotten)["type"] == "missing"
    assert Field(Name).refusal_to_store("a")["type"] == "model_type"


def test_constraints_of_the_root_hold():
    short = RootModel[Annotated[str, PydanticField(max_length=2)]]

    assert Field(short).refusal({"S": "abc"})["type"] == "string_too_long"


@pytest.mark.parametrize(("model", "root"), [(Name, "a"), (Five, 5), (Tags, ["a"]), (Frozen, 1)])
def test_the_instance_is_what_model_validate_makes(model, root):
    expected = model.model_validate(root)

    loaded = Field(model).load(Field(model).store(expected))

    assert type(loaded) is model
    assert vars(loaded) == vars(expected)
    assert loaded.model_fields_set == expected.model_fields_set == {"root"}
    assert (loaded.model_extra, loaded.__pydantic_private__) == (expected.model_extra, expected.__pydantic_private__)
    assert loaded.model_copy() == copy.deepcopy(loaded) == expected


def test_a_default_of_the_field_stands_for_an_absent_root_model():
    assert Field(Name, Name("z")).load(None) == Name("z")
    assert Field(Name | None, None).load(None) is None
    assert Field(Five).refusal(None)["type"] == "missing"


def test_post_init_and_private_attributes_are_as_under_model_validate():
    class Counted(RootModel[list[int]]):
        _total: int = PrivateAttr(default=0)

        def model_post_init(self, context: Any, /) -> None:
            self._total = sum(self.root)

    loaded = Field(Counted).load({"L": [{"N": "1"}, {"N": "2"}]})

    assert loaded._total == Counted.model_validate([1, 2])._total == 3


def test_what_post_init_raises_is_refused_with_the_fields_path():
    class Picky(RootModel[int]):
        def model_post_init(self, context: Any, /) -> None:
            raise ValueError("never")

    assert Field(Picky).refusal({"N": "1"})["loc"] == ("value",)


def test_an_init_of_its_own_is_not_called_as_under_model_validate():
    class Doubled(RootModel[int]):
        def __init__(self, root: int) -> None:
            super().__init__(root * 2)

    assert Field(Doubled).load({"N": "3"}) == Doubled.model_validate(3)
    assert Field(Doubled).load({"N": "3"}).root == 3


def test_a_strict_root_model_refuses_what_pydantic_refuses():
    class Strict(RootModel[int]):
        model_config = ConfigDict(strict=True)

    assert Field(Strict).refusal({"S": "5"})["type"] == "int_type"


def test_what_is_stored_for_a_root_that_may_be_none_reads_as_pydantics_json_does():
    annotation = RootModel[int | None] | None
    field = Field(annotation)

    stored = field.store(RootModel[int | None](None))

    assert field.load(stored) is TypeAdapter(annotation).validate_json("null") is None


def test_a_root_model_may_be_a_key_where_its_root_may():
    class Account(BaseModel):
        id: Annotated[Name, PartitionKey]
        count: int = 0

    with Client.local() as client:
        accounts = client.table(Account, name="accounts")
        accounts.create_table()
        accounts.put(Account(id=Name("a"), count=1))
        assert accounts.get("a") == accounts.get(Name("a")) == Account(id=Name("a"), count=1)
        assert list(accounts.query(expr(Account).id == "a")) == [Account(id=Name("a"), count=1)]

    class Listed(BaseModel):
        id: Annotated[Tags, PartitionKey]

    with pytest.raises(SchemaError, match=r"Listed\.id"):
        ItemAdapter(Listed)


def test_conditions_reach_into_a_root_with_and_without_its_name():
    class Post(BaseModel):
        id: Annotated[str, PartitionKey]
        tags: Tags
        places: Places

    post = Post(id="a", tags=Tags(["x", "y"]), places=Places({"home": Place(city="Ulm")}))
    fields = expr(Post)
    with Client.local() as client:
        posts = client.table(Post, name="posts")
        posts.create_table()
        posts.put(post)
        for condition in (
            fields.tags.root[1] == "y",
            fields.tags[1] == "y",
            fields.places.root["home"].city == "Ulm",
            fields.tags == ["x", "y"],
            fields.tags == Tags(["x", "y"]),
        ):
            assert list(posts.scan(where=condition)) == [post]


def test_attribute_names_no_root():
    with pytest.raises(SchemaError, match=r"Holder\.value"):
        Field(RootModel[Annotated[int, Attribute(name="x")]])


@pytest.mark.parametrize("root", [Place, Note, dict[str, int], list[int]], ids=repr)
def test_a_root_model_is_no_item_and_the_refusal_says_what_is(root):
    with pytest.raises(UnsupportedTypeError, match=r"root model"):
        ItemAdapter(RootModel[root])


def test_a_discriminated_union_may_be_a_root():
    class Cat(BaseModel):
        kind: Literal["cat"] = "cat"

    class Dog(BaseModel):
        kind: Literal["dog"] = "dog"

    pet = RootModel[Annotated[Cat | Dog, PydanticField(discriminator="kind")]]
    Field(pet).check_round_trip(pet(Dog()))


def test_a_part_that_is_refused_is_told_with_its_path():
    with pytest.raises(UnsupportedTypeError, match=r"Holder\.value\.root"):
        Field(RootModel[type[int]])


def test_subclasses_are_stored_by_the_declared_root():
    class Special(Name):
        pass

    field = Field(Name)

    assert field.store(Special("a")) == {"S": "a"}
    assert json.loads(field.adapter.dump_wire(field.model(value=Special("a")))) == {"value": {"S": "a"}}
    with pytest.raises(InvalidItem):
        Field(Special).store_instance(Field(Special).model.model_construct(value=Name("a")))
