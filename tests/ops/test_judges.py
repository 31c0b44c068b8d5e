"""Conditions and updates by three judges: Python's own reading of them, both engines, and moto's parsers of their text."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from oxidyn import ConditionFailed, attr
from tests.engines import Engine, MotoServer, open_client, unique_table_name
from tests.ops.evaluate import THINGS, Change, Judged, Sub, Thing, changes, conditions


def _crowd() -> list[Thing]:
    """Items that differ in everything, the same in every run."""
    chance = random.Random(20261120)
    words = ["", "a", "b", "ab", "ba", "aab"]

    def members(choices: list[Any]) -> set[Any]:
        return set(chance.sample(choices, chance.randint(0, 3)))

    return [
        Thing(
            id=f"crowd {number}",
            n=chance.randint(-3, 3),
            m=chance.randint(-3, 3),
            left_out=chance.choice([None, -1, 0, 2]),
            null=chance.choice([None, -1, 0, 2]),
            amount=chance.choice([Decimal("-0.5"), Decimal(0), Decimal("2.25")]),
            s=chance.choice(words),
            t=chance.choice(words),
            nick=chance.choice([None, *words]),
            note=chance.choice([None, *words]),
            flag=chance.random() < 0.5,
            tags=members(["a", "b", "ab"]),
            marks=members(["a", "b", "ab"]),
            nums=members([-1, 0, 1, 2]),
            lines=[chance.randint(-3, 3) for _ in range(chance.randint(0, 3))],
            more=[chance.randint(-3, 3) for _ in range(chance.randint(0, 3))],
            scores={key: chance.randint(-3, 3) for key in members(["k", "k.1", "size"])},
            sub=chance.choice([None, Sub(qty=chance.randint(-3, 3))]),
        )
        for number in range(40)
    ]


CROWD = _crowd()
ENGINES: list[Engine] = ["embedded", "moto"]


@pytest.fixture
def tables(moto_server: MotoServer) -> Iterator[dict[str, Any]]:
    """One table on each engine, with the crowd in it."""
    clients = {engine: open_client(engine, "sync", lambda: moto_server) for engine in ENGINES}
    opened = {}
    for engine, client in clients.items():
        opened[engine] = client.table(Thing, name=unique_table_name())
        opened[engine].create_table()
        opened[engine].batch_put(CROWD)
    yield opened
    for client in clients.values():
        client.close()


# One table for all examples: each writes the item that it draws.
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def parse_condition(body: dict[str, Any], member: str) -> None:
    """Read the text with moto's parser, which fails on what it cannot read."""
    from moto.dynamodb.comparisons import create_condition_expression_parser

    names, values = body.get("ExpressionAttributeNames"), body.get("ExpressionAttributeValues")
    assert create_condition_expression_parser(body[member], names, values).parse() is not None


def parse_update(body: dict[str, Any]) -> None:
    from moto.dynamodb.parsing.expressions import UpdateExpressionParser

    assert UpdateExpressionParser.make(body["UpdateExpression"]) is not None


def is_written(table: Any, thing: Thing, judged: Judged) -> bool:
    """Whether the condition lets the item be written over the one that is stored."""
    try:
        table.put(thing, where=judged.condition)
    except ConditionFailed:
        return False
    return True


@settings(shared, max_examples=150)
@given(judged=conditions(), drawn=THINGS)
def test_every_condition_selects_on_both_engines_what_it_means_in_python(
    tables: dict[str, Any], judged: Judged, drawn: Thing
) -> None:
    body = json.loads(tables["embedded"].ops.put(drawn, where=judged.condition).request()[1])
    parse_condition(body, "ConditionExpression")
    expected = {thing.id for thing in [*CROWD, drawn] if judged.holds(thing)}

    for engine, table in tables.items():
        if engine == "moto" and judged.asks_size_of_set:
            continue
        table.put(drawn)
        assert {thing.id for thing in table.scan(where=judged.condition)} == expected, engine
        assert is_written(table, drawn, judged) == judged.holds(drawn), engine


@settings(shared, max_examples=150)
@given(drawn=THINGS, changed=changes(), judged=conditions())
def test_every_update_does_on_both_engines_what_it_means_in_python(
    tables: dict[str, Any], drawn: Thing, changed: list[Change], judged: Judged
) -> None:
    actions = [change.action for change in changed]
    body = json.loads(tables["embedded"].ops.update(drawn, *actions, where=judged.condition).request()[1])
    parse_update(body)
    parse_condition(body, "ConditionExpression")
    expected = drawn.model_copy(deep=True)
    for change in changed:
        change.apply(drawn, expected)

    for engine, table in tables.items():
        table.put(drawn)
        returned = table.update(drawn, *actions, returning="new")
        assert returned == table.get("drawn") == expected, engine


@settings(shared, max_examples=50)
@given(name=st.text(min_size=1, max_size=10), value=st.text(max_size=5))
# The stored names of other fields, whose placeholders it shares.
@example(name="size", value="")
@example(name="id", value="")
def test_no_name_and_no_value_stands_in_the_text(tables: dict[str, Any], name: str, value: str) -> None:
    request = tables["embedded"].ops.update("a", attr(Thing.scores[name]).set(1), where=Thing.s == value).request()
    body = json.loads(request[1])

    assert set(body["UpdateExpression"]) <= set("SET #:nv.=0123456789")
    assert re.fullmatch(r"attribute_exists\(#n\d\) AND #n\d = :v1", body["ConditionExpression"])
    assert set(body["ExpressionAttributeNames"].values()) == {"scores", name, "id", "size"}
    assert body["ExpressionAttributeValues"][":v1"] == {"S": value}
