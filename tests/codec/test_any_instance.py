"""Instances of models and dataclasses, and texts of other types, where no type is declared: stored by their own type."""

import collections
import dataclasses
import gc
import ipaddress
import pathlib
import re
import threading
import weakref
from datetime import datetime, timezone
from typing import Annotated, Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AnyUrl,
    BaseModel,
    ConfigDict,
    HttpUrl,
    JsonValue,
    PostgresDsn,
    SecretStr,
    TypeAdapter,
    create_model,
)

from oxidyn import Attribute, ItemAdapter
from tests.codec.judges import Field, comparable

FIELD = Field(Any)


class Place(BaseModel):
    city: str
    seen: datetime | None = None
    inside: Any = None


class Alias(BaseModel):
    model_config = ConfigDict(serialize_by_alias=True)
    name: str = pydantic.Field(alias="fullName")


@dataclasses.dataclass
class Point:
    x: int
    rest: Any = None


@pydantic.dataclasses.dataclass
class Checked:
    x: int


@dataclasses.dataclass(slots=True, frozen=True)
class Slotted:
    x: int


class Numbers(pydantic.RootModel[list[int]]):
    pass


places = st.builds(
    Place,
    city=st.text(max_size=3),
    seen=st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone.utc)),
)


@given(places)
def test_an_instance_is_stored_as_where_its_type_is_declared_and_comes_back_as_a_dict(place):
    attribute = FIELD.store(place)

    assert comparable(attribute) == comparable(Field(Place).store(place))
    assert Field(Place).load(attribute) == place
    loaded = FIELD.load(attribute)
    assert type(loaded) is dict
    assert TypeAdapter(Place).validate_python(loaded) == place


@pytest.mark.parametrize(
    ("value", "attribute", "loaded"),
    [
        (Place(city="Ulm"), {"M": {"city": {"S": "Ulm"}}}, {"city": "Ulm"}),
        (Point(1), {"M": {"x": {"N": "1"}}}, {"x": 1}),
        (Checked(1), {"M": {"x": {"N": "1"}}}, {"x": 1}),
        (Slotted(1), {"M": {"x": {"N": "1"}}}, {"x": 1}),
        (Numbers([1, 2]), {"L": [{"N": "1"}, {"N": "2"}]}, [1, 2]),
        (Alias(fullName="a"), {"M": {"fullName": {"S": "a"}}}, {"fullName": "a"}),
        (collections.deque([1, "a"], maxlen=3), {"L": [{"N": "1"}, {"S": "a"}]}, [1, "a"]),
        (collections.Counter("aa"), {"M": {"a": {"N": "2"}}}, {"a": 2}),
        (collections.defaultdict(list, a=[1]), {"M": {"a": {"L": [{"N": "1"}]}}}, {"a": [1]}),
        (AnyUrl("https://example.com/a"), {"S": "https://example.com/a"}, "https://example.com/a"),
        (HttpUrl("https://example.com"), {"S": "https://example.com/"}, "https://example.com/"),
        (PostgresDsn("postgres://a@b/c"), {"S": "postgres://a@b/c"}, "postgres://a@b/c"),
        (ipaddress.IPv4Address("1.2.3.4"), {"S": "1.2.3.4"}, "1.2.3.4"),
        (ipaddress.IPv6Network("::/64"), {"S": "::/64"}, "::/64"),
        (pathlib.PurePosixPath("/a/b"), {"S": "/a/b"}, "/a/b"),
        (re.compile("a+"), {"S": "a+"}, "a+"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_of_another_type_is_stored_as_its_type_says(value, attribute, loaded):
    for field, wrap in ((FIELD, lambda each: each), (Field(list), lambda each: [each])):
        stored = field.store_instance(field.model.model_construct(value=wrap(value)))
        assert stored == (attribute if field is FIELD else {"L": [attribute]})
        assert field.load(stored) == wrap(loaded)


def test_instances_inside_instances_are_stored_by_their_own_types_too():
    value = {"a": [Place(city="Ulm", inside=Point(1, rest=[Place(city="Bonn")]))]}

    [loaded] = FIELD.load(FIELD.store(value))["a"]

    assert loaded["inside"] == {"x": 1, "rest": [{"city": "Bonn"}]}


def test_marks_of_the_class_hold():
    class Named(BaseModel):
        name: Annotated[str, Attribute(name="n")]
        others: list[JsonValue] = []

    assert FIELD.store(Named(name="a", others=[1])) == {"M": {"n": {"S": "a"}, "others": {"L": [{"N": "1"}]}}}


def test_a_part_of_an_instance_is_refused_with_its_path():
    assert FIELD.refusal_to_store([Place.model_construct(city=1)])["loc"] == ("value", 0, "city")
    assert FIELD.refusal_to_store({"a": Point("x")})["loc"] == ("value", "a", "x")  # type: ignore[arg-type]


def test_an_instance_of_a_class_that_cannot_be_stored_is_refused_with_its_path_and_the_reason():
    class Code(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        run: object
        secret: SecretStr

    error = FIELD.refusal_to_store([Code(run=1, secret=SecretStr("a"))])

    assert error["loc"] == ("value", 0)
    assert "Code.secret" in error["msg"]


@pytest.mark.parametrize(
    "value", [SecretStr("a"), object(), 1j, iter([1]), Place], ids=lambda value: type(value).__name__
)
def test_what_has_no_stored_form_is_refused_and_a_secret_is_never_stored_as_asterisks(value):
    assert FIELD.refusal_to_store([value])["loc"] == ("value", 0)


def test_an_instance_that_contains_itself_is_refused():
    place = Place(city="Ulm")
    place.inside = [place]

    assert FIELD.refusal_to_store(place)["type"] == "nesting"


def test_many_classes_are_met_without_being_kept_for_ever():
    field = Field(Any)
    kept = []
    for number in range(200):
        made = create_model(f"Made{number}", x=(int, ...))
        kept.append(weakref.ref(made))
        assert field.store(made(x=number)) == {"M": {"x": {"N": str(number)}}}
    del made, field
    for _ in range(3):
        gc.collect()

    assert sum(each() is not None for each in kept) < 10


def test_threads_meet_classes_at_once():
    adapter = ItemAdapter(FIELD.model)
    models = [create_model(f"Threaded{number}", x=(int, ...)) for number in range(20)]
    found: list[Any] = []

    def work() -> None:
        found.extend(adapter.dump_item(FIELD.model(value=model(x=1))) for model in models)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [{"value": {"M": {"x": {"N": "1"}}}}] * 80


@given(
    st.lists(
        st.dictionaries(
            st.text(min_size=1, max_size=45) | st.sampled_from(["name", "value", "nom", "é"]), st.integers()
        ),
        max_size=4,
    )
)
def test_names_that_are_kept_are_never_mixed_up(value):
    small = [{name: each % 100 for name, each in mapping.items()} for mapping in value]
    FIELD.check_round_trip(small)
    Field(list[dict[str, int]]).check_round_trip(small)


def test_a_model_that_is_read_while_another_is_read_has_names_too():
    adapter = ItemAdapter(FIELD.model)
    wire = adapter.dump_wire(FIELD.model(value={"name": [{"name": 1}]}))

    class Nested(BaseModel):
        value: Any

        def model_post_init(self, context: object) -> None:
            self.value = adapter.load_wire(wire).value

    nested = ItemAdapter(Nested)

    assert nested.load_wire(wire).value == {"name": [{"name": 1}]}
