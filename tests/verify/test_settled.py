"""Class hours by the evidence alone: under which scheme, what it cuts, and what the sum of a 学时台账 must say then."""

from dataclasses import replace
from typing import Any

import pytest

from server.verify.bundle import Bundle
from server.verify.check import check
from server.verify.hours import Rounding, Rules, day_of
from server.verify.report import Report
from server.verify.sheets import Row
from tests.ledger.world import GENESIS
from tests.verify.evidence import OTHER_HOME, PEOPLE, SmallClass

ONE = next(iter(PEOPLE))
SCHEME: dict[str, Any] = {"class_hour_ms": 30_000, "rounding": "down"}
RULES = Rules(30_000)


@pytest.fixture
def small(small: SmallClass) -> SmallClass:
    """Both are in both lessons, half of each minute in each."""
    small.together = True
    return small


async def told(small: SmallClass, minutes: int = 3, **more: Any) -> Bundle:
    await small.enrol()
    await small.publish(SCHEME | more)
    await small.attend(minutes)
    return await small.bundle()


def found(report: Report) -> list[tuple[int, int, str]]:
    return [(one.lesson, one.seat, one.code) for one in report.findings]


def sums(report: Report, **hours: tuple[int | None, ...]) -> list[Row]:
    """A sheet that says what is proven, and the class hours that are said of a seat."""
    rows = []
    for seat in PEOPLE.values():
        mine = {lesson: ms for (lesson, one), ms in report.credit_ms.items() if one == seat}
        cut = {lesson: report.cut_ms.get((lesson, seat), 0) for lesson in mine}
        rows += [Row(seat, lesson, ms // 1000, 0, (ms - cut[lesson]) // 1000) for lesson, ms in mine.items()]
        credit_ms, counts_ms = sum(mine.values()), sum(mine.values()) - sum(cut.values())
        said = credit_ms // 30_000, credit_ms % 30_000 // 60_000, counts_ms // 30_000
        total = Row(seat, None, credit_ms // 1000, 0, counts_ms // 1000)
        rows.append(replace(total, hours=hours.get(f"seat{seat}", said)))
    return rows


async def test_class_hours_are_worked_out_under_the_scheme_that_the_log_was_told(small: SmallClass) -> None:
    bundle = await told(small)
    report = check(bundle)
    assert (found(report), report.rules, report.cut_ms) == ([], RULES, {})
    assert found(check(bundle, sheets=[sums(report)])) == []
    for wrong in ((5, 0, 4), (4, 1, 4), (4, 0, 5), (4, 0, None), ()):
        assert found(check(bundle, sheets=[sums(report, seat17=wrong)])) == [(-1, 17, "sheet_differs")], wrong


async def test_a_lesson_that_has_not_begun_keeps_nobody_from_checking_the_sum(small: SmallClass) -> None:
    bundle = await told(small)
    report = check(bundle)
    planned = [Row(seat, 9, None) for seat in PEOPLE.values()]
    assert found(check(bundle, sheets=[[*planned, *sums(report)]])) == []
    assert found(check(bundle, sheets=[[*planned, *sums(report, seat18=(9, 0, 9))]])) == [(-1, 18, "sheet_differs")]


async def test_the_cap_of_a_day_is_over_all_lessons(small: SmallClass) -> None:
    bundle = await told(small, daily_cap_ms=100_000)
    report = check(bundle)
    of = {seat: sum(ms for (_, one), ms in report.credit_ms.items() if one == seat) for seat in PEOPLE.values()}
    assert day_of(GENESIS) == day_of(GENESIS + 2)
    assert {seat: of[seat] - 100_000 for seat in of} == {
        seat: sum(ms for (_, one), ms in report.cut_ms.items() if one == seat) for seat in of
    }
    assert found(check(bundle, sheets=[sums(report)])) == []
    uncapped = [replace(row, confirmed=row.seconds) for row in sums(report)]
    assert {(seat, code) for _, seat, code in found(check(bundle, sheets=[uncapped]))} == {
        (17, "sheet_differs"),
        (18, "sheet_differs"),
    }


async def test_a_cap_that_nobody_reaches_takes_nothing(small: SmallClass) -> None:
    assert check(await told(small, daily_cap_ms=160_000)).cut_ms == {}


@pytest.mark.parametrize(("shortest_ms", "cut"), [(70_000, False), (80_000, True), (85_001, True)])
async def test_a_stretch_too_short_does_not_count(small: SmallClass, shortest_ms: int, cut: bool) -> None:
    report = check(await told(small, shortest_ms=shortest_ms))
    short = {where: ms for where, ms in report.credit_ms.items() if ms < shortest_ms}
    assert report.cut_ms == short
    assert bool(short) is cut


async def test_corrections_come_before_the_scheme(small: SmallClass) -> None:
    await small.enrol()
    await small.publish(SCHEME | {"daily_cap_ms": 115_000})
    await small.attend()
    hidden = PEOPLE[ONE] % 2 == GENESIS % 2
    before = 20_000 if hidden else 30_000
    await small.correct(ONE, 0, before, 0, at=4)
    report = check(await small.bundle())
    assert found(report) == []
    mine = sum(ms for (_, seat), ms in report.credit_ms.items() if seat == 17)
    cut = sum(ms for (_, seat), ms in report.cut_ms.items() if seat == 17)
    assert cut == max(0, mine - before - 115_000)


async def test_without_a_scheme_that_is_shown_hours_are_not_checked_and_it_is_said(small: SmallClass) -> None:
    bundle = await told(small)
    report = check(bundle)
    for shown in (bundle.shown[1:], bundle.shown[:1], ()):
        other = replace(bundle, shown=tuple(shown))
        assert check(other).rules is None
        assert found(check(other, sheets=[sums(report, seat17=(9, 9, 9))])) == []


async def test_a_scheme_that_the_log_was_told_after_the_first_minute_is_no_rule(small: SmallClass) -> None:
    await small.enrol()
    await small.attend()
    await small.publish(SCHEME, at=3)
    small.world.to(3, 300_000)
    await small.world.ledger.round()
    assert check(await small.bundle()).rules is None


async def test_two_schemes_of_one_name_or_two_rows_of_a_class_are_named(small: SmallClass) -> None:
    await small.enrol()
    await small.publish(SCHEME)
    await small.publish(SCHEME | {"rounding": "nearest"})
    await small.attend()
    report = check(await small.bundle())
    assert found(report) == [(-1, -1, "scheme_wrong")]


async def test_another_class_is_bound_to_its_own_scheme(small: SmallClass) -> None:
    await small.enrol()
    await small.publish(SCHEME)
    await small.publish(SCHEME | {"rounding": "nearest"}, name="other/1", home=OTHER_HOME)
    await small.attend()
    assert check(await small.bundle()).rules == RULES


@pytest.mark.parametrize("parameters", [{"class_hour_ms": 0}, {"class_hour_ms": 30_000, "rounding": "up"}])
async def test_a_scheme_that_no_platform_publishes_is_named(small: SmallClass, parameters: dict[str, Any]) -> None:
    await small.enrol()
    await small.publish(parameters)
    await small.attend()
    assert found(check(await small.bundle())) == [(-1, -1, "scheme_wrong")]


async def test_half_an_hour_more_is_one_under_another_rounding(small: SmallClass) -> None:
    bundle = await told(small, rounding="nearest", class_hour_ms=100_000)
    assert check(bundle).rules == Rules(100_000, Rounding.NEAREST)
