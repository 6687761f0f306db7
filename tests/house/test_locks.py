"""What is declared and what is locked are the same, and everything is locked exactly."""

import json
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import packages_distributions, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.repo import Source, read, sources
from tests.house.test_imports import imports

PINNED = re.compile(r"^([\w.-]+)==([\w.]+)", re.MULTILINE)
EXACT = {"aiortc", "python-engineio", "python-socketio"}  # private names of these are used
OURS = {"server", "media", "migrations", "tests"}


def declared() -> tuple[list[Requirement], list[Requirement]]:
    """(run time, test and check) requirements of pyproject.toml."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    return [Requirement(line) for line in project["dependencies"]], [Requirement(line) for line in extras]


def locked(path: str) -> dict[str, str]:
    return dict(PINNED.findall(read(path)))


def unmet(requirements: list[Requirement], lock: dict[str, str]) -> list[str]:
    """Requirements that a lock does not hold in a fitting version."""
    return [str(wanted) for wanted in requirements if not wanted.specifier.contains(lock.get(wanted.name, "0"))]


def test_the_locks_hold_what_is_declared() -> None:
    run, dev = declared()
    assert unmet(run, locked("requirements.lock")) == []
    assert unmet(run + dev, locked("requirements-dev.lock")) == []


def undeclared(source: Source, requirements: Iterable[Requirement], brought: Mapping[str, list[str]]) -> set[str]:
    """What a file imports that belongs to no required package: it would go when the package that brings it does."""
    wanted = {canonicalize_name(each.name) for each in requirements}
    names = {name.split(".")[0] for _, name in imports(source.tree)} - sys.stdlib_module_names - OURS
    return {name for name in names if not wanted & set(map(canonicalize_name, brought.get(name, [])))}


def test_what_is_imported_is_declared() -> None:
    run, dev = declared()
    brought = packages_distributions()
    found = {
        source.path: missing
        for source in sources(*OURS)
        if (missing := undeclared(source, run + dev if source.path.startswith("tests/") else run, brought))
    }
    assert found == {}


def test_the_rule_bites() -> None:
    assert unmet([Requirement("aiohttp>=3.12")], {"aiohttp": "3.11.0"}) == ["aiohttp>=3.12"]
    assert unmet([Requirement("aiohttp>=3.12")], {}) == ["aiohttp>=3.12"]


def test_the_development_lock_holds_the_other_one_unchanged() -> None:
    assert locked("requirements.lock").items() <= locked("requirements-dev.lock").items()


def test_what_private_names_are_taken_from_is_exact() -> None:
    run, _ = declared()
    exact = {wanted.name for wanted in run if str(wanted.specifier).startswith("==")}
    assert exact >= EXACT


def test_what_is_installed_is_what_is_locked() -> None:
    assert {name: version(name) for name in EXACT} == {name: locked("requirements.lock")[name] for name in EXACT}


def test_the_pages_packages_are_exact_and_locked() -> None:
    package = json.loads(read("web/package.json"))
    lock = json.loads(read("web/package-lock.json"))["packages"]
    wanted = package["dependencies"] | package["devDependencies"]
    assert {name: lock[f"node_modules/{name}"]["version"] for name in wanted} == wanted
