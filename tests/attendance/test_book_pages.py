"""What a book knows of one page: whether it is in front, what it lost, and no more flicker than it may hold."""

import pytest

from server.attendance.book import MOST_SPANS_PER_MINUTE, LessonBook, at_most
from server.attendance.intervals import Intervals
from server.attendance.minutes import MINUTE_MS, Lost, Reason
from tests.attendance.test_book import ME, T, book, present


def test_visible_is_what_the_last_beat_ended_with() -> None:
    made = book()
    present(made, T + 10_000)
    assert made.person(ME).visible
    made.add(ME, ((T + 10_000, T + 12_000),), ((T + 12_000, T + 20_000),), T + 20_000)
    assert not made.person(ME).visible
    made.add(ME, ((T + 20_000, T + 30_000),), (), T + 30_000)
    made.release(ME, T + 30_000)
    assert not made.person(ME).visible


END = T + 10_000


@pytest.mark.parametrize(
    ("front", "hidden", "lost", "visible"),
    [
        ((), (), ((Reason.BLURRED, ((T, T + 2_000), (T + 3_000, END))),), True),
        ((), (), ((Reason.BLURRED, ((T, T + 5_000),)), (Reason.IDLE, ((T + 5_000, END),))), True),
        (((T + 2_000, END),), (), ((Reason.BLURRED, ((T, T + 2_000),)),), True),
        ((), ((T + 2_000, END),), ((Reason.BLURRED, ((T, T + 2_000),)),), False),
    ],
)
def test_a_page_that_lost_its_last_moment_is_in_front_all_the_same(
    front: Intervals, hidden: Intervals, lost: Lost, visible: bool
) -> None:
    made = book()
    made.add(ME, front, hidden, END, lost)
    assert made.person(ME).visible is visible


def test_what_was_lost_in_front_of_the_door_is_forgotten_like_the_rest() -> None:
    made = LessonBook("lesson")
    made.add(ME, (), (), T, ((Reason.IDLE, ((T - 50, T - 40), (T - 20, T))),))
    made.forget_before(T - 30)
    assert made.person(ME).lost == ((Reason.IDLE, ((T - 20, T),)),)
    made.forget_before(T + 30)
    assert made.person(ME).lost == ()


def test_flicker_beyond_the_limit_is_dropped_and_the_rest_kept() -> None:
    flicker = tuple((T + 100 * i, T + 100 * i + 50) for i in range(MOST_SPANS_PER_MINUTE + 10))
    assert at_most(flicker) == flicker[:MOST_SPANS_PER_MINUTE]
    assert at_most(flicker[:MOST_SPANS_PER_MINUTE]) == flicker[:MOST_SPANS_PER_MINUTE]
    next_minute = ((T + MINUTE_MS, T + 2 * MINUTE_MS),)
    assert at_most(flicker + next_minute) == flicker[:MOST_SPANS_PER_MINUTE] + next_minute
    before = ((T - 50, T + 10),)
    assert at_most(before + flicker[1:]) == before + flicker[1 : MOST_SPANS_PER_MINUTE + 1], (
        "it begins a minute earlier"
    )


def test_however_often_a_page_says_so_a_minute_holds_no_more() -> None:
    made, flicker = book(), tuple((T + 100 * i, T + 100 * i + 50) for i in range(MOST_SPANS_PER_MINUTE + 2))
    early, late = flicker[:MOST_SPANS_PER_MINUTE], flicker[MOST_SPANS_PER_MINUTE:]
    made.add(ME, early, early, T + 50_000, ((Reason.IDLE, early),))
    made.add(ME, late, late, T + 50_000, ((Reason.IDLE, late),))
    person = made.person(ME)
    assert (person.front, person.hidden, person.lost) == (early, early, ((Reason.IDLE, early),))
