"""What belongs to its process is copied as itself, and pickled by nobody; what is a value goes anywhere."""

import copy
import pickle
from typing import Annotated, Any

import pytest

from oxidyn import AsyncClient, Client, Model, PartitionKey, RateLimit, Statement, attr

CLIENT = Client.local()
ASYNC = AsyncClient.local()


class Note(Model, table="notes"):
    name: Annotated[str, PartitionKey]
    secret: str = ""


NOTES = CLIENT.table(Note)
NOTE = Note(name="hidden", secret="hidden")

HELD = [
    (CLIENT, "a client holds the connections of its process. Make one in each process, from the same Config."),
    (ASYNC, "a client holds the connections of its process."),
    (NOTES, "a table belongs to a client,"),
    (ASYNC.table(Note), "a table belongs to a client,"),
    (NOTES.select(Note.secret), "a table belongs to a client,"),
    (RateLimit(read=5), "a limit counts what its own process consumes."),
    (Statement('SELECT * FROM "notes" WHERE name = ?', "hidden"), "Pickle its text, its parameters and its model,"),
    (NOTES.ops.put(NOTE), "Pickle the key or the items that it is made of,"),
]
held = pytest.mark.parametrize(("value", "told"), HELD, ids=lambda value: type(value).__name__)


@held
def test_what_belongs_to_its_process_is_copied_as_itself(value: Any, told: str):
    assert copy.copy(value) is copy.deepcopy(value) is value
    assert copy.deepcopy({"settings": [value]})["settings"][0] is value


@held
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_what_belongs_to_its_process_is_refused_and_told_what_to_pickle(value: Any, told: str, protocol: int):
    with pytest.raises(TypeError, match=f"^cannot pickle {type(value).__name__}.*: .*{told}") as refused:
        pickle.dumps(value, protocol)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(
    "value", [Note.name == "a", attr(Note.secret).set("b"), Note.secret, attr(Note.secret)], ids=repr
)
def test_expressions_are_copied_and_pickled(value: Any):
    assert repr(pickle.loads(pickle.dumps(value))) == repr(copy.deepcopy(value)) == repr(value)
