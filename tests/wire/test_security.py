"""docs/security.md keeps its word: every requirement of levels 1 and 2 has its line, every test that is named exists,
and what is not met says why.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.repo import read

#: OWASP ASVS 4.0.3, levels 1 and 2: section → its requirements' last numbers
SECTIONS = {
    **{
        "1.1": "1-7",
        "1.2": "1-4",
        "1.4": "1,4,5",
        "1.5": "1-4",
        "1.6": "1-4",
        "1.7": "1-2",
        "1.8": "1-2",
        "1.9": "1-2",
    },
    **{"1.10": "1", "1.11": "1-2", "1.12": "2", "1.14": "1-6"},
    **{"2.1": "1-12", "2.2": "1-3", "2.3": "1-3", "2.4": "1-5", "2.5": "1-7", "2.6": "1-3", "2.7": "1-6", "2.8": "1-7"},
    **{"2.9": "1-3", "2.10": "1-4"},
    **{"3.1": "1", "3.2": "1-4", "3.3": "1-4", "3.4": "1-5", "3.5": "1-3", "3.7": "1"},
    **{"4.1": "1-3,5", "4.2": "1-2", "4.3": "1-3"},
    **{"5.1": "1-5", "5.2": "1-8", "5.3": "1-10", "5.4": "1-3", "5.5": "1-4"},
    **{"6.1": "1-3", "6.2": "1-6", "6.3": "1-2", "6.4": "1-2"},
    **{"7.1": "1-4", "7.2": "1-2", "7.3": "1,3,4", "7.4": "1-3"},
    **{"8.1": "1-4", "8.2": "1-3", "8.3": "1-8"},
    **{"9.1": "1-3", "9.2": "1-4"},
    **{"10.2": "1-2", "10.3": "1-3", "11.1": "1-8"},
    **{"12.1": "1-3", "12.2": "1", "12.3": "1-6", "12.4": "1-2", "12.5": "1-2", "12.6": "1"},
    **{"13.1": "1,3-5", "13.2": "1-3,5,6", "13.3": "1-2", "13.4": "1-2"},
    **{"14.1": "1-4", "14.2": "1-6", "14.3": "2-3", "14.4": "1-7", "14.5": "1-4"},
}
STATES = {"met", "met, no test", "part", "not met", "does not apply"}


def _rows() -> list[list[str]]:
    lines = [line for line in read("docs/security.md").splitlines() if re.match(r"\| \d", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _span(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _named(cell: str) -> Iterator[str]:
    """`2.1.1, 2.7.1 to 2.7.3` one by one."""
    for part in cell.split(", "):
        first, _, last = part.partition(" to ")
        section, _, number = first.rpartition(".")
        yield from (f"{section}.{one}" for one in range(int(number), int((last or first).rpartition(".")[2]) + 1))


def _missing(cell: str) -> list[str]:
    """Which of the tests in a cell do not exist."""
    missing = []
    for path, name in re.findall(r"`([^`]+)::(\w+)`", cell):
        tree = ast.parse(read(path)) if path.startswith("tests/") and path.endswith(".py") else ast.Module([], [])
        functions = (ast.FunctionDef, ast.AsyncFunctionDef)
        if name not in {node.name for node in tree.body if isinstance(node, functions)}:
            missing.append(f"{path}::{name}")
    return missing


def test_every_requirement_has_its_line() -> None:
    expected = {f"{section}.{number}" for section, span in SECTIONS.items() for number in _span(span)}
    assert {one for row in _rows() for one in _named(row[0])} == expected


def test_every_test_that_is_named_exists() -> None:
    assert [missing for row in _rows() for missing in _missing(row[4])] == []


def test_every_line_says_how_it_stands() -> None:
    for requirement, asks, state, where, shown in _rows():
        assert state in STATES, requirement
        assert asks, requirement
        assert (shown != "") if state == "met" else (where != ""), f"{requirement} is {state} and does not show it"


@pytest.mark.parametrize("name", ["tests/wire/test_security.py::test_nothing", "tests/wire/gone.txt::test_gone"])
def test_a_test_that_is_gone_would_be_seen(name: str) -> None:
    assert _missing(f"`{name}`") == [name]
    assert _missing("`tests/wire/test_security.py::test_every_line_says_how_it_stands`") == []
