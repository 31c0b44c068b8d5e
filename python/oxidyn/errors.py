"""Every exception that oxidyn raises.

    OxidynError
    ├── SchemaError                     a model cannot be a table, or an item
    │   └── UnsupportedTypeError        a field's type cannot be stored
    ├── InvalidItem                     a value or stored bytes were refused; also a pydantic.ValidationError
    ├── InvalidKey                      a key of the wrong count or type
    ├── InvalidExpression               a condition or an action that cannot be; also a TypeError
    ├── InvalidOption                   an option of a client or a table that cannot be; also a ValueError
    ├── InvalidCursor                   page(), parallel_scan(): after= is no cursor of this query; also a ValueError
    ├── ItemNotFound                    update, replace: there is no item under the key
    ├── ItemExists                      create: there is an item under the key
    ├── ConditionFailed                 where= did not hold
    ├── NoItemFound                     one(): the query found nothing
    ├── MultipleItemsFound              one(), one_or_none(): the query found more than one item
    ├── ItemTooLarge                    an item above DynamoDB's 400 KB
    ├── InvalidOperation                an operation that cannot go into a batch or a transaction; also a ValueError
    ├── BatchIncomplete                 a part of a batch is not done, after every retry
    ├── TransactionCancelled            a transaction did nothing; `reasons` has the exception of each operation
    ├── TableNotActive                  the wait for a table ended before it was active
    ├── ServiceError                    DynamoDB answered with an error code
    │   ├── AccessDenied                the credentials are not valid, or not allowed to do this
    │   ├── TableNotFound
    │   ├── TableExists
    │   ├── Throttled                   too many requests, after every retry
    │   └── TransactionConflict         a transaction is changing the item, after every retry
    └── TransportError                  no answer, or none of DynamoDB's
        ├── CredentialsError            no credentials were found, or their source failed
        ├── RegionError                 no region is configured
        ├── EndpointError               the endpoint is not a URL that can be called
        ├── ConnectError                nothing answers at the endpoint
        ├── RequestTimeout              the answer did not come in time
        ├── ReplyError                  the answer is not DynamoDB's
        └── ClientClosed                the client was closed before the call

Messages hold no secrets, no key material and no item values; `key` and `item` are attributes for those who want them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, ValidationError

from .exports import show_public_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
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
]


def shown(value: object) -> str:
    """A refused option in a message."""
    try:
        return repr(value)
    except ValueError:  # of Python's own, for ints of thousands of digits
        return "a number of thousands of digits"


class OxidynError(Exception):
    """The root of every exception that oxidyn raises."""

    # Class defaults, because an `InvalidItem` is made by pydantic-core and gets its context later.
    operation: str | None = None
    """DynamoDB's name of the operation (`PutItem`), where there was one."""
    table: str | None = None
    """The table's name, where there was one."""
    key: object = None
    """The item's key as the caller gave it, where there was one."""
    request_id: str | None = None
    """The id by which AWS finds the request, where DynamoDB answered."""

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        table: str | None = None,
        key: object = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.table = table
        self.key = key
        self.request_id = request_id

    def __str__(self) -> str:
        context = [
            self.operation,
            self.table and f'table "{self.table}"',
            self.request_id and f"request id {self.request_id}",
        ]
        known = ", ".join(part for part in context if part)
        return f"{super().__str__()} [{known}]" if known else super().__str__()


class SchemaError(OxidynError):
    """A model cannot be stored as it is declared; the message names the model and the field."""


class UnsupportedTypeError(SchemaError):
    """A field's type cannot be stored; the message names the field and says what can."""


class InvalidItem(OxidynError, ValidationError):
    """A value, or an item's stored bytes, that the model refuses.

    It is a `pydantic.ValidationError` too, so `errors()` lists each refusal with its path. FastAPI and others who
    handle Pydantic's errors handle it the same way.
    """

    # pydantic-core fills the error in `__new__`, from `from_exception_data`: nothing is left for `__init__`.
    def __init__(
        self, title: str, line_errors: Sequence[InitErrorDetails], input_type: str = "python", hide_input: bool = False
    ) -> None: ...

    def __reduce__(self) -> tuple[Any, ...]:
        # Pydantic's own way drops our context, and cannot read back the types that are not pydantic-core's.
        lines = [_line(error) for error in self.errors(include_url=False)]
        return _restore_invalid_item, (type(self), self.title, lines), self.__dict__


def _line(error: ErrorDetails) -> tuple[str, str, tuple[int | str, ...], object]:
    return error["type"], error["msg"], error["loc"], error["input"]


def _restore_invalid_item(
    cls: type[InvalidItem], title: str, lines: list[tuple[str, str, tuple[int | str, ...], object]]
) -> InvalidItem:
    errors: list[Any] = [  # Paths of names and places, which `InitErrorDetails` declares alike.
        # The message is passed as a value, because it may hold braces of its own.
        InitErrorDetails(
            type=PydanticCustomError(cast("Any", kind), "{message}", {"message": text}), loc=path, input=value
        )
        for kind, text, path, value in lines
    ]
    return cls.from_exception_data(title, errors, "python", hide_input=True)


class InvalidKey(OxidynError):
    """A key with too many or too few parts, or one of the wrong type; the message names the table's key fields."""


class InvalidExpression(OxidynError, TypeError):
    """A condition or an action that Python or DynamoDB has no meaning for."""


class InvalidOption(OxidynError, ValueError):
    """An option of a client or a table that cannot be; the message names it and says what can."""


class InvalidCursor(OxidynError, ValueError):
    """A cursor that is none of this query's: cut off, altered, forged, or another query's.

    It comes from outside, so a web API answers it with HTTP 400.
    """


class InvalidOperation(OxidynError, ValueError):
    """An operation that cannot go into a batch or a transaction, or too many of them; nothing was sent.

    The message names its place among those given.
    """


class ItemNotFound(OxidynError):
    """`update` or `replace` found no item under the key, and wrote nothing."""


class _Refused(OxidynError):
    item: Any  # An instance of the table's model, which this module cannot name.
    """The item that is stored, or None where there is none, or one that the model refuses, as `__cause__` then says."""

    def __init__(
        self,
        message: str,
        *,
        item: Any = None,
        operation: str | None = None,
        table: str | None = None,
        key: object = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, operation=operation, table=table, key=key, request_id=request_id)
        self.item = item


class ItemExists(_Refused):
    """`create` found an item under the key, which is `item`, and wrote nothing."""


class ConditionFailed(_Refused):
    """The condition of `where=` did not hold for the stored `item`, and nothing was written."""


class NoItemFound(OxidynError):
    """`one()` found nothing."""


class MultipleItemsFound(OxidynError):
    """`one()` or `one_or_none()` found more than one item."""


class ItemTooLarge(OxidynError):
    """An item above the 400 KB that DynamoDB takes."""

    size: int
    """What DynamoDB would count, in bytes."""
    heaviest: tuple[tuple[str, int], ...]
    """The largest attributes with their bytes, the largest first."""

    def __init__(
        self,
        message: str,
        *,
        size: int = 0,
        heaviest: Sequence[tuple[str, int]] = (),
        operation: str | None = None,
        table: str | None = None,
        key: object = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, operation=operation, table=table, key=key, request_id=request_id)
        self.size = size
        self.heaviest = tuple(heaviest)


class BatchIncomplete(OxidynError):
    """A part of a batch is not done: DynamoDB left it undone after every retry, or a request failed. The rest is done."""

    unprocessed: list[Any]  # Instances of the table's model, keys, or operations, as they were given.
    """What was not done, as it was given, so that it can be tried again: items for `batch_put`, keys for `batch_get` and
    `batch_delete`, operations for those of a client."""
    by_table: dict[str, list[Any]]
    """The same as items and keys, by the names of their tables."""
    errors: tuple[OxidynError, ...]
    """What ended the requests that failed, the first as `__cause__` too; empty where DynamoDB went on leaving entries
    undone."""

    def __init__(
        self,
        message: str,
        *,
        unprocessed: Sequence[Any] = (),
        by_table: Mapping[str, list[Any]] | None = None,
        errors: Sequence[OxidynError] = (),
        operation: str | None = None,
        table: str | None = None,
        key: object = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, operation=operation, table=table, key=key, request_id=request_id)
        self.unprocessed = list(unprocessed)
        self.by_table = dict(by_table or {})
        self.errors = tuple(errors)


class TransactionCancelled(OxidynError):
    """A transaction that DynamoDB refused as a whole: nothing of it was done."""

    reasons: tuple[OxidynError | None, ...]
    """For each operation, in its place, the exception that it alone would have raised (`ConditionFailed` and the others
    that carry the stored item included), or None where it was not in the way."""

    def __init__(
        self,
        message: str,
        *,
        reasons: Sequence[OxidynError | None] = (),
        operation: str | None = None,
        table: str | None = None,
        key: object = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, operation=operation, table=table, key=key, request_id=request_id)
        self.reasons = tuple(reasons)


class TableNotActive(OxidynError):
    """The wait for a table ended before it was active."""


class ServiceError(OxidynError):
    """DynamoDB answered with an error; `code` is DynamoDB's name for it."""

    code: str
    """DynamoDB's error code, `ValidationException`."""
    ambiguous: bool
    """Whether DynamoDB may have carried the request out although it failed, as it may where its answer is HTTP 500."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        ambiguous: bool = False,
        operation: str | None = None,
        table: str | None = None,
        key: object = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, operation=operation, table=table, key=key, request_id=request_id)
        self.code = code
        self.ambiguous = ambiguous


class AccessDenied(ServiceError):
    """The credentials are not valid (any more), or not allowed to do this."""


class TableNotFound(ServiceError):
    """There is no table of that name in the client's region and account."""


class TableExists(ServiceError):
    """`create_table` found a table of that name."""


class Throttled(ServiceError):
    """Requests came faster than the table or the account takes, and every retry was refused too."""


class TransactionConflict(ServiceError):
    """Another transaction was changing the item, and every retry met it again."""


class TransportError(OxidynError):
    """No answer came, or one that is not DynamoDB's."""

    ambiguous: bool
    """Whether DynamoDB may have carried the request out although no answer came."""

    def __init__(
        self,
        message: str,
        *,
        ambiguous: bool = False,
        operation: str | None = None,
        table: str | None = None,
        key: object = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, operation=operation, table=table, key=key, request_id=request_id)
        self.ambiguous = ambiguous


class CredentialsError(TransportError):
    """No credentials were found, or their source failed."""


class RegionError(TransportError):
    """No region is configured."""


class EndpointError(TransportError):
    """The endpoint is not a URL that can be called."""


class ConnectError(TransportError):
    """Nothing answers at the endpoint."""


class RequestTimeout(TransportError):
    """The answer did not come in time."""


class ReplyError(TransportError):
    """The answer is not DynamoDB's."""


class ClientClosed(TransportError):
    """The client was closed before the call."""


show_public_path(globals())
