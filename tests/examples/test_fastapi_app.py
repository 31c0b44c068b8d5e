import asyncio
import contextlib
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn

from examples.fastapi_app import Note, app, lifespan

DRAFT = {"title": "Grüße", "text": "mind the gap", "tags": ["london", "tube"]}


@pytest.fixture
def in_process():
    """Call the application without a socket, its lifespan round each body."""

    def run(body):
        async def with_lifespan():
            transport = httpx.ASGITransport(app=app)
            async with lifespan(app), httpx.AsyncClient(transport=transport, base_url="http://notes") as http:
                await body(http)

        asyncio.run(with_lifespan())

    return run


def test_a_written_note_is_read_back_as_the_response_model(in_process):
    async def body(http):
        written = await http.post("/ada/notes", json=DRAFT)
        note = Note.model_validate_json(written.content)
        read = await http.get(f"/ada/notes/{note.id}")

        assert written.status_code == 201
        assert read.status_code == 200
        assert Note.model_validate_json(read.content) == note
        assert note.tags == {"london", "tube"}

    in_process(body)


def test_a_missing_note_is_404_to_read_to_like_and_to_delete(in_process):
    async def body(http):
        nowhere = f"/ada/notes/{uuid4()}"

        statuses = [
            (await http.get(nowhere)).status_code,
            (await http.post(f"{nowhere}/likes")).status_code,
            (await http.delete(nowhere)).status_code,
        ]

        assert statuses == [404, 404, 404]

    in_process(body)


def test_writing_under_an_id_that_is_taken_is_409(in_process):
    async def body(http):
        path = f"/ada/notes/{uuid4()}"

        first = await http.put(path, json=DRAFT)
        second = await http.put(path, json=DRAFT)

        assert (first.status_code, second.status_code) == (201, 409)
        assert second.json() == {"detail": "this note exists already"}

    in_process(body)


def test_a_locked_note_takes_no_like_and_says_409(in_process):
    async def body(http):
        path = f"/ada/notes/{(await http.post('/ada/notes', json=DRAFT)).json()['id']}"

        liked = await http.post(f"{path}/likes")
        await http.post(f"{path}/lock")
        refused = await http.post(f"{path}/likes")

        assert liked.json()["likes"] == 1
        assert refused.status_code == 409
        assert (await http.get(path)).json()["likes"] == 1

    in_process(body)


def test_likes_at_the_same_time_are_all_counted(in_process):
    async def body(http):
        path = f"/ada/notes/{(await http.post('/ada/notes', json=DRAFT)).json()['id']}"

        await asyncio.gather(*(http.post(f"{path}/likes") for _ in range(20)))

        assert (await http.get(path)).json()["likes"] == 20

    in_process(body)


def test_an_owners_notes_are_listed_by_tag(in_process):
    async def body(http):
        await http.post("/ada/notes", json=DRAFT)
        await http.post("/ada/notes", json={"title": "plain"})
        await http.post("/bob/notes", json=DRAFT)

        every = (await http.get("/ada/notes")).json()
        tagged = (await http.get("/ada/notes", params={"tag": "tube"})).json()

        assert sorted(note["title"] for note in every["items"]) == ["Grüße", "plain"]
        assert every["cursor"] is None
        assert [note["title"] for note in tagged["items"]] == ["Grüße"]

    in_process(body)


@pytest.mark.parametrize("key", ["", "00112233445566778899aabbccddeeff"])
def test_notes_are_paged_and_each_comes_once(in_process, monkeypatch, key):
    monkeypatch.setenv("NOTES_CURSOR_KEY", key)

    async def body(http):
        for number in range(7):
            await http.post("/ada/notes", json={"title": f"note {number}", "tags": ["odd"] if number % 2 else []})
        titles, sizes, after = [], [], {}
        while after is not None:
            page = (await http.get("/ada/notes", params={"size": 3, **after})).json()
            titles += [note["title"] for note in page["items"]]
            sizes.append(len(page["items"]))
            after = {"after": page["cursor"]} if page["cursor"] else None
        odd = (await http.get("/ada/notes", params={"size": 2, "tag": "odd"})).json()

        assert sorted(titles) == [f"note {number}" for number in range(7)]
        assert sizes == [3, 3, 1]
        assert len(odd["items"]) == 2

    in_process(body)


def test_a_cursor_of_another_list_is_400(in_process):
    async def body(http):
        for title in ("one", "two"):
            await http.post("/ada/notes", json={"title": title})
        cursor = (await http.get("/ada/notes", params={"size": 1})).json()["cursor"]

        answers = [
            await http.get("/bob/notes", params={"after": cursor}),
            await http.get("/ada/notes", params={"after": cursor, "tag": "odd"}),
            await http.get("/ada/notes", params={"after": "nonsense"}),
        ]

        assert [answer.status_code for answer in answers] == [400, 400, 400]
        assert (await http.get("/ada/notes", params={"size": 500})).status_code == 422

    in_process(body)


def test_a_draft_that_is_not_valid_is_422(in_process):
    async def body(http):
        assert (await http.post("/ada/notes", json={"title": ""})).status_code == 422

    in_process(body)


def test_openapi_shows_the_model_without_its_markers():
    schema = app.openapi()["components"]["schemas"]["Note"]

    assert schema["properties"]["owner"] == {"type": "string", "title": "Owner"}
    assert set(schema["required"]) == {"owner", "id", "title", "created"}


def test_openapi_shows_a_page_of_notes():
    page = app.openapi()["components"]["schemas"]["Page_Note_"]

    assert page["properties"]["items"]["items"] == {"$ref": "#/components/schemas/Note"}
    assert page["required"] == ["items", "cursor"]


def test_uvicorn_serves_it_over_a_socket():
    async def body():
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none")
        server = uvicorn.Server(config)
        # The signal handlers belong to the test run.
        server.capture_signals = contextlib.nullcontext
        started = asyncio.Event()
        startup = server.startup

        async def announce(*args, **kwargs):
            await startup(*args, **kwargs)
            started.set()

        server.startup = announce
        serving = asyncio.create_task(server.serve())
        await started.wait()
        port = server.servers[0].sockets[0].getsockname()[1]

        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            written = await http.post("/ada/notes", json=DRAFT)
            read = await http.get(f"/ada/notes/{UUID(written.json()['id'])}")
        server.should_exit = True
        await serving

        assert (written.status_code, read.status_code) == (201, 200)
        assert read.json() == written.json()

    asyncio.run(body())
