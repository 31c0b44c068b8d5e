"""The short form of `make soak`."""

from tests.faults.soak import soak


def test_every_write_is_accounted_for_and_what_was_opened_is_closed() -> None:
    report = soak(3000, 30, seed=1, rounds=2)

    assert report.outcomes["done"] > report.operations / 2
    assert report.outcomes["in doubt"] > 0
    assert report.resources[-1].descriptors <= report.resources[0].descriptors + 8
