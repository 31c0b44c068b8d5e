"""`Model`: an ordinary Pydantic model, but for its class attributes, which are references to its fields."""

import copy
import gc
import inspect
import pickle
import threading
import typing
import warnings
import weakref
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID, uuid4

import pydantic
import pytest
from pydantic import BaseModel, ConfigDict, Field, create_model

from oxidyn import All, Index, KeysOnly, Model, PartitionKey, SchemaError, SortKey, attr, expr
from oxidyn.expressions import Ref

T = TypeVar("T")


class Address(BaseModel):
    city: str
    size: int = 0


class User(Model, table="users", indexes={"by_email": KeysOnly()}):
    org: Annotated[str, PartitionKey]
    id: Annotated[UUID, SortKey]
    email: Annotated[str, Index("by_email", partition=True)] = ""
    age: int
    nick: str | None = None
    address: Address | None = None
    get: int = 0
    query: str = ""
    path: str = ""
    items: list[int] = []
    save: bool = False
    size: int = 0


class Node(Model):
    name: str
    parent: "Node | None" = None


def _user(**values: Any) -> User:
    return User(**{"org": "acme", "id": uuid4(), "age": 3, **values})


# References


@pytest.mark.parametrize("name", ["age", "nick", "address", "get", "query", "path", "items", "save", "size"])
def test_class_attribute_is_a_reference_to_the_field(name):
    reference = getattr(User, name)

    assert isinstance(reference, Ref)
    assert reference.__oxidyn_path__ == (name,)
    assert reference.__oxidyn_model__ is User


@pytest.mark.parametrize("name", ["get", "query", "path", "items", "save", "size"])
def test_field_of_any_name_keeps_its_own_default_and_value(name):
    plain = User.model_fields[name].get_default(call_default_factory=True)

    assert getattr(_user(), name) == plain
    assert type(getattr(_user(), name)) is type(plain)


def test_required_field_named_get_is_required():
    class Thing(Model):
        get: int

    with pytest.raises(pydantic.ValidationError):
        Thing()


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="User has no field 'agee'; it has .*age, "):
        _ = User.agee
    assert not hasattr(User, "agee")


def test_reference_reads_on_into_nested_fields_and_places():
    reference = User.address.city

    assert reference.__oxidyn_path__ == ("address", "city")
    assert User.address.size.__oxidyn_path__ == ("address", "size")
    assert User.items[2].__oxidyn_path__ == ("items", 2)


def test_field_that_pydantic_has_a_method_for_is_reached_by_expr():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message='Field name "copy"', category=UserWarning)

        class Page(Model):
            copy: str = ""

    assert not isinstance(Page.copy, Ref)
    assert expr(Page).copy.__oxidyn_path__ == ("copy",)
    assert Page(copy="x").copy == "x"


def test_private_attributes_and_class_variables_are_not_references():
    class Thing(Model):
        id: str
        _seen: int = 0

    assert not hasattr(Thing, "_other")
    with pytest.raises(AttributeError):
        _ = Thing._other
    assert Thing(id="a")._seen == 0


# Subclasses


def test_subclass_has_references_of_its_own():
    class Admin(User):
        level: int = 1

    assert Admin.level.__oxidyn_model__ is Admin
    assert Admin.age.__oxidyn_model__ is Admin
    assert User.age.__oxidyn_model__ is User


def test_inherited_required_field_stays_required():
    class Admin(User):
        level: int

    assert Admin.model_fields["age"].is_required()
    assert Admin.model_fields["level"].is_required()


def test_redeclared_field_is_required_and_warns_of_nothing():
    class Admin(User):
        age: int
        get: int

    assert Admin.model_fields["age"].is_required()
    assert Admin.model_fields["get"].is_required()


def test_grandchild_inherits_what_its_parent_redeclared():
    class Admin(User):
        age: int = 7

    class Root(Admin):
        level: int = 0

    assert Root(org="o", id=uuid4()).age == 7
    assert Root.age.__oxidyn_model__ is Root


def test_mixin_that_is_a_plain_model_gives_its_fields():
    class Stamped(BaseModel):
        at: datetime

    class Event(Stamped, Model, table="events"):
        id: str

    assert Event.at.__oxidyn_path__ == ("at",)
    assert Event.model_fields["at"].is_required()


def test_class_built_inside_another_ones_hook_sees_no_references():
    seen: list[bool] = []

    class Hooked(Model):
        age: int

        @classmethod
        def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
            super().__pydantic_init_subclass__(**kwargs)
            create_model("Inner", __base__=Model, x=(int, ...))
            seen.append(hasattr(cls, "age"))

    class Child(Hooked):
        pass

    assert seen == [False]
    assert isinstance(Child.age, Ref)


def test_building_a_class_in_one_thread_hides_no_reference_in_another():
    inside, done = threading.Event(), threading.Event()

    class Slow(Model):
        age: int

        @classmethod
        def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
            super().__pydantic_init_subclass__(**kwargs)
            inside.set()
            assert done.wait(20)

    thread = threading.Thread(target=lambda: type(Model)("Child", (Slow,), {"__module__": __name__}))
    thread.start()
    try:
        assert inside.wait(20)
        assert isinstance(User.age, Ref)
    finally:
        done.set()
        thread.join()


# Class keywords


def test_subclass_inherits_the_table_unless_it_names_its_own():
    class Admin(User):
        pass

    class Guest(User, table="guests"):
        pass

    assert Admin.__oxidyn_table__ == "users"
    assert Guest.__oxidyn_table__ == "guests"
    assert User.__oxidyn_table__ == "users"
    assert Model.__oxidyn_table__ is None


def test_subclass_inherits_indexes_and_adds_its_own():
    class Admin(User, indexes={"by_level": All()}):
        level: Annotated[int, Index("by_level", partition=True)] = 0

    assert Admin.__oxidyn_indexes__ == {"by_email": KeysOnly(), "by_level": All()}
    assert User.__oxidyn_indexes__ == {"by_email": KeysOnly()}


def test_class_keywords_stand_beside_pydantics_own():
    class Frozen(Model, table="frozen", frozen=True):
        id: str

    assert Frozen.model_config["frozen"] is True
    with pytest.raises(pydantic.ValidationError):
        Frozen(id="a").id = "b"


def test_class_keyword_of_a_users_own_hook_arrives():
    class Base(Model):
        def __init_subclass__(cls, *, tag: str = "", **kwargs: Any) -> None:
            super().__init_subclass__(**kwargs)
            cls.__tag__ = tag

        @classmethod
        def __pydantic_init_subclass__(cls, *, tag: str = "", **kwargs: Any) -> None:
            super().__pydantic_init_subclass__(**kwargs)

    class Child(Base, tag="x", table="t"):
        id: str

    assert Child.__tag__ == "x"
    assert Child.__oxidyn_table__ == "t"


def test_table_that_is_no_name_is_refused():
    with pytest.raises(SchemaError, match="Thing: table=''"):
        type(Model)("Thing", (Model,), {"__module__": __name__}, table="")


def test_index_option_that_is_none_of_ours_is_refused():
    with pytest.raises(SchemaError, match="expected All"):
        type(Model)("Thing", (Model,), {"__module__": __name__}, indexes={"by_x": "KEYS_ONLY"})
    with pytest.raises(SchemaError, match="indexes= expected a dict.*found list"):
        type(Model)("Thing", (Model,), {"__module__": __name__}, indexes=["by_x"])


# Ways to make a class


def test_generic_model_and_its_parametrization_have_references():
    class Box(Model, Generic[T], table="boxes"):
        id: str
        content: T

    boxed = Box[int]

    assert Box.content.__oxidyn_model__ is Box
    assert boxed.content.__oxidyn_model__ is boxed
    assert boxed.__oxidyn_table__ == "boxes"
    assert boxed.model_fields["content"].is_required()
    assert boxed(id="a", content=1).content == 1


def test_subclass_of_a_parametrized_generic_keeps_required_fields():
    class Box(Model, Generic[T]):
        content: T

    class IntBox(Box[int]):
        content: int

    assert IntBox.model_fields["content"].is_required()


def test_create_model_gives_references():
    made = create_model("Made", __base__=User, level=(int, ...))

    assert made.level.__oxidyn_model__ is made
    assert made.model_fields["level"].is_required()
    assert made.model_fields["age"].is_required()


def test_recursive_model_is_complete_at_once():
    assert Node.parent.name.__oxidyn_path__ == ("parent", "name")


def test_reference_on_an_incomplete_model_names_model_rebuild():
    class Order(Model):
        id: str
        buyer: "Buyer"

    with pytest.raises(AttributeError, match=r"Order\.model_rebuild\(\)"):
        _ = Order.id

    class Buyer(BaseModel):
        name: str

    Order.model_rebuild()

    assert isinstance(Order.id, Ref)
    assert Order.model_fields["buyer"].is_required()
    assert Order(id="a", buyer={"name": "b"}).buyer == Buyer(name="b")


def test_rebuilding_a_subclass_takes_no_reference_for_a_default():
    class Base(Model):
        id: str
        age: int

    class Child(Base):
        age: int
        other: "Other"

    class Other(BaseModel):
        name: str

    Child.model_rebuild()

    assert Child.model_fields["id"].is_required()
    assert Child.model_fields["age"].is_required()
    assert Child.model_fields["other"].is_required()


def test_model_that_defers_its_building_is_completed_by_expr():
    class Later(Model):
        model_config = ConfigDict(defer_build=True)
        id: str

    with pytest.raises(AttributeError, match="model_rebuild"):
        _ = Later.id

    assert expr(Later).id.__oxidyn_path__ == ("id",)
    assert isinstance(Later.id, Ref)


def test_first_instance_of_a_deferred_model_completes_it():
    class Later(Model):
        model_config = ConfigDict(defer_build=True)
        id: str

    Later(id="a")

    assert isinstance(Later.id, Ref)


def test_expr_of_a_model_that_cannot_be_completed_says_what_is_missing():
    class Order(Model):
        buyer: "Missing"  # noqa: F821

    with pytest.raises(SchemaError, match=r"Order is not complete: it refers to Missing"):
        expr(Order)


# Instances


def test_instance_is_pickled_and_copied_as_any_model():
    user = _user(nick="a", address=Address(city="Ulm"), items=[1])

    assert pickle.loads(pickle.dumps(user)) == user
    assert copy.copy(user) == user
    assert copy.deepcopy(user) == user
    assert user.model_copy(deep=True) == user
    assert pickle.loads(pickle.dumps(User)) is User
    assert copy.deepcopy(User) is User


def test_instance_dumps_and_validates_as_any_model():
    user = _user(nick="a")

    assert User.model_validate(user.model_dump()) == user
    assert User.model_validate_json(user.model_dump_json()) == user


def test_declaring_and_using_a_model_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        class Parent(Model, table="t"):
            id: Annotated[str, PartitionKey]
            get: int
            count: int = Field(default=0)

        class Child(Parent):
            get: int
            count: int

        Child.model_json_schema()
        _ = (Child.get > 1) & (attr(Child.count) < 2)

    assert Child.model_fields["count"].is_required()


def test_signature_and_json_schema_are_a_plain_models():
    fields: dict[str, Any] = {"id": (str, ...), "get": (int, 3), "at": (datetime | None, None)}
    ours, plain = create_model("Thing", __base__=Model, **fields), create_model("Thing", **fields)

    assert inspect.signature(ours) == inspect.signature(plain)
    assert typing.get_type_hints(ours) == typing.get_type_hints(plain)
    for mode in ("validation", "serialization"):
        assert ours.model_json_schema(mode=mode) == plain.model_json_schema(mode=mode)


def test_attribute_that_only_an_instance_has_is_no_reference():
    user = _user()

    assert user.age == 3
    assert user.nick is None


def test_model_has_no_public_name_of_its_own():
    own = {name for name in vars(Model) if not name.startswith("_")}

    assert own <= {
        name for name in vars(type("Plain", (BaseModel,), {"__module__": __name__})) if not name.startswith("_")
    }
    assert {name for name in dir(Model) if not name.startswith("_")} == {
        name for name in dir(BaseModel) if not name.startswith("_")
    }


def test_class_that_is_gone_is_collected():
    made = create_model("Made", __base__=Model, id=(str, ...))
    assert expr(made).id is not None
    gone = weakref.ref(made)

    del made
    gc.collect()

    assert gone() is None
