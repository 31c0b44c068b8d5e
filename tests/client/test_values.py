"""Markers are values: frozen, compared, copied and pickled by what they say."""

import copy
import pickle
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from oxidyn import TTL, All, Attribute, Epoch, Include, Index, KeysOnly, PartitionKey, SortKey

# Each beside an equal one that is made anew, where one can be.
MARKERS: list[tuple[Any, Any]] = [
    (All(), All()),
    (KeysOnly(), KeysOnly()),
    (Include("name", "email"), Include("name", "email")),
    (Index("by_email", partition=True), Index("by_email", partition=True)),
    (Index("by_place", sort=2), Index("by_place", sort=2)),
    (Index.keys(partition="org", sort=("at", "id")), Index.keys(partition=["org"], sort=["at", "id"])),
    (Attribute(name="c", utc=False), Attribute(utc=False, name="c")),
    (Epoch, Epoch("s")),
    (Epoch("ms"), Epoch("ms")),
    (PartitionKey, PartitionKey),
    (SortKey, SortKey),
    (TTL, TTL),
]
each = pytest.mark.parametrize(("marker", "same"), MARKERS, ids=repr)


@each
def test_marker_equals_those_that_say_the_same_and_no_other(marker: Any, same: Any):
    assert marker == same
    assert hash(marker) == hash(same)
    assert sum(marker == other for other, _ in MARKERS) == 1


@each
def test_marker_is_copied_and_pickled(marker: Any, same: Any):
    assert copy.copy(marker) is copy.deepcopy(marker) is marker
    assert pickle.loads(pickle.dumps(marker)) == same


@each
def test_marker_is_frozen(marker: Any, same: Any):
    for name in (*type(marker).__match_args__, "other"):
        with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{name}'"):
            setattr(marker, name, None)
        with pytest.raises(FrozenInstanceError, match=f"cannot delete field '{name}'"):
            delattr(marker, name)
    assert marker == same


def test_marker_shows_how_it_is_made():
    assert repr(KeysOnly()) == "KeysOnly()"
    assert repr(Include("name")) == "Include(fields=('name',))"
    assert repr(Index("by_email", partition=True)) == 'Index("by_email", partition=True)'
    assert repr(Attribute(name="c", format="hex")) == "Attribute(name='c', format='hex')"
    assert [repr(marker) for marker in (PartitionKey, SortKey, TTL, Epoch, Epoch("ms"))] == [
        "PartitionKey",
        "SortKey",
        "TTL",
        "Epoch",
        'Epoch("ms")',
    ]


def test_field_that_is_missing_or_none_of_its_own_is_a_type_error():
    with pytest.raises(TypeError):
        Attribute("c")  # type: ignore[misc]
    with pytest.raises(TypeError):
        Attribute(label="c")  # type: ignore[call-arg]
