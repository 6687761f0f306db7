"""Files and functions stay small enough to be read in one go, and say first what they decide."""

import ast
from collections.abc import Iterator
from statistics import median

import pytest

from tests.house.repo import Source, files, read, sources

MAX_FILE_LINES = 400
MEDIAN_FILE_LINES = 150
MAX_FUNCTION_LINES = 40
CODE = (".py", ".ts", ".vue")
GENERATED = "Generated"  # stands in the first line of what a program wrote

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def long_functions(source: Source) -> Iterator[str]:
    """Functions over the limit; decorators and docstring do not count."""
    for node in ast.walk(source.tree):
        if not isinstance(node, FUNCTIONS):
            continue
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if ast.get_docstring(node, clean=False) is not None:
            doc = node.body[0]
            lines -= (doc.end_lineno or doc.lineno) - doc.lineno + 1
        if lines > MAX_FUNCTION_LINES:
            yield f"{source.path}:{node.lineno} {node.name} has {lines} lines"


def unearned_exemptions(source: Source) -> Iterator[str]:
    """Functions excused from the complexity limit without the one excuse there is: a flat `match`."""
    lines = source.text.splitlines()
    functions = (node for node in ast.walk(source.tree) if isinstance(node, FUNCTIONS))
    for node in functions:
        excused = "noqa: C901" in lines[node.lineno - 1]
        if excused and not any(isinstance(inner, ast.Match) for inner in ast.walk(node)):
            yield f"{source.path}:{node.lineno}"


def silent_module(source: Source) -> bool:
    """Whether a module that has any code lacks a docstring."""
    return bool(source.tree.body) and ast.get_docstring(source.tree) is None


def line_counts() -> dict[str, int]:
    texts = {path: read(path).splitlines() for path in files() if path.endswith(CODE)}
    return {path: len(lines) for path, lines in texts.items() if lines and GENERATED not in lines[0]}


def test_no_file_is_too_long() -> None:
    assert {path: count for path, count in line_counts().items() if count > MAX_FILE_LINES} == {}


def test_most_files_are_short() -> None:
    assert median(line_counts().values()) <= MEDIAN_FILE_LINES


def test_no_function_is_too_long() -> None:
    assert [found for source in sources() for found in long_functions(source)] == []


def test_only_a_match_may_be_complex() -> None:
    assert [found for source in sources() for found in unearned_exemptions(source)] == []


def test_every_module_says_what_it_decides() -> None:
    assert [source.path for source in sources() if silent_module(source)] == []


@pytest.mark.parametrize("lines", [MAX_FUNCTION_LINES, MAX_FUNCTION_LINES + 1])
def test_the_rule_of_function_length_bites(lines: int) -> None:
    body = "\n".join("    pass" for _ in range(lines - 1))
    found = list(long_functions(Source("x.py", f'def f():\n    """Not counted.\n    """\n{body}\n')))
    assert len(found) == (lines > MAX_FUNCTION_LINES)


def test_the_rule_of_exemptions_bites() -> None:
    flat = "def f(x):  # noqa: C901\n    match x:\n        case 1: return 2\n"
    assert list(unearned_exemptions(Source("x.py", flat))) == []
    assert list(unearned_exemptions(Source("x.py", "def f(x):  # noqa: C901\n    return x\n"))) == ["x.py:1"]


def test_the_rule_of_docstrings_bites() -> None:
    assert silent_module(Source("x.py", "X = 1\n"))
    assert not silent_module(Source("x.py", '"""Says it."""\nX = 1\n'))
    assert not silent_module(Source("__init__.py", ""))
