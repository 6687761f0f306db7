"""Words that say nothing about this trade do not name anything here."""

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from tests.house.repo import Source, files, sources

BANNED = frozenset({"user", "student", "manager", "helper", "utils"})


def given_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, name) of everything this module names; what others' interfaces call theirs does not count."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.alias(name=name, asname=alias):
                yield node.lineno, alias or name.rsplit(".", 1)[-1]


def banned_names(source: Source) -> list[str]:
    return [f"{source.path}:{line} {name}" for line, name in given_names(source.tree) if name.lower() in BANNED]


def banned_path(path: str) -> bool:
    return any(part.split(".")[0].lower() in BANNED for part in PurePosixPath(path).parts)


def test_no_banned_name_in_python() -> None:
    assert [found for source in sources() for found in banned_names(source)] == []


def test_no_banned_file_or_folder() -> None:
    assert [path for path in files() if banned_path(path)] == []


@pytest.mark.parametrize(
    "code",
    [
        "user = 1",
        "def f(student): pass",
        "class Manager: pass",
        "import x.utils",
        "self.helper = 2",
        "def helper(): pass",
    ],
)
def test_the_rule_bites(code: str) -> None:
    assert len(banned_names(Source("x.py", code))) == 1


@pytest.mark.parametrize(
    "code", ["user_agent = 1", "connect(user='x')", "print(server.manager)", "import x.utils as words"]
)
def test_the_rule_leaves_others_names_alone(code: str) -> None:
    assert banned_names(Source("x.py", code)) == []


def test_the_rule_of_paths_bites() -> None:
    assert banned_path("server/utils/x.py")
    assert banned_path("web/src/helper.ts")
    assert not banned_path("server/user_agent.py")
