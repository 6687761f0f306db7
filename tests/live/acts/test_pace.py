"""So many times within so long, and not once more."""

import pytest

from server.core.errors import DomainError
from server.live.acts.pace import Limit, Pace, once, wait


def test_the_last_one_allowed_and_the_first_one_refused() -> None:
    pace = Pace(Limit(3, 10_000))
    for at_ms in (1_000, 2_000, 3_000):
        pace.check("a", at_ms)
        pace.note("a", at_ms)
    with pytest.raises(DomainError) as refused:
        pace.check("a", 10_999)
    assert (refused.value.code, refused.value.data) == ("slow_down", {"retry_after_s": 1})
    pace.check("a", 11_000)
    pace.check("b", 3_000)


def test_a_window_that_moves_never_holds_more() -> None:
    pace, taken = Pace(Limit(2, 1_000)), []
    for at_ms in range(0, 5_000, 100):
        try:
            pace.check("a", at_ms)
        except DomainError:
            continue
        pace.note("a", at_ms)
        taken.append(at_ms)
    assert taken == [0, 100, 1_000, 1_100, 2_000, 2_100, 3_000, 3_100, 4_000, 4_100]
    assert len(pace.times["a"]) == 2


def test_whoever_waits_is_told_whole_seconds() -> None:
    wait(0)
    for left_ms, seconds in ((1, 1), (1_000, 1), (1_001, 2)):
        with pytest.raises(DomainError) as refused:
            wait(left_ms)
        assert refused.value.data == {"retry_after_s": seconds}


def test_the_last_time_of_one_who_never_did_it() -> None:
    pace = Pace(Limit(2, 1_000))
    assert pace.last_ms("a") is None
    pace.note("a", 5)
    pace.note("a", 7)
    assert pace.last_ms("a") == 7


def test_each_once_in_order() -> None:
    assert once(["b", "a", "b"]) == ("b", "a")
