"""Pydantic models in DynamoDB.

A name is imported when it is first asked for: who puts an item does not wait for the parallel scans.
"""

import sys
import typing
from importlib import import_module as _import_module

from .exports import HOMES as _HOMES

if typing.TYPE_CHECKING:
    from .adapter import ItemAdapter
    from .annotations import (
        TTL,
        All,
        Attribute,
        Epoch,
        Include,
        Index,
        IndexKeys,
        KeysOnly,
        PartitionKey,
        SortKey,
    )
    from .client import AsyncClient, Client
    from .config import Config
    from .errors import (
        AccessDenied,
        BatchIncomplete,
        ClientClosed,
        ConditionFailed,
        ConnectError,
        CredentialsError,
        EndpointError,
        InvalidCursor,
        InvalidExpression,
        InvalidItem,
        InvalidKey,
        InvalidOperation,
        InvalidOption,
        ItemExists,
        ItemNotFound,
        ItemTooLarge,
        MultipleItemsFound,
        NoItemFound,
        OxidynError,
        RegionError,
        ReplyError,
        RequestTimeout,
        SchemaError,
        ServiceError,
        TableExists,
        TableNotActive,
        TableNotFound,
        Throttled,
        TransactionCancelled,
        TransactionConflict,
        TransportError,
        UnsupportedTypeError,
    )
    from .explanation import Explanation
    from .expressions import Condition, Size, all_of, any_of, expr, not_
    from .fields import Attr, attr, some
    from .hot_partitions import HotPartition
    from .metrics import Metrics, OperationMetrics
    from .model import Model
    from .operations import Operation
    from .pages import Page
    from .parallel_scan import AsyncParallelScan, ParallelScan, ScanProgress, SegmentProgress
    from .partiql import Statement
    from .query import AsyncQuery, Query
    from .rate_limit import RateLimit
    from .recording import CallRecord, CallRecords, ConsumedCapacity, record_calls
    from .selection import AsyncSelection, Selection
    from .size import AttributeSize, ItemSize, item_size
    from .table import AsyncTable, Table
    from .updates import Action

__all__ = [
    "TTL",
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

# Checkers read the imports above; with this function they would take every other name for known, too.
if not typing.TYPE_CHECKING:

    def __getattr__(name: str) -> typing.Any:
        home = _HOMES.get(name)
        if home is not None:
            export = globals()[name] = getattr(_import_module(f".{home}", __name__), name)
            return export
        if name in _HOMES.values():
            return _import_module(f".{name}", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=sys.modules[__name__])

    def __dir__() -> list[str]:
        return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
