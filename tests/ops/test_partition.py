"""A whole partition at once: what a query finds goes into a batch."""

from __future__ import annotations

from typing import Any

from tests.ops.models import User


def test_a_partition_is_deleted_by_what_a_query_finds(users: Any) -> None:
    users.batch_put([User(org=org, id=number) for org in "ab" for number in range(40)])

    users.batch_delete(list(users.query(User.org == "a")))

    assert users.query(User.org == "a").count() == 0
    assert users.query(User.org == "b").count() == 40
