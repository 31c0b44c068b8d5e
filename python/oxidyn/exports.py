"""Which module each public name comes from.

Classes and functions show the path that users import them from, `oxidyn.Client`, however they were reached: in
tracebacks, reprs and pickles.
"""

from typing import Any, Final

__all__ = ["HOMES", "show_public_path"]

_EXPORTS: Final = {
    "adapter": ("ItemAdapter",),
    "annotations": (
        "TTL",
        "All",
        "Attribute",
        "Epoch",
        "Include",
        "Index",
        "IndexKeys",
        "KeysOnly",
        "PartitionKey",
        "SortKey",
    ),
    "client": ("AsyncClient", "Client"),
    "config": ("Config",),
    "errors": (
        "AccessDenied",
        "BatchIncomplete",
        "ClientClosed",
        "ConditionFailed",
        "ConnectError",
        "CredentialsError",
        "EndpointError",
        "InvalidCursor",
        "InvalidExpression",
        "InvalidItem",
        "InvalidKey",
        "InvalidOperation",
        "InvalidOption",
        "ItemExists",
        "ItemNotFound",
        "ItemTooLarge",
        "MultipleItemsFound",
        "NoItemFound",
        "OxidynError",
        "RegionError",
        "ReplyError",
        "RequestTimeout",
        "SchemaError",
        "ServiceError",
        "TableExists",
        "TableNotActive",
        "TableNotFound",
        "Throttled",
        "TransactionCancelled",
        "TransactionConflict",
        "TransportError",
        "UnsupportedTypeError",
    ),
    "explanation": ("Explanation",),
    "expressions": ("Condition", "Size", "all_of", "any_of", "expr", "not_"),
    "fields": ("Attr", "attr", "some"),
    "hot_partitions": ("HotPartition",),
    "metrics": ("Metrics", "OperationMetrics"),
    "model": ("Model",),
    "operations": ("Operation",),
    "pages": ("Page",),
    "parallel_scan": ("AsyncParallelScan", "ParallelScan", "ScanProgress", "SegmentProgress"),
    "partiql": ("Statement",),
    "query": ("AsyncQuery", "Query"),
    "rate_limit": ("RateLimit",),
    "recording": ("CallRecord", "CallRecords", "ConsumedCapacity", "record_calls"),
    "selection": ("AsyncSelection", "Selection"),
    "size": ("AttributeSize", "ItemSize", "item_size"),
    "table": ("AsyncTable", "Table"),
    "updates": ("Action",),
}

HOMES: Final = {name: home for home, names in _EXPORTS.items() for name in names}
"""The module of each name."""


def show_public_path(module: dict[str, Any], /) -> None:
    """Give the exports of a module, which is at its end, the package as theirs; markers such as `TTL` are values without a path."""
    package, _, home = module["__name__"].rpartition(".")
    for name in _EXPORTS[home]:
        export = module[name]
        if getattr(export, "__qualname__", None) == name:
            export.__module__ = package
