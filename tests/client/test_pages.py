"""Pages as Pydantic models and response models, and the cursors of clients with a key and without."""

from __future__ import annotations

import dataclasses
import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, TypeAdapter
from pydantic import dataclasses as pydantic_dataclasses
from typing_extensions import TypedDict

from oxidyn import AsyncClient, Client, InvalidCursor, InvalidOption, Model, Page, PartitionKey, SortKey, expr

KEY = b"sixteen bytes..!"
OTHER_KEY = bytes(range(32))


class Entry(Model, table="entries"):
    owner: Annotated[str, PartitionKey]
    number: Annotated[int, SortKey]
    text: str = ""


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A file with one table of five entries."""
    path = str(tmp_path / "entries.db")
    with Client.local(path) as client:
        entries = client.table(Entry)
        entries.create_table()
        entries.batch_put([Entry(owner="ada", number=number) for number in range(5)])
    return path


def entries(database: str, **options: Any) -> Any:
    return Client.local(database, **options).table(Entry).query(Entry.owner == "ada")


def test_a_signed_cursor_goes_on_in_every_client_of_its_key(database: str) -> None:
    page = entries(database, cursor_key=KEY).page(2)

    following = entries(database, cursor_key=KEY).page(2, after=page.cursor)

    assert [entry.number for entry in following.items] == [2, 3]


def test_a_cursor_signed_with_another_key_is_refused(database: str) -> None:
    page = entries(database, cursor_key=OTHER_KEY).page(2)

    with pytest.raises(InvalidCursor, match="its signature is not this client's.*another cursor_key"):
        entries(database, cursor_key=KEY).page(2, after=page.cursor)


def test_an_unsigned_cursor_is_refused_by_a_client_that_signs_and_the_other_way_round(database: str) -> None:
    signed = entries(database, cursor_key=KEY).page(2).cursor
    unsigned = entries(database).page(2).cursor

    with pytest.raises(InvalidCursor, match=r"is not signed, and this client signs its cursors \(cursor_key=\)"):
        entries(database, cursor_key=KEY).page(2, after=unsigned)
    with pytest.raises(InvalidCursor, match=r"is signed, and this client has no key"):
        entries(database).page(2, after=signed)


def test_a_forged_key_in_an_unsigned_cursor_does_not_leave_the_query(database: str) -> None:
    """The partition is the condition's own, whatever the cursor says: it holds none."""
    with Client.local(database) as client:
        table = client.table(Entry)
        table.batch_put([Entry(owner="bob", number=number) for number in range(9)])
        cursor = table.query(Entry.owner == "bob").page(7).cursor

        with pytest.raises(InvalidCursor, match="another query made it"):
            table.query(Entry.owner == "ada").page(2, after=cursor)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_cursor_key_is_bytes_enough_and_shown_nowhere(kind: Any) -> None:
    for key, words in ((b"short", "at least 16 bytes, found 5"), ("x" * 32, "expected bytes, found str")):
        for make in (kind, kind.local):
            with pytest.raises(InvalidOption, match=f"^cursor_key: .*{words}") as caught:
                make(cursor_key=key)
            assert "short" not in str(caught.value)
    client = kind(region="eu-central-1", cursor_key=KEY)
    assert "sixteen" not in repr(client)
    assert "cursor_key=**" in repr(client)
    assert "sixteen" not in repr(kind.local(cursor_key=KEY))


def test_a_cursor_goes_on_in_another_process(database: str) -> None:
    cursor = entries(database).page(2).cursor
    code = (
        "import sys; sys.path.insert(0, '.')\n"
        "from tests.client.test_pages import entries\n"
        f"print([entry.number for entry in entries({database!r}).page(2, after={cursor!r}).items])"
    )

    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)

    assert printed.stdout.strip() == "[2, 3]"


def test_a_page_is_not_validated_once_more(database: str) -> None:
    page = entries(database).page(5)

    assert type(page) is Page[Entry]
    assert TypeAdapter(Page[Entry]).validate_python(page) is page
    assert page == Page[Entry](items=[Entry(owner="ada", number=number) for number in range(5)], cursor=None)


def test_pages_of_dataclasses_and_typed_dicts_are_models_too() -> None:
    @dataclasses.dataclass
    class Plain:
        id: str
        size: int = 0

    @pydantic_dataclasses.dataclass
    class Pydantic:
        id: str
        size: int = 0

    class Typed(TypedDict):
        id: str
        size: int

    class Foreign(BaseModel):
        id: str
        size: int = 0

    client = Client.local()
    for model in (Plain, Pydantic, Typed, Foreign):
        table: Any = client.table(model, name=model.__name__, partition="id")
        table.create_table()
        table.batch_put([model(id=f"i{number}", size=number) for number in range(3)])

        page = table.scan().page(2)

        assert type(page) is Page[model]
        assert page.model_dump()["items"][0].keys() == {"id", "size"}
        assert Page[model].model_validate_json(page.model_dump_json()) == page
        rest = table.scan().page(2, after=page.cursor)
        assert len(rest.items) == 1
        assert rest.cursor is None


def test_a_model_made_at_run_time_is_let_go_with_its_table_and_pages() -> None:
    def use() -> weakref.ref[Any]:
        class Passing(Model, table="passing"):
            id: Annotated[str, PartitionKey]

        table = Client.local().table(Passing)
        table.create_table()
        table.put(Passing(id="a"))
        assert table.scan().page(1).items == [Passing(id="a")]
        return weakref.ref(Passing)

    model = use()
    gc.collect()
    gc.collect()

    assert model() is None


def test_the_class_of_pages_is_made_once_for_a_table(database: str) -> None:
    table = Client.local(database).table(Entry)
    first = type(table.scan().page(1))
    gc.collect()

    assert type(table.scan().page(1)) is first


@pytest.fixture
def api(database: str) -> Iterator[Any]:
    """A FastAPI application of one route, which answers pages."""
    fastapi = pytest.importorskip("fastapi")
    from fastapi.responses import JSONResponse

    app = fastapi.FastAPI()
    client = AsyncClient.local(database, cursor_key=KEY)
    table = client.table(Entry)

    @app.get("/{owner}", response_model=Page[Entry])
    async def read(owner: str, size: int = 2, after: str | None = None) -> Any:
        return await table.query(Entry.owner == owner).page(size, after=after)

    @app.get("/{owner}/annotated")
    async def read_annotated(owner: str, after: str | None = None) -> Page[Entry]:
        return await table.query(Entry.owner == owner).page(2, after=after)

    @app.exception_handler(InvalidCursor)
    async def refused(_request: Any, error: InvalidCursor) -> Any:
        return JSONResponse({"detail": "start again"}, status_code=400)

    return app


async def _get(app: Any, *paths: str) -> list[Any]:
    import httpx

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://api") as http:
        return [await http.get(path) for path in paths]


def test_a_page_is_the_response_model_of_a_fastapi_route(api: Any) -> None:
    import asyncio

    (first, annotated) = asyncio.run(_get(api, "/ada", "/ada/annotated"))
    (second, refused) = asyncio.run(
        _get(api, f"/ada?size=3&after={first.json()['cursor']}", f"/bob?after={first.json()['cursor']}")
    )

    assert [item["number"] for item in first.json()["items"]] == [0, 1]
    assert annotated.json() == first.json()
    assert second.json() == {
        "items": [{"owner": "ada", "number": number, "text": ""} for number in (2, 3, 4)],
        "cursor": None,
    }
    assert refused.status_code == 400


def test_openapi_shows_a_page_with_its_items_and_cursor(api: Any) -> None:
    schemas = api.openapi()["components"]["schemas"]

    page = schemas["Page_Entry_"]
    assert page["title"] == "Page[Entry]"
    assert page["properties"]["items"]["items"] == {"$ref": "#/components/schemas/Entry"}
    assert page["properties"]["cursor"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    assert page["required"] == ["items", "cursor"]


def test_expr_serves_pages_of_models_of_others() -> None:
    class Event(BaseModel):
        org: str
        day: str

    client = Client.local()
    events = client.table(Event, name="events", partition="org", sort="day")
    events.create_table()
    events.batch_put([Event(org="a", day=f"d{number}") for number in range(3)])

    page = events.query(expr(Event).org == "a").page(2)

    assert [event.day for event in page.items] == ["d0", "d1"]
