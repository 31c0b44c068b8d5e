"""Conditions on fields, as data: `(User.age > 30) & attr(User.nick).exists()`.

To a type checker `User.age` is an `int` and `User.age > 30` a `bool`: both are checked without a plugin. At run time a
reference (`Ref`) builds a `Condition`. Nothing here knows DynamoDB's syntax or a field's wire form: the core walks
`__oxidyn_node__` and gives both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar, cast, final, overload

from .errors import InvalidExpression
from .schema import complete, field_names, title_of
from .updates import Action

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterable, Iterator
    from datetime import timedelta
    from decimal import Decimal

__all__ = ["Attr", "Condition", "Ref", "all_of", "any_of", "attr", "expr", "not_", "some"]

T = TypeVar("T")
E = TypeVar("E")
M = TypeVar("M")

_HIDDEN: Final = "…"
"""Stands for a value in reprs: values may be secrets."""

_NO_TRUTH: Final = (
    "{found} has no truth value. Combine conditions with & | ~ (each side in parentheses), not with and, or, not, "
    "chained comparisons (1 < x < 5) or in: all_of(), any_of(), not_() and attr(x).is_in() are the spelled-out forms."
)

_A_BOOL: Final = (
    "expected a condition, found the bool {found}. Python compared before a condition could be built; the usual causes: "
    "an instance where the class was meant (user.age > 30 in place of User.age > 30); `is None` in place of `== None` "
    "or attr(x).is_none() (linters rewrite it: E711); `is True` in place of the bare reference User.active (E712)."
)


class Ref:
    """A reference to a field: what `User.age` is at run time.

    It has no public attribute of its own, so that nested fields of any name are reached: `User.address.size`. What a
    reference can do besides comparing is on `attr(reference)`.
    """

    __slots__ = ("__oxidyn_model__", "__oxidyn_path__")

    __oxidyn_model__: Any  # The class at the root: a model, a dataclass, a TypedDict.
    __oxidyn_path__: tuple[str | int, ...]

    def __init__(self, model: Any, path: tuple[str | int, ...]) -> None:
        self.__oxidyn_model__ = model
        self.__oxidyn_path__ = path

    def __getattr__(self, name: str) -> Ref:
        # Dunders are Python's questions (copy, pickle, inspect), never fields.
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if not self.__oxidyn_path__ and name not in (fields := field_names(self.__oxidyn_model__)):
            raise AttributeError(
                f"{title_of(self.__oxidyn_model__)} has no field {name!r}; it has {', '.join(fields)}."
            )
        return Ref(self.__oxidyn_model__, (*self.__oxidyn_path__, name))

    def __getitem__(self, key: object) -> Ref:
        if not isinstance(key, str) and (not isinstance(key, int) or isinstance(key, bool) or key < 0):
            raise InvalidExpression(
                f"{self!r}[{_HIDDEN}]: expected a place in a list (an int from 0) or a key of a dict (its text), found "
                f"{'a negative int' if isinstance(key, int) else type(key).__name__}."
            )
        if not self.__oxidyn_path__ and key not in (fields := field_names(self.__oxidyn_model__)):
            raise KeyError(f"{title_of(self.__oxidyn_model__)} has no field {key!r}; it has {', '.join(fields)}.")
        return Ref(self.__oxidyn_model__, (*self.__oxidyn_path__, key))

    # `__getitem__` alone would make every reference an endless sequence.
    __iter__: None = None

    def __contains__(self, _value: object) -> NoReturn:
        raise InvalidExpression(
            f"`in {self!r}` asks Python, which does not know the stored value; filter by a condition."
        )

    def __bool__(self) -> NoReturn:
        raise InvalidExpression(_NO_TRUTH.format(found=f"The reference {self!r}"))

    def __eq__(self, other: object) -> Any:
        return _equal(self, other)

    def __ne__(self, other: object) -> Any:
        return _unequal(self, other)

    def __lt__(self, other: object) -> Condition:
        return _order("<", self, other)

    def __le__(self, other: object) -> Condition:
        return _order("<=", self, other)

    def __gt__(self, other: object) -> Condition:
        return _order(">", self, other)

    def __ge__(self, other: object) -> Condition:
        return _order(">=", self, other)

    # By identity: hash tables compare what hashes alike, and a comparison of references has no truth value.
    __hash__ = object.__hash__

    def __and__(self, other: object) -> Condition:
        return _join("and", self, other)

    def __rand__(self, other: object) -> Condition:
        return _join("and", other, self)

    def __or__(self, other: object) -> Condition:
        return _join("or", self, other)

    def __ror__(self, other: object) -> Condition:
        return _join("or", other, self)

    def __invert__(self) -> Condition:
        return _negation(self)

    def __repr__(self) -> str:
        steps = [f".{step}" if isinstance(step, str) else f"[{step}]" for step in self.__oxidyn_path__]
        return title_of(self.__oxidyn_model__) + "".join(steps)


@final
class Condition:
    """What must hold of an item; made by comparing references, combined with `&`, `|` and `~`."""

    __slots__ = ("__oxidyn_node__",)

    __oxidyn_node__: tuple[Any, ...]  # ("and", condition, …), ("=", ref, value), …: what the core walks.

    def __init__(self, node: tuple[Any, ...]) -> None:
        self.__oxidyn_node__ = node

    def __bool__(self) -> NoReturn:
        raise InvalidExpression(_NO_TRUTH.format(found="A condition"))

    def __and__(self, other: Condition | bool) -> Condition:
        return _join("and", self, other)

    def __rand__(self, other: bool) -> Condition:
        return _join("and", other, self)

    def __or__(self, other: Condition | bool) -> Condition:
        return _join("or", self, other)

    def __ror__(self, other: bool) -> Condition:
        return _join("or", other, self)

    def __invert__(self) -> Condition:
        return _negation(self)

    def __repr__(self) -> str:
        return _text(self.__oxidyn_node__)


@final
class Attr(Generic[T]):
    """A reference with methods: what can be asked of a field, and done to it. Made by `attr(User.nick)`."""

    __slots__ = ("__oxidyn_ref__",)

    __oxidyn_ref__: Ref

    def __init__(self, ref: Ref) -> None:
        self.__oxidyn_ref__ = ref

    def __repr__(self) -> str:
        return f"attr({self.__oxidyn_ref__!r})"

    def __bool__(self) -> NoReturn:
        raise InvalidExpression(_NO_TRUTH.format(found=repr(self)))

    __hash__ = object.__hash__

    def __eq__(self, other: T | None, /) -> Condition:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Hold where the values are equal; `== None` where there is none, however it is stored."""
        return _equal(self.__oxidyn_ref__, other)

    def __ne__(self, other: T | None, /) -> Condition:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Hold where the values differ; `!= None` where there is one."""
        return _unequal(self.__oxidyn_ref__, other)

    def __lt__(self, other: T, /) -> Condition:
        return _order("<", self.__oxidyn_ref__, other)

    def __le__(self, other: T, /) -> Condition:
        return _order("<=", self.__oxidyn_ref__, other)

    def __gt__(self, other: T, /) -> Condition:
        return _order(">", self.__oxidyn_ref__, other)

    def __ge__(self, other: T, /) -> Condition:
        return _order(">=", self.__oxidyn_ref__, other)

    def exists(self) -> Condition:
        """Hold where the attribute is stored, even as NULL (DynamoDB's attribute_exists)."""
        return Condition(("exists", self.__oxidyn_ref__))

    def not_exists(self) -> Condition:
        """Hold where the attribute is not stored at all (DynamoDB's attribute_not_exists)."""
        return Condition(("not_exists", self.__oxidyn_ref__))

    def is_none(self) -> Condition:
        """Hold where the field would be read as None: not stored, or stored as NULL."""
        return Condition(("is_none", self.__oxidyn_ref__))

    def is_some(self) -> Condition:
        """Hold where the field has a value: stored, and not as NULL."""
        return Condition(("is_some", self.__oxidyn_ref__))

    def begins_with(self: Attr[str] | Attr[bytes], prefix: T, /) -> Condition:
        """Hold where the text (or the bytes) begins so."""
        return Condition(("begins_with", self.__oxidyn_ref__, _value("begins_with()", prefix)))

    def between(self, low: T, high: T, /) -> Condition:
        """Hold from `low` to `high`, both included."""
        return Condition(
            ("between", self.__oxidyn_ref__, _value("between()", low), _value("between()", high)),
        )

    def is_in(self, values: Iterable[T | None], /) -> Condition:
        """Hold where the value is one of these; None among them stands for no value, however it is stored."""
        if isinstance(values, str | bytes):
            raise InvalidExpression(
                f"{self!r}.is_in() got one {type(values).__name__}, expected several values: is_in([...])."
            )
        given = tuple(values)
        some_values = tuple(_value("is_in()", value) for value in given if value is not None)
        choices: list[Condition] = []
        if some_values:
            choices.append(Condition(("in", self.__oxidyn_ref__, some_values)))
        if len(some_values) < len(given):
            choices.append(self.is_none())
        if not choices:
            raise InvalidExpression(f"{self!r}.is_in() got no values, so it could never hold: skip the call instead.")
        return any_of(*choices)

    def set(self, value: T | None, /) -> Action:
        """Give the field this value in an update; None as the field stores it."""
        return Action(("set", self.__oxidyn_ref__, _operand("set()", value)))

    @overload
    def add(self: Attr[int], value: int, /) -> Action: ...
    @overload
    def add(self: Attr[float], value: float, /) -> Action: ...
    @overload
    def add(self: Attr[Decimal], value: Decimal | int, /) -> Action: ...
    @overload
    def add(self: Attr[timedelta], value: timedelta, /) -> Action: ...
    @overload
    def add(self: Attr[builtins.set[E]], value: builtins.set[E], /) -> Action: ...
    @overload
    def add(self: Attr[frozenset[E]], value: frozenset[E], /) -> Action: ...
    def add(self, value: Any, /) -> Action:
        """Add to the number atomically, or these members to the set; a field not stored yet counts as 0, or empty."""
        return Action(("add", self.__oxidyn_ref__, _value("add()", value)))

    def remove(self) -> Action:
        """Take the attribute out of the item."""
        return Action(("remove", self.__oxidyn_ref__))


def attr(field: T | None, /) -> Attr[T]:
    """Lift a reference to what has methods: `attr(User.nick).exists()`, `attr(User.age).add(1)`."""
    if isinstance(field, Ref) and field.__oxidyn_path__:
        return Attr(field)
    raise InvalidExpression(_not_a_reference("attr", field))


def some(field: T | None, /) -> T:
    """Read on through an optional field: `some(Order.address).city == "Ulm"`."""
    if isinstance(field, Ref):
        return cast("T", field)
    raise InvalidExpression(_not_a_reference("some", field))


def expr(model: type[M], /) -> M:
    """References to the fields of any model: `expr(Event).day == today`, and `expr(Place)["name"]` of a TypedDict.

    A type checker takes the result for an instance, whose attributes (or keys) have the fields' types.
    """
    complete(model)
    return cast("M", Ref(model, ()))


def not_(condition: Condition | bool, /) -> Condition:
    """The opposite: `~condition`, for a type checker that takes the condition for a bool."""
    return _negation(condition)


def all_of(*conditions: Condition | bool) -> Condition:
    """Hold where every condition does."""
    return _join("and", *conditions)


def any_of(*conditions: Condition | bool) -> Condition:
    """Hold where at least one condition does."""
    return _join("or", *conditions)


def as_condition(value: object, /) -> Condition:
    """The condition that a `where=` or a side of `&` means: a bare reference is the condition `= true`."""
    if isinstance(value, Condition):
        return value
    if isinstance(value, Ref):
        return Condition(("=", value, True))
    if isinstance(value, bool):
        raise InvalidExpression(_A_BOOL.format(found=value))
    raise InvalidExpression(f"expected a condition such as User.age > 30, found {kind_of(value)}.")


def references(condition: Condition, /) -> Iterator[Ref]:
    """Every reference in the condition. A stack of our own: the depth of the tree is the caller's."""
    waiting = [condition]
    while waiting:
        word, *operands = waiting.pop().__oxidyn_node__
        if word in ("and", "or", "not"):
            waiting.extend(operands)
        else:
            yield operands[0]


def _join(word: str, *operands: object) -> Condition:
    if not operands:
        raise InvalidExpression(f"{'all_of' if word == 'and' else 'any_of'}() got no conditions.")
    parts: list[Condition] = []
    for operand in operands:
        condition = as_condition(operand)
        node = condition.__oxidyn_node__
        # Flat, so that a chain of a thousand `|` is not a thousand levels deep.
        parts.extend(node[1:] if node[0] == word else (condition,))
    return parts[0] if len(parts) == 1 else Condition((word, *parts))


def _negation(operand: object) -> Condition:
    return Condition(("not", as_condition(operand)))


def _equal(ref: Ref, value: object) -> Condition:
    return Condition(("is_none", ref) if value is None else ("=", ref, _operand("==", value)))


def _unequal(ref: Ref, value: object) -> Condition:
    return Condition(("is_some", ref) if value is None else ("<>", ref, _operand("!=", value)))


def _order(operator: str, ref: Ref, value: object) -> Condition:
    return Condition((operator, ref, _value(operator, value)))


def _operand(what: str, value: object) -> object:
    if isinstance(value, Ref | Attr | Condition):
        raise InvalidExpression(f"{what} expected a value, found {value!r}: two attributes cannot be compared.")
    return value


def _value(what: str, value: object) -> object:
    if value is None:
        raise InvalidExpression(f"{what} expected a value, found None: use attr(x).is_none() or attr(x).is_some().")
    return _operand(what, value)


_SIGNS: Final = {"=": "==", "<>": "!="}


def _text(node: tuple[Any, ...]) -> str:
    word, *rest = node
    if word in ("and", "or"):
        return (" & " if word == "and" else " | ").join(f"({part!r})" for part in rest)
    if word == "not":
        return f"~({rest[0]!r})"
    if word in ("=", "<>", "<", "<=", ">", ">="):
        return f"{rest[0]!r} {_SIGNS.get(word, word)} {_HIDDEN}"
    name = "is_in" if word == "in" else word
    return f"attr({rest[0]!r}).{name}({', '.join(_HIDDEN for _ in rest[1:])})"


def _not_a_reference(function: str, value: object) -> str:
    return (
        f"{function}() needs a reference to a field, such as User.age or expr(Event).age; found {kind_of(value)}. The usual "
        f"cause is an instance where the class was meant: {function}(user.age) in place of {function}(User.age)."
    )


def kind_of(value: object) -> str:
    """What was found, without its value."""
    if value is None:
        return "None"
    if isinstance(value, Ref | Condition):
        return repr(value)
    return f"the class {value.__name__}" if isinstance(value, type) else f"a value of type {type(value).__name__}"
