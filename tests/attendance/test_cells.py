"""How minutes are shown: what was recorded, what waits, what is refused and what counts add up everywhere."""

from server.attendance.cells import (
    Cell,
    Detail,
    LessonMinutes,
    ReasonMs,
    RecordState,
    Spell,
    absent,
    cell_of,
    totals_of,
    uncounted,
)
from server.attendance.challenges.counting import Challenged, Tally
from server.attendance.challenges.rules import Event
from server.attendance.minutes import MINUTE_MS, MinuteRecord, Reason, SealedMinute, told
from server.verify.minutes import CLOSED, CREDITED, Odd, Seen, Summary, write
from server.verify.vouched import Outcome

ANN, BOB = "000000000000000a", "000000000000000b"
FULL = MinuteRecord(ANN, ((0, MINUTE_MS),), ())
HALF = MinuteRecord(ANN, ((0, 30_000),), ((Reason.HIDDEN, 30_000),))


def minute(slot: int, *records: MinuteRecord) -> SealedMinute:
    return SealedMinute(slot, MINUTE_MS, records)


def challenged(*happened: tuple[int, Outcome], ended: bool = True, limit_ms: int = 900_000) -> Challenged:
    events = [Event(seq, at_ms, what, 1, 1) for seq, (at_ms, what) in enumerate(happened, 1)]
    return Challenged(limit_ms, {ANN: events}, ended)


def lesson(known: Challenged | None, fresh: int = 0) -> LessonMinutes:
    """Three minutes of ANN's, of which the last `fresh` are not sealed."""
    every = [minute(0, FULL), minute(1, HALF), minute(2, FULL)]
    return LessonMinutes(every[: 3 - fresh], every[3 - fresh :], {}, known)


def test_without_challenges_a_sealed_minute_counts() -> None:
    known = lesson(None)
    totals = totals_of(known.cells(ANN))
    assert (totals.credit_ms, totals.confirmed_ms, totals.pending_ms, totals.refused) == (150_000, 150_000, 0, [])
    assert (totals.state, known.settled(ANN), known.tally(ANN)) == (RecordState.CONFIRMED, True, Tally())
    assert totals_of(lesson(None, fresh=1).cells(ANN)).state is RecordState.RECORDED
    assert totals_of([]).state is RecordState.RECORDED


def test_while_the_lesson_goes_on_what_follows_the_last_pass_is_pending() -> None:
    known = lesson(challenged((90_000, Outcome.PASSED), ended=False))
    cells = known.cells(ANN)
    assert [cell.pending_ms for cell in cells] == [0, 0, 60_000]
    assert [cell.counted_ms for cell in cells] == [60_000, 30_000, 0]
    totals = totals_of(cells)
    assert (totals.state, totals.pending_ms, totals.confirmed_ms) == (RecordState.PENDING, 60_000, 90_000)
    assert not known.settled(ANN)


def test_a_void_is_told_in_its_cells_with_its_reason() -> None:
    known = lesson(challenged((30_000, Outcome.PASSED), (80_000, Outcome.TIMED_OUT), (150_000, Outcome.PASSED)))
    cells = known.cells(ANN)
    missed = [{one.code: one.ms for one in cell.refused} for cell in cells]
    assert missed == [{"challenge_missed": 30_000}, {"challenge_missed": 30_000}, {"challenge_missed": 30_000}]
    assert [cell.counted_ms for cell in cells] == [30_000, 0, 30_000]
    for cell in cells:
        assert cell.credit_ms == cell.vouched_ms + cell.pending_ms + sum(one.ms for one in cell.refused)
    totals = totals_of(cells)
    assert totals.refused == [ReasonMs("challenge_missed", 90_000)]
    assert (totals.credit_ms, totals.confirmed_ms, totals.state) == (150_000, 60_000, RecordState.CONFIRMED)
    assert known.tally(ANN) == Tally(3, 2, 0, 1)


def test_a_lesson_of_which_nothing_is_left_is_refused() -> None:
    totals = totals_of(lesson(challenged((180_000, Outcome.FAILED))).cells(ANN))
    assert (totals.state, totals.confirmed_ms) == (RecordState.REFUSED, 0)
    assert totals.refused == [ReasonMs("identity_failed", 150_000)]


def test_others_have_their_own_challenges() -> None:
    assert [cell.refused for cell in lesson(challenged((1, Outcome.FAILED))).cells(BOB)] == [[], [], []]


def test_a_correction_replaces_what_challenges_left() -> None:
    known = LessonMinutes([minute(0, FULL)], [], {(ANN, 0): 60_000}, challenged((50_000, Outcome.FAILED)))
    (cell,) = known.cells(ANN)
    assert (cell.vouched_ms, cell.counted_ms) == (0, 60_000)
    totals = totals_of([cell])
    assert (totals.corrected_ms, totals.confirmed_ms, totals.state) == (60_000, 60_000, RecordState.CONFIRMED)


def test_what_is_beyond_the_limit_stays_pending_until_it_is_corrected() -> None:
    known = LessonMinutes([minute(0, FULL)], [], {}, challenged(limit_ms=40_000))
    assert totals_of(known.cells(ANN)).state is RecordState.PENDING
    assert known.settled(ANN)
    corrected = LessonMinutes([minute(0, FULL)], [], {(ANN, 0): 60_000}, challenged(limit_ms=40_000))
    totals = totals_of(corrected.cells(ANN))
    assert (totals.pending_ms, totals.corrected_ms, totals.state) == (0, 20_000, RecordState.CONFIRMED)


def test_a_minute_without_a_record_has_nothing_to_vouch_for() -> None:
    known = LessonMinutes([minute(0), minute(1, FULL)], [], {}, challenged(ended=False))
    assert [cell.pending_ms for cell in known.cells(ANN)] == [0, 60_000]


def test_what_does_not_count_of_a_whole_class() -> None:
    both = [minute(0, FULL, MinuteRecord(BOB, ((0, 10_000),), ()))]
    assert uncounted(both, None) == {}
    assert uncounted(both, challenged((20_000, Outcome.SILENT), ended=True)) == {ANN: 60_000, BOB: 0}
    assert uncounted(both, challenged(ended=False)) == {ANN: 60_000, BOB: 10_000}


def test_cells_of_a_lesson_without_challenges_are_as_they_ever_were() -> None:
    assert lesson(None).cells(ANN)[1] == Cell(1, 60_000, 30_000, [ReasonMs("hidden", 30_000)], True, None, 0, [])


def test_a_cell_tells_where_its_minute_went_and_what_was_odd() -> None:
    spells = ((CLOSED, 5_000), (CREDITED, 20_000), (Reason.HIDDEN, 60_000))
    summary = Summary(1, spells, Odd(2, 7_000, 300), Seen(grade=3))
    cell = cell_of(7, told("aa" * 8, write(summary)), True)
    shown = [Spell("closed", 0, 5_000), Spell("credited", 5_000, 20_000), Spell("hidden", 20_000, 60_000)]
    assert (cell.detail, cell.grade) == (Detail(shown, 2, 7_000, 300), 3)


def test_what_is_said_by_one_word_has_no_detail() -> None:
    for spells in ((), ((CREDITED, 60_000),), ((Reason.ABSENT, 30_000),)):
        assert cell_of(7, told("aa" * 8, write(Summary(1, spells))), True).detail is None
    assert cell_of(7, absent("aa" * 8, 60_000), True).detail is None
    seen = cell_of(7, told("aa" * 8, write(Summary(1, ((CREDITED, 60_000),), seen=Seen(1, 2)))), True)
    assert (seen.detail, seen.grade, seen.confirmed_ms) == (None, 2, 60_000)
    for summary in (
        Summary(1, ((CREDITED, 60_000),), Odd(refused=1)),
        Summary(1, ((CREDITED, 30_000), (CLOSED, 40_000), (CREDITED, 60_000))),
    ):
        assert cell_of(7, told("aa" * 8, write(summary)), True).detail is not None
