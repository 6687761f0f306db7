"""Nobody is credited in two lessons at one moment, and web/src/verify/once.test.ts reads the cases of once.json too.

How a log is held against it: test_once.py.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server.verify.bundle import FORMAT, Bundle, GroupPart, LeafPart, behind_lengths, read, write
from server.verify.check import check
from server.verify.formats import Group, Kind, Record
from server.verify.minutes import CLOSED, CREDITED, SUMMARY, Summary
from server.verify.minutes import write as text_of
from server.verify.once import at_once

HIDDEN = 1
CASES = Path(__file__).parent / "once.json"
Spells = tuple[tuple[int, int], ...]
WHOLE: Spells = ((CREDITED, 60_000),)
FIRST: Spells = ((CREDITED, 30_000), (HIDDEN, 60_000))
SECOND: Spells = ((CLOSED, 30_000), (CREDITED, 60_000))
THEN: Spells = ((HIDDEN, 30_000), (CREDITED, 60_000))
AROUND: Spells = ((CREDITED, 10_000), (HIDDEN, 50_000), (CREDITED, 60_000))
BETWEEN: Spells = ((HIDDEN, 10_000), (CREDITED, 50_000), (HIDDEN, 60_000))
#: what lessons say of a trainee's minute, and which of them are named
SAID: dict[str, tuple[Sequence[Spells], Sequence[int]]] = {
    "from one to the other at the half of the minute": ((FIRST, THEN), ()),
    "the other opened when the first was left": ((FIRST, SECOND), ()),
    "there, away, and back": ((AROUND, BETWEEN), ()),
    "a millisecond of both": ((((CREDITED, 30_001), (HIDDEN, 60_000)), THEN), (0, 1)),
    "the whole minute in both": ((WHOLE, WHOLE), (0, 1)),
    "a moment within the other": ((WHOLE, BETWEEN), (0, 1)),
    "credited in one alone": ((WHOLE, ((HIDDEN, 60_000),)), ()),
    "twice within the other": ((WHOLE, AROUND), (0, 1)),
    "in three, of which two meet": ((FIRST, THEN, SECOND), (1, 2)),
    "the last meets the first, not the one between": (
        (
            WHOLE,
            ((HIDDEN, 5_000), (CREDITED, 10_000), (HIDDEN, 60_000)),
            ((HIDDEN, 20_000), (CREDITED, 30_000), (HIDDEN, 60_000)),
        ),
        (0, 1, 2),
    ),
}


def part(lesson: bytes, slot: int, people: Sequence[bytes], spells: Spells) -> GroupPart:
    """A lesson's minute of these trainees."""
    text = text_of(Summary(0, spells))
    records = [Record(Kind.MINUTE, slot, subject=one, flags=SUMMARY) for one in people]
    packed = b"".join(one.pack() for one in records)
    group = Group(lesson, len(records), 0, 0, 0, bytes(32))
    count = len(records)
    return GroupPart(0, group.pack(), (), packed, bytes(16 * count), bytes(8 * count), behind_lengths([text] * count))


def bundle_of(*parts: GroupPart) -> Bundle:
    return Bundle(FORMAT, 0, "", (), (), (), (LeafPart(0, b"", (), parts),))


def named(bundle: Bundle) -> list[tuple[int, bytes, bytes]]:
    """As it is asked: with who has a minute, by lesson and slot."""
    minutes: dict[tuple[bytes, int], set[bytes]] = {}
    for one in bundle.leaves[0].groups:
        for at in range(0, len(one.records), 73):
            slot = int.from_bytes(one.records[at + 2 : at + 6], "big")
            minutes.setdefault((one.group[:8], slot), set()).add(one.records[at + 10 : at + 18])
    return sorted(at_once(bundle, minutes))


ONE, TWO = b"p" * 8, b"q" * 8


@pytest.mark.parametrize("name", SAID)
def test_who_goes_from_one_to_the_other_is_honest_and_who_is_in_both_is_named(name: str) -> None:
    spells, wrong = SAID[name]
    lessons = [bytes([at]) * 8 for at in range(len(spells))]
    parts = [part(lesson, 7, [ONE], each) for lesson, each in zip(lessons, spells, strict=True)]
    for order in (parts, parts[::-1]):
        assert named(bundle_of(*order)) == [(7, lessons[at], ONE) for at in wrong]


def test_another_minute_and_another_trainee_are_none_of_it() -> None:
    a, b = b"a" * 8, b"b" * 8
    assert named(bundle_of(part(a, 7, [ONE, TWO], WHOLE), part(b, 8, [ONE, TWO], WHOLE))) == []
    assert named(bundle_of(part(a, 7, [ONE], WHOLE), part(b, 7, [TWO], WHOLE))) == []
    assert named(bundle_of(part(a, 7, [ONE, TWO], WHOLE), part(b, 7, [TWO], WHOLE))) == [(7, a, TWO), (7, b, TWO)]
    assert named(bundle_of(part(a, 7, [ONE], WHOLE), part(a, 7, [ONE], WHOLE))) == [], "named as doubled"
    doubled = bundle_of(part(a, 7, [ONE], FIRST), part(a, 7, [ONE], FIRST), part(b, 7, [ONE], THEN))
    assert named(doubled) == [], "named as doubled"


def test_what_is_no_minute_credits_nothing_whatever_stands_behind_it() -> None:
    a, b = b"a" * 8, b"b" * 8
    two = part(b, 7, [ONE, ONE], BETWEEN)
    texts = behind_lengths([text_of(Summary(0, WHOLE)), text_of(Summary(0, BETWEEN))])
    lease = replace(two, records=bytes([Kind.LEASE]) + two.records[1:], evidence=texts)
    assert named(bundle_of(part(a, 7, [ONE], AROUND), lease)) == []


@pytest.mark.parametrize("case", json.loads(CASES.read_text()), ids=lambda case: case["name"])
def test_the_cases_that_both_verifiers_are_held_to(case: dict[str, Any]) -> None:
    bundle = read(case["bundle"].encode())
    assert write(bundle).decode() == case["bundle"]
    found = check(bundle).findings
    assert [[one.code, one.slot, one.lesson, one.seat] for one in found] == case["findings"]
