"""What a process sees of its own absence, on a clock that goes on while it stands still."""

import pytest

from server.attendance.awake import AWAY_MS, PAUSE_MS, Watch
from tests.attendance.world import T0


class Boot:
    """A clock that nobody can stop."""

    def __init__(self) -> None:
        self.ms = 7_000

    def __call__(self) -> int:
        return self.ms


def watched() -> tuple[Watch, Boot]:
    boot = Boot()
    watch = Watch(boot)
    assert not watch.look(T0)
    return watch, boot


@pytest.mark.parametrize(
    ("still_ms", "paused", "away"),
    [
        (1_000, False, False),
        (PAUSE_MS, False, False),
        (PAUSE_MS + 1, True, False),
        (AWAY_MS, True, False),
        (AWAY_MS + 1, True, True),
        (3_600_000, True, True),
    ],
)
def test_how_long_is_a_pause_and_how_long_is_away(still_ms: int, paused: bool, away: bool) -> None:
    assert (PAUSE_MS, AWAY_MS) == (5_000, 30_000)
    watch, boot = watched()
    boot.ms += still_ms
    assert watch.look(T0 + still_ms) is paused
    assert watch.gaps == ([(T0, T0 + still_ms)] if away else [])
    assert watch.look(T0 + still_ms) is False
    assert watch.pauses == (1 if paused else 0)


def test_many_short_looks_are_no_absence_and_two_absences_are_two() -> None:
    watch, boot = watched()
    now = T0
    for still_ms in (PAUSE_MS,) * 20 + (40_000, 1_000, 50_000):
        boot.ms += still_ms
        now += still_ms
        watch.look(now)
    assert watch.gaps == [(now - 91_000, now - 51_000), (now - 50_000, now)]
    assert watch.pauses == 2


def test_ledger_time_that_is_moved_by_hand_is_no_absence() -> None:
    watch, boot = watched()
    boot.ms += 1_000
    assert not watch.look(T0 + 3_600_000)
    assert watch.gaps == []
