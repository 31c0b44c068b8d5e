"""`attr(User.nick)`: a reference with methods, what can be asked of a field and done to it.

References themselves have none, so that nested fields of any name are reached; and a type checker takes them for values,
which `attr` gives the field's type to check by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NoReturn, TypeVar, cast, final, get_args, overload

from .errors import InvalidExpression
from .exports import show_public_path
from .expressions import (
    Computed,
    Condition,
    Expression,
    Ref,
    Size,
    any_of,
    as_condition,
    compare,
    kind_of,
    no_truth,
    operand,
    some_operand,
    source,
)
from .updates import Action

if TYPE_CHECKING:
    import builtins
    from collections import deque
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import timedelta
    from decimal import Decimal

__all__ = ["Attr", "AttributeType", "attr", "some"]

T = TypeVar("T")
E = TypeVar("E")
N = TypeVar("N", int, float, "Decimal", "timedelta")
T_co = TypeVar("T_co", covariant=True)

AttributeType = Literal["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"]
"""DynamoDB's types, by its own names."""

_ATTRIBUTE_TYPES: Final[tuple[str, ...]] = get_args(AttributeType)


class _Holds(Expression, Generic[T_co]):
    """What a field holds, for type checkers: of a NewType of str, an `Attr` is no `Attr[str]`, but it holds text."""

    __slots__ = ()


@final
class Attr(_Holds[T]):
    """A reference with methods: what can be asked of a field, and done to it. Made by `attr(User.nick)`."""

    __slots__ = ("__oxidyn_ref__",)

    __oxidyn_ref__: Ref

    def __init__(self, ref: Ref) -> None:
        self.__oxidyn_ref__ = ref

    @property
    def __oxidyn_operand__(self) -> Ref:
        return self.__oxidyn_ref__

    @property
    def __oxidyn_source__(self) -> Ref:
        return self.__oxidyn_ref__

    def __repr__(self) -> str:
        return f"attr({self.__oxidyn_ref__!r})"

    def __bool__(self) -> NoReturn:
        raise no_truth(self)

    __hash__ = object.__hash__

    # Hidden from checkers, which refuse `~` here by themselves.
    if not TYPE_CHECKING:

        def __invert__(self) -> NoReturn:
            as_condition(self)  # Raises: it is none.

    # Conditions

    def __eq__(self, other: T | None, /) -> Condition:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Hold where the values are equal; `== None` where there is none, however it is stored."""
        equal: Condition = self.__oxidyn_ref__ == other
        return equal

    def __ne__(self, other: T | None, /) -> Condition:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Hold where the values differ; `!= None` where there is one."""
        unequal: Condition = self.__oxidyn_ref__ != other
        return unequal

    def __lt__(self, other: T, /) -> Condition:
        return compare("<", self.__oxidyn_ref__, other)

    def __le__(self, other: T, /) -> Condition:
        return compare("<=", self.__oxidyn_ref__, other)

    def __gt__(self, other: T, /) -> Condition:
        return compare(">", self.__oxidyn_ref__, other)

    def __ge__(self, other: T, /) -> Condition:
        return compare(">=", self.__oxidyn_ref__, other)

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

    def attribute_type(self, type_: AttributeType, /) -> Condition:
        """Hold where the attribute is stored as DynamoDB's type of this name."""
        if type_ not in _ATTRIBUTE_TYPES:
            raise InvalidExpression(
                f"{self!r}.attribute_type() expected the name of one of DynamoDB's types ({', '.join(_ATTRIBUTE_TYPES)}), "
                f"found {kind_of(type_)}."
            )
        return Condition(("attribute_type", self.__oxidyn_ref__, type_))

    @overload
    def begins_with(self: _Holds[str], prefix: str, /) -> Condition: ...
    @overload
    def begins_with(self: _Holds[bytes], prefix: bytes, /) -> Condition: ...
    def begins_with(self, prefix: Any, /) -> Condition:
        """Hold where the text (or the bytes) begins so."""
        return Condition(("begins_with", self.__oxidyn_ref__, some_operand("begins_with()", prefix)))

    @overload
    def contains(self: _Holds[str], text: str, /) -> Condition: ...
    @overload
    def contains(self: _Holds[bytes], part: bytes, /) -> Condition: ...
    @overload
    def contains(self: Attr[builtins.set[E]], element: E, /) -> Condition: ...
    @overload
    def contains(self: Attr[frozenset[E]], element: E, /) -> Condition: ...
    @overload
    def contains(self: Attr[list[E]], element: E, /) -> Condition: ...
    @overload
    def contains(self: Attr[tuple[E, ...]], element: E, /) -> Condition: ...
    @overload
    def contains(self: Attr[deque[E]], element: E, /) -> Condition: ...
    @overload
    def contains(self: Attr[Sequence[E]], element: E, /) -> Condition: ...
    def contains(self, part: Any, /) -> Condition:
        """Hold where the text has this in it, or the set or list this element."""
        return Condition(("contains", self.__oxidyn_ref__, operand("contains()", part)))

    def size(self) -> Size:
        """How long the text or bytes are, or how many elements the collection has: `attr(User.tags).size() > 3`."""
        return Size(self.__oxidyn_ref__)

    def between(self, low: T, high: T, /) -> Condition:
        """Hold from `low` to `high`, both included."""
        return Condition(
            ("between", self.__oxidyn_ref__, some_operand("between()", low), some_operand("between()", high)),
        )

    def is_in(self, values: Iterable[T | None], /) -> Condition:
        """Hold where the value is one of these; None among them stands for no value, however it is stored."""
        if isinstance(values, str | bytes | Expression):
            found = kind_of(values) if isinstance(values, Expression) else f"one {type(values).__name__}"
            raise InvalidExpression(f"{self!r}.is_in() got {found}, expected several values: is_in([...]).")
        given = tuple(values)
        some_values = tuple(some_operand("is_in()", value) for value in given if value is not None)
        choices: list[Condition] = []
        if some_values:
            choices.append(Condition(("in", self.__oxidyn_ref__, some_values)))
        if len(some_values) < len(given):
            choices.append(self.is_none())
        if not choices:
            raise InvalidExpression(f"{self!r}.is_in() got no values, so it could never hold: skip the call instead.")
        return any_of(*choices)

    # Updates

    def set(self, value: T | None, /) -> Action:
        """Give the field this value in an update; None as the field stores it.

        The value may be another field, or computed: `attr(User.total).set(User.a + User.b)`. Fields are read as they were
        before the update.
        """
        return Action(("set", self.__oxidyn_ref__, source("set()", value)))

    def if_not_exists(self, other: T, /) -> T:
        """What the field has stored, else the other value; what an update may `set` a field to, or compute with."""
        if other is None:
            raise InvalidExpression(f"{self!r}.if_not_exists() expected a value, found None.")
        computed = Computed(("if_not_exists", self.__oxidyn_ref__, source("if_not_exists()", other)))
        return cast("T", computed)

    def __add__(self: Attr[N], other: N, /) -> N:
        return cast("N", self.__oxidyn_ref__ + other)

    def __radd__(self: Attr[N], other: N, /) -> N:
        return cast("N", other + self.__oxidyn_ref__)

    def __sub__(self: Attr[N], other: N, /) -> N:
        return cast("N", self.__oxidyn_ref__ - other)

    def __rsub__(self: Attr[N], other: N, /) -> N:
        return cast("N", other - self.__oxidyn_ref__)

    @overload
    def add(self: _Holds[int], value: int, /) -> Action: ...
    @overload
    def add(self: Attr[float], value: float, /) -> Action: ...
    @overload
    def add(self: Attr[Decimal], value: Decimal | int, /) -> Action: ...
    @overload
    def add(self: Attr[timedelta], value: timedelta, /) -> Action: ...
    @overload
    def add(self: Attr[builtins.set[E]], value: AbstractSet[E], /) -> Action: ...
    @overload
    def add(self: Attr[frozenset[E]], value: AbstractSet[E], /) -> Action: ...
    def add(self, value: Any, /) -> Action:
        """Add to the number atomically, or these members to the set; a field not stored yet counts as 0, or empty."""
        return Action(("add", self.__oxidyn_ref__, _given("add()", value)))

    @overload
    def delete(self: Attr[builtins.set[E]], members: AbstractSet[E], /) -> Action: ...
    @overload
    def delete(self: Attr[frozenset[E]], members: AbstractSet[E], /) -> Action: ...
    def delete(self, members: Any, /) -> Action:
        """Take these members out of the set, atomically; those that are not in it do not matter."""
        return Action(("delete", self.__oxidyn_ref__, _given("delete()", members)))

    @overload
    def append(self: Attr[list[E]], *items: E) -> Action: ...
    @overload
    def append(self: Attr[tuple[E, ...]], *items: E) -> Action: ...
    @overload
    def append(self: Attr[deque[E]], *items: E) -> Action: ...
    @overload
    def append(self: Attr[Sequence[E]], *items: E) -> Action: ...
    def append(self, *items: Any) -> Action:
        """Add these items at the list's end, atomically; a list not stored yet counts as the field's default, or empty."""
        return Action(("append", self.__oxidyn_ref__, _items("append", items)))

    @overload
    def prepend(self: Attr[list[E]], *items: E) -> Action: ...
    @overload
    def prepend(self: Attr[tuple[E, ...]], *items: E) -> Action: ...
    @overload
    def prepend(self: Attr[deque[E]], *items: E) -> Action: ...
    @overload
    def prepend(self: Attr[Sequence[E]], *items: E) -> Action: ...
    def prepend(self, *items: Any) -> Action:
        """The same in front of the list's first item, in the order given."""
        return Action(("prepend", self.__oxidyn_ref__, _items("prepend", items)))

    def remove(self) -> Action:
        """Take the attribute out of the item, or the element out of its list."""
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


def _given(what: str, value: object) -> object:
    """A value that DynamoDB takes from the request alone."""
    if value is None or isinstance(value, Expression):
        raise InvalidExpression(
            f"{what} expected a value, found {kind_of(value)}: what is stored is computed with by set()."
        )
    return value


def _items(name: str, items: tuple[object, ...]) -> tuple[object, ...]:
    if not items:
        raise InvalidExpression(f"{name}() got no items, so there is nothing to do: skip the call instead.")
    for item in items:
        if isinstance(item, Expression):
            raise InvalidExpression(
                f"{name}() expected values, found {kind_of(item)}, which DynamoDB cannot put in a list."
            )
    return items


def _not_a_reference(function: str, value: object) -> str:
    return (
        f"{function}() needs a reference to a field, such as User.age or expr(Event).age; found {kind_of(value)}. The usual "
        f"cause is an instance where the class was meant: {function}(user.age) in place of {function}(User.age)."
    )


show_public_path(globals())
