"""What a model says about its storage, inside `Annotated[...]`: keys, indexes, names, times.

A marker writes itself into the field's core schema, under `metadata["oxidyn"]`: it survives there at every depth, and
JSON schema and OpenAPI never show it. The core reads what concerns the wire (`name`, `utc`, `format`, `plaintext`,
`epoch`) anywhere in a type; `schema.py` reads the roles (key, index, TTL) on the fields of a table's own model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, cast, final, get_args

from .errors import SchemaError
from .exports import show_public_path
from .values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

__all__ = [
    "TTL",
    "All",
    "Attribute",
    "Epoch",
    "Include",
    "Index",
    "IndexKeys",
    "IndexOptions",
    "KeysOnly",
    "PartitionKey",
    "Projection",
    "SortKey",
    "index_options",
]

NAMESPACE: Final = "oxidyn"
"""Our entry in a core schema's metadata."""

KeyPart = Literal["partition", "sort"]
Place = Literal[True, 1, 2, 3, 4]
"""A field's place in a part of an index key: the only one (True), or its number in a multi-attribute key."""


def _annotated(schema: CoreSchema, note: dict[str, Any]) -> CoreSchema:
    """A copy of the schema that carries the note: a type may hand the same schema to every place it is used in."""
    metadata: dict[str, Any] = {**schema.get("metadata", {})}
    metadata[NAMESPACE] = {**metadata.get(NAMESPACE, {}), **note}
    return cast("CoreSchema", {**schema, "metadata": metadata})


class Role(Value):
    """A marker that says what a field is to the table; collected in order under `roles`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        roles: list[Role] = schema.get("metadata", {}).get(NAMESPACE, {}).get("roles", [])
        return _annotated(schema, {"roles": [*roles, self]})


@final
class TableKey(Role):
    """The type of `PartitionKey` and `SortKey`."""

    part: KeyPart

    def __repr__(self) -> str:
        return "PartitionKey" if self.part == "partition" else "SortKey"


PartitionKey: Final = TableKey("partition")
"""The field is the table's partition key: `org: Annotated[str, PartitionKey]`."""

SortKey: Final = TableKey("sort")
"""The field is the table's sort key: `id: Annotated[UUID, SortKey]`."""


@final
class TimeToLive(Role):
    """The type of `TTL`."""

    def __repr__(self) -> str:
        return "TTL"


TTL: Final = TimeToLive()
"""The field says when DynamoDB may delete the item: `expires: Annotated[datetime | None, TTL] = None`.

A datetime is stored as whole seconds, rounded up; an int field is stored as it is. `create_table` enables it.
"""


@final
class All(Value):
    """An index that holds every attribute of an item: the default."""


@final
class KeysOnly(Value):
    """An index that holds the keys of the table and its own, and nothing else.

    A model with more fields is read through it only with `hydrate=True`, and no condition may ask for one of these:
    else that is an `InvalidExpression`. `count()` works, and so does `select()` of what the index holds. A query of a local index gives whole items all the same, since DynamoDB
    reads each from the table, at a price; a scan of it does not.
    """


@final
class Include(Value):
    """An index that holds the keys and these fields, `Include("name", "email")`.

    What `KeysOnly` says of other fields holds here too.
    """

    fields: tuple[str, ...]

    def __init__(self, *fields: str) -> None:
        if not fields:
            raise SchemaError("Include() names no field; an index that holds only keys is KeysOnly().")
        Value.__init__(self, fields)


Projection = All | KeysOnly | Include
"""What an index holds of an item."""


@final
class IndexKeys(Value):
    """A whole index in one place, made by `Index.keys`."""

    partition: tuple[str, ...]
    sort: tuple[str, ...]
    project: Projection


IndexOptions = Mapping[str, Projection | IndexKeys]
"""What `indexes=` takes, by the index's name."""


@final
class Index(Role):
    """The field is a part of an index's key: `email: Annotated[str, Index("by_email", partition=True)]`.

    A key of several attributes numbers them: `Index("by_place", partition=1)`, `Index("by_place", partition=2)`. An
    index with sort parts only is a local one, on the table's own partition key. A field may be in several indexes.
    """

    name: str
    part: KeyPart
    # Not True itself: True equals 1, and `typing` hands out one `Annotated[...]` for all that are equal.
    place: int
    """From 1 in a multi-attribute key, 0 for a field that is the whole part."""

    def __init__(self, name: str, *, partition: Place | None = None, sort: Place | None = None) -> None:
        if not isinstance(name, str) or not name:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SchemaError(f"Index({name!r}): expected the index's name.")
        places: list[tuple[KeyPart, Any]] = []  # `Any`: what a caller without a checker gave.
        if partition is not None:
            places.append(("partition", partition))
        if sort is not None:
            places.append(("sort", sort))
        if len(places) != 1:
            raise SchemaError(f'Index("{name}") needs one of partition= and sort=; a field is one part of an index.')
        [(part, place)] = places
        if place is not True and (isinstance(place, bool) or place not in (1, 2, 3, 4)):
            raise SchemaError(f'Index("{name}", {part}={place!r}): expected True, or 1 to 4 in a multi-attribute key.')
        Value.__init__(self, name, part, 0 if place is True else place)

    def __repr__(self) -> str:
        return f'Index("{self.name}", {self.part}={self.place or True})'

    @staticmethod
    def keys(
        *,
        partition: str | Iterable[str] = (),
        sort: str | Iterable[str] = (),
        project: Projection | None = None,
    ) -> IndexKeys:
        """Describe a whole index by field names, for `indexes=` of a class or of `client.table`.

        Without `partition` it is a local index, on the table's own partition key.
        """
        if project is not None and not isinstance(project, All | KeysOnly | Include):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SchemaError(
                f"Index.keys(project=...) expected All(), KeysOnly() or Include(...), found {type(project).__name__}."
            )
        return IndexKeys(_names(partition), _names(sort), All() if project is None else project)


def index_options(title: str, indexes: Mapping[str, Any]) -> IndexOptions:
    """What `indexes=` says about a model's indexes as wholes, checked."""
    if not isinstance(indexes, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SchemaError(
            f'{title}: indexes= expected a dict of indexes by name, such as {{"by_age": KeysOnly()}}, found '
            f"{type(indexes).__name__}."
        )
    for name, index in indexes.items():
        if not isinstance(index, All | KeysOnly | Include | IndexKeys):
            raise SchemaError(
                f'{title}: indexes={{"{name}": ...}} expected All(), KeysOnly(), Include(...) or Index.keys(...), found '
                f"{type(index).__name__}."
            )
    return indexes


def _names(names: str | Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


Format = Literal["seconds", "offset", "hex", "upper"]
"""A text form that a datetime or a UUID may be stored in, in place of the usual one."""


@final
class Attribute(Value):
    """How a field is stored: `code: Annotated[str, Attribute(name="c")]`.

    `name` is the stored name, in place of the alias or the field's own name. With `utc=False` a datetime keeps its
    offset; its text does not sort as the instants do, so it is no key and has no order in conditions.

    `format` is another text form, for tables whose keys others write so; like the usual ones these are of fixed width,
    sort, and are held to in keys. Of a datetime `"seconds"` is `2026-01-31T10:30:00Z`, where a fraction is an error, and
    `"offset"` has `+00:00` in place of `Z`; of a UUID `"hex"` is 32 digits without hyphens, `"upper"` has upper-case
    digits.

    With `plaintext=True` the secrets (`SecretStr`, `SecretBytes`, `Secret[T]`) anywhere in the field's type are stored in
    the clear; without it they are refused.

    `serializer` says whether the field's own serializer decides what is stored (True), so that its validators read that
    back, or is for your API alone (False); it must be said only where the field has an `after` validator beside its
    serializer.
    """

    name: str | None
    utc: bool
    format: Format | None
    plaintext: bool
    serializer: bool | None

    def __init__(
        self,
        *,
        name: str | None = None,
        utc: bool = True,
        format: Format | None = None,  # noqa: A002 (what Pydantic calls it, too)
        plaintext: bool = False,
        serializer: bool | None = None,
    ) -> None:
        Value.__init__(self, name, utc, format, plaintext, serializer)
        if self.name is not None and (not isinstance(self.name, str) or not self.name):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SchemaError(f"Attribute(name={self.name!r}) is no name; DynamoDB wants at least one character.")
        if not isinstance(self.utc, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SchemaError(f"Attribute(utc={self.utc!r}): expected True or False.")
        if self.serializer is not None and not isinstance(self.serializer, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SchemaError(f"Attribute(serializer={self.serializer!r}): expected True or False.")
        if self.format is not None and self.format not in get_args(Format):
            known = ", ".join(f'"{name}"' for name in get_args(Format))
            raise SchemaError(f"Attribute(format={self.format!r}): expected one of {known}.")
        if not isinstance(self.plaintext, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SchemaError(f"Attribute(plaintext={self.plaintext!r}): expected True or False.")
        if not self._note():
            raise SchemaError(
                "Attribute() says nothing; give name=, utc=False, format=, plaintext=True or serializer=."
            )

    def _note(self) -> dict[str, Any]:  # Any: each option has its own type.
        note = {
            "name": self.name,
            "utc": None if self.utc else False,
            "format": self.format,
            "plaintext": self.plaintext or None,
            "serializer": self.serializer,
        }
        return {option: value for option, value in note.items() if value is not None}

    def __repr__(self) -> str:
        return f"Attribute({', '.join(f'{option}={value!r}' for option, value in self._note().items())})"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _annotated(handler(source), self._note())


EpochUnit = Literal["s", "ms"]


@final
class EpochTime(Value):
    """The type of `Epoch`."""

    unit: EpochUnit

    def __call__(self, unit: EpochUnit = "s") -> EpochTime:
        if unit not in ("s", "ms"):
            raise SchemaError(f'Epoch({unit!r}): expected "s" (seconds) or "ms" (milliseconds).')
        return EpochTime(unit)

    def __repr__(self) -> str:
        return "Epoch" if self.unit == "s" else f'Epoch("{self.unit}")'

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _annotated(handler(source), {"epoch": self.unit})


Epoch: Final = EpochTime("s")
"""The datetime is stored as a number, seconds since 1970: `at: Annotated[datetime, Epoch]`.

Exact to the microsecond. `Epoch("ms")` stores whole milliseconds, and refuses a remainder.
"""


show_public_path(globals())
