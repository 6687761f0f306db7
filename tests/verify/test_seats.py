"""Who sits where, and which lesson has which number: held against what the log was told of the class."""

from dataclasses import replace

import pytest

from server.verify.bundle import Bundle, LessonName, Seat, read, write
from server.verify.check import check
from server.verify.report import Report
from server.verify.sheets import Row
from server.verify.tree import Refused
from tests.ledger.world import GENESIS, LESSON, OTHER
from tests.verify.evidence import ID_NUMBER, LESSONS, OTHER_HOME, PEOPLE, SALTS, SmallClass

ONE, TWO = PEOPLE
NOBODY = "00000000000000a3"


async def told(small: SmallClass) -> Bundle:
    await small.enrol()
    await small.attend()
    return await small.bundle()


@pytest.fixture
def small(small: SmallClass) -> SmallClass:
    """Both are in both lessons, half of each minute in each."""
    small.together = True
    return small


def found(report: Report) -> list[tuple[int, int, str]]:
    return [(one.lesson, one.seat, one.code) for one in report.findings]


def rows(report: Report, **names: str) -> list[Row]:
    """A sheet that says what is proven, and calls a seat otherwise."""
    return [
        Row(seat, lesson, ms // 1000, 0, ms // 1000, names.get(f"seat{seat}", f"学员{seat}"), ID_NUMBER)
        for (lesson, seat), ms in report.credit_ms.items()
    ]


async def test_who_was_told_sits_there(small: SmallClass) -> None:
    bundle = await told(small)
    report = check(bundle)
    report = check(bundle, sheets=[rows(report)], salts=SALTS)
    assert (found(report), report.untold, report.unnumbered, report.n_named) == ([], (), (), len(PEOPLE))


async def test_two_who_change_seats_are_named(small: SmallClass) -> None:
    bundle = await told(small)
    swapped = replace(bundle, people=(Seat(ONE, PEOPLE[TWO]), Seat(TWO, PEOPLE[ONE])))
    assert found(check(swapped)) == [(-1, PEOPLE[ONE], "seat_wrong"), (-1, PEOPLE[TWO], "seat_wrong")]


async def test_lessons_that_change_numbers_are_named(small: SmallClass) -> None:
    bundle = await told(small)
    swapped = replace(bundle, lessons=(LessonName(LESSON, LESSONS[OTHER]), LessonName(OTHER, LESSONS[LESSON])))
    assert {code for _, _, code in found(check(swapped))} == {"lesson_wrong"}


async def test_a_lesson_of_another_class_is_named(small: SmallClass) -> None:
    await small.enrol(lessons={LESSON: LESSONS[LESSON]})
    await small.enrol({}, {OTHER: LESSONS[OTHER]}, OTHER_HOME)
    await small.attend()
    assert found(check(await small.bundle())) == [(LESSONS[OTHER], -1, "lesson_wrong")]


@pytest.mark.parametrize("again", [{ONE: 99}, {ONE: PEOPLE[ONE]}])
async def test_who_is_seated_again_sits_where_they_sat(small: SmallClass, again: dict[str, int]) -> None:
    await small.enrol()
    await small.attend(1)
    await small.enrol(again, {})
    small.world.to(1, 150_000)
    await small.world.ledger.round()
    expected = [] if again[ONE] == PEOPLE[ONE] else [(-1, PEOPLE[ONE], "seat_wrong")]
    assert found(check(await small.bundle())) == expected


async def test_a_name_that_the_sheet_says_otherwise_is_named(small: SmallClass) -> None:
    bundle = await told(small)
    report = check(bundle)
    wrong = rows(report, seat17="学员18")
    report = check(bundle, sheets=[rows(report), wrong], salts=SALTS)
    assert found(report) == [(-1, 17, "name_wrong")]
    masked = [replace(one, id_number="110***********0000") if one.seat == 18 else one for one in rows(report)]
    assert found(check(bundle, sheets=[masked], salts=SALTS)) == [(-1, 18, "name_wrong")]


async def test_without_salts_no_name_is_held(small: SmallClass) -> None:
    bundle = await told(small)
    wrong = rows(check(bundle), seat17="学员18")
    report = check(bundle, sheets=[wrong])
    assert (found(report), report.n_named) == ([], 0)


async def test_of_whom_the_log_was_not_told_is_said(small: SmallClass) -> None:
    await small.attend()
    report = check(await small.bundle())
    assert (found(report), report.untold, report.unnumbered) == ([], (17, 18), (3, 4))


async def test_who_was_enrolled_after_their_minutes_is_said(small: SmallClass) -> None:
    """A ghost that is given hours first and a name later."""
    await small.enrol({ONE: PEOPLE[ONE]})
    for slot in range(2):
        await small.spend(LESSON, GENESIS + slot, epoch=1)
        small.world.to(slot, 90_000)
        await small.world.ledger.round()
    await small.enrol({TWO: PEOPLE[TWO]}, {}, at=2)
    small.world.to(3, 150_000)
    await small.world.ledger.round()
    assert check(await small.bundle()).untold == (PEOPLE[TWO],)


async def test_the_group_of_another_class_seats_nobody(small: SmallClass) -> None:
    await small.enrol({ONE: PEOPLE[ONE]})
    await small.enrol({TWO: PEOPLE[TWO]}, {}, OTHER_HOME)
    await small.attend()
    assert check(await small.bundle()).untold == (PEOPLE[TWO],)


async def test_a_trainee_who_is_left_out_of_the_file_is_missed(small: SmallClass) -> None:
    """Nobody's hours disappear by leaving out who they are of, with their claims and rows."""
    bundle = await told(small)
    claims = tuple(one for one in bundle.claims if one.person_id != TWO)
    left_out = replace(bundle, people=(Seat(ONE, PEOPLE[ONE]),), claims=claims)
    assert {(lesson, code) for lesson, _, code in found(check(left_out))} == {(3, "total_wrong"), (4, "total_wrong")}


async def test_two_of_one_seat_or_number_hide_nobody(small: SmallClass) -> None:
    bundle = await told(small)
    lessons, people = bundle.lessons, bundle.people
    for other in (
        replace(bundle, people=(*people, Seat(NOBODY, PEOPLE[ONE]))),
        replace(bundle, people=(*people, people[0])),
        replace(bundle, lessons=(lessons[0], LessonName(lessons[1].id, lessons[0].number))),
        replace(bundle, lessons=(*lessons, LessonName(NOBODY, -1))),
    ):
        with pytest.raises(Refused):
            read(write(other))
    assert read(write(bundle)) == bundle
