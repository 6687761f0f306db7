"""Decides what time it is: ledger time is wall time anchored once and advanced by CLOCK_BOOTTIME, never stepped back.

The only home of the system clocks. Everything else takes a `Clock`; timekeeper.py says where it starts and what it is
brought nearer to.
"""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol
from zoneinfo import ZoneInfo

MINUTE_MS: Final = 60_000
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
#: where a day or a person is meant (house.md); ledger time itself is UTC
LOCAL_ZONE: Final = ZoneInfo("Asia/Shanghai")


#: the fastest that ledger time is brought nearer to a reference; no minute is stretched or shortened by more than 30 ms
SLEW_PPM: Final = 500
#: a ledger this far from its reference is told of; further off it opens no lesson (evidence.md)
CLOCK_OFF_MS: Final = 2_000
CLOCK_WRONG_MS: Final = 30_000


class Clock(Protocol):
    """Ledger time."""

    def ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC; never decreases."""
        ...

    @property
    def offset_ms(self) -> float | None:
        """What the worst reference showed more than we when it was last asked; None when there is none."""
        ...


class Readings(Protocol):
    """What a machine shows: the wall clock, which anybody may set, and CLOCK_BOOTTIME, which nobody can."""

    def wall_ns(self) -> int: ...

    def boot_ns(self) -> int: ...

    def boot_id(self) -> str:
        """Different after each start of the machine."""
        ...


class Machine:
    """The readings of this machine."""

    def wall_ns(self) -> int:
        return time.time_ns()

    def boot_ns(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def boot_id(self) -> str:
        return BOOT_ID.read_text().strip()


class SystemClock:
    """The real clock: one anchor at start, then CLOCK_BOOTTIME, so that a wall clock that is set changes nothing.

    `slew` brings it nearer to a reference by at most SLEW_PPM; it never steps back and never jumps.
    """

    def __init__(self, readings: Readings | None = None) -> None:
        self.readings: Readings = readings or Machine()
        self._owed_ns = 0
        self._measured: dict[str, float] = {}
        self._base_ns, self._boot_ns = self.readings.wall_ns(), self.readings.boot_ns()

    def ns(self) -> int:
        """Ledger time in nanoseconds."""
        return self._at(self.readings.boot_ns())

    def _at(self, boot_ns: int) -> int:
        passed = boot_ns - self._boot_ns
        most = passed * SLEW_PPM // 1_000_000
        return self._base_ns + passed + max(-most, min(most, self._owed_ns))

    def ms(self) -> int:
        return self.ns() // 1_000_000

    def slew(self, by_ms: float) -> None:
        """Go a little faster or slower until `by_ms` is made up, in place of what was still to be made up."""
        boot_ns = self.readings.boot_ns()
        self._base_ns, self._boot_ns, self._owed_ns = self._at(boot_ns), boot_ns, round(by_ms * 1_000_000)

    def start_at(self, ns: int) -> None:
        """Set the anchor: only at the start, before anybody was told the time."""
        self._base_ns, self._boot_ns, self._owed_ns = ns, self.readings.boot_ns(), 0

    def not_before(self, ms: int) -> None:
        """At the start: never earlier than what an earlier process has written down."""
        if self.ms() < ms:
            self.start_at(ms * 1_000_000)

    @property
    def offset_ms(self) -> float | None:
        return max(self._measured.values(), key=abs, default=None)

    def measured(self, name: str, offset_ms: float | None) -> None:
        """What a reference showed more than we; None: it says nothing any more."""
        if offset_ms is None:
            self._measured.pop(name, None)
        else:
            self._measured[name] = offset_ms

    @property
    def wall_offset_ms(self) -> float:
        """What the wall clock shows more than we: where it was set, this is by how much."""
        return (self.readings.wall_ns() - self.ns()) / 1_000_000


class ManualClock:
    """A clock that is moved by hand: for tests and for replays."""

    def __init__(self, start_ms: int) -> None:
        self._ms = start_ms
        self.offset_ms: float | None = None

    def ms(self) -> int:
        return self._ms

    def advance(self, by_ms: int) -> None:
        """Move forward. Raises ValueError for a step back."""
        if by_ms < 0:
            raise ValueError("ledger time never steps back")
        self._ms += by_ms


def boot_ms() -> int:
    """Milliseconds since this host began, also while it was suspended; no clock setting moves it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def is_wrong(clock: Clock) -> bool:
    """Whether no lesson may be opened by this clock."""
    return clock.offset_ms is not None and abs(clock.offset_ms) > CLOCK_WRONG_MS


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
