"""The models that the tests of every operation share."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from oxidyn import TTL, Attribute, Index, KeysOnly, Model, PartitionKey, SortKey


class Address(BaseModel):
    city: str
    zip: str | None = None


class Plan(Enum):
    FREE = "free"
    PAID = "paid"


class User(Model, table="users", indexes={"by_nick": KeysOnly()}):
    """One item of an organisation's users: a composite key, three global indexes and one local index."""

    org: Annotated[str, PartitionKey]
    id: Annotated[int, SortKey]
    email: Annotated[str | None, Index("by_email", partition=True)] = None
    plan: Annotated[Plan, Index("by_plan", partition=True)] = Plan.FREE
    joined: Annotated[datetime, Index("by_plan", sort=True), Index("by_joined", sort=True)] = datetime(
        2024, 1, 1, tzinfo=timezone.utc
    )
    age: int = Field(default=30, ge=0)
    nick: Annotated[str | None, Index("by_nick", partition=True)] = None
    note: str | None = "none yet"
    tags: set[str] = set()
    scores: dict[str, Decimal] = {}
    lines: list[int] = []
    address: Address | None = None
    active: bool = True
    expires: Annotated[datetime | None, TTL] = None
    select: Annotated[str, Attribute(name="size.of name")] = ""


class Reading(Model, table="readings"):
    """A plain time series: the range rules of the sort key are told on it."""

    sensor: Annotated[UUID, PartitionKey]
    at: Annotated[datetime, SortKey]
    value: float


class Diary(Model, table="diaries"):
    owner: Annotated[str, PartitionKey]
    day: Annotated[date, SortKey]
    text: str = ""


class Price(Model, table="prices"):
    symbol: Annotated[str, PartitionKey]
    amount: Annotated[Decimal, SortKey]


class Word(Model, table="words"):
    language: Annotated[str, PartitionKey]
    word: Annotated[str, SortKey]


class Counter(Model, table="counters"):
    """A partition key alone."""

    name: Annotated[str, PartitionKey]
    count: int = 0


class Stranger(Model):
    """What another program might have written into the users' table."""

    org: Annotated[str, PartitionKey]
    id: Annotated[int, SortKey]
    age: str
