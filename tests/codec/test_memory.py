"""Nothing is held longer than it is needed, on the good ways and on the refused ones."""

import contextlib
import gc
import itertools
import random
import sys
import tracemalloc
import weakref
from datetime import datetime, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from pydantic import BaseModel

from oxidyn import Client, InvalidItem, ItemAdapter
from tests.codec.hostile import SHAPES, inputs

# Less than the smallest object.
NOTHING = 10


class Line(BaseModel):
    sku: str
    price: Decimal
    tags: set[str] = set()


class Order(BaseModel):
    id: UUID
    at: datetime
    lines: list[Line]
    table: dict[str, float]
    note: str | None = None


ADAPTER = ItemAdapter(Order)
ORDER = Order(
    id=UUID(int=1),
    at=datetime(2026, 1, 31, tzinfo=timezone.utc),
    lines=[Line(sku="a", price=Decimal("1.5"), tags={"x"}), Line(sku="b", price=Decimal(2))],
    table={"k": 0.1},
)
WIRE = ADAPTER.dump_wire(ORDER)
DAMAGED = WIRE.replace(b'"N":"1.5"', b'"S":"many"')


ROUNDS = 6
TIMES = 500


def growth(work) -> float:
    """The bytes that are still held for each time the work was done, once its caches are filled.

    Every round is measured by itself and the least is taken: what the work holds it holds in each of them, while other
    threads (moto's server), pools of the allocator and caches of Python's own grow in some.
    """
    for _ in range(100):
        work()
    gc.collect()
    tracemalloc.start()
    try:
        held = []
        for _ in range(ROUNDS):
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(TIMES):
                work()
            gc.collect()
            held.append((tracemalloc.get_traced_memory()[0] - before) / TIMES)
        return min(held)
    finally:
        tracemalloc.stop()


def test_a_small_leak_would_be_seen():
    held: list[object] = []

    assert growth(lambda: held.append(object())) > NOTHING


def refuse() -> None:
    try:
        ADAPTER.load_wire(DAMAGED)
    except InvalidItem:
        return
    raise AssertionError


def test_encoding_and_decoding_hold_nothing():
    assert growth(lambda: ADAPTER.dump_wire(ORDER)) < NOTHING
    assert growth(lambda: ADAPTER.load_wire(WIRE)) < NOTHING
    assert growth(lambda: ADAPTER.load_item(ADAPTER.dump_item(ORDER))) < NOTHING


def test_refusals_hold_nothing():
    assert growth(refuse) < NOTHING


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_hostile_items_hold_nothing_however_often_they_are_read_or_refused(shape):
    data = list(itertools.islice(inputs(shape, random.Random(5)), 100))

    def blocks_held() -> int:
        before = sys.getallocatedblocks()
        for _ in range(40):
            for each in data:
                with contextlib.suppress(InvalidItem):
                    shape.adapter.load_wire(each)
        gc.collect()
        return sys.getallocatedblocks() - before

    # What a single one of them held would be held forty times in every round; caches fill in the first few.
    assert any(blocks_held() < 30 for _ in range(12))


def test_counts_of_references_stay_as_they_are():
    shared = [None, True, ORDER, ORDER.lines[0], Order, Line]
    before = [sys.getrefcount(each) for each in shared]

    for _ in range(100):
        ADAPTER.load_wire(ADAPTER.dump_wire(ORDER))
        refuse()
    gc.collect()

    after = [sys.getrefcount(each) for each in shared]
    assert all(abs(now - then) < 50 for now, then in zip(after, before, strict=True))


def test_a_class_made_at_run_time_goes_with_its_plan():
    def use() -> weakref.ref[type]:
        class Passing(BaseModel):
            # Not itself: a class that refers to itself is held by Pydantic 2.11.
            lines: list[Line]

        adapter = ItemAdapter(Passing)
        adapter.load_wire(adapter.dump_wire(Passing(lines=ORDER.lines)))
        return weakref.ref(Passing)

    passing = use()
    gc.collect()

    assert passing() is None


def test_a_class_that_reaches_its_own_table_is_collected():
    class Held(BaseModel):
        id: str

    with Client.local() as client:
        type.__setattr__(Held, "__table__", client.table(Held, name="held", partition="id"))
    held = weakref.ref(Held)
    del Held

    gc.collect()

    assert held() is None


def test_collector_looks_at_no_set_of_fields_and_no_uuid_which_lead_back_to_nothing():
    order = ADAPTER.load_wire(WIRE)

    assert gc.is_tracked(order)
    assert not gc.is_tracked(order.__pydantic_fields_set__)
    assert not gc.is_tracked(order.id)


def test_instance_in_a_cycle_is_collected():
    class Node(BaseModel):
        id: UUID
        other: object = None

    node = ItemAdapter(Node).load_wire(ItemAdapter(Node).dump_wire(Node(id=UUID(int=1))))
    node.other = node
    gone = weakref.ref(node)
    del node
    gc.collect()

    assert gone() is None
