"""Replies that no DynamoDB sends, to every operation: a result or a typed error, at once, and nothing worse."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Iterator

import pytest

from oxidyn import Client, OxidynError, ReplyError, Table
from tests.engines import Colour
from tests.faults.cases import CASES, OF_A, STORED, Case, Thing
from tests.faults.client import client_of
from tests.faults.server import End, Exchange, MisbehavingServer, Reply, Script

DEEP = 100_000
ITEM = b'{"org":{"S":"a"},"id":{"N":"1"},"kind":{"S":"k"},"count":{"N":"1"}}'
NO_ITEM = [
    b"1",
    b"null",
    b"[]",
    b"[null]",
    b"{}",
    b'{"org":1}',
    b'{"org":{}}',
    b'{"org":{"S":1}}',
    b'{"org":{"S":"a","N":"1"},"id":{"N":"1"}}',
    b'{"org":{"S":"a"},"id":{"N":"x"}}',
    b'{"org":{"S":"a"},"id":{"N":"' + b"9" * DEEP + b'"}}',
    b'{"org":{"S":"a"},"org":{"S":"b"},"id":{"N":"1"},"id":{"N":"2"}}',
    b'{"org":{"S":"\xff"},"id":{"N":"1"}}',
    b'{"org":{"S":"\\ud800"},"id":{"N":"1"}}',
    b'{"org":{"S":"a"},"id":{"N":"1"},"x":' + b'{"L":[' * DEEP + b"]}" * DEEP + b"}",
    b'{"org":{"S":"a"},"id":{"N":"1"},"x":' + b'{"M":{"x":' * DEEP,
]
MEMBERS = [
    b'"Items":7',
    b'"Items":{}',
    b'"Items":null,"Count":5',
    b'"Items":[],"Items":[]',
    b'"Items":[%s,%s],"Count":1' % (ITEM, ITEM),
    b'"Items":[%s],"LastEvaluatedKey":[]' % ITEM,
    b'"Count":-1',
    b'"Count":1e400',
    b'"Count":"5"',
    b'"Count":99999999999999999999999',
    b'"LastEvaluatedKey":7',
    b'"UnprocessedItems":[]',
    b'"UnprocessedItems":{"other":[]}',
    b'"UnprocessedItems":{"case-batch-put":[{"PutRequest":{"Item":{}}}]}',
    b'"UnprocessedKeys":7',
    b'"UnprocessedKeys":{"case-batch-get":{"Keys":[{}]}}',
    b'"Responses":7',
    b'"Responses":[]',
    b'"Responses":{}',
    b'"Responses":{"other":[]}',
    b'"Responses":[' + b"{}," * 1000 + b"{}]",
    b'"Responses":[{"Error":7}]',
    b'"Responses":[{"Error":{"Code":7}}]',
    b'"Attributes":[]',
    b'"Table":null',
    b'"Table":{"TableStatus":7}',
    b'"TableDescription":"x"',
    b'"x":' + b"[" * DEEP,
    *(b'"Item":' + item for item in NO_ITEM),
    *(b'"Items":[%s]' % item for item in NO_ITEM),
    *(b'"Attributes":' + item for item in NO_ITEM),
    *(b'"Responses":[{"Item":%s}]' % item for item in NO_ITEM),
]
REFUSALS = [
    b'"__type":7',
    b'"__type":""',
    b'"__type":"#"',
    b'"__type":"x#ConditionalCheckFailedException","Item":7',
    *(b'"__type":"x#ConditionalCheckFailedException","Item":' + item for item in NO_ITEM),
    b'"__type":"x#TransactionCanceledException"',
    b'"__type":"x#TransactionCanceledException","CancellationReasons":7',
    b'"__type":"x#TransactionCanceledException","CancellationReasons":[7]',
    b'"__type":"x#TransactionCanceledException","CancellationReasons":[{"Code":7}]',
    b'"__type":"x#TransactionCanceledException","CancellationReasons":[%s{"Code":"x"}]' % (b'{"Code":"y"},' * 300),
    b'"__type":"x#ValidationException","message":' + b"[" * DEEP,
]
REPLIES = [
    *(Reply(body) for body in (b"", b"null", b"[]", b"0", b'"x"', b"{", b"{}", b"{}{}", b"\xff\xfe", b"{\x00}")),
    *(Reply(b"{%s}" % members) for members in MEMBERS),
    *(Reply(b"{%s}" % members, 400) for members in REFUSALS),
    *(Reply(b"", status) for status in (204, 301, 307, 400, 403, 413)),
]


class Hostile:
    """Answers each case's requests by the reply that it is at."""

    def __init__(self) -> None:
        self.at: dict[str, Reply] = {}
        self.counts: dict[str, int] = {}

    def __call__(self, exchange: Exchange) -> Script:
        self.counts[exchange.case] = self.counts.get(exchange.case, 0) + 1
        return [self.at[exchange.case].wire]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_reply_does_worse_than_an_error(case: Case, colour: Colour) -> None:
    hostile = Hostile()
    with MisbehavingServer(hostile) as server, client_of(server, colour, max_attempts=1) as client:
        table = client.table(Thing, name=case.table)
        for reply in REPLIES:
            hostile.at[case.table] = reply
            hostile.counts.clear()

            # What else is raised, a panic too, fails the test.
            with contextlib.suppress(OxidynError):
                case.act(client, table)

            assert hostile.counts[case.table] <= len(STORED) + 30, "a reply led to requests without end"


@pytest.mark.parametrize("case", [case for case in CASES if case.has_table], ids=lambda case: case.name)
def test_no_damage_to_a_right_reply_does_worse_than_an_error(case: Case) -> None:
    chance = random.Random(case.name)

    def damage(exchange: Exchange) -> Script:
        reply = exchange.serve()
        body = bytearray(reply.body)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(body) + 1)
            body[place : place + chance.randint(0, 3)] = chance.choice(
                [b"", b'"', b"{", b"}", b"[", b"\xff", b"0", b":"]
            )
        return [Reply(bytes(body), reply.status).wire]

    with MisbehavingServer() as server, client_of(server, "sync", max_attempts=1) as client:
        table = client.table(Thing, name=case.table)
        table.create_table()
        table.batch_put(STORED)
        server.behave = damage
        for _ in range(40):
            with contextlib.suppress(OxidynError):
                case.act(client, table)


# ---- pages without end ----


def page(after: int, to: int) -> Reply:
    items = [{"org": {"S": "a"}, "id": {"N": "1"}}]
    key = {"org": {"S": "a"}, "id": {"N": str(to)}}
    return Reply(json.dumps({"Items": items, "Count": 1, "LastEvaluatedKey": key, "NextToken": f"{to}"}).encode())


# The case's own page has all that it wants with the first reply.
PAGED = {"query-page": lambda client, table: table.query(OF_A, page_size=1).page(20)}
READS = ["query", "query-count", "query-page", "scan", "scan-count", "parallel-scan", "parallel-count", "execute-read"]


@pytest.mark.parametrize("case", [case for case in CASES if case.name in READS], ids=lambda case: case.name)
def test_a_page_that_ends_where_it_began_is_refused(case: Case, colour: Colour) -> None:
    with MisbehavingServer(lambda _: [page(1, 1).wire]) as server, client_of(server, colour) as client:
        table = client.table(Thing, name=case.table)

        with pytest.raises(ReplyError, match="behind"):
            PAGED.get(case.name, case.act)(client, table)

        assert len(server.exchanges) <= 4


# ---- one connection, several replies ----


@pytest.fixture
def server() -> Iterator[MisbehavingServer]:
    with MisbehavingServer() as server:
        yield server


def stored(server: MisbehavingServer, client: Client) -> tuple[Table[Thing], bytes]:
    """A table with items, and the reply with one of them that is nobody's answer."""
    table = client.table(Thing, name="case-stale")
    table.create_table()
    table.batch_put(STORED)
    server.forget()
    body = b'{"TableName":"case-stale","Key":{"org":{"S":"a"},"id":{"N":"0"}}}'
    return table, server.store.answer("GetItem", body).wire


def test_a_second_reply_on_the_connection_is_not_taken_for_the_answer_to_the_next_request(
    server: MisbehavingServer, colour: Colour
) -> None:
    with client_of(server, colour) as client:
        table, stale = stored(server, client)
        server.behave = lambda exchange: [exchange.serve().wire + stale]

        for number in [1, 2, 3, 4] * 25:
            assert table.get("a", number) == STORED[number]


def test_what_follows_a_reply_that_is_longer_than_it_says_is_not_taken_for_an_answer(
    server: MisbehavingServer, colour: Colour
) -> None:
    with client_of(server, colour) as client:
        table, stale = stored(server, client)
        # A length of 2, so that the rest stands where the next answer is awaited.
        server.behave = lambda exchange: [Reply(b"{}").wire + stale] if exchange.number % 2 else [exchange.serve().wire]

        found = [table.get("a", number) for number in [1, 2, 3, 4] * 25]

    assert all(item is None or item == STORED[item.id] for item in found)
    assert STORED[0] not in found


def test_a_redirection_is_not_followed_with_a_signed_request(server: MisbehavingServer, colour: Colour) -> None:
    with MisbehavingServer() as elsewhere, client_of(server, colour) as client:
        server.behave = lambda _: [Reply(b"", 307, (("location", elsewhere.url),)).wire]

        with pytest.raises(ReplyError, match="HTTP 307"):
            client.table(Thing, name="case-redirected").get("a", 1)

        assert elsewhere.opened == 0


# ---- size ----

MEGABYTE = b" " * (1 << 20)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([b"HTTP/1.1 200 OK\r\ncontent-length: 100000000000\r\n\r\n{", End.HOLD], id="told"),
        pytest.param([b"HTTP/1.1 200 OK\r\n\r\n{", *[MEGABYTE] * 300, End.HOLD], id="up to the close"),
        pytest.param(
            [
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
                *[b"100000\r\n" + MEGABYTE + b"\r\n"] * 300,
                End.HOLD,
            ],
            id="in chunks",
        ),
    ],
)
def test_a_reply_larger_than_any_of_dynamodbs_is_refused_before_it_is_whole(script: Script, colour: Colour) -> None:
    with MisbehavingServer(lambda _: script) as server:
        with client_of(server, colour) as client, pytest.raises(ReplyError, match="larger than"):
            client.table(Thing, name="case-large").get("a", 1)

        # It is not asked for again, and its connection is closed while the rest is still on its way.
        server.wait_for(lambda: server.closed == 1)
        assert server.requests == 1
