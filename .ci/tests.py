"""In which order and company tests run: pages, then everything but browsers on two processes, then browsers alone.

    tests.py test [PATHS...]    without the tests marked `long`
    tests.py long [PATHS...]    only those

The first round runs under a foreign time zone: no test may lean on the machine's. pytest's own summary comes last.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BROWSER_TESTS = ROOT / "tests" / "e2e"
PYTEST = [sys.executable, "-m", "pytest", "-q"]
NEW_YORK = "America/New_York"
# The same rules spelled out, where the system has no zone files: it would take the name for UTC.
ELSEWHERE = {"TZ": NEW_YORK if Path("/usr/share/zoneinfo", NEW_YORK).exists() else "EST5EDT,M3.2.0,M11.1.0"}
NOTHING_SELECTED = 5
MARKS = {"test": "not long", "long": "long"}


def call(command: list[str], env: Mapping[str, str] | None = None) -> int:
    """Run one round, output shown as it comes."""
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **(env or {})}, check=False).returncode


def whole(mark: str) -> int:
    """The whole suite; the first round that fails ends it."""
    if mark == "test" and (code := call([sys.executable, "-B", ".ci/setup.py", "npm", "--silent", "run", "test"])):
        return code
    browsers = any(BROWSER_TESTS.glob("test_*.py"))
    select = ["-m", MARKS[mark]]
    side_by_side = ["-n", "2"] if mark == "test" else []  # measurements want the machine to themselves
    code = call([*PYTEST, "tests", "--ignore", str(BROWSER_TESTS), *select, *side_by_side], ELSEWHERE)
    if code not in {0, NOTHING_SELECTED} or not browsers:
        return code
    last = call([*PYTEST, str(BROWSER_TESTS), *select])
    return code if last == NOTHING_SELECTED else last


def main(arguments: list[str]) -> int:
    """Return pytest's exit code, or that of the pages' tests."""
    mark, *paths = arguments
    return call([*PYTEST, *paths, "-m", MARKS[mark]]) if paths else whole(mark)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
