"""Decides which small changes are made to a file of rules, one for each mutant: every operator, value, condition and
statement that could wrongly be another. Annotations, texts and imports are left alone.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from system import ROOT

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
#: conditions that are changed from within
JUDGED = ast.Compare | ast.BoolOp | ast.UnaryOp
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
    asked = {id(one) for node in ast.walk(tree) for one in _conditions(node) if not isinstance(one, JUDGED)}
    for place, node in _within(tree, "module"):
        denied = [ast.UnaryOp(ast.Not(), node)] if isinstance(node, ast.expr) and id(node) in asked else []
        for changed in [*_changes(node), *denied]:
            old, new = ast.get_source_segment(source, node) or "", ast.unparse(changed)
            if text := _replaced(source, node, new):
                words = (place, " ".join(old.split()), " ".join(new.split()))
                seen[words] += 1
                yield Mutant(file, *words, seen[words], text)


def _conditions(node: ast.AST) -> list[ast.expr]:
    """What a node asks."""
    if isinstance(node, ast.comprehension):
        return node.ifs
    return [node.test] if isinstance(node, ast.If | ast.While | ast.IfExp) else []


def _within(node: ast.AST, place: str) -> Iterator[tuple[str, ast.AST]]:
    """Every node with the function that it stands in; types and texts are left alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            yield from (found for part in _parts(child) for found in _from(part, child.name))
        elif not isinstance(child, ast.Import | ast.ImportFrom):
            yield from _from(child, place)


def _from(node: ast.AST, place: str) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):  # a method: its annotations are types
        yield from (found for part in _parts(node) for found in _from(part, f"{place}.{node.name}"))
        return
    yield place, node
    if isinstance(node, ast.AnnAssign):
        if node.value is not None:
            yield from _from(node.value, place)
        return
    yield from _within(node, place)


def _parts(node: ast.FunctionDef | ast.ClassDef) -> list[ast.AST]:
    """What is done in it, and what its arguments are unless somebody says otherwise."""
    if isinstance(node, ast.ClassDef):
        return [*node.body]
    return [*node.args.defaults, *filter(None, node.args.kw_defaults), *node.body]


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
            for at in range(len(node.values)):
                left = [*node.values[:at], *node.values[at + 1 :]]
                yield ast.BoolOp(op, left) if len(left) > 1 else left[0]
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
        case (
            ast.Raise() | ast.Continue() | ast.AugAssign() | ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom())
        ):
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
