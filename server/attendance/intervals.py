"""Sets of milliseconds as sorted, disjoint, non-empty half-open intervals: a millisecond is in or out, never twice."""

from collections.abc import Iterable

Interval = tuple[int, int]
Intervals = tuple[Interval, ...]


def union(*sets: Iterable[Interval]) -> Intervals:
    """All milliseconds in any of the sets; empty and reversed intervals count for nothing."""
    merged: list[Interval] = []
    for start, end in sorted(interval for one in sets for interval in one if interval[0] < interval[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def placed(intervals: Intervals, by_ms: int, start: int, end: int) -> Intervals:
    """`union` of one list, so much later, within [start, end); at once where it has one interval, as beats have."""
    if len(intervals) != 1:
        return clip(tuple([(first + by_ms, last + by_ms) for first, last in union(intervals)]), start, end)
    first, last = intervals[0]
    first, last = first + by_ms, last + by_ms
    first, last = start if first < start else first, end if last > end else last
    return ((first, last),) if first < last else ()


def joined(left: Intervals, right: Intervals) -> Intervals:
    """`union` of two sets, at once where `right` goes on where `left` ends, as nearly every beat does."""
    if not left or not right:
        return left or right
    start, end = left[-1]
    first, last = right[0]
    if first < start or len(right) > 1:
        return union(left, right)
    return (*left[:-1], (start, end if end > last else last)) if first <= end else (*left, *right)


def intersect(left: Intervals, right: Intervals) -> Intervals:
    """The milliseconds in both."""
    found: list[Interval] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            found.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


def subtract(left: Intervals, right: Intervals) -> Intervals:
    """The milliseconds of `left` that are not in `right`."""
    if not left:
        return ()
    gaps: list[Interval] = []
    edge = left[0][0]
    for start, end in right:
        gaps.append((edge, start))
        edge = max(edge, end)
    gaps.append((edge, max(left[-1][1], edge)))
    return intersect(left, union(gaps))


def total(intervals: Iterable[Interval]) -> int:
    """How many milliseconds."""
    ms = 0
    for start, end in intervals:
        ms += end - start
    return ms


def clip(intervals: Intervals, start: int, end: int) -> Intervals:
    """The part within [start, end)."""
    if not intervals or (start <= intervals[0][0] and intervals[-1][1] <= end):
        return intervals
    return intersect(intervals, ((start, end),))


def skip(intervals: Intervals, ms: int) -> Intervals:
    """Without the first `ms` milliseconds of the set."""
    left: list[Interval] = []
    for start, end in intervals:
        cut = min(max(ms, 0), end - start)
        ms -= cut
        if start + cut < end:
            left.append((start + cut, end))
    return tuple(left)
