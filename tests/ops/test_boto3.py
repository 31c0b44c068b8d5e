"""boto3 on the same server reads what we wrote, and writes what we read."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from tests.ops.models import Address, Plan, User

USER = User(
    org="acme",
    id=1,
    email="ada@acme.example",
    plan=Plan.PAID,
    joined=datetime(2025, 2, 3, 4, 5, 6, 7, tzinfo=timezone.utc),
    age=36,
    nick="Ada \N{GREEK SMALL LETTER LAMDA}",
    tags={"a", "b"},
    scores={"x.y": Decimal("1.1")},
    lines=[3, 1, 2],
    address=Address(city="Ulm"),
    expires=datetime(2030, 1, 1, tzinfo=timezone.utc),
    select="reserved",
)
ITEM = {
    "org": "acme",
    "id": 1,
    "email": "ada@acme.example",
    "plan": "paid",
    "joined": "2025-02-03T04:05:06.000007Z",
    "age": 36,
    "nick": "Ada \N{GREEK SMALL LETTER LAMDA}",
    "note": "none yet",
    "tags": {"a", "b"},
    "scores": {"x.y": Decimal("1.1")},
    "lines": [3, 1, 2],
    "address": {"city": "Ulm"},
    "active": True,
    "expires": 1893456000,
    "size.of name": "reserved",
}

pytestmark = pytest.mark.parametrize("engine", ["moto"], indirect=True)


def test_boto3_reads_what_we_wrote(users: Any, boto3_client: Any) -> None:
    users.put(USER)

    found = boto3_client.get_item(TableName=users.name, Key={"org": {"S": "acme"}, "id": {"N": "1"}})["Item"]

    assert {name: TypeDeserializer().deserialize(value) for name, value in found.items()} == ITEM


def test_we_read_what_boto3_wrote(users: Any, boto3_client: Any) -> None:
    boto3_client.put_item(
        TableName=users.name, Item={name: TypeSerializer().serialize(value) for name, value in ITEM.items()}
    )

    assert users.get("acme", 1) == USER


def test_boto3_sees_the_ttl_that_create_table_enabled(users: Any, boto3_client: Any) -> None:
    described = boto3_client.describe_time_to_live(TableName=users.name)["TimeToLiveDescription"]

    assert described == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
