"""Hostile items, changed by a mutator that knows their form: those that once were findings, and some hundred of a seed.

`python -m tests.codec.hostile` looks for more, for as long as it is told; `hostile.py` says what must hold.
"""

import itertools
import random

import pytest

from tests.codec.hostile import SHAPES, Shape, check, corpus, inputs, replay

EVERY_SHAPE = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


@EVERY_SHAPE
def test_an_item_that_nothing_was_done_to_is_read(shape: Shape):
    assert check(shape, shape.seed)


@pytest.mark.parametrize("path", corpus(), ids=lambda path: path.stem)
def test_what_was_found_once_holds_now(path):
    replay(path)


@EVERY_SHAPE
def test_changed_items_are_read_well_or_refused(shape: Shape):
    tried = itertools.islice(inputs(shape, random.Random(20260131)), 400)

    read = sum(check(shape, data) for data in tried)

    assert 0 < read < 400
