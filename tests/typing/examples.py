# pyright: strict
"""What a type checker makes of the surface, without a plugin: clean under mypy strict and pyright strict.

Checked, not run, by test_mypy.py and test_pyright.py. What must not pass stands in mistakes.py.
"""

from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Generic, NewType, TypeVar
from uuid import UUID, uuid4

from pydantic import BaseModel, Field
from typing_extensions import TypedDict, assert_type

from oxidyn import (
    TTL,
    Action,
    AsyncClient,
    AsyncParallelScan,
    AsyncQuery,
    AsyncSelection,
    AsyncTable,
    Attr,
    Attribute,
    BatchIncomplete,
    Client,
    Condition,
    ConditionFailed,
    Epoch,
    Explanation,
    Include,
    Index,
    InvalidItem,
    ItemAdapter,
    ItemSize,
    KeysOnly,
    Model,
    Operation,
    OxidynError,
    Page,
    ParallelScan,
    PartitionKey,
    Query,
    RateLimit,
    ScanProgress,
    Selection,
    Size,
    SortKey,
    Statement,
    Table,
    TransactionCancelled,
    all_of,
    any_of,
    attr,
    expr,
    item_size,
    not_,
    some,
)

T = TypeVar("T")
AccountId = NewType("AccountId", str)
Digest = NewType("Digest", bytes)
Cents = NewType("Cents", int)


class Address(BaseModel):
    city: str
    zip: str | None = None


class User(Model, table="users", indexes={"by_email": KeysOnly(), "by_city": Include("age")}, frozen=True):
    org: Annotated[str, PartitionKey]
    id: Annotated[UUID, SortKey]
    email: Annotated[str, Index("by_email", partition=True)]
    age: int
    score: float = 0.0
    price: Decimal = Decimal(0)
    active: bool = True
    nick: str | None = None
    tags: set[str] = set()
    codes: frozenset[int] = frozenset()
    run: tuple[int, ...] = ()
    queue: deque[str] = deque()
    names: Sequence[str] = ()
    raw: bytes = b""
    lines: Annotated[list[int], Attribute(name="l")] = Field(default=[], max_length=3)
    total: timedelta = timedelta()
    at: Annotated[datetime, Epoch("ms")] = datetime(2026, 1, 1)
    expires: Annotated[datetime | None, TTL] = None
    address: Address | None = None
    get: int = 0
    query: str = ""


class Box(Model, Generic[T], table="boxes"):
    id: Annotated[str, PartitionKey]
    content: T


class Account(Model, table="accounts"):
    """Fields of types that are text, bytes or numbers by another name."""

    id: Annotated[AccountId, PartitionKey]
    digest: Digest
    balance: Cents
    members: set[AccountId] = set()


@dataclass
class Event:
    org: str
    day: str
    size: int = 0


class Place(TypedDict):
    name: str
    size: int


def declaring() -> None:
    user = User(org="acme", id=uuid4(), email="a@x.com", age=3)
    assert_type(user.age, int)
    assert_type(user.nick, str | None)
    assert_type(user.get, int)
    assert_type(User.age, int)
    box = Box[int](id="a", content=1)
    assert_type(box.content, int)


def conditions(user: User) -> None:
    assert_type(User.age > 30, bool)
    assert_type((User.age > 30) & (User.org == "acme"), bool)
    assert_type(attr(User.age), Attr[int])
    assert_type(attr(User.nick), Attr[str])
    assert_type(attr(User.nick) > "b", Condition)
    assert_type(attr(User.nick) == None, Condition)
    assert_type(attr(User.nick) != "b", Condition)
    assert_type((User.age > 30) & attr(User.nick).exists(), Condition)
    assert_type(attr(User.nick).exists() & (User.age > 30), Condition)
    assert_type((User.age > 30) | attr(User.nick).is_none(), Condition)
    assert_type(~attr(User.nick).is_some(), Condition)
    assert_type(not_(User.age > 30), Condition)
    assert_type(all_of(User.age > 30, attr(User.nick).not_exists(), User.active), Condition)
    assert_type(any_of(User.age > 30, User.active), Condition)
    assert_type(attr(User.nick).begins_with("a"), Condition)
    assert_type(attr(User.age).between(1, 2), Condition)
    assert_type(attr(User.age).is_in([1, 2]), Condition)
    assert_type(attr(User.nick).is_in(["a", None]), Condition)
    assert_type(attr(User.nick).contains("a"), Condition)
    assert_type(attr(User.tags).contains("a"), Condition)
    assert_type(attr(User.tags).contains(User.org), Condition)
    assert_type(attr(User.lines).contains(3), Condition)
    assert_type(attr(User.run).contains(3), Condition)
    assert_type(attr(User.names).contains("a"), Condition)
    assert_type(attr(User.raw).contains(b"a"), Condition)
    assert_type(attr(Account.id).begins_with("a"), Condition)
    assert_type(attr(Account.id).contains("a"), Condition)
    assert_type(attr(Account.digest).begins_with(b"a"), Condition)
    assert_type(attr(Account.digest).contains(b"a"), Condition)
    assert_type(attr(Account.members).contains(AccountId("a")), Condition)
    assert_type(attr(User.nick).attribute_type("NULL"), Condition)
    assert_type(attr(User.tags).size(), Size)
    assert_type(attr(User.tags).size() > 3, Condition)
    assert_type(User.age >= attr(User.tags).size(), Condition)
    assert_type(attr(User.tags).size() == User.age, Condition)
    assert_type(attr(User.tags).size() != attr(User.lines).size(), Condition)
    assert_type(attr(User.tags).size().between(1, User.age), Condition)
    assert_type(User.age < User.score, bool)
    assert_type(User.lines[0] == User.age, bool)
    assert_type(attr(User.age) >= User.lines[0], Condition)
    assert_type(attr(User.age).between(User.lines[0], 9), Condition)
    assert_type(attr(User.age).is_in([User.lines[0], 9]), Condition)
    assert_type(some(User.address).city == "Ulm", bool)
    assert_type(attr(some(User.address).zip), Attr[str])
    assert_type(expr(Event).day, str)
    assert_type(expr(Event).day == "x", bool)
    assert_type(user.active, bool)


def actions() -> None:
    assert_type(attr(User.age).set(4), Action)
    assert_type(attr(User.nick).set(None), Action)
    assert_type(attr(User.age).add(1), Action)
    assert_type(attr(Account.balance).add(1), Action)
    assert_type(attr(User.score).add(1), Action)
    assert_type(attr(User.score).add(1.5), Action)
    assert_type(attr(User.price).add(Decimal("0.1")), Action)
    assert_type(attr(User.price).add(1), Action)
    assert_type(attr(User.total).add(timedelta(seconds=1)), Action)
    assert_type(attr(User.tags).add({"a"}), Action)
    assert_type(attr(User.nick).remove(), Action)
    assert_type(User.age + User.lines[0], int)
    assert_type(User.age - 1, int)
    assert_type(User.score + User.age, float)
    assert_type(User.price + 1, Decimal)
    assert_type(User.at + timedelta(hours=1), datetime)
    assert_type(User.at - User.at, timedelta)
    assert_type(attr(User.age) + 1, int)
    assert_type(1 - attr(User.age), int)
    assert_type(attr(User.score) - 0.5, float)
    assert_type(attr(User.total) + timedelta(seconds=1), timedelta)
    assert_type(attr(User.nick).if_not_exists("x"), str)
    assert_type(attr(User.age).if_not_exists(0) + 1, int)
    assert_type(attr(User.age).set(User.age + User.lines[0]), Action)
    assert_type(attr(User.age).set(attr(User.age).if_not_exists(0) + 1), Action)
    assert_type(attr(User.nick).set(User.org), Action)
    assert_type(attr(User.lines).append(1, 2), Action)
    assert_type(attr(User.lines).prepend(User.age), Action)
    assert_type(attr(User.run).append(1), Action)
    assert_type(attr(User.queue).append("a"), Action)
    assert_type(attr(User.names).append("a"), Action)
    assert_type(attr(User.tags).delete({"a"}), Action)
    assert_type(attr(User.codes).delete(frozenset({1})), Action)
    assert_type(attr(User.codes).add({1}), Action)


def synchronous(user: User) -> None:
    with Client(region="eu-central-1") as client:
        users = client.table(User)
        assert_type(users, Table[User])
        assert_type(users.name, str)
        assert_type(users.model, type[User])
        users.put(user, where=~attr(User.id).exists())
        users.put(user, where=User.age < 3)
        users.create(user)
        users.replace(user, where=User.age < 3)
        assert_type(users.get("acme", user.id), User | None)
        assert_type(users.get(("acme", user.id), consistent=True), User | None)
        assert_type(users.update(user, attr(User.age).add(1), returning="new"), User)
        users.update(("acme", user.id), attr(User.age).add(1), attr(User.nick).set(None), where=User.age < 120)
        users.upsert(user, attr(User.age).add(1), where=User.age < 120)
        assert_type(users.upsert(user, attr(User.age).add(1), returning="old"), User | None)
        assert_type(users.upsert(user, attr(User.age).add(1), returning="new"), User)
        assert_type(users.delete(user, returning="old"), User | None)
        users.delete("acme", user.id, where=User.active)
        found = users.query(User.org == "acme", where=(User.age > 30) & (attr(User.nick) > "b"), limit=3, hydrate=True)
        assert_type(found.explain(), Explanation)
        assert_type(found, Query[User])
        assert_type(iter(found), Iterator[User])
        assert_type([each.age for each in found], list[int])
        assert_type(found.first(), User | None)
        assert_type(found.one(), User)
        assert_type(found.one_or_none(), User | None)
        assert_type(found.count(), int)
        page = found.page(20)
        assert_type(page, Page[User])
        assert_type(page.items, list[User])
        assert_type(page.cursor, str | None)
        assert_type(found.page(size=20, after=page.cursor), Page[User])
        assert_type(Client(cursor_key=b"0123456789abcdef"), Client)
        assert_type(users.scan(where=User.active), Query[User])
        assert_type(users.batch_get([("acme", user.id), user]), list[User | None])
        users.batch_put([user])
        users.batch_delete([user])
        users.create_table()
        users.wait_until_active()
        assert_type(users.describe_table(), dict[str, Any])
        users.delete_table()


def operations(client: Client, users: Table[User], user: User) -> None:
    assert_type(users.ops.get("acme", user.id), Operation[User | None])
    assert_type(users.ops.put(user), Operation[None])
    assert_type(users.ops.update(user, attr(User.age).add(1), returning="old"), Operation[User])
    assert_type(users.ops.replace(user), Operation[None])
    assert_type(users.ops.upsert(user, attr(User.age).add(1)), Operation[None])
    assert_type(users.ops.upsert(user, attr(User.age).add(1), returning="old"), Operation[User | None])
    assert_type(users.ops.upsert(user, attr(User.age).add(1), returning="new"), Operation[User])
    assert_type(users.ops.get(user).request(), tuple[str, bytes] | None)
    assert_type(client.run(users.ops.get(user)), User | None)


def batches_and_transactions(client: Client, users: Table[User], boxes: Table[Box[int]], user: User) -> None:
    one, other = users.ops.get(user), boxes.ops.get("a")
    assert_type(client.batch_get([one, one]), list[User | None])
    assert_type(client.batch_get(users.ops.get(each) for each in [user]), list[User | None])
    mixed: list[Operation[User | Box[int] | None]] = [one, other]
    assert_type(client.batch_get(mixed, concurrency=2), list[User | Box[int] | None])
    client.batch_write([users.ops.put(user), users.ops.delete(user)], concurrency=2)
    users.batch_put([user], concurrency=2)
    assert_type(client.transact(one), tuple[User | None])
    assert_type(client.transact(one, other), tuple[User | None, Box[int] | None])
    assert_type(
        client.transact(one, other, one, other, one, other),
        tuple[User | None, Box[int] | None, User | None, Box[int] | None, User | None, Box[int] | None],
    )
    assert_type(client.transact(*[one, one]), tuple[User | None, ...])
    check = users.ops.check(("acme", user.id), User.age > 3)
    assert_type(check, Operation[None])
    assert_type(client.transact(users.ops.put(user), check, token="a"), tuple[None, None])
    assert_type(client.ops.transact(one, other), Operation[tuple[User | None, Box[int] | None]])
    assert_type(client.run(client.ops.transact(one, check)), tuple[User | None, None])
    assert_type(client.ops.batch_get([one]), Operation[list[User | None]])
    try:
        client.transact(users.ops.create(user))
    except TransactionCancelled as error:
        assert_type(error.reasons, tuple[OxidynError | None, ...])
    except BatchIncomplete as error:
        assert_type(error.errors, tuple[OxidynError, ...])
        assert_type(error.by_table, dict[str, list[Any]])


async def asynchronous_transactions(client: AsyncClient, users: AsyncTable[User], user: User) -> None:
    one = users.ops.get(user)
    assert_type(await client.transact(one, one), tuple[User | None, User | None])
    assert_type(await client.batch_get([one]), list[User | None])
    await client.batch_write([users.ops.put(user)])


class Card(BaseModel):
    email: str
    age: int


def selections(users: Table[User], events: Table[Event], user: User) -> None:
    cards = users.select(Card)
    assert_type(cards, Selection[Card])
    assert_type(cards.get(user), Card | None)
    assert_type(cards.get("acme", user.id, consistent=True), Card | None)
    assert_type(cards.batch_get([user]), list[Card | None])
    assert_type(cards.query(User.org == "acme", where=User.age > 30), Query[Card])
    assert_type(cards.scan().first(), Card | None)
    assert_type(cards.ops.get(user), Operation[Card | None])
    assert_type(cards.ops.batch_get([user]), Operation[list[Card | None]])
    assert_type(users.select(Place), Selection[Place])
    assert_type(users.select(User.age), Selection[tuple[int]])
    assert_type(users.select(User.age, User.nick), Selection[tuple[int, str | None]])
    assert_type(users.select(User.age, some(User.address).city, User.tags).get(user), tuple[int, str, set[str]] | None)
    assert_type(
        users.select(User.org, User.id, User.age, User.price, User.active, User.lines[0], User.at),
        Selection[tuple[str, UUID, int, Decimal, bool, int, datetime]],
    )
    assert_type(events.select(expr(Event).day), Selection[tuple[str]])
    for age, nick in users.select(User.age, User.nick).query(User.org == "acme"):
        assert_type(age, int)
        assert_type(nick, str | None)


async def asynchronous(user: User) -> None:
    async with AsyncClient() as client:
        users = client.table(User)
        assert_type(users, AsyncTable[User])
        await users.put(user)
        assert_type(await users.get("acme", user.id), User | None)
        await users.replace(user)
        assert_type(await users.update(user, attr(User.age).add(1), returning="new"), User)
        assert_type(await users.upsert(user, attr(User.age).add(1), returning="old"), User | None)
        found = users.query(User.org == "acme")
        assert_type(found, AsyncQuery[User])
        assert_type(aiter(found), AsyncIterator[User])
        assert_type([each.age async for each in found], list[int])
        assert_type(await found.first(), User | None)
        assert_type(await found.count(), int)
        assert_type(await found.page(20, after="x"), Page[User])
        assert_type(await users.batch_get([user]), list[User | None])
        ages = users.select(User.age, User.nick)
        assert_type(ages, AsyncSelection[tuple[int, str | None]])
        assert_type(await ages.get(user), tuple[int, str | None] | None)
        assert_type(await ages.query(User.org == "acme").first(), tuple[int, str | None] | None)
        assert_type(users.select(Card).scan(), AsyncQuery[Card])
        assert_type(await users.select(Card).batch_get([user]), list[Card | None])
        assert_type(await client.run(users.ops.get(user)), User | None)


def models_of_others(client: Client) -> None:
    by_day = Index.keys(partition="day", sort=("org", "size"), project=KeysOnly())
    events = client.table(Event, name="events", partition="org", sort="day", indexes={"by_day": by_day})
    assert_type(events, Table[Event])
    assert_type(events.query(expr(Event).day == "x", index="by_day").first(), Event | None)
    places = client.table(Place, name="places", partition="name")
    assert_type(places.get("a"), Place | None)
    assert_type(expr(Place)["size"], int)
    assert_type(places.scan(where=attr(expr(Place)["name"]).begins_with("a")).count(), int)


def parallel_scans(client: Client) -> None:
    limit = RateLimit(read=100, write=2.5)
    assert_type(limit.read, float | None)
    users = client.table(User, rate_limit=limit)
    scan = users.parallel_scan(segments=4, where=User.age > 3, index="by_email", page_size=10, load="trust")
    assert_type(scan, ParallelScan[User])
    assert_type(next(scan), User)
    for user in scan:
        assert_type(user, User)
    iterator: Iterator[User] = scan
    assert_type(scan.count(), int)
    assert_type(scan.progress, ScanProgress)
    assert_type(scan.progress.segments[0].finished, bool)
    assert_type(users.parallel_scan(after=scan.cursor), ParallelScan[User])
    list(iterator)


async def awaited_parallel_scans(client: AsyncClient) -> None:
    scan = client.table(User, rate_limit=RateLimit(write=5)).parallel_scan()
    assert_type(scan, AsyncParallelScan[User])
    async for user in scan:
        assert_type(user, User)
    iterator: AsyncIterator[User] = scan
    assert_type(await anext(iterator), User)
    assert_type(await scan.count(), int)
    assert_type(scan.cursor, str)


def statements(client: Client) -> None:
    users = Statement("SELECT * FROM users WHERE org = ?", "acme", model=User)
    assert_type(users, Statement[User])
    assert_type(client.execute(users, consistent=True, limit=3), list[User])
    assert_type(client.ops.execute(users), Operation[list[User]])
    attributes = Statement("SELECT org FROM users")
    assert_type(attributes, Statement[dict[str, Any]])
    assert_type(client.execute(attributes), list[dict[str, Any]])
    assert_type(client.execute(Statement("SELECT name FROM places", model=Place)), list[Place])
    assert_type(client.batch_execute([users, users]), list[User | OxidynError | None])
    assert_type(client.transact_execute([users], token="once"), list[User | None])
    for result in client.batch_execute([users]):
        if isinstance(result, OxidynError):
            raise result
        assert_type(result, User | None)
    anything: Statement[object] = users
    client.execute(anything)


async def awaited_statements(client: AsyncClient) -> None:
    users = Statement("SELECT * FROM users", model=User)
    assert_type(await client.execute(users), list[User])
    assert_type(await client.batch_execute([users]), list[User | OxidynError | None])


def adapter(user: User) -> None:
    of_users = ItemAdapter(User, unset="skip", unknown="error", any_numbers="decimal")
    assert_type(of_users.dump_wire(user), bytes)
    assert_type(of_users.load_wire(b"{}"), User)
    assert_type(of_users.item_size(user), ItemSize)
    assert_type(item_size(user).bytes, int)
    assert_type(item_size(user).heaviest[0].path, str)
    Attribute(format="seconds")
    Attribute(name="i", format="hex")


def errors(users: Table[User], user: User) -> None:
    try:
        users.put(user, where=User.age > 3)
    except ConditionFailed as error:
        assert_type(error.table, str | None)
    except InvalidItem as error:
        assert_type(error.request_id, str | None)
        assert_type(error.error_count(), int)
