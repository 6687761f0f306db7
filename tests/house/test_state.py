"""Nothing lives at module level but constants, and no task is started where it could be lost."""

import ast
from collections.abc import Iterator

import pytest

from tests.house.repo import Source, sources

MAKERS = {"list", "dict", "set", "bytearray", "defaultdict", "deque", "Counter", "OrderedDict", "WeakValueDictionary"}
MUTATORS = {"append", "add", "update", "setdefault", "pop", "popitem", "clear", "insert", "extend", "remove", "discard"}
TASK_HOMES = {"server/core/tasks.py", "media/tasks.py"}
DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)


def is_mutable(value: ast.expr | None) -> bool:
    match value:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in MAKERS
        case _:
            return isinstance(value, DISPLAYS)


def is_constant(name: str) -> bool:
    return name.isupper() or name == "__all__"


def module_state(source: Source) -> Iterator[str]:
    """Mutable values at module level under names that do not promise to stay as they are."""
    for node in source.tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and is_mutable(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            yield from (f"{source.path}:{node.lineno} {name}" for name in names if not is_constant(name))


def broken_promises(source: Source) -> Iterator[str]:
    """`global`, and constants that are changed after all."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Global():
                yield f"{source.path}:{node.lineno} global"
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=verb)) if (
                name.isupper() and verb in MUTATORS
            ):
                yield f"{source.path}:{node.lineno} {name}.{verb}"
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()) if name.isupper():
                yield f"{source.path}:{node.lineno} {name}[...]"


def stray_tasks(source: Source) -> Iterator[str]:
    """`create_task` on a loop: ruff sees only `asyncio.create_task`. A TaskGroup's own is fine: it loses nothing."""
    if source.path in TASK_HOMES:
        return
    for node in ast.walk(source.tree):
        match node:
            case ast.Attribute(attr="create_task", value=ast.Call(func=ast.Attribute(attr=receiver))):
                pass
            case ast.Attribute(attr="create_task", value=ast.Name(id=receiver) | ast.Attribute(attr=receiver)):
                pass
            case _:
                continue
        if "loop" in receiver:
            yield f"{source.path}:{node.lineno}"


def product() -> list[Source]:
    return sources("server", "media")


def test_no_state_at_module_level() -> None:
    assert [found for source in product() for found in module_state(source)] == []


def test_constants_stay_as_they_are() -> None:
    assert [found for source in product() for found in broken_promises(source)] == []


def test_no_task_is_started_elsewhere() -> None:
    assert [found for source in product() for found in stray_tasks(source)] == []


@pytest.mark.parametrize("code", ["rooms = {}", "seen: set[str] = set()", "x = [1]", "q = collections.deque()"])
def test_the_rule_of_state_bites(code: str) -> None:
    assert len(list(module_state(Source("x.py", code)))) == 1


@pytest.mark.parametrize("code", ["LIMITS = {1: 2}", "__all__ = ['x']", "x = (1, 2)", "def f():\n    x = []"])
def test_the_rule_of_state_knows_constants(code: str) -> None:
    assert list(module_state(Source("x.py", code))) == []


@pytest.mark.parametrize(
    "code", ["def f():\n    global x", "def f():\n    ROOMS.append(1)", "ROOMS['a'] = 1", "del ROOMS[0]"]
)
def test_the_rule_of_constants_bites(code: str) -> None:
    assert len(list(broken_promises(Source("x.py", code)))) == 1


def test_the_rule_of_tasks_bites() -> None:
    for code in ("loop.create_task(x)", "asyncio.get_running_loop().create_task(x)", "self.loop.create_task(x)"):
        assert len(list(stray_tasks(Source("x.py", code)))) == 1
    assert list(stray_tasks(Source("x.py", "group.create_task(x)"))) == []
    assert list(stray_tasks(Source("media/tasks.py", "loop.create_task(x)"))) == []
