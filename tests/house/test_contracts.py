"""The import contracts of pyproject.toml bite: each is broken here once, in a small house of its own."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.repo import ROOT

COMMAND = "from importlinter.cli import lint_imports_command; lint_imports_command()"
HOUSE = {
    "server/core/errors.py": "",
    "server/core/clock.py": "import time",
    "server/core/database.py": "import sqlalchemy",
    "server/core/wire.py": "",
    "server/accounts/rules.py": "import server.core.errors",
    "server/accounts/records.py": "import server.core.database",
    "server/accounts/service.py": "import media.api",
    "server/accounts/api.py": "import server.accounts.service",
    "server/training/rules.py": "import server.accounts.rules",
    "server/attendance/challenges/counting.py": "import server.attendance.challenges.rules",
    "server/attendance/challenges/rules.py": "import server.training.rules",
    "server/attendance/corrections/rules.py": "",
    "server/attendance/corrections/records.py": "import server.attendance.corrections.rules",
    "server/live/lesson.py": "import server.attendance.timeline",
    "server/live/service.py": "import server.training.rules",
    "server/exams/service.py": "import server.training.rules",
    "server/app.py": "import media.plane",
    "media/api.py": "",
    "media/plane.py": "import media.api",
}
BREACHES = [
    ("floors", "server/core/errors.py", "import server.accounts.rules"),
    ("floors", "server/accounts/service.py", "import server.training.rules"),
    ("floors", "server/live/service.py", "import server.exams.service"),
    ("floors", "server/live/service.py", "import server.app"),
    ("floors", "server/verify/tree.py", "import server.core.errors"),
    ("rooms", "server/accounts/rules.py", "import server.accounts.records"),
    ("rooms", "server/accounts/records.py", "import server.accounts.service"),
    ("rooms", "server/accounts/service.py", "import server.accounts.api"),
    ("rooms", "server/attendance/corrections/rules.py", "import server.attendance.corrections.records"),
    ("core", "server/core/clock.py", "import server.core.wire"),
    ("core", "server/core/errors.py", "import server.core.clock"),
    ("pure", "server/accounts/rules.py", "import random"),
    ("pure", "server/accounts/rules.py", "from pathlib import Path"),
    ("pure", "server/accounts/rules.py", "import server.core.clock"),
    ("pure", "server/accounts/rules.py", "import server.core.database"),
    ("pure", "server/attendance/credit.py", "import time"),
    ("pure", "server/live/lesson.py", "import asyncio"),
    ("media", "media/plane.py", "import server.core.errors"),
    ("media", "media/plane.py", "import sqlalchemy"),
    ("media-door", "server/accounts/service.py", "import media.plane"),
]


def contracts() -> str:
    """The part of pyproject.toml that import-linter reads."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return text[text.index("[tool.importlinter]") :]


def pure() -> dict[str, str]:
    """Every file that must be pure by name, empty."""
    listed = tomllib.loads(contracts())["tool"]["importlinter"]["contracts"]
    (names,) = (entry["source_modules"] for entry in listed if entry["id"] == "pure")
    return {f"{name.replace('.', '/')}.py": "" for name in names if "*" not in name}


def build(folder: Path) -> None:
    (folder / "pyproject.toml").write_text(contracts(), encoding="utf-8")
    for path, code in (pure() | HOUSE).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{code}\n")
        for package in (file.parent, folder / path.split("/")[0]):
            (package / "__init__.py").touch()


def broken(folder: Path) -> set[str]:
    """Names of the contracts that do not hold in this house."""
    command = [sys.executable, "-c", COMMAND, "--no-logo", "--no-cache"]
    said = subprocess.run(command, cwd=folder, env={"COLUMNS": "200"}, capture_output=True, text=True, check=False)
    assert "Contracts" in said.stdout, said.stdout + said.stderr
    return set(re.findall(r"^(.+) BROKEN", said.stdout, re.MULTILINE))


def test_an_orderly_house_holds(tmp_path: Path) -> None:
    build(tmp_path)
    assert broken(tmp_path) == set()


@pytest.mark.parametrize(("contract", "path", "code"), BREACHES)
def test_each_contract_bites(tmp_path: Path, contract: str, path: str, code: str) -> None:
    build(tmp_path)
    with (tmp_path / path).open("a") as file:
        file.write(f"{code}\n")
    listed = tomllib.loads(contracts())["tool"]["importlinter"]["contracts"]
    names = {entry["id"]: entry["name"] for entry in listed}
    assert any(names[contract].endswith(found) for found in broken(tmp_path))


def test_every_contract_is_broken_once() -> None:
    listed = tomllib.loads(contracts())["tool"]["importlinter"]["contracts"]
    assert {entry["id"] for entry in listed} == {contract for contract, _, _ in BREACHES}
