"""Decides what time it is inside media: the only module here that reads a clock."""

import os
import time
from datetime import UTC, datetime

NTP_UNIX_SECONDS = 2_208_988_800
NTP_FRACTION = 1 << 32


def monotonic() -> float:
    """Seconds on a clock that never goes back, for every duration."""
    return time.monotonic()


def boottime() -> float:
    """Seconds on a clock that never goes back and counts sleep as well; the same for all processes of a machine."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def cpu() -> float:
    """Seconds of CPU used, of what is scarcer: this thread's, or all threads' of the process by the number of CPUs.

    Call it on the thread that carries media.
    """
    return max(time.thread_time(), time.process_time() / len(os.sched_getaffinity(0)))


def utc() -> datetime:
    """The moment, aware, in UTC: for events told to others."""
    return datetime.now(UTC)


def unix() -> float:
    """The moment in seconds since 1970."""
    return time.time()


def ntp() -> int:
    """The moment as a 64-bit NTP timestamp (RFC 3550 section 4)."""
    return ntp_at(time.time())


def ntp_at(moment: float) -> int:
    """Seconds since 1970 as a 64-bit NTP timestamp."""
    return int((moment + NTP_UNIX_SECONDS) * NTP_FRACTION)


def unix_at(ntp: int) -> float:
    """A 64-bit NTP timestamp as seconds since 1970."""
    return ntp / NTP_FRACTION - NTP_UNIX_SECONDS


def iso(moment: float) -> str:
    """Seconds since 1970 as RFC 3339 in UTC, with milliseconds."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
