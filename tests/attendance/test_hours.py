"""Which lessons a scheme's cap may touch, and what a scheme makes of a lesson's cells and totals."""

from dataclasses import replace

import pytest

from server.attendance.cells import LessonMinutes, ReasonMs, RecordState
from server.attendance.hours import days_of, full_days, may_cut, settles, whole
from server.attendance.minutes import MINUTE_MS, MinuteRecord, Reason, SealedMinute
from server.training.rules import Lesson, LessonState, SubjectKind
from server.verify.hours import Rounding, Rules, Settled, day_of

ANN = "00000000000000a1"
RULES = Rules(2_700_000)
#: 2026-11-23 00:00 in China
MIDNIGHT = 29_923_200 - 8 * 60
HOUR_MS = 60 * MINUTE_MS
NOON_MS = (MIDNIGHT + 12 * 60) * MINUTE_MS
LESSON = Lesson("l1", "c1", 1, "", SubjectKind.THEORY, 0, 0, "p", LessonState.ENDED, NOON_MS, NOON_MS + 2 * HOUR_MS)
TODAY = day_of(MIDNIGHT)


def minutes(first: int, *credits_ms: int, fresh: int = 0) -> LessonMinutes:
    """Whole minutes of Ann; the last `fresh` ones are not sealed."""
    known = []
    for slot, ms in enumerate(credits_ms, first):
        lost = ((Reason.HIDDEN, MINUTE_MS - ms),) if ms < MINUTE_MS else ()
        credited = ((MINUTE_MS - ms, MINUTE_MS),) if ms else ()
        known.append(SealedMinute(slot, MINUTE_MS, (MinuteRecord(ANN, credited, lost),)))
    return LessonMinutes(known[: len(known) - fresh], known[len(known) - fresh :])


def bound(rules: Rules, number: int, **lessons: LessonMinutes) -> LessonMinutes:
    known = {int(name[1:]): one for name, one in lessons.items()}
    known[number].settles = settles(rules, number, known)
    return known[number]


def test_days_are_local_and_end_with_the_lesson() -> None:
    late = replace(LESSON, started_ms=(MIDNIGHT - 1) * MINUTE_MS, ended_ms=MIDNIGHT * MINUTE_MS)
    assert list(days_of(LESSON, 0)) == [TODAY]
    assert list(days_of(late, 0)) == [TODAY - 1, TODAY]
    assert list(days_of(replace(late, ended_ms=None), (MIDNIGHT + 1_440) * MINUTE_MS)) == [TODAY - 1, TODAY, TODAY + 1]
    assert list(days_of(replace(LESSON, started_ms=None), NOON_MS)) == []


@pytest.mark.parametrize(("cap_ms", "full"), [(None, False), (4 * HOUR_MS, False), (4 * HOUR_MS - 1, True)])
def test_a_day_is_full_when_more_was_taught_than_its_cap(cap_ms: int | None, full: bool) -> None:
    rules, running = replace(RULES, daily_cap_ms=cap_ms), replace(LESSON, ended_ms=None)
    lessons = [LESSON, running, replace(LESSON, started_ms=None, ended_ms=None)]
    assert full_days(rules, lessons, NOON_MS + 2 * HOUR_MS) == ({TODAY} if full else set())
    assert may_cut(rules, lessons, NOON_MS + 2 * HOUR_MS) is full
    assert may_cut(replace(rules, shortest_ms=1), [], 0)


def test_a_class_of_which_nothing_is_cut_is_divided_once() -> None:
    assert whole(Rules(100, Rounding.NEAREST), 250) == Settled(3, 0, 250, 0, 0, ())
    with pytest.raises(ValueError, match="negative"):
        whole(RULES, -1)


def test_the_cap_takes_the_end_of_a_day_from_the_lesson_that_came_last() -> None:
    rules = replace(RULES, daily_cap_ms=100_000)
    lessons = {"n2": minutes(MIDNIGHT, MINUTE_MS), "n1": minutes(MIDNIGHT + 5, MINUTE_MS, 30_000)}
    second, first = bound(rules, 1, **lessons), bound(rules, 2, **lessons)
    assert [cell.cut for cell in first.cells(ANN)] == [[]]
    cells = second.cells(ANN)
    assert [cell.cut for cell in cells] == [[ReasonMs("daily_cap", 20_000)], [ReasonMs("daily_cap", 30_000)]]
    assert [(cell.counted_ms, cell.confirmed_ms) for cell in cells] == [(60_000, 40_000), (30_000, 0)]
    totals = second.totals(ANN)
    assert (totals.credit_ms, totals.confirmed_ms, totals.cut) == (90_000, 40_000, [ReasonMs("daily_cap", 50_000)])
    assert (totals.state, totals.complete, totals.late) == (RecordState.CONFIRMED, None, None)


def test_a_lesson_of_which_the_scheme_leaves_nothing_is_refused() -> None:
    known = bound(replace(RULES, shortest_ms=100_000), 1, n1=minutes(MIDNIGHT, 0, 99_999 - MINUTE_MS, MINUTE_MS))
    totals = known.totals(ANN)
    assert (totals.confirmed_ms, totals.cut) == (0, [ReasonMs("too_short", 99_999)])
    assert totals.state is RecordState.REFUSED


def test_only_sealed_minutes_are_judged_by_the_scheme() -> None:
    known = bound(replace(RULES, daily_cap_ms=1, complete_percent=1), 1, n1=minutes(MIDNIGHT, 9, MINUTE_MS, fresh=1))
    assert [cell.cut for cell in known.cells(ANN)] == [[ReasonMs("daily_cap", 8)], []]
    assert known.totals(ANN).complete is None


@pytest.mark.parametrize(("percent", "complete"), [(75, True), (76, False)])
def test_completion_and_lateness_are_said_of_a_lesson(percent: int, complete: bool) -> None:
    rules = replace(RULES, complete_percent=percent, late_ms=30_000)
    in_time, late = minutes(MIDNIGHT, 30_000, MINUTE_MS), minutes(MIDNIGHT, 29_999, MINUTE_MS)
    totals = bound(rules, 1, n1=in_time).totals(ANN)
    assert (totals.complete, totals.late, totals.confirmed_ms) == (complete, False, 90_000)
    assert bound(rules, 1, n1=late).totals(ANN).late is True
    assert bound(rules, 1, n1=late).totals("00000000000000b2").late is None
