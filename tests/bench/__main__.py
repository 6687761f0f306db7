"""`make bench`: runs every measurement beside this file, prints one table, writes build/bench.jsonl.

    python -m tests.bench [NAME...]    only the modules, or the figures, of these names

A measurement is a module in tests/bench with `run() -> list[dict]`, or an `async def run`. Each dict is one figure:
`name` (dotted, "beat.us"), `value`, `unit`, and where there is something to compare with in the same run
`peer` (what it is) and `ratio` (how many times better than the peer).
"""

import importlib
import inspect
import json
import sys
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import uvloop

HERE = Path(__file__).parent
OUT = HERE.parents[1] / "build" / "bench.jsonl"
FIELDS = ("name", "value", "unit", "peer", "ratio")
SIGNIFICANT_DIGITS = 4

Figure = dict[str, Any]


def modules(only: Sequence[str]) -> list[str]:
    """Names of the measuring modules; "beat.us" is looked for in beat.py, and everywhere if there is none."""
    names = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith(("_", "test_")))
    wanted = {word.split(".")[0] for word in only}
    return [name for name in names if name in wanted] or names


def measure(name: str) -> list[Figure]:
    """Run one module; its figures with exactly the fields of FIELDS. A module without `run` measures nothing."""
    run = getattr(importlib.import_module(f"tests.bench.{name}"), "run", None)
    if run is None:
        return []
    found = run()
    figures = uvloop.run(found) if inspect.iscoroutine(found) else found
    return [{field: figure.get(field) for field in FIELDS} for figure in figures]


def asked_for(figure: Figure, only: Sequence[str]) -> bool:
    """Whether a figure, or the group it belongs to, was named; everything is when nothing was named."""
    name = str(figure["name"])
    return not only or any(name == word or name.startswith(f"{word}.") for word in only)


def shown(value: object) -> str:
    """A figure as the table has it: four digits that mean something, a dash for nothing."""
    if isinstance(value, float):
        return f"{value:.{SIGNIFICANT_DIGITS}g}"
    return "-" if value is None else str(value)


def table(figures: Iterable[Figure]) -> str:
    """All figures under each other, numbers to the right."""
    rows = [FIELDS, *(tuple(shown(figure[field]) for field in FIELDS) for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    numbers = {FIELDS.index("value"), FIELDS.index("ratio")}
    lines = (
        "  ".join(cell.rjust(width) if at in numbers else cell.ljust(width) for at, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in rows)
    )
    return "\n".join(line.rstrip() for line in lines)


def main(only: Sequence[str]) -> int:
    """Measure, print, write; 1 when a measurement broke or nothing of that name exists."""
    figures: list[Figure] = []
    broken = False
    for name in modules(only):
        try:
            figures += [figure for figure in measure(name) if asked_for(figure, only)]
        except Exception:  # noqa: BLE001 - one broken measurement must not hide the others
            traceback.print_exc()
            broken = True
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text("".join(json.dumps(figure, ensure_ascii=False) + "\n" for figure in figures), encoding="utf-8")
    print(table(figures))
    if not figures:
        print(f"没有测得任何数值 · nothing was measured; there is: {', '.join(modules(()))}")
    return 1 if broken or not figures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
