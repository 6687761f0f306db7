"""Decides how long work says how far it has come: done, of all; on a terminal in one line. Pure but for `shown`."""

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

#: told how much is done, of how much
Progress = Callable[[int, int], None]
Item = TypeVar("Item")
#: so often at most
STEPS = 200


def quiet(_done: int, _all: int) -> None:
    """Says nothing."""


def shown(done: int, whole: int) -> None:
    """One line on the terminal."""
    sys.stderr.write(f"\r{done} / {whole}" + ("" if done < whole else "\n"))
    sys.stderr.flush()


def for_people() -> Progress:
    """`shown` where somebody sits at a terminal, else `quiet`."""
    return shown if sys.stderr.isatty() else quiet


def watched(items: Sequence[Item], progress: Progress) -> Iterator[Item]:
    """These items; `progress` hears of them now and then, and at the end."""
    step = max(1, len(items) // STEPS)
    for at, item in enumerate(items, start=1):
        yield item
        if at % step == 0 or at == len(items):
            progress(at, len(items))
