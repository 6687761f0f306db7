"""Decides what a room is as a file while it goes on: packed only while somebody reads, once for all who do.

Its voice is Opus as it came, or AAC, which is only made while somebody reads a rendition with it. The screen is a
rendition of its own, without a voice, on the same clock: nothing comes of it while nothing is shared. VP8 goes into no
MP4: its pictures are renditions that are only recorded, with nothing but themselves.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Literal

from media import clock, ivf, packets
from media.aac import Dub
from media.fmp4 import MP4, Form, Muxer
from media.packets import AUDIO, VIDEO
from media.room import Room
from media.samples import Picture, Sampler, Sink, Voice
from media.tap import CAMERA, NAMES, SCREEN
from media.vp8 import VP8
from media.window import MOST_WAITING, Reader, Window

Rendition = Literal["picture", "voice", "picture_aac", "voice_aac", "screen", "picture_vp8", "screen_vp8"]


IVF = Form(ivf.init_segment, ivf.part)


@dataclass(frozen=True, slots=True)
class Made:
    """What is in a rendition: pictures or not, and the codec of its voice, if it has one; `slot`: whose pictures."""

    pictures: bool
    audio: Literal["opus", "aac", ""]
    slot: str = CAMERA
    codec: str = "H264"
    form: Form = MP4


RENDITIONS: Mapping[Rendition, Made] = {
    "picture": Made(pictures=True, audio="opus"),
    "voice": Made(pictures=False, audio="opus"),
    "picture_aac": Made(pictures=True, audio="aac"),
    "voice_aac": Made(pictures=False, audio="aac"),
    "screen": Made(pictures=True, audio="", slot=SCREEN),
    "picture_vp8": Made(pictures=True, audio="", codec=VP8, form=IVF),
    "screen_vp8": Made(pictures=True, audio="", slot=SCREEN, codec=VP8, form=IVF),
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
        #: by slot; camera and voice share one, empty while nobody reads; one more while VP8 of the slot is read
        self._samplers: dict[str, list[Sampler]] = {}
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
            self._samplers = {slot: [screen if slot == SCREEN else lesson] for slot in KINDS}
            self._aimed_at.clear()
            self._room.attach(self)
        window = self._windows.get(rendition)
        if window is None:
            window = self._windows[rendition] = self._begin(rendition, RENDITIONS[rendition])
            self._wire()
        return window.join(most)

    def _begin(self, rendition: Rendition, made: Made) -> Window:
        ask = partial(self._room.ask_keyframe, made.slot) if made.pictures else _nothing
        window = Window(ask)
        muxer = Muxer(self._epoch, made.audio, window.add, video=made.pictures, form=made.form, ask_keyframe=ask)
        self._muxers[rendition] = muxer
        if made.codec == VP8:
            self._samplers[made.slot].append(Sampler(self._epoch, muxer, audio=False, codec=VP8))
        return window

    def has(self, rendition: Rendition, reader: Reader) -> bool:
        return rendition in self._windows and reader in self._windows[rendition].readers

    def leave(self, rendition: Rendition, reader: Reader) -> None:
        window = self._windows[rendition]
        window.leave(reader)
        if not window.readers:
            del self._windows[rendition], self._muxers[rendition]
            made = RENDITIONS[rendition]
            if made.codec == VP8:
                self._samplers[made.slot] = [each for each in self._samplers[made.slot] if each.codec != VP8]
            self._wire()
        if not self._windows and self._samplers:
            self._samplers = {}
            self._room.detach(self)

    # -- what the room tells ----------------------------------------------------------------------

    def packet(
        self, slot: str, codec: str, sequence: int, timestamp: int, payload: bytes, moment: float, *, marker: bool
    ) -> None:
        """One packet of a slot; see media/tap."""
        samplers = self._samplers.get(slot)
        if samplers:
            self._aim(samplers, slot, moment, timestamp)
            packet = packets.canonical(marker, sequence, timestamp, 0, payload)
            for sampler in samplers:
                sampler.push(KINDS[slot], codec, packet, self._ntp(), self._clock())

    def gone(self, slot: str) -> None:
        """The publisher is gone, or no longer shares the screen."""
        for sampler in self._samplers.get(slot, ()):
            sampler.cease()

    def tick(self) -> None:
        """Periodic work, every tenth of a second or so."""
        for slot in (CAMERA, SCREEN):
            for sampler in self._samplers.get(slot, ()):
                sampler.tick(self._ntp(), self._clock())
                if sampler.wants_keyframe:
                    self._room.ask_keyframe(slot)

    def _aim(self, samplers: Sequence[Sampler], slot: str, moment: float, timestamp: int) -> None:
        now, kind = self._clock(), KINDS[slot]
        due = now - self._aimed_at.get(slot, -AIM_SECONDS) >= AIM_SECONDS and self._room.slots[slot].synchronised
        for sampler in samplers:
            if due or not sampler.aimed(kind):
                self._aimed_at[slot] = now
                sampler.aim(kind, clock.ntp_at(moment), timestamp)

    def _wire(self) -> None:
        """Samples go to the muxers that there are now, and through one encoder to those with AAC."""
        for several, audio in ((self._all, "opus"), (self._dubbed, "aac"), (self._screens, "")):
            several.sinks = [muxer for name, muxer in self._muxers.items() if _goes(RENDITIONS[name], audio)]
        if not self._dubbed.sinks:
            self._dub = None
            return
        self._dub = self._dub or Dub(self._dubbed, self._threads)
        self._all.sinks.append(self._dub)


def rendition_of(said: object) -> Rendition | None:
    """The rendition that somebody may read and names; None: there is none of that name."""
    return next((each for each, made in RENDITIONS.items() if each == said and made.form is MP4), None)


def _goes(made: Made, audio: str) -> bool:
    """Whether a rendition is made of what the lesson's samplers give with this voice."""
    return made.audio == audio and made.codec != VP8


def _nothing() -> None:
    """Voice has no keyframes."""
