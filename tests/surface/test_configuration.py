"""docs/configuration.md has every option, and no other."""

import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest

from oxidyn import AsyncClient, Client, Config
from oxidyn.policies import Policies

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, list[str]]:
    """The cells behind each option's name, from the section's table."""
    section = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    [text] = [part for part in section if part.startswith(heading)]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line[:3] == "| `"]
    return {name.strip("| `"): rest for name, *rest in cells}


def test_page_has_every_field_of_config_in_order():
    assert list(rows("Options of a client")) == [field.name for field in fields(Config)]


def test_page_has_every_option_of_a_table():
    assert list(rows("Options of a table")) == [*Policies._fields, "rate_limit"]
    assert set(rows("Options of a table")) < set(inspect.signature(Client.table).parameters)


@pytest.mark.parametrize("heading", ["Options of a client", "Options of a table"])
def test_page_has_unit_default_and_meaning_of_each_option(heading):
    for name, cells in rows(heading).items():
        assert len(cells) == 3, name
        assert all(cells), name


@pytest.mark.parametrize("cls", [Client, AsyncClient])
def test_client_takes_every_field_of_config_as_a_keyword(cls):
    assert list(inspect.signature(cls).parameters) == ["config", *(field.name for field in fields(Config))]
