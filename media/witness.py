"""Decides what media can say of what reached whom: per minute and peer, in which ten-second parts, how many bytes.

Pure: time comes in, in seconds since 1970 on the clock that signs tokens. A minute is told once, when it is over. What
died with the process before that is lost; nothing is told of time in which nobody looked.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

MINUTE_SECONDS = 60
PART_SECONDS = 10
#: how often whoever watches is looked at
LOOK_SECONDS = 1.0
#: minutes that are kept for a server that was not there when they were told
KEPT_MINUTES = 5
#: by which transport: numbers are stored and never change
WEBRTC, PARTS, HLS = 1, 2, 3


class Source(NamedTuple):
    """One who watches now. `key`: of this connection alone; `total`: bytes delivered since it began."""

    key: object
    room: str
    peer: str
    tier: int
    total: int


class Told(NamedTuple):
    """A peer's minute: the transport that delivered most, the parts of the minute (bit 0: its first), bytes."""

    tier: int
    parts: int
    size: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """A room's minute (unix minute `slot`), whole: who watched in it."""

    room: str
    slot: int
    peers: dict[str, Told] = field(default_factory=dict)


class Witness:
    """What was delivered. `tell` hears of each room's minute once it is over."""

    def __init__(self, tell: Callable[[Delivered], None]) -> None:
        self._tell = tell
        self._slot = 0
        self._sizes: dict[str, dict[str, dict[int, int]]] = {}
        self._parts: dict[tuple[str, str], int] = {}
        self._last: dict[object, int] = {}
        self._recent: deque[Delivered] = deque()

    @property
    def recent(self) -> list[Delivered]:
        """The last minutes that are over."""
        return [each for each in self._recent if self._slot - KEPT_MINUTES <= each.slot < self._slot]

    def look(self, now: float, sources: Iterable[Source]) -> None:
        """Take what was delivered since the last look, which is of now. A clock that steps back opens no minute again.

        One that steps back by more than a minute is another clock: what was open by the former is lost.
        """
        slot = int(now // MINUTE_SECONDS)
        if slot < self._slot - 1:
            self._begin(slot)
        slot = max(slot, self._slot)
        if slot != self._slot:
            self._finish(slot)
        part = min(max(0, int(now - slot * MINUTE_SECONDS)), MINUTE_SECONDS - 1) // PART_SECONDS
        last: dict[object, int] = {}
        for key, room, peer, tier, total in sources:
            last[key] = total
            grown = max(0, total - self._last.get(key, 0))
            sizes = self._sizes.setdefault(room, {}).setdefault(peer, {})
            sizes[tier] = sizes.get(tier, 0) + grown
            if grown:
                self._parts[room, peer] = self._parts.get((room, peer), 0) | 1 << part
        self._last = last

    def _finish(self, slot: int) -> None:
        for room, peers in self._sizes.items():
            told = {peer: self._told(room, peer, sizes) for peer, sizes in peers.items()}
            self._recent.append(Delivered(room, self._slot, told))
            self._tell(self._recent[-1])
        self._begin(slot)
        while self._recent and self._recent[0].slot < slot - KEPT_MINUTES:
            self._recent.popleft()

    def _begin(self, slot: int) -> None:
        self._slot, self._sizes, self._parts = slot, {}, {}

    def _told(self, room: str, peer: str, sizes: dict[int, int]) -> Told:
        return Told(max(sizes, key=lambda tier: sizes[tier]), self._parts.get((room, peer), 0), sum(sizes.values()))
