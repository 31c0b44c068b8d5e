"""update: set, add, remove."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

import pytest
from pydantic import BaseModel

from oxidyn import (
    Attribute,
    ConditionFailed,
    InvalidExpression,
    InvalidItem,
    ItemNotFound,
    Model,
    PartitionKey,
    ServiceError,
    attr,
    some,
)
from tests.ops.models import Address, Plan, User


class Part(BaseModel):
    code: str
    note: str = ""


class Machine(Model, table="machines"):
    id: Annotated[str, PartitionKey]
    maker: str
    nick: str | None
    tags: set[str]
    part: Annotated[Part | None, Attribute(name="p")] = None


@pytest.fixture
def ada(users: Any) -> User:
    user = User(
        org="acme", id=1, age=36, nick="ada", tags={"a"}, lines=[1, 2], address=Address(city="Ulm", zip="89073")
    )
    users.put(user)
    return user


def test_set_writes_values_of_every_kind(users: Any, ada: User) -> None:
    joined = datetime(2025, 5, 5, 5, tzinfo=timezone(timedelta(hours=2)))

    users.update(
        ada,
        attr(User.age).set(37),
        attr(User.plan).set(Plan.PAID),
        attr(User.joined).set(joined),
        attr(User.tags).set({"x", "y"}),
        attr(User.scores).set({"a": Decimal("0.1")}),
        attr(User.address).set(Address(city="Bonn")),
        attr(User.select).set("s"),
    )

    assert users.get("acme", 1) == ada.model_copy(
        update={
            "age": 37,
            "plan": Plan.PAID,
            "joined": joined,
            "tags": {"x", "y"},
            "scores": {"a": Decimal("0.1")},
            "address": Address(city="Bonn"),
            "select": "s",
        }
    )


def test_add_is_atomic_arithmetic_on_numbers_and_union_on_sets(users: Any, ada: User) -> None:
    users.update(ada, attr(User.age).add(4), attr(User.tags).add({"b"}))

    assert users.get("acme", 1) == ada.model_copy(update={"age": 40, "tags": {"a", "b"}})


def test_add_takes_a_negative_step_although_the_field_may_not_be_negative(users: Any, ada: User) -> None:
    users.update(ada, attr(User.age).add(-6))

    assert users.get("acme", 1).age == 30


def test_remove_gives_the_default_back(users: Any, ada: User) -> None:
    users.update(ada, attr(User.age).remove(), attr(User.nick).remove())

    stored = users.get("acme", 1)
    assert (stored.age, stored.nick) == (30, None)


def test_what_the_model_requires_is_not_removed(client: Any, table_name: str) -> None:
    machines = client.table(Machine, name=table_name)
    machines.create_table()
    machine = Machine(id="a", maker="m", nick=None, tags={"x"}, part=Part(code="c", note="n"))
    machines.put(machine)

    for field, name in [
        (Machine.maker, "maker"),
        (Machine.nick, "nick"),
        (some(Machine.part).code, r"part\.code"),
    ]:
        with pytest.raises(InvalidExpression, match=rf"Machine\.{name} cannot be removed: the model requires it"):
            machines.update("a", attr(field).remove())
    assert machines.get("a") == machine

    machines.update("a", attr(Machine.tags).remove(), attr(some(Machine.part).note).remove())
    assert machines.get("a") == machine.model_copy(update={"tags": set(), "part": Part(code="c")})


class Place(NamedTuple):
    x: int
    y: int


class Route(Model, table="routes"):
    id: Annotated[str, PartitionKey]
    start: tuple[int, str]
    end: Place
    stops: tuple[int, ...]


def test_a_place_of_a_tuple_is_not_removed_since_those_behind_it_would_move_up(client: Any, table_name: str) -> None:
    routes = client.table(Route, name=table_name)
    routes.create_table()
    route = Route(id="a", start=(1, "x"), end=Place(1, 2), stops=(1, 2, 3))
    routes.put(route)

    for field, name in [(Route.start[0], r"start\[0\]"), (Route.end.y, r"end\.y")]:
        with pytest.raises(InvalidExpression, match=rf"Route\.{name} cannot be removed: the model requires it"):
            routes.update("a", attr(field).remove())
    assert routes.get("a") == route

    routes.update("a", attr(Route.stops[0]).remove())
    assert routes.get("a") == route.model_copy(update={"stops": (2, 3)})


def test_set_none_removes_where_none_is_left_out_and_is_null_elsewhere(users: Any, ada: User) -> None:
    users.update(ada, attr(User.nick).set(None), attr(User.note).set(None))

    stored = users.get("acme", 1)
    assert (stored.nick, stored.note) == (None, None)
    absent = list(users.scan(where=attr(User.nick).not_exists()))
    null = list(users.scan(where=attr(User.note).exists()))
    assert absent == null == [stored]


def test_set_none_where_the_field_may_not_be_none_is_an_error(users: Any, ada: User) -> None:
    with pytest.raises(InvalidItem, match="age"):
        users.update(ada, attr(User.age).set(None))


def test_set_of_an_empty_set_follows_the_rule_for_empty_sets(users: Any, ada: User) -> None:
    users.update(ada, attr(User.tags).set(set()))

    assert users.get("acme", 1).tags == set()
    assert list(users.scan(where=attr(User.tags).not_exists())) == [users.get("acme", 1)]


def test_nested_paths_and_list_indexes(users: Any, ada: User) -> None:
    users.update(
        ada,
        attr(some(User.address).city).set("Köln"),
        attr(some(User.address).zip).remove(),
        attr(User.lines[1]).set(9),
    )

    stored = users.get("acme", 1)
    assert stored.address == Address(city="Köln")
    assert stored.lines == [1, 9]


def test_an_update_of_an_absent_item_is_item_not_found_and_creates_nothing(users: Any) -> None:
    with pytest.raises(ItemNotFound) as caught:
        users.update(("acme", 404), attr(User.age).set(3))

    assert caught.value.table == users.name
    assert users.get("acme", 404) is None


def test_a_condition_that_fails_carries_the_stored_item(users: Any, ada: User) -> None:
    with pytest.raises(ConditionFailed) as caught:
        users.update(ada, attr(User.age).add(1), where=User.age < 36)

    assert caught.value.item == ada


def test_a_condition_on_an_absent_item_is_item_not_found(users: Any) -> None:
    with pytest.raises(ItemNotFound):
        users.update(("acme", 404), attr(User.age).add(1), where=User.age < 36)


def test_returning_gives_the_old_or_the_new_model(users: Any, ada: User) -> None:
    assert users.update(ada, attr(User.age).add(1)) is None
    assert users.update(ada, attr(User.age).add(1), returning="old").age == 37
    assert users.update(ada, attr(User.age).add(1), returning="new").age == 39


def test_update_values_go_through_the_fields_own_schema(users: Any, ada: User) -> None:
    with pytest.raises(InvalidItem, match="age"):
        users.update(ada, attr(User.age).set(-1))
    with pytest.raises(InvalidItem, match="age"):
        users.update(ada, attr(User.age).set("many"))

    users.update(ada, attr(User.age).set("40"))

    assert users.get("acme", 1).age == 40


def test_a_key_field_cannot_be_updated(users: Any, ada: User) -> None:
    with pytest.raises(InvalidExpression, match="org"):
        users.update(ada, attr(User.org).set("other"))


def test_overlapping_paths_are_refused(users: Any, ada: User) -> None:
    with pytest.raises(InvalidExpression, match="address"):
        users.update(ada, attr(User.address).set(Address(city="a")), attr(some(User.address).city).set("b"))


def test_an_update_without_actions_is_refused(users: Any, ada: User) -> None:
    with pytest.raises(InvalidExpression):
        users.update(ada)


def test_an_action_for_a_field_that_is_not_there_names_it(users: Any, ada: User) -> None:
    with pytest.raises(InvalidExpression, match="street"):
        users.update(ada, attr(some(User.address).street).set("x"))


def test_a_condition_that_is_refused_tells_what_it_was_for(users: Any, ada: User) -> None:
    with pytest.raises(InvalidItem, match="age") as caught:
        users.update(ada, attr(User.nick).set("x"), where=User.age > "old")

    error = caught.value
    assert (error.operation, error.table, error.key) == ("UpdateItem", users.name, ada)


def test_an_empty_key_of_a_dict_is_refused_before_anything_is_sent(users: Any, ada: User) -> None:
    with pytest.raises(InvalidExpression, match=r"User\.scores: .*empty"):
        users.update(ada, attr(User.scores[""]).set(1))


def test_an_update_that_does_not_fit_the_stored_item_says_what_usually_causes_it(client: Any, table_name: str) -> None:
    class Badge(Model):
        id: Annotated[str, PartitionKey]
        # An empty set where None is possible too is stored as an empty list.
        marks: set[str] | None = None
        address: Address | None = None

    badges = client.table(Badge, name=table_name)
    badges.create_table()
    badges.put(Badge(id="a", marks=set()))

    for action in (attr(some(Badge.marks)).add({"x"}), attr(some(Badge.address).city).set("Ulm")):
        with pytest.raises(
            ServiceError, match=r"set that part first.*as a set of the same type.*use set\(\)"
        ) as caught:
            badges.update("a", action)
        assert caught.value.code == "ValidationException"


def test_fields_written_by_update_are_stored_where_unset_ones_are_left_out(client: Any, table_name: str) -> None:
    class Note(Model):
        id: Annotated[str, PartitionKey]
        text: str = ""
        count: int = 5

    notes = client.table(Note, name=table_name, unset="skip")
    notes.create_table()
    notes.put(Note(id="a"))
    assert notes.get("a").model_fields_set == {"id"}

    notes.update("a", attr(Note.count).set(5))

    assert notes.get("a").model_fields_set == {"id", "count"}
