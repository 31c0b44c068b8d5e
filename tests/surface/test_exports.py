"""What `import oxidyn` gives, and what it does not do."""

import ast
import inspect
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

import oxidyn
from oxidyn import Model
from oxidyn.exports import HOMES

EXPORTS = [
    "AccessDenied",
    "Action",
    "All",
    "AsyncClient",
    "AsyncParallelScan",
    "AsyncQuery",
    "AsyncSelection",
    "AsyncTable",
    "Attr",
    "Attribute",
    "AttributeSize",
    "BatchIncomplete",
    "CallRecord",
    "CallRecords",
    "Client",
    "ClientClosed",
    "Condition",
    "ConditionFailed",
    "Config",
    "ConnectError",
    "ConsumedCapacity",
    "CredentialsError",
    "EndpointError",
    "Epoch",
    "Explanation",
    "HotPartition",
    "Include",
    "Index",
    "IndexKeys",
    "InvalidCursor",
    "InvalidExpression",
    "InvalidItem",
    "InvalidKey",
    "InvalidOperation",
    "InvalidOption",
    "ItemAdapter",
    "ItemExists",
    "ItemNotFound",
    "ItemSize",
    "ItemTooLarge",
    "KeysOnly",
    "Metrics",
    "Model",
    "MultipleItemsFound",
    "NoItemFound",
    "Operation",
    "OperationMetrics",
    "OxidynError",
    "Page",
    "ParallelScan",
    "PartitionKey",
    "Query",
    "RateLimit",
    "RegionError",
    "ReplyError",
    "RequestTimeout",
    "ScanProgress",
    "SchemaError",
    "SegmentProgress",
    "Selection",
    "ServiceError",
    "Size",
    "SortKey",
    "Statement",
    "TTL",
    "Table",
    "TableExists",
    "TableNotActive",
    "TableNotFound",
    "Throttled",
    "TransactionCancelled",
    "TransactionConflict",
    "TransportError",
    "UnsupportedTypeError",
    "all_of",
    "any_of",
    "attr",
    "expr",
    "item_size",
    "not_",
    "record_calls",
    "some",
]


def test_exports_are_exactly_these():
    assert sorted(oxidyn.__all__) == EXPORTS


def test_no_other_public_name_stands_in_the_package():
    for name in EXPORTS:
        getattr(oxidyn, name)

    # Pydantic 2.11 keeps generics that were parametrised, `Page[Note]`, where the generic itself stands.
    names = {name for name in vars(oxidyn) if name.isidentifier() and not name.startswith("_")}
    public = {name for name in names if not inspect.ismodule(getattr(oxidyn, name))}

    assert public - {"annotations"} == set(EXPORTS)


@pytest.mark.parametrize("name", EXPORTS)
def test_export_shows_the_path_that_users_import_from(name):
    export = getattr(oxidyn, name)
    if isinstance(export, type) or inspect.isfunction(export):
        assert export.__module__ == "oxidyn"


@pytest.mark.parametrize("name", EXPORTS)
def test_export_has_a_docstring(name):
    export = getattr(oxidyn, name)

    assert inspect.getdoc(export)


def test_model_has_no_public_name_of_its_own():
    assert {name for name in vars(Model) if not name.startswith("_")} <= set(vars(BaseModel)) | {"model_config"}
    assert {name for name in dir(Model) if not name.startswith("_")} == {
        name for name in dir(BaseModel) if not name.startswith("_")
    }


def test_export_is_told_to_checkers_to_star_imports_and_to_the_import_system_alike():
    package = ast.parse(Path(oxidyn.__file__).read_text(encoding="utf-8"))
    told = {
        name.name: node.module for node in ast.walk(package) if isinstance(node, ast.ImportFrom) for name in node.names
    }
    seen_by_checkers = {name: told[name] for name in oxidyn.__all__}

    assert seen_by_checkers == HOMES


def test_name_that_is_no_export_is_an_attribute_error_that_suggests_one():
    with pytest.raises(AttributeError, match="module 'oxidyn' has no attribute 'Clint'") as refused:
        oxidyn.Clint  # noqa: B018
    assert (refused.value.name, refused.value.obj) == ("Clint", oxidyn)
    with pytest.raises(ImportError, match="cannot import name 'Clint' from 'oxidyn'"):
        exec("from oxidyn import Clint")


def test_modules_of_the_package_are_reached_by_their_names():
    assert fresh("import oxidyn; print(oxidyn.errors.ItemNotFound is oxidyn.ItemNotFound)") == "True"


def test_dir_and_star_import_give_every_export():
    assert set(EXPORTS) <= set(dir(oxidyn))
    assert fresh("from oxidyn import *; import oxidyn; print(set(oxidyn.__all__) <= set(globals()))") == "True"


@pytest.mark.parametrize("name", ["Client", "Index", "ItemNotFound", "Model", "Page", "Statement"])
def test_class_is_pickled_by_the_path_that_users_import_from(name):
    assert (
        fresh(
            f"import pickle\nfrom oxidyn.{HOMES[name]} import {name}\nprint(pickle.dumps({name}, 0).split()[0].decode())"
        )
        == "coxidyn"
    )
    assert pickle.loads(pickle.dumps(getattr(oxidyn, name))) is getattr(oxidyn, name)


# What importing loads


def fresh(program: str) -> str:
    """What a program prints that is run in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    ).stdout.strip()


def loaded(program: str) -> set[str]:
    """The modules that a program loads."""
    return set(fresh(f"{program}\nimport sys; print(*sys.modules)").split())


# What most programs begin with.
_BEGIN = """
from typing import Annotated
from oxidyn import Client, Model, PartitionKey, SortKey
class User(Model, table="users"):
    org: Annotated[str, PartitionKey]
    id: Annotated[int, SortKey]
"""

_USE = """
with Client.local() as client:
    users = client.table(User)
    users.create_table()
    users.put(User(org="a", id=1))
    assert users.get("a", 1) == User(org="a", id=1)
"""


def test_import_of_the_package_loads_neither_pydantic_nor_the_core_nor_its_own_modules():
    brought = loaded("import oxidyn")

    assert {name for name in brought if name.partition(".")[0] in {"oxidyn", "pydantic", "pydantic_core"}} == {
        "oxidyn",
        "oxidyn.exports",
    }


def test_what_most_programs_import_loads_no_module_that_they_have_no_use_for():
    brought = {name.removeprefix("oxidyn.") for name in loaded(_BEGIN + _USE) if name.startswith("oxidyn.")}

    assert brought == {
        "_core",
        "annotations",
        "client",
        "config",
        "errors",
        "exports",
        "expressions",
        "held",
        "model",
        "operations",
        "policies",
        "query",
        "reading",
        "schema",
        "table",
        "updates",
        "values",
    }


def test_first_model_and_its_use_load_no_module_that_a_model_of_pydantic_does_not():
    pydantics_own = loaded("from pydantic import BaseModel\nclass User(BaseModel):\n    org: str\n    id: int")

    assert {name for name in loaded(_BEGIN + _USE) - pydantics_own if not name.startswith("oxidyn")} == set()


def test_client_is_imported_without_building_a_model():
    # Pydantic's first model costs as much as importing Pydantic; a program pays for it with its own first model.
    pydantics_own = loaded("import pydantic; pydantic.BaseModel")

    brought = loaded("from oxidyn import AsyncClient, Client, Condition, ItemNotFound") - pydantics_own

    assert {name for name in brought if not name.startswith("oxidyn")} == set()


_SILENT = """
import socket, sys, threading
def refuse(*args, **kwargs): raise AssertionError("import oxidyn opened a connection")
socket.socket = socket.create_connection = refuse
from oxidyn import *
from oxidyn import _core
print(threading.active_count(), "asyncio" in sys.modules)
"""


def test_import_starts_no_thread_opens_no_connection_and_loads_no_asyncio():
    assert fresh(_SILENT) == "1 False"


_MAKE = """
import os
from typing import Annotated
from oxidyn import AsyncClient, Client, Model, PartitionKey

class User(Model, table="users"):
    id: Annotated[str, PartitionKey]

counters = os.open("/proc/self/io", os.O_RDONLY)
def calls():
    lines = os.pread(counters, 4096, 0).decode().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("syscr", "syscw")))
def made():
    return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

before, first = made(), calls()
counting = calls() - first
start = calls()
clients = [Client(), AsyncClient(), Client(region="eu-central-1", access_key_id="any", secret_access_key="any")]
tables = [client.table(User) for client in clients]
print(calls() - start - counting, made() == before)
"""


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="the kernel counts no reads and writes of a process")
def test_clients_and_tables_are_made_without_reading_writing_opening_or_starting_anything():
    assert fresh(_MAKE) == "0 True"


_DECLARE = """
import sys
from typing import Annotated
from oxidyn import Client, Model, PartitionKey, _core
compiled = []
real = _core.Plan
_core.Plan = lambda *args, **options: compiled.append(options["title"]) or real(*args, **options)
class User(Model, table="users"):
    id: Annotated[str, PartitionKey]
User.id == "a"
client = Client.local()
assert not compiled, "declaring a model compiled its plan"
client.table(User)
client.table(User)
assert compiled == ["User"], compiled
assert "asyncio" not in sys.modules, "a synchronous client imported asyncio"
"""


def test_plan_is_compiled_with_the_first_table_and_once():
    subprocess.run([sys.executable, "-c", _DECLARE], check=True, timeout=60)
