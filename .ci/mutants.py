"""Changes the rules that money depends on, one small thing at a time, and demands that a test notices each.

mutants.py [FILE]    FILE: one of the files below, or the beginning of its path

A mutant that no test can notice, because it is the same program, stands in tests/mutants.txt with its reason.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
EXCUSED = ROOT / "tests" / "mutants.txt"
#: the rules of crediting, of hours and of the ledger, and the tests that own them
TARGETS = {
    "server/attendance/challenges/rules.py": "tests/attendance/challenges/test_rules.py",
    "server/attendance/corrections/rules.py": "tests/attendance/corrections/test_rules.py",
    "server/attendance/credit.py": "tests/attendance/test_credit.py tests/attendance/test_credit_clock.py",
    "server/attendance/hours.py": "tests/attendance/test_hours.py",
    "server/attendance/intervals.py": "tests/attendance/test_intervals.py",
    "server/attendance/lease.py": "tests/attendance/test_lease.py",
    "server/attendance/minutes.py": "tests/attendance/test_minutes.py",
    "server/attendance/recorded.py": "tests/attendance/test_recorded.py",
    "server/ledger/rules.py": "tests/ledger/test_rules.py",
    "server/verify/minutes.py": "tests/verify/test_minutes.py",
    "server/verify/tree.py": "tests/verify/test_tree.py",
    "server/verify/vouched.py": "tests/verify/test_vouched.py",
}
COPIED = ("server", "media", "tests", "migrations", "pyproject.toml", "config.yaml", "web/dist", "docs", "README.md")
LIMIT_S = 180
#: pytest's exit codes: all is well; it was asked the wrong way; there was no test
PASSED, MISUSED, NONE = 0, 4, 5


COMPARES = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
SUMS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


class Mutant(NamedTuple):
    """A changed file: where, what stood there, what stands there now, and the whole text."""

    file: str
    place: str
    old: str
    new: str
    #: which of several that read the same, from 1
    number: int
    text: str

    @property
    def name(self) -> str:
        again = f" ({self.number})" if self.number > 1 else ""
        return f"{self.file} {self.place}: {self.old} -> {self.new}{again}"


def mutants(file: str) -> Iterator[Mutant]:
    """Every single change to a file."""
    source = (ROOT / file).read_text(encoding="utf-8")
    tree, seen = ast.parse(source), Counter[tuple[str, ...]]()
    for place, node in _within(tree, "module"):
        for changed in _changes(node):
            old, new = ast.get_source_segment(source, node) or "", ast.unparse(changed)
            if text := _replaced(source, node, new):
                words = (place, " ".join(old.split()), " ".join(new.split()))
                seen[words] += 1
                yield Mutant(file, *words, seen[words], text)


def _within(node: ast.AST, place: str) -> Iterator[tuple[str, ast.AST]]:
    """Every node with the function that it stands in; types and texts are left alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            yield from (found for part in child.body for found in _from(part, child.name))
        elif not isinstance(child, ast.Import | ast.ImportFrom):
            yield from _from(child, place)


def _from(node: ast.AST, place: str) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):  # a method: its annotations are types
        yield from (found for part in node.body for found in _from(part, place))
        return
    yield place, node
    if isinstance(node, ast.AnnAssign):
        if node.value is not None:
            yield from _from(node.value, place)
        return
    yield from _within(node, place)


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """The node as it could wrongly be."""
    for change in (_of_operators, _of_values, _of_statements):
        yield from change(node)


def _of_operators(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=ops):
            for at, op in enumerate(ops):
                if type(op) in COMPARES:
                    yield ast.Compare(node.left, [*ops[:at], COMPARES[type(op)](), *ops[at + 1 :]], node.comparators)
        case ast.BinOp(op=op) if type(op) in SUMS:
            yield ast.BinOp(node.left, SUMS[type(op)](), node.right)
        case ast.BoolOp(op=op):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case _:
            return


def _of_values(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.IfExp():
            yield ast.IfExp(node.test, node.orelse, node.body)
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Call(func=ast.Name(id=name)) if name in NAMES:
            yield ast.Call(ast.Name(NAMES[name]), node.args, node.keywords)
        case _:
            return


def _of_statements(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Return(value=ast.expr()):
            yield ast.Return(ast.Constant(None))
        case ast.Raise() | ast.Continue() | ast.AugAssign() | ast.Expr(value=ast.Call()):
            yield ast.Pass()
        case _:
            return


def _replaced(source: str, node: ast.AST, new: str) -> str | None:
    """The source with the node's text replaced, in brackets where it is an expression. Offsets of `ast` are bytes."""
    if not isinstance(node, ast.expr | ast.stmt) or node.end_lineno is None or node.end_col_offset is None:
        return None
    lines = source.encode().splitlines(keepends=True)
    begin = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: node.end_lineno - 1])) + node.end_col_offset
    raw = source.encode()
    text = (raw[:begin] + (f"({new})" if isinstance(node, ast.expr) else new).encode() + raw[end:]).decode()
    try:
        ast.parse(text)
    except SyntaxError:
        return None
    return text if ast.dump(ast.parse(text)) != ast.dump(ast.parse(source)) else None


def excused() -> dict[str, str]:
    """The mutants that are the same program, with the reason."""
    lines = EXCUSED.read_text(encoding="utf-8").splitlines()
    known = [line.partition("  # ") for line in lines if line and not line.startswith("#")]
    return {name: reason for name, _, reason in known}


def _copy(folder: Path) -> Path:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".hypothesis"))
        elif source.exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)
    return folder


def _passes(folder: Path, tests: str) -> bool:
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", *tests.split()]
    quiet = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=quiet, capture_output=True, timeout=LIMIT_S, check=False)
    if done.returncode in (MISUSED, NONE):
        raise SystemExit(f"the tests cannot be run: {tests}\n{done.stdout.decode()}{done.stderr.decode()}")
    return done.returncode == PASSED


def killed(folder: Path, mutant: Mutant, tests: str) -> bool:
    """Whether the tests notice; a mutant that never ends is noticed."""
    path = folder / mutant.file
    original = path.read_text(encoding="utf-8")
    path.write_text(mutant.text, encoding="utf-8")
    try:
        return not _passes(folder, tests)
    except subprocess.TimeoutExpired:
        return True
    finally:
        path.write_text(original, encoding="utf-8")


def main(wanted: str) -> int:
    """0 when every mutant is killed or excused, and every excuse is needed."""
    known, survived, count = excused(), [], 0
    with tempfile.TemporaryDirectory() as scratch:
        houses: Queue[Path] = Queue()
        workers = os.cpu_count() or 1
        for number in range(workers):
            houses.put(_copy(Path(scratch) / str(number)))

        for tests in TARGETS.values():
            if not _passes(Path(scratch) / "0", tests):
                raise SystemExit(f"without any mutant, these tests fail: {tests}")

        def tried(mutant: Mutant, tests: str) -> bool:
            house = houses.get()
            try:
                return killed(house, mutant, tests)
            finally:
                houses.put(house)

        work = [(one, tests) for file, tests in TARGETS.items() if file.startswith(wanted) for one in mutants(file)]
        with ThreadPoolExecutor(workers) as pool:
            for (mutant, _tests), dead in zip(work, pool.map(lambda each: tried(*each), work), strict=True):
                count += 1
                if dead and mutant.name in known:
                    survived.append(f"excused but killed: {mutant.name}")
                elif not dead and mutant.name not in known:
                    survived.append(f"survived: {mutant.name}")
                    print(survived[-1], flush=True)
    print(f"{count} mutants, {sum(1 for one, _ in work if one.name in known)} excused, {len(survived)} to look at")
    print("\n".join(one for one in survived if one.startswith("excused")))
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
