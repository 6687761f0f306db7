"""Ledger time never steps back and is UTC everywhere."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from server.core.clock import ManualClock, SystemClock, elapsed_ms, iso, to_datetime, to_ms


def test_the_system_clock_agrees_with_the_wall_and_never_decreases() -> None:
    clock = SystemClock()
    assert abs(clock.ms() - datetime.now(UTC).timestamp() * 1000) < 1_000
    readings = [clock.ms() for _ in range(1_000)]
    assert readings == sorted(readings)


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
