"""upsert: an update that creates the item where there is none, and never one that cannot be read."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field
from typing_extensions import NotRequired, TypedDict

from oxidyn import Attribute, ConditionFailed, InvalidExpression, Model, PartitionKey, SortKey, attr, expr, some
from tests.ops.models import Address, Counter, User


class Score(Model, table="scores"):
    game: Annotated[str, PartitionKey]
    player: Annotated[str, SortKey]
    points: int
    title: Annotated[str | None, Attribute(name="t")]
    badges: set[str]
    rank: int = 0
    home: Address | None = None
    notes: list[str] = Field(default_factory=list)


@pytest.fixture
def scores(client: Any, table_name: str) -> Any:
    table = client.table(Score, name=table_name)
    table.create_table()
    return table


def test_upsert_creates_the_item_with_its_key_and_what_the_actions_give(counters: Any) -> None:
    assert counters.upsert("a", attr(Counter.count).add(2)) is None

    assert counters.get("a") == Counter(name="a", count=2)


def test_upsert_changes_the_item_that_is_there_and_nothing_else_of_it(users: Any) -> None:
    users.put(User(org="acme", id=1, age=3, nick="ada"))

    users.upsert(("acme", 1), attr(User.age).add(1))

    assert users.get("acme", 1) == User(org="acme", id=1, age=4, nick="ada")


def test_upsert_returns_the_old_item_or_none_and_the_new_one(counters: Any) -> None:
    assert counters.upsert("a", attr(Counter.count).add(1), returning="old") is None
    assert counters.upsert("a", attr(Counter.count).add(1), returning="old") == Counter(name="a", count=1)
    assert counters.upsert("a", attr(Counter.count).add(1), returning="new") == Counter(name="a", count=3)
    assert counters.upsert("b", attr(Counter.count).add(1), returning="new") == Counter(name="b", count=1)


def test_upsert_under_a_condition_that_fails_carries_the_stored_item(counters: Any) -> None:
    counters.put(Counter(name="a", count=5))

    with pytest.raises(ConditionFailed) as caught:
        counters.upsert("a", attr(Counter.count).add(1), where=Counter.count < 5)

    assert caught.value.item == Counter(name="a", count=5)


def test_upsert_under_a_condition_that_an_absent_item_fails_carries_none(counters: Any) -> None:
    with pytest.raises(ConditionFailed) as caught:
        counters.upsert("a", attr(Counter.count).add(1), where=Counter.count < 5)

    assert caught.value.item is None
    assert counters.get("a") is None


def test_upsert_that_could_create_an_item_without_required_fields_names_them_and_sends_nothing(scores: Any) -> None:
    with pytest.raises(
        InvalidExpression, match=r"create an item of Score without points, title, which .*use update\(\)"
    ) as error:
        scores.upsert(("chess", "ada"), attr(Score.rank).set(1))

    assert (error.value.operation, error.value.table, error.value.key) == (
        "UpdateItem",
        scores.name,
        ("chess", "ada"),
    )
    assert scores.get("chess", "ada") is None


def test_upsert_asks_for_no_key_no_default_and_no_set_since_absent_gives_these_back(scores: Any) -> None:
    scores.upsert(("chess", "ada"), attr(Score.points).set(1), attr(Score.title).set(None))

    assert scores.get("chess", "ada") == Score(game="chess", player="ada", points=1, title=None, badges=set())


def test_upsert_counts_add_as_a_value_and_refuses_to_remove_what_is_required(scores: Any) -> None:
    scores.upsert(("chess", "ada"), attr(Score.points).add(1), attr(Score.title).set("GM"))

    assert scores.get("chess", "ada").points == 1
    with pytest.raises(InvalidExpression, match=r"Score\.points cannot be removed: the model requires it"):
        scores.upsert(("chess", "ada"), attr(Score.points).remove(), attr(Score.title).set("GM"))


def test_upsert_refuses_an_action_inside_an_attribute_that_an_absent_item_has_not(scores: Any) -> None:
    required = attr(Score.points).set(1), attr(Score.title).set("GM")

    for inside in (
        attr(some(Score.home).city).set("Ulm"),
        attr(Score.notes[0]).set("x"),
        attr(Score.notes[0]).remove(),
    ):
        with pytest.raises(InvalidExpression, match=r"(home\.city|notes\[0\]), which lies inside .*update\(\)"):
            scores.upsert(("chess", "ada"), *required, inside)


def test_upsert_of_a_typed_dict_asks_for_its_required_keys(client: Any, table_name: str) -> None:
    class Visit(TypedDict):
        page: str
        count: int
        referrer: NotRequired[str]

    visits = client.table(Visit, name=table_name, partition="page")
    visits.create_table()

    visits.upsert("/", attr(expr(Visit)["count"]).add(1))

    assert visits.get("/") == {"page": "/", "count": 1}
    with pytest.raises(InvalidExpression, match="without count"):
        visits.upsert("/", attr(expr(Visit)["referrer"]).set("x"))


def test_upsert_asks_for_a_discriminator_that_has_no_default(client: Any, table_name: str) -> None:
    class Event(BaseModel):
        id: str
        kind: Annotated[str, Attribute(name="k")]
        size: int = 0

    events = client.table(Event, name=table_name, partition="id")

    with pytest.raises(InvalidExpression, match="create an item of Event without kind"):
        events.upsert("a", attr(expr(Event).size).set(1))


def test_upsert_of_something_else_than_actions_is_refused(counters: Any) -> None:
    with pytest.raises(InvalidExpression, match=r"upsert\(\) expected actions"):
        counters.upsert("a", Counter.count > 3)


def test_upsert_as_an_operation_is_update_item_without_a_condition_of_its_own(counters: Any) -> None:
    name, body = counters.ops.upsert("a", attr(Counter.count).add(1)).request()

    assert name == "UpdateItem"
    assert b"ConditionExpression" not in body
