"""Crediting while the machine's clocks are set, it sleeps, the service is killed and the clock is slewed.

An honest trainee whose page is in front all the time loses nothing as long as no hole is longer than a minute, and
nobody is credited more time than has passed.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.attendance.credit import LAG_MS, LAGGING_BEATS, LONGEST_GAP_MS, Anchor, Beat, credit
from server.attendance.intervals import Intervals, total, union
from server.core.clock import SLEW_PPM, SystemClock
from server.core.timekeeper import CONTINUE_S, TimeKeeper
from tests.core.machine import HOUR_S, FakeMachine

BEAT_S = 10
MONO = 4_000


@dataclass
class Lesson:
    """A page and the service that takes its beats, on one machine whose time is moved by hand.

    The page's monotonic clock is another device's: true, and steady whatever happens to the server.
    """

    folder: Path
    speed: float = 1.0
    machine: FakeMachine = field(default_factory=FakeMachine)
    front: Intervals = ()

    async def begin(self) -> None:
        """The trainee joins."""
        await self.restart()
        self.began_ns = self.machine.boot_ns()
        now = self.keeper.clock.ms()
        self.granted_ms = now
        self.anchor = Anchor(0, "n0", now, now - MONO, MONO)

    async def restart(self) -> None:
        """Killed, and started again; the anchor comes back from the spool."""
        self.keeper = TimeKeeper(SystemClock(self.machine), self.folder / "clock", ())
        await self.keeper.begin()
        if hasattr(self, "anchor"):
            self.keeper.clock.not_before(self.anchor.reached_ms)

    @property
    def passed_ms(self) -> int:
        """True time since the join."""
        return (self.machine.boot_ns() - self.began_ns) // 1_000_000

    def beat(self) -> None:
        """The page says that it was in front all the time."""
        mono = MONO + round(self.passed_ms * self.speed)
        said = Beat(self.anchor.seq + 1, self.anchor.nonce, mono, ((MONO, mono),))
        worth = credit(self.anchor, said, self.keeper.clock.ms(), f"n{said.seq}")
        assert not total(worth.front) or min(start for start, _ in worth.front) >= self.granted_ms
        self.front = union((*self.front, *worth.front))
        self.anchor = worth.anchor


steps = st.one_of(
    st.tuples(st.just("wall"), st.integers(-HOUR_S, HOUR_S)),
    st.tuples(st.just("silence"), st.integers(1, 45)),
    st.tuples(st.just("restart"), st.integers(0, 45)),
    st.tuples(st.just("slew"), st.integers(-40_000, 40_000)),
    st.tuples(st.just("beats"), st.integers(1, 30)),
)


async def _lived(lesson: Lesson, done: list[tuple[str, int]]) -> None:
    await lesson.begin()
    await _go_on(lesson, done)


async def _go_on(lesson: Lesson, done: list[tuple[str, int]]) -> None:
    for name, value in done:
        match name:
            case "wall":
                lesson.machine.set_wall(value)
            case "silence":
                lesson.machine.go_on(value)
            case "restart":
                lesson.keeper.remember()
                lesson.machine.go_on(value)
                await lesson.restart()
            case "slew":
                lesson.keeper.clock.slew(value)
            case _:
                for _ in range(value):
                    lesson.machine.go_on(BEAT_S)
                    lesson.beat()
    lesson.machine.go_on(BEAT_S)
    lesson.beat()


@settings(max_examples=150)
@given(st.lists(steps, max_size=15))
async def test_whatever_is_done_to_the_clocks_an_honest_trainee_loses_nothing(done: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lesson = Lesson(Path(folder))
        await _lived(lesson, done)
    silences = _longest_hole_ms(done)
    if silences <= LONGEST_GAP_MS:  # most of what is drawn: silences of up to 45 s, beats between most of them
        # a ledger that goes slower by design has fewer milliseconds to give
        least = lesson.passed_ms * (1 - SLEW_PPM / 1e6) - lost_to_slewing(lesson)
        assert total(lesson.front) >= least - 2


def lost_to_slewing(lesson: Lesson) -> float:
    """A page that seems to lag only because the ledger is slewed forward is anchored anew after LAG_MS, once."""
    return lesson.passed_ms * 2 * SLEW_PPM / 1e6


def _longest_hole_ms(done: list[tuple[str, int]]) -> int:
    longest = hole = 0
    for name, value in [*done, ("beats", 1)]:
        if name in ("silence", "restart"):
            hole += value * 1_000
        elif name == "beats":
            longest, hole = max(longest, hole + BEAT_S * 1_000), 0
    return longest


@settings(max_examples=150)
@given(st.lists(steps, max_size=15), st.sampled_from([1.0, 1.5, 3.0]))
async def test_whatever_is_done_to_the_clocks_nobody_gains(done: list[tuple[str, int]], speed: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lesson = Lesson(Path(folder), speed)
        await _lived(lesson, done)
        ledger_ms = lesson.keeper.clock.ms() - lesson.granted_ms
    assert total(lesson.front) <= ledger_ms + 1
    assert total(lesson.front) <= lesson.passed_ms * (1 + SLEW_PPM / 1e6) + 2


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
async def test_an_hours_step_costs_no_millisecond_while_serving_and_across_a_restart(
    tmp_path: Path, step_s: int
) -> None:
    lesson = Lesson(tmp_path)
    await _lived(lesson, [("beats", 30), ("wall", step_s), ("beats", 30), ("wall", -step_s), ("wall", step_s)])
    await _go_on(lesson, [("restart", 20), ("beats", 30)])
    assert total(lesson.front) == lesson.passed_ms


async def test_a_machine_that_slept_credits_nothing_for_it_and_all_afterwards(tmp_path: Path) -> None:
    lesson = Lesson(tmp_path)
    await _lived(lesson, [("beats", 6), ("silence", 8 * HOUR_S), ("beats", 6)])
    awake_ms = lesson.passed_ms - (8 * HOUR_S + BEAT_S) * 1_000
    assert total(lesson.front) == awake_ms


async def test_a_step_that_a_long_stop_lets_in_costs_no_more_than_the_stop(tmp_path: Path) -> None:
    """Stopped for longer than is continued: the wall clock is believed, an hour ahead; the page is anchored anew."""
    lesson = Lesson(tmp_path)
    await _lived(lesson, [("beats", 6), ("wall", HOUR_S), ("restart", CONTINUE_S + 1), ("beats", 30)])
    stopped_ms = (CONTINUE_S + 1) * 1_000
    most_lost_ms = stopped_ms + (LAGGING_BEATS + 1) * BEAT_S * 1_000 + LAG_MS
    assert lesson.passed_ms - most_lost_ms <= total(lesson.front) <= lesson.passed_ms - stopped_ms + BEAT_S * 1_000
