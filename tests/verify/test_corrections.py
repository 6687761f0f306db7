"""Corrections in the evidence: shown beside what was recorded, and each must follow from what counted before it."""

from dataclasses import replace

import pytest

from server.verify.check import check
from server.verify.corrections import Change
from server.verify.program import _told
from server.verify.report import Report
from server.verify.sheets import Row
from tests.ledger.world import GENESIS
from tests.verify.evidence import SmallClass

BOTH_STORES = False
JIA, YI = "00000000000000a1", "00000000000000a2"


async def corrected(small: SmallClass, *changes: tuple[str, int, int, int]) -> Report:
    """Three minutes (seat 17 has 40, 60, 40 or 60, 40, 60 s), then these corrections, each a minute later."""
    await small.attend()
    for at, change in enumerate(changes, start=4):
        await small.correct(*change, at)
    return check(await small.bundle())


def recorded(person: str, slot: int) -> int:
    """What seat 17 or 18 has in a minute (tests/verify/evidence.py)."""
    return 60_000 if (GENESIS + slot + (17 if person == JIA else 18)) % 2 else 40_000


def half(person: str) -> int:
    """A minute of which 40 s count."""
    return next(slot for slot in range(3) if recorded(person, slot) == 40_000)


async def test_what_was_recorded_stays_and_what_counts_is_told(small: SmallClass) -> None:
    slot = half(JIA)
    report = await corrected(small, (JIA, slot, 40_000, 60_000), (YI, half(YI), 40_000, 0))
    plain = check(await small.bundle())
    assert report.consistent
    assert report.credit_ms == plain.credit_ms
    assert report.corrected_ms == {(3, 17): 20_000, (3, 18): -40_000}
    assert report.changes[0] == Change(GENESIS + 4, GENESIS + slot, 3, 17, 40_000, 60_000)
    assert "更正 · corrections: 2 分钟 · minutes, -20 秒 · s" in "\n".join(_told(report))


async def test_a_correction_and_its_reversal(small: SmallClass) -> None:
    slot = half(JIA)
    report = await corrected(small, (JIA, slot, 40_000, 60_000), (JIA, slot, 60_000, 40_000))
    assert (report.consistent, report.corrected_ms, len(report.changes)) == (True, {(3, 17): 0}, 2)


async def test_a_minute_without_a_record_can_be_given(small: SmallClass) -> None:
    stranger = "00000000000000b9"
    report = await corrected(small, (stranger, 1, 0, 60_000))
    assert (report.consistent, report.corrected_ms) == (True, {(3, -1): 60_000})


@pytest.mark.parametrize(
    ("before", "after"),
    [(39_999, 60_000), (60_000, 40_000), (0, 60_000), (40_000, 60_001)],
)
async def test_a_correction_that_does_not_follow_is_named(small: SmallClass, before: int, after: int) -> None:
    slot = half(JIA)
    report = await corrected(small, (JIA, slot, before, after))
    (found,) = report.findings
    assert (found.code, found.slot, found.lesson, found.seat) == ("correction_wrong", GENESIS + slot, 3, 17)


async def test_a_second_correction_must_begin_where_the_first_ended(small: SmallClass) -> None:
    slot = half(JIA)
    report = await corrected(small, (JIA, slot, 40_000, 60_000), (JIA, slot, 40_000, 50_000))
    assert [one.code for one in report.findings] == ["correction_wrong"]


async def test_a_minute_that_was_not_delivered_cannot_be_given(small: SmallClass) -> None:
    report = await corrected(small, (JIA, 3, 0, 1))
    assert [(one.code, one.slot) for one in report.findings] == [("correction_wrong", GENESIS + 3)]


async def test_a_ledger_must_say_what_was_corrected(small: SmallClass) -> None:
    await corrected(small, (JIA, half(JIA), 40_000, 60_000))
    bundle = await small.bundle()
    plain = check(bundle)
    changed = {pair: plain.corrected_ms.get(pair, 0) for pair in plain.credit_ms}
    rows = [
        Row(seat, lesson, ms // 1000, changed[lesson, seat] // 1000, (ms + changed[lesson, seat]) // 1000)
        for (lesson, seat), ms in plain.credit_ms.items()
    ]
    assert check(bundle, sheets=[rows]).consistent
    forged = [replace(one, corrected=(one.corrected or 0) + 3600) for one in rows]
    assert {one.code for one in check(bundle, sheets=[forged]).findings} == {"sheet_differs"}
    silent = [replace(one, corrected=None) for one in rows]
    assert [one.code for one in check(bundle, sheets=[silent]).findings] == ["sheet_differs"]
