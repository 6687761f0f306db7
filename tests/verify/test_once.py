"""Who is credited in two lessons at one moment of a log is named by minute and seat; the rule: test_once_pure.py."""

from server.attendance.minutes import told
from server.verify.bundle import Bundle
from server.verify.check import check
from server.verify.minutes import Summary
from server.verify.minutes import write as text_of
from tests.ledger.world import GENESIS, LESSON, OTHER
from tests.verify.evidence import PEOPLE, SmallClass
from tests.verify.test_once_pure import FIRST, THEN, WHOLE, Spells

BOTH_STORES = False
JIA = next(iter(PEOPLE))


async def made(small: SmallClass, *spells: Spells) -> Bundle:
    """One minute of two lessons, in which one trainee is in both."""
    for lesson, each in zip((LESSON, OTHER), spells, strict=True):
        await small.spend(lesson, GENESIS, more=[told(JIA, text_of(Summary(0, each)))])
    small.world.to(0, 150_000)
    await small.world.ledger.round()
    return await small.bundle()


async def test_a_log_that_says_so_is_named_by_minute_lesson_and_seat(small: SmallClass) -> None:
    found = check(await made(small, WHOLE, THEN)).findings
    assert [(one.slot, one.lesson, one.seat, one.code) for one in found] == [
        (GENESIS, 3, 17, "two_lessons"),
        (GENESIS, 4, 17, "two_lessons"),
    ]


async def test_who_changed_over_within_a_minute_is_honest(small: SmallClass) -> None:
    assert check(await made(small, FIRST, THEN)).findings == ()
