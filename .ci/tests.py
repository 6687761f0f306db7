"""In which order and company tests run, and what is printed of the long ones.

    tests.py test [PATHS...]    without the tests marked `long`: the pages', everything but browsers on two processes,
                                browsers on two, those whose picture is measured alone
    tests.py long [PATHS...]    only those: what counts on two processes, what measures alone, browsers alone; all
                                rounds, then a table for docs/long.md

The rounds without browsers run under a foreign time zone: no test may lean on the machine's.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import figures

ROOT = Path(__file__).resolve().parent.parent
BROWSER_TESTS = "tests/e2e"
#: what holds a picture in a browser to milliseconds and to a number of frames
PICTURES = tuple(
    f"{BROWSER_TESTS}/test_{name}.py" for name in ("bad_lines", "firefox", "media", "parts", "screen", "tiers")
)
#: what says how long something took, or holds servers to seconds
MEASURING = ("tests/cluster", "tests/crowds", "tests/faults/test_asleep.py", "tests/media/test_soak.py")
PYTEST = [sys.executable, "-m", "pytest", "-q"]
SIDE_BY_SIDE = ("-n", "2", "--dist", "worksteal")
NEW_YORK = "America/New_York"
# The same rules spelled out, where the system has no zone files: it would take the name for UTC.
ELSEWHERE = {"TZ": NEW_YORK if Path("/usr/share/zoneinfo", NEW_YORK).exists() else "EST5EDT,M3.2.0,M11.1.0"}
NOTHING_SELECTED = 5
MARKS = {"test": "not long", "long": "long"}


def call(command: list[str], env: Mapping[str, str] | None = None) -> int:
    """Run one round, output shown as it comes; that it had nothing to do is no failure."""
    code = subprocess.run(command, cwd=ROOT, env={**os.environ, **(env or {})}, check=False).returncode
    return 0 if code == NOTHING_SELECTED else code


def ignoring(*paths: str, of: str = "tests") -> list[str]:
    """The whole suite, or a part of it, without these."""
    return [of, *(f"--ignore={path}" for path in paths)]


def whole() -> int:
    """All that `make test` runs; the first round that fails ends it."""
    if code := call([sys.executable, "-B", ".ci/setup.py", "npm", "--silent", "run", "test"]):
        return code
    rounds: list[tuple[list[str], Mapping[str, str]]] = [
        ([*ignoring(BROWSER_TESTS), *SIDE_BY_SIDE], ELSEWHERE),
        ([*ignoring(*PICTURES, of=BROWSER_TESTS), *SIDE_BY_SIDE], {}),
        ([*PICTURES], {}),
    ]
    failures = (call([*PYTEST, *arguments, "-m", MARKS["test"]], env) for arguments, env in rounds)
    return next(filter(None, failures), 0)


def long(paths: list[str]) -> int:
    """All long tests, or those of some paths one after the other; the table comes last."""
    rounds: list[tuple[list[str], Mapping[str, str]]] = [(paths, ELSEWHERE)]
    if not paths:
        rounds = [
            ([*ignoring(BROWSER_TESTS, *MEASURING), *SIDE_BY_SIDE], ELSEWHERE),
            ([*MEASURING], ELSEWHERE),
            ([BROWSER_TESTS], {}),
        ]
    codes, reports = [], []
    state = figures.commit()
    for number, (arguments, env) in enumerate(rounds, start=1):
        reports.append(ROOT / "build" / f"long-{number}.xml")
        reports[-1].unlink(missing_ok=True)
        codes.append(call([*PYTEST, *arguments, "-m", MARKS["long"], *figures.into(reports[-1])], env))
    print("\n".join(figures.table(state, reports)))
    return max(codes)


def main(arguments: list[str]) -> int:
    """Return pytest's exit code, or that of the pages' tests."""
    mark, *paths = arguments
    if mark == "long":
        return long(paths)
    return call([*PYTEST, *paths, "-m", MARKS[mark]]) if paths else whole()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
