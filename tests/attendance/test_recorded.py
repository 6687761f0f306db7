"""What a beat of a recorded lesson is worth: what was new, played in front, at its pace; the rest says why not."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.attendance.credit import LONGEST_GAP_MS
from server.attendance.intervals import Interval, Intervals, intersect, subtract, total, union
from server.attendance.minutes import Reason
from server.attendance.recorded import (
    FASTEST,
    MOST_POSITION,
    SLACK_MS,
    Progress,
    Stretch,
    laid,
    uncover,
    watch,
    within,
    without,
)
from server.core.errors import DomainError
from server.training.rules import AttentionRule
from tests.attendance.viewer import ALL, MONO, T, Viewer


def after(*spans: Interval) -> Intervals:
    """Ledger milliseconds as offsets from the grant."""
    return tuple((T + start, T + end) for start, end in spans)


def test_what_is_new_and_played_in_front_counts() -> None:
    viewer = Viewer()
    viewer.pass_(10_000)
    worth = viewer.say()
    assert (worth.credited, worth.lost) == (after((0, 10_000)), {})
    assert worth.progress == Progress(10_000, (Stretch(0, T, 10_000),))
    assert (worth.anchor.seq, worth.anchor.nonce, worth.anchor.reached_ms) == (1, "n1", T + 10_000)
    viewer.pass_(5_000)
    viewer.say()
    assert viewer.progress == Progress(15_000, (Stretch(0, T, 15_000),))


def test_what_does_not_play_or_is_not_in_front_says_so() -> None:
    viewer = Viewer()
    viewer.pass_(2_000)
    viewer.pass_(3_000, speed=0)
    viewer.pass_(4_000, front=False, speed=0)
    viewer.pass_(1_000)
    worth = viewer.say()
    assert worth.credited == after((0, 2_000), (9_000, 10_000))
    assert worth.lost == {Reason.NOT_PLAYING: after((2_000, 5_000)), Reason.HIDDEN: after((5_000, 9_000))}
    assert worth.progress.stretches == (Stretch(0, T, 2_000), Stretch(2_000, T + 9_000, 1_000))


def test_what_plays_in_the_background_is_hidden_and_goes_too_far() -> None:
    viewer = Viewer()
    viewer.pass_(4_000, front=False)
    viewer.pass_(6_000)
    worth = viewer.say()
    assert (worth.credited, worth.progress) == ((), Progress(10_000))
    assert worth.lost == {Reason.HIDDEN: after((0, 4_000)), Reason.TOO_FAST: after((4_000, 10_000))}


@pytest.mark.parametrize(("way", "reason"), [({"focus": False}, Reason.BLURRED), ({"moves": False}, Reason.IDLE)])
def test_what_plays_without_the_attention_that_is_asked_can_be_watched_again(
    way: dict[str, bool], reason: Reason
) -> None:
    viewer = Viewer(rule=AttentionRule(True, 60_000))
    viewer.pass_(4_000)
    viewer.pass_(3_000, **way)
    viewer.pass_(2_000, speed=0, **way)
    viewer.pass_(1_000)
    worth = viewer.say()
    assert worth.credited == after((0, 4_000), (9_000, 10_000))
    assert worth.lost == {reason: after((4_000, 9_000))}
    assert viewer.covered() == ((0, 4_000), (7_000, 8_000))
    assert viewer.saw(4_000, 3_000) == 3_000, "what it missed counts once it is watched"


def test_where_nothing_is_asked_focus_and_moving_are_nobodys_business() -> None:
    viewer = Viewer()
    viewer.pass_(10_000, focus=False, moves=False)
    assert (viewer.say().credited, viewer.said[-1][0].attended) == (after((0, 10_000)), None)


def test_who_goes_too_far_without_attention_is_told_both() -> None:
    viewer = Viewer(rule=AttentionRule(True, None))
    viewer.pass_(4_000, focus=False)
    viewer.pass_(6_000, speed=2.0)
    worth = viewer.say()
    assert worth.lost == {Reason.BLURRED: after((0, 4_000)), Reason.TOO_FAST: after((4_000, 10_000))}


def test_a_player_that_stalls_earns_as_far_as_it_came() -> None:
    viewer = Viewer()
    viewer.pass_(10_000)
    viewer.place = 7_500
    worth = viewer.say()
    assert worth.credited == after((0, 7_500))
    assert worth.lost == {Reason.NOT_PLAYING: after((7_500, 10_000))}
    for place in (7_500, 7_000):  # it stands, it steps back by itself
        viewer.pass_(1_000)
        viewer.place = place
        worth = viewer.say()
        assert (worth.credited, list(worth.lost)) == ((), [Reason.NOT_PLAYING])


def test_what_was_seen_before_earns_nothing() -> None:
    viewer = Viewer()
    viewer.pass_(10_000)
    viewer.say()
    assert viewer.saw(4_000, 10_000) == 4_000
    worth_again = viewer.saw(0, 14_000)
    assert worth_again == 0
    viewer.seek(8_000)
    viewer.pass_(10_000)
    worth = viewer.say()
    begin = viewer.now - 10_000
    assert worth.credited == after((begin + 6_000, begin + 10_000))
    assert worth.lost == {Reason.REWATCHED: after((begin, begin + 6_000))}
    assert viewer.progress.covered == ((0, 18_000),)


def test_a_drag_earns_nothing_and_the_player_goes_on_from_there() -> None:
    viewer = Viewer()
    viewer.pass_(5_000)
    viewer.place = 60_000
    worth = viewer.say()
    assert (worth.credited, worth.lost) == ((), {Reason.TOO_FAST: after((0, 5_000))})
    assert worth.progress == Progress(60_000)
    viewer.pass_(5_000)
    assert viewer.say().progress.covered == ((60_000, 65_000),)


@pytest.mark.parametrize("pos0", [0, 9_999, 10_001])
def test_who_begins_elsewhere_than_was_acknowledged_earns_nothing(pos0: int) -> None:
    viewer = Viewer()
    viewer.pass_(10_000)
    viewer.say()
    viewer.pass_(10_000)
    worth = viewer.say(pos0)
    assert (worth.credited, worth.lost) == ((), {Reason.TOO_FAST: after((10_000, 20_000))})


@pytest.mark.parametrize(("surplus", "credited"), [(0, 10_000), (SLACK_MS, 10_000), (SLACK_MS + 1, 0)])
def test_a_player_may_be_ahead_of_time_by_a_little_and_gains_nothing(surplus: int, credited: int) -> None:
    assert SLACK_MS == 500
    viewer = Viewer()
    viewer.pass_(10_000)
    viewer.place += surplus
    worth = viewer.say()
    assert total(worth.credited) == total(worth.progress.covered) == credited
    assert worth.progress.position == 10_000 + surplus


@pytest.mark.parametrize(
    ("rate", "credited"), [(1.0, 5_000), (0.5, 5_000), (1.001, 0), (2.0, 0), (0.0, 0), (-1.0, 0), (float("nan"), 0)]
)
def test_nothing_faster_counts(rate: float, credited: int) -> None:
    viewer = Viewer()
    viewer.pass_(10_000, speed=0.5)
    assert total(viewer.say(rate=rate).credited) == credited


def test_what_was_never_served_earns_nothing() -> None:
    viewer = Viewer(served=((0, 4_000), (8_000, 9_000)))
    viewer.pass_(10_000)
    worth = viewer.say()
    assert worth.credited == after((0, 4_000), (8_000, 9_000))
    assert worth.lost == {Reason.TOO_FAST: after((4_000, 8_000), (9_000, 10_000))}


@pytest.mark.parametrize(("gap", "credited"), [(LONGEST_GAP_MS, LONGEST_GAP_MS), (LONGEST_GAP_MS + 1, 0)])
def test_a_hole_counts_up_to_the_longest_gap(gap: int, credited: int) -> None:
    viewer = Viewer()
    viewer.pass_(gap)
    assert total(viewer.say().credited) == credited


def test_a_void_uncovers_its_slice_and_it_can_be_made_up() -> None:
    viewer = Viewer()
    for _ in range(3):
        viewer.pass_(10_000)
        viewer.say()
    viewer.progress = uncover(viewer.progress, after((8_000, 12_000), (25_000, 99_000)))
    assert viewer.covered() == ((0, 8_000), (12_000, 25_000))
    assert viewer.progress.credited == after((0, 8_000), (12_000, 25_000))
    assert viewer.progress.position == 30_000
    assert viewer.saw(0, 30_000) == 9_000
    assert viewer.covered() == ((0, 30_000),)
    assert viewer.saw(0, 30_000) == 0


def test_a_place_has_bounds() -> None:
    for place, known in ((-5, 0), (MOST_POSITION + 1, MOST_POSITION)):
        viewer = Viewer()
        viewer.seek(place)
        assert viewer.progress.position == known
    assert MOST_POSITION == 2**53


def test_what_credit_refuses_is_refused() -> None:
    viewer = Viewer()
    viewer.pass_(10_000)
    beat, played = viewer.take()
    for wrong in (beat._replace(nonce="other"), beat._replace(seq=7), beat._replace(mono=0)):
        with pytest.raises(DomainError, match="beat_refused"):
            watch(viewer.anchor, wrong, played, viewer.progress, ALL, T + 10_000, "n1")


def test_ways_are_laid_cut_and_left_out() -> None:
    way = laid(((100, 110), (120, 150)), 1_000, 25)
    assert way == (Stretch(1_000, 100, 10), Stretch(1_010, 120, 15))
    assert laid(((100, 110),), 0, 0) == laid((), 0, 5) == ()
    assert within(way, ((1_005, 1_012),)) == (Stretch(1_005, 105, 5), Stretch(1_010, 120, 2))
    assert without(way, ((1_005, 1_012),)) == (Stretch(1_000, 100, 5), Stretch(1_012, 122, 13))


# ---- for any page (I7)

places = st.integers(0, 60_000)
spans = st.lists(st.tuples(places, places), max_size=4)
claims = st.tuples(
    st.integers(1, 70_000),  # how much time passes
    spans,  # in front, from the last beat on
    spans,  # playing
    st.one_of(st.none(), places),  # pos0, None: what was acknowledged
    st.integers(-5_000, 90_000),  # how far it goes
    st.sampled_from([1.0, 1.0, 1.0, 0.7, 2.0]),
)
served_parts = st.one_of(st.just(ALL), spans.map(lambda one: union(one)))


@given(st.lists(claims, max_size=12), served_parts)
def test_no_page_earns_more_than_it_was_served_or_than_time_passed(
    said: list[tuple[int, list[Interval], list[Interval], int | None, int, float]], served: Intervals
) -> None:
    viewer, claimed = Viewer(served=served), []
    for passed, front, playing, pos0, way, rate in said:
        begin = MONO + viewer.now
        viewer.front = [(begin + a, begin + b) for a, b in front]
        viewer.playing = [(begin + a, begin + b) for a, b in playing]
        viewer.now += passed
        start = viewer.progress.position if pos0 is None else pos0
        viewer.place = max(start + way, 0)
        claimed.append((start, viewer.place))
        before = viewer.anchor.reached_ms
        worth = viewer.say(pos0, rate)
        told = [worth.credited, *worth.lost.values()]
        whole = ((before, T + viewer.now),) if passed <= LONGEST_GAP_MS else ()
        assert union(*told) == whole
        assert sum(map(total, told)) == total(whole), "a millisecond has two reasons"
    credited = union(viewer.credited)
    assert sum(end - start for start, end in viewer.credited) == total(credited), "a millisecond counted twice"
    assert credited == viewer.progress.credited
    assert total(credited) == total(viewer.progress.covered) <= viewer.now
    assert subtract(viewer.progress.covered, intersect(served, union(claimed))) == ()


@given(st.lists(st.tuples(places, st.integers(1, 30_000)), max_size=5), st.randoms(use_true_random=False))
def test_the_order_in_which_parts_are_seen_changes_nothing(parts: list[tuple[int, int]], chance: object) -> None:
    del chance
    unique = union((place, place + ms) for place, ms in parts)
    for order in itertools.islice(itertools.permutations(parts), 24):
        viewer = Viewer()
        assert sum(viewer.saw(place, ms) for place, ms in order) == total(unique)
        assert viewer.progress.covered == unique


moves = st.lists(
    st.tuples(st.sampled_from(["play", "play", "pause", "hide", "seek", "lose"]), st.integers(1, 20_000)), max_size=25
)


@given(moves, st.integers(0, 4_000))
def test_an_honest_viewer_keeps_every_millisecond_also_of_holes(plan: list[tuple[str, int]], late_ms: int) -> None:
    viewer, watched, hole = Viewer(), [], 0
    for what, ms in plan:
        if what == "seek":
            viewer.say()
            viewer.seek(ms)
            hole = 0
            continue
        start = viewer.place
        viewer.pass_(ms, front=what != "hide", speed=0.0 if what in ("pause", "hide") else FASTEST)
        watched.append((start, viewer.place))
        hole += ms
        if what != "lose" or hole > LONGEST_GAP_MS - 20_000:  # else the beat is lost, and nothing is acknowledged
            viewer.say(late_ms=late_ms)
            hole = 0
    viewer.say()
    assert total(viewer.credited) == total(union(watched))
    assert viewer.progress.covered == union(watched)
