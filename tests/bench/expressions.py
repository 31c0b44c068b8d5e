"""Building a condition plus an update: the request by itself, and the whole call over HTTP.

boto3 has a builder of conditions and none of updates, so the update's text is written by hand there, once; its values go
through boto3's types. pydynox builds text and values in Python and encodes them inside the call, so its number for the
request by itself lacks the encoding: the whole call has all of it, in every column.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import boto3
from boto3.dynamodb.conditions import Attr, ConditionExpressionBuilder
from boto3.dynamodb.types import TypeSerializer
from pydynox._internal._model._helpers import prepare_update

from oxidyn import Client, attr, expr
from tests.bench import shapes
from tests.bench.peers import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, by_pydynox
from tests.bench.report import Part, Row, Table
from tests.bench.rounds import interleave
from tests.bench.stub import Stub, build

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.rounds import Batch, Effort

SAMPLE = shapes.MIXED.samples[0]
KEY: tuple[Any, Any] = (SAMPLE.org, SAMPLE.id)
# What every library says in its own way: three conditions, four actions.
NAMES = {"visits", "active", "name", "rating", "nick", "phone"}
VALUES = [{"BOOL": True}, {"N": "1"}, {"N": "3"}, {"N": "4.5"}, {"S": "A"}, {"S": "x"}]

Body = dict[str, Any]


def run(effort: Effort) -> Part:
    """Measure the request by itself, then the call."""
    request = Table("expressions: building a condition and an update", baseline="oxidyn")
    call = Table("expressions: an update under a condition, blocking", baseline="oxidyn")
    with Stub(build(), {"UpdateItem": {}}) as stub:
        ours, theirs, pydynox = _oxidyn(stub.url), _boto3(stub.url), _pydynox(stub.url)
        for build_request, send in (ours, theirs, pydynox):
            send()
            _check(stub.last_body())
            build_request()
        named = {"oxidyn": ours, "boto3": theirs, "pydynox Model": pydynox}
        title = "three conditions, four actions"
        request.rows.append(Row(title, interleave({name: _repeat(each[0]) for name, each in named.items()}, effort)))
        call.rows.append(Row(title, interleave({name: _repeat(each[1]) for name, each in named.items()}, effort)))
    notes = {
        "oxidyn builds": "the request's bytes",
        "boto3 builds": "the request's bytes: ConditionExpressionBuilder, TypeSerializer, json.dumps",
        "pydynox Model builds": "text, names and values; it encodes them in the call",
    }
    return Part("expressions", [request, call], [], notes)


def _check(body: Body) -> None:
    """Nobody is measured who says less."""
    assert set(body["ExpressionAttributeNames"].values()) >= NAMES
    values = list(body["ExpressionAttributeValues"].values())
    assert all(value in values for value in VALUES), values


def _repeat(work: Callable[[], object]) -> Batch:
    def batch(times: int) -> None:
        for _ in range(times):
            work()

    return batch


def _oxidyn(url: str) -> tuple[Callable[[], object], Callable[[], object]]:
    options: dict[str, Any] = {
        "region": REGION,
        "endpoint_url": url,
        "access_key_id": ACCESS_KEY_ID,
        "secret_access_key": SECRET_ACCESS_KEY,
    }
    client = Client(**options)
    table = client.table(shapes.Mixed, name="bench", partition="org", sort="id")
    item = expr(shapes.Mixed)

    def operation() -> Any:
        return table.ops.update(
            KEY,
            attr(item.visits).add(1),
            attr(item.rating).set(4.5),
            attr(item.nick).set("x"),
            attr(item.phone).remove(),
            where=(item.visits > 3) & (item.active == True) & attr(item.name).begins_with("A"),
        )

    return lambda: operation().request(), lambda: client.run(operation())


def _boto3(url: str) -> tuple[Callable[[], object], Callable[[], object]]:
    client = boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
    )
    serialize = TypeSerializer().serialize

    def members() -> Body:
        condition = Attr("visits").gt(3) & Attr("active").eq(True) & Attr("name").begins_with("A")
        built = ConditionExpressionBuilder().build_expression(condition)
        names = {"#visits": "visits", "#rating": "rating", "#nick": "nick", "#phone": "phone"}
        values = {":visits": 1, ":rating": Decimal("4.5"), ":nick": "x", **built.attribute_value_placeholders}
        return {
            "TableName": "bench",
            "Key": {"org": serialize(KEY[0]), "id": serialize(str(KEY[1]))},
            "UpdateExpression": "SET #rating = :rating, #nick = :nick ADD #visits :visits REMOVE #phone",
            "ConditionExpression": built.condition_expression,
            "ExpressionAttributeNames": names | built.attribute_name_placeholders,
            "ExpressionAttributeValues": {name: serialize(value) for name, value in values.items()},
        }

    return lambda: json.dumps(members()).encode(), lambda: client.update_item(**members())


def _pydynox(url: str) -> tuple[Callable[[], object], Callable[[], object]]:
    model: Any = by_pydynox.own_model(url, shapes.MIXED)
    instance = by_pydynox.own_instances(model, shapes.MIXED)[0]

    def members() -> tuple[Any, Any]:
        atomic = [model.visits.add(1), model.rating.set(4.5), model.nick.set("x"), model.phone.remove()]
        condition = (model.visits > 3) & (model.active == True) & model.name.begins_with("A")
        return atomic, condition

    def build_request() -> object:
        atomic, condition = members()
        return prepare_update(instance, atomic, condition, None, {})

    def send() -> None:
        atomic, condition = members()
        instance.sync_update(atomic=atomic, condition=condition)

    return build_request, send
