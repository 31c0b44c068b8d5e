"""Which rooms of `src/` know Python, and which may import which module of the package."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KNOW_PYTHON = ("codec", "bridge", "py", "lib.rs")
SOURCES = sorted((ROOT / "src").rglob("*.rs"))

# Arrows of docs/internals: nothing looks back.
ARROWS = {
    "wire": set(),
    "expr": {"wire"},
    "transport": set(),
    "ops": {"expr", "wire", "transport"},
    "codec": {"wire", "expr"},
    "telemetry": {"ops", "transport", "wire"},
    "bridge": {"ops", "transport", "telemetry"},
}
SHARED = {"error", "limits"}


def _room(path: Path) -> str:
    return path.relative_to(ROOT / "src").parts[0]


def _code(path: Path) -> str:
    """The file without comments: prose may name what code may not."""
    return re.sub(r"//[^\n]*", "", path.read_text(encoding="utf-8"))


def test_sources_are_found():
    assert {"lib.rs", "wire", "expr", "ops", "transport", "codec", "bridge", "py"} <= {_room(path) for path in SOURCES}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_codec_bridge_py_and_lib_know_python(path):
    if _room(path) not in KNOW_PYTHON:
        assert "pyo3" not in _code(path)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_look_only_along_the_arrows(path):
    room = _room(path)
    if room in ARROWS:
        seen = set(re.findall(r"\bcrate::(\w+)", _code(path))) - SHARED - {room}
        assert seen <= ARROWS[room]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_but_the_bridge_touches_asyncio(path):
    if _room(path) != "bridge":
        assert "asyncio" not in _code(path)
