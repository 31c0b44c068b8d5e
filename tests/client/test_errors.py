"""The exceptions: one tree, each with its context, none with values in its text."""

import copy
import inspect
import pickle

import pytest
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

import oxidyn
from oxidyn import errors

CONTEXT = {"operation": "PutItem", "table": "users", "key": ("acme", 1), "request_id": "R1"}
CLASSES = [getattr(errors, name) for name in errors.__all__ if getattr(errors, name) is not errors.InvalidItem]


def _invalid_item() -> errors.InvalidItem:
    custom = PydanticCustomError("number_digits", "{found} digits, with a {{brace}}", {"found": 40})
    refusals = [
        {"type": "int_parsing", "loc": ("lines", 2, "qty"), "input": "secret"},
        {"type": custom, "loc": ("price",), "input": "secret"},
    ]
    return errors.InvalidItem.from_exception_data("Order", refusals, "python", hide_input=True)


@pytest.mark.parametrize("cls", CLASSES)
def test_error_carries_its_context(cls):
    error = cls("The words.", **CONTEXT)

    assert {name: getattr(error, name) for name in CONTEXT} == CONTEXT
    assert str(error) == 'The words. [PutItem, table "users", request id R1]'
    assert "acme" not in str(error)
    assert isinstance(error, errors.OxidynError)


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("again", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
def test_error_is_pickled_and_copied_with_its_context(cls, again):
    error = again(cls("The words.", **CONTEXT))

    assert type(error) is cls
    assert str(error) == str(cls("The words.", **CONTEXT))
    assert error.key == ("acme", 1)


def test_error_without_context_is_its_words():
    assert str(errors.OxidynError("The words.")) == "The words."


def test_extra_facts_stand_on_their_errors():
    assert errors.ConditionFailed("x", item=3).item == 3
    assert errors.ItemExists("x").item is None
    assert errors.ItemTooLarge("x", size=5, heaviest=[("a", 4)]).heaviest == (("a", 4),)
    assert errors.BatchIncomplete("x", unprocessed=("a",)).unprocessed == ["a"]
    assert errors.ServiceError("x", code="ValidationException").code == "ValidationException"
    assert errors.TransportError("x", ambiguous=True).ambiguous is True


def test_invalid_item_is_pydantics_error_and_ours():
    error = _invalid_item()

    assert isinstance(error, ValidationError)
    assert isinstance(error, errors.OxidynError)
    assert isinstance(error, ValueError)
    assert [line["loc"] for line in error.errors()] == [("lines", 2, "qty"), ("price",)]
    assert error.title == "Order"


def test_invalid_item_shows_its_context_and_no_values():
    error = _invalid_item()
    error.operation, error.table = "GetItem", "orders"

    assert str(error).endswith('[GetItem, table "orders"]')
    assert "secret" not in str(error)
    assert "secret" not in repr(error)


@pytest.mark.parametrize("again", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
def test_invalid_item_is_pickled_with_its_context_and_its_own_types(again):
    error = _invalid_item()
    error.table, error.key = "orders", "k"

    made = again(error)

    assert type(made) is errors.InvalidItem
    assert (made.table, made.key, made.title) == ("orders", "k", "Order")
    assert [(line["type"], line["loc"], line["msg"]) for line in made.errors()] == [
        (line["type"], line["loc"], line["msg"]) for line in error.errors()
    ]


def test_tree_in_the_docstring_is_the_tree():
    drawn: dict[str, int] = {}
    for line in (inspect.getdoc(errors) or "").splitlines():
        name = line.lstrip(" │├└─").split(" ")[0]
        if name in errors.__all__:
            drawn[name] = (len(line) - len(line.lstrip(" │├└─"))) // 4

    assert set(drawn) == set(errors.__all__)
    parents: list[str] = []
    for name, depth in drawn.items():
        parents[depth - drawn["OxidynError"] :] = [name]
        if name != "OxidynError":
            assert parents[-2] in [base.__name__ for base in getattr(errors, name).__mro__[1:3]], name


def test_every_error_is_exported():
    assert set(errors.__all__) <= set(oxidyn.__all__)
