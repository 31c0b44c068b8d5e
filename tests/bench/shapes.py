"""The models that are measured, and samples of them.

Several samples to a shape, so that neither a branch predictor nor a cache of values sees one item over and over.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator

if TYPE_CHECKING:
    from collections.abc import Callable


class Flat(BaseModel):
    org: str
    id: str
    name: str
    age: int
    score: float
    active: bool


class Plan(Enum):
    FREE = "free"
    TEAM = "team"
    ENTERPRISE = "enterprise"


class Address(BaseModel):
    street: str
    city: str
    zip: str
    country: str


class Mixed(BaseModel):
    org: str
    id: UUID
    email: str
    name: str
    created: datetime
    updated: datetime
    birthday: date
    balance: Decimal
    rating: float
    visits: int
    active: bool
    plan: Plan
    tags: set[str]
    scores: list[int]
    settings: dict[str, str]
    quotas: dict[str, int]
    address: Address
    nick: str | None = None
    phone: str | None = None
    referrer: UUID | None = None


def _stripped(name: str) -> str:
    return name.strip()


class FlatAfter(Flat):
    """With one validator of the user's, which gets the value as its type says."""

    name: Annotated[str, AfterValidator(_stripped)]


class FlatBefore(Flat):
    """With one that gets whatever was there."""

    name: Annotated[str, BeforeValidator(_stripped)]


class MixedAfter(Mixed):
    name: Annotated[str, AfterValidator(_stripped)]


class MixedBefore(Mixed):
    name: Annotated[str, BeforeValidator(_stripped)]


class Line(BaseModel):
    sku: str
    title: str
    quantity: int
    price: Decimal
    weight: float
    gift: bool


class Order(BaseModel):
    org: str
    id: str
    customer: str
    placed: datetime
    currency: str
    lines: list[Line]


class Event(BaseModel):
    org: str
    id: str
    payload: Any  # whatever a service was sent: the point of the shape


class Vector(BaseModel):
    org: str
    id: str
    values: list[float]


@dataclass(frozen=True)
class Shape:
    """A model with the samples measured; its key is always `org` and `id`."""

    name: str
    model: type[BaseModel]
    samples: list[BaseModel]


FIRST_NAMES = ("Ada", "Grace", "Edsger", "Barbara", "Donald", "Radia", "Jürgen", "Chloé")
CITIES = ("Ulm", "Århus", "Lyon", "Porto", "Graz", "Malmö", "Leeds", "Turin")
START = datetime(2024, 3, 1, 9, 30, tzinfo=timezone.utc)


def _text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choice(FIRST_NAMES[:6] + CITIES[4:]) for _ in range(words))


def _moment(rng: random.Random) -> datetime:
    return START + timedelta(microseconds=rng.randrange(10**14))


def _flat(rng: random.Random) -> Flat:
    return Flat(
        org="acme",
        id=f"user-{rng.randrange(10**6):06}",
        name=f"{rng.choice(FIRST_NAMES)} {rng.choice(CITIES)}",
        age=rng.randrange(18, 90),
        score=round(rng.uniform(0, 100), 2),
        active=rng.random() < 0.5,
    )


def _mixed(rng: random.Random) -> Mixed:
    return Mixed(
        org="acme",
        id=UUID(int=rng.getrandbits(128), version=4),
        email=f"{rng.choice(FIRST_NAMES).lower()}.{rng.randrange(1000)}@example.com",
        name=f"{rng.choice(FIRST_NAMES)} {rng.choice(CITIES)}",
        created=_moment(rng),
        updated=_moment(rng),
        birthday=date(1950, 1, 1) + timedelta(days=rng.randrange(20_000)),
        balance=Decimal(rng.randrange(10**7)) / 100,
        rating=round(rng.uniform(0, 5), 3),
        visits=rng.randrange(10_000),
        active=rng.random() < 0.5,
        plan=rng.choice(list(Plan)),
        tags={f"tag-{rng.randrange(100)}" for _ in range(4)},
        scores=[rng.randrange(100) for _ in range(5)],
        settings={"theme": rng.choice(("dark", "light")), "language": "en", "timezone": "Europe/Berlin"},
        quotas={"projects": rng.randrange(50), "seats": rng.randrange(50)},
        address=Address(street=_text(rng, 3), city=rng.choice(CITIES), zip=f"{rng.randrange(10**5):05}", country="DE"),
        nick=rng.choice((None, "ace")),
        referrer=rng.choice((None, UUID(int=rng.getrandbits(128), version=4))),
    )


def _order(rng: random.Random) -> Order:
    return Order(
        org="acme",
        id=f"order-{rng.randrange(10**6):06}",
        customer=_text(rng, 2),
        placed=_moment(rng),
        currency="EUR",
        lines=[
            Line(
                sku=f"SKU-{rng.randrange(10**5):05}",
                title=_text(rng, 4),
                quantity=rng.randrange(1, 20),
                price=Decimal(rng.randrange(10**5)) / 100,
                weight=round(rng.uniform(0, 30), 2),
                gift=rng.random() < 0.1,
            )
            for _ in range(50)
        ],
    )


def _event(rng: random.Random) -> Event:
    return Event(
        org="acme",
        id=f"event-{rng.randrange(10**6):06}",
        payload={
            "type": rng.choice(("created", "updated", "deleted")),
            "actor": {"id": rng.randrange(10**6), "name": _text(rng, 2), "admin": rng.random() < 0.1},
            "changes": [
                {
                    "field": rng.choice(("title", "price", "stock")),
                    "before": rng.randrange(1000),
                    "after": rng.randrange(1000),
                    # Without a type boto3 reads a Decimal, which equals a float of quarters.
                    "weight": rng.randrange(120) / 4,
                    "note": None,
                }
                for _ in range(10)
            ],
            "labels": [_text(rng, 1) for _ in range(5)],
        },
    )


def _vector(rng: random.Random, *, digits: int) -> Vector:
    # 7 digits are what embedding services send, 17 what arithmetic leaves behind.
    values = [rng.uniform(-1, 1) for _ in range(768)]
    return Vector(
        org="acme",
        id=f"vector-{rng.randrange(10**6):06}",
        values=[round(x, 7) for x in values] if digits == 7 else values,
    )


def _shape(name: str, make: Callable[[random.Random], BaseModel], samples: int) -> Shape:
    rng = random.Random(name)
    made = [make(rng) for _ in range(samples)]
    return Shape(name, type(made[0]), made)


def _of_model(name: str, shape: Shape, model: type[BaseModel]) -> Shape:
    return Shape(name, model, [model.model_validate(sample.model_dump()) for sample in shape.samples])


FLAT = _shape("six flat fields", _flat, 100)
MIXED = _shape("twenty mixed fields", _mixed, 100)
ORDER = _shape("order with 50 nested lines", _order, 4)
EVENT = _shape("payload of any type", _event, 20)
VECTOR_7 = _shape("768 floats of 7 digits", partial(_vector, digits=7), 4)
VECTOR_17 = _shape("768 floats of 17 digits", partial(_vector, digits=17), 4)
VALIDATED = (
    _of_model("six flat fields, one after-validator", FLAT, FlatAfter),
    _of_model("six flat fields, one before-validator", FLAT, FlatBefore),
    _of_model("twenty mixed fields, one after-validator", MIXED, MixedAfter),
    _of_model("twenty mixed fields, one before-validator", MIXED, MixedBefore),
)
