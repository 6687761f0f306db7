"""Decides what time it is: ledger time is wall time anchored once and advanced by CLOCK_BOOTTIME, never stepped back.

The only home of the system clocks. Everything else takes a `Clock`.
"""

import time
from datetime import UTC, datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

MINUTE_MS: Final = 60_000
#: where a day or a person is meant (house.md); ledger time itself is UTC
LOCAL_ZONE: Final = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Ledger time."""

    def ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC; never decreases."""
        ...


class SystemClock:
    """The real clock: one anchor at start, then CLOCK_BOOTTIME, so that a wall clock set back changes nothing."""

    def __init__(self) -> None:
        self._anchor_ns = time.time_ns() - _boot_ns()

    def ms(self) -> int:
        return (self._anchor_ns + _boot_ns()) // 1_000_000


class ManualClock:
    """A clock that is moved by hand: for tests and for replays."""

    def __init__(self, start_ms: int) -> None:
        self._ms = start_ms

    def ms(self) -> int:
        return self._ms

    def advance(self, by_ms: int) -> None:
        """Move forward. Raises ValueError for a step back."""
        if by_ms < 0:
            raise ValueError("ledger time never steps back")
        self._ms += by_ms


def _boot_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def elapsed_ms() -> float:
    """A monotonic reading in milliseconds, for durations only."""
    return time.monotonic_ns() / 1e6


def to_datetime(ms: int) -> datetime:
    """Ledger milliseconds as an aware UTC datetime."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def to_ms(moment: datetime) -> int:
    """An aware datetime as ledger milliseconds. Raises ValueError when it is naive."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no place in time")
    return round(moment.timestamp() * 1000)


def iso(ms: int) -> str:
    """Ledger milliseconds as `2026-11-23T09:00:00.000Z`."""
    return to_datetime(ms).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"
