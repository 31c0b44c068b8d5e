"""The synchronous and the asynchronous surface are one: same names, parameters, defaults and results."""

import inspect
import itertools
import re
import typing
from collections.abc import Callable
from typing import Any

import pytest

from oxidyn import (
    AsyncClient,
    AsyncParallelScan,
    AsyncQuery,
    AsyncSelection,
    AsyncTable,
    Client,
    ParallelScan,
    Query,
    Selection,
    Table,
)
from oxidyn.operations import ClientOperations, TableOperations
from oxidyn.selection import SelectionOperations

# Python 3.10 forgets overloads; the checks of them are those of the later releases.
get_overloads = getattr(typing, "get_overloads", lambda _: [])

TWINS = [
    (Client, AsyncClient),
    (Table, AsyncTable),
    (Selection, AsyncSelection),
    (Query, AsyncQuery),
    (ParallelScan, AsyncParallelScan),
]

# Python's own protocols, whose names differ by colour.
PROTOCOLS = {
    "__iter__": "__aiter__",
    "__next__": "__anext__",
    "__enter__": "__aenter__",
    "__exit__": "__aexit__",
}


def _methods(cls: type) -> dict[str, Callable[..., Any]]:
    """What the class itself defines, protocols by their synchronous names."""
    synchronous = {theirs: ours for ours, theirs in PROTOCOLS.items()}
    return {
        synchronous.get(name, name): member
        for name, member in vars(cls).items()
        if inspect.isfunction(member) and (not name.startswith("_") or name in PROTOCOLS or name in synchronous)
    }


def _plain(annotation: Any) -> str:
    """An annotation as the synchronous twin would write it."""
    text = re.sub(r"\bAsync(?=Client|Table|Selection|Query|ParallelScan|Iterator)", "", str(annotation))
    return re.sub(r"^Awaitable\[(.*)\]$", r"\1", text)


def _signature(function: Callable[..., Any]) -> list[Any]:
    signature = inspect.signature(function)
    parameters = [
        (name, parameter.kind, parameter.default, _plain(parameter.annotation))
        for name, parameter in signature.parameters.items()
    ]
    return [*parameters, _plain(signature.return_annotation)]


@pytest.mark.parametrize(("synchronous", "asynchronous"), TWINS)
def test_twins_have_the_same_methods(synchronous, asynchronous):
    assert set(_methods(synchronous)) == set(_methods(asynchronous))
    assert synchronous.__mro__[1] is asynchronous.__mro__[1]


CASES = [
    pytest.param(member, _methods(asynchronous)[name], id=f"{synchronous.__name__}.{name}")
    for synchronous, asynchronous in TWINS
    for name, member in _methods(synchronous).items()
]


@pytest.mark.parametrize(("ours", "theirs"), CASES)
def test_twins_have_the_same_signatures(ours, theirs):
    assert _signature(ours) == _signature(theirs)


@pytest.mark.parametrize(("ours", "theirs"), CASES)
def test_twins_have_the_same_overloads(ours, theirs):
    assert [_signature(each) for each in get_overloads(ours)] == [_signature(each) for each in get_overloads(theirs)]


@pytest.mark.parametrize(("ours", "theirs"), CASES)
def test_docstring_of_the_asynchronous_twin_points_to_the_synchronous_one(ours, theirs):
    if ours.__doc__:
        assert theirs.__doc__ == f"See `{ours.__qualname__}`."


@pytest.mark.parametrize(
    ("runs", "builds", "others"),
    [
        (Table, TableOperations, {"query", "scan", "parallel_scan", "select"}),
        (Selection, SelectionOperations, {"query", "scan"}),
        (Client, ClientOperations, {"table", "run", "close", "__enter__", "__exit__"}),
    ],
)
def test_every_operation_is_a_value_too(runs, builds, others):
    # DynamoDB has checks in transactions only, so no table runs them.
    builders = {name: builder for name, builder in _methods(builds).items() if name != "check"}

    assert set(_methods(runs)) - others == set(builders)
    for name, builder in builders.items():
        *parameters, result = _signature(builder)
        *expected, returned = _signature(_methods(runs)[name])
        assert parameters == expected, name
        assert result in (f"Operation[{returned}]", "Operation[Any]"), name
        for ours, theirs in zip(get_overloads(builder), get_overloads(_methods(runs)[name]), strict=True):
            *parameters, result = _signature(ours)
            *expected, returned = _signature(theirs)
            assert (parameters, result) == (expected, f"Operation[{returned}]"), name


def test_query_is_iterated_in_one_colour_only_and_is_no_generator():
    assert not hasattr(Query, "__aiter__")
    assert not hasattr(AsyncQuery, "__iter__")
    for method in (Query.__iter__, AsyncQuery.__aiter__):
        assert not inspect.isgeneratorfunction(method)
        assert not inspect.isasyncgenfunction(method)


def test_no_boolean_parameter_changes_a_result():
    for cls in (*itertools.chain(*TWINS), TableOperations, ClientOperations):
        for name, method in _methods(cls).items():
            for overload in get_overloads(method):
                kinds = {_plain(each.annotation) for each in inspect.signature(overload).parameters.values()}
                assert not {"Literal[True]", "Literal[False]"} & kinds, f"{cls.__name__}.{name}"
