"""client.batch_get and client.batch_write: items of any tables."""

from __future__ import annotations

from typing import Any

import pytest

from oxidyn import Client, InvalidOperation, InvalidOption, attr, expr
from tests.ops.models import Counter, Stranger, User


def test_items_of_two_tables_come_in_the_order_of_the_operations(client: Any, users: Any, counters: Any) -> None:
    user, counter = User(org="a", id=1), Counter(name="c", count=3)
    users.put(user)
    counters.put(counter)

    found = client.batch_get(
        [counters.ops.get("c"), users.ops.get("a", 1), counters.ops.get("d"), users.ops.get("a", 1, consistent=True)]
    )

    assert found == [counter, user, None, user]


def test_any_number_of_items_of_two_tables_is_written_and_read(client: Any, users: Any, counters: Any) -> None:
    people = [User(org="a", id=number) for number in range(70)]
    counted = [Counter(name=f"c{number}", count=number) for number in range(70)]
    both = [item for pair in zip(people, counted, strict=True) for item in pair]

    client.batch_write((users if isinstance(item, User) else counters).ops.put(item) for item in both)
    found = client.batch_get(
        users.ops.get(item) if isinstance(item, User) else counters.ops.get(item.name) for item in both
    )

    assert found == both


def test_puts_and_deletes_go_together(client: Any, users: Any, counters: Any) -> None:
    users.put(User(org="a", id=1))

    client.batch_write(
        [users.ops.delete("a", 1), counters.ops.put(Counter(name="c")), users.ops.put(User(org="a", id=2))]
    )

    assert client.batch_get([users.ops.get("a", 1), users.ops.get("a", 2)]) == [None, User(org="a", id=2)]
    assert counters.get("c") == Counter(name="c")


def test_of_a_put_and_a_delete_of_one_key_the_last_counts(client: Any, users: Any) -> None:
    first, second = User(org="a", id=1), User(org="a", id=2)

    client.batch_write(
        [users.ops.put(first), users.ops.delete("a", 2), users.ops.delete("a", 1), users.ops.put(second)]
    )

    assert users.batch_get([("a", 1), ("a", 2)]) == [None, second]


def test_one_item_read_as_two_models_is_both(client: Any, users: Any) -> None:
    strangers = client.table(Stranger, name=users.name)
    strangers.put(Stranger(org="a", id=1, age="3"))

    # DynamoDB is asked once.
    found = client.batch_get([strangers.ops.get("a", 1), strangers.ops.get("a", 1)])

    assert found == [Stranger(org="a", id=1, age="3")] * 2


def test_each_item_is_read_under_its_operations_own_policy(client: Any, users: Any) -> None:
    users.put(User(org="a", id=1))

    trusted, validated = client.batch_get([users.ops.get("a", 1, load="trust"), users.ops.get("a", 1)])

    assert trusted == validated == User(org="a", id=1)


def test_nothing_to_do_sends_nothing_and_gives_nothing(client: Any) -> None:
    assert client.batch_get([]) == []
    assert client.batch_write([]) is None
    assert client.transact() == ()
    assert client.ops.batch_get([]).request() is None
    assert repr(client.ops.transact()) == "Operation()"


def test_a_batch_is_a_value(client: Any, users: Any, counters: Any) -> None:
    operation = client.ops.batch_get([users.ops.get("a", 1), counters.ops.get("c")])

    name, body = operation.request()

    assert name == "BatchGetItem"
    assert body.count(b'"Keys"') == 2
    assert client.run(operation) == client.run(operation) == [None, None]


# ---- what is refused, before anything is sent ----


class Refused:
    """Operations on tables that are not there: whatever is sent would fail."""

    client = Client.local()
    users = client.table(User)
    counters = client.table(Counter)
    user = User(org="a", id=1)


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        (Refused.users.ops.put(Refused.user), r'PutItem on table "users": a batch get only reads: batch_write\(\)'),
        (Refused.users.ops.batch_get([("a", 1)]), "BatchGetItem .*it is no operation on one item by its key"),
        (Refused.users.ops.describe_table(), "DescribeTable .*it is no operation on one item by its key"),
        (Refused.users.ops.check(("a", 1), User.age > 3), "ConditionCheck .*a batch get only reads"),
        (Refused.client.ops.batch_get([]), r"operations\[1\]: it is no operation on one item"),
    ],
)
def test_what_cannot_go_into_a_batch_get_is_refused_with_its_place(operation: Any, told: str) -> None:
    with pytest.raises(InvalidOperation, match=told) as caught:
        Refused.client.batch_get([Refused.counters.ops.get("a"), operation])

    assert "batch_get() cannot take operations[1]" in str(caught.value)


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        (Refused.users.ops.get("a", 1), r"a batch write only writes: batch_get\(\) takes reads"),
        (Refused.users.ops.put(Refused.user, where=User.age > 3), "DynamoDB checks no condition in a batch"),
        (Refused.users.ops.create(Refused.user), "DynamoDB checks no condition in a batch"),
        (Refused.users.ops.replace(Refused.user), "DynamoDB checks no condition in a batch"),
        (Refused.users.ops.upsert(("a", 1), attr(User.age).add(1)), r"whole puts and deletes only: use transact\(\)"),
        (Refused.users.ops.delete("a", 1, where=User.age > 3), "DynamoDB checks no condition in a batch"),
        (Refused.users.ops.delete("a", 1, returning="old"), "a batch gives no items back"),
        (Refused.users.ops.update(("a", 1), attr(User.age).add(1)), r"whole puts and deletes only: use transact\(\)"),
        (Refused.users.ops.check(("a", 1), User.age > 3), r"whole puts and deletes only: use transact\(\)"),
        (Refused.users.ops.batch_put([]), "it is no operation on one item by its key"),
    ],
)
def test_what_cannot_go_into_a_batch_write_is_refused_with_its_place(operation: Any, told: str) -> None:
    with pytest.raises(InvalidOperation, match=told) as caught:
        Refused.client.batch_write([Refused.users.ops.put(Refused.user), operation])

    assert "batch_write() cannot take operations[1]" in str(caught.value)
    assert caught.value.table == "users"


@pytest.mark.parametrize("method", ["batch_get", "batch_write"])
@pytest.mark.parametrize(("given", "found"), [(Refused.user, "User"), (("a", 1), "tuple"), (None, "NoneType")])
def test_what_is_no_operation_is_refused_with_its_place(method: str, given: Any, found: str) -> None:
    with pytest.raises(InvalidOperation, match=rf"found {found} as operations\[0\]"):
        getattr(Refused.client, method)([given])


def test_two_models_that_disagree_on_a_tables_key_are_refused() -> None:
    strangers = Refused.client.table(Stranger, name="counters")

    with pytest.raises(InvalidOperation, match="the table's key is org and id, and an operation before it says name"):
        Refused.client.batch_get([Refused.counters.ops.get("a"), strangers.ops.get("a", 1)])


@pytest.mark.parametrize("concurrency", [0, -1, 101, 2**70, True, 2.0, "8", None])
def test_a_concurrency_that_cannot_be_is_refused(concurrency: Any) -> None:
    client, users = Refused.client, Refused.users
    for call in (
        lambda: client.batch_get([], concurrency=concurrency),
        lambda: client.batch_write([], concurrency=concurrency),
        lambda: users.batch_get([], concurrency=concurrency),
        lambda: users.batch_put([], concurrency=concurrency),
        lambda: users.batch_delete([], concurrency=concurrency),
    ):
        with pytest.raises(InvalidOption, match="concurrency=.*expected 1 to 100 requests under way at once"):
            call()


def test_a_dataclass_or_another_plain_model_goes_too(client: Any, users: Any) -> None:
    strangers = client.table(Stranger, name=users.name)

    client.batch_write([strangers.ops.put(Stranger(org="a", id=1, age="old")), users.ops.put(User(org="a", id=2))])

    assert strangers.query(expr(Stranger).org == "a", limit=1).one().age == "old"
