"""The surface under mypy strict."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.typing.checkers import EXAMPLES, MISTAKES, ROOT, wanted_lines

pytest.importorskip("mypy", reason="the checkers come with the lint group")
# A first run has no cache yet, and the other worker's checker beside it.
pytestmark = pytest.mark.timeout(300)


def _reported(path: Path) -> dict[int, str]:
    """mypy's errors in the file by line."""
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "--no-pretty", str(path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=280,
        check=False,
    )
    assert checked.returncode in (0, 1), checked.stdout + checked.stderr
    errors: dict[int, str] = {}
    for line in checked.stdout.splitlines():
        match = re.match(r"(?P<file>[^:]+):(?P<line>\d+): error: (?P<text>.*)", line)
        if match:
            assert Path(match["file"]).name == path.name, line
            errors.setdefault(int(match["line"]), match["text"])
    return errors


def test_examples_are_clean():
    assert _reported(EXAMPLES) == {}


def test_mistakes_are_reported_on_their_lines_and_nowhere_else():
    reported = _reported(MISTAKES)

    assert sorted(reported) == wanted_lines("mypy"), reported
