"""What an index does not hold is refused, never read as a default."""

from __future__ import annotations

from typing import Annotated, Any

import pytest

from oxidyn import (
    Include,
    Index,
    InvalidExpression,
    KeysOnly,
    Model,
    PartitionKey,
    SortKey,
    any_of,
    attr,
    expr,
    not_,
    some,
)
from tests.ops.models import User


class Nickname(Model, indexes={"by_nick": KeysOnly()}):
    """The keys of a user: all of it is in the index."""

    org: Annotated[str, PartitionKey]
    id: Annotated[int, SortKey]
    nick: Annotated[str | None, Index("by_nick", partition=True)] = None


class Task(Model, indexes={"by_due": KeysOnly(), "by_kind": Include("title")}):
    owner: Annotated[str, PartitionKey]
    id: Annotated[int, SortKey]
    due: Annotated[int, Index("by_due", sort=True)]
    kind: Annotated[str, Index("by_kind", partition=True)] = "chore"
    title: str = ""
    note: str = ""


@pytest.fixture
def crowd(users: Any) -> list[User]:
    people = [User(org="acme", id=number, age=20 + number, nick="x" if number else None) for number in range(3)]
    users.batch_put(people)
    return people


@pytest.fixture
def tasks(client: Any, table_name: str) -> Any:
    tasks = client.table(Task, name=table_name)
    tasks.create_table()
    tasks.put(Task(owner="ada", id=1, due=3, title="engines", note="soon"))
    return tasks


QUERIES = [
    lambda table: table.query(User.nick == "x", index="by_nick"),
    lambda table: table.scan(index="by_nick"),
]
READS = [
    list,
    lambda query: query.first(),
    lambda query: query.one(),
    lambda query: query.one_or_none(),
]


@pytest.mark.parametrize("make", QUERIES)
@pytest.mark.parametrize("read", READS)
def test_items_are_not_read_through_an_index_that_does_not_hold_them(
    users: Any, crowd: list[User], make: Any, read: Any
) -> None:
    with pytest.raises(
        InvalidExpression, match=r"index by_nick, which does not hold email, plan, .*count\(\)"
    ) as caught:
        read(make(users))

    assert "select() what it holds" in str(caught.value)
    assert not any(f" {held}," in str(caught.value) for held in ("org", "id", "nick"))


def test_a_model_that_keeps_what_is_no_field_is_not_read_through_an_index_that_does_not_hold_that(
    client: Any, users: Any, crowd: list[User]
) -> None:
    keeping = client.table(Nickname, name=users.name, unknown="keep")
    nick = Nickname.nick == "x"

    with pytest.raises(InvalidExpression, match="index by_nick, which does not hold what is no field"):
        keeping.query(nick).first()
    found = keeping.query(nick, where=Nickname.id == 2, hydrate=True).one()
    keeping.put(found)
    assert users.get("acme", 2) == crowd[2]


@pytest.mark.parametrize("make", QUERIES)
def test_items_are_counted_through_any_index(users: Any, crowd: list[User], make: Any) -> None:
    assert make(users).count() == 2


def test_a_model_that_the_index_holds_is_read_through_it(client: Any, users: Any, crowd: list[User]) -> None:
    nicknames = client.table(Nickname, name=users.name)
    found = nicknames.query(Nickname.nick == "x", index="by_nick", where=Nickname.id > 1)

    assert list(found) == [Nickname(org="acme", id=2, nick="x")]
    assert found.count() == 1
    assert {each.id for each in nicknames.scan(index="by_nick")} == {1, 2}


def test_an_index_may_be_described_in_the_call(client: Any, users: Any, crowd: list[User]) -> None:
    class Plain(Model):
        org: str
        id: int
        nick: str

    by_nick = Index.keys(partition="nick", project=KeysOnly())
    plain = client.table(Plain, name=users.name, partition="org", sort="id", indexes={"by_nick": by_nick})

    assert {each.id for each in plain.query(Plain.nick == "x", index="by_nick")} == {1, 2}


@pytest.mark.parametrize(
    "condition",
    [
        lambda: User.age > 3,
        lambda: User.active,
        lambda: ~((User.org == "acme") | not_(User.age > 3)),
        lambda: any_of(User.id == 1, attr(User.note).is_none()),
        lambda: some(User.address).city == "Ulm",
        lambda: attr(User.age).is_in([1, 2]),
    ],
)
def test_a_condition_on_what_the_index_does_not_hold_is_refused_for_counts_too(users: Any, condition: Any) -> None:
    nick = User.nick == "x"
    for attempt in (
        lambda: users.query(nick, index="by_nick", where=condition()).count(),
        lambda: users.query(nick & condition(), index="by_nick").count(),
        lambda: users.scan(index="by_nick", where=condition()).count(),
    ):
        with pytest.raises(InvalidExpression, match=r"User\.\w+, which index by_nick does not hold") as caught:
            attempt()
        assert caught.value.table == users.name


def test_where_the_planner_chose_the_index_the_way_out_is_another_one(users: Any, crowd: list[User]) -> None:
    with pytest.raises(InvalidExpression, match="or read the table or another index") as caught:
        users.query(User.nick == "x", where=User.age > 3, hydrate=True).first()

    assert "index=" not in str(caught.value)


def test_keys_are_always_held(users: Any, crowd: list[User]) -> None:
    assert users.query(User.nick == "x", index="by_nick", where=(User.org == "acme") & (User.id > 1)).count() == 1
    assert users.scan(index="by_nick", where=User.nick == "x").count() == 2


def test_included_fields_are_held(tasks: Any) -> None:
    chores = expr(Task).kind == "chore"

    assert tasks.query(chores, index="by_kind", where=Task.title == "engines").count() == 1
    with pytest.raises(InvalidExpression, match="does not hold due, note:"):
        tasks.query(chores, index="by_kind").first()


# Of a local index DynamoDB fetches the rest of an item for `Select: ALL_ATTRIBUTES`; moto does not look at it.
@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
def test_a_query_of_a_local_index_gives_and_counts_whole_items(tasks: Any) -> None:
    task = Task(owner="ada", id=1, due=3, title="engines", note="soon")

    for where in (None, Task.note == "soon"):
        query = tasks.query(Task.owner == "ada", index="by_due", where=where)
        assert list(query) == [task]
        assert query.count() == 1


def test_a_scan_of_a_local_index_gives_what_it_holds_or_nothing(tasks: Any) -> None:
    with pytest.raises(InvalidExpression, match="index by_due, which does not hold kind, title, note: .*hydrate=True"):
        tasks.scan(index="by_due").first()
    with pytest.raises(InvalidExpression, match=r"Task\.note, which index by_due does not hold"):
        tasks.scan(index="by_due", where=Task.note == "soon").count()
    assert tasks.scan(index="by_due", where=Task.due == 3).count() == 1
