"""Decides when somebody has tried too often: at most so many tries in any window, by key. Pure; kept in memory."""

from collections import OrderedDict, deque
from typing import Final

#: more keys than this are forgotten, those not tried for longest first: an attacker with many addresses fills no memory
KEYS_MAXIMUM: Final = 20_000


class Counting:
    """The moments of the last tries of each key; as many as its limit are enough to know."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, deque[int]] = OrderedDict()

    def take(self, key: str, limit: int, window_ms: int, now_ms: int) -> int:
        """Count a try and return 0, or count nothing and return the milliseconds to wait. ValueError: limit < 1."""
        if limit < 1:
            raise ValueError("a limit lets at least one through")
        tries = self._tries.setdefault(key, deque())
        while len(tries) > limit:
            tries.popleft()
        if len(tries) == limit:
            wait_ms = tries[0] + window_ms - now_ms
            if wait_ms > 0:
                return wait_ms
            tries.popleft()
        tries.append(now_ms)
        self._tries.move_to_end(key)
        if len(self._tries) > KEYS_MAXIMUM:
            self._tries.popitem(last=False)
        return 0

    def clear(self, key: str) -> None:
        """Forget all tries of a key."""
        self._tries.pop(key, None)
