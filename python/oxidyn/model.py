"""`Model`: a Pydantic model whose class attributes are references to its fields.

It has no public name of its own, because any would take the place of a user's field: with a `get` method here, a field
`get: int` would become optional, with the bound method as its default. Whatever is ours is a class keyword or a dunder.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from typing_extensions import Unpack, dataclass_transform

from .annotations import IndexKeys, Projection, index_options
from .errors import SchemaError
from .exports import show_public_path
from .expressions import root
from .schema import no_field

__all__ = ["Model"]

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)


class _Building(threading.local):
    """Whether this thread is inside the creation of some model class."""

    on = False


_building = _Building()


# Without a `dataclass_transform` of its own a derived metaclass loses the checking of constructor arguments.
@dataclass_transform(kw_only_default=True, field_specifiers=(Field, PrivateAttr))
class ModelMeta(ModelMetaclass):
    # Hidden from checkers, which else would accept every misspelt field.
    if not TYPE_CHECKING:

        def __new__(mcs, *args: Any, **kwargs: Any) -> Any:
            before = _building.on
            _building.on = True
            try:
                return super().__new__(mcs, *args, **kwargs)
            finally:
                _building.on = before

        def __getattr__(cls, name: str) -> Any:
            # Pydantic asks a class for its parents' attributes while it builds it, and takes what it gets for a
            # default: references must not be there yet. Nor may they come from a parent's fields.
            own = cls.__dict__
            fields = own.get("__pydantic_fields__", ())
            if name not in fields or _building.on:
                try:
                    return super().__getattr__(name)
                except AttributeError:
                    if _building.on or name.startswith("_") or not fields:
                        raise
                    raise AttributeError(no_field(cls, name, fields)) from None
            if not own.get("__pydantic_complete__"):
                raise AttributeError(
                    f"{cls.__name__}.{name} is not known yet: {cls.__name__} is not complete, because it refers to a "
                    f"class that was not defined then, or defers its building. Call {cls.__name__}.model_rebuild() "
                    f"once everything is defined."
                )
            return getattr(root(cls), name)


class Model(BaseModel, metaclass=ModelMeta):
    """A Pydantic model that is stored in a table, and whose class attributes are references to its fields.

        class User(Model, table="users"):
            org: Annotated[str, PartitionKey]
            id: Annotated[UUID, SortKey]
            age: int

        client.table(User).query(User.org == "acme", where=User.age > 30)

    Everywhere else it is an ordinary Pydantic model. `indexes=` says what belongs to an index as a whole, such as
    `indexes={"by_age": KeysOnly()}`. A subclass inherits `table=` and `indexes=`, and may give its own.
    """

    if TYPE_CHECKING:
        __oxidyn_table__: ClassVar[str | None]
        __oxidyn_indexes__: ClassVar[Mapping[str, Projection | IndexKeys]]

        def __init_subclass__(
            cls,
            *,
            table: str | None = None,
            indexes: Mapping[str, Projection | IndexKeys] | None = None,
            **kwargs: Unpack[ConfigDict],
        ) -> None: ...
    else:
        # Without annotations, which `typing.get_type_hints` would look up in the module that the class shows as its own.
        __oxidyn_table__ = None
        __oxidyn_indexes__ = {}

        # Pydantic hands class keywords to both hooks: to `type.__new__` first, to its own once the fields are known.

        def __init_subclass__(cls, *, table: Any = None, indexes: Any = None, **kwargs: Any) -> None:
            super().__init_subclass__(**kwargs)

        @classmethod
        def __pydantic_init_subclass__(cls, *, table: Any = None, indexes: Any = None, **kwargs: Any) -> None:
            super().__pydantic_init_subclass__(**kwargs)
            if table is not None:
                cls.__oxidyn_table__ = _table_name(cls, table)
            if indexes is not None:
                cls.__oxidyn_indexes__ = {**cls.__oxidyn_indexes__, **index_options(cls.__name__, indexes)}


def _table_name(model: type[BaseModel], name: object) -> str:
    if isinstance(name, str) and name:
        return name
    raise SchemaError(f"{model.__name__}: table={name!r} is no table's name; expected text.")


show_public_path(globals())
