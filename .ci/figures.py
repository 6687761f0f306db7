"""What the long tests took and printed, as a table for docs/long.md."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
#: a line of the server's own log, which is no figure
LOGGED = re.compile(r"\d{4}-\d\d-\d\d |-+ Captured ")


def into(report: Path) -> list[str]:
    """What pytest must be told to keep durations and what tests print, also where they run side by side."""
    return [f"--junitxml={report}", "-o", "junit_logging=system-out", "-o", "junit_family=xunit2"]


def commit() -> str:
    """What is tested."""
    try:
        known = [_git("rev-parse", "--short", "HEAD"), "and changes" if _git("status", "--porcelain") else ""]
    except (OSError, subprocess.CalledProcessError):
        return "a copy without its history"
    return " ".join(known).strip()


def table(state: str, reports: Iterable[Path]) -> list[str]:
    """The heading, then a line for each test: what, seconds, outcome, and the last that it printed."""
    there = [one for one in reports if one.exists()]
    suites = [suite for one in there for suite in ElementTree.parse(one).getroot().iter("testsuite")]
    seconds = sum(float(suite.get("time", 0)) for suite in suites)
    day = time.strftime("%Y-%m-%d", time.gmtime())
    return [
        "",
        f"## {day}, `make long`, {os.cpu_count()} processors, load {os.getloadavg()[0]:.0f} at its end, "
        f"Python {platform.python_version()}, commit {state}, {seconds / 60:.0f} minutes",
        "",
        "| what | seconds | outcome |",
        "|---|---|---|",
        *(_row(case) for suite in suites for case in suite.iter("testcase")),
    ]


def _row(case: ElementTree.Element) -> str:
    where = case.get("classname", "").removeprefix("tests.")
    failed = case.find("failure") is not None or case.find("error") is not None
    said = list(_said(case.findtext("system-out") or ""))
    outcome = ("**failed**" if failed else "passed") + (f": {said[-1]}" if said else "")
    return f"| {where} `{case.get('name')}` | {float(case.get('time', 0)):.0f} | {outcome} |"


def _said(printed: str) -> Iterator[str]:
    return (line for line in printed.splitlines() if line.strip() and not LOGGED.match(line))


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
