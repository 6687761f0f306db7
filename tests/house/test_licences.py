"""NOTICE names every package taken in, and none of those that run binds the product to its own licence."""

import json
import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata

import pytest
from packaging.requirements import Requirement

from tests.house.repo import read
from tests.house.test_locks import locked

# GPL and AGPL in any spelling; the LGPL asks nothing of who only calls a library.
BINDING = re.compile(
    r"(?<!L)(?<!Lesser )\bA?GPL|(?<!Lesser )(?<!Library or Lesser )General Public License", re.IGNORECASE
)


def binding(licence: str) -> bool:
    """Whether a licence, as packages name theirs, would bind the whole product. A choice with `OR` leaves a way out."""
    return all(BINDING.search(choice) for choice in re.split(r"\bOR\b", licence))


def python_licences() -> dict[str, str]:
    """Licence of each package of the run-time lock that is installed here."""
    found = {}
    for name in locked("requirements.lock"):
        try:
            about = metadata(name)
        except PackageNotFoundError:
            continue  # for another platform or an older Python
        classifiers = [line for line in about.get_all("Classifier") or [] if line.startswith("License")]
        stated = [line for field in ("License-Expression", "License") for line in (about.get_all(field) or [""])]
        found[name] = " AND ".join([*classifiers, *(line.splitlines()[0] for line in stated if line)])
    return found


def page_licences() -> dict[str, str]:
    """Licence of each package that may end up in the pages."""
    packages = json.loads(read("web/package-lock.json"))["packages"]
    return {path: about.get("license", "") for path, about in packages.items() if path and not about.get("dev")}


def direct() -> set[str]:
    """All packages that pyproject.toml and web/package.json ask for."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    package = json.loads(read("web/package.json"))
    return {Requirement(line).name for line in lines} | set(package["dependencies"] | package["devDependencies"])


def test_no_licence_binds_the_product() -> None:
    found = python_licences() | page_licences()
    assert {name: licence for name, licence in found.items() if binding(licence)} == {}


def test_notice_names_every_direct_dependency() -> None:
    named = set(re.findall(r"^\| `?([\w@/.-]+)`? \|", read("NOTICE"), re.MULTILINE))
    assert direct() - named == set()


@pytest.mark.parametrize(
    ("licence", "binds"),
    [
        ("MIT", False),
        ("LGPL-2.1-or-later", False),
        ("GNU Lesser General Public License v3", False),
        ("GPL-3.0-only", True),
        ("AGPL-3.0", True),
        ("GNU General Public License v2 (GPLv2)", True),
        ("MIT OR GPL-3.0", False),
    ],
)
def test_the_rule_bites(licence: str, binds: bool) -> None:
    assert binding(licence) is binds
