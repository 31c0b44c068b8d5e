"""`Client.local`: the embedded engine in memory and in a file, and to whom a file belongs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from oxidyn import ServiceError, TransportError, _core

CREATE = json.dumps(
    {
        "TableName": "things",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
).encode()
ITEM = b'{"TableName":"things","Item":{"id":{"S":"1"}}}'
KEY = b'{"TableName":"things","Key":{"id":{"S":"1"}}}'


def run(code: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


def test_databases_in_memory_are_apart() -> None:
    one, other = _core.Client.local(), _core.Client.local()

    one._call("CreateTable", CREATE)

    assert b"things" in one._call("ListTables", b"{}")
    assert b"things" not in other._call("ListTables", b"{}")


def test_file_is_kept(tmp_path: Path) -> None:
    client = _core.Client.local(tmp_path / "app.db")
    client._call("CreateTable", CREATE)
    client._call("PutItem", ITEM)
    client.close()

    again = _core.Client.local(str(tmp_path / "app.db"))

    assert json.loads(again._call("GetItem", KEY)) == {"Item": {"id": {"S": "1"}}}


def test_two_clients_of_one_process_share_a_file(tmp_path: Path) -> None:
    one = _core.Client.local(tmp_path / "app.db")
    other = _core.Client.local(tmp_path / "." / "app.db")

    one._call("CreateTable", CREATE)
    one._call("PutItem", ITEM)
    one.close()

    assert b'"1"' in other._call("GetItem", KEY)


def test_file_held_by_another_process_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    client = _core.Client.local(path)

    second = run("import sys; from oxidyn import _core; _core.Client.local(sys.argv[1])", path)
    client.close()
    third = run("import sys; from oxidyn import _core; _core.Client.local(sys.argv[1])", path)

    assert second.returncode == 1
    assert f"{path} is in use by another process" in second.stderr
    assert third.returncode == 0


def test_file_of_another_kind_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("notes")

    with pytest.raises(TransportError, match=r"notes\.txt: it is a file of another kind"):
        _core.Client.local(path)

    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(("name", "reason"), [("", "it is a directory"), ("missing/app.db", "its folder")])
def test_path_that_cannot_be_a_file_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(TransportError, match=reason):
        _core.Client.local(tmp_path / name)


def test_errors_have_dynamodbs_codes_and_the_item() -> None:
    client = _core.Client.local()

    with pytest.raises(ServiceError, match="ResourceNotFoundException") as caught:
        client._call("PutItem", ITEM)

    assert caught.value.code == "ResourceNotFoundException"


def test_request_that_is_no_json_is_an_error_of_dynamodbs() -> None:
    with pytest.raises(ServiceError) as caught:
        _core.Client.local()._call("PutItem", b"[")

    assert caught.value.code == "SerializationException"
