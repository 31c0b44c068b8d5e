"""Tables of the shared models, made anew for every test on every engine and in both colours."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ops.models import Counter, Diary, Price, Reading, User, Word


def _table(client: Any, model: Any, table_name: str) -> Any:
    table = client.table(model, name=f"{table_name}-{model.__name__}")
    table.create_table()
    return table


@pytest.fixture
def users(client: Any, table_name: str) -> Any:
    return _table(client, User, table_name)


@pytest.fixture
def readings(client: Any, table_name: str) -> Any:
    return _table(client, Reading, table_name)


@pytest.fixture
def diaries(client: Any, table_name: str) -> Any:
    return _table(client, Diary, table_name)


@pytest.fixture
def prices(client: Any, table_name: str) -> Any:
    return _table(client, Price, table_name)


@pytest.fixture
def words(client: Any, table_name: str) -> Any:
    return _table(client, Word, table_name)


@pytest.fixture
def counters(client: Any, table_name: str) -> Any:
    return _table(client, Counter, table_name)
