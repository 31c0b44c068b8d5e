"""What `import oxidyn` gives, and what it does not do."""

import inspect
import subprocess
import sys

import pytest
from pydantic import BaseModel

import oxidyn
from oxidyn import Model

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
    "Client",
    "ClientClosed",
    "Condition",
    "ConditionFailed",
    "Config",
    "ConnectError",
    "CredentialsError",
    "EndpointError",
    "Epoch",
    "Explanation",
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
    "Model",
    "MultipleItemsFound",
    "NoItemFound",
    "Operation",
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
    "some",
]


def test_exports_are_exactly_these():
    assert sorted(oxidyn.__all__) == EXPORTS


def test_no_other_public_name_stands_in_the_package():
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


_IMPORT = """
import sys
from pydantic import BaseModel, TypeAdapter
before = set(sys.modules)
import threading, socket
before |= set(sys.modules)
def refuse(*args, **kwargs): raise AssertionError("import oxidyn opened a connection")
socket.socket = socket.create_connection = refuse
import oxidyn
from oxidyn import _core
assert threading.active_count() == 1, "import oxidyn started a thread"
brought = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(brought))
"""


def test_import_brings_no_asyncio_no_network_and_no_thread():
    brought = subprocess.run(
        [sys.executable, "-c", _IMPORT], check=True, capture_output=True, text=True, timeout=60
    ).stdout.split()

    assert not {"asyncio", "ssl", "http", "urllib3", "selectors", "socket", "concurrent", "boto3"} & set(brought)


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
