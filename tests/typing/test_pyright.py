"""The surface under pyright strict."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.typing.checkers import EXAMPLES, MISTAKES, ROOT, wanted_lines

pytest.importorskip("pyright", reason="the checkers come with the lint group")
# A first run has no cache yet, and the other worker's checker beside it.
pytestmark = pytest.mark.timeout(300)


def _reported(path: Path) -> dict[int, str]:
    """Pyright's errors in the file by line."""
    checked = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", str(path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=280,
        check=False,
    )
    # Pyright's wrapper may print a line about its version first.
    report = json.loads(checked.stdout[checked.stdout.index("{") :])
    errors: dict[int, str] = {}
    for diagnostic in report["generalDiagnostics"]:
        if diagnostic["severity"] == "error":
            assert Path(diagnostic["file"]).name == path.name, diagnostic
            errors.setdefault(diagnostic["range"]["start"]["line"] + 1, diagnostic["message"])
    return errors


def test_examples_are_clean():
    assert _reported(EXAMPLES) == {}


def test_mistakes_are_reported_on_their_lines_and_nowhere_else():
    reported = _reported(MISTAKES)

    assert sorted(reported) == wanted_lines("pyright"), reported
