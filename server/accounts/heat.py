"""Decides how hot a door is: level 0 is calm and asks for nothing, each level above asks for twice as much work.

A level is a budget of tries in a window, counted where all processes count. When it is used up the next level begins,
and it cools down when that window is over. Which level a door has reached each process learns by its own next try.
"""

from typing import Final

from server.accounts.ports import Counters
from server.core.clock import Clock

TOP: Final = 6
#: doors remembered here; more are forgotten, oldest first, and learnt again by their next try
DOORS_MAXIMUM: Final = 20_000


class Heat:
    """The levels of all doors of one kind."""

    def __init__(self, counters: Counters, clock: Clock, limit: int, window_s: float) -> None:
        self._counters, self._clock = counters, clock
        self._limit, self._window_s = limit, window_s
        self._levels: dict[str, tuple[int, int]] = {}

    def level(self, door: str) -> int:
        """The level as far as this process knows it."""
        level, until_ms = self._levels.get(door, (0, 0))
        return level if self._clock.ms() < until_ms else 0

    async def count(self, door: str) -> int:
        """Count one try; returns the level it is judged by: 0 while the first budget lasts."""
        level = self.level(door)
        while level < TOP:
            wait_s = await self._counters.take(_name(door, level), self._limit, self._window_s)
            if wait_s == 0:
                break
            level += 1
            self._remember(door, level, self._clock.ms() + int(wait_s * 1_000))
        return level

    async def cool(self, door: str) -> None:
        """Forget all tries."""
        self._levels.pop(door, None)
        for level in range(TOP):
            await self._counters.clear(_name(door, level))

    def _remember(self, door: str, level: int, until_ms: int) -> None:
        self._levels.pop(door, None)
        self._levels[door] = (level, until_ms)
        if len(self._levels) > DOORS_MAXIMUM:
            del self._levels[next(iter(self._levels))]


def _name(door: str, level: int) -> str:
    return f"heat:{door}:{level}"
