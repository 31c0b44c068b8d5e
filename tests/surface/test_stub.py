"""The extension's hand-written stub says what the extension is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(300)
def test_stub_agrees_with_the_extension():
    pytest.importorskip("mypy", reason="stubtest is a part of mypy, which the tests alone do not install")

    checked = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "oxidyn._core"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": str(ROOT / "python")},
        timeout=280,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
