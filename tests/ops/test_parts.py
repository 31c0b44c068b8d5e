"""Parts of collections in conditions and updates: by index, by key, and those of named tuples by name."""

from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import pytest

from oxidyn import Client, InvalidExpression, Model, PartitionKey, attr


class Point(NamedTuple):
    x: int
    label: str = "a"


class Record(Model, table="records"):
    id: Annotated[str, PartitionKey]
    point: Point = Point(1)
    queue: deque[int] = deque([5, 6])
    values: Sequence[int] = (7, 8)
    counts: Counter[str] = Counter("aab")
    ordered: OrderedDict[str, Point] = OrderedDict(first=Point(3))


# Any: what type checkers see of a named tuple's field is the field's own type.
R: Any = Record


@pytest.fixture
def records() -> Any:
    table = Client.local().table(Record)
    table.create_table()
    table.put(Record(id="a"))
    return table


@pytest.mark.parametrize(
    "condition",
    [
        lambda: R.point.x == 1,
        lambda: R.point.label == "a",
        lambda: R.point[0] == 1,
        lambda: R.queue[1] == 6,
        lambda: R.values[0] == 7,
        lambda: R.counts["a"] == 2,
        lambda: R.ordered["first"].x == 3,
        lambda: R.point == Point(1),
        lambda: R.queue == deque([5, 6]),
    ],
)
def test_a_part_is_compared(records: Any, condition: Any) -> None:
    assert [record.id for record in records.scan(where=condition())] == ["a"]
    assert list(records.scan(where=~condition())) == []


def test_a_part_is_set(records: Any) -> None:
    records.update("a", attr(R.point.x).set(9), attr(R.queue[0]).set(8), attr(R.counts["b"]).add(1))

    record = records.get("a")
    assert record.point == Point(9)
    assert record.queue == deque([8, 6])
    assert record.counts == Counter("aabb")


def test_a_part_that_is_not_there_is_refused(records: Any) -> None:
    with pytest.raises(InvalidExpression, match=r"Record\.point"):
        records.scan(where=R.point.y == 1).first()
    with pytest.raises(InvalidExpression, match=r"Record\.point has no element 2"):
        records.scan(where=R.point[2] == 1).first()
