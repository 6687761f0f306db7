"""Decides which size of the camera a viewer can take, by what it loses (receiver reports, RFC 3550 section 6.4.2).

Pure. Smaller after two reports in a row with heavy loss; larger again after a time without any, which doubles each time
it did not last.
"""

HEAVY_LOSS = 26  # of 256: a tenth
LIGHT_LOSS = 5
REPORTS = 2
FIRST_PATIENCE_SECONDS = 15.0
MOST_PATIENCE_SECONDS = 240.0
LASTED_SECONDS = 60.0


class Size:
    """One viewer's."""

    def __init__(self) -> None:
        self.small = False
        #: by admission, because the uplink has no room for the large one
        self.held = False
        self._heavy = 0
        self._clear_since: float | None = None
        self._patience = FIRST_PATIENCE_SECONDS
        self._large_since = float("-inf")

    def report(self, fraction_lost: int, now: float) -> bool:
        """Take a report; True when the size changes."""
        self._heavy = self._heavy + 1 if fraction_lost >= HEAVY_LOSS else 0
        if fraction_lost > LIGHT_LOSS or self._clear_since is None:
            self._clear_since = now
        if not self.small and self._heavy >= REPORTS:
            lasted = now - self._large_since > LASTED_SECONDS
            self._patience = FIRST_PATIENCE_SECONDS if lasted else min(self._patience * 2, MOST_PATIENCE_SECONDS)
            self.small = True
        elif self.small and now - self._clear_since >= self._patience:
            self.small, self._large_since = False, now
        else:
            return False
        self._clear_since = now
        return True
