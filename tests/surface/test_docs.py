"""The documentation's Python runs, and prints what the page says.

The `python` blocks of a page run in order in one module. A `text` block right after one is what it prints; `…` in it
stands for what differs between systems.
"""

import contextlib
import io
import re
import sys
import types
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Example:
    line: int
    code: str
    output: str | None


def examples(page: Path) -> list[Example]:
    text = page.read_text(encoding="utf-8")
    found: list[Example] = []
    end = 0
    for block in _BLOCK.finditer(text):
        if block["language"] == "python":
            found.append(Example(line=text.count("\n", 0, block.start("text")), code=block["text"], output=None))
        elif block["language"] == "text" and found and not text[end : block.start()].strip():
            found[-1].output = block["text"]
        end = block.end()
    return found


def run(page: Path) -> list[tuple[Example, str]]:
    """Run a page's examples, and give each with what it printed."""
    # Pydantic and dataclasses look a class's module up by name.
    module = types.ModuleType(f"docs_{page.stem.replace('-', '_')}")
    sys.modules[module.__name__] = module
    results = []
    try:
        for example in examples(page):
            code = compile("\n" * example.line + example.code, str(page), "exec")
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(code, vars(module))
            results.append((example, printed.getvalue()))
    finally:
        del sys.modules[module.__name__]
    return results


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "zensical.toml").read_text(encoding="utf-8")

    pages = [str(page.relative_to(ROOT / "docs")) for page in PAGES[1:]]

    assert [page for page in pages if f'"{page}"' not in navigation] == []


@pytest.mark.parametrize("page", [page for page in PAGES if examples(page)], ids=lambda page: page.stem)
def test_the_examples_of_a_page_print_what_it_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    results = run(page)

    for example, printed in results:
        expected = re.escape(example.output or "").replace("…", ".*")
        assert re.fullmatch(expected, printed), f"{page.name}, line {example.line}, printed:\n{printed}"
