"""What is known of a lesson that is not sealed: floors, what is due, what stays small."""

import pytest

from server.attendance.book import MOST_SPANS_PER_MINUTE, PATIENCE_MS, LessonBook, PersonBook, nobody_saw
from server.attendance.intervals import total
from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS, Reason
from server.attendance.timeline import Phase, Transition
from server.verify.minutes import NOTHING_ODD, UNSEEN, Odd, Seen

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
    assert old.unsealed(ME, T + 100 * MINUTE_MS) == ()
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


def test_only_who_held_a_lease_in_the_minute_has_a_record() -> None:
    made = book()
    present(made, T + MINUTE_MS)
    made.hold(YOU, T - MINUTE_MS, T)
    made.hold(YOU, T + MINUTE_MS, T + 2 * MINUTE_MS)
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
    (final,) = made.judge_slot(SLOT, T + 12_000).records
    assert final.reasons == ((Reason.DISCONNECTED, 2_000),), "a minute that is to be stored waits for nobody"


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


def test_a_lesson_is_finished_when_it_ended_and_all_is_sealed() -> None:
    made = book()
    assert not made.finished()
    assert not LessonBook("lesson").finished()
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


def test_of_who_is_new_nothing_is_known() -> None:
    assert PersonBook() == PersonBook((), None, (), (), 0, False, 0, 0, (), {}, ())
    assert LessonBook("lesson") == LessonBook("lesson", (), False, (), None, {}, 0, None, {}, 0, None)
    assert nobody_saw("lesson", ME, SLOT) == UNSEEN
    assert (PATIENCE_MS, MOST_SPANS_PER_MINUTE) == (15_000, 64)


def test_closed_holds_and_the_running_one_are_one_presence() -> None:
    made = book()
    made.hold(ME, T, T + 10_000)
    made.hold(ME, T + 20_000, None, epoch=7)
    known = made.person(ME).presence(T + 30_000)
    assert known.held == ((T, T + 10_000), (T + 20_000, T + 30_000))
    assert known.leases == ((T, 0), (T + 20_000, 7)), "the log does not know the first one"
    made.release(ME, T + 25_000)
    assert made.person(ME).presence(T + 30_000).held == ((T, T + 10_000), (T + 20_000, T + 25_000))


def test_of_what_reaches_into_the_next_minute_only_that_is_kept() -> None:
    made, until = book(), T + 90_000
    made.hold(ME, T, until)
    made.add(ME, ((T, T + 70_000),), ((T + 70_000, until),), until)
    made.sealed(made.judge_slot(SLOT, T + 3 * MINUTE_MS))
    person = made.person(ME)
    assert person.holds == ((T + MINUTE_MS, until),)
    assert (person.front, person.hidden) == (((T + MINUTE_MS, T + 70_000),), ((T + 70_000, until),))


def test_leases_and_notes_of_sealed_minutes_are_dropped_but_the_newest_lease_from_before_holds_on() -> None:
    made = book()
    for epoch, at_ms in enumerate((T, T + 10_000, T + MINUTE_MS, T + 70_000), 1):
        made.hold(ME, at_ms, None, epoch)
    made.note(ME, SLOT, Odd(refused=1))
    made.note(ME, SLOT + 1, Odd(refused=2))
    made.sealed(made.judge_slot(SLOT, T + 3 * MINUTE_MS))
    assert made.person(ME).leases == ((T + 10_000, 2), (T + MINUTE_MS, 3), (T + 70_000, 4))
    assert made.person(ME).odd == {SLOT + 1: Odd(refused=2)}


def test_what_is_odd_is_kept_once_and_only_while_its_minute_is_open() -> None:
    made = book()
    assert made.odd(ME, SLOT) is NOTHING_ODD
    made.note(ME, SLOT, NOTHING_ODD)
    made.note(ME, SLOT - 1, Odd(refused=9))
    assert made.person(ME).odd == {}
    for _ in range(2):
        made.note(ME, SLOT, Odd(1, 5, 0))
        made.note(ME, SLOT, Odd(0, 7, 3))
    assert made.person(ME).odd == {SLOT: Odd(1, 7, 3)}
    made.sealed(made.judge_slot(SLOT, T + 3 * MINUTE_MS))
    made.note(ME, SLOT, Odd(refused=1))
    made.note(ME, SLOT + 1, Odd(refused=1))
    assert made.person(ME).odd == {SLOT + 1: Odd(refused=1)}


def test_a_timeline_that_comes_again_moves_no_sealed_minute() -> None:
    made = book()
    made.undecided_ms = T + 5
    made.sealed(made.judge_slot(SLOT, T + 3 * MINUTE_MS))
    made.set_timeline([Transition(T - 1, Phase.CLOSED), Transition(T, Phase.OPEN)], ended=False)
    assert [made.first_slot, made.last_slot, made.next_slot, made.undecided_ms] == [SLOT, None, SLOT + 1, None]


def test_what_is_not_decided_yet_is_neither_delivered_nor_sealed() -> None:
    made = book()
    made.undecided_ms = T + 70_000
    assert made.delivered(T + 99_000).open == ((T, T + 70_000),)
    assert made.delivered(T + 50_000).open == ((T, T + 50_000),)
    assert made.due(T + 9 * MINUTE_MS) == [SLOT]
    made.undecided_ms = None
    assert made.delivered(T + 99_000).open == ((T, T + 99_000),)


def test_the_earliest_beat_on_its_way_holds_its_minute_open() -> None:
    made, later = book(), T + 9 * MINUTE_MS
    made.taking(ME, T + 70_000)
    made.taking(YOU, T + 130_000)
    assert made.due(later) == [SLOT]
    made.took(ME)
    assert made.due(later) == [SLOT, SLOT + 1]


def test_every_change_has_a_number() -> None:
    made = book()
    made.touch(ME)
    made.touch(YOU)
    assert (made.version, made.person(ME).version, made.person(YOU).version) == (2, 1, 2)
    made.hold(ME, T, None)
    made.add(ME, (), (), T)
    made.release(ME, T + 1)
    assert (made.version, made.person(ME).version) == (5, 5)
    made.sealed(made.judge_slot(SLOT, T + 3 * MINUTE_MS))
    assert (made.version, {one.version for one in made.people.values()}) == (7, {6, 7})


def test_a_beat_that_says_nothing_shows_nothing_and_an_older_one_moves_nothing_back() -> None:
    made = book()
    made.add(ME, (), (), T + 5_000)
    assert not made.person(ME).visible
    made.add(ME, (), ((T, T + 4_000),), T + 4_000)
    assert (made.person(ME).reached_ms, made.person(ME).hidden) == (T + 5_000, ((T, T + 4_000),))


def test_who_is_being_sealed_is_known_only_meanwhile() -> None:
    made = LessonBook("lesson")
    with made.frozen([]):
        assert made.floor_ms == 0
    with made.frozen([SLOT, SLOT + 1]):
        assert made.floor_ms == T + 2 * MINUTE_MS
    assert made.floor_ms == 0


def test_before_a_lesson_begins_only_what_is_over_is_forgotten() -> None:
    made = LessonBook("lesson")
    made.set_timeline([Transition(T, Phase.CLOSED)], ended=False)
    made.hold(ME, T, T + 10)
    made.hold(ME, T + 20, T + 30)
    made.add(ME, ((T, T + 10), (T + 11, T + 12)), ((T + 12, T + 13),), T + 13)
    made.note(ME, SLOT - 1, Odd(refused=1))
    made.forget_before(T + 10)
    person = made.person(ME)
    assert (person.front, person.hidden, person.holds) == (
        ((T + 11, T + 12),), ((T + 12, T + 13),), ((T + 20, T + 30),),
    )  # fmt: skip
    assert person.odd == {}


def test_a_minute_says_what_media_saw_of_whom() -> None:
    made = book()
    present(made, T + MINUTE_MS)
    asked: list[tuple[str, str, int]] = []

    def saw(*of: object) -> Seen:
        asked.append(of)  # type: ignore[arg-type]
        return Seen(1, 2)

    (record,) = made.judge_slot(SLOT, T + 3 * MINUTE_MS, witnessed=saw).records
    assert record.summary is not None
    assert (record.summary.seen, asked) == (Seen(1, 2), [("lesson", ME, SLOT)])


def test_a_minute_that_is_told_twice_counts_once() -> None:
    made = book(end_ms=T + 2 * MINUTE_MS)
    present(made, T + 2 * MINUTE_MS)
    first, second = (made.judge_slot(SLOT + at, T + 5 * MINUTE_MS) for at in range(2))
    for minute in (first, first, second, first):
        made.sealed(minute)
    assert made.person(ME).sealed_credit_ms == 2 * MINUTE_MS
    assert made.next_slot == SLOT + 2


def test_a_lesson_of_two_minutes_is_not_finished_after_one() -> None:
    made = book(end_ms=T + 2 * MINUTE_MS)
    assert made.last_slot == SLOT + 1
    made.sealed(made.judge_slot(SLOT, T + 5 * MINUTE_MS))
    assert not made.finished()
    made.sealed(made.judge_slot(SLOT + 1, T + 5 * MINUTE_MS))
    assert made.finished()
    begun = book()
    begun.sealed(begun.judge_slot(SLOT, T + 5 * MINUTE_MS))
    assert not begun.finished()


def test_a_lesson_of_which_nobody_said_when_it_ended_is_not_finished() -> None:
    made = book()
    made.sealed(made.judge_slot(SLOT, T + 5 * MINUTE_MS))
    made.set_timeline([], ended=True)
    assert made.last_slot is None
    assert not made.finished()


def test_what_is_not_sealed_yet_is_told_minute_by_minute_as_far_as_it_is_known() -> None:
    assert LessonBook("lesson").unsealed(ME, T) == ()
    made = book(end_ms=T + 2 * MINUTE_MS)
    present(made, T + 2 * MINUTE_MS)
    assert [slot for slot, _ in made.unsealed(ME, T + MINUTE_MS)] == [SLOT, SLOT + 1], "a page that beat lately"
    assert [slot for slot, _ in made.unsealed(ME, T + 9 * MINUTE_MS)] == [SLOT, SLOT + 1]
    made.sealed(made.judge_slot(SLOT, T + 5 * MINUTE_MS))
    assert [(slot, one.credit_ms) for slot, one in made.unsealed(ME, T + 9 * MINUTE_MS)] == [(SLOT + 1, MINUTE_MS)]
    one = book()
    present(one, T + MINUTE_MS)
    assert [slot for slot, _ in one.unsealed(ME, T + MINUTE_MS)] == [SLOT], "of the next minute nothing has passed"
    present(one, T + MINUTE_MS + 1)
    assert [slot for slot, _ in one.unsealed(ME, T + MINUTE_MS + 1)] == [SLOT, SLOT + 1]


def test_who_has_no_lease_is_not_waited_for() -> None:
    made = book()
    present(made, T + 10_000)
    made.release(ME, T + 10_000)
    (record,) = made.judge_slot(SLOT, T + 12_000, final=False).records
    assert record.reasons == ((Reason.ABSENT, 2_000),)
