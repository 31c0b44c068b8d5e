"""select(Smaller): items read as a smaller model, whose fields are the table's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import TypedDict

from oxidyn import TTL, Attribute, Epoch, InvalidItem, Model, PartitionKey, SchemaError
from tests.ops.models import Address, Plan, User


class City(BaseModel):
    city: str


class Badge(BaseModel):
    nick: str | None = None
    age: int
    address: City | None = None
    expires: Annotated[datetime | None, TTL] = None


EXPIRES = datetime(2030, 1, 1, tzinfo=timezone.utc)


@pytest.fixture
def ada(users: Any) -> User:
    user = User(
        org="acme", id=1, age=36, nick="ada", address=Address(city="Ulm", zip="8"), expires=EXPIRES, note="long"
    )
    users.put(user)
    return user


def test_items_are_read_as_the_smaller_model(users: Any, ada: User) -> None:
    badge = users.select(Badge).get("acme", 1)

    assert type(badge) is Badge
    assert badge == Badge(nick="ada", age=36, address=City(city="Ulm"), expires=EXPIRES)


def test_no_more_is_asked_for_than_the_key_and_the_models_attributes(users: Any) -> None:
    _, body = users.select(Badge).ops.get("acme", 1).request()

    assert b'{"#n0":"org","#n1":"id","#n2":"nick","#n3":"age","#n4":"address","#n5":"expires"}' in body


def test_an_absent_attribute_is_the_smaller_models_default(users: Any) -> None:
    users.put(User(org="acme", id=1))

    assert users.select(Badge).get("acme", 1) == Badge(age=30)


def test_a_required_attribute_that_is_absent_is_refused_by_its_path(users: Any) -> None:
    class Named(BaseModel):
        nick: str

    users.put(User(org="acme", id=1))

    with pytest.raises(InvalidItem) as caught:
        users.select(Named).get("acme", 1)

    assert [(line["type"], line["loc"]) for line in caught.value.errors()] == [("missing", ("nick",))]
    assert (caught.value.title, caught.value.key) == ("Named", ("acme", 1))


def test_dataclasses_and_typed_dicts_are_selected_too(users: Any, ada: User) -> None:
    @dataclass
    class Aged:
        id: int
        age: int

    class Planned(TypedDict):
        plan: Plan

    assert users.select(Aged).get(ada) == Aged(id=1, age=36)
    assert users.select(Planned).get(ada) == {"plan": Plan.FREE}


def test_the_smaller_models_own_validators_run(users: Any, ada: User) -> None:
    class Shouted(BaseModel):
        nick: str

        @model_validator(mode="after")
        def _shout(self) -> Shouted:
            self.nick = self.nick.upper()
            return self

    assert users.select(Shouted).get(ada).nick == "ADA"


def test_the_tables_policies_are_the_selections(client: Any, users: Any, ada: User) -> None:
    class Short(BaseModel):
        nick: str = Field(max_length=3)

        @model_validator(mode="after")
        def _refuse(self) -> Short:
            raise AssertionError

    with pytest.raises(InvalidItem):
        users.select(Short).get(ada)

    assert users.select(Short).get(ada, load="trust").nick == "ada"
    assert client.table(User, name=users.name, load="trust").select(Short).get(ada).nick == "ada"


def test_key_attributes_that_are_read_beside_the_model_are_no_part_of_it(client: Any, users: Any, ada: User) -> None:
    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")

        age: int

    strict = client.table(User, name=users.name, unknown="error")
    keeping = client.table(User, name=users.name, unknown="keep")

    assert users.select(Open).get(ada).model_extra == {}
    assert users.select(Open).batch_get([ada])[0].model_extra == {}
    assert strict.select(Badge).batch_get([ada]) == [users.select(Badge).get(ada)]
    assert keeping.select(Badge).get(ada) == users.select(Badge).get(ada)
    assert list(strict.select(Badge).query(User.org == "acme")) == [users.select(Badge).get(ada)]


def test_the_markers_of_the_smaller_models_keys_and_indexes_are_ignored(users: Any, ada: User) -> None:
    class Own(Model, table="elsewhere"):
        nick: Annotated[str | None, PartitionKey] = None

    assert users.select(Own).get(ada) == Own(nick="ada")


def test_batch_get_gives_the_smaller_model_in_order(users: Any, ada: User) -> None:
    users.put(User(org="acme", id=2, age=2))

    assert users.select(Badge).batch_get([("acme", 2), ("acme", 3), ada]) == [
        Badge(age=2),
        None,
        Badge(nick="ada", age=36, address=City(city="Ulm"), expires=EXPIRES),
    ]


def _refusal(users: Any, model: Any) -> str:
    with pytest.raises(SchemaError) as caught:
        users.select(model)
    return str(caught.value)


def test_a_field_that_the_tables_model_has_not_is_a_schema_error(users: Any) -> None:
    class Typo(BaseModel):
        agee: int

    message = _refusal(users, Typo)

    assert message.startswith(
        'Typo cannot be selected from User: Typo.agee is stored as "agee", which User has not; it has'
    )
    assert "nick" in message


def test_a_field_under_another_stored_name_is_a_schema_error_that_tells_the_marker(users: Any) -> None:
    class Renamed(BaseModel):
        select: str

    assert 'mark it with Attribute(name="size.of name")' in _refusal(users, Renamed)

    class Marked(BaseModel):
        other: Annotated[str, Attribute(name="size.of name")]

    users.put(User(org="acme", id=1, select="x"))
    assert users.select(Marked).get("acme", 1) == Marked(other="x")


def test_a_field_of_another_wire_form_is_a_schema_error(users: Any) -> None:
    class Texts(BaseModel):
        age: str

    class Maps(BaseModel):
        tags: dict[str, str]

    class Unmarked(BaseModel):
        expires: datetime | None

    assert "Texts.age is stored as S, and User.age as N" in _refusal(users, Texts)
    assert "Maps.tags is stored as M, and User.tags as L or SS" in _refusal(users, Maps)
    assert "Unmarked.expires is stored as S, and User.expires as N" in _refusal(users, Unmarked)


def test_numbers_of_another_unit_of_time_are_a_schema_error(users: Any) -> None:
    class Milliseconds(BaseModel):
        expires: Annotated[datetime | None, Epoch("ms")]

    assert "different units" in _refusal(users, Milliseconds)

    class Seconds(BaseModel):
        expires: Annotated[datetime | None, Epoch]

    users.put(User(org="acme", id=1, expires=EXPIRES))
    assert users.select(Seconds).get("acme", 1).expires == EXPIRES


class Street(BaseModel):
    street: str


class Housed(BaseModel):
    address: Street | None = None


class Part(BaseModel):
    qty: int


class Box(Model):
    id: Annotated[str, PartitionKey]
    parts: dict[str, list[Part]] = {}


class Texts(BaseModel):
    qty: str


class Small(BaseModel):
    parts: dict[str, list[Texts]]


def test_nested_fields_are_checked_by_their_paths(client: Any, users: Any, table_name: str) -> None:
    assert 'Housed.address.street is stored as "street", which User.address has not' in _refusal(users, Housed)

    boxes = client.table(Box, name=table_name)
    assert "Small.parts[…][…].qty is stored as S, and Box.parts[…][…].qty as N" in _refusal(boxes, Small)


class Node(Model):
    id: Annotated[str, PartitionKey]
    size: int = 0
    inner: Node | None = None


class SmallNode(BaseModel):
    inner: SmallNode | None = None


def test_recursive_models_are_compared_and_read(client: Any, table_name: str) -> None:
    nodes = client.table(Node, name=table_name)
    nodes.create_table()
    nodes.put(Node(id="a", inner=Node(id="b", inner=Node(id="c"))))

    assert nodes.select(SmallNode).get("a") == SmallNode(inner=SmallNode(inner=SmallNode()))


def test_a_model_without_fields_and_what_is_no_model_are_schema_errors(users: Any) -> None:
    class Nothing(BaseModel):
        pass

    assert "Nothing has no fields" in _refusal(users, Nothing)
    assert "int" in _refusal(users, int)


def test_fields_of_extra_attributes_are_the_tables_too(client: Any, table_name: str) -> None:
    class Loose(Model):
        model_config = ConfigDict(extra="allow")

        id: Annotated[UUID, PartitionKey]

    class Colour(BaseModel):
        colour: str

    loose = client.table(Loose, name=table_name)
    loose.create_table()
    loose.put(Loose(id=UUID(int=1), colour="red"))  # type: ignore[call-arg]

    assert loose.select(Colour).get(UUID(int=1)) == Colour(colour="red")
