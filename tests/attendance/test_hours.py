"""Milliseconds to class hours: sum a course, divide once, floor once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.attendance.hours import ClassHours, class_hours

DEFAULT_MS = 2_700_000


@pytest.mark.parametrize(
    ("credit_ms", "hours", "left"),
    [
        (0, 0, 0),
        (2_699_000, 0, 2_699_000),
        (2_699_999, 0, 2_699_999),
        (2_700_000, 1, 0),
        (2_700_001, 1, 1),
        (5_399_999, 1, 2_699_999),
        (5_400_000, 2, 0),
    ],
)
def test_the_edges_of_a_class_hour(credit_ms: int, hours: int, left: int) -> None:
    assert class_hours(credit_ms, DEFAULT_MS) == ClassHours(hours, left, credit_ms)


def test_another_scheme_counts_thirty_minutes() -> None:
    assert class_hours(1_800_000, 1_800_000).class_hours == 1


@given(st.integers(0, 10**12), st.integers(1, 10**8))
def test_nothing_is_lost(credit_ms: int, class_hour_ms: int) -> None:
    found = class_hours(credit_ms, class_hour_ms)
    assert found.class_hours * class_hour_ms + found.remainder_ms == credit_ms
    assert 0 <= found.remainder_ms < class_hour_ms


@pytest.mark.parametrize(("credit_ms", "class_hour_ms"), [(-1, DEFAULT_MS), (0, 0), (0, -1)])
def test_impossible_sums_are_refused(credit_ms: int, class_hour_ms: int) -> None:
    with pytest.raises(ValueError):
        class_hours(credit_ms, class_hour_ms)
