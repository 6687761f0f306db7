"""Challenges in the evidence: the verifier counts by the same rule, and names what contradicts itself."""

from hashlib import sha256

import pytest

from server.ledger import records
from server.ledger.rules import SEAL_AFTER_MS
from server.verify.check import check
from server.verify.formats import COMMITTED, REVEALED, Kind, Record
from server.verify.program import _told
from server.verify.report import Report
from server.verify.schedule import LATER_MS, Rule, draw, due_after_ms
from server.verify.sheets import Row
from server.verify.vouched import Outcome, Span
from tests.ledger.world import GENESIS, LESSON
from tests.verify.evidence import PEOPLE, SmallClass

JIA, YI = "00000000000000a1", "00000000000000a2"
ASKED, PASS, FAIL, LATE, GONE = Outcome.ISSUED, Outcome.PASSED, Outcome.FAILED, Outcome.TIMED_OUT, Outcome.WITHDRAWN
SEED = b"s" * 32


def seed(
    mode: int = COMMITTED, limit_s: int = 600, of: bytes = SEED, slot: int | None = None, answer_ms: int = 60_000
) -> Record:
    """Committed to in the first minute, shown in the third, which is the last one."""
    return Record(
        Kind.CHALLENGE_SEED,
        GENESIS + (2 * (mode == REVEALED) if slot is None else slot),
        seq=mode,
        resource=bytes.fromhex(LESSON),
        mode=mode,
        credit_ms=answer_ms,
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
    small.shown.append(SEED)
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
    report = await challenged(small, seed(), step(1, 30_000, ASKED), step(2, 31_000, PASS))
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


@pytest.mark.parametrize(
    ("said", "slot"),
    [
        ([seed(), seed(REVEALED, of=b"x" * 32)], 2),
        ([seed(), seed(REVEALED, limit_s=601)], 2),
        ([seed(), seed(REVEALED, answer_ms=59_999)], 2),
        ([seed(), seed(REVEALED, slot=1)], 1),  # before the lesson is over everybody could reckon
        ([seed(), seed(REVEALED), seed(REVEALED, slot=3)], 3),
        ([seed(), seed(of=b"x" * 32, slot=1), seed(REVEALED)], 1),
        ([seed(REVEALED)], 2),
        ([seed(slot=1), seed(REVEALED)], 1),  # who commits late knows already who is there
    ],
)
async def test_a_seed_that_is_not_the_one_that_was_committed_to_is_named(
    small: SmallClass, said: list[Record], slot: int
) -> None:
    small.shown.append(b"x" * 32)
    found = {(one.code, one.slot - GENESIS) for one in (await challenged(small, *said)).findings}
    assert ("seed_wrong", slot) in found
    assert {code for code, _ in found} == {"seed_wrong"}


async def test_a_seed_that_is_not_shown_is_named_once_it_must_be_in_the_log(small: SmallClass) -> None:
    report = await challenged(small, seed())
    assert report.consistent, "the lesson has just ended"
    for slot in range(4, 8):
        small.world.to(slot, SEAL_AFTER_MS)
        await small.world.ledger.round()
        report = check(await small.bundle({LESSON: 3}))
        found = [(one.slot, one.code) for one in report.findings]
        assert found == ([(GENESIS + 2, "seed_wrong")] if slot >= 7 else [])


async def test_a_package_must_show_the_seed_itself(small: SmallClass) -> None:
    assert (await challenged(small, seed(), seed(REVEALED))).consistent
    for shown in ([], [SEED + b"x"]):
        small.shown[:] = shown
        report = check(await small.bundle({LESSON: 3}))
        assert [(one.slot, one.code) for one in report.findings] == [(GENESIS + 2, "seed_wrong")]


#: what a log says that no honest one says
CONTRADICTIONS = [
    [step(1, 1_000, ASKED)],
    [seed(), step(2, 1_000, ASKED)],
    [seed(), step(1, 1_000, ASKED), step(3, 2_000, PASS)],
    [seed(), step(1, 2_000, ASKED), step(2, 1_000, PASS)],
    [seed(), step(1, 1_000, ASKED, limit_s=599)],
    [seed(), step(1, 1_000, 77)],
]


#: and what the order of things forbids
DISORDER = [
    [seed(), step(1, 1_000, PASS)],
    [seed(), step(1, 0, ASKED), step(2, 30_000, ASKED)],
    [seed(answer_ms=9_000), step(1, 1_000, ASKED), step(2, 10_001, PASS)],
]


@pytest.mark.parametrize("said", [*CONTRADICTIONS, *DISORDER])
async def test_what_contradicts_itself_is_named(small: SmallClass, said: list[Record]) -> None:
    report = await challenged(small, *said)
    assert [(one.code, one.slot) for one in report.findings] == [("challenge_wrong", GENESIS)]


async def test_what_waits_at_the_end_settles_nothing(small: SmallClass) -> None:
    report = await challenged(small, seed(), step(1, 130_000, ASKED))
    assert report.uncounted_ms == {(3, 17): everything(report), (3, 18): 0}


async def test_what_was_withdrawn_settles(small: SmallClass) -> None:
    report = await challenged(small, seed(), step(1, 130_000, ASKED), step(2, 179_000, GONE))
    assert set(report.uncounted_ms.values()) == {0}


#: long enough that two seeds say something quite different: between 800 and 2,270 seconds, of 50 minutes
LONG_S, MINUTES = 2_400, 50
OTHER_SEED = b"t" * 32


def spent(person: str) -> list[Span]:
    """What SmallClass.spend records."""
    spans: list[Span] = []
    for slot in range(MINUTES):
        base = (GENESIS + slot) * 60_000
        whole = (GENESIS + slot + PEOPLE[person]) % 2
        spans += [(base, base + 60_000)] if whole else [(base, base + 20_000), (base + 40_000, base + 60_000)]
    return spans


def honest(person: str, of: bytes = SEED, later_ms: int = 0) -> list[Record]:
    """Asked when it is due, answered at once; the first time so much later."""
    steps, since, number = list[Record](), 0, 1
    while True:
        left = due_after_ms(draw(of, person, number), Rule(LONG_S * 1000, 60_000)) + (later_ms if number == 1 else 0)
        for start, end in spent(person):
            begin = max(start, since)
            if end > begin and left <= end - begin:
                break
            left -= max(0, end - begin)
        else:
            return steps
        since = begin + left + 1_000
        for at_ms, what in ((begin + left, ASKED), (since, PASS)):
            steps.append(step(len(steps) + 1, at_ms - GENESIS * 60_000, what, person, LONG_S))
        number += 1


async def taught(small: SmallClass, *said: Record) -> list[tuple[str, int, int]]:
    """A lesson of fifty minutes; what is found: code, minute, seat."""
    small.shown.append(SEED)
    seeds = [seed(limit_s=LONG_S), seed(REVEALED, limit_s=LONG_S, slot=MINUTES)]
    for one in [*seeds, *said]:
        async with small.world.database.write() as connection:
            await records.append(connection, one.slot, LESSON, [one])
    await small.attend(MINUTES, {LESSON: 3})
    await small.end(LESSON, GENESIS + MINUTES)
    small.world.to(MINUTES, SEAL_AFTER_MS)
    await small.world.ledger.round()
    found = check(await small.bundle({LESSON: 3})).findings
    return [(one.code, one.slot - GENESIS, one.seat) for one in found]


async def test_an_honest_lesson_holds_and_who_is_spared_is_named(small: SmallClass) -> None:
    assert min(len(honest(JIA)), len(honest(YI))) >= 2, "both are asked"
    assert await taught(small, *honest(JIA), *honest(YI)) == []


async def test_a_friend_who_is_spared_is_named_at_the_minute_in_which_it_was_due(small: SmallClass) -> None:
    assert await taught(small, *honest(YI)) == [("challenge_skipped", honest(JIA)[0].slot - GENESIS, 17)]


async def test_a_friend_who_is_asked_later_is_named_at_that_minute(small: SmallClass) -> None:
    shifted = honest(YI, later_ms=LATER_MS + 1_000)
    assert await taught(small, *honest(JIA), *shifted) == [("challenge_shifted", shifted[0].slot - GENESIS, 18)]


async def test_a_server_that_asks_by_another_seed_is_named(small: SmallClass) -> None:
    found = await taught(small, *honest(JIA, OTHER_SEED), *honest(YI, OTHER_SEED))
    assert {seat for _, _, seat in found} == {17, 18}
    assert {code for code, _, _ in found} <= {"challenge_shifted", "challenge_skipped"}


async def hung(small: SmallClass) -> None:
    """The store hangs while beats go on: minutes are sealed late and nobody is asked meanwhile."""
    small.shown.append(SEED)
    late = honest(JIA, later_ms=LATER_MS + 1_000)
    due, back = honest(JIA)[0].slot - GENESIS, late[0].slot - GENESIS
    seeds = [seed(limit_s=LONG_S), seed(REVEALED, limit_s=LONG_S, slot=MINUTES)]
    for one in [*seeds, *honest(YI), *late]:
        async with small.world.database.write() as connection:
            await records.append(connection, one.slot, LESSON, [one])
    for slot in range(MINUTES):
        await small.spend(LESSON, GENESIS + slot)
        if not due <= slot < back:
            small.world.to(slot, SEAL_AFTER_MS)
            await small.world.ledger.round()
    await small.end(LESSON, GENESIS + MINUTES)
    small.world.to(MINUTES, SEAL_AFTER_MS)
    await small.world.ledger.round()


async def test_what_was_late_because_nothing_could_be_stored_is_told_and_no_finding(small: SmallClass) -> None:
    await hung(small)
    report = check(await small.bundle({LESSON: 3}))
    assert (report.findings, report.n_delayed, len(report.gaps) > 1) == ((), 1, True)
    assert any("challenges late while nothing could be stored: 1" in line for line in _told(report))
