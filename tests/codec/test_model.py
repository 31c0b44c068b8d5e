from __future__ import annotations

import copy
import functools
import json
import pickle
import threading
from typing import Annotated, Any, Generic, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    computed_field,
    create_model,
)
from pydantic.alias_generators import to_camel

from oxidyn import Attribute, InvalidItem, ItemAdapter, OxidynError
from tests.codec.judges import check_round_trip

T = TypeVar("T")


class Place(BaseModel):
    city: str
    zip: int


class Line(BaseModel):
    sku: str
    count: int = 1
    note: str | None = None
    places: list[Place] = []


class Order(BaseModel):
    id: str
    lines: list[Line]
    home: Place | None = None


ORDER = ItemAdapter(Order)


def stored(adapter: ItemAdapter[Any], instance: Any) -> Any:
    return json.loads(adapter.dump_wire(instance))


def load(adapter: ItemAdapter[Any], item: Any) -> Any:
    return adapter.load_wire(json.dumps(item).encode())


def refusal(adapter: ItemAdapter[Any], item: Any) -> Any:
    with pytest.raises(InvalidItem) as caught:
        load(adapter, item)
    [error] = caught.value.errors()
    return error


def test_models_are_stored_as_m():
    order = Order(id="a", lines=[Line(sku="x", places=[Place(city="Ulm", zip=89073)])])

    assert stored(ORDER, order) == {
        "id": {"S": "a"},
        "lines": {
            "L": [
                {
                    "M": {
                        "sku": {"S": "x"},
                        "count": {"N": "1"},
                        "places": {"L": [{"M": {"city": {"S": "Ulm"}, "zip": {"N": "89073"}}}]},
                    }
                }
            ]
        },
    }


places = st.builds(Place, city=st.text(), zip=st.integers(-(10**20), 10**20))
lines = st.builds(
    Line,
    sku=st.text(),
    count=st.integers(0, 99),
    note=st.none() | st.text(),
    places=st.lists(places, max_size=2),
)
orders = st.builds(Order, id=st.text(), lines=st.lists(lines, max_size=4), home=st.none() | places)


@given(orders)
def test_any_nested_model_comes_back(order):
    check_round_trip(ORDER, order)


@given(orders)
def test_the_order_of_attributes_does_not_matter(order):
    def reversed_maps(value: Any) -> Any:
        match value:
            case dict():
                return {name: reversed_maps(each) for name, each in reversed(value.items())}
            case list():
                return [reversed_maps(each) for each in value]
            case _:
                return value

    assert load(ORDER, reversed_maps(stored(ORDER, order))) == order


def test_a_wrong_value_is_refused_with_its_path():
    item = {"id": {"S": "a"}, "lines": {"L": [{"M": {"sku": {"S": "x"}, "count": {"S": "many"}}}]}}

    assert refusal(ORDER, item)["loc"] == ("lines", 0, "count")


def test_a_wrong_value_in_an_instance_is_refused_with_its_path():
    order = Order(id="a", lines=[Line(sku="x", places=[Place(city="Ulm", zip=1)])])
    order.lines[0].places[0].zip = "x"  # type: ignore[assignment]

    with pytest.raises(InvalidItem) as caught:
        ORDER.dump_wire(order)

    [error] = caught.value.errors()
    assert error["loc"] == ("lines", 0, "places", 0, "zip")


def test_a_missing_value_is_refused_with_its_path_as_pydantic_does():
    error = refusal(ORDER, {"id": {"S": "a"}, "lines": {"L": [{"M": {}}]}})

    assert (error["type"], error["loc"]) == ("missing", ("lines", 0, "sku"))


def test_every_refused_value_is_listed():
    with pytest.raises(InvalidItem) as caught:
        load(ORDER, {"id": {"N": "1"}, "lines": {"S": "x"}})

    assert {error["loc"] for error in caught.value.errors()} == {("id",), ("lines",)}


@pytest.mark.parametrize(
    ("second", "kind"),
    [
        ('{"N":"x"}', "number"),
        ('{"N":"1","S":"x"}', "wire"),
        ('{"N":"1", "S":"x"}', "wire"),
        ('{"S":"x"}', "int_parsing"),
        ('{"L":[{"L":[{"S":"x"}]}]}', "int_type"),
    ],
)
@pytest.mark.parametrize("blank", ["", " "])
def test_a_refused_value_among_others_is_passed_over_and_those_behind_it_are_read(second, kind, blank):
    Row = create_model("Row", a=(int, ...), b=(int, ...), c=(int, ...), d=(str, ...))
    adapter = ItemAdapter(Row)
    parts = ['{"a":{"N":"1"}', '"b":{"N":"2"}', '"c":{"N":"3"}', '"d":{"S":"4"}}']
    # Once, so that it is known what follows what.
    assert adapter.load_wire(f",{blank}".join(parts).encode()) == Row(a=1, b=2, c=3, d="4")

    parts[1], parts[3] = f'"b":{second}', '"d":{"BOOL":true}}'
    with pytest.raises(InvalidItem) as caught:
        adapter.load_wire(f",{blank}".join(parts).encode())

    assert [(error["loc"], error["type"]) for error in caught.value.errors()] == [
        (("b",), kind),
        (("d",), "string_type"),
    ]


def test_a_class_whose_new_gives_an_instance_of_another_is_loaded_as_pydantic_does():
    class Base(BaseModel):
        value: int

    class Other(Base):
        __slots__ = ("more",)

    class Changing(Base):
        def __new__(cls, *args: Any, **values: Any) -> Any:
            return Other.__new__(Other)

    loaded = ItemAdapter(Changing).load_wire(b'{"value":{"N":"1"}}')

    assert type(loaded) is Other
    assert (loaded.value, loaded.model_fields_set, loaded.model_extra) == (1, {"value"}, None)


def test_refusal_is_an_oxidyn_error_and_a_validation_error_that_hides_its_inputs():
    with pytest.raises(InvalidItem) as caught:
        load(ORDER, {"id": {"L": [{"S": "hunter2"}]}, "lines": {"L": []}})

    assert isinstance(caught.value, OxidynError)
    assert isinstance(caught.value, ValidationError)
    assert "hunter2" not in str(caught.value)
    assert "Order" in str(caught.value)


def test_another_class_is_refused_with_its_path():
    order = Order(id="a", lines=[])
    order.lines.append(Place(city="Ulm", zip=1))  # type: ignore[arg-type]

    with pytest.raises(InvalidItem) as caught:
        ORDER.dump_wire(order)

    assert caught.value.errors()[0]["loc"] == ("lines", 0)
    with pytest.raises(InvalidItem):
        ORDER.dump_wire({"id": "a", "lines": []})  # type: ignore[arg-type]


def test_an_instance_of_a_subclass_is_stored_by_the_fields_that_are_declared():
    class Special(Line):
        extra: int = 5

    assert "extra" not in stored(ORDER, Order(id="a", lines=[Special(sku="x")]))["lines"]["L"][0]["M"]


def test_attributes_that_are_no_field_are_skipped_at_every_depth():
    junk = {"M": {"a": {"L": [{"NS": ["1"]}, {"BOOL": False}, {"NULL": True}, {"B": "YQ=="}]}}}
    item = {"x": junk, "id": {"S": "a"}, "lines": {"L": [{"M": {"y": junk, "sku": {"S": "s"}, "z": junk}}]}, "w": junk}

    assert load(ORDER, item) == Order(id="a", lines=[Line(sku="s")])


@pytest.mark.parametrize("extra", ["ignore", "forbid"])
def test_attributes_that_are_no_field_are_skipped_whatever_extra_says(extra):
    class Note(BaseModel, extra=extra):
        text: str

    assert load(ItemAdapter(Note), {"text": {"S": "a"}, "other": {"N": "1"}}) == Note(text="a")


def test_with_unknown_error_attributes_that_are_no_field_are_refused_with_their_path():
    adapter = ItemAdapter(Order, unknown="error")
    item = {"id": {"S": "a"}, "lines": {"L": [{"M": {"sku": {"S": "x"}, "other": {"N": "1"}}}]}}

    assert refusal(adapter, item)["loc"] == ("lines", 0, "other")
    assert refusal(adapter, {"id": {"S": "a"}, "lines": {"L": []}, "z": {"N": "1"}})["loc"] == ("z",)


def test_a_field_is_stored_under_attribute_name_else_its_serialization_alias_when_by_alias_is_on_else_its_name():
    class Named(BaseModel, serialize_by_alias=True):
        a: Annotated[int, Attribute(name="stored"), Field(alias="other")]
        b: Annotated[int, Field(serialization_alias="ser")]
        c: int

    class Plain(BaseModel):
        a: Annotated[int, Attribute(name="stored")]
        b: Annotated[int, Field(alias="other")]

    assert set(stored(ItemAdapter(Named), Named(other=1, b=2, c=3))) == {"stored", "ser", "c"}
    assert set(stored(ItemAdapter(Plain), Plain(a=1, other=2))) == {"stored", "b"}
    check_round_trip(ItemAdapter(Named), Named(other=1, b=2, c=3))
    check_round_trip(ItemAdapter(Plain), Plain(a=1, other=2))


@pytest.mark.parametrize(
    "alias",
    [
        Field(alias="A"),
        Field(validation_alias="A"),
        Field(validation_alias=AliasChoices("A", "B")),
        Field(validation_alias=AliasPath("A", 0)),
    ],
)
def test_any_alias_comes_back(alias):
    class Aliased(BaseModel):
        value: Annotated[int, alias]

    instance = Aliased.model_construct(value=5)
    instance.__pydantic_fields_set__.add("value")

    check_round_trip(ItemAdapter(Aliased), instance)


def test_a_path_names_the_field_not_its_alias_or_stored_name():
    class Aliased(BaseModel):
        value: Annotated[int, Field(alias="A"), Attribute(name="v")]

    assert refusal(ItemAdapter(Aliased), {"v": {"S": "x"}})["loc"] == ("value",)
    assert refusal(ItemAdapter(Aliased), {})["loc"] == ("value",)


def test_two_fields_with_one_stored_name_are_refused_when_compiled():
    class Twice(BaseModel):
        a: int
        b: Annotated[int, Attribute(name="a")]

    with pytest.raises(OxidynError, match=r"Twice"):
        ItemAdapter(Twice)


def test_names_with_quotes_and_beyond_ascii_come_back():
    class Named(BaseModel):
        a: Annotated[int, Attribute(name='"\\\n')]
        grün: int  # noqa: PLC2401 (Python allows it, so the wire must)

    check_round_trip(ItemAdapter(Named), Named(a=1, grün=2))


def test_absent_comes_back_as_the_default_or_the_factorys_value():
    class Defaults(BaseModel):
        plain: int = 5
        made: list[int] = Field(default_factory=lambda: [1])
        from_data: int = Field(default_factory=lambda data: data["plain"] + 1)
        mutable: list[int] = [1]

    adapter = ItemAdapter(Defaults)
    loaded = load(adapter, {})

    assert loaded == Defaults()
    assert loaded.model_fields_set == set()
    loaded.made.append(2)
    loaded.mutable.append(2)
    assert load(adapter, {}) == Defaults()


def test_model_fields_set_is_what_was_stored_as_under_model_validate():
    class Note(BaseModel):
        text: str
        stars: int = 0

    adapter = ItemAdapter(Note)

    assert load(adapter, {"text": {"S": "a"}}).model_fields_set == {"text"}
    assert load(adapter, {"text": {"S": "a"}, "stars": {"N": "0"}}).model_fields_set == {"text", "stars"}


def test_unset_fields_are_stored_with_their_default():
    assert stored(ORDER, Order(id="a", lines=[Line(sku="x")]))["lines"]["L"][0]["M"]["count"] == {"N": "1"}


def test_with_unset_skip_fields_never_set_whose_default_is_a_plain_value_are_left_out():
    class Options(BaseModel):
        text: str
        stars: int = 0
        made: list[int] = Field(default_factory=list)
        inner: Line | None = None

    adapter = ItemAdapter(Options, unset="skip")

    assert set(stored(adapter, Options(text="a"))) == {"text", "made"}
    assert set(stored(adapter, Options(text="a", stars=0))) == {"text", "made", "stars"}
    assert set(stored(adapter, Options(text="a", inner=Line(sku="x")))["inner"]["M"]) == {"sku"}
    check_round_trip(adapter, Options(text="a"))


def test_exclude_is_an_api_matter_the_field_is_stored():
    class Secretive(BaseModel):
        shown: int
        hidden: int = Field(exclude=True)

    adapter = ItemAdapter(Secretive)

    assert set(stored(adapter, Secretive(shown=1, hidden=2))) == {"shown", "hidden"}
    assert load(adapter, stored(adapter, Secretive(shown=1, hidden=2))).hidden == 2


def test_computed_fields_and_private_attributes_are_not_stored():
    class Box(BaseModel):
        side: int
        _cache: int = PrivateAttr(default=7)

        @computed_field
        @property
        def area(self) -> int:
            return self.side**2

    box = Box(side=3)
    box._cache = 9
    adapter = ItemAdapter(Box)

    assert stored(adapter, box) == {"side": {"N": "3"}}
    assert load(adapter, {"side": {"N": "3"}})._cache == 7


def test_private_attributes_and_post_init_behave_as_under_model_validate():
    class Hooked(BaseModel):
        value: int
        _made: list[int] = PrivateAttr(default_factory=list)

        def model_post_init(self, context: Any, /) -> None:
            self._made.append(self.value)

    loaded = load(ItemAdapter(Hooked), {"value": {"N": "3"}})

    assert loaded._made == [3]


def test_a_custom_init_behaves_as_under_model_validate():
    class Counting(BaseModel):
        value: int

        def __init__(self, **data: Any) -> None:
            super().__init__(**{name: each + 1 if isinstance(each, int) else each for name, each in data.items()})

    assert load(ItemAdapter(Counting), {"value": {"N": "3"}}).value == Counting.model_validate({"value": 3}).value


def test_frozen_and_slotted_instances_are_whole():
    class Frozen(BaseModel, frozen=True):
        value: int

    loaded = load(ItemAdapter(Frozen), {"value": {"N": "3"}})

    assert hash(loaded) == hash(Frozen(value=3))
    assert loaded.model_copy(update={"value": 4}).value == 4
    assert loaded.model_extra is None
    assert loaded.__pydantic_private__ is None


def test_a_strict_model_refuses_what_pydantic_refuses():
    class Strict(BaseModel, strict=True):
        value: int
        text: str

    adapter = ItemAdapter(Strict)

    check_round_trip(adapter, Strict(value=1, text="a"))
    assert refusal(adapter, {"value": {"S": "5"}, "text": {"S": "a"}})["loc"] == ("value",)


def test_generic_models_come_back():
    class Page(BaseModel, Generic[T]):
        items: list[T]

    check_round_trip(ItemAdapter(Page[int]), Page[int](items=[1, 2]))
    assert refusal(ItemAdapter(Page[int]), {"items": {"L": [{"S": "x"}]}})["loc"] == ("items", 0)


def test_an_inherited_field_comes_back():
    class Base(BaseModel):
        a: int

    class Child(Base):
        b: int

    check_round_trip(ItemAdapter(Child), Child(a=1, b=2))


def test_a_model_with_no_value_is_an_empty_item():
    class Nothing(BaseModel):
        note: str | None = None

    assert ItemAdapter(Nothing).dump_wire(Nothing()) == b"{}"
    check_round_trip(ItemAdapter(Nothing), Nothing())


def test_a_deleted_attribute_is_an_error_with_its_path():
    order = Order(id="a", lines=[])
    del order.id

    with pytest.raises(InvalidItem) as caught:
        ORDER.dump_wire(order)

    assert caught.value.errors()[0]["loc"] == ("id",)


def test_values_beside_the_fields_in_the_instance_are_not_stored():
    class Circle(BaseModel):
        radius: int

        @functools.cached_property
        def area(self) -> int:
            return 3 * self.radius**2

    circle = Circle(radius=2)
    assert circle.area == 12

    assert stored(ItemAdapter(Circle), circle) == {"radius": {"N": "2"}}


@pytest.mark.parametrize(
    "line",
    [
        Line.model_construct(places=[], note=None, count=1, sku="x"),
        Line(sku="y").model_copy(update={"sku": "x"}),
        Line.model_validate_json('{"places":[],"sku":"x"}'),
    ],
    ids=["constructed", "copied", "parsed"],
)
def test_the_order_of_an_instances_values_does_not_matter(line):
    assert stored(ItemAdapter(Line), line) == stored(ItemAdapter(Line), Line(sku="x"))


def test_a_value_that_was_deleted_and_set_again_is_stored():
    line = Line(sku="x")
    sku = line.sku
    del line.sku
    line.sku = sku

    check_round_trip(ItemAdapter(Line), line)


def test_what_post_init_raises_is_refused_as_under_model_validate():
    class Picky(BaseModel):
        value: int

        def model_post_init(self, context: Any, /) -> None:
            if self.value == 1:
                raise ValueError("one is too few")
            if self.value == 2:
                raise LookupError("not about the item")

    adapter = ItemAdapter(Picky)

    error = refusal(adapter, {"value": {"N": "1"}})
    assert error["type"] == "value_error"
    assert "one is too few" in error["msg"]
    with pytest.raises(LookupError):
        load(adapter, {"value": {"N": "2"}})


def test_validate_default_checks_what_stands_for_an_absent_value():
    class Careful(BaseModel, validate_default=True):
        value: int = "5"  # type: ignore[assignment]

    assert load(ItemAdapter(Careful), {}).value == 5


def test_an_alias_generator_names_what_is_stored_only_where_serialization_goes_by_alias():
    class Camel(BaseModel):
        model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
        first_name: str

    class Stored(Camel, serialize_by_alias=True):
        pass

    assert stored(ItemAdapter(Camel), Camel(first_name="a")) == {"first_name": {"S": "a"}}
    assert stored(ItemAdapter(Stored), Stored(first_name="a")) == {"firstName": {"S": "a"}}
    check_round_trip(ItemAdapter(Stored), Stored(first_name="a"))


def test_validate_assignment_and_a_setattr_of_its_own_are_not_in_the_way():
    class Guarded(BaseModel, validate_assignment=True):
        value: int

        def __setattr__(self, name: str, value: Any) -> None:
            raise AssertionError

    assert load(ItemAdapter(Guarded), {"value": {"N": "1"}}).value == 1


def test_a_subclass_that_reads_another_class_is_that_class():
    class Special(Line):
        rank: int = 0

    adapter = ItemAdapter(Special)

    assert type(load(adapter, {"sku": {"S": "x"}})) is Special
    assert load(ItemAdapter(Order), {"id": {"S": "a"}, "lines": {"L": []}}).lines == []


def test_more_fields_than_a_machine_word_has_bits_come_back():
    wide = create_model("Wide", **{f"f{number}": (int | None, None) for number in range(300)})
    adapter = ItemAdapter(wide)

    for chosen in (range(300), range(0, 300, 7), [299], []):
        instance = wide(**{f"f{number}": number for number in chosen})
        loaded = adapter.load_wire(adapter.dump_wire(instance))
        assert loaded == instance
        assert loaded.model_fields_set == instance.model_fields_set


def test_one_adapter_serves_many_threads():
    orders = [Order(id=str(number), lines=[Line(sku=str(number))] * (number % 5)) for number in range(200)]
    refused = []

    def work() -> None:
        for order in orders:
            loaded = ORDER.load_wire(ORDER.dump_wire(order))
            if loaded != order or loaded.lines[:1] != order.lines[:1]:
                refused.append(order)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert refused == []


def test_sets_of_fields_are_not_shared_between_instances():
    first, second = (load(ORDER, {"id": {"S": "a"}, "lines": {"L": []}}) for _ in range(2))

    first.home = Place(city="Ulm", zip=1)

    assert first.model_fields_set == {"id", "lines", "home"}
    assert second.model_fields_set == {"id", "lines"}


def test_an_instance_that_was_loaded_can_be_changed_copied_and_pickled():
    order = load(ORDER, {"id": {"S": "a"}, "lines": {"L": [{"M": {"sku": {"S": "x"}}}]}})

    order.lines[0].count = 5

    assert pickle.loads(pickle.dumps(order)) == order
    assert copy.deepcopy(order) == order
    assert order.model_dump_json() == '{"id":"a","lines":[{"sku":"x","count":5,"note":null,"places":[]}],"home":null}'
