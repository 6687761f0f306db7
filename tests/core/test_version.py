"""One version, wherever it is said."""

import tomllib
from pathlib import Path

from server.core.version import VERSION


def test_the_project_says_the_same() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == VERSION
