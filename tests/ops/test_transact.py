"""client.transact: writes and checks together or not at all, and reads of one moment."""

from __future__ import annotations

from typing import Any

import pytest

from oxidyn import (
    Client,
    ConditionFailed,
    InvalidItem,
    InvalidOperation,
    InvalidOption,
    ItemExists,
    ItemNotFound,
    TableNotFound,
    TransactionCancelled,
    attr,
)
from tests.engines import Engine
from tests.ops.models import Counter, Stranger, User

USER = User(org="a", id=1, age=30)


def test_every_kind_of_write_happens_together(client: Any, users: Any, counters: Any) -> None:
    users.batch_put([USER, User(org="a", id=2), User(org="a", id=3), User(org="a", id=4)])

    given = client.transact(
        users.ops.update(USER, attr(User.age).add(1)),
        users.ops.delete("a", 2),
        users.ops.create(User(org="b", id=1)),
        users.ops.put(User(org="b", id=2)),
        counters.ops.put(Counter(name="c", count=1)),
        users.ops.check(("a", 3), User.age == 30),
        users.ops.replace(User(org="a", id=4, age=44)),
        counters.ops.upsert("d", attr(Counter.count).set(4)),
    )

    assert given == (None,) * 8
    assert users.get("a", 4).age == 44
    assert counters.get("d") == Counter(name="d", count=4)
    assert users.get("a", 1).age == 31
    assert users.batch_get([("a", 2), ("b", 1), ("b", 2)]) == [None, User(org="b", id=1), User(org="b", id=2)]
    assert counters.get("c").count == 1


def test_items_of_two_tables_are_read_in_the_order_of_the_operations(client: Any, users: Any, counters: Any) -> None:
    users.put(USER)
    counters.put(Counter(name="c"))

    found = client.transact(counters.ops.get("c"), users.ops.get("a", 1, consistent=True), users.ops.get("a", 2))

    assert found == (Counter(name="c"), USER, None)


def test_where_one_operation_is_refused_nothing_is_written(client: Any, users: Any, counters: Any) -> None:
    users.put(USER)

    with pytest.raises(TransactionCancelled) as caught:
        client.transact(
            counters.ops.put(Counter(name="c")),
            users.ops.create(User(org="a", id=1, age=3)),
            users.ops.update(("a", 9), attr(User.age).add(1)),
            users.ops.put(User(org="a", id=5)),
        )

    assert counters.get("c") is None
    assert users.get("a", 5) is None
    first, second, third, fourth = caught.value.reasons
    assert first is None
    assert fourth is None
    assert isinstance(second, ItemExists)
    assert isinstance(third, ItemNotFound)


def test_a_reason_is_what_the_operation_alone_would_have_raised(client: Any, users: Any) -> None:
    users.put(USER)
    operations = [
        users.ops.create(User(org="a", id=1, age=3)),
        users.ops.update(("a", 2), attr(User.age).add(1)),
        users.ops.delete("a", 3, where=User.age > 3),
        users.ops.put(User(org="a", id=4), where=User.age > 3),
        users.ops.replace(User(org="a", id=5)),
        users.ops.upsert(("a", 6), attr(User.age).set(1), where=User.age > 3),
    ]
    alone: list[Any] = []
    for operation in operations:
        with pytest.raises((ItemExists, ItemNotFound, ConditionFailed)) as refused:
            client.run(operation)
        alone.append(refused.value)

    with pytest.raises(TransactionCancelled) as caught:
        client.transact(*operations)

    for reason, expected in zip(caught.value.reasons, alone, strict=True):
        assert type(reason) is type(expected)
        assert reason.operation == expected.operation
        assert reason.table == expected.table == users.name
        assert reason.key == expected.key
        assert getattr(reason, "item", "none") == getattr(expected, "item", "none")
        assert reason.args == expected.args


def test_a_refused_condition_carries_the_stored_item_as_a_model(client: Any, users: Any, counters: Any) -> None:
    users.put(USER)

    with pytest.raises(TransactionCancelled) as caught:
        client.transact(
            counters.ops.put(Counter(name="c")),
            users.ops.check(("a", 1), User.age > 40),
            users.ops.delete("a", 2, where=User.age > 40),
        )

    _, check, delete = caught.value.reasons
    assert isinstance(check, ConditionFailed)
    assert check.item == USER
    assert check.key == ("a", 1)
    assert isinstance(delete, ConditionFailed)
    assert delete.item is None
    assert "ConditionFailed at 1, ConditionFailed at 2" in str(caught.value)


def test_a_stored_item_that_is_not_the_models_is_told_as_the_reasons_cause(client: Any, users: Any) -> None:
    client.table(Stranger, name=users.name).put(Stranger(org="a", id=1, age="old"))

    with pytest.raises(TransactionCancelled) as caught:
        client.transact(users.ops.create(USER))

    (reason,) = caught.value.reasons
    assert isinstance(reason, ItemExists)
    assert isinstance(reason.__cause__, InvalidItem)


def test_a_check_alone_raises_as_itself(client: Any, users: Any) -> None:
    users.put(USER)

    assert client.run(users.ops.check(("a", 1), User.age == 30)) is None
    with pytest.raises(ConditionFailed) as caught:
        client.run(users.ops.check(USER, where=User.age > 40))
    with pytest.raises(ConditionFailed) as absent:
        client.run(users.ops.check(("a", 2), attr(User.org).exists()))

    assert caught.value.item == USER
    assert (caught.value.key, caught.value.table) == (USER, users.name)
    assert absent.value.item is None


def test_a_refused_stored_item_comes_with_its_key(client: Any, users: Any, counters: Any) -> None:
    client.table(Stranger, name=users.name).put(Stranger(org="a", id=1, age="old"))

    with pytest.raises(InvalidItem, match="age") as caught:
        client.transact(counters.ops.get("c"), users.ops.get("a", 1))

    assert caught.value.key == ("a", 1)
    assert caught.value.table == users.name


def test_a_table_that_is_not_there_is_told(client: Any, users: Any) -> None:
    nowhere = client.table(Counter, name=f"{users.name}-nowhere")

    for operations in ([nowhere.ops.put(Counter(name="c"))], [nowhere.ops.get("c")]):
        with pytest.raises(TableNotFound):
            client.transact(*operations)


def test_a_hundred_operations_are_taken(client: Any, counters: Any, engine: Engine) -> None:
    items = [Counter(name=f"c{number}", count=number) for number in range(100)]

    client.transact(*(counters.ops.put(item) for item in items))

    # Moto reads only the 25 that DynamoDB took until 2022.
    most = 100 if engine == "embedded" else 25
    assert client.transact(*(counters.ops.get(item) for item in items[:most])) == tuple(items[:most])


# ---- tokens ----


@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
def test_a_transaction_run_again_with_its_token_is_not_done_again(client: Any, counters: Any) -> None:
    # Moto knows no tokens.
    counters.put(Counter(name="c"))
    for _ in range(3):
        client.transact(counters.ops.update("c", attr(Counter.count).add(1)), token="payment-7")

    assert counters.get("c").count == 1
    client.transact(counters.ops.update("c", attr(Counter.count).add(1)))
    client.transact(counters.ops.update("c", attr(Counter.count).add(1)))
    assert counters.get("c").count == 3


@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
def test_a_token_of_another_transaction_is_explained(client: Any, counters: Any) -> None:
    client.transact(counters.ops.put(Counter(name="c")), token="t" * 36)

    with pytest.raises(Exception, match="A token names one transaction: give each its own, or none") as caught:
        client.transact(counters.ops.put(Counter(name="d")), token="t" * 36)

    assert caught.value.code == "IdempotentParameterMismatchException"
    assert counters.get("d") is None


def test_an_operation_run_twice_has_a_token_for_each_run(client: Any, counters: Any) -> None:
    counters.put(Counter(name="c"))
    operation = client.ops.transact(counters.ops.update("c", attr(Counter.count).add(1)))

    client.run(operation)
    client.run(operation)

    assert counters.get("c").count == 2


# ---- what is refused, before anything is sent ----

LOCAL = Client.local()
USERS = LOCAL.table(User)
COUNTERS = LOCAL.table(Counter)


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        (USERS.ops.get("a", 2), r"a transaction either reads or writes, and operations\[0\] does the other"),
        (
            USERS.ops.update(("a", 2), attr(User.age).add(1), returning="new"),
            "a transaction of writes gives no items back",
        ),
        (USERS.ops.delete("a", 2, returning="old"), "a transaction of writes gives no items back"),
        (
            USERS.ops.delete(USER),
            r"operations\[0\] is on the same item, and a transaction takes one operation for each",
        ),
        (USERS.ops.batch_get([("a", 2)]), "it is no operation on one item by its key"),
        (USERS.ops.create_table(), "it is no operation on one item by its key"),
        (LOCAL.ops.transact(USERS.ops.put(USER)), "it is no operation on one item by its key"),
    ],
)
def test_what_cannot_go_into_a_transaction_is_refused_with_its_place(operation: Any, told: str) -> None:
    with pytest.raises(InvalidOperation, match=told) as caught:
        LOCAL.transact(USERS.ops.put(USER), operation)

    assert "transact() cannot take operations[1]" in str(caught.value)
    assert "Nothing was sent." in str(caught.value)


def test_writes_among_reads_and_one_item_twice_are_refused_with_their_places() -> None:
    with pytest.raises(InvalidOperation, match=r"operations\[2\], PutItem .* either reads or writes"):
        LOCAL.transact(USERS.ops.get("a", 1), USERS.ops.get("a", 2), USERS.ops.put(USER))
    with pytest.raises(InvalidOperation, match=r"operations\[1\], GetItem .* operations\[0\] is on the same item"):
        LOCAL.transact(USERS.ops.get("a", 1), USERS.ops.get(USER, load="trust"))


@pytest.mark.parametrize("kind", [list, tuple])
def test_operations_in_a_list_are_refused_with_the_way_to_give_them(kind: Any) -> None:
    with pytest.raises(
        InvalidOperation, match=rf"found {kind.__name__} as operations\[0\]. .* transact\(\*operations\)"
    ):
        LOCAL.transact(kind([USERS.ops.delete("a", 1)]))


def test_what_is_no_operation_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidOperation, match=r"transact\(\) takes operations .* found User as operations\[1\]"):
        LOCAL.transact(USERS.ops.get("a", 1), USER)  # type: ignore[call-overload]


def test_more_than_a_hundred_operations_are_explained() -> None:
    with pytest.raises(
        InvalidOperation, match="takes at most 100 operations, found 101: DynamoDB carries no more out as one"
    ):
        LOCAL.transact(*(COUNTERS.ops.get(f"c{number}") for number in range(101)))


def test_more_than_four_megabytes_are_refused() -> None:
    items = [User(org="a", id=number, note="x" * 400_000) for number in range(11)]

    LOCAL.ops.transact(*(USERS.ops.put(item) for item in items[:10]))
    with pytest.raises(InvalidOperation, match=r"have 4\d{6} bytes, and DynamoDB takes 4194304 in one transaction"):
        LOCAL.transact(*(USERS.ops.put(item) for item in items))


@pytest.mark.parametrize("token", ["", "t" * 37, "é" * 19, "\ud800" * 13, 7, b"t"])
def test_a_token_that_cannot_be_is_refused(token: Any) -> None:
    with pytest.raises(InvalidOption, match=r"token=: expected a string of 1 to 36 bytes as UTF-8"):
        LOCAL.transact(USERS.ops.put(USER), token=token)


def test_a_token_of_as_many_bytes_as_there_may_be_is_taken() -> None:
    LOCAL.ops.transact(USERS.ops.put(USER), token="é" * 18)


def test_a_token_for_reads_is_refused() -> None:
    with pytest.raises(InvalidOption, match="token= is for writes"):
        LOCAL.transact(USERS.ops.get("a", 1), token="t")


def test_a_check_without_a_condition_is_refused() -> None:
    with pytest.raises(TypeError):
        USERS.ops.check(("a", 1), True)
    with pytest.raises(TypeError):
        USERS.ops.check(("a", 1))  # type: ignore[call-arg]
