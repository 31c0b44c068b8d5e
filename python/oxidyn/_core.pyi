"""The Rust core. Private: `Client`, `Table`, `Query`, `ItemAdapter` are the surface over it."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from os import PathLike
from types import GenericAlias
from typing import Any, Generic, Literal, NoReturn, TypeVar, final

from typing_extensions import Self

from .errors import OxidynError
from .explanation import Told
from .expressions import Condition, Ref
from .pages import Page as FilledPage
from .policies import AnyNumbers, Load, Unknown, Unset
from .updates import Action

__all__ = [
    "CallRecord",
    "Client",
    "ConsumedCapacity",
    "Cursor",
    "Items",
    "Operation",
    "Page",
    "ParallelScan",
    "Plan",
    "Query",
    "RateLimit",
    "Recording",
    "Statement",
    "Table",
    "batch_get",
    "batch_write",
    "transact",
]

_M = TypeVar("_M")
_R = TypeVar("_R")
_R_co = TypeVar("_R_co", covariant=True)

@final
class Plan:
    """A model's core schema, compiled: how its items are written and read."""

    # Pydantic's core schema is a dict of dicts; a model is whatever has one.
    def __new__(
        cls,
        schema: Any,
        model: Any,
        *,
        title: str,
        partition: str | None = None,
        sort: str | None = None,
        indexes: Sequence[tuple[str, tuple[str, ...], tuple[str, ...]]] = ...,
        ttl: str | None = None,
        unset: Unset = "store",
        unknown: Unknown = "skip",
        any_numbers: AnyNumbers = "auto",
        load: Load = "validate",
    ) -> Self: ...
    def dump_wire(self, item: Any) -> bytes: ...
    def load_wire(self, data: bytes) -> Any: ...
    def wire_to_json(self, data: bytes) -> bytes: ...
    def item_size(self, item: Any) -> tuple[int, list[tuple[str, int]]]: ...
    def dump_item(self, item: Any, mode: Literal["python", "json"] = "python") -> dict[str, Any]: ...
    def load_item(self, item: Mapping[str, Any]) -> Any: ...

@final
class Operation(Generic[_R_co]):
    """One operation as a value: `request()` shows it, a client runs it, any number of times."""

    def request(self) -> tuple[str, bytes] | None:
        """DynamoDB's name of the operation and the JSON body of its first request; None where nothing would be sent."""
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: object, /) -> Self:
        """Itself, as it cannot be changed."""
    def __reduce__(self) -> NoReturn: ...
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...

@final
class Cursor:
    """Where the next page begins."""

@final
class Page(Generic[_M]):
    """An iterator over one page's items, slice by slice, which goes on after an `InvalidItem`."""

    @property
    def next(self) -> Cursor | None:
        """Where the next page begins, or None after the last."""
    def turn(self) -> bool:
        """Go on with the next slice; False behind the last."""
    def turn_awaited(self) -> Awaitable[bool]: ...
    def __iter__(self) -> Iterator[_M]: ...
    def __next__(self) -> _M: ...

@final
class Items(Generic[_M]):
    """An iterator over the items of the pages that `turn` gives one after the other; None stands behind the last."""

    def __new__(cls, turn: Callable[[], Page[_M] | None]) -> Items[_M]: ...
    def __iter__(self) -> Iterator[_M]: ...
    def __next__(self) -> _M: ...

@final
class Query(Generic[_M]):
    """A query or a scan, page by page."""

    @property
    def refusal(self) -> str | None:
        """Why it gives no items but only their number; None where it gives them."""
    def page(self, cursor: Cursor | None = None) -> Operation[Page[_M]]: ...
    def at_most(self, limit: int) -> Query[_M]: ...
    def fill(self, size: int, after: str | None = None) -> Operation[FilledPage[_M]]: ...
    def fill_json(self, size: int, after: str | None = None) -> Operation[bytes]: ...
    def parallel(self, segments: int, after: str | None = None) -> ParallelScan[_M]: ...
    def count(self) -> Operation[int]: ...

@final
class ParallelScan(Generic[_M]):
    """An iterator over the items at hand of one reading in segments; `turn` brings further ones."""

    def __iter__(self) -> Iterator[_M]: ...
    def __next__(self) -> _M: ...
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...
    def turn(self, client: Client) -> bool: ...
    def turn_awaited(self, client: Client) -> Awaitable[bool]: ...
    def cursor(self) -> str: ...
    def progress(self) -> list[tuple[int, int, bool]]: ...
    def count(self) -> Operation[int]: ...

@final
class RateLimit:
    """Capacity units per second."""

    def __new__(cls, read: float | None = None, write: float | None = None, *, told_clock: bool = False) -> Self: ...

@final
class Table(Generic[_M]):
    """Builds the operations of one plan on one table."""

    def __new__(
        cls,
        plan: Plan,
        name: str,
        held: Sequence[tuple[str, str, tuple[str, ...], tuple[str, ...]]],
        client: Client | None = None,
        rate_limit: RateLimit | None = None,
    ) -> Self: ...
    def with_plan(self, plan: Plan) -> Table[_M]: ...
    # What a smaller model's plan is of, the caller knows.
    def select_model(self, smaller: Plan) -> Table[Any]: ...
    def select_fields(self, references: tuple[Ref, ...]) -> Table[Any]: ...
    def put(self, item: _M, where: Condition | None = None) -> Operation[None]: ...
    def create(self, item: _M) -> Operation[None]: ...
    def replace(self, item: _M, where: Condition | None = None) -> Operation[None]: ...
    def get(self, key: tuple[object, ...], consistent: bool) -> Operation[_M | None]: ...
    def get_json(self, key: tuple[object, ...], consistent: bool) -> Operation[bytes | None]: ...
    def update(
        self,
        key: tuple[object, ...],
        actions: tuple[Action, ...],
        where: Condition | None = None,
        returning: Literal["old", "new"] | None = None,
    ) -> Operation[Any]: ...
    def upsert(
        self,
        key: tuple[object, ...],
        actions: tuple[Action, ...],
        where: Condition | None = None,
        returning: Literal["old", "new"] | None = None,
    ) -> Operation[Any]: ...
    def delete(
        self, key: tuple[object, ...], where: Condition | None = None, returning: Literal["old"] | None = None
    ) -> Operation[Any]: ...
    def query(
        self,
        condition: Condition,
        where: Condition | None,
        index: str | None,
        reverse: bool,
        limit: int | None,
        page_size: int | None,
        consistent: bool,
        hydrate: bool,
    ) -> Query[_M]: ...
    def explain(
        self, condition: Condition, where: Condition | None, index: str | None, consistent: bool, hydrate: bool
    ) -> Told: ...
    def scan(
        self,
        where: Condition | None,
        index: str | None,
        limit: int | None,
        page_size: int | None,
        consistent: bool,
        hydrate: bool,
    ) -> Query[_M]: ...
    def explain_scan(self, where: Condition | None, index: str | None, consistent: bool, hydrate: bool) -> Told: ...
    def check(self, key: tuple[object, ...], where: Condition) -> Operation[None]: ...
    def batch_get(self, keys: list[object], consistent: bool, at_once: int) -> Operation[list[_M | None]]: ...
    def batch_put(self, items: list[_M], at_once: int) -> Operation[None]: ...
    def batch_delete(self, keys: list[object], at_once: int) -> Operation[None]: ...
    def create_table(self) -> Operation[None]: ...
    def delete_table(self) -> Operation[None]: ...
    def describe_table(self) -> Operation[dict[str, Any]]: ...
    def wait_until_active(self) -> Operation[None]: ...

@final
class Statement(Generic[_M]):
    """A PartiQL statement with its parameters encoded, whose items are read by a plan."""

    def __new__(cls, plan: Plan, text: str, parameters: tuple[object, ...]) -> Self: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def execute(self, consistent: bool, limit: int | None) -> Operation[list[_M]]: ...
    @staticmethod
    def batch_execute(
        plan: Plan, statements: list[Statement[_R]], consistent: bool
    ) -> Operation[list[_R | OxidynError | None]]: ...
    @staticmethod
    def transact_execute(
        plan: Plan, statements: list[Statement[_R]], token: str | None
    ) -> Operation[list[_R | None]]: ...

@final
class CallRecord:
    """What one call took: a `get`, one page of a query, a batch with all its requests. It holds no keys and no values."""

    def __new__(
        cls,
        operation: str,
        table: str | None = None,
        *,
        entries: int | None = None,
        started: float = 0.0,
        duration: float = 0.0,
        requests: int = 1,
        attempts: int = 1,
        throttled: int = 0,
        bytes_sent: int = 0,
        bytes_received: int = 0,
        read_units: float | None = None,
        write_units: float | None = None,
        capacity: tuple[ConsumedCapacity, ...] | None = None,
        request_ids: tuple[str, ...] | None = None,
        error: str | None = None,
        code: str | None = None,
    ) -> Self: ...
    @property
    def operation(self) -> str:
        """DynamoDB's name of the operation: "PutItem"."""
    @property
    def table(self) -> str | None:
        """The table; None where the call has several, or none."""
    @property
    def entries(self) -> int | None:
        """The entries of a batch or a transaction, as they were given."""
    @property
    def started(self) -> float:
        """When the call began, in seconds since 1970 (as `time.time()`)."""
    @property
    def duration(self) -> float:
        """Seconds until the last answer came: waits for rate limits and between tries are in it, decoding is not."""
    @property
    def requests(self) -> int:
        """Requests: more than one for a batch, or a page that is filled up after filtering."""
    @property
    def attempts(self) -> int:
        """Tries of these requests, the first of each included."""
    @property
    def throttled(self) -> int:
        """Tries that were refused because too much was asked at once."""
    @property
    def bytes_sent(self) -> int:
        """Bytes of the requests' bodies, each try's anew."""
    @property
    def bytes_received(self) -> int:
        """Bytes of the answers' bodies, those of failed tries included."""
    @property
    def read_units(self) -> float | None:
        """Read capacity units of all tables; None unless the client asks for them (`capacity=`) and the answer tells."""
    @property
    def write_units(self) -> float | None:
        """Write capacity units, likewise."""
    @property
    def capacity(self) -> tuple[ConsumedCapacity, ...]:
        """The same table by table, and with `capacity="indexes"` index by index."""
    @property
    def request_ids(self) -> tuple[str, ...]:
        """By which AWS finds the requests, in the order of their answers."""
    @property
    def error(self) -> str | None:
        """The name of the exception that the call raised; "CancelledError" for one that was cancelled."""
    @property
    def code(self) -> str | None:
        """DynamoDB's own code of that error."""

@final
class ConsumedCapacity:
    """What a call consumed of one table, or of one index of it."""

    def __new__(
        cls, table: str, index: str | None = None, *, read_units: float = 0.0, write_units: float = 0.0
    ) -> Self: ...
    def __eq__(self, value: object, /) -> bool: ...
    @property
    def table(self) -> str:
        """The table's name."""
    @property
    def index(self) -> str | None:
        """The index; None for the table with all its indexes."""
    @property
    def read_units(self) -> float:
        """Read capacity units."""
    @property
    def write_units(self) -> float:
        """Write capacity units."""

@final
class Recording:
    """An open block of `record_calls()`, until it is dropped."""

    def __new__(cls) -> Self: ...

@final
class Client:
    """One client's connections."""

    def __new__(
        cls,
        *,
        region: str | None = None,
        profile: str | None = None,
        endpoint_url: str | None = None,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        session_token: str | None = None,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        operation_timeout: float | None = None,
        max_attempts: int | None = None,
        retry_mode: str | None = None,
        max_connections: int | None = None,
        ca_bundle: str | PathLike[str] | None = None,
        proxy: str | None = None,
        cursor_key: bytes | None = None,
        metrics: bool = False,
        on_call: Sequence[Callable[[CallRecord], object]] = ...,
        capacity: Literal["total", "indexes"] | None = None,
        hot_partitions: bool = False,
    ) -> Self: ...
    @staticmethod
    def local(
        path: str | PathLike[str] | None = None,
        *,
        cursor_key: bytes | None = None,
        metrics: bool = False,
        on_call: Sequence[Callable[[CallRecord], object]] = ...,
        capacity: Literal["total", "indexes"] | None = None,
        hot_partitions: bool = False,
    ) -> Client: ...
    # The keywords of `OperationMetrics`, each of its own type.
    def metrics(self) -> list[tuple[str, str, dict[str, Any]]] | None: ...
    # The keywords of `HotPartition`, likewise.
    def hot_partitions(self, count: int) -> list[dict[str, Any]] | None: ...
    def run(self, operation: Operation[_M]) -> _M: ...
    def spawn(self, operation: Operation[_M]) -> Awaitable[_M]: ...
    def close(self) -> None: ...

def batch_get(operations: list[Operation[_M]], at_once: int) -> Operation[list[_M]]: ...
def batch_write(operations: list[Operation[None]], at_once: int) -> Operation[None]: ...
def transact(operations: list[Operation[Any]], token: str | None = None) -> Operation[Any]: ...
