"""Decides how the set-up speaks: Chinese first, English after it, one line a step, a remedy with every refusal."""

from __future__ import annotations


class SetupError(Exception):
    """The set-up cannot go on. `remedies` are lines a person can act on, commands included."""

    def __init__(self, chinese: str, english: str, *remedies: str) -> None:
        super().__init__(english)
        self.lines = (chinese, english, *remedies)


def step(chinese: str, english: str) -> None:
    """Tell what is being done now; only said when there is something to do."""
    print(f"· {chinese} · {english}", flush=True)


def refuse(error: SetupError) -> None:
    """Tell why the set-up stopped and what would help."""
    chinese, english, *remedies = error.lines
    print(f"\n✗ {chinese}\n  {english}", flush=True)
    for remedy in remedies:
        print(f"    {remedy}", flush=True)
