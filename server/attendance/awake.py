"""Decides whether this process was away while it lived: stopped, or on a machine that slept.

Everything that reads the time for a lesson looks here first, so that what was slept through is known before anything
that comes after it. Counted on the clock that never stops, not on ledger time, which tests move by hand.
"""

from collections.abc import Callable
from typing import Final

from server.attendance.intervals import Interval

LOOK_S: Final = 1.0
#: nobody could show themselves to a process that stood still: silences begin anew
PAUSE_MS: Final = 5_000
#: what is shorter fits, with a beat before and a way back after it, into the hole that costs a page nothing
AWAY_MS: Final = 30_000


class Watch:
    """Looked at each second and before anything is decided; `gaps` are the ledger milliseconds of each absence.

    `pauses`: so often nobody could show themselves to us, each absence included.
    """

    def __init__(self, boot: Callable[[], int]) -> None:
        self._boot = boot
        self._looked_ms: int | None = None
        self.gaps: list[Interval] = []
        self.pauses = 0

    def look(self, now_ms: int) -> bool:
        """Whether we stood still since the last look; `now_ms` is ledger time."""
        boot_ms, looked_ms = self._boot(), self._looked_ms
        self._looked_ms = boot_ms
        if looked_ms is None or (still_ms := boot_ms - looked_ms) <= PAUSE_MS:
            return False
        if still_ms > AWAY_MS:
            self.gaps.append((now_ms - still_ms, now_ms))
        self.pauses += 1
        return True
