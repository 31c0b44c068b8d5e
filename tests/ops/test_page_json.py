"""page_json and get_json: a page, or an item, as the JSON that its model gives."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, computed_field
from pydantic_core import PydanticSerializationError
from typing_extensions import TypedDict

from oxidyn import (
    Index,
    InvalidCursor,
    InvalidExpression,
    InvalidItem,
    InvalidKey,
    InvalidOption,
    KeysOnly,
    Model,
    PartitionKey,
    SortKey,
)
from tests.ops.models import User

NOON = datetime(2025, 1, 1, 12, tzinfo=timezone.utc)


@pytest.fixture
def crowd(users: Any) -> list[User]:
    people = [
        User(org="acme", id=number, age=20 + number, joined=NOON + number * timedelta(hours=1)) for number in range(10)
    ]
    users.batch_put(people)
    return people


def json_of(page: Any) -> bytes:
    return TypeAdapter(type(page)).dump_json(page, by_alias=True)


def test_a_page_is_the_json_of_the_page_with_its_cursor(users: Any, crowd: list[User]) -> None:
    query = users.query(User.org == "acme")

    first = query.page_json(4)
    cursor = json.loads(first)["cursor"]
    pages = [first, query.page_json(4, after=cursor), query.page_json(4, query.page(4, cursor).cursor)]

    assert pages == [
        json_of(query.page(4)),
        json_of(query.page(4, cursor)),
        json_of(query.page(4, query.page(4, cursor).cursor)),
    ]
    assert [[item["id"] for item in json.loads(page)["items"]] for page in pages] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
    ]
    assert json.loads(pages[-1])["cursor"] is None


def test_an_empty_page_is_the_json_of_one(users: Any) -> None:
    assert users.query(User.org == "nobody").page_json(5) == b'{"items":[],"cursor":null}'


def test_a_filtered_page_is_filled_to_its_size(users: Any, crowd: list[User]) -> None:
    query = users.query(User.org == "acme", where=User.age > 23, page_size=2)

    assert query.page_json(3) == json_of(query.page(3))


def test_scans_give_json_too(users: Any, crowd: list[User]) -> None:
    assert users.scan().page_json(20) == json_of(users.scan().page(20))


def test_a_smaller_model_and_fields_that_are_selected_give_their_json(users: Any, crowd: list[User]) -> None:
    class Brief(BaseModel):
        joined: datetime | None = Field(serialization_alias="since")
        id: int

    for what in ((Brief,), (User.id, User.joined)):
        query = users.select(*what).query(User.org == "acme")
        assert query.page_json(3) == json_of(query.page(3))


def test_what_no_page_takes_page_json_refuses(users: Any, crowd: list[User]) -> None:
    query = users.query(User.org == "acme")

    with pytest.raises(InvalidOption, match="size=0"):
        query.page_json(0)
    with pytest.raises(InvalidOption, match="after"):
        query.page_json(3, 7)
    with pytest.raises(InvalidCursor):
        query.page_json(3, "made up")


class Part(Model, indexes={"by_kind": KeysOnly()}):
    """An index that holds but a part of each item."""

    org: Annotated[str, PartitionKey]
    id: Annotated[int, SortKey]
    kind: Annotated[str, Index("by_kind", partition=True)]
    text: str


@pytest.fixture
def parts(client: Any, table_name: str) -> Any:
    table = client.table(Part, name=table_name)
    table.create_table()
    table.batch_put([Part(org="a", id=number, kind="x", text=f"t{number}") for number in range(3)])
    return table


def test_an_index_that_holds_a_part_gives_whole_items_where_it_is_asked_to(parts: Any) -> None:
    with pytest.raises(InvalidExpression, match="by_kind"):
        parts.query(Part.kind == "x").page_json(2)
    query = parts.query(Part.kind == "x", hydrate=True)

    assert query.page_json(2) == json_of(query.page(2))


# ---- get_json ----


def test_an_item_is_the_json_of_its_model(users: Any, crowd: list[User]) -> None:
    assert users.get_json("acme", 3) == users.get("acme", 3).model_dump_json(by_alias=True).encode()
    assert users.get_json(crowd[3], consistent=True) == users.get_json(("acme", 3))


def test_no_item_has_no_json(users: Any) -> None:
    assert users.get_json("acme", 99) is None


def test_a_key_of_the_wrong_form_is_refused(users: Any) -> None:
    with pytest.raises(InvalidKey):
        users.get_json("acme")


def test_get_json_is_an_operation_of_batches_and_transactions(client: Any, users: Any, crowd: list[User]) -> None:
    operations = [users.ops.get_json("acme", number) for number in (1, 99, 2)]

    expected = [users.get_json("acme", number) for number in (1, 99, 2)]
    assert client.batch_get(operations) == expected
    assert list(client.transact(*operations)) == expected


# ---- what the model refuses, and what only it can say ----


class Strict(Model):
    id: Annotated[str, PartitionKey]
    count: Annotated[int, Field(le=3)]


class Loose(Model):
    id: Annotated[str, PartitionKey]
    count: int


class Total(Loose):
    price: Decimal = Decimal("1.25")

    @computed_field
    def total(self) -> Decimal:
        return self.price * self.count


def test_an_item_that_the_model_refuses_is_told_with_its_key(client: Any, table_name: str) -> None:
    strict, loose = (client.table(model, name=table_name) for model in (Strict, Loose))
    loose.create_table()
    loose.put(Loose(id="a", count=7))

    for read in (lambda: strict.scan().page_json(5), lambda: strict.get_json("a")):
        with pytest.raises(InvalidItem, match="less than or equal to 3") as caught:
            read()
        assert caught.value.table == table_name
        assert caught.value.key == "a"


def test_models_with_computed_fields_give_their_own_json(client: Any, table_name: str) -> None:
    totals = client.table(Total, name=table_name)
    totals.create_table()
    totals.put(Total(id="a", count=3))

    assert json.loads(totals.get_json("a")) == {"id": "a", "count": 3, "price": "1.25", "total": "3.75"}
    assert totals.scan().page_json(5) == json_of(totals.scan().page(5))


class Formatted(Model):
    model_config = ConfigDict(ser_json_bytes="base64")
    id: Annotated[str, PartitionKey]
    raw: bytes
    payload: Any


def test_values_of_no_declared_type_follow_the_config_of_what_is_printed(client: Any, table_name: str) -> None:
    formatted = client.table(Formatted, name=table_name)
    formatted.create_table()
    formatted.put(Formatted(id="a", raw=b"ab", payload=b"ab"))

    assert json.loads(formatted.get_json("a")) == {"id": "a", "raw": "YWI=", "payload": "YWI="}
    assert formatted.get_json("a") == formatted.get("a").model_dump_json(by_alias=True).encode()
    assert json.loads(formatted.scan().page_json(1))["items"] == [{"id": "a", "raw": "YWI=", "payload": "ab"}]
    assert formatted.scan().page_json(1) == json_of(formatted.scan().page(1))


@dataclasses.dataclass
class Entry:
    id: str
    lines: list[int]


class Note(TypedDict):
    id: str
    lines: list[int]


@pytest.mark.parametrize("model", [Entry, Note])
def test_tables_of_dataclasses_and_typed_dicts_give_json(client: Any, table_name: str, model: Any) -> None:
    table = client.table(model, name=table_name, partition="id")
    table.create_table()
    table.batch_put([model(id=f"{number}", lines=[number]) for number in range(3)])

    # A TypedDict's members come in the order in which they are stored, which is another one in each reply.
    assert json.loads(table.scan().page_json(2)) == json.loads(json_of(table.scan().page(2)))
    assert json.loads(table.get_json("1")) == {"id": "1", "lines": [1]}


class Answered(Model):
    id: Annotated[str, PartitionKey]
    payload: Any


def test_bytes_that_are_no_text_have_no_json_in_a_page_either(client: Any, table_name: str) -> None:
    answered = client.table(Answered, name=table_name)
    answered.create_table()
    answered.put(Answered(id="a", payload=b"\xff"))

    with pytest.raises(PydanticSerializationError):
        answered.scan().page_json(1)
    with pytest.raises(PydanticSerializationError):
        answered.get_json("a")
