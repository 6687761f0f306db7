"""What focus and idle time take off a beat, and for which reason; in a lesson: test_attention.py."""

import pytest

from server.attendance.attention import attended, kept, more
from server.attendance.credit import MOST_SPANS, Anchor, Attended, Beat, credit
from server.attendance.intervals import Intervals
from server.attendance.minutes import Lost, Reason
from server.core.errors import DomainError
from server.training.rules import AttentionRule

FOCUS, IDLE, BOTH = AttentionRule(True, None), AttentionRule(False, 60_000), AttentionRule(True, 60_000)
ANCHOR = Anchor(0, "n", 1_000_000, 990_000, 10_000)
RECEIVED = 1_010_000


def worth(
    rule: AttentionRule, focused: Intervals, active: Intervals, received_ms: int = RECEIVED
) -> tuple[Intervals, Lost]:
    """Of ten seconds in front, the page's clock from 10,000 to 20,000."""
    beat = Beat(1, "n", 20_000, ((10_000, 20_000),), "", Attended(focused, active))
    front = credit(ANCHOR, beat, received_ms, "next").front
    return attended(rule, ANCHOR, beat, received_ms, 0, front)


def at(*spans: tuple[int, int]) -> Intervals:
    return tuple((1_000_000 + start, 1_000_000 + end) for start, end in spans)


WHOLE, HALF, LATE = ((10_000, 20_000),), ((10_000, 15_000),), ((14_000, 20_000),)


def test_what_is_asked_is_taken_off_and_named() -> None:
    assert worth(BOTH, WHOLE, WHOLE) == (at((0, 10_000)), ())
    assert worth(BOTH, ((0, 99_000),), WHOLE) == (at((0, 10_000)), ())
    assert worth(FOCUS, HALF, ()) == (at((0, 5_000)), ((Reason.BLURRED, at((5_000, 10_000))),))
    assert worth(IDLE, (), HALF) == (at((0, 5_000)), ((Reason.IDLE, at((5_000, 10_000))),))


def test_a_page_that_says_nothing_of_it_had_neither() -> None:
    beat = Beat(1, "n", 20_000, WHOLE)
    for rule, reason in ((BOTH, Reason.BLURRED), (FOCUS, Reason.BLURRED), (IDLE, Reason.IDLE)):
        assert attended(rule, ANCHOR, beat, RECEIVED, 0, at((0, 10_000))) == ((), ((reason, at((0, 10_000))),))


def test_a_millisecond_has_one_reason_and_focus_comes_first() -> None:
    front, lost = worth(BOTH, HALF, LATE)
    assert front == at((4_000, 5_000))
    assert lost == ((Reason.BLURRED, at((5_000, 10_000))), (Reason.IDLE, at((0, 4_000))))


def test_a_clock_that_runs_ahead_stretches_no_attention() -> None:
    front, lost = worth(FOCUS, LATE, (), RECEIVED - 5_000)  # ten seconds of its clock in five of ours
    assert front == at((4_000, 5_000))
    assert lost == ((Reason.BLURRED, at((0, 4_000))),)


def test_too_many_spans_are_refused_as_everywhere() -> None:
    with pytest.raises(DomainError, match="beat_refused"):
        worth(FOCUS, tuple((10_000 + n, 10_001 + n) for n in range(MOST_SPANS + 1)), ())


def test_what_was_lost_is_kept_together_and_cut_to_a_time() -> None:
    lost = more(((Reason.IDLE, ((0, 10),)),), ((Reason.IDLE, ((10, 20),)), (Reason.BLURRED, ((30, 40),))))
    assert lost == ((Reason.IDLE, ((0, 20),)), (Reason.BLURRED, ((30, 40),)))
    assert kept(lost, 5, 30) == ((Reason.IDLE, ((5, 20),)),)
