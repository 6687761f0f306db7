"""Decides when somebody has tried too often: so many tries in a window, by key. Pure; kept in memory."""

from collections import deque
from typing import Final

from server.core.errors import DomainError

#: more keys than this are dropped, oldest first: an attacker with many addresses fills no memory
KEYS_MAXIMUM: Final = 20_000


class Throttle:
    """A sliding window of tries for each key. A try is counted before its outcome is known, so that many tries at
    once are limited as well."""

    def __init__(self, limit: int, window_ms: int) -> None:
        self._limit, self._window_ms = limit, window_ms
        self._tries: dict[str, deque[int]] = {}

    def take(self, key: str, now_ms: int) -> None:
        """Count a try. Raises DomainError too_many_tries (data: retry_after_s) when the window is full."""
        tries = self._tries.setdefault(key, deque())
        while tries and tries[0] <= now_ms - self._window_ms:
            tries.popleft()
        if len(tries) >= self._limit:
            raise DomainError("too_many_tries", retry_after_s=-(-(tries[0] + self._window_ms - now_ms) // 1000))
        tries.append(now_ms)
        if len(self._tries) > KEYS_MAXIMUM:
            del self._tries[next(iter(self._tries))]

    def give_back(self, key: str) -> None:
        """The last try was a good one: do not count it."""
        if tries := self._tries.get(key):
            tries.pop()

    def clear(self, key: str) -> None:
        """Forget all tries of a key."""
        self._tries.pop(key, None)
