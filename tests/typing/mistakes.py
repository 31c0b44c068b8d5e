# pyright: strict
"""Mistakes that a type checker must report: each line marked `# wanted`, and no other.

`# wanted: pyright` marks what only pyright sees.
"""

from typing import Annotated
from uuid import UUID, uuid4

from typing_extensions import TypedDict

from oxidyn import (
    AsyncClient,
    Attribute,
    Client,
    Index,
    Model,
    PartitionKey,
    RateLimit,
    SortKey,
    Statement,
    Table,
    attr,
    expr,
    some,
)


class Address(Model):
    city: str


class User(Model, table="users"):
    org: Annotated[str, PartitionKey]
    id: Annotated[UUID, SortKey]
    age: int
    nick: str | None = None
    score: float = 0.0
    tags: set[str] = set()
    lines: list[int] = []
    address: Address | None = None


class Place(TypedDict):
    name: str


def declaring() -> None:
    User(org="a")  # wanted
    User(org="a", id=uuid4(), age="x")  # wanted
    User(org="a", id=uuid4(), age=3, agee=3)  # wanted
    Index("by_age", partition=5)  # wanted
    Index.keys(project="ALL")  # wanted


def conditions() -> None:
    _ = User.age > "x"  # wanted
    _ = User.agee > 3  # wanted
    _ = User.nick > "x"  # wanted
    _ = expr(User).agee == 3  # wanted
    _ = expr(Place)["town"]  # wanted
    _ = some(User.address).town == "x"  # wanted
    _ = User.address.city == "x"  # wanted
    _ = attr(User.age) > "x"  # wanted
    attr(User.age).begins_with("x")  # wanted
    attr(User.org).begins_with(b"x")  # wanted
    attr(User.age).between("a", "b")  # wanted
    attr(User.age).is_in(["a"])  # wanted
    attr(User.age).exist()  # wanted
    attr(User.age).contains(3)  # wanted
    attr(User.tags).contains(3)  # wanted
    attr(User.lines).contains("a")  # wanted
    attr(User.org).contains(b"a")  # wanted
    attr(User.tags).attribute_type("TEXT")  # wanted
    _ = attr(User.tags).size() > "3"  # wanted
    attr(User.tags).size().between(1, "3")  # wanted
    attr(User.tags).size().is_some()  # wanted
    _ = User.age > User.org  # wanted
    _ = attr(User.age) > User.org  # wanted
    attr(User.age).is_in([User.org])  # wanted


def actions() -> None:
    attr(User.age).set("x")  # wanted
    attr(User.nick).add(1)  # wanted
    attr(User.age).add("x")  # wanted
    attr(User.tags).add({1})  # wanted
    attr(User.age).set(User.org)  # wanted
    attr(User.org).set(User.age + 1)  # wanted
    _ = User.age + User.org  # wanted
    _ = attr(User.org) + "x"  # wanted: pyright
    _ = attr(User.age) + 1.5  # wanted
    attr(User.age).set(User.score + 1)  # wanted
    attr(User.age).set(attr(User.age).if_not_exists("x"))  # wanted
    attr(User.nick).append("x")  # wanted
    attr(User.lines).append("x")  # wanted
    attr(User.lines).append([1])  # wanted
    attr(User.lines).prepend(None)  # wanted
    attr(User.tags).delete({1})  # wanted
    attr(User.tags).delete("a")  # wanted
    attr(User.lines).delete({1})  # wanted


def calls(client: Client, users: Table[User], user: User) -> None:
    users.put(3)  # wanted
    users.put(user, User.age > 3)  # wanted
    users.put(user, where="age > 3")  # wanted
    users.query("acme")  # wanted
    users.query(User.org == "a", limit="3")  # wanted
    users.query(User.org == "a").page()  # wanted
    users.query(User.org == "a").page("20")  # wanted
    users.query(User.org == "a").page(20, after=3)  # wanted
    _ = users.query(User.org == "a").page(20).items[0].agee  # wanted
    Client(cursor_key="x" * 32)  # wanted
    users.update(user, User.age > 3)  # wanted
    users.update(user, attr(User.age).add(1), returning="all")  # wanted
    _ = users.update(user, attr(User.age).add(1), returning=None).age  # wanted
    users.replace(3)  # wanted
    users.upsert(user, attr(User.age).add(1), returning="all")  # wanted
    _ = users.upsert(user, attr(User.age).add(1), returning="old").age  # wanted
    users.delete(user, returning="new")  # wanted
    _ = users.get(user).age  # wanted
    client.table(User, unset="drop")  # wanted
    client.table(User, any_numbers="float")  # wanted
    client.table(User, rate_limit=100)  # wanted
    RateLimit("100")  # wanted
    RateLimit(read=5).read = 6  # wanted
    users.parallel_scan(limit=5)  # wanted
    users.parallel_scan(segments="4")  # wanted
    _ = next(users.parallel_scan()).agee  # wanted
    users.parallel_scan().progress.items = 3  # wanted
    Attribute(format="iso")  # wanted
    Client("eu-central-1")  # wanted
    users.ops.put(3)  # wanted
    users.ops.check(user)  # wanted
    users.ops.check(user, "age > 3")  # wanted
    client.transact(user)  # wanted
    client.transact(users.put(user))  # wanted
    client.transact(users.ops.put(user), token=7)  # wanted
    _ = client.transact(users.ops.get(user))[0].age  # wanted
    _ = client.transact(users.ops.get(user))[1]  # wanted
    client.batch_get([user])  # wanted
    client.batch_write([users.ops.get(user)])  # wanted
    client.batch_write(users.ops.put(user))  # wanted
    client.execute("SELECT * FROM users")  # wanted
    client.execute(Statement("SELECT * FROM users"), limit="3")  # wanted
    client.batch_execute(Statement("SELECT * FROM users"))  # wanted
    Statement("SELECT * FROM users", model="User")  # wanted
    _ = client.execute(Statement("SELECT * FROM users", model=User))[0].agee  # wanted
    Statement("SELECT * FROM users").text = "DELETE FROM users"  # wanted


def selections(users: Table[User], user: User) -> None:
    users.select(User.agee)  # wanted
    users.select(User.age).put(user)  # wanted
    users.select(User.age).update(user, attr(User.age).add(1))  # wanted
    _ = users.select(User.age).get(user)[0]  # wanted
    for _age, _nick in users.select(User.age).scan():  # wanted
        pass
    _ = users.select(Address).scan().one().age  # wanted
    users.select(User.age).query("acme")  # wanted
    users.select(User.age, index="by_age")  # wanted


async def colours(client: Client, asynchronous: AsyncClient, user: User) -> None:
    _ = (await asynchronous.table(User).get(user)).age  # wanted
    await client.table(User).put(user)  # wanted
    for _each in asynchronous.table(User).query(User.org == "a"):  # wanted
        pass
    for _other in asynchronous.table(User).parallel_scan():  # wanted
        pass
    async for _one in client.table(User).query(User.org == "a"):  # wanted
        pass
