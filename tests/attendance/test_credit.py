"""What a beat is worth, at the edges of every limit and for any pages and delays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.attendance.credit import (
    LAG_MS,
    LAGGING_BEATS,
    LONGEST_GAP_MS,
    MOST_MONO,
    MOST_SPANS,
    Anchor,
    Beat,
    Credit,
    credit,
)
from server.attendance.intervals import Interval, Intervals, intersect, total, union
from server.core.errors import DomainError

T = 1_000_000  # when the lease was granted, and the page's clock showed MONO
MONO = 7_000
#: the page's clock is known from the join
KNOWN = Anchor(0, "n0", T, T - MONO, MONO)
#: nothing is known of the page's clock yet
FRESH = Anchor(0, "n0", T)


def beat(anchor: Anchor, mono: int, *spans: Interval) -> Beat:
    return Beat(anchor.seq + 1, anchor.nonce, mono, spans)


def after(anchor: Anchor, ms: int, *spans: Interval, late_ms: int = 0) -> Credit:
    """A beat taken `ms` after the grant by a page whose clock is right; spans are offsets from the grant."""
    moved = tuple((MONO + start, MONO + end) for start, end in spans)
    return credit(anchor, beat(anchor, MONO + ms, *moved), T + ms + late_ms, f"n{anchor.seq + 1}")


def test_time_in_front_and_time_hidden_share_the_time_since_the_last_beat() -> None:
    worth = after(KNOWN, 10_000, (2_000, 5_000), (9_000, 10_000))
    assert worth.front == ((T + 2_000, T + 5_000), (T + 9_000, T + 10_000))
    assert worth.hidden == ((T, T + 2_000), (T + 5_000, T + 9_000))
    assert worth.anchor == Anchor(1, "n1", T + 10_000, T - MONO, MONO + 10_000)


def test_the_first_beat_alone_fixes_a_clock_that_was_not_known() -> None:
    worth = after(FRESH, 10_000, (0, 10_000))
    assert worth.front == ((T, T + 10_000),)
    assert worth.anchor.offset_ms == T - MONO


@pytest.mark.parametrize(("gap", "credited"), [(LONGEST_GAP_MS, LONGEST_GAP_MS), (LONGEST_GAP_MS + 1, 0)])
def test_a_hole_counts_up_to_the_longest_gap(gap: int, credited: int) -> None:
    assert LONGEST_GAP_MS == 60_000
    worth = after(KNOWN, gap, (0, gap))
    assert total(worth.front) == credited
    assert worth.hidden == ()
    assert worth.anchor.reached_ms == T + gap


@pytest.mark.parametrize(("ours", "credited"), [(LONGEST_GAP_MS, 2 * LONGEST_GAP_MS), (LONGEST_GAP_MS - 1, 0)])
def test_while_nobody_could_be_heard_no_hole_grows(ours: int, credited: int) -> None:
    gap = 2 * LONGEST_GAP_MS
    worth = credit(KNOWN, beat(KNOWN, MONO + gap, (MONO, MONO + gap)), T + gap, "n1", ours)
    assert total(worth.front) == credited
    assert total(after(worth.anchor, gap + 10_000, (0, gap + 10_000)).front) == 10_000


def test_nothing_is_credited_twice_or_beyond_the_receipt() -> None:
    first = after(KNOWN, 10_000, (0, 10_000))
    again = after(first.anchor, 15_000, (-5_000, 99_000))
    assert again.front == ((T + 10_000, T + 15_000),)


def test_a_late_beat_is_worth_what_an_early_one_is() -> None:
    assert after(KNOWN, 10_000, (0, 10_000), late_ms=4_000).front == after(KNOWN, 10_000, (0, 10_000)).front


@pytest.mark.parametrize(("late_ms", "anchored_again"), [(LAG_MS, False), (LAG_MS + 1, True)])
def test_a_page_that_lags_for_three_beats_gets_a_new_anchor(late_ms: int, anchored_again: bool) -> None:
    assert (LAG_MS, LAGGING_BEATS) == (5_000, 3)
    anchor = KNOWN
    for number in range(1, LAGGING_BEATS):
        anchor = after(anchor, number * 10_000, (0, 99_000), late_ms=late_ms).anchor
        assert anchor.offset_ms == KNOWN.offset_ms
    worth = after(anchor, 30_000, (0, 99_000), late_ms=late_ms)
    assert worth.front == ((T + 20_000, T + 30_000),)
    assert (worth.anchor.reached_ms == T + 30_000 + late_ms) is anchored_again
    assert (worth.anchor.offset_ms == T - MONO + late_ms) is anchored_again
    assert worth.lagged_ms == (late_ms if anchored_again else 0)
    assert worth.anchor.lagging == 0


def test_one_beat_in_time_ends_the_count_of_lagging_ones() -> None:
    anchor = after(KNOWN, 10_000, late_ms=9_000).anchor
    anchor = after(anchor, 20_000, late_ms=9_000).anchor
    assert anchor.lagging == 2
    assert after(anchor, 30_000).anchor.lagging == 0


def test_a_fast_clock_stretches_nothing() -> None:
    """5 s hidden, then 5 s in front, at double speed: the server saw 10 s pass, the page says 20."""
    said = beat(KNOWN, MONO + 20_000, (MONO + 10_000, MONO + 20_000))
    worth = credit(KNOWN, said, T + 10_000, "n1")
    assert total(worth.front) == 0
    only_in_front = beat(KNOWN, MONO + 20_000, (MONO, MONO + 20_000))
    assert total(credit(KNOWN, only_in_front, T + 10_000, "n1").front) == 10_000


def test_a_clock_that_hurries_only_in_front_gains_nothing() -> None:
    """5 s hidden at the right speed, 5 s in front at double speed."""
    said = beat(KNOWN, MONO + 15_000, (MONO + 5_000, MONO + 15_000))
    assert total(credit(KNOWN, said, T + 10_000, "n1").front) == 5_000


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"nonce": "n9"}, "nonce"),
        ({"nonce": ""}, "nonce"),
        ({"seq": 0}, "seq"),
        ({"seq": 2}, "seq"),
        ({"mono": MONO - 1}, "clock"),
        ({"mono": MOST_MONO + 1}, "clock"),
        ({"spans": ((MONO, MONO + 1),) * (MOST_SPANS + 1)}, "spans"),
        ({"mono": MONO, "spans": ((MONO, MONO + 1),) * (MOST_SPANS + 1)}, "spans"),
        ({"mono": MOST_MONO, "spans": ((MONO, MONO + 1),) * (MOST_SPANS + 1)}, "spans"),
    ],
)
def test_what_cannot_be_the_next_beat_is_refused(change: dict[str, object], why: str) -> None:
    with pytest.raises(DomainError) as caught:
        credit(KNOWN, beat(KNOWN, MONO + 10)._replace(**change), T + 10, "n1")  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.data) == ("beat_refused", {"why": why})


def test_the_largest_beat_that_is_allowed() -> None:
    assert (MOST_SPANS, MOST_MONO) == (64, 9_007_199_254_740_992)
    spans = tuple((MONO + 2 * i, MONO + 2 * i + 1) for i in range(MOST_SPANS))
    assert total(credit(KNOWN, beat(KNOWN, MONO + 10_000, *spans), T + 10_000, "n1").front) == MOST_SPANS
    assert credit(KNOWN, beat(KNOWN, MOST_MONO), T + 10_000, "n1").front == ()


def test_a_page_may_begin_with_its_clock_at_zero() -> None:
    assert credit(FRESH, beat(FRESH, 0), T, "n1").anchor.reached_ms == T


def test_a_new_lease_has_not_lagged_yet() -> None:
    anchor = FRESH
    for seq, late_ms in enumerate((0, LAG_MS + 1, LAG_MS + 1), start=1):
        anchor = credit(anchor, beat(anchor, MONO + seq), T + seq + late_ms, f"n{seq}").anchor
    assert (anchor.lagging, anchor.offset_ms) == (2, T - MONO), "a new anchor comes with the third"


def test_reversed_empty_and_overlapping_spans_count_once() -> None:
    worth = after(KNOWN, 10_000, (5_000, 1_000), (3_000, 3_000), (2_000, 6_000), (4_000, 7_000))
    assert worth.front == ((T + 2_000, T + 7_000),)


def test_a_server_clock_set_back_by_a_restart_credits_nothing_twice() -> None:
    anchor = after(KNOWN, 30_000, (0, 30_000)).anchor
    worth = credit(anchor, beat(anchor, MONO + 40_000, (MONO, MONO + 40_000)), T + 20_000, "n2")
    assert (worth.front, worth.anchor.reached_ms) == ((), T + 30_000)


def test_after_a_clock_that_was_set_back_time_in_front_counts_where_it_was() -> None:
    """10 s of the page lie before what is settled already; its time in front comes after them and loses nothing."""
    anchor = after(KNOWN, 30_000, (0, 30_000)).anchor
    anchor = credit(anchor, beat(anchor, MONO + 40_000), T + 20_000, "n2").anchor
    worth = credit(anchor, beat(anchor, MONO + 55_000, (MONO + 50_000, MONO + 55_000)), T + 35_000, "n3")
    assert (worth.front, worth.hidden) == (((T + 30_000, T + 35_000),), ())


def test_of_a_moment_in_which_no_time_passed_nothing_is_told() -> None:
    worth = credit(KNOWN, beat(KNOWN, MONO + 1_000, (MONO, MONO + 1_000)), T, "n1")
    assert (worth.front, worth.hidden, worth.surplus_ms) == ((), (), 0)


spans_of = st.lists(st.tuples(st.integers(0, 400_000), st.integers(0, 400_000)), max_size=8).map(tuple)
any_beats = st.lists(st.tuples(st.integers(0, 70_000), st.integers(0, 90_000), spans_of), max_size=8)


@given(any_beats, st.sampled_from([KNOWN, FRESH]))
def test_whatever_a_page_says_it_earns_no_millisecond_twice_none_before_none_after(
    beats: list[tuple[int, int, tuple[Interval, ...]]], anchor: Anchor
) -> None:
    received, mono = T, MONO
    earned: Intervals = ()
    for passed, ran, spans in beats:
        received, mono = received + passed, mono + ran
        worth = credit(anchor, beat(anchor, mono, *spans), received, "n")
        new = union(worth.front, worth.hidden)
        assert intersect(new, earned) == ()
        assert intersect(worth.front, worth.hidden) == ()
        assert all(anchor.reached_ms <= start and end <= received for start, end in new)
        assert anchor.reached_ms <= worth.anchor.reached_ms <= received
        anchor, earned = worth.anchor, union(earned, new)


phases = st.lists(st.tuples(st.integers(1, 20_000), st.booleans(), st.integers(1, 4)), min_size=1, max_size=12)


@given(phases)
def test_speed_up_never_gains_and_the_right_speed_loses_nothing(parts: list[tuple[int, bool, int]]) -> None:
    """I11, I13: a page is hidden and in front in turns, its clock at any speed from right to fourfold."""
    anchor, now, mono, real, hurried = KNOWN, T, MONO, 0, 0
    honest = all(rate == 1 for _, _, rate in parts)
    spans: tuple[Interval, ...] = ()
    for number, (ms, front, rate) in enumerate(parts):
        spans += ((mono, mono + ms * rate),) if front else ()
        now, mono, real = now + ms, mono + ms * rate, real + (ms if front else 0)
        if number % 3 == 2 or number == len(parts) - 1:
            worth = credit(anchor, beat(anchor, mono, *spans), now, "n")
            anchor, hurried, spans = worth.anchor, hurried + total(worth.front), ()
    assert hurried == real if honest else hurried <= real


@pytest.mark.parametrize(("fast", "told"), [(249, 0), (250, 250), (251, 251)])
def test_what_a_fast_clock_said_too_much_is_told_from_a_quarter_of_a_second_on(fast: int, told: int) -> None:
    worth = after(KNOWN, 10_000 + fast, (0, 10_000 + fast), late_ms=-fast)
    assert (worth.front, worth.surplus_ms) == (((T, T + 10_000),), told)


def test_of_a_hole_that_is_too_long_nothing_is_told_but_that() -> None:
    worth = after(KNOWN, LONGEST_GAP_MS + 2_000, (0, LONGEST_GAP_MS + 2_000), late_ms=-1_000)
    assert (worth.front, worth.hidden, worth.lagged_ms, worth.surplus_ms) == ((), (), 0, 0)
