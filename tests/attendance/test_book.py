"""What is known of a lesson that is not sealed: floors, what is due, what stays small."""

import pytest

from server.attendance.book import MOST_SPANS_PER_MINUTE, PATIENCE_MS, LessonBook, at_most
from server.attendance.intervals import total
from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS, Reason
from server.attendance.timeline import Phase, Transition

SLOT = 1_000
T = SLOT * MINUTE_MS
ME, YOU = "00000000000000aa", "00000000000000bb"


def book(start_ms: int = T, end_ms: int | None = None) -> LessonBook:
    made = LessonBook("lesson")
    transitions = [Transition(start_ms, Phase.OPEN)]
    if end_ms is not None:
        transitions.append(Transition(end_ms, Phase.CLOSED))
    made.set_timeline(transitions, ended=end_ms is not None)
    return made


def present(made: LessonBook, until_ms: int) -> None:
    made.hold(ME, T, None)
    made.add(ME, ((T, until_ms),), (), until_ms)


def test_a_minute_is_due_ninety_seconds_after_its_end() -> None:
    assert SEAL_AFTER_MS == 90_000
    made = book()
    assert made.due(T + MINUTE_MS + SEAL_AFTER_MS - 1) == []
    assert made.due(T + MINUTE_MS + SEAL_AFTER_MS) == [SLOT]
    assert made.due(T + 3 * MINUTE_MS + SEAL_AFTER_MS) == [SLOT, SLOT + 1, SLOT + 2]


def test_a_lesson_that_ended_is_due_until_its_last_minute() -> None:
    assert book(end_ms=T + MINUTE_MS).due(T + 10 * MINUTE_MS) == [SLOT]
    assert book(end_ms=T + MINUTE_MS + 1).due(T + 10 * MINUTE_MS) == [SLOT, SLOT + 1]


def test_a_book_without_a_timeline_is_never_due() -> None:
    """Minutes of an old lesson came from the journal, but nobody said when it was open: nothing is invented."""
    made = book()
    present(made, T + MINUTE_MS)
    minute = made.judge_slot(SLOT, T + 4 * MINUTE_MS)
    old = LessonBook("lesson")
    old.sealed(minute)
    assert old.due(T + 100 * MINUTE_MS) == []
    assert LessonBook("lesson").due(T + 100 * MINUTE_MS) == []


def test_a_beat_on_its_way_holds_its_minute_open() -> None:
    made = book()
    present(made, T + 70_000)
    later = T + 5 * MINUTE_MS
    made.taking(ME, T + 70_000)
    assert made.due(later) == [SLOT]
    made.took(ME)
    assert made.due(later)[-1] > SLOT


def test_a_minute_that_is_being_sealed_takes_nothing_any_more() -> None:
    made = book()
    present(made, T + 10_000)
    with made.frozen([SLOT]):
        assert made.floor_ms == T + MINUTE_MS
        made.add(ME, ((T + 10_000, T + 70_000),), (), T + 70_000)
    assert made.floor_ms == T
    assert made.credit_ms(ME, T + 70_000) == 20_000


def test_a_sealed_minute_never_changes() -> None:
    made = book()
    present(made, T + 30_000)
    minute = made.judge_slot(SLOT, T + 3 * MINUTE_MS)
    made.sealed(minute)
    made.add(ME, ((T, T + 90_000),), (), T + 90_000)
    assert made.floor_ms == T + MINUTE_MS
    assert made.credit_ms(ME, T + 90_000) == 30_000 + 30_000
    assert total(made.person(ME).front) == 30_000


def test_what_is_sealed_is_dropped_from_memory() -> None:
    made = book()
    present(made, T + MINUTE_MS)
    made.hold(YOU, T, T + 30_000)
    made.sealed(made.judge_slot(SLOT, T + 3 * MINUTE_MS))
    assert (made.person(ME).front, made.person(YOU).holds) == ((), ())
    assert made.person(ME).sealed_credit_ms == MINUTE_MS


def test_only_who_held_a_lease_has_a_record() -> None:
    made = book()
    present(made, T + MINUTE_MS)
    made.person(YOU)
    minute = made.judge_slot(SLOT, T + 3 * MINUTE_MS)
    assert [record.person_id for record in minute.records] == [ME]
    assert minute.delivered_ms == MINUTE_MS


def test_front_without_a_lease_is_worth_nothing() -> None:
    made = book()
    present(made, T + 60_000)
    made.release(ME, T + 20_000)
    (record,) = made.judge_slot(SLOT, T + 3 * MINUTE_MS).records
    assert (record.credit_ms, record.reasons) == (20_000, ((Reason.ABSENT, 40_000),))


def test_a_page_that_beat_lately_is_not_yet_called_disconnected() -> None:
    made = book()
    present(made, T + 10_000)
    patient = made.judge_slot(SLOT, T + 10_000 + PATIENCE_MS - 1, final=False).records[0]
    assert (patient.credit_ms, patient.reasons) == (10_000, ())
    late = made.judge_slot(SLOT, T + 10_000 + PATIENCE_MS, final=False).records[0]
    assert late.reasons == ((Reason.DISCONNECTED, PATIENCE_MS),)


def test_visible_is_what_the_last_beat_ended_with() -> None:
    made = book()
    present(made, T + 10_000)
    assert made.person(ME).visible
    made.add(ME, ((T + 10_000, T + 12_000),), ((T + 12_000, T + 20_000),), T + 20_000)
    assert not made.person(ME).visible
    made.add(ME, ((T + 20_000, T + 30_000),), (), T + 30_000)
    made.release(ME, T + 30_000)
    assert not made.person(ME).visible


def test_waiting_in_front_of_the_door_does_not_fill_the_memory() -> None:
    made = LessonBook("lesson")
    made.set_timeline([Transition(T, Phase.CLOSED)], ended=False)
    for number in range(1_000):
        made.add(ME, ((T + 2 * number, T + 2 * number + 1),), (), T + 2 * number + 1)
        made.forget_before(T + 2 * number - 10)
    assert len(made.person(ME).front) <= 10


def test_a_lesson_that_has_begun_forgets_nothing_unsealed() -> None:
    made = book()
    present(made, T + 10_000)
    made.forget_before(T + 1_000_000)
    assert total(made.person(ME).front) == 10_000


def test_flicker_beyond_the_limit_is_dropped_and_the_rest_kept() -> None:
    flicker = tuple((T + 100 * i, T + 100 * i + 50) for i in range(MOST_SPANS_PER_MINUTE + 10))
    assert at_most(flicker) == flicker[:MOST_SPANS_PER_MINUTE]
    assert at_most(flicker[:MOST_SPANS_PER_MINUTE]) == flicker[:MOST_SPANS_PER_MINUTE]
    next_minute = ((T + MINUTE_MS, T + 2 * MINUTE_MS),)
    assert at_most(flicker + next_minute) == flicker[:MOST_SPANS_PER_MINUTE] + next_minute


def test_a_lesson_is_finished_when_it_ended_and_all_is_sealed() -> None:
    made = book()
    assert not made.finished()
    made.set_timeline([Transition(T, Phase.OPEN), Transition(T + 30_000, Phase.CLOSED)], ended=True)
    assert not made.finished()
    made.sealed(made.judge_slot(SLOT, T + 3 * MINUTE_MS))
    assert made.finished()
    nothing = LessonBook("lesson")
    nothing.set_timeline([Transition(T, Phase.CLOSED)], ended=True)
    assert nothing.finished()


def test_for_an_outage_nobody_could_be_heard() -> None:
    made = book()
    assert made.outage_ms(T, T + 100_000) == 0
    made.set_timeline(made.transitions, False, ((T + 10_000, T + 20_000), (T + 50_000, T + 80_000)))
    assert [made.outage_ms(T + a, T + b) for a, b in ((0, 10_000), (15_000, 60_000), (0, 10**6))] == [0, 15_000, 40_000]


@pytest.mark.parametrize(("outage_ms", "waits"), [(60_000, False), (60_001, True)])
def test_after_a_fault_pages_have_time_to_come_back_before_anything_is_sealed(outage_ms: int, waits: bool) -> None:
    made, back = book(), T + 300_000
    made.set_timeline(made.transitions, False, ((T, T + 1), (back - outage_ms, back)))
    assert (made.due(back + PATIENCE_MS - 1) == []) is waits
    assert made.due(back + PATIENCE_MS) != []
