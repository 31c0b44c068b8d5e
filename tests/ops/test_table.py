"""create_table, describe_table, delete_table, wait_until_active; and what a missing table is."""

from __future__ import annotations

from typing import Any

import pytest

from oxidyn import TableExists, TableNotFound
from tests.ops.models import Counter, User


def test_a_table_is_created_with_its_keys_and_indexes(client: Any, table_name: str) -> None:
    users = client.table(User, name=table_name)

    users.create_table()
    users.wait_until_active()

    described = users.describe_table()
    assert described["TableStatus"] == "ACTIVE"
    assert described["KeySchema"] == [
        {"AttributeName": "org", "KeyType": "HASH"},
        {"AttributeName": "id", "KeyType": "RANGE"},
    ]
    by_name = {index["IndexName"]: index for index in described["GlobalSecondaryIndexes"]}
    assert set(by_name) == {"by_email", "by_plan", "by_nick"}
    assert by_name["by_plan"]["Projection"]["ProjectionType"] == "ALL"
    assert by_name["by_nick"]["Projection"]["ProjectionType"] == "KEYS_ONLY"
    assert by_name["by_plan"]["KeySchema"] == [
        {"AttributeName": "plan", "KeyType": "HASH"},
        {"AttributeName": "joined", "KeyType": "RANGE"},
    ]
    assert [index["IndexName"] for index in described["LocalSecondaryIndexes"]] == ["by_joined"]
    types = {entry["AttributeName"]: entry["AttributeType"] for entry in described["AttributeDefinitions"]}
    assert types == {"org": "S", "id": "N", "email": "S", "plan": "S", "joined": "S", "nick": "S"}


def test_a_table_made_twice_is_table_exists(client: Any, table_name: str) -> None:
    counters = client.table(Counter, name=table_name)
    counters.create_table()

    with pytest.raises(TableExists, match=counters.name):
        counters.create_table()


def test_a_missing_table_says_how_to_make_it(client: Any, table_name: str) -> None:
    counters = client.table(Counter, name=table_name)

    for attempt in (
        lambda: counters.get("a"),
        lambda: counters.put(Counter(name="a")),
        lambda: list(counters.scan()),
        counters.describe_table,
    ):
        with pytest.raises(TableNotFound, match="create_table") as caught:
            attempt()
        assert caught.value.table == counters.name


def test_a_deleted_table_is_gone(client: Any, table_name: str) -> None:
    counters = client.table(Counter, name=table_name)
    counters.create_table()
    counters.put(Counter(name="a"))

    counters.delete_table()

    with pytest.raises(TableNotFound):
        counters.get("a")
