"""Tables whose keys are stored in another text form: `Attribute(format=...)`."""

from datetime import datetime, timedelta, timezone
from typing import Annotated, Any
from uuid import UUID

import pytest

from oxidyn import Attribute, Client, Index, InvalidItem, InvalidKey, Model, PartitionKey, SortKey, attr

UTC = timezone.utc
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
IDENTIFIER = UUID("12345678-9abc-4ef0-8fed-cba987654321")


class Event(Model, table="events"):
    owner: Annotated[UUID, PartitionKey, Attribute(format="hex")]
    at: Annotated[datetime, SortKey, Attribute(format="seconds")]
    seen: Annotated[datetime | None, Attribute(format="offset"), Index("by_seen", partition=True)] = None
    tag: Annotated[UUID | None, Attribute(format="upper")] = None


@pytest.fixture
def events(client: Client, table_name: str) -> Any:
    table = client.table(Event, name=table_name)
    table.create_table()
    for second in range(5):
        at = NOON + timedelta(seconds=second)
        table.put(Event(owner=IDENTIFIER, at=at, seen=at + timedelta(microseconds=1), tag=UUID(int=second)))
    return table


def seconds(found: Any) -> list[int]:
    return [event.at.second for event in found]


def test_a_key_is_sent_in_its_form(events: Any):
    at = (NOON + timedelta(seconds=3)).astimezone(timezone(timedelta(hours=5)))

    assert events.get(str(IDENTIFIER), at).tag == UUID(int=3)
    name, body = events.ops.get(IDENTIFIER, at).request()
    assert name == "GetItem"
    assert b'{"owner":{"S":"123456789abc4ef08fedcba987654321"},"at":{"S":"2026-01-31T12:00:03Z"}}' in body


def test_a_key_with_a_remainder_is_refused(events: Any):
    with pytest.raises(InvalidKey, match="at: expected whole seconds"):
        events.get(IDENTIFIER, NOON.replace(microsecond=1))


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (lambda at: at > NOON + timedelta(seconds=2), [3, 4]),
        (lambda at: at < NOON + timedelta(seconds=2), [0, 1]),
        (lambda at: (at > NOON) & (at < NOON + timedelta(seconds=4)), [1, 2, 3]),
        (lambda at: attr(at).between(NOON, NOON + timedelta(seconds=1)), [0, 1]),
        (lambda at: at == NOON, [0]),
    ],
)
def test_ranges_are_asked_in_the_form(events: Any, condition: Any, found: list[int]):
    assert seconds(events.query((Event.owner == IDENTIFIER) & condition(Event.at))) == found


def test_a_bound_with_a_remainder_is_refused(events: Any):
    with pytest.raises(InvalidItem, match="whole seconds"):
        events.query((Event.owner == IDENTIFIER) & (Event.at > NOON.replace(microsecond=1))).first()


def test_indexes_filters_and_updates_use_the_form(events: Any):
    seen = NOON + timedelta(seconds=2, microseconds=1)

    assert seconds(events.query(Event.seen == seen, index="by_seen")) == [2]
    assert seconds(events.scan(where=Event.tag == UUID(int=4))) == [4]
    assert seconds(events.scan(where=attr(Event.tag).is_in([UUID(int=1), str(UUID(int=1))]))) == [1]
    assert sorted(seconds(events.scan(where=Event.seen > seen))) == [3, 4]

    events.update((IDENTIFIER, NOON), attr(Event.tag).set(IDENTIFIER), attr(Event.seen).set(NOON))
    assert seconds(events.scan(where=Event.tag == IDENTIFIER)) == [0]
    _, body = events.ops.update(
        (IDENTIFIER, NOON), attr(Event.tag).set(IDENTIFIER), attr(Event.seen).set(NOON)
    ).request()
    assert b'"12345678-9ABC-4EF0-8FED-CBA987654321"' in body
    assert b'"2026-01-31T12:00:00.000000+00:00"' in body
