"""What a model says about its table, read once: key, indexes, TTL, and the core's compiled plan.

Read at first use (`client.table(User)`, `ItemAdapter(User)`), never at import: forward references are settled by then,
and importing models stays cheap. Works on anything Pydantic has a core schema for, not only on `Model`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from inspect import isclass
from typing import Any, Final, cast

from pydantic import BaseModel, PydanticUndefinedAnnotation, PydanticUserError
from typing_extensions import is_typeddict

from . import _core
from .annotations import (
    NAMESPACE,
    All,
    Include,
    Index,
    IndexKeys,
    IndexOptions,
    KeyPart,
    Projection,
    Role,
    TableKey,
    TimeToLive,
    index_options,
)
from .errors import SchemaError, UnsupportedTypeError
from .policies import DEFAULTS, Load, Policies
from .values import Value

__all__ = ["IndexSchema", "TableSchema"]

_CACHE: Final = "__oxidyn_schemas__"
"""On the class itself, so that a class made at run time takes its plans with it when it goes."""

_CORE_SCHEMA: Final = "core_schema"
_FIELDS: Final = "fields"
_SMALLER: Final = "smaller"


class IndexSchema(Value):
    """An index by field names. Without a partition it is a local one, on the table's own partition key."""

    name: str
    partition: tuple[str, ...]
    sort: tuple[str, ...]
    project: Projection
    lacks: tuple[str, ...]
    """The model's fields that it does not hold."""


class TableSchema(Value):
    """A model as a table's items: keys and indexes by field names, and the plan that reads and writes it."""

    model: Any  # A model class, a dataclass, a TypedDict: whatever has a core schema.
    title: str
    partition: str | None
    sort: str | None
    indexes: tuple[IndexSchema, ...]
    ttl: str | None
    plan: _core.Plan
    _given: tuple[str | None, str | None, IndexOptions, Policies]
    """What `of` was given."""

    @classmethod
    def of(
        cls,
        model: Any,
        *,
        partition: str | None = None,
        sort: str | None = None,
        indexes: IndexOptions | None = None,
        policies: Policies = DEFAULTS,
    ) -> TableSchema:
        """Read the model and compile its plan, once for each set of options.

        Options name fields and take the place of what the model's own markers say.
        """
        core_schema = complete(model)
        indexes = index_options(title_of(model), indexes or {})
        options = (partition, sort, tuple(indexes.items()), policies)
        known = _cache(model).get(options)
        # A rebuilt model has another core schema, which its old plans know nothing of.
        if known is not None and known[0] is core_schema:
            return cast("TableSchema", known[1])
        policies.check()
        schema = _Reading(model, core_schema).table_schema(partition, sort, indexes, policies)
        keep(model, options, (core_schema, schema))
        return schema

    def loading(self, load: Load | None) -> TableSchema:
        """The same table read under another `load` policy; None is its own."""
        partition, sort, indexes, policies = self._given
        if load is None or load == policies.load:
            return self
        return TableSchema.of(
            self.model, partition=partition, sort=sort, indexes=indexes, policies=policies._replace(load=load)
        )

    def smaller(self, model: Any, load: Load | None) -> _core.Plan:
        """The plan that reads the table's items as a smaller model, whose own key and index markers mean nothing there."""
        # What the smaller model leaves out is known to the table's.
        policies = self._given[3]._replace(unknown="skip")
        if load is not None:
            policies = policies._replace(load=load)
        core_schema = complete(model)
        known = _cache(model).get((_SMALLER, policies))
        if known is not None and known[0] is core_schema:
            return cast("_core.Plan", known[1])
        plan = _Reading(model, core_schema).plan_of_values(policies)
        keep(model, (_SMALLER, policies), (core_schema, plan))
        return plan

    def require_table_key(self) -> str:
        """The partition key's field, which a table must have and an adapter need not."""
        if self.partition is None:
            raise SchemaError(
                f"{self.title} has no partition key: mark a field with Annotated[..., PartitionKey], or name one in "
                f'client.table({self.title}, partition="...").'
            )
        return self.partition


def complete(model: Any) -> Any:
    """The core schema of a model, which is completed first where it was waiting for other classes."""
    if not isclass(model) and (isinstance(model, BaseModel | Mapping) or is_dataclass(model)):
        # Pydantic would refuse it too, and show its values.
        name = type(model).__name__  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        raise SchemaError(f"expected a model's class, found an instance of {name}.")
    try:
        if isclass(model) and issubclass(model, BaseModel):
            if not model.__pydantic_complete__:
                model.model_rebuild()
            return model.__pydantic_core_schema__
        return _cached(model, _CORE_SCHEMA, lambda: _adapted(model))
    except PydanticUndefinedAnnotation as error:
        raise SchemaError(
            f"{title_of(model)} is not complete: it refers to {error.name}, which is not defined where it stands. Define "
            f"it there before the first use, or call model_rebuild() where both are known."
        ) from error
    except PydanticUserError as error:
        raise SchemaError(f"{title_of(model)} has no schema in Pydantic: {error.message}") from error


def title_of(model: Any) -> str:
    """A model's name in messages."""
    return getattr(model, "__name__", None) or repr(model)


def field_names(model: Any) -> tuple[str, ...]:
    """The fields of a model, by their names in Python."""
    known: tuple[str, ...] | None = _cache(model).get(_FIELDS)
    if known is not None:
        return known
    core_schema = complete(model)
    names: tuple[str, ...] = _cached(model, _FIELDS, lambda: tuple(_Reading(model, core_schema).fields))
    return names


def no_field(model: Any, name: object, fields: Iterable[str]) -> str:
    """What a name that no field has is told."""
    return f"{title_of(model)} has no field {name!r}; it has {', '.join(fields)}."


def _adapted(model: Any) -> Any:
    # No model needs it.
    from pydantic import TypeAdapter

    adapter: TypeAdapter[Any] = TypeAdapter(model)
    if not adapter.pydantic_complete:
        adapter.rebuild()
    return adapter.core_schema


def _cache(model: Any) -> dict[Any, Any]:
    return vars(model).get(_CACHE, {}) if isclass(model) else {}


def _cached(model: Any, key: Any, make: Callable[[], Any]) -> Any:
    value = _cache(model).get(key)
    if value is None:
        value = make()
        keep(model, key, value)
    return value


def kept(model: Any, key: Any) -> Any:
    """What is kept with a class under this key; None where there is nothing."""
    # `expr()` asks each time, so the way without a failure is the short one.
    try:
        return cast("dict[Any, Any]", vars(model)[_CACHE])[key]
    except (KeyError, TypeError):
        return None


def keep(model: Any, key: Any, value: Any) -> None:
    """Keep it with the class, where it is that of a model."""
    # Anything else is refused as no item, or a generic alias (`Event[int]`), which is no class and read anew each time.
    if isclass(model) and (issubclass(model, BaseModel) or is_dataclass(model) or is_typeddict(model)):
        # A new dict each time, because another thread may be reading the old one.
        type.__setattr__(model, _CACHE, {**_cache(model), key: value})


# Core schemas that only change how the one inside them is reached.
_WRAPPERS: Final = frozenset(
    {"default", "nullable", "function-before", "function-after", "function-wrap", "definitions", "definition-ref"}
)


class _Reading:
    """One model's core schema on the way to a `TableSchema`."""

    def __init__(self, model: Any, core_schema: Any) -> None:
        self.model = model
        self.title = title_of(model)
        self.core_schema = core_schema
        self._definitions: dict[str, Any] = {}
        self.fields: dict[str, Any] = self._fields()

    def _layers(self, schema: Any) -> Iterator[Any]:
        """The schema, and what its wrappers wrap, down to the first that is none."""
        seen: set[str] = set()
        while True:
            yield schema
            kind = schema["type"]
            if kind == "definitions":
                self._definitions.update((each["ref"], each) for each in schema["definitions"])
            if kind == "definition-ref":
                ref = schema["schema_ref"]
                if ref in seen:
                    return
                seen.add(ref)
                schema = self._definitions[ref]
            elif kind in _WRAPPERS:
                schema = schema["schema"]
            else:
                return

    def _fields(self) -> dict[str, Any]:
        *_, schema = self._layers(self.core_schema)
        if schema.get("root_model"):
            raise UnsupportedTypeError(
                f"{self.title} is no item: it is a root model, which is stored as its root and has no fields to be keys. "
                f"Make it a field of a model, or make the model that is its root the item."
            )
        if schema["type"] in ("model", "dataclass"):
            *_, schema = self._layers(schema["schema"])
        computed = {
            field["property_name"]: field["return_schema"]
            for field in schema.get("computed_fields", ())
            if self._is_stored(field["return_schema"])
        }
        if schema["type"] in ("model-fields", "typed-dict"):
            return {name: field["schema"] for name, field in schema["fields"].items()} | computed
        if schema["type"] == "dataclass-args":
            return {field["name"]: field["schema"] for field in schema["fields"]} | computed
        raise SchemaError(
            f"{self.title} is no item: expected a model with fields (a Pydantic model, a dataclass, a TypedDict), found "
            f"the Pydantic type {schema['type']!r}."
        )

    def _is_stored(self, schema: Any) -> bool:
        """Whether a computed field is stored: its type has a stored name, or is part of an index."""
        marks = [layer.get("metadata", {}).get(NAMESPACE, {}) for layer in self._layers(schema)]
        return any("name" in each or "roles" in each for each in marks)

    def _roles(self) -> Iterator[tuple[str, Role]]:
        for name, schema in self.fields.items():
            for layer in self._layers(schema):
                for role in layer.get("metadata", {}).get(NAMESPACE, {}).get("roles", ()):
                    yield name, role

    def plan_of_values(self, policies: Policies) -> _core.Plan:
        """A plan in which no field is a key; what is the TTL is stored in another form."""
        ttl = next((field for field, role in self._roles() if isinstance(role, TimeToLive)), None)
        return _core.Plan(self.core_schema, self.model, title=self.title, ttl=ttl, **policies._asdict())

    def table_schema(
        self, partition: str | None, sort: str | None, options: IndexOptions, policies: Policies
    ) -> TableSchema:
        given = (partition, sort, options, policies)
        keys: dict[KeyPart, str] = {}
        parts: dict[str, dict[KeyPart, list[tuple[int, str]]]] = {}
        ttl: str | None = None
        for field, role in self._roles():
            match role:
                case TableKey(part):
                    if part in keys:
                        raise self._refusal(field, f"{role!r} is already on {keys[part]}; a table has one {part} key.")
                    keys[part] = field
                case Index(name, part, place):
                    parts.setdefault(name, {}).setdefault(part, []).append((place, field))
                case TimeToLive():
                    if ttl is not None:
                        raise self._refusal(field, f"TTL is already on {ttl}; a table has one.")
                    ttl = field
                case _:
                    raise self._refusal(field, f"{role!r} is no role that this version knows.")
        partition = self._named(partition, "partition=") or keys.get("partition")
        sort = self._named(sort, "sort=") or keys.get("sort")
        if sort is not None and sort == partition:
            raise self._refusal(sort, "is both the partition key and the sort key; they are two fields.")
        if sort is not None and partition is None:
            raise SchemaError(f"{self.title} has the sort key {sort!r} but no partition key.")
        indexes = self._indexes(parts, {**getattr(self.model, "__oxidyn_indexes__", {}), **options}, partition, sort)
        plan = _core.Plan(
            self.core_schema,
            self.model,
            title=self.title,
            partition=partition,
            sort=sort,
            indexes=tuple((index.name, index.partition, index.sort) for index in indexes),
            ttl=ttl,
            **policies._asdict(),
        )
        return TableSchema(self.model, self.title, partition, sort, indexes, ttl, plan, given)

    def _indexes(
        self,
        parts: Mapping[str, Mapping[KeyPart, list[tuple[int, str]]]],
        options: IndexOptions,
        partition: str | None,
        sort: str | None,
    ) -> tuple[IndexSchema, ...]:
        indexes: list[IndexSchema] = []
        for name in dict.fromkeys([*parts, *options]):
            option = options.get(name, All())
            if isinstance(option, IndexKeys):
                if name in parts:
                    fields = ", ".join(field for places in parts[name].values() for _, field in places)
                    raise SchemaError(
                        f'{self.title}: the index "{name}" is described twice, by Index.keys(...) and by markers on '
                        f"{fields}; keep one."
                    )
                for field in (*option.partition, *option.sort):
                    self._named(field, f'the index "{name}"')
                key, project = (option.partition, option.sort), option.project
            elif name in parts:
                key = (
                    self._numbered(name, "partition", parts[name].get("partition", [])),
                    self._numbered(name, "sort", parts[name].get("sort", [])),
                )
                project = option
            else:
                raise SchemaError(
                    f'{self.title}: indexes= speaks of "{name}", but no field is a part of its key; mark one with '
                    f'Index("{name}", partition=True), or give Index.keys(...).'
                )
            index = IndexSchema(name, *key, project, self._lacks(key, project, partition, sort))
            self._check(index, sort)
            indexes.append(index)
        return tuple(indexes)

    def _lacks(
        self, key: tuple[tuple[str, ...], tuple[str, ...]], project: Projection, *table_key: str | None
    ) -> tuple[str, ...]:
        if isinstance(project, All):
            return ()
        included = project.fields if isinstance(project, Include) else ()
        held = {*table_key, *key[0], *key[1], *included}
        return tuple(field for field in self.fields if field not in held)

    def _check(self, index: IndexSchema, sort: str | None) -> None:
        where = f'{self.title}: the index "{index.name}"'
        key = (*index.partition, *index.sort)
        if len(set(key)) < len(key):
            raise SchemaError(f"{where} names a field twice: {', '.join(key)}.")
        if not key:
            raise SchemaError(f"{where} has no key.")
        if not index.partition and (sort is None or len(index.sort) > 1):
            raise SchemaError(
                f"{where} has no partition part, so it is a local index: DynamoDB wants one sort field there, and a sort "
                f"key on the table. For a global index mark a field with Index({index.name!r}, partition=True)."
            )
        if isinstance(index.project, Include):
            for field in index.project.fields:
                self._named(field, f"Include() of {where}")

    def _numbered(self, name: str, part: KeyPart, places: list[tuple[int, str]]) -> tuple[str, ...]:
        if len(places) == 1 and not places[0][0]:
            return (places[0][1],)
        for place, field in places:
            if not place:
                others = ", ".join(other for _, other in places if other != field)
                raise self._refusal(
                    field,
                    f'Index("{name}", {part}=True) stands beside {others}: number the fields of a multi-attribute key, '
                    f"{part}=1, {part}=2, …",
                )
        ordered = sorted(places)
        for expected, (place, field) in enumerate(ordered, 1):
            if place != expected:
                raise self._refusal(
                    field,
                    f'Index("{name}", {part}={place}): expected {part}={expected} next; the numbers go from 1 without '
                    f"gaps, each once.",
                )
        return tuple(field for _, field in ordered)

    def _named(self, field: str | None, where: str) -> str | None:
        if field is not None and field not in self.fields:
            raise SchemaError(
                f"{self.title}: {where} names {field!r}, which is no field; there are {', '.join(self.fields)}."
            )
        return field

    def _refusal(self, field: str, what: str) -> SchemaError:
        return SchemaError(f"{self.title}.{field}: {what}")
