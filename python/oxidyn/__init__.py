"""Pydantic models in DynamoDB."""

from __future__ import annotations

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
from .errors import (
    AccessDenied,
    BatchIncomplete,
    ClientClosed,
    ConditionFailed,
    ConnectError,
    CredentialsError,
    EndpointError,
    InvalidExpression,
    InvalidItem,
    InvalidKey,
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
    TransportError,
    UnsupportedTypeError,
)
from .expressions import Attr, Condition, all_of, any_of, attr, expr, not_, some
from .model import Model
from .updates import Action

__all__ = [
    "TTL",
    "AccessDenied",
    "Action",
    "All",
    "Attr",
    "Attribute",
    "BatchIncomplete",
    "ClientClosed",
    "Condition",
    "ConditionFailed",
    "ConnectError",
    "CredentialsError",
    "EndpointError",
    "Epoch",
    "Include",
    "Index",
    "IndexKeys",
    "InvalidExpression",
    "InvalidItem",
    "InvalidKey",
    "InvalidOption",
    "ItemExists",
    "ItemNotFound",
    "ItemTooLarge",
    "KeysOnly",
    "Model",
    "MultipleItemsFound",
    "NoItemFound",
    "OxidynError",
    "PartitionKey",
    "RegionError",
    "ReplyError",
    "RequestTimeout",
    "SchemaError",
    "ServiceError",
    "SortKey",
    "TableExists",
    "TableNotActive",
    "TableNotFound",
    "Throttled",
    "TransportError",
    "UnsupportedTypeError",
    "all_of",
    "any_of",
    "attr",
    "expr",
    "not_",
    "some",
]

# Tracebacks and reprs show the path that users import from. Markers such as `TTL` are instances, which have none.
for _name in __all__:
    _export = globals()[_name]
    if isinstance(_export, type) or callable(_export) and hasattr(_export, "__code__"):
        _export.__module__ = __name__
del _export, _name
