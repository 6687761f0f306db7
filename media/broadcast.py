"""Decides what a room is as a file while it goes on: packed only while somebody reads, once for all who do.

Its voice is Opus as it came, or AAC, which is only made while somebody reads a rendition with it. The screen is a
rendition of its own, without a voice, on the same clock: nothing comes of it while nothing is shared.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Literal

from media import clock, packets
from media.aac import Dub
from media.fmp4 import Muxer
from media.packets import AUDIO, VIDEO
from media.room import Room
from media.samples import Picture, Sampler, Sink, Voice
from media.tap import CAMERA, NAMES, SCREEN
from media.window import MOST_WAITING, Reader, Window

Rendition = Literal["picture", "voice", "picture_aac", "voice_aac", "screen"]


@dataclass(frozen=True, slots=True)
class Made:
    """What is in a rendition: pictures or not, and the codec of its voice, if it has one."""

    pictures: bool
    audio: Literal["opus", "aac", ""]


RENDITIONS: Mapping[Rendition, Made] = {
    "picture": Made(pictures=True, audio="opus"),
    "voice": Made(pictures=False, audio="opus"),
    "picture_aac": Made(pictures=True, audio="aac"),
    "voice_aac": Made(pictures=False, audio="aac"),
    "screen": Made(pictures=True, audio=""),
}
AIM_SECONDS = 1.0
#: the slots that are packed
KINDS = {**{NAMES[kind]: kind for kind in (VIDEO, AUDIO)}, SCREEN: VIDEO}


class Several:
    """A sink that is many."""

    def __init__(self) -> None:
        self.sinks: list[Sink] = []

    def picture(self, picture: Picture) -> None:
        for sink in self.sinks:
            sink.picture(picture)

    def voice(self, voice: Voice) -> None:
        for sink in self.sinks:
            sink.voice(voice)

    def blind(self) -> None:
        for sink in self.sinks:
            sink.blind()

    def cease(self) -> None:
        for sink in self.sinks:
            sink.cease()


class Broadcast:
    """The renditions of one room and their readers. AAC is made in `threads`, of which there must be one."""

    def __init__(
        self,
        room: Room,
        threads: Executor,
        ntp: Callable[[], int] = clock.ntp,
        monotonic: Callable[[], float] = clock.monotonic,
    ) -> None:
        self._room, self._threads, self._ntp, self._clock = room, threads, ntp, monotonic
        self._epoch = ntp()
        self._windows: dict[Rendition, Window] = {}
        self._muxers: dict[Rendition, Muxer] = {}
        self._all, self._dubbed, self._screens = Several(), Several(), Several()
        self._dub: Dub | None = None
        #: by slot; camera and voice have one, empty while nobody reads
        self._samplers: dict[str, Sampler] = {}
        self._aimed_at: dict[str, float] = {}

    @property
    def renditions(self) -> Mapping[Rendition, Window]:
        return self._windows

    @property
    def epoch(self) -> float:
        """When the parts' time begins, in seconds since 1970."""
        return clock.unix_at(self._epoch)

    def join(self, rendition: Rendition, most: int = MOST_WAITING) -> Reader:
        """A reader that begins at a keyframe; `most`: how many parts may wait for it."""
        if not self._samplers:
            lesson, screen = (
                Sampler(self._epoch, self._all, audio=True),
                Sampler(self._epoch, self._screens, audio=False),
            )
            self._samplers = {slot: screen if slot == SCREEN else lesson for slot in KINDS}
            self._aimed_at.clear()
            self._room.attach(self)
        window = self._windows.get(rendition)
        if window is None:
            made, slot = RENDITIONS[rendition], SCREEN if rendition == SCREEN else CAMERA
            ask = partial(self._room.ask_keyframe, slot) if made.pictures else _nothing
            window = self._windows[rendition] = Window(ask)
            self._muxers[rendition] = Muxer(self._epoch, made.audio, window.add, video=made.pictures)
            self._wire()
        return window.join(most)

    def has(self, rendition: Rendition, reader: Reader) -> bool:
        return rendition in self._windows and reader in self._windows[rendition].readers

    def leave(self, rendition: Rendition, reader: Reader) -> None:
        window = self._windows[rendition]
        window.leave(reader)
        if not window.readers:
            del self._windows[rendition], self._muxers[rendition]
            self._wire()
        if not self._windows and self._samplers:
            self._samplers = {}
            self._room.detach(self)

    # -- what the room tells ----------------------------------------------------------------------

    def packet(
        self, slot: str, codec: str, sequence: int, timestamp: int, payload: bytes, moment: float, *, marker: bool
    ) -> None:
        """One packet of a slot; see media/tap."""
        sampler = self._samplers.get(slot)
        if sampler is not None:
            self._aim(sampler, slot, moment, timestamp)
            packet = packets.canonical(marker, sequence, timestamp, 0, payload)
            sampler.push(KINDS[slot], codec, packet, self._ntp(), self._clock())

    def gone(self, slot: str) -> None:
        """The publisher is gone, or no longer shares the screen."""
        if slot in self._samplers:
            self._samplers[slot].cease()

    def tick(self) -> None:
        """Periodic work, every tenth of a second or so."""
        for slot in (CAMERA, SCREEN) if self._samplers else ():
            self._samplers[slot].tick(self._ntp(), self._clock())
            if self._samplers[slot].wants_keyframe:
                self._room.ask_keyframe(slot)

    def _aim(self, sampler: Sampler, slot: str, moment: float, timestamp: int) -> None:
        now, kind = self._clock(), KINDS[slot]
        due = now - self._aimed_at.get(slot, -AIM_SECONDS) >= AIM_SECONDS
        if not sampler.aimed(kind) or (due and self._room.slots[slot].synchronised):
            self._aimed_at[slot] = now
            sampler.aim(kind, clock.ntp_at(moment), timestamp)

    def _wire(self) -> None:
        """Samples go to the muxers that there are now, and through one encoder to those with AAC."""
        for several, audio in ((self._all, "opus"), (self._dubbed, "aac"), (self._screens, "")):
            several.sinks = [muxer for name, muxer in self._muxers.items() if RENDITIONS[name].audio == audio]
        if not self._dubbed.sinks:
            self._dub = None
            return
        self._dub = self._dub or Dub(self._dubbed, self._threads)
        self._all.sinks.append(self._dub)


def rendition_of(said: object) -> Rendition | None:
    """The rendition that somebody names; None: there is none of that name."""
    return next((each for each in RENDITIONS if each == said), None)


def _nothing() -> None:
    """Voice has no keyframes."""
