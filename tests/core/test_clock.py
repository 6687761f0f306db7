"""Ledger time never steps back, whatever is done to the machine's clocks, and is UTC everywhere."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.clock import (
    CLOCK_OFF_MS,
    CLOCK_WRONG_MS,
    SLEW_PPM,
    Machine,
    ManualClock,
    SystemClock,
    boot_ms,
    elapsed_ms,
    is_wrong,
    iso,
    to_datetime,
    to_ms,
)
from tests.core.machine import HOUR_S, NOON_NS, FakeMachine

ROOT = Path(__file__).resolve().parents[2]
NOON_MS = NOON_NS // 1_000_000


def test_the_system_clock_agrees_with_the_wall_and_never_decreases() -> None:
    clock = SystemClock()
    assert abs(clock.ms() - datetime.now(UTC).timestamp() * 1000) < 1_000
    readings = [clock.ns() for _ in range(1_000)]
    assert readings == sorted(readings)
    assert abs(clock.wall_offset_ms) < 1_000
    assert clock.offset_ms is None


def test_this_machine_shows_its_clocks_and_which_start_it_is() -> None:
    machine = Machine()
    assert machine.boot_id() == Machine().boot_id() != ""
    assert machine.boot_ns() <= Machine().boot_ns()
    assert abs(boot_ms() - machine.boot_ns() / 1e6) < 1_000
    assert abs(machine.wall_ns() / 1e9 - time.time()) < 1


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
def test_a_wall_clock_that_is_set_changes_nothing(step_s: int) -> None:
    machine = FakeMachine()
    clock = SystemClock(machine)
    machine.go_on(10)
    machine.set_wall(step_s)
    assert clock.ms() == NOON_MS + 10_000
    machine.go_on(10)
    assert clock.ms() == NOON_MS + 20_000
    assert clock.wall_offset_ms == step_s * 1_000


def test_time_goes_on_while_the_machine_sleeps() -> None:
    machine = FakeMachine()
    clock = SystemClock(machine)
    machine.go_on(8 * HOUR_S)  # CLOCK_BOOTTIME counts it, as the wall clock does
    assert clock.ms() == NOON_MS + 8 * HOUR_S * 1_000
    assert clock.wall_offset_ms == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_a_reference_is_reached_slowly_and_not_passed(sign: int) -> None:
    assert SLEW_PPM == 500
    machine = FakeMachine()
    clock = SystemClock(machine)
    clock.slew(sign * 3_000)
    machine.go_on(60)
    assert clock.ms() == NOON_MS + 60_000 + sign * 30
    machine.go_on(5_940)
    assert clock.ms() == NOON_MS + 6_000_000 + sign * 3_000
    machine.go_on(1_000)
    assert clock.ms() == NOON_MS + 7_000_000 + sign * 3_000


def test_a_new_measurement_replaces_what_was_still_owed() -> None:
    machine = FakeMachine()
    clock = SystemClock(machine)
    clock.slew(30_000)
    machine.go_on(100)
    clock.slew(0)
    machine.go_on(100)
    assert clock.ms() == NOON_MS + 200_000 + 50


moves = st.one_of(
    st.tuples(st.just("go_on"), st.floats(0, 100_000)),
    st.tuples(st.just("set_wall"), st.floats(-2 * HOUR_S, 2 * HOUR_S)),
    st.tuples(st.just("slew"), st.floats(-1e7, 1e7)),
)


@given(st.lists(moves, max_size=30))
def test_no_move_takes_ledger_time_back_or_forward_by_more_than_it_may(done: list[tuple[str, float]]) -> None:
    machine = FakeMachine()
    clock = SystemClock(machine)
    seen = [(machine.boot_ns(), clock.ns())]
    for name, value in done:
        clock.slew(value) if name == "slew" else getattr(machine, name)(value)
        seen.append((machine.boot_ns(), clock.ns()))
    for (boot, ledger), (later_boot, later_ledger) in pairwise(seen):
        passed = later_boot - boot
        assert abs((later_ledger - ledger) - passed) <= passed * SLEW_PPM // 1_000_000 + 1


def test_a_start_is_never_before_what_was_written_down() -> None:
    machine = FakeMachine()
    clock = SystemClock(machine)
    clock.not_before(NOON_MS - 1)
    assert clock.ms() == NOON_MS
    clock.not_before(NOON_MS + 5_000)
    machine.go_on(1)
    assert clock.ms() == NOON_MS + 6_000


def test_the_worst_reference_counts_and_a_clock_is_wrong_beyond_thirty_seconds() -> None:
    assert (CLOCK_OFF_MS, CLOCK_WRONG_MS) == (2_000, 30_000)
    clock = SystemClock(FakeMachine())
    assert not is_wrong(clock)
    clock.measured("ntp", 30_000)
    clock.measured("database", 5)
    assert (clock.offset_ms, is_wrong(clock)) == (30_000, False)
    clock.measured("ntp", -30_001)
    assert (clock.offset_ms, is_wrong(clock)) == (-30_001, True)


def test_a_manual_clock_only_goes_forward() -> None:
    clock = ManualClock(1_000)
    clock.advance(59)
    assert clock.ms() == 1_059
    with pytest.raises(ValueError, match="never steps back"):
        clock.advance(-1)


def test_datetimes_round_trip_in_any_zone_and_naive_ones_are_refused() -> None:
    shanghai = datetime(2026, 11, 23, 17, 0, 0, 123_000, tzinfo=timezone(timedelta(hours=8)))
    assert iso(to_ms(shanghai)) == "2026-11-23T09:00:00.123Z"
    assert to_datetime(to_ms(shanghai)) == shanghai
    with pytest.raises(ValueError, match="naive"):
        to_ms(datetime(2026, 11, 23))  # noqa: DTZ001


def test_iso_keeps_three_digits() -> None:
    assert iso(0) == "1970-01-01T00:00:00.000Z"
    assert iso(1_007) == "1970-01-01T00:00:01.007Z"


def test_durations_come_from_a_monotonic_clock() -> None:
    first = elapsed_ms()
    assert elapsed_ms() >= first


def test_the_foreign_time_zone_of_the_suite_is_really_in_effect() -> None:
    """A system without zone files takes an unknown name for UTC, and a suite under it would prove nothing."""
    command = [sys.executable, "-c", "import runpy; print(runpy.run_path('tests.py')['ELSEWHERE']['TZ'])"]
    zone = subprocess.run(command, cwd=ROOT / ".ci", capture_output=True, text=True, check=True).stdout.strip()
    command = [sys.executable, "-c", "import time; print(time.timezone, time.localtime(1782907200).tm_gmtoff)"]
    there = subprocess.run(command, env=os.environ | {"TZ": zone}, capture_output=True, text=True, check=True)
    assert there.stdout.split() == ["18000", "-14400"]  # winter, and the first of July
    if os.environ.get("TZ") == zone:
        assert time.timezone == 5 * HOUR_S
