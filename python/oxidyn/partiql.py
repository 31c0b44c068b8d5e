"""`Statement`: PartiQL, with Python values as parameters and models as results.

What a statement means is DynamoDB's own matter. Here its values are encoded and its items read; which statements may
stand in one request is the core's knowledge.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, final, overload

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from . import _core
from .errors import InvalidExpression, InvalidOption, shown
from .exports import show_public_path
from .expressions import kind_of
from .held import Held
from .schema import TableSchema, title_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._core import Operation
    from .errors import OxidynError

__all__ = ["Statement", "batch_execute", "execute", "transact_execute"]

M = TypeVar("M")
M_co = TypeVar("M_co", covariant=True)


@final
@dataclass(frozen=True, slots=True, init=False, repr=False)
class Statement(Held, Generic[M_co]):
    """One PartiQL statement: text with a `?` for each value, and what its items are.

        Statement('SELECT * FROM "users" WHERE org = ? AND id = ?', "acme", 7, model=User)

    Parameters are encoded at once, each by its type: a date, UUID, enum, set or model is stored as in a field of type
    `Any`. Without `model`, items are dicts of their attributes. A statement is a value: it can be kept and run again,
    and two are equal where they send the same and read the same model.

    Raises:
        InvalidExpression: there are more or fewer parameters than `?`, or the text is empty or too long.
        InvalidItem: a parameter cannot be stored; `errors()` has its place.
        SchemaError: the model cannot be stored.
    """

    text: str
    model: type[M_co] | None
    """What the items are; None where they are dicts."""
    __oxidyn_core__: _core.Statement[M_co]

    _in_place_of_pickling = (
        "a statement stands on its model's compiled plan. Pickle its text, its parameters and its model, and build it where it "
        "is run."
    )

    @overload
    def __init__(self: Statement[dict[str, Any]], text: str, /, *parameters: object, model: None = None) -> None: ...
    @overload
    def __init__(self, text: str, /, *parameters: object, model: type[M_co]) -> None: ...
    def __init__(self, text: str, /, *parameters: object, model: type[M_co] | None = None) -> None:
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidExpression(f"a statement is text, found {kind_of(text)}.")
        plan = _untyped() if model is None else TableSchema.of(model).plan
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "model", model)
        object.__setattr__(self, "__oxidyn_core__", _core.Statement(plan, text, parameters))

    def __repr__(self) -> str:
        # Without the parameters, which are values of items.
        model = "" if self.model is None else f", model={title_of(self.model)}"
        return f"Statement({self.text!r}{model})"


@with_config(ConfigDict(extra="allow"))
class _Attributes(TypedDict):
    """An item of which nothing is known."""


@cache
def _untyped() -> _core.Plan:
    return TableSchema.of(_Attributes).plan


def execute(statement: Statement[M], consistent: bool, limit: int | None) -> Operation[list[M]]:
    """Build the operation that gives all items of a statement."""
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidOption(f"limit={shown(limit)}: expected a number of items, 1 or more, or None for all.")
    return _of("execute", statement).execute(consistent, limit)


def batch_execute(statements: Iterable[Statement[M]], consistent: bool) -> Operation[list[M | OxidynError | None]]:
    """Build the operation that gives what becomes of each statement."""
    cores = [_of("batch_execute", statement) for statement in statements]
    return _core.Statement.batch_execute(_untyped(), cores, consistent)


def transact_execute(statements: Iterable[Statement[M]], token: str | None) -> Operation[list[M | None]]:
    """Build the operation that carries all statements out as one."""
    cores = [_of("transact_execute", statement) for statement in statements]
    return _core.Statement.transact_execute(_untyped(), cores, token)


def _of(method: str, statement: Statement[M]) -> _core.Statement[M]:
    if not isinstance(statement, Statement):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidExpression(
            f"{method}() expected Statement(text, *parameters, model=...), found {kind_of(statement)}."
        )
    return statement.__oxidyn_core__


show_public_path(globals())
