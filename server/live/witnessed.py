"""Decides how sure media are that a trainee's minute was delivered: the witness grade, from what reached their pages.

In memory until the minute is sealed: a server that dies loses it, and then nothing is known. Told twice is told once.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from server.verify.minutes import UNSEEN, Seen

#: minutes that wait for being sealed; normally that is after 90 s
KEPT: Final = 30
#: of the six ten-second parts of a minute: so many are "most of it", so many "half of it"
MOST, HALF = 5, 3

_Told = tuple[int, int, int]


class Deliveries:
    """What media reported of each lesson's minutes: by trainee, and of each the pages (tier, parts, bytes)."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, int], dict[str, dict[str, _Told]]] = {}
        self._newest = 0

    def take(self, room: str, slot: int, peers: Mapping[str, Sequence[int]]) -> None:
        """Take a report of a room's minute; of a minute that is told in pieces (media began anew in it) all count."""
        self._newest = max(self._newest, slot)
        people = self._told.setdefault((room, slot), {})
        for peer, (tier, parts, size) in peers.items():
            pages = people.setdefault(peer.partition(".")[0], {})
            known = pages.get(peer, (0, 0, -1))
            pages[peer] = (tier if size > known[2] else known[0], parts | known[1], max(size, known[2]))
        for old in [key for key in self._told if key[1] < self._newest - KEPT]:
            del self._told[old]

    def seen(self, lesson_id: str, person_id: str, slot: int) -> Seen:
        """What media saw of a trainee's minute, by all pages that were theirs in it."""
        pages = self._told.get((lesson_id, slot), {}).get(person_id)
        if not pages:
            return UNSEEN
        parts = 0
        for _, some, _ in pages.values():
            parts |= some
        tier, _, _ = max(pages.values(), key=lambda one: one[2])
        return Seen(tier, grade(parts.bit_count()))


def grade(parts: int) -> int:
    """0: nothing is known to have arrived; 1: in less than half of the minute; 2: in half; 3: in most of it."""
    return sum(parts >= least for least in (1, HALF, MOST))
