"""Each rule of seats, numbers and names by itself, without a log; how a log is held against them: test_seats.py."""

import pytest

from server.verify.bundle import FORMAT, Bundle, LessonName, Seat
from server.verify.formats import NO_ID, Kind, Record
from server.verify.identity import digest
from server.verify.seats import Seats
from server.verify.sheets import Row

HOME, OTHER = b"home" * 2, b"away" * 2
FIRST, SECOND = b"lesson-1", b"lesson-2"
JIA, YI = b"person-j", b"person-y"
SALT = bytes(range(16))
SLOT = 29_000_000


def lesson(raw: bytes, number: int) -> Record:
    return Record(Kind.LESSON, SLOT, seq=number, resource=raw)


def person(raw: bytes, seat: int, name: str = "王丽", slot: int = SLOT) -> Record:
    return Record(Kind.IDENTITY, slot, seq=seat, subject=raw, evidence=digest(SALT, name, "X"))


def told(*records: tuple[bytes, Record]) -> Seats:
    seats = Seats()
    for group, record in records:
        seats.take(group, record)
    return seats


def bundle(lessons: dict[bytes, int], people: dict[bytes, int] | None = None) -> Bundle:
    names = tuple(LessonName(one.hex(), number) for one, number in lessons.items())
    return Bundle(FORMAT, 0, "", names, tuple(Seat(one.hex(), at) for one, at in (people or {}).items()), (), ())


BOTH = bundle({FIRST: 1, SECOND: 2}, {JIA: 17, YI: 18})
CLASS = [(HOME, lesson(FIRST, 1)), (HOME, lesson(SECOND, 2)), (HOME, person(JIA, 17)), (HOME, person(YI, 18))]


def test_what_the_log_was_told_is_not_wrong_also_when_it_is_told_again() -> None:
    seats = told(*CLASS, *CLASS)
    assert list(seats.wrong(BOTH)) == []
    assert list(seats.unnumbered(BOTH)) == []
    assert seats.told(BOTH) == {JIA, YI}


@pytest.mark.parametrize(
    ("again", "wrong"),
    [
        ((HOME, lesson(FIRST, 3)), (FIRST, NO_ID, "lesson_wrong")),
        ((OTHER, lesson(FIRST, 1)), (FIRST, NO_ID, "lesson_wrong")),
        ((HOME, person(JIA, 19)), (NO_ID, JIA, "seat_wrong")),
        ((HOME, person(JIA, 17, "王莉")), (NO_ID, JIA, "seat_wrong")),
    ],
)
def test_what_is_told_again_and_otherwise_is_named_and_does_not_count(
    again: tuple[bytes, Record], wrong: tuple[bytes, bytes, str]
) -> None:
    assert list(told(*CLASS, again).wrong(BOTH)) == [wrong]


def test_somebody_may_sit_elsewhere_in_another_class() -> None:
    assert list(told(*CLASS, (OTHER, person(JIA, 99))).wrong(BOTH)) == []


@pytest.mark.parametrize(
    ("file", "wrong"),
    [
        (bundle({FIRST: 1, SECOND: 3}), [(SECOND, NO_ID, "lesson_wrong")]),
        (bundle({FIRST: 2, SECOND: 2}), [(FIRST, NO_ID, "lesson_wrong")]),
        (bundle({FIRST: 1}, {JIA: 18, YI: 18}), [(NO_ID, JIA, "seat_wrong")]),
        (bundle({FIRST: 1}, {b"stranger": 17}), []),
        (bundle({b"untold-1": 1}, {JIA: 99}), []),
    ],
)
def test_a_file_that_numbers_or_seats_otherwise(file: Bundle, wrong: list[tuple[bytes, bytes, str]]) -> None:
    assert list(told(*CLASS).wrong(file)) == wrong


def test_a_lesson_of_another_class_under_its_own_number_is_wrong() -> None:
    assert list(told((HOME, lesson(FIRST, 1)), (OTHER, lesson(SECOND, 2))).wrong(BOTH)) == [
        (SECOND, NO_ID, "lesson_wrong")
    ]


def test_the_class_is_that_of_the_first_lesson_of_which_the_log_was_told() -> None:
    seats = told((OTHER, lesson(SECOND, 2)), (HOME, person(JIA, 17)), (OTHER, person(YI, 18)))
    assert seats.told(BOTH) == {YI}


@pytest.mark.parametrize(
    ("first", "untold"),
    [
        ({JIA: SLOT}, []),
        ({JIA: SLOT + 1}, []),
        ({JIA: SLOT - 1}, [JIA]),
        ({YI: SLOT}, [YI]),
        ({YI: SLOT, JIA: SLOT - 1}, [YI, JIA]),
    ],
)
def test_who_has_minutes_before_the_log_was_told_of_them(first: dict[bytes, int], untold: list[bytes]) -> None:
    seats = told((HOME, lesson(FIRST, 1)), (HOME, person(JIA, 17)), (OTHER, person(YI, 18)))
    assert list(seats.untold(BOTH, first)) == untold


def test_lessons_of_which_the_log_was_not_told() -> None:
    assert list(told((HOME, lesson(FIRST, 1))).unnumbered(BOTH)) == [2]
    assert list(told().unnumbered(BOTH)) == [1, 2]


@pytest.mark.parametrize(
    ("row", "salts", "misnamed"),
    [
        (Row(17, 1, 0, name="王丽", id_number="X"), {JIA: SALT}, []),
        (Row(17, 1, 0, name="王莉", id_number="X"), {JIA: SALT}, [JIA]),
        (Row(17, 1, 0, name="王丽", id_number="Y"), {JIA: SALT}, [JIA]),
        (Row(17, 1, 0, name="王莉", id_number="X"), {}, []),
        (Row(17, 1, 0, name="王莉", id_number="X"), {JIA: b"", NO_ID: SALT}, []),
        (Row(99, 1, 0, name="王莉", id_number="X"), {JIA: SALT, NO_ID: SALT}, []),
        (Row(18, 1, 0, name="王莉", id_number="X"), {JIA: SALT, YI: SALT}, [YI]),
    ],
)
def test_what_a_sheet_calls_somebody(row: Row, salts: dict[bytes, bytes], misnamed: list[bytes]) -> None:
    assert list(told(*CLASS).misnamed(BOTH, [row], salts)) == misnamed


def test_of_whom_the_log_was_not_told_no_name_is_wrong() -> None:
    row = Row(18, 1, 0, name="王莉", id_number="X")
    assert list(told(*CLASS[:3]).misnamed(BOTH, [row], {YI: SALT})) == []
