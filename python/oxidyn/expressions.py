"""Conditions on fields, as data: `(User.age > 30) & (User.spent > User.earned)`.

To a type checker `User.age` is an `int` and `User.age > 30` a `bool`: both are checked without a plugin. At run time a
reference (`Ref`) builds a `Condition`, and arithmetic with it what an update computes (`Computed`). Nothing here knows
DynamoDB's syntax or a field's wire form: the core walks `__oxidyn_node__` and gives both.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn, TypeVar, cast, final

from .errors import InvalidExpression
from .exports import show_public_path
from .schema import complete, field_names, keep, kept, no_field, title_of

__all__ = ["Computed", "Condition", "Expression", "Ref", "Size", "all_of", "any_of", "expr", "not_"]

M = TypeVar("M")

_HIDDEN: Final = "…"
"""Stands for a value in reprs: values may be secrets."""

_ROOT: Final = "root"

_NO_TRUTH: Final = (
    "{found} has no truth value. Combine conditions with & | ~ (each side in parentheses), not with and, or, not, "
    "chained comparisons (1 < x < 5) or in: all_of(), any_of(), not_() and attr(x).is_in() are the spelled-out forms."
)

_A_BOOL: Final = (
    "expected a condition, found the bool {found}. Python compared before a condition could be built; the usual causes: "
    "an instance where the class was meant (user.age > 30 in place of User.age > 30); `is None` in place of `== None` "
    "or attr(x).is_none() (linters rewrite it: E711); `is True` in place of the bare reference User.active (E712)."
)


class Expression:
    """What stands for something stored, or is made of such: never a value itself."""

    __slots__ = ()

    @property
    def __oxidyn_operand__(self) -> Ref | Size | None:
        """What a condition compares, where this is such a thing."""
        return None

    @property
    def __oxidyn_source__(self) -> Ref | Computed | None:
        """What an update may set a field to, or compute with, where this is such a thing."""
        return None


def _no_arithmetic(expression: Expression, *_others: object) -> NoReturn:
    raise InvalidExpression(f"{expression!r}: DynamoDB computes with + and - alone, and in updates only.")


class _Arithmetic(Expression):
    """Plus and minus, which DynamoDB has in updates."""

    __slots__ = ()

    def __add__(self, other: object) -> Computed:
        return _computed("+", self, other)

    def __radd__(self, other: object) -> Computed:
        return _computed("+", other, self)

    def __sub__(self, other: object) -> Computed:
        return _computed("-", self, other)

    def __rsub__(self, other: object) -> Computed:
        return _computed("-", other, self)

    __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _no_arithmetic
    __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __pos__ = __abs__ = _no_arithmetic


class Ref(_Arithmetic):
    """A reference to a field: what `User.age` is at run time.

    It has no public attribute of its own, so that nested fields of any name are reached: `User.address.size`. What a
    reference can do besides comparing is on `attr(reference)`.

    A model's root keeps the references to its fields as attributes: most are asked for again and again.
    """

    __slots__ = ("__dict__", "__oxidyn_model__", "__oxidyn_path__")

    __oxidyn_model__: Any  # The class at the root: a model, a dataclass, a TypedDict.
    __oxidyn_path__: tuple[str | int, ...]

    def __init__(self, model: Any, path: tuple[str | int, ...]) -> None:
        self.__oxidyn_model__ = model
        self.__oxidyn_path__ = path

    def __getattr__(self, name: str) -> Ref:
        # Dunders are Python's questions (copy, pickle, inspect), never fields.
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if self.__oxidyn_path__:
            return Ref(self.__oxidyn_model__, (*self.__oxidyn_path__, name))
        if name not in (fields := field_names(self.__oxidyn_model__)):
            raise AttributeError(no_field(self.__oxidyn_model__, name, fields))
        ref = self.__dict__[name] = Ref(self.__oxidyn_model__, (name,))
        return ref

    def __getitem__(self, key: object) -> Ref:
        if not isinstance(key, str) and (not isinstance(key, int) or isinstance(key, bool) or key < 0):
            raise InvalidExpression(
                f"{self!r}[{_HIDDEN}]: expected a place in a list (an int from 0) or a key of a dict (its text), found "
                f"{'a negative int' if isinstance(key, int) else type(key).__name__}."
            )
        if not self.__oxidyn_path__ and key not in (fields := field_names(self.__oxidyn_model__)):
            raise KeyError(no_field(self.__oxidyn_model__, key, fields))
        return Ref(self.__oxidyn_model__, (*self.__oxidyn_path__, key))

    # `__getitem__` alone would make every reference an endless sequence.
    __iter__: None = None

    def __contains__(self, _value: object) -> NoReturn:
        raise InvalidExpression(
            f"`in {self!r}` asks Python, which does not know the stored value; filter by a condition."
        )

    def __bool__(self) -> NoReturn:
        raise no_truth(f"The reference {self!r}")

    def __eq__(self, other: object) -> Any:
        return _equal(self, other)

    def __ne__(self, other: object) -> Any:
        return _unequal(self, other)

    def __lt__(self, other: object) -> Condition:
        return compare("<", self, other)

    def __le__(self, other: object) -> Condition:
        return compare("<=", self, other)

    def __gt__(self, other: object) -> Condition:
        return compare(">", self, other)

    def __ge__(self, other: object) -> Condition:
        return compare(">=", self, other)

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

    @property
    def __oxidyn_operand__(self) -> Ref:
        return self

    @property
    def __oxidyn_source__(self) -> Ref:
        return self

    def __repr__(self) -> str:
        steps = [f".{step}" if isinstance(step, str) else f"[{step}]" for step in self.__oxidyn_path__]
        return title_of(self.__oxidyn_model__) + "".join(steps)


@final
class Condition(Expression):
    """What must hold of an item; made by comparing references, combined with `&`, `|` and `~`."""

    __slots__ = ("__oxidyn_node__",)

    __oxidyn_node__: tuple[Any, ...]  # ("and", condition, …), ("=", ref, value), …: what the core walks.

    def __init__(self, node: tuple[Any, ...]) -> None:
        self.__oxidyn_node__ = node

    def __bool__(self) -> NoReturn:
        raise no_truth("A condition")

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
class Size(Expression):
    """How long, or how many: `attr(User.tags).size() > 3`. Compared with numbers, number fields and other sizes."""

    __slots__ = ("__oxidyn_ref__",)

    __oxidyn_ref__: Ref

    def __init__(self, ref: Ref) -> None:
        self.__oxidyn_ref__ = ref

    @property
    def __oxidyn_operand__(self) -> Size:
        return self

    def __repr__(self) -> str:
        return f"attr({self.__oxidyn_ref__!r}).size()"

    def __bool__(self) -> NoReturn:
        raise no_truth(self)

    __hash__ = object.__hash__

    def __eq__(self, other: int | Size, /) -> Condition:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return compare("=", self, other)

    def __ne__(self, other: int | Size, /) -> Condition:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return compare("<>", self, other)

    def __lt__(self, other: int | Size, /) -> Condition:
        return compare("<", self, other)

    def __le__(self, other: int | Size, /) -> Condition:
        return compare("<=", self, other)

    def __gt__(self, other: int | Size, /) -> Condition:
        return compare(">", self, other)

    def __ge__(self, other: int | Size, /) -> Condition:
        return compare(">=", self, other)

    def between(self, low: int | Size, high: int | Size, /) -> Condition:
        """Hold from `low` to `high`, both included."""
        return Condition(("between", self, some_operand("between()", low), some_operand("between()", high)))


def _no_comparison(computed: Computed, _other: object) -> NoReturn:
    raise InvalidExpression(
        f"{computed!r} is computed by an update, and a condition compares stored values: compare the fields themselves."
    )


@final
class Computed(_Arithmetic):
    """What an update computes of stored values: `User.a + User.b`, `attr(User.n).if_not_exists(0) + 1`.

    To a type checker it is the number, or value, that comes of it.
    """

    __slots__ = ("__oxidyn_node__",)

    __oxidyn_node__: tuple[Any, ...]  # ("+" | "-", source, source), ("if_not_exists", ref, source).

    def __init__(self, node: tuple[Any, ...]) -> None:
        self.__oxidyn_node__ = node

    @property
    def __oxidyn_source__(self) -> Computed:
        return self

    def __bool__(self) -> NoReturn:
        raise no_truth(self)

    __hash__ = object.__hash__
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _no_comparison

    def __repr__(self) -> str:
        word, *parts = self.__oxidyn_node__
        if word == "if_not_exists":
            return f"attr({parts[0]!r}).if_not_exists({shown(parts[1])})"
        left, right = (
            f"({part!r})" if isinstance(part, Computed) and part.__oxidyn_node__[0] in "+-" else shown(part)
            for part in parts
        )
        return f"{left} {word} {right}"


def expr(model: type[M], /) -> M:
    """References to the fields of any model: `expr(Event).day == today`, and `expr(Place)["name"]` of a TypedDict.

    A type checker takes the result for an instance, whose attributes (or keys) have the fields' types.
    """
    return cast("M", root(model))


def root(model: Any, /) -> Ref:
    """The model's own root, of which there is one where its class can keep it."""
    found: Ref | None = kept(model, _ROOT)
    if found is None:
        complete(model)
        found = Ref(model, ())
        keep(model, _ROOT, found)
    return found


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
        return Condition(("is_true", value))
    if isinstance(value, bool):
        raise InvalidExpression(_A_BOOL.format(found=value))
    lifted = value.__oxidyn_operand__ if isinstance(value, Expression) else None
    hint = f": compare it, or give {lifted!r} by itself where it holds a bool" if isinstance(lifted, Ref) else ""
    raise InvalidExpression(f"expected a condition such as User.age > 30, found {kind_of(value)}{hint}.")


def no_truth(found: object, /) -> InvalidExpression:
    """Build what is raised where Python asks for the truth of an expression."""
    return InvalidExpression(_NO_TRUTH.format(found=found))


def _join(word: str, *operands: object) -> Condition:
    if not operands:
        raise InvalidExpression(f"{'all_of' if word == 'and' else 'any_of'}() got no conditions.")
    parts: list[Condition] = []
    for operand in operands:
        condition = operand if type(operand) is Condition else as_condition(operand)
        node = condition.__oxidyn_node__
        # Flat, so that a chain of a thousand `|` is not a thousand levels deep.
        if node[0] == word:
            parts += node[1:]
        else:
            parts.append(condition)
    return parts[0] if len(parts) == 1 else Condition((word, *parts))


def _negation(operand: object) -> Condition:
    return Condition(("not", as_condition(operand)))


def _equal(ref: Ref, value: object) -> Condition:
    return Condition(("is_none", ref) if value is None else ("=", ref, operand("==", value)))


def _unequal(ref: Ref, value: object) -> Condition:
    return Condition(("is_some", ref) if value is None else ("<>", ref, operand("!=", value)))


def compare(operator: str, left: Ref | Size, right: object, /) -> Condition:
    """Compare with anything but None."""
    return Condition((operator, left, some_operand(_SIGNS.get(operator, operator), right)))


def operand(what: str, value: object, /) -> object:
    """What a condition compares with: a value, or what stands for a stored one."""
    if not isinstance(value, Expression):
        return value
    stored = value.__oxidyn_operand__
    if stored is None or (isinstance(stored, Ref) and not stored.__oxidyn_path__):
        raise InvalidExpression(f"{what} expected a value, a field or a size, found {value!r}.")
    return stored


def some_operand(what: str, value: object, /) -> object:
    """The same where None has no meaning."""
    if value is None:
        raise InvalidExpression(f"{what} expected a value, found None: use attr(x).is_none() or attr(x).is_some().")
    return operand(what, value)


def source(what: str, value: object, /) -> object:
    """What an update sets a field to, or computes with: a value, a field, what is computed of such."""
    if not isinstance(value, Expression):
        return value
    stored = value.__oxidyn_source__
    if stored is None or (isinstance(stored, Ref) and not stored.__oxidyn_path__):
        raise InvalidExpression(f"{what} expected a value or a field, found {value!r}.")
    return stored


def _computed(operator: str, left: object, right: object) -> Computed:
    for side in (left, right):
        if side is None:
            raise InvalidExpression(f"{operator} expected a number, found None.")
    return Computed((operator, source(operator, left), source(operator, right)))


_SIGNS: Final = {"=": "==", "<>": "!="}


def shown(value: object, /) -> str:
    """What reprs show: what stands for something stored, and no value."""
    return repr(value) if isinstance(value, Expression) else _HIDDEN


def _text(node: tuple[Any, ...]) -> str:
    word, *rest = node
    if word in ("and", "or"):
        return (" & " if word == "and" else " | ").join(f"({part!r})" for part in rest)
    if word == "not":
        return f"~({rest[0]!r})"
    if word == "is_true":
        return repr(rest[0])
    subject, *values = rest
    if word in ("=", "<>", "<", "<=", ">", ">="):
        return f"{subject!r} {_SIGNS.get(word, word)} {shown(values[0])}"
    asked = subject if isinstance(subject, Size) else f"attr({subject!r})"
    if word == "in":
        return f"{asked}.is_in({_HIDDEN})"
    if word == "attribute_type":
        # The name of a type is no value.
        return f'{asked}.attribute_type("{values[0]}")'
    return f"{asked}.{word}({', '.join(map(shown, values))})"


def kind_of(value: object) -> str:
    """What was found, without its value."""
    if value is None:
        return "None"
    if isinstance(value, Expression):
        return repr(value)
    return f"the class {value.__name__}" if isinstance(value, type) else f"a value of type {type(value).__name__}"


show_public_path(globals())
