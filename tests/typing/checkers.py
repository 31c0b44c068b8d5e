"""What both drivers share: which lines of mistakes.py a checker must report."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = Path(__file__).with_name("examples.py")
MISTAKES = Path(__file__).with_name("mistakes.py")

_WANTED = re.compile(r"# wanted(?:: (?P<checker>\w+))?$")


def wanted_lines(checker: str) -> list[int]:
    """The numbers of the lines that this checker must report."""
    lines = MISTAKES.read_text(encoding="utf-8").splitlines()
    found = ((number, _WANTED.search(line)) for number, line in enumerate(lines, 1))
    return [number for number, match in found if match and match["checker"] in (None, checker)]
