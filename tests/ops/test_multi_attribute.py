"""Global indexes with several attributes in each part of their key."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest

from oxidyn import Client, Index, InvalidExpression, KeysOnly, Model, PartitionKey, SchemaError


class Match(Model, indexes={"by_round": KeysOnly()}):
    """Matches of tournaments by region, in the order of round, bracket and number."""

    id: Annotated[str, PartitionKey]
    tournament: Annotated[str, Index("by_place", partition=1), Index("by_round", partition=1)]
    region: Annotated[str, Index("by_place", partition=2)]
    round: Annotated[int, Index("by_place", sort=1), Index("by_round", partition=2)]
    bracket: Annotated[str, Index("by_place", sort=2)]
    number: Annotated[int, Index("by_place", sort=3)]
    score: int = 0


IN_PLACE = (Match.tournament == "winter") & (Match.region == "eu")
"""Both attributes of the partition, which a query always needs."""


@pytest.fixture
def matches(client: Any, table_name: str) -> Any:
    matches = client.table(Match, name=table_name)
    matches.create_table()
    return matches


@pytest.fixture
def played(matches: Any) -> list[Match]:
    played = [
        Match(
            id=f"m{turn}{bracket}{number}{region}",
            tournament="winter",
            region=region,
            round=turn,
            bracket=bracket,
            number=number,
            score=turn * number,
        )
        for region in ("eu", "na")
        for turn in (1, 2, 3)
        for bracket in ("lower", "upper")
        for number in (9, 10)
    ]
    matches.batch_put(played)
    return [match for match in played if match.region == "eu"]


def test_create_table_describes_the_key_in_order(client: Any, table_name: str) -> None:
    request = client.table(Match, name=table_name).ops.create_table().request()

    [by_place, by_round] = sorted(
        json.loads(request[1])["GlobalSecondaryIndexes"], key=lambda index: index["IndexName"]
    )
    assert [(part["AttributeName"], part["KeyType"]) for part in by_place["KeySchema"]] == [
        ("tournament", "HASH"),
        ("region", "HASH"),
        ("round", "RANGE"),
        ("bracket", "RANGE"),
        ("number", "RANGE"),
    ]
    assert by_place["Projection"] == {"ProjectionType": "ALL"}
    assert [part["KeyType"] for part in by_round["KeySchema"]] == ["HASH", "HASH"]
    assert by_round["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_the_order_is_that_of_the_sort_attributes_one_after_the_other(matches: Any, played: list[Match]) -> None:
    assert list(matches.query(IN_PLACE)) == played
    assert list(matches.query(IN_PLACE, reverse=True)) == played[::-1]
    assert list(matches.query(IN_PLACE, limit=5, page_size=2)) == played[:5]


def test_conditions_on_the_sort_attributes_go_from_left_to_right(matches: Any, played: list[Match]) -> None:
    for condition, expected in [
        (Match.round == 2, [m for m in played if m.round == 2]),
        (Match.round > 1, [m for m in played if m.round > 1]),
        ((Match.round == 2) & (Match.bracket == "upper"), [m for m in played if (m.round, m.bracket) == (2, "upper")]),
        (
            (Match.number > 9) & (Match.bracket == "upper") & (Match.round == 3),
            [m for m in played if (m.round, m.bracket, m.number) == (3, "upper", 10)],
        ),
        ((Match.round >= 1) & (Match.round < 3), [m for m in played if m.round < 3]),
        ((Match.round == 1) & (Match.score > 9), [m for m in played if m.round == 1 and m.score > 9]),
    ]:
        query = matches.query(IN_PLACE & condition)
        assert query.explain().index == "by_place"
        assert list(query) == expected
        assert query.count() == len(expected)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (lambda: IN_PLACE & (Match.bracket == "upper"), "by_place sorts by round before bracket.*`round == …`"),
        (lambda: IN_PLACE & (Match.round == 1) & (Match.number == 9), "by bracket before number"),
        (lambda: IN_PLACE & (Match.round > 1) & (Match.bracket == "upper"), "needs `round == …` as well"),
        (lambda: Match.tournament == "winter", "by_place needs `region == …`; index by_round needs `round == …`"),
        (lambda: IN_PLACE & (Match.round != 2), "round is a key attribute of index by_place.*`!=`"),
    ],
)
def test_a_key_that_is_not_asked_from_left_to_right_is_refused(matches: Any, condition: Any, words: str) -> None:
    with pytest.raises(InvalidExpression, match=words):
        matches.query(condition()).first()


def test_a_partition_of_several_attributes_alone(matches: Any, played: list[Match]) -> None:
    query = matches.query((Match.tournament == "winter") & (Match.round == 2), hydrate=True)

    assert query.explain().index == "by_round"
    assert {match.id for match in query} == {
        f"m2{bracket}{number}{region}"
        for bracket in ("lower", "upper")
        for number in (9, 10)
        for region in ("eu", "na")
    }
    assert all(match.score == 2 * match.number for match in query)


def test_a_key_has_at_most_four_attributes_in_each_part() -> None:
    class Wide(Model):
        a: Annotated[str, PartitionKey]
        b: int
        c: int
        d: int
        e: int
        f: int

    by_all = {"by_all": Index.keys(partition="a", sort=("b", "c", "d", "e", "f"))}
    with pytest.raises(SchemaError, match="5 sort fields, and DynamoDB takes at most 4"):
        Client.local().table(Wide, name="wide", indexes=by_all)
