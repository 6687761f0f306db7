"""Twice as many lessons or handovers take twice the steps, which are counted: what is done for each is done once."""

import sys
from collections.abc import Callable
from itertools import pairwise
from types import FrameType
from typing import Any

import pytest

from server.verify.bundle import FORMAT, Bundle
from server.verify.handover import Handover, reached
from server.verify.look import Look
from server.verify.notes import Key, Kind
from server.verify.progress import quiet
from server.verify.witnessed import seen_in_time

SLOT = 29_000_000


def steps(work: Callable[[], object]) -> int:
    """How many instructions of the interpreter it takes."""
    count = 0

    def trace(frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def follow(size: int) -> Callable[[], object]:
    """Handovers of which each is told before the one that it rests on."""
    keys = [Key("keshi/a", Kind.LOG, at.to_bytes(32, "big")) for at in range(size + 1)]
    chain = [Handover(*pair, "") for pair in pairwise(keys)]

    def work() -> None:
        assert len(reached(keys[:1], chain[::-1])) == size + 1

    return work


def end(size: int) -> Callable[[], object]:
    """So many lessons of two minutes that end in time."""
    look = Look(Bundle(FORMAT, SLOT, "", (), (), (), ()))
    for at in range(size):
        name = at.to_bytes(8, "big")
        look.ends[name] = SLOT + 2 * at + 1
        for slot in (SLOT + 2 * at, SLOT + 2 * at + 1):
            look.said[name, slot], look.minutes[name, slot] = 1, frozenset([b"p" * 8])

    def work() -> None:
        look.ended(SLOT + 2 * size, quiet)
        assert look.told_of_all()["unended"] == ()

    return work


def witness(size: int) -> Callable[[], object]:
    """A log that was seen every minute."""
    times = [(at + 1, (SLOT + at + 1) * 60) for at in range(size)]

    def work() -> None:
        assert all(seen_in_time(SLOT + at, SLOT, times) for at in range(size))

    return work


@pytest.mark.parametrize("made", [follow, end, witness])
def test_twice_as_much_takes_twice_the_steps(made: Callable[[int], Callable[[], object]]) -> None:
    few, many = steps(made(150)), steps(made(600))
    assert many < 6 * few
