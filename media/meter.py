"""Decides what a stream costs each of its viewers, by what its publisher really sends; and how busy this process is.

Pure: time comes in. A stream counts with the mean of the last ten seconds; until it has been heard for so long at least
with what its publisher is advised, because encoders begin low.
"""

from collections import deque
from collections.abc import Iterable, Mapping

from media.slot import Slot

WINDOW_SECONDS = 10.0
#: from then on a mean is believed also where it is low
SURE_SECONDS = 8.0
#: RTP, the seal of SRTP, UDP and IP
OVERHEAD_BYTES = 12 + 16 + 8 + 20
#: shares of a CPU: no more viewers by WebRTC from here on, and again below this; the same of parts, a fifth as dear
PEERS_SPENT, PEERS_AGAIN = 0.80, 0.70
PARTS_SPENT, PARTS_AGAIN = 0.95, 0.85


class Meter:
    """The slots of one room, in bits per second on the wire. `expected`: by slot."""

    def __init__(self, expected: Mapping[str, float]) -> None:
        self._expected = expected
        self._looks: dict[str, deque[tuple[float, int, int]]] = {}

    def look(self, now: float, slots: Iterable[Slot]) -> None:
        """Once a second or so."""
        for slot in slots:
            if not slot.live:
                self._looks.pop(slot.name, None)
                continue
            looks = self._looks.setdefault(slot.name, deque())
            looks.append((now, slot.packets, slot.octets))
            while now - looks[0][0] > WINDOW_SECONDS:
                looks.popleft()

    def bps(self, name: str) -> float:
        """What one viewer of the slot costs."""
        expected = self._expected.get(name, 0.0)
        looks = self._looks.get(name)
        if not looks or looks[-1][0] <= looks[0][0]:
            return expected
        (begun, packets, octets), (now, packets_now, octets_now) = looks[0], looks[-1]
        size = octets_now - octets + OVERHEAD_BYTES * (packets_now - packets)
        measured = size * 8 / (now - begun)
        return measured if self.sure(name) else max(measured, expected)

    def sure(self, name: str) -> bool:
        """Whether it was heard for long enough to be believed."""
        looks = self._looks.get(name)
        return looks is not None and looks[-1][0] - looks[0][0] >= SURE_SECONDS


class Busy:
    """The share of a CPU that this process used in the last ten seconds, and what is spent of it."""

    def __init__(self) -> None:
        self.share = 0.0
        self.peers_spent = self.parts_spent = False
        self._looks: deque[tuple[float, float]] = deque()

    def look(self, now: float, seconds: float) -> None:
        """`seconds`: of CPU, used since any one moment."""
        self._looks.append((now, seconds))
        while now - self._looks[0][0] > WINDOW_SECONDS:
            self._looks.popleft()
        begun, before = self._looks[0]
        if now > begun:
            self.share = (seconds - before) / (now - begun)
        self.peers_spent = self.share >= (PEERS_AGAIN if self.peers_spent else PEERS_SPENT)
        self.parts_spent = self.share >= (PARTS_AGAIN if self.parts_spent else PARTS_SPENT)
