"""Conditions and actions as data: what is built, what is refused and with which words, what reprs show."""

import copy
import pickle
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from oxidyn import Condition, InvalidExpression, Model, OxidynError, all_of, any_of, attr, expr, not_, some
from oxidyn.expressions import Expression, as_condition


class Address(BaseModel):
    city: str
    exists: bool = False


class User(Model, table="users"):
    org: str
    age: int
    active: bool = True
    nick: str | None = None
    tags: set[str] = set()
    lines: list[int] = []
    prices: dict[str, Decimal] = {}
    address: Address | None = None


USER = User(org="a", age=3)


def _node(condition: Any) -> Any:
    """A condition as plain tuples, references by their text."""
    if isinstance(condition, Condition):
        return tuple(_node(part) for part in condition.__oxidyn_node__)
    if isinstance(condition, tuple):
        return tuple(map(_node, condition))
    return repr(condition) if isinstance(condition, Expression) else condition


# Comparisons


@pytest.mark.parametrize(
    ("condition", "node"),
    [
        (lambda: User.age == 3, ("=", "User.age", 3)),
        (lambda: User.age != 3, ("<>", "User.age", 3)),
        (lambda: User.age < 3, ("<", "User.age", 3)),
        (lambda: User.age <= 3, ("<=", "User.age", 3)),
        (lambda: User.age > 3, (">", "User.age", 3)),
        (lambda: User.age >= 3, (">=", "User.age", 3)),
        (lambda: 3 < User.age, (">", "User.age", 3)),  # noqa: SIM300
        (lambda: User.nick == None, ("is_none", "User.nick")),
        (lambda: User.nick != None, ("is_some", "User.nick")),
        (lambda: attr(User.nick) == None, ("is_none", "User.nick")),
        (lambda: attr(User.nick) != None, ("is_some", "User.nick")),
        (lambda: attr(User.nick) == "b", ("=", "User.nick", "b")),
        (lambda: attr(User.nick) > "b", (">", "User.nick", "b")),
        (lambda: attr(User.nick) >= "b", (">=", "User.nick", "b")),
        (lambda: attr(User.nick) < "b", ("<", "User.nick", "b")),
        (lambda: attr(User.nick) <= "b", ("<=", "User.nick", "b")),
        (lambda: attr(User.nick) != "b", ("<>", "User.nick", "b")),
        (lambda: attr(User.nick).exists(), ("exists", "User.nick")),
        (lambda: attr(User.nick).not_exists(), ("not_exists", "User.nick")),
        (lambda: attr(User.nick).is_none(), ("is_none", "User.nick")),
        (lambda: attr(User.nick).is_some(), ("is_some", "User.nick")),
        (lambda: attr(User.nick).begins_with("b"), ("begins_with", "User.nick", "b")),
        (lambda: attr(User.age).between(1, 2), ("between", "User.age", 1, 2)),
        (lambda: attr(User.age).is_in([1, 2]), ("in", "User.age", (1, 2))),
        (lambda: attr(User.age).is_in(n for n in (1, 2)), ("in", "User.age", (1, 2))),
        (lambda: attr(User.nick).is_in([None]), ("is_none", "User.nick")),
        (lambda: attr(User.nick).is_in(["a", None]), ("or", ("in", "User.nick", ("a",)), ("is_none", "User.nick"))),
        (lambda: some(User.address).city == "Ulm", ("=", "User.address.city", "Ulm")),
        (lambda: some(User.address).exists == True, ("=", "User.address.exists", True)),
        (lambda: User.age == User.lines[0], ("=", "User.age", "User.lines[0]")),
        (lambda: User.age != User.age, ("<>", "User.age", "User.age")),
        (lambda: User.age < attr(User.age), ("<", "User.age", "User.age")),
        (lambda: attr(User.age) >= User.age, (">=", "User.age", "User.age")),
        (lambda: attr(User.age).between(User.age, 3), ("between", "User.age", "User.age", 3)),
        (lambda: attr(User.age).is_in([User.age, 3]), ("in", "User.age", ("User.age", 3))),
        (lambda: attr(User.nick).contains("b"), ("contains", "User.nick", "b")),
        (lambda: attr(User.tags).contains(User.org), ("contains", "User.tags", "User.org")),
        (lambda: attr(User.nick).attribute_type("NULL"), ("attribute_type", "User.nick", "NULL")),
        (lambda: attr(User.tags).size() == 3, ("=", "attr(User.tags).size()", 3)),
        (lambda: attr(User.tags).size() != 3, ("<>", "attr(User.tags).size()", 3)),
        (lambda: attr(User.tags).size() < 3, ("<", "attr(User.tags).size()", 3)),
        (lambda: attr(User.tags).size() <= 3, ("<=", "attr(User.tags).size()", 3)),
        (lambda: attr(User.tags).size() > 3, (">", "attr(User.tags).size()", 3)),
        (lambda: 3 < attr(User.tags).size(), (">", "attr(User.tags).size()", 3)),  # noqa: SIM300
        (lambda: attr(User.tags).size() >= User.age, (">=", "attr(User.tags).size()", "User.age")),
        (lambda: User.age >= attr(User.tags).size(), (">=", "User.age", "attr(User.tags).size()")),
        (
            lambda: attr(User.tags).size() == attr(User.lines).size(),
            ("=", "attr(User.tags).size()", "attr(User.lines).size()"),
        ),
        (lambda: attr(User.tags).size().between(1, 2), ("between", "attr(User.tags).size()", 1, 2)),
        (lambda: User.lines[0] > 3, (">", "User.lines[0]", 3)),
        (lambda: User.prices["x"] > 3, (">", "User.prices.x", 3)),
    ],
)
def test_comparison_is_a_node(condition, node):
    assert _node(condition()) == node


@pytest.mark.parametrize(
    ("condition", "node"),
    [
        (lambda a, b, c: a & b, ("and", "a", "b")),
        (lambda a, b, c: a | b, ("or", "a", "b")),
        (lambda a, b, c: a & b & c, ("and", "a", "b", "c")),
        (lambda a, b, c: a | b | c, ("or", "a", "b", "c")),
        (lambda a, b, c: a & (b | c), ("and", "a", ("or", "b", "c"))),
        (lambda a, b, c: ~a, ("not", "a")),
        (lambda a, b, c: not_(a), ("not", "a")),
        (lambda a, b, c: ~(a & b), ("not", ("and", "a", "b"))),
        (all_of, ("and", "a", "b", "c")),
        (any_of, ("or", "a", "b", "c")),
        (lambda a, b, c: all_of(a), "a"),
        (lambda a, b, c: any_of(all_of(a, b), c), ("or", ("and", "a", "b"), "c")),
    ],
)
def test_conditions_are_combined(condition, node):
    atoms = {"a": User.age > 1, "b": User.age > 2, "c": User.age > 3}

    def named(condition: Any) -> Any:
        for name, atom in atoms.items():
            if condition is atom:
                return name
        return tuple(named(part) if isinstance(part, Condition) else part for part in condition.__oxidyn_node__)

    assert named(condition(*atoms.values())) == node


@pytest.mark.parametrize(
    ("condition", "node"),
    [
        (lambda: as_condition(User.active), ("is_true", "User.active")),
        (lambda: User.active & (User.age > 3), ("and", ("is_true", "User.active"), (">", "User.age", 3))),
        (lambda: (User.age > 3) & User.active, ("and", (">", "User.age", 3), ("is_true", "User.active"))),
        (lambda: User.active | (User.age > 3), ("or", ("is_true", "User.active"), (">", "User.age", 3))),
        (lambda: ~User.active, ("not", ("is_true", "User.active"))),
        (lambda: not_(User.active), ("not", ("is_true", "User.active"))),
        (lambda: all_of(User.active, User.active), ("and", ("is_true", "User.active"), ("is_true", "User.active"))),
    ],
)
def test_bare_reference_to_a_bool_is_a_condition(condition, node):
    assert _node(condition()) == node


@pytest.mark.parametrize(
    "condition",
    [
        lambda: as_condition(attr(User.active)),
        lambda: attr(User.active) & (User.age > 3),
        lambda: (User.age > 3) | attr(User.active),
        lambda: ~attr(User.active),
        lambda: not_(attr(User.active)),
        lambda: all_of(attr(User.active)),
    ],
)
def test_lifted_reference_is_no_condition_and_told_how_it_becomes_one(condition):
    with pytest.raises(
        InvalidExpression,
        match=r"found attr\(User\.active\): compare it, or give User\.active by itself where it holds a bool\.$",
    ):
        condition()


def test_long_chain_stays_flat():
    condition = User.age == 0
    for age in range(1, 5000):
        condition = condition | (User.age == age)

    assert len(condition.__oxidyn_node__) == 5001


# What Python must not decide


@pytest.mark.parametrize(
    "decide",
    [
        lambda: bool(User.age > 3),
        lambda: (User.age > 3) and (User.age < 5),
        lambda: (User.age > 3) or (User.age < 5),
        lambda: not (User.age > 3),
        lambda: 1 < User.age < 5,
        lambda: User.age in (1, 2),
        lambda: not User.active,
        lambda: User.active and User.age > 3,
        lambda: bool(attr(User.active)),
    ],
)
def test_condition_has_no_truth_value(decide):
    with pytest.raises(InvalidExpression, match=r"has no truth value.*& \| ~"):
        decide()


@pytest.mark.parametrize(
    "misuse",
    [
        lambda: (User.age > 3) & (USER.age > 3),
        lambda: (USER.age > 3) & (User.age > 3),
        lambda: (User.age > 3) | (User.nick is None),
        lambda: as_condition(USER.age > 3),
        lambda: not_(USER.age > 3),
        lambda: all_of(User.age > 3, USER.active),
        lambda: User.active & False,
        lambda: False | User.active,
    ],
)
def test_bool_in_place_of_a_condition_names_the_usual_causes(misuse):
    with pytest.raises(InvalidExpression, match=r"instance where the class was meant.*E711.*E712"):
        misuse()


def test_membership_and_iteration_of_a_reference_are_refused():
    with pytest.raises(InvalidExpression, match="asks Python"):
        _ = 3 in User.lines
    with pytest.raises(TypeError, match="not iterable"):
        list(User.lines)


@pytest.mark.parametrize(
    ("misuse", "words"),
    [
        (lambda: attr(USER.age), r"attr\(\) needs a reference.*found a value of type int"),
        (lambda: attr(None), "found None"),
        (lambda: attr(User), "found the class User"),
        (lambda: attr(expr(User)), "found User"),
        (lambda: some(USER.address), r"some\(\) needs a reference.*found None"),
        (lambda: User.age > None, "found None: use"),
        (lambda: attr(User.age).between(None, 3), r"between\(\) expected a value, found None"),
        (lambda: attr(User.nick).begins_with(None), "found None"),
        (lambda: attr(User.age).add(None), "found None"),
        (lambda: attr(User.nick).is_in("abc"), r"expected several values"),
        (lambda: attr(User.age).is_in(User.lines), r"is_in\(\) got User\.lines, expected several values"),
        (lambda: User.active == (User.age > 3), "expected a value, a field or a size, found User.age > …"),
        (lambda: User.age == expr(User), "expected a value, a field or a size, found User"),
        (lambda: User.age == attr(User.age).add(3), r"found attr\(User\.age\)\.add\(…\)"),
        (lambda: User.age == User.age + 3, r"found User\.age \+ …"),
        (lambda: attr(User.tags).size() > None, "found None"),
        (lambda: attr(User.tags).size() == None, "found None"),
        (lambda: attr(User.tags).size().between(None, 3), "found None"),
        (lambda: bool(attr(User.tags).size()), "has no truth value"),
        (
            lambda: attr(User.nick).attribute_type("TEXT"),
            r"\(S, N, B, BOOL, NULL, L, M, SS, NS, BS\), found a value of",
        ),
        (lambda: attr(User.nick).attribute_type(str), "found the class str"),
        (lambda: attr(User.age).set(User.age > 3), r"set\(\) expected a value or a field, found User\.age > …"),
        (lambda: attr(User.age).set(attr(User.tags).size()), r"set\(\) expected a value or a field, found attr"),
        (lambda: attr(User.age).set(expr(User)), r"set\(\) expected a value or a field, found User"),
        (lambda: User.age + None, r"\+ expected a number, found None"),
        (lambda: None - User.age, r"- expected a number, found None"),
        (lambda: User.age + (User.age > 3), r"\+ expected a value or a field"),
        (lambda: User.age * 2, r"User\.age: DynamoDB computes with \+ and - alone"),
        (lambda: 2 // User.age, r"DynamoDB computes with \+ and - alone"),
        (lambda: -(User.age + 1), r"User\.age \+ …: DynamoDB computes with \+ and - alone"),
        (lambda: User.age + 1 > 3, r"User\.age \+ … is computed by an update, and a condition compares"),
        (lambda: User.age + 1 == 3, "is computed by an update"),
        (lambda: bool(User.age + 1), "has no truth value"),
        (lambda: attr(User.age).if_not_exists(None), r"if_not_exists\(\) expected a value, found None"),
        (lambda: attr(User.age).add(User.age), r"add\(\) expected a value, found User\.age: .* set\(\)"),
        (lambda: attr(User.tags).delete(User.tags), r"delete\(\) expected a value, found User\.tags"),
        (lambda: attr(User.tags).delete(None), r"delete\(\) expected a value, found None"),
        (lambda: attr(User.lines).append(), r"append\(\) got no items"),
        (lambda: attr(User.lines).prepend(), r"prepend\(\) got no items"),
        (lambda: attr(User.lines).append(User.age), r"append\(\) expected values, found User\.age"),
        (lambda: attr(User.nick).is_in([]), "no values"),
        (all_of, r"all_of\(\) got no conditions"),
        (any_of, r"any_of\(\) got no conditions"),
        (lambda: as_condition("age > 3"), "expected a condition.*found a value of type str"),
        (lambda: as_condition(attr(User.active)), "expected a condition"),
        (lambda: User.lines[-1], "negative int"),
        (lambda: User.lines[1.5], "found float"),
    ],
)
def test_misuse_is_refused(misuse, words):
    with pytest.raises(InvalidExpression, match=words):
        misuse()


def test_refusal_is_also_a_type_error():
    assert issubclass(InvalidExpression, TypeError)
    assert issubclass(InvalidExpression, OxidynError)


# References


def test_reference_has_no_public_name_of_its_own():
    assert all(name.startswith("__") for name in dir(type(User.age)))


def test_reference_in_a_hash_table_is_found_by_identity_and_never_compared():
    reference = User.address.city
    table = {reference: 1, User.address.city: 2, User.org: 3}

    assert table[reference] == 1
    assert len({User.address.city, User.address.city}) == 2
    assert User.address.city not in table
    assert table[User.org] == 3


def test_reference_to_a_field_is_made_once_and_read_through_the_class_each_time():
    @dataclass
    class Place:
        name: str

    assert User.age is User.age
    assert expr(Place).name is expr(Place).name
    assert expr(User).age is User.age


def test_reference_is_copied_and_pickled():
    reference = User.address.city

    for made in (copy.copy(reference), copy.deepcopy(reference), pickle.loads(pickle.dumps(reference))):
        assert repr(made) == "User.address.city"
        assert made.__oxidyn_model__ is User


def test_expr_gives_references_of_any_model():
    @dataclass
    class Event:
        day: str
        size: int = 0

    class Place(TypedDict):
        name: str
        items: list[int]

    class Plain(BaseModel):
        copy_: str
        get: int

    assert _node(expr(Event).day == "x") == ("=", "Event.day", "x")
    assert _node(expr(Event).size > 1) == (">", "Event.size", 1)
    assert _node(expr(Place)["name"] == "x") == ("=", "Place.name", "x")
    assert _node(expr(Place)["items"][0] == 1) == ("=", "Place.items[0]", 1)
    assert _node(expr(Plain).get == 1) == ("=", "Plain.get", 1)


def test_expr_of_an_unknown_field_names_the_fields():
    with pytest.raises(AttributeError, match=r"User has no field 'agee'; it has org, age"):
        _ = expr(User).agee
    with pytest.raises(KeyError, match=r"User has no field 'agee'; it has org, age"):
        _ = expr(User)["agee"]


@pytest.mark.parametrize("model", [int, list[int], dict])
def test_expr_of_what_has_no_fields_is_refused(model):
    with pytest.raises(OxidynError, match="is no item: expected a model with fields"):
        _ = expr(model).x


# Values are never shown


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (lambda: User.nick == "secret", "User.nick == …"),
        (lambda: (User.age > 1) & ~(User.nick == "secret"), "(User.age > …) & (~(User.nick == …))"),
        (lambda: (User.age != 1) | (User.age <= 2), "(User.age != …) | (User.age <= …)"),
        (lambda: attr(User.nick).is_none(), "attr(User.nick).is_none()"),
        (lambda: attr(User.nick).between("secret", "secret"), "attr(User.nick).between(…, …)"),
        (lambda: attr(User.nick).is_in(["secret"]), "attr(User.nick).is_in(…)"),
        (lambda: attr(User.nick), "attr(User.nick)"),
        (lambda: attr(User.nick).set("secret"), "attr(User.nick).set(…)"),
        (lambda: attr(User.age).add(4711), "attr(User.age).add(…)"),
        (lambda: attr(User.nick).remove(), "attr(User.nick).remove()"),
        (lambda: attr(User.tags).contains("secret"), "attr(User.tags).contains(…)"),
        (lambda: attr(User.tags).contains(User.org), "attr(User.tags).contains(User.org)"),
        (lambda: attr(User.tags).size().between(1, User.age), "attr(User.tags).size().between(…, User.age)"),
        (lambda: attr(User.nick).attribute_type("NULL"), 'attr(User.nick).attribute_type("NULL")'),
        (lambda: User.age > User.lines[0], "User.age > User.lines[0]"),
        (lambda: User.age + 4711, "User.age + …"),
        (lambda: 4711 - (User.age + User.age), "… - (User.age + User.age)"),
        (lambda: attr(User.age).if_not_exists(4711) + 4711, "attr(User.age).if_not_exists(…) + …"),
        (lambda: attr(User.age).set(User.age + 4711), "attr(User.age).set(User.age + …)"),
        (lambda: attr(User.age).set(User.age), "attr(User.age).set(User.age)"),
        (lambda: attr(User.tags).delete({"secret"}), "attr(User.tags).delete(…)"),
        (lambda: attr(User.lines).append(4711, 4712), "attr(User.lines).append(…)"),
    ],
)
def test_repr_reads_as_code_without_values(shown, text):
    assert repr(shown()) == text


@pytest.mark.parametrize(
    ("action", "node"),
    [
        (lambda: attr(User.age).set(4), ("set", "User.age", 4)),
        (lambda: attr(User.nick).set(None), ("set", "User.nick", None)),
        (lambda: attr(User.age).add(-1), ("add", "User.age", -1)),
        (lambda: attr(User.tags).add({"a"}), ("add", "User.tags", {"a"})),
        (lambda: attr(User.nick).remove(), ("remove", "User.nick")),
        (lambda: attr(some(User.address).city).set("Ulm"), ("set", "User.address.city", "Ulm")),
        (lambda: attr(User.age).set(User.lines[0]), ("set", "User.age", "User.lines[0]")),
        (lambda: attr(User.age).set(attr(User.age)), ("set", "User.age", "User.age")),
        (lambda: attr(User.tags).delete({"a"}), ("delete", "User.tags", {"a"})),
        (lambda: attr(User.lines).append(1, 2), ("append", "User.lines", (1, 2))),
        (lambda: attr(User.lines).prepend(1), ("prepend", "User.lines", (1,))),
    ],
)
def test_action_is_a_node(action, node):
    assert _node(action().__oxidyn_node__) == node


@pytest.mark.parametrize(
    ("computed", "node"),
    [
        (lambda: User.age + 1, ("+", "User.age", 1)),
        (lambda: 1 + User.age, ("+", 1, "User.age")),
        (lambda: User.age - User.age, ("-", "User.age", "User.age")),
        (lambda: attr(User.age) - 1, ("-", "User.age", 1)),
        (lambda: 1 - attr(User.age), ("-", 1, "User.age")),
        (lambda: User.age + 1 - 2, ("-", "User.age + …", 2)),
        (lambda: sum([User.age, User.age]), ("+", "… + User.age", "User.age")),
        (lambda: attr(User.age).if_not_exists(0), ("if_not_exists", "User.age", 0)),
        (lambda: attr(User.age).if_not_exists(User.age), ("if_not_exists", "User.age", "User.age")),
    ],
)
def test_arithmetic_is_what_an_update_computes(computed, node):
    assert _node(computed().__oxidyn_node__) == node
