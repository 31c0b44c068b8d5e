"""`Client` and `AsyncClient`: how they are made, shown and closed, and which table a model gets."""

import asyncio
import gc
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, create_model

from oxidyn import (
    AsyncClient,
    AsyncTable,
    Client,
    ClientClosed,
    Index,
    InvalidExpression,
    InvalidOption,
    KeysOnly,
    Model,
    PartitionKey,
    SchemaError,
    SortKey,
    Statement,
    Table,
    expr,
)


class User(Model, table="users"):
    org: Annotated[str, PartitionKey]
    id: Annotated[int, SortKey]
    email: Annotated[str | None, Index("by_email", partition=True)] = None
    age: Annotated[int, Index("by_age", sort=True)] = 0
    active: bool = True


@dataclass
class Event:
    org: str
    day: str


BOTH = pytest.mark.parametrize("cls", [Client, AsyncClient])


# Made, shown, closed


@BOTH
def test_client_takes_only_keywords(cls):
    with pytest.raises(TypeError):
        cls("eu-central-1")


@BOTH
def test_option_that_cannot_be_is_refused_by_name(cls):
    with pytest.raises(InvalidOption, match="endpoint_url"):
        cls(endpoint_url="localhost")


@pytest.mark.parametrize("option", ["connect_timeout", "read_timeout", "max_attempts", "max_connections"])
@pytest.mark.parametrize(
    "value",
    [0, -1, 10**5000, float("nan"), float("inf"), "5", True],
    ids=["0", "-1", "10**5000", "nan", "inf", "text", "bool"],
)
def test_a_number_that_cannot_be_is_refused_by_the_options_name(option: str, value: Any):
    with pytest.raises(InvalidOption, match=f"^{option}: expected "):
        Client(**{option: value})


@BOTH
def test_repr_shows_options_and_no_secrets(cls):
    shown = repr(cls(region="eu-central-1", access_key_id="AKIA", secret_access_key="hidden", session_token="hidden"))

    assert shown.startswith(f"{cls.__name__}(region='eu-central-1'")
    assert "hidden" not in shown
    assert repr(cls()) == f"{cls.__name__}()"
    assert repr(cls.local()) == f"{cls.__name__}.local()"


def test_local_client_with_a_path_keeps_the_file(tmp_path):
    path = tmp_path / "app.db"
    with Client.local(path) as client:
        users = client.table(User)
        users.create_table()
        users.put(User(org="a", id=1))

    with Client.local(str(path)) as client:
        assert client.table(User).get("a", 1) == User(org="a", id=1)


def test_closed_client_refuses_calls_and_closes_again():
    with Client.local() as client:
        users = client.table(User)
        users.create_table()

    with pytest.raises(ClientClosed):
        users.get("a", 1)
    client.close()


def test_closed_async_client_refuses_calls():
    async def use() -> AsyncTable[User]:
        async with AsyncClient.local() as client:
            users = client.table(User)
            await users.create_table()
        with pytest.raises(ClientClosed):
            await users.get("a", 1)
        await client.close()
        return users

    asyncio.run(use())


def test_client_that_is_gone_is_collected():
    client = Client.local()
    gone = weakref.ref(client)

    del client
    gc.collect()

    assert gone() is None


# Tables


@pytest.mark.parametrize(("cls", "table"), [(Client, Table), (AsyncClient, AsyncTable)])
def test_table_has_the_models_name_unless_another_is_given(cls, table):
    client = cls.local()

    assert isinstance(client.table(User), table)
    assert client.table(User).name == "users"
    assert client.table(User, name="others").name == "others"
    assert client.table(User).model is User
    assert repr(client.table(User)) == f'{table.__name__}(User, name="users")'


def test_model_without_a_table_is_refused_with_both_ways_out():
    class Thing(Model):
        id: Annotated[str, PartitionKey]

    with pytest.raises(
        SchemaError, match=r'class Thing\(Model, table="..."\), or call client.table\(Thing, name="..."\)'
    ):
        Client.local().table(Thing)


def test_model_without_a_partition_key_is_refused_with_both_ways_out():
    with pytest.raises(SchemaError, match=r"Event has no partition key: mark a field .* or name one"):
        Client.local().table(Event, name="events")


def test_plain_model_is_a_table_by_options():
    events = Client.local().table(
        Event, name="events", partition="org", sort="day", indexes={"by_day": Index.keys(partition="day")}
    )
    events.create_table()
    events.put(Event("a", "x"))

    assert events.query(expr(Event).day == "x", index="by_day").one() == Event("a", "x")


def test_subclass_of_a_model_is_in_its_parents_table():
    class Admin(User):
        level: int = 1

    assert Client.local().table(Admin).name == "users"


def test_table_made_twice_compiles_one_plan():
    client = Client.local()

    assert client.table(User)._schema is client.table(User)._schema


def test_class_that_was_a_table_is_collected():
    made = create_model("Made", __base__=Model, id=(Annotated[str, PartitionKey], ...))
    client = Client.local()
    client.table(made, name="made").create_table()
    gone = weakref.ref(made)

    del made
    gc.collect()

    assert gone() is None


def test_base_model_is_a_table_with_markers_and_a_name():
    class Plain(BaseModel):
        id: Annotated[str, PartitionKey]

    assert Client.local().table(Plain, name="plain").model is Plain


@pytest.mark.parametrize("name", ["", 5])
def test_name_that_is_none_is_refused(name: Any):
    with pytest.raises(InvalidOption, match="name=.*expected the table's name"):
        Client.local().table(User, name=name)


# Refused before anything is sent


@pytest.mark.parametrize(
    "options",
    [
        {"limit": 0},
        {"limit": -1},
        {"page_size": 0},
        {"limit": True},
        {"page_size": False},
        {"limit": "3"},
        {"limit": 2**64},
        {"page_size": 2**31},
    ],
)
def test_size_out_of_bounds_is_refused(options: Any):
    users = Client.local().table(User)

    with pytest.raises(InvalidOption, match=f"{next(iter(options))}=.*from 1"):
        users.query(User.org == "a", **options)
    with pytest.raises(InvalidOption):
        users.scan(**options)


def test_largest_sizes_are_taken():
    users = Client.local().table(User)
    users.create_table()

    assert list(users.scan(limit=2**64 - 1, page_size=2**31 - 1)) == []
    assert users.scan(limit=2**64 - 1, page_size=2**31 - 1).count() == 0


def test_consistent_read_of_a_global_index_is_refused():
    users = Client.local().table(User)

    with pytest.raises(InvalidExpression, match="only eventually consistently"):
        users.query(User.email == "a", index="by_email", consistent=True)
    with pytest.raises(InvalidExpression):
        users.scan(index="by_email", consistent=True)
    users.scan(index="by_age", consistent=True)


@pytest.mark.parametrize("given", ["no", 1, None])
def test_option_that_is_neither_true_nor_false_is_refused_by_its_name(given: Any):
    users = Client.local().table(User)
    statement = Statement('SELECT * FROM "users"')
    client = Client.local()
    calls: dict[str, list[Callable[[], object]]] = {
        "consistent": [
            lambda: users.get("a", 1, consistent=given),
            lambda: users.query(User.org == "a", consistent=given),
            lambda: users.scan(consistent=given),
            lambda: users.parallel_scan(consistent=given),
            lambda: users.batch_get([("a", 1)], consistent=given),
            lambda: users.select(User.age).get("a", 1, consistent=given),
            lambda: client.execute(statement, consistent=given),
            lambda: client.batch_execute([statement], consistent=given),
        ],
        "reverse": [lambda: users.query(User.org == "a", reverse=given)],
        "hydrate": [lambda: users.query(User.org == "a", hydrate=given), lambda: users.scan(hydrate=given)],
    }

    for option, using in calls.items():
        for call in using:
            with pytest.raises(InvalidOption, match=f"^{option}=: expected True or False, found a value of type "):
                call()


def test_bool_in_place_of_a_condition_is_refused_at_the_call():
    users, user = Client.local().table(User), User(org="a", id=1)

    with pytest.raises(InvalidExpression, match="instance where the class was meant"):
        users.query(user.org == "a")
    with pytest.raises(InvalidExpression, match="instance where the class was meant"):
        users.put(user, where=user.age > 3)
    with pytest.raises(InvalidExpression, match="instance where the class was meant"):
        users.scan(where=user.active)


def test_what_is_no_action_is_refused_at_the_call():
    users = Client.local().table(User)

    with pytest.raises(InvalidExpression, match=r"found User\.age == …; a condition goes to where="):
        users.update(("a", 1), User.age == 3)
    with pytest.raises(InvalidExpression, match="expected actions.*found a value of type int"):
        users.update(("a", 1), 5)


def test_tables_and_queries_say_what_they_are():
    users = Client.local().table(User)

    assert repr(users) == 'Table(User, name="users")'
    assert repr(users.ops) == "TableOperations(User)"
    assert repr(users.ops.get("a", 1)) == 'Operation(GetItem, table="users")'
    assert repr(users.query(User.org == "a")) == 'Query(table="users")'


def test_index_options_of_the_class_reach_the_table():
    class Thing(Model, table="things", indexes={"by_kind": KeysOnly()}):
        id: Annotated[str, PartitionKey]
        kind: Annotated[str, Index("by_kind", partition=True)]

    with Client.local() as client:
        things = client.table(Thing)
        things.create_table()
        described = things.describe_table()

    [index] = described["GlobalSecondaryIndexes"]
    assert index["Projection"]["ProjectionType"] == "KEYS_ONLY"


# Operations as values


def test_operation_is_shown_without_being_sent_and_run_as_often_as_one_likes():
    with Client.local() as client:
        users = client.table(User)
        put = users.ops.put(User(org="a", id=1))

        name, body = put.request()
        assert name == "PutItem"
        assert b'"TableName":"users"' in body

        users.create_table()
        assert client.run(users.ops.get("a", 1)) is None
        client.run(put)
        client.run(put)
        assert client.run(users.ops.get(("a", 1))) == User(org="a", id=1)


def test_operation_of_a_synchronous_table_runs_in_an_asynchronous_client(tmp_path):
    get = Client.local().table(User).ops.get("a", 1)

    async def use() -> User | None:
        async with AsyncClient.local() as client:
            await client.table(User).create_table()
            return await client.run(get)

    assert asyncio.run(use()) is None
