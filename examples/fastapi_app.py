"""A FastAPI service whose stored model is its response model.

`uvicorn examples.fastapi_app:app` starts it. Without settings it keeps its notes in memory, on the embedded engine;
`NOTES_TABLE` in the environment names a table in AWS, and `NOTES_CURSOR_KEY` (at least 16 bytes in hex) signs the cursors
of its pages.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Annotated, cast
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, Field

from oxidyn import (
    AsyncClient,
    AsyncTable,
    ConditionFailed,
    InvalidCursor,
    ItemExists,
    ItemNotFound,
    Model,
    Page,
    PartitionKey,
    SortKey,
    attr,
    not_,
)


class Draft(BaseModel):
    """What a user writes."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    text: str = ""
    tags: set[str] = set()


class Note(Model, table="notes"):
    """What is stored and answered; the markers leave its JSON schema alone."""

    owner: Annotated[str, PartitionKey]
    id: Annotated[UUID, SortKey]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    text: str = ""
    tags: set[str] = set()
    created: AwareDatetime
    likes: int = 0
    locked: bool = False


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """Hold one client for the life of the application: its connections are pooled."""
    name = os.environ.get("NOTES_TABLE")
    # The same key in every worker, or a cursor of one would be refused by the next.
    key = bytes.fromhex(os.environ.get("NOTES_CURSOR_KEY", "")) or None
    async with AsyncClient(cursor_key=key) if name else AsyncClient.local(cursor_key=key) as client:
        app.state.notes = notes = client.table(Note, name=name)
        if name is None:
            await notes.create_table()
        yield


def notes_table(request: Request) -> AsyncTable[Note]:
    """Hand the table to a route."""
    return cast("AsyncTable[Note]", request.app.state.notes)


Notes = Annotated[AsyncTable[Note], Depends(notes_table)]
app = FastAPI(title="Notes", lifespan=lifespan)


@app.exception_handler(ItemNotFound)
async def not_found(_request: Request, _error: ItemNotFound) -> Response:
    """Answer 404 wherever an item had to exist."""
    return JSONResponse({"detail": "no such note"}, status_code=404)


@app.exception_handler(ItemExists)
@app.exception_handler(ConditionFailed)
async def conflict(_request: Request, error: ItemExists | ConditionFailed) -> Response:
    """Answer 409 wherever a condition did not hold."""
    detail = "this note exists already" if isinstance(error, ItemExists) else "this note is locked"
    return JSONResponse({"detail": detail}, status_code=409)


@app.exception_handler(InvalidCursor)
async def bad_cursor(_request: Request, _error: InvalidCursor) -> Response:
    """Answer 400 where a cursor is none of ours, or of another list."""
    return JSONResponse({"detail": "this cursor is not valid here: start with the first page"}, status_code=400)


@app.post("/{owner}/notes", status_code=201)
async def write(owner: str, draft: Draft, notes: Notes) -> Note:
    """Write a new note under an id of the server's."""
    note = Note(owner=owner, id=uuid4(), created=datetime.now(timezone.utc), **draft.model_dump())
    await notes.create(note)
    return note


@app.put("/{owner}/notes/{note_id}", status_code=201)
async def write_as(owner: str, note_id: UUID, draft: Draft, notes: Notes) -> Note:
    """Write a new note under an id of the caller's; 409 if there is one already."""
    note = Note(owner=owner, id=note_id, created=datetime.now(timezone.utc), **draft.model_dump())
    await notes.create(note)
    return note


@app.get("/{owner}/notes/{note_id}")
async def read(owner: str, note_id: UUID, notes: Notes) -> Note:
    """Read one note, or 404."""
    note = await notes.get(owner, note_id)
    if note is None:
        raise HTTPException(404, "no such note")
    return note


@app.get("/{owner}/notes", response_model=Page[Note])
async def read_page(
    owner: str,
    notes: Notes,
    tag: str | None = None,
    size: Annotated[int, Query(ge=1, le=100)] = 20,
    after: str | None = None,
) -> Response:
    """Read a page of an owner's notes, of those with a tag if one is given; `after` is the cursor of the page before.

    What is answered is the JSON of a `Page[Note]`, made of the stored bytes without a `Note` for each.
    """
    tagged = None if tag is None else attr(Note.tags).contains(tag)
    page = await notes.query(Note.owner == owner, where=tagged).page_json(size, after=after)
    return Response(page, media_type="application/json")


@app.post("/{owner}/notes/{note_id}/likes")
async def like(owner: str, note_id: UUID, notes: Notes) -> Note:
    """Count one more like, atomically: 404 without the note, 409 when it is locked."""
    return await notes.update((owner, note_id), attr(Note.likes).add(1), where=not_(Note.locked), returning="new")


@app.post("/{owner}/notes/{note_id}/lock")
async def lock(owner: str, note_id: UUID, notes: Notes) -> Note:
    """Lock a note, or 404."""
    return await notes.update((owner, note_id), attr(Note.locked).set(True), returning="new")


@app.delete("/{owner}/notes/{note_id}", status_code=204)
async def erase(owner: str, note_id: UUID, notes: Notes) -> None:
    """Erase a note, or 404."""
    if await notes.delete(owner, note_id, returning="old") is None:
        raise HTTPException(404, "no such note")
