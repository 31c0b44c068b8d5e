"""Pydantic models in DynamoDB."""

from __future__ import annotations

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
from .model import Model
from .operations import Operation
from .pages import Page
from .parallel_scan import AsyncParallelScan, ParallelScan, ScanProgress, SegmentProgress
from .partiql import Statement
from .query import AsyncQuery, Query
from .rate_limit import RateLimit
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


def _show_public_path() -> None:
    """Let tracebacks and reprs name `oxidyn`, from where users import; markers such as `TTL` are values without a path."""
    for name in __all__:
        export = globals()[name]
        if getattr(export, "__qualname__", None) == name and export.__module__.startswith("oxidyn."):
            export.__module__ = __name__


_show_public_path()
