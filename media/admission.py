"""Decides who may still watch, how, and in which size: the uplink is spent first, then the CPU.

Pure: time and measures come in. Nobody who watches is thrown out. Pictures leave a tenth of the uplink to voices. Each
viewer over WebRTC takes the large camera while there is room for it, in order of arrival, else the small one.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from media.aside import expected
from media.errors import MediaError
from media.grants import is_check
from media.meter import Busy, Meter
from media.slot import Slot
from media.tap import CAMERA, CAMERA_LOW, SCREEN, VOICE

SPENT = ("uplink_spent", "cpu_spent")
Way = Literal["peer", "parts", "voice"]
#: a tenth of the uplink is for those who only listen
PICTURES_SHARE = 0.9
#: who was stepped down goes up again where so much is left afterwards, and nobody was stepped down for so long
SPARE_SHARE = 0.05
CALM_SECONDS = 15.0
MEGA = 1_000_000
#: what is taken for a small picture and a voice until they are measured, on the wire
LOW_BPS, VOICE_BPS = 380_000.0, 62_000.0


class Place(Protocol):
    """What admission needs of a room."""

    name: str
    slots: dict[str, Slot]

    @property
    def published(self) -> frozenset[str]:
        """The slots that its publisher agreed to send."""


class Sized(Protocol):
    """The size of one viewer's camera; see size.py."""

    held: bool


@dataclass(frozen=True, slots=True)
class Demand:
    """One who watches now, in order of arrival. `size`: whose camera can be made smaller."""

    room: str
    peer: str
    way: Way
    screen: bool = False
    size: Sized | None = None


@dataclass(frozen=True, slots=True)
class Costs:
    """Bits per second: of a voice, with the camera large or small; of the screen alone, 0 while there is none."""

    large: float
    small: float
    screen: float
    voice: float

    def most(self, demand: Demand) -> float:
        """Beside a screen the camera is small for whoever gets both over WebRTC; see forwarder.py."""
        if demand.way == "voice":
            return self.voice
        if demand.way == "parts":
            return self.large + (self.screen if demand.screen else 0.0)
        return self.small + self.screen if demand.screen and self.screen else self.large

    def least(self, demand: Demand) -> float:
        most = self.most(demand)
        return min(most, self.small) if most == self.large and demand.size is not None else most


class Admission:
    """Of one plane. `uplink_mbps` None: no limit. `camera_bps`: what publishers are advised. `counts`: of refusals."""

    def __init__(self, uplink_mbps: float | None, camera_bps: float, counts: Counter[str]) -> None:
        self._counts = counts
        self.limit = None if uplink_mbps is None else uplink_mbps * MEGA
        self.busy = Busy()
        self.used = 0.0
        self._expected = {CAMERA: camera_bps, CAMERA_LOW: min(LOW_BPS, camera_bps), VOICE: VOICE_BPS}
        self._meters: dict[str, Meter] = {}
        self._costs: dict[str, Costs] = {}
        self._stepped_down = float("-inf")

    def look(self, now: float, cpu_seconds: float, rooms: Iterable[Place], demands: Sequence[Demand]) -> None:
        """Once a second: measure, and choose sizes anew."""
        self.busy.look(now, cpu_seconds)
        rooms = list(rooms)
        self._meters = {each.name: self._meter(each.name) for each in rooms}
        for room in rooms:
            self._meters[room.name].look(now, room.slots.values())
        self._costs = {room.name: self._costs_of(room) for room in rooms}
        self._size(now, demands)
        self.used = sum(self._now(each) for each in demands)

    def costs(self, room: Place) -> Costs:
        """What a viewer of this room costs now."""
        self._costs[room.name] = self._costs_of(room)
        return self._costs[room.name]

    def _meter(self, room: str) -> Meter:
        return self._meters.get(room) or Meter(expected(room, self._expected))

    def _costs_of(self, room: Place) -> Costs:
        meter = self._meter(room.name)
        voice, camera = meter.bps(VOICE), meter.bps(CAMERA)
        is_there = room.slots[CAMERA_LOW].live or not meter.sure(CAMERA)
        low = meter.bps(CAMERA_LOW) if CAMERA_LOW in room.published and is_there else camera
        return Costs(camera + voice, min(low, camera) + voice, meter.bps(SCREEN), voice)

    # -- who may come in --------------------------------------------------------------------------

    def check(self, room: Place, wish: Demand, watching: Callable[[], Sequence[Demand]]) -> None:
        """Raises MediaError uplink_spent or cpu_spent, `next` saying which way is left, if any.

        Let in as before is whoever watches already and asks again, from a page that was loaded anew, say; and who only
        tries a line.
        """
        if is_check(room.name) or (self.limit is None and not self._cpu_spent(wish.way)):
            return
        demands = watching()
        mine = [each for each in demands if (each.room, each.peer) == (wish.room, wish.peer)]
        if any(each.way == wish.way for each in mine):
            return
        others = [each for each in demands if each not in mine]
        spent = self._spent(room, wish, others)
        if spent:
            ways: tuple[Way, ...] = (
                ("parts", "voice") if wish.way == "peer" else ("voice",) if wish.way == "parts" else ()
            )
            left = (way for way in ways if not self._spent(room, Demand(wish.room, wish.peer, way), others))
            left_over = next(left, None)
            self._counts[spent] += 1
            if spent == "cpu_spent":
                raise MediaError("cpu_spent", next=left_over)
            raise MediaError("uplink_spent", next=left_over)

    def spent(self, room: Place, demands: Sequence[Demand]) -> str:
        """Why one more viewer of a picture over WebRTC would be refused; empty: they would not be."""
        return self._spent(room, Demand(room.name, "", "peer", size=_Nobody()), demands)

    def _spent(self, room: Place, wish: Demand, others: Sequence[Demand]) -> str:
        costs = self.costs(room)
        if self.limit is not None:
            needed = sum(self._least(each) for each in others) + costs.least(wish)
            if needed > self.limit * (1.0 if wish.way == "voice" else PICTURES_SHARE):
                return "uplink_spent"
        return "cpu_spent" if self._cpu_spent(wish.way) else ""

    def _cpu_spent(self, way: Way) -> bool:
        return {"peer": self.busy.peers_spent, "parts": self.busy.parts_spent, "voice": False}[way]

    # -- who gets which size ----------------------------------------------------------------------

    def fits_large(self, room: Place, watching: Callable[[], Sequence[Demand]]) -> bool:
        """Whether one more may begin with the large camera."""
        if self.limit is None:
            return True
        large = self.costs(room).large
        return sum(self._now(each) for each in watching()) + large <= self.limit * PICTURES_SHARE

    def _size(self, now: float, demands: Sequence[Demand]) -> None:
        if self.limit is None:
            return
        most = self.limit * PICTURES_SHARE
        spare = most - sum(self._least(each) for each in demands)
        for each in demands:
            if each.size is None:
                continue
            costs = self._costs.get(each.room)
            extra = costs.most(each) - costs.least(each) if costs else 0.0
            if each.size.held and (now - self._stepped_down < CALM_SECONDS or extra > spare - self.limit * SPARE_SHARE):
                continue
            if extra <= max(spare, 0.0):
                each.size.held = False
                spare -= extra
            elif not each.size.held:
                each.size.held, self._stepped_down = True, now

    def _least(self, demand: Demand) -> float:
        costs = self._costs.get(demand.room)
        return costs.least(demand) if costs else 0.0

    def _now(self, demand: Demand) -> float:
        costs = self._costs.get(demand.room)
        if costs is None:
            return 0.0
        return costs.least(demand) if demand.size is not None and demand.size.held else costs.most(demand)


class _Nobody:
    """The size of somebody who is not there yet."""

    held = True
