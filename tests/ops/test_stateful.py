"""Random operations on a table: oxidyn on both engines, boto3 on moto beside it, and a dict of models.

Every rule does one operation four times: by oxidyn on the embedded engine and on moto, by boto3 on a table of its own on
moto, and on a dict. The two engines must give the same, and what the dict says. At the end everything that is stored must
be the same too, as models and as boto3 sees it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import islice
from typing import Any

import boto3
import pytest
from boto3.dynamodb.conditions import Attr as Theirs
from boto3.dynamodb.conditions import Key as KeyOf
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from oxidyn import Client, OxidynError, TransactionCancelled
from tests.engines import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, Colour, MotoServer, open_client, unique_table_name
from tests.ops.stateful import (
    GROUPS,
    Change,
    Check,
    Key,
    Kind,
    Label,
    Thing,
    Write,
    changed,
    changes,
    checks,
    defaults,
    found_by_boto3,
    instants,
    key_of,
    keys,
    numbers,
    plain_writes,
    stored,
    text_of,
    things,
    update_of_boto3,
    writes,
)

KEYS = [{"AttributeName": "group", "KeyType": "HASH"}, {"AttributeName": "number", "KeyType": "RANGE"}]
INDEX_KEYS = [{"AttributeName": "kind", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}]
ATTRIBUTES = {"group": "S", "number": "N", "kind": "S", "at": "S"}

# What a call comes to: a value, or the exception's class with the stored item that it carries.
Outcome = tuple[str, Any]

some_check = st.none() | checks


def outcome(call: Callable[[], Any]) -> Outcome:
    try:
        return "gives", call()
    except OxidynError as error:
        return type(error).__name__, getattr(error, "item", None)


def outcome_of_boto3(call: Callable[[], Any]) -> str:
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "gives"


def where_of(check: Check | None) -> Any:
    return None if check is None else check.ours


def key_of_boto3(key: Key) -> dict[str, Any]:
    return {"group": key[0], "number": key[1]}


def condition(check: Any) -> dict[str, Any]:
    """The member of boto3's write."""
    return {} if check is None else {"ConditionExpression": check}


class Operations(RuleBasedStateMachine):
    """One table, four times."""

    moto: MotoServer

    @initialize(colours=st.sampled_from([("sync", "async"), ("async", "sync")]))
    def open(self, colours: tuple[Colour, Colour]) -> None:
        embedded, moto = colours
        self.clients: dict[str, Client] = {
            "embedded": open_client("embedded", embedded, lambda: self.moto),
            "moto": open_client("moto", moto, lambda: self.moto),
        }
        name = unique_table_name()
        self.tables: dict[str, Any] = {
            engine: client.table(Thing, name=name) for engine, client in self.clients.items()
        }
        for table in self.tables.values():
            table.create_table()
        self.boto3 = resource(self.moto.endpoint_url)
        self.seen = self.boto3.Table(name)
        self.theirs = self.boto3.create_table(
            TableName=f"{name}-boto3",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=KEYS,
            AttributeDefinitions=[
                {"AttributeName": attribute, "AttributeType": tag} for attribute, tag in ATTRIBUTES.items()
            ],
            GlobalSecondaryIndexes=[
                {"IndexName": "by_kind", "KeySchema": INDEX_KEYS, "Projection": {"ProjectionType": "ALL"}}
            ],
        )
        self.model: dict[Key, Thing] = {}

    def teardown(self) -> None:
        if hasattr(self, "clients"):
            self.compare()
            for client in self.clients.values():
                client.close()

    def both(self, call: Callable[[Any], Any]) -> Outcome:
        """What oxidyn's call comes to, the same on either engine."""
        embedded, moto = (outcome(lambda table=table: call(table)) for table in self.tables.values())
        assert embedded == moto
        return embedded

    def sorted(self, group: str | None = None) -> list[Thing]:
        return [self.model[key] for key in sorted(self.model) if group in (None, key[0])]

    def apply(self, key: Key, after: Thing | None) -> None:
        """Leave this under the key, in boto3's table and in the dict."""
        if after is None:
            self.theirs.delete_item(Key=key_of_boto3(key))
            self.model.pop(key, None)
        else:
            self.theirs.put_item(Item=stored(after))
            self.model[key] = after

    # Writes

    @rule(thing=things, check=some_check)
    def put(self, thing: Thing, check: Check | None) -> None:
        key = key_of(thing)
        before = self.model.get(key)
        holds = check is None or check.holds(before)

        ours = self.both(lambda table: table.put(thing, where=where_of(check)))
        theirs = outcome_of_boto3(lambda: self.theirs.put_item(Item=stored(thing), **condition(check and check.theirs)))

        assert ours == (("gives", None) if holds else ("ConditionFailed", before))
        assert theirs == ("gives" if holds else "ConditionalCheckFailedException")
        if holds:
            self.model[key] = thing

    @rule(thing=things)
    def create(self, thing: Thing) -> None:
        key = key_of(thing)
        before = self.model.get(key)

        ours = self.both(lambda table: table.create(thing))
        theirs = outcome_of_boto3(
            lambda: self.theirs.put_item(Item=stored(thing), **condition(Theirs("group").not_exists()))
        )

        assert ours == (("gives", None) if before is None else ("ItemExists", before))
        assert theirs == ("gives" if before is None else "ConditionalCheckFailedException")
        self.model.setdefault(key, thing)

    @rule(thing=things, check=some_check)
    def replace(self, thing: Thing, check: Check | None) -> None:
        key = key_of(thing)
        before = self.model.get(key)

        ours = self.both(lambda table: table.replace(thing, where=where_of(check)))

        if before is None:
            assert ours == ("ItemNotFound", None)
        elif check is not None and not check.holds(before):
            assert ours == ("ConditionFailed", before)
        else:
            assert ours == ("gives", None)
            self.theirs.put_item(Item=stored(thing))
            self.model[key] = thing

    @rule(key=keys, made=changes, check=some_check, returning=st.sampled_from([None, "old", "new"]))
    def upsert(self, key: Key, made: list[Change], check: Check | None, returning: Any) -> None:
        before = self.model.get(key)
        holds = check is None or check.holds(before)
        # A new item has what the actions give it, so they give it all that an item put as a whole has; none of them may
        # compute with what is not there yet.
        made = [each for each in made if "{name} + " not in each.text]
        whole = [*made, *(each for each in defaults if each.field not in {change.field for change in made})]
        after = changed(before or Thing(group=key[0], number=key[1]), whole)

        ours = self.both(
            lambda table: table.upsert(key, *[each.ours for each in whole], where=where_of(check), returning=returning)
        )
        if holds:
            assert ours == ("gives", {None: None, "old": before, "new": after}[returning])
            self.apply(key, after)
        else:
            assert ours == ("ConditionFailed", before)

    @rule(key=keys, made=changes, check=some_check, returning=st.sampled_from([None, "old", "new"]))
    def update(self, key: Key, made: list[Change], check: Check | None, returning: Any) -> None:
        before = self.model.get(key)
        after = None if before is None else changed(before, made)

        ours = self.both(
            lambda table: table.update(key, *[each.ours for each in made], where=where_of(check), returning=returning)
        )

        if before is None:
            assert ours == ("ItemNotFound", None)
        elif check is not None and not check.holds(before):
            assert ours == ("ConditionFailed", before)
        else:
            assert ours == ("gives", {None: None, "old": before, "new": after}[returning])
            self.theirs.update_item(Key=key_of_boto3(key), **update_of_boto3(made))
            self.model[key] = after

    @rule(key=keys, check=some_check, returning=st.sampled_from([None, "old"]))
    def delete(self, key: Key, check: Check | None, returning: Any) -> None:
        before = self.model.get(key)
        holds = check is None or check.holds(before)

        ours = self.both(lambda table: table.delete(*key, where=where_of(check), returning=returning))
        theirs = outcome_of_boto3(
            lambda: self.theirs.delete_item(Key=key_of_boto3(key), **condition(check and check.theirs))
        )

        assert ours == (("gives", before if returning else None) if holds else ("ConditionFailed", before))
        assert theirs == ("gives" if holds else "ConditionalCheckFailedException")
        if holds:
            self.model.pop(key, None)

    @rule(written=st.lists(things, max_size=6))
    def batch_put(self, written: list[Thing]) -> None:
        assert self.both(lambda table: table.batch_put(written)) == ("gives", None)

        with self.theirs.batch_writer(overwrite_by_pkeys=["group", "number"]) as batch:
            for thing in written:
                batch.put_item(Item=stored(thing))
        self.model.update((key_of(thing), thing) for thing in written)

    @rule(gone=st.lists(keys, max_size=6))
    def batch_delete(self, gone: list[Key]) -> None:
        assert self.both(lambda table: table.batch_delete(gone)) == ("gives", None)

        with self.theirs.batch_writer(overwrite_by_pkeys=["group", "number"]) as batch:
            for key in gone:
                batch.delete_item(Key=key_of_boto3(key))
        for key in gone:
            self.model.pop(key, None)

    @rule(writes=st.lists(writes, min_size=1, max_size=4, unique_by=lambda write: write.key))
    def transact(self, writes: list[Write]) -> None:
        refused = [write.refused(self.model.get(write.key)) for write in writes]

        for engine, table in self.tables.items():
            operations = [write.operation(table.ops) for write in writes]
            try:
                results = self.clients[engine].transact(*operations)
            except TransactionCancelled as error:
                reasons = [
                    reason and (type(reason).__name__, getattr(reason, "item", None)) for reason in error.reasons
                ]
                assert reasons == refused, engine
            else:
                assert refused == [None] * len(writes), engine
                assert results == (None,) * len(writes)
        if not any(refused):
            for write in writes:
                self.apply(write.key, write.after(self.model.get(write.key)))

    @rule(writes=st.lists(plain_writes, max_size=6))
    def batch_write(self, writes: list[Write]) -> None:
        for engine, table in self.tables.items():
            assert self.clients[engine].batch_write([write.operation(table.ops) for write in writes]) is None

        for write in writes:
            self.apply(write.key, write.after(self.model.get(write.key)))

    # Reads

    @rule(asked=st.lists(keys, max_size=5, unique=True))
    def read_together(self, asked: list[Key]) -> None:
        expected = [self.model.get(key) for key in asked]

        for engine, table in self.tables.items():
            operations = [table.ops.get(key) for key in asked]
            assert self.clients[engine].batch_get(operations) == expected
            assert self.clients[engine].transact(*operations) == tuple(expected)

    @rule(key=keys, consistent=st.booleans())
    def get(self, key: Key, consistent: bool) -> None:
        assert self.both(lambda table: table.get(key, consistent=consistent)) == ("gives", self.model.get(key))

    @rule(asked=st.lists(keys, max_size=8))
    def batch_get(self, asked: list[Key]) -> None:
        expected = [self.model.get(key) for key in asked]

        assert self.both(lambda table: table.batch_get(asked)) == ("gives", expected)

    @rule(
        group=st.sampled_from(GROUPS),
        bounds=st.none() | st.tuples(numbers, numbers),
        half_open=st.booleans(),
        check=some_check,
        reverse=st.booleans(),
        limit=st.none() | st.integers(1, 3),
        page_size=st.none() | st.integers(1, 3),
    )
    def query(
        self,
        group: str,
        bounds: tuple[int, int] | None,
        half_open: bool,
        check: Check | None,
        reverse: bool,
        limit: int | None,
        page_size: int | None,
    ) -> None:
        condition = Thing.group == group
        low, high = bounds or (-1, 99)
        if bounds:
            condition &= (Thing.number >= low) & (Thing.number < high if half_open else Thing.number <= high)
        matching = [
            thing
            for thing in self.sorted(group)
            if low <= thing.number and (thing.number < high or (thing.number == high and not half_open))
            if check is None or check.holds(thing)
        ]
        expected = (matching[::-1] if reverse else matching)[:limit]

        def ask(table: Any) -> Any:
            query = table.query(condition, where=where_of(check), reverse=reverse, limit=limit, page_size=page_size)
            return list(query), query.count(), query.first()

        assert self.both(ask) == ("gives", (expected, len(expected), next(iter(expected), None)))

    @rule(group=st.none() | st.sampled_from(GROUPS), check=some_check, size=st.integers(1, 4), reverse=st.booleans())
    def pages(self, group: str | None, check: Check | None, size: int, reverse: bool) -> None:
        matching = [thing for thing in self.sorted(group) if check is None or check.holds(thing)]

        for table in self.tables.values():
            found: list[Thing] = []
            cursor = None
            while True:
                query = (
                    table.scan(where=where_of(check))
                    if group is None
                    else table.query(Thing.group == group, where=where_of(check), reverse=reverse)
                )
                page = query.page(size, after=cursor)
                found += page.items
                cursor = page.cursor
                if cursor is None:
                    break
                assert len(page.items) == size
            if group is None:
                found.sort(key=key_of)
            assert found == (matching[::-1] if reverse and group else matching)

    @rule(
        kind=st.sampled_from(Kind),
        since=instants,
        check=some_check,
        index=st.sampled_from([None, "by_kind"]),
        reverse=st.booleans(),
    )
    def query_index(self, kind: Kind, since: Any, check: Check | None, index: str | None, reverse: bool) -> None:
        matching = [
            thing
            for thing in self.model.values()
            if thing.kind == kind and thing.at >= since and (check is None or check.holds(thing))
        ]

        def ask(table: Any) -> Any:
            asked = (Thing.kind == kind) & (Thing.at >= since)
            found = list(table.query(asked, where=where_of(check), index=index, reverse=reverse))
            # Of items with the same index key DynamoDB promises no order.
            assert [thing.at for thing in found] == sorted((thing.at for thing in found), reverse=reverse)
            return sorted(found, key=key_of)

        if check is not None and "at" in check.fields:
            # DynamoDB refuses key attributes in filters, and so does oxidyn before it sends anything; moto takes them.
            assert self.both(ask) == ("InvalidExpression", None)
            return
        assert self.both(ask) == ("gives", sorted(matching, key=key_of))
        theirs = self.theirs.query(
            IndexName="by_kind", KeyConditionExpression=KeyOf("kind").eq(kind.value) & KeyOf("at").gte(text_of(since))
        )
        if check is None:
            assert theirs["Count"] == len(matching)

    @rule(check=some_check, limit=st.none() | st.integers(1, 4))
    def scan(self, check: Check | None, limit: int | None) -> None:
        matching = [thing for thing in self.sorted() if check is None or check.holds(thing)]

        for table in self.tables.values():
            found = list(table.scan(where=where_of(check), limit=limit))
            assert len(found) == min(len(matching), limit or len(matching))
            assert all(thing in matching for thing in found)
        counted = self.both(lambda table: table.scan(where=where_of(check)).count())
        assert counted == ("gives", len(matching))
        theirs = self.theirs.scan(**({} if check is None else {"FilterExpression": check.theirs}))
        assert theirs["Count"] == len(matching)

    @rule(key=keys, group=st.sampled_from(GROUPS), check=some_check)
    def select(self, key: Key, group: str, check: Check | None) -> None:
        matching = [thing for thing in self.sorted(group) if check is None or check.holds(thing)]
        thing = self.model.get(key)

        def ask(table: Any) -> Any:
            labels = table.select(Label)
            parts = table.select(Thing.name, Thing.price, Thing.lines)
            found = list(labels.query(Thing.group == group, where=where_of(check)))
            return found, labels.batch_get([key]), parts.get(*key)

        label = None if thing is None else Label.of(thing)
        part = None if thing is None else (thing.name, thing.price, thing.lines)
        assert self.both(ask) == ("gives", ([Label.of(each) for each in matching], [label], part))

    @rule(
        check=some_check, segments=st.integers(1, 5), page_size=st.none() | st.integers(1, 3), taken=st.integers(0, 4)
    )
    def parallel_scan(self, check: Check | None, segments: int, page_size: int | None, taken: int) -> None:
        matching = [thing for thing in self.sorted() if check is None or check.holds(thing)]

        for table in self.tables.values():
            options = {"segments": segments, "where": where_of(check), "page_size": page_size}
            scan = table.parallel_scan(**options)
            found = list(islice(scan, taken))
            # The rest by another scan, as another process would go on.
            found += table.parallel_scan(**options, after=scan.cursor)
            assert sorted(found, key=key_of) == matching
        assert self.both(lambda table: table.parallel_scan(segments=segments, where=where_of(check)).count()) == (
            "gives",
            len(matching),
        )

    # Everything

    @rule()
    def compare(self) -> None:
        expected = self.sorted()
        for engine, table in self.tables.items():
            assert sorted(table.scan(), key=key_of) == expected, engine
        items = [stored(thing) for thing in expected]
        for name, table in (("boto3's own", self.theirs), ("ours on moto", self.seen)):
            found = [found_by_boto3(item) for item in table.scan()["Items"]]
            assert sorted(found, key=lambda item: (item["group"], item["number"])) == items, name


@functools.cache
def resource(endpoint_url: str) -> Any:
    return boto3.resource(
        "dynamodb",
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
    )


@pytest.mark.timeout(300)
def test_random_operations_agree_with_a_dict_with_boto3_and_between_the_engines(moto_server: MotoServer) -> None:
    class OnThisServer(Operations):
        moto = moto_server

    run_state_machine_as_test(
        OnThisServer,
        settings=settings(
            max_examples=30,
            stateful_step_count=25,
            suppress_health_check=list(HealthCheck),
        ),
    )
