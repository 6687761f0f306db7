"""Sets of milliseconds: every operation against Python's own sets."""

from hypothesis import given
from hypothesis import strategies as st

from server.attendance.intervals import (
    Interval,
    Intervals,
    clip,
    intersect,
    joined,
    placed,
    skip,
    subtract,
    total,
    union,
)

edges = st.integers(0, 40)
loose = st.lists(st.tuples(edges, edges), max_size=6)
proper = loose.map(union)


def milliseconds(intervals: Intervals | list[Interval]) -> set[int]:
    return {ms for start, end in intervals for ms in range(start, end)}


def is_proper(intervals: Intervals) -> bool:
    """Sorted, disjoint, not touching, none empty."""
    flat = [edge for interval in intervals for edge in interval]
    return flat == sorted(set(flat))


@given(loose, loose)
def test_union(left: list[Interval], right: list[Interval]) -> None:
    assert milliseconds(union(left, right)) == milliseconds(left) | milliseconds(right)
    assert is_proper(union(left, right))


@given(loose, st.integers(-40, 40), edges, edges)
def test_placed_is_the_union_moved_and_clipped(intervals: list[Interval], by_ms: int, start: int, end: int) -> None:
    for some in (tuple(intervals), tuple(intervals[:1])):
        found = placed(some, by_ms, start, end)
        assert milliseconds(found) == {ms + by_ms for ms in milliseconds(some)} & set(range(start, end))
        assert is_proper(found)


def test_what_is_empty_or_turned_round_is_no_interval() -> None:
    assert [placed((one,), 0, 0, 10) for one in ((5, 5), (6, 5), (5, 6))] == [(), (), ((5, 6),)]


@given(proper, proper)
def test_joined_is_the_union_by_a_shorter_way(left: Intervals, right: Intervals) -> None:
    assert joined(left, right) == union(left, right)
    assert joined(left, right[:1]) == union(left, right[:1])


@given(proper, proper)
def test_intersect_and_subtract(left: Intervals, right: Intervals) -> None:
    for found, expected in (
        (intersect(left, right), milliseconds(left) & milliseconds(right)),
        (subtract(left, right), milliseconds(left) - milliseconds(right)),
    ):
        assert milliseconds(found) == expected
        assert is_proper(found)
        assert total(found) == len(expected)


@given(proper, edges, edges)
def test_clip(intervals: Intervals, start: int, end: int) -> None:
    found = clip(intervals, start, end)
    assert milliseconds(found) == milliseconds(intervals) & set(range(start, end))
    assert is_proper(found)


@given(proper, st.integers(-3, 60))
def test_skip(intervals: Intervals, ms: int) -> None:
    found = skip(intervals, ms)
    assert sorted(milliseconds(found)) == sorted(milliseconds(intervals))[max(ms, 0) :]
    assert is_proper(found)


def test_what_is_cut_away_whole_leaves_nothing() -> None:
    two = ((0, 10), (20, 30))
    assert [skip(two, ms) for ms in (10, 15, 20)] == [((20, 30),), ((25, 30),), ()]
    assert skip(((5, 10), (20, 30)), 8) == ((23, 30),)
    assert clip(two, 5, 5) == clip(two, 9, 5) == ()


def test_a_beat_is_joined_to_what_came_before() -> None:
    two = ((0, 5), (10, 20))
    assert joined(two, ((20, 30),)) == ((0, 5), (10, 30)), "it goes on"
    assert joined(two, ((25, 30),)) == (*two, (25, 30)), "after a hole"
    assert joined(two, ((15, 18),)) == two, "it was known"
    assert joined(two, ((15, 25), (30, 40))) == ((0, 5), (10, 25), (30, 40)), "it has a hole itself"
    assert joined(two, ((2, 12),)) == ((0, 20),), "it came late"


def test_touching_intervals_become_one() -> None:
    assert union([(0, 5), (5, 9)], [(12, 12)]) == ((0, 9),)
