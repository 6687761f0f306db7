"""Challenges in the evidence: the verifier counts by the same rule, and names what contradicts itself."""

from hashlib import sha256

import pytest

from server.ledger import records
from server.ledger.rules import SEAL_AFTER_MS
from server.verify.check import check
from server.verify.formats import COMMITTED, REVEALED, Kind, Record
from server.verify.program import _told
from server.verify.report import Report
from server.verify.sheets import Row
from server.verify.vouched import Outcome
from tests.ledger.world import GENESIS, LESSON
from tests.verify.evidence import SmallClass

JIA, YI = "00000000000000a1", "00000000000000a2"
ASKED, PASS, FAIL, LATE, GONE = Outcome.ISSUED, Outcome.PASSED, Outcome.FAILED, Outcome.TIMED_OUT, Outcome.WITHDRAWN
SEED = b"s" * 32


def seed(mode: int = COMMITTED, limit_s: int = 600, of: bytes = SEED) -> Record:
    return Record(
        Kind.CHALLENGE_SEED,
        GENESIS,
        seq=mode,
        resource=bytes.fromhex(LESSON),
        mode=mode,
        flags=limit_s,
        evidence=sha256(of).digest(),
    )


def step(seq: int, at_ms: int, what: int, person: str = JIA, limit_s: int = 600) -> Record:
    return Record(
        Kind.CHALLENGE_OUTCOME,
        GENESIS + at_ms // 60_000,
        seq=seq,
        subject=bytes.fromhex(person),
        session=(1).to_bytes(8, "big"),
        resource=bytes.fromhex(LESSON),
        mode=what,
        credit_ms=at_ms % 60_000,
        flags=limit_s,
        evidence=sha256(b"row").digest(),
    )


async def challenged(small: SmallClass, *said: Record, rows: list[Row] | None = None, ended: bool = True) -> Report:
    """Three minutes, of which seat 17 has 60, 40, 60 or 40, 60, 40 s; and what the log says of challenges."""
    for one in said:
        async with small.world.database.write() as connection:
            await records.append(connection, one.slot, LESSON, [one])
    await small.attend(lessons={LESSON: 3})
    if ended:
        await small.end(LESSON, GENESIS + 2)
    small.world.to(3, SEAL_AFTER_MS)
    await small.world.ledger.round()
    return check(await small.bundle({LESSON: 3}), sheets=[] if rows is None else [rows])


def everything(report: Report, seat: int = 17) -> int:
    return report.credit_ms[3, seat]


async def test_without_a_seed_everything_counts(small: SmallClass) -> None:
    report = await challenged(small)
    assert (report.consistent, report.uncounted_ms) == (True, {})


async def test_a_pass_and_the_end_vouch_for_everybody(small: SmallClass) -> None:
    report = await challenged(small, seed(), step(1, 30_000, ASKED), step(2, 31_000, PASS), seed(REVEALED))
    assert report.consistent
    assert set(report.uncounted_ms.values()) == {0}


async def test_before_the_end_it_is_pending(small: SmallClass) -> None:
    report = await challenged(small, seed(), ended=False)
    assert report.uncounted_ms == {(3, 17): everything(report), (3, 18): everything(report, 18)}
    assert "待核验、未认定 · to be verified, not confirmed:" in "\n".join(_told(report))


async def test_a_void_counts_for_nothing_and_the_sheet_must_say_so(small: SmallClass) -> None:
    """Seat 17 misses a challenge in the third minute and is not verified again."""
    said = [seed(), step(1, 130_000, ASKED), step(2, 179_999, LATE)]
    report = await challenged(small, *said)
    credit, other = everything(report), everything(report, 18)
    assert report.uncounted_ms == {(3, 17): credit, (3, 18): 0}
    good = [Row(17, 3, credit // 1000, 0, 0), Row(18, 3, other // 1000, 0, other // 1000)]
    bundle = await small.bundle({LESSON: 3})
    assert check(bundle, sheets=[good]).consistent
    paid = [Row(17, 3, credit // 1000, 0, credit // 1000), good[1]]
    assert [(one.code, one.seat) for one in check(bundle, sheets=[paid]).findings] == [("sheet_differs", 17)]


async def test_what_was_voided_before_a_pass_does_not_come_back(small: SmallClass) -> None:
    report = await challenged(
        small, seed(), step(1, 10_000, ASKED), step(2, 60_000, FAIL), step(3, 61_000, ASKED), step(4, 120_000, PASS)
    )
    recorded = [60_000 if (GENESIS + slot + 17) % 2 else 40_000 for slot in range(3)]
    assert report.uncounted_ms[3, 17] == recorded[0] + recorded[1]


async def test_a_correction_begins_at_what_challenges_left(small: SmallClass) -> None:
    await challenged(small, seed(), step(1, 130_000, ASKED), step(2, 179_999, FAIL))
    await small.correct(JIA, 0, 0, 60_000, 4)
    report = check(await small.bundle({LESSON: 3}))
    assert report.consistent
    assert report.corrected_ms == {(3, 17): 60_000}


#: what a log says that no honest one says
CONTRADICTIONS = [
    [step(1, 1_000, ASKED)],
    [seed(), step(2, 1_000, ASKED)],
    [seed(), step(1, 1_000, ASKED), step(3, 2_000, PASS)],
    [seed(), step(1, 2_000, ASKED), step(2, 1_000, PASS)],
    [seed(), step(1, 1_000, ASKED, limit_s=599)],
    [seed(), step(1, 1_000, 77)],
    [seed(), seed(REVEALED, of=b"another")],
    [seed(), seed(REVEALED, limit_s=601)],
]


@pytest.mark.parametrize("said", CONTRADICTIONS)
async def test_what_contradicts_itself_is_named(small: SmallClass, said: list[Record]) -> None:
    report = await challenged(small, *said)
    assert [(one.code, one.slot) for one in report.findings] == [("challenge_wrong", GENESIS)]


async def test_what_waits_at_the_end_settles_nothing(small: SmallClass) -> None:
    report = await challenged(small, seed(), step(1, 130_000, ASKED))
    assert report.uncounted_ms == {(3, 17): everything(report), (3, 18): 0}


async def test_what_was_withdrawn_settles(small: SmallClass) -> None:
    report = await challenged(small, seed(), step(1, 130_000, ASKED), step(2, 179_000, GONE))
    assert set(report.uncounted_ms.values()) == {0}
