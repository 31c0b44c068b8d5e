"""Instances of every making: what the class declares and how the instance came about is no trouble, or told with its path."""

import dataclasses
import functools
import pickle
from dataclasses import InitVar, field
from typing import Annotated, Any, ClassVar, Generic, Optional, TypeVar

import pydantic.dataclasses
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, PrivateAttr, TypeAdapter, create_model
from typing_extensions import NotRequired, Required, TypedDict

from oxidyn import Attribute, InvalidItem, ItemAdapter, UnsupportedTypeError
from tests.codec.judges import Field, check_round_trip

T = TypeVar("T")
K = TypeVar("K")


def refusals(adapter: ItemAdapter[Any], instance: Any) -> set[tuple[Any, ...]]:
    """The paths and kinds of the errors by which an instance is refused."""
    with pytest.raises(InvalidItem) as caught:
        adapter.dump_wire(instance)
    return {(*error["loc"], error["type"]) for error in caught.value.errors()}


# ---- dataclasses ----


@pytest.mark.parametrize("decorate", [dataclasses.dataclass, pydantic.dataclasses.dataclass])
@pytest.mark.parametrize("options", [{}, {"slots": True}, {"frozen": True}, {"kw_only": True}, {"eq": False}], ids=str)
def test_a_dataclass_of_any_kind_comes_back(decorate, options):
    @decorate(**options)
    class Record:
        id: str
        rank: int = 1
        parts: list[int] = field(default_factory=list)
        kind: ClassVar[str] = "record"

    adapter = ItemAdapter(Record)
    loaded = adapter.load_wire(adapter.dump_wire(Record(id="a", rank=2, parts=[3])))

    assert type(loaded) is Record
    assert (loaded.id, loaded.rank, loaded.parts) == ("a", 2, [3])
    defaults = adapter.load_item({"id": {"S": "a"}})
    assert (defaults.rank, defaults.parts) == (1, [])
    assert dataclasses.asdict(loaded) == {"id": "a", "rank": 2, "parts": [3]}


def test_an_init_only_value_is_not_stored_and_post_init_gets_its_default():
    @dataclasses.dataclass
    class Scaled:
        value: int
        factor: InitVar[int] = 3
        made: int = field(init=False, default=0)

        def __post_init__(self, factor: int) -> None:
            self.made = self.value * factor

    adapter = ItemAdapter(Scaled)

    assert adapter.dump_item(Scaled(2, 5)) == {"value": {"N": "2"}, "made": {"N": "10"}}
    assert adapter.load_item({"value": {"N": "2"}}) == TypeAdapter(Scaled).validate_python({"value": 2}) == Scaled(2)


def test_an_init_only_value_without_a_default_is_refused_when_compiled():
    @dataclasses.dataclass
    class Secretive:
        value: int
        key: InitVar[str]

        def __post_init__(self, key: str) -> None: ...

    with pytest.raises(UnsupportedTypeError, match=r"Secretive\.key: an InitVar without a default"):
        ItemAdapter(Secretive)


def test_a_field_that_init_does_not_take_is_stored_where_it_has_a_default():
    @dataclasses.dataclass
    class Counted:
        value: int
        made: int = field(init=False, default=0)

    counted = Counted(1)
    counted.made = 5

    check_round_trip(ItemAdapter(Counted), counted)
    assert ItemAdapter(Counted).load_item({"value": {"N": "1"}}) == Counted(1)


def test_a_field_that_init_does_not_take_and_that_has_no_default_is_unknown_to_pydantic_and_made_by_post_init():
    @dataclasses.dataclass
    class Doubled:
        value: int
        made: int = field(init=False)

        def __post_init__(self) -> None:
            self.made = self.value * 2

    adapter = ItemAdapter(Doubled)

    assert TypeAdapter(Doubled).dump_python(Doubled(1)) == {"value": 1}
    assert adapter.dump_item(Doubled(1)) == {"value": {"N": "1"}}
    assert adapter.load_item({"value": {"N": "1"}}) == Doubled(1)


def test_dataclasses_that_inherit_and_replace_fields_come_back():
    @dataclasses.dataclass
    class Base:
        id: str
        value: Any = None

    @dataclasses.dataclass
    class Child(Base):
        value: int = 0
        parts: "list[Child]" = field(default_factory=list)

    Child.__pydantic_config__ = ConfigDict()  # type: ignore[attr-defined]
    child = Child("a", 1)

    check_round_trip(ItemAdapter(Child), child)
    assert ItemAdapter(Base).dump_item(child) == {"id": {"S": "a"}, "value": {"N": "1"}}


def test_a_generic_dataclass_comes_back():
    @pydantic.dataclasses.dataclass
    class Pair(Generic[T]):
        left: T
        right: list[T]

    Field(Pair[int]).check_round_trip(Pair[int](1, [2]))
    assert Field(Pair[int]).refusal({"M": {"left": {"S": "x"}, "right": {"L": []}}})["loc"] == ("value", "left")


# ---- models ----


class Page(BaseModel, Generic[T]):
    items: list[T]
    after: "Page[T] | None" = None


class Table(BaseModel, Generic[K, T]):
    rows: dict[K, Page[T]] = {}


def test_recursive_generics_come_back():
    page = Page[int](items=[1], after=Page[int](items=[2], after=Page[int](items=[])))

    check_round_trip(ItemAdapter(Page[int]), page)
    check_round_trip(ItemAdapter(Table[int, int]), Table[int, int](rows={1: page}))
    check_round_trip(ItemAdapter(Page[Page[str]]), Page[Page[str]](items=[Page[str](items=["a"])]))
    wrong = {"items": {"L": []}, "after": {"M": {"items": {"L": [{"S": "x"}]}}}}
    with pytest.raises(InvalidItem) as caught:
        ItemAdapter(Page[int]).load_item(wrong)
    assert caught.value.errors()[0]["loc"] == ("after", "items", 0)


def test_an_unbound_type_variable_is_stored_without_a_type():
    check_round_trip(ItemAdapter(Page), Page(items=[1, "a", None]))


class Base(BaseModel):
    id: str
    rank: int | None = 1


class Child(Base):
    rank: int = 2  # type: ignore[assignment]
    name: Annotated[str, Attribute(name="n")] = ""


class Mixed(Child, Generic[T]):
    model_config = ConfigDict(frozen=True)
    value: T


@given(st.builds(Mixed[int], id=st.text(), rank=st.integers(0, 9), name=st.text(), value=st.integers(0, 9)))
def test_models_that_inherit_and_replace_fields_come_back(mixed):
    check_round_trip(ItemAdapter(Mixed[int]), mixed)
    assert set(ItemAdapter(Base).dump_item(mixed)) == {"id", "rank"}
    assert hash(ItemAdapter(Mixed[int]).load_wire(ItemAdapter(Mixed[int]).dump_wire(mixed))) == hash(mixed)


def test_private_attributes_of_every_kind_are_as_under_model_validate():
    class Counted(BaseModel):
        value: int
        _plain: int = 7
        _made: list[int] = PrivateAttr(default_factory=list)
        _unset: str = PrivateAttr()

    class Inherited(Counted):
        _more: int = 8

    for model in (Counted, Inherited):
        instance = model(value=1)
        instance._plain = 9
        adapter = ItemAdapter(model)
        loaded = adapter.load_wire(adapter.dump_wire(instance))

        assert loaded.__pydantic_private__ == model.model_validate({"value": 1}).__pydantic_private__
        assert loaded == model(value=1)
        with pytest.raises(AttributeError):
            _ = loaded._unset
        loaded._made.append(1)
        assert adapter.load_item({"value": {"N": "1"}})._made == []


class Order(BaseModel):
    id: str
    count: int = 1
    parts: list[Base] = []
    named: dict[str, Base] = {}


ORDER = ItemAdapter(Order)


def test_a_constructed_instance_with_missing_or_wrong_values_is_refused_with_their_paths():
    assert refusals(ORDER, Order.model_construct()) == {("id", "missing")}
    assert refusals(
        ORDER,
        Order.model_construct(
            id=5,
            count="many",
            parts=[Base.model_construct(rank="r")],
            named={"x": Base.model_construct(id=b"a", rank=1)},
        ),
    ) == {
        ("id", "string_type"),
        ("count", "int_type"),
        ("parts", 0, "id", "missing"),
        ("parts", 0, "rank", "int_type"),
        ("named", "x", "id", "string_type"),
    }
    assert refusals(ORDER, Order.model_construct(id="a", parts=[{"id": "a"}])) == {("parts", 0, "model_type")}
    assert refusals(ORDER, Order.model_construct(id="a", named={"x": None})) == {("named", "x", "model_type")}


@pytest.mark.parametrize(
    "value",
    [None, 5, "x", b"", [], {}, object(), Order, type, float("nan"), ..., (1,)],
    ids=lambda value: type(value).__name__,
)
def test_whatever_a_constructed_instance_holds_is_refused_and_never_a_crash(value):
    for name in Order.model_fields:
        instance = Order.model_construct(id="a", count=1, parts=[], named={}).model_copy(update={name: value})
        try:
            wire = ORDER.dump_wire(instance)
        except InvalidItem as error:
            assert error.errors()[0]["loc"][0] == name  # noqa: PT017
        else:
            assert ORDER.load_wire(wire) == Order.model_validate(vars(instance))


def test_instances_without_dict_or_slots_of_their_own_are_refused_with_every_path():
    bare = Order.__new__(Order)
    assert refusals(ORDER, bare) == {
        ("id", "missing"),
        ("count", "missing"),
        ("parts", "missing"),
        ("named", "missing"),
    }
    assert refusals(ItemAdapter(Order, unset="skip"), bare) == refusals(ORDER, bare)
    assert refusals(ItemAdapter(Order, unknown="keep"), bare) == refusals(ORDER, bare)

    @dataclasses.dataclass(slots=True)
    class Slotted:
        value: int

    assert refusals(ItemAdapter(Slotted), Slotted.__new__(Slotted)) == {("value", "missing")}


@pytest.mark.parametrize("unset", ["store", "skip"])
def test_constructed_instances_that_are_whole_come_back(unset):
    adapter = ItemAdapter(Order, unset=unset)
    order = Order.model_construct(id="a", parts=[Base.model_construct(id="b")])

    check_round_trip(adapter, order)
    odd = Order.model_construct(_fields_set={"id", "nothing"}, id="a")
    assert adapter.load_wire(adapter.dump_wire(odd)) == odd


def test_validate_assignment_holds_for_what_was_loaded():
    class Guarded(BaseModel):
        model_config = ConfigDict(validate_assignment=True)
        value: int

    loaded = ItemAdapter(Guarded).load_item({"value": {"N": "1"}})

    loaded.value = "5"  # type: ignore[assignment]
    assert loaded.value == 5
    with pytest.raises(pydantic.ValidationError):
        loaded.value = "x"  # type: ignore[assignment]
    assert pickle.loads(pickle.dumps(ORDER.load_item({"id": {"S": "a"}}))) == Order(id="a")


def test_what_cached_properties_left_is_not_stored_nor_read():
    class Circle(BaseModel):
        model_config = ConfigDict(frozen=True)
        radius: int
        note: str | None = None

        @functools.cached_property
        def area(self) -> int:
            return 3 * self.radius**2

    @dataclasses.dataclass
    class Disc:
        radius: int

        @functools.cached_property
        def area(self) -> int:
            return 3 * self.radius**2

    for model in (Circle, Disc):
        instance = model(radius=2)
        assert instance.area == 12
        adapter = ItemAdapter(model)
        assert adapter.dump_item(instance) == {"radius": {"N": "2"}}
        loaded = adapter.load_item({"radius": {"N": "3"}, "area": {"N": "12"}})
        assert "area" not in vars(loaded)
        assert loaded.area == 27


def test_a_typed_dicts_keys_may_be_required_or_not():
    class Entry(TypedDict, total=False):
        id: Required[str]
        note: Optional[str]  # noqa: UP045
        rank: NotRequired[int]

    adapter = ItemAdapter(Entry)

    for entry in ({"id": "a"}, {"id": "a", "note": None}, {"id": "a", "note": "b", "rank": 1}):
        check_round_trip(adapter, entry)
    assert refusals(adapter, {"note": 5}) == {("id", "missing"), ("note", "string_type")}


def test_models_made_at_run_time_and_with_odd_field_names_come_back():
    names = ["self", "data", "class_", "Ⅷ", "model", "items", "_x".strip("_") * 60]
    model = create_model("Odd", **{name: (int, number) for number, name in enumerate(names)})  # type: ignore[call-overload]

    check_round_trip(ItemAdapter(model), model())
    check_round_trip(ItemAdapter(model), model(**dict.fromkeys(names, 9)))
