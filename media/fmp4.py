"""Decides how samples become an init segment and parts of about 200 ms: CMAF that a browser, a player, a file can take.

Pure. A part ends where a picture begins, or with the voice where there are no pictures. New parameter sets, pictures
that come or cease, a publisher that left: each begins a new init segment.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from media.boxes import AUDIO_SCALE, VIDEO_SCALE, Sample, init_segment, part
from media.clock import NTP_FRACTION
from media.doors import PacketBudget
from media.h264 import Sets
from media.samples import Picture, Voice

PART_SECONDS = 0.2
#: init segments, because pictures change: at once, and in the long run each second
CHANGES_AT_ONCE, CHANGES_PER_SECOND = 8, 1.0
#: without a picture after it, the last one is shown for so long
LAST_SECONDS = 1.0
CODECS = {"opus": "opus", "aac": "mp4a.40.2", "": ""}
#: voice at the beginning waits so long for a picture
FIRST_SECONDS = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Init:
    """An init segment. `codecs` as browsers ask for them; `number` counts from 1."""

    number: int
    codecs: str
    width: int
    height: int
    data: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A fragment behind `init`. `begins`: seconds since the epoch; `key`: a player may begin here."""

    init: Init
    number: int
    key: bool
    begins: float
    seconds: float
    data: bytes


class Form(NamedTuple):
    """How a file looks: what `init_segment` and `part` of boxes are for MP4."""

    init: Callable[[Sets | None, str], bytes]
    part: Callable[[int, int, Sequence[Sample], Sequence[Sample]], bytes]


MP4 = Form(init_segment, part)


class Muxer:
    """One rendition. `audio`: "opus", "aac" or "" for none; without `video` pictures are not taken."""

    def __init__(
        self,
        epoch: int,
        audio: str,
        on_part: Callable[[Part], None],
        *,
        video: bool = True,
        form: Form = MP4,
        ask_keyframe: Callable[[], None] = lambda: None,
    ) -> None:
        self._form = form
        self._epoch, self._audio, self._on_part, self._video = epoch, audio, on_part, video
        self._sets: Sets | None = None
        self._init: Init | None = None
        self._number = 0
        self._inits = 0
        self._pictures: list[Picture] = []
        self._voices: list[Voice] = []
        self._waits = video
        self._ask_keyframe = ask_keyframe
        self._changes = PacketBudget(0.0, CHANGES_AT_ONCE, CHANGES_PER_SECOND)
        self._unsteady = False

    def picture(self, picture: Picture) -> None:
        if not self._video:
            return
        if (self._sets is None and not picture.key) or self._is_unsteady(picture):
            return
        if picture.key and self._sets != picture.sets:
            self._begin(picture)
        elif self._ends(picture, self._pictures[0]):
            self._cut(picture.time)
        self._pictures.append(picture)

    def voice(self, voice: Voice) -> None:
        if not self._audio:
            return
        self._voices.append(voice)
        if self._sets is None:
            self._cut_voice()

    def blind(self) -> None:
        """Pictures have ceased: from here on there is voice alone."""
        if self._sets is not None:
            self._finish()
        self._sets = self._init = None
        self._waits = False

    def cease(self) -> None:
        """Nothing comes any more; what comes next begins anew."""
        self._finish()
        self._sets = self._init = None
        self._voices.clear()
        self._waits = self._video

    def _ends(self, picture: Picture, first: Picture) -> bool:
        """Whether a part that begins with `first` ends before this picture."""
        return picture.time - first.time >= PART_SECONDS * VIDEO_SCALE or (picture.key and not first.key)

    def _is_unsteady(self, picture: Picture) -> bool:
        """Whether pictures change too often, a window that is being drawn larger, say; up to a keyframe that may."""
        if picture.key:
            change = self._sets is not None and self._sets != picture.sets
            self._unsteady = change and not self._changes.spend(picture.time / VIDEO_SCALE)
        if self._unsteady:
            self._ask_keyframe()
        return self._unsteady

    def _begin(self, picture: Picture) -> None:
        if self._sets is not None:
            self._cut(picture.time)
        elif self._init is not None:
            self._flush_voice(self._before(picture.time))
        else:
            del self._voices[: self._before(picture.time)]
        self._sets, self._waits = picture.sets, False
        self._init = self._new_init(picture.sets)

    def _new_init(self, sets: Sets | None) -> Init:
        self._inits += 1
        codecs = ",".join(filter(None, (sets.codec if sets else "", CODECS[self._audio])))
        width, height = (sets.width, sets.height) if sets else (0, 0)
        return Init(self._inits, codecs, width, height, self._form.init(sets, self._audio))

    def _before(self, time: int) -> int:
        """How many of the voices begin before a picture's time."""
        limit = time * AUDIO_SCALE // VIDEO_SCALE
        return sum(1 for voice in self._voices if voice.time < limit)

    def _cut(self, time: int) -> None:
        """Send off all that is before `time`, where a picture begins."""
        pictures, self._pictures = self._pictures, []
        ends = [picture.time for picture in pictures[1:]] + [time]
        video = [
            Sample(picture.time, end - picture.time, picture.data, picture.key)
            for picture, end in zip(pictures, ends, strict=True)
        ]
        count = self._before(time)
        voices = self._voices[:count]
        del self._voices[:count]
        self._send(video, voices)

    def _finish(self) -> None:
        if self._pictures:
            self._cut(self._pictures[-1].time + round(LAST_SECONDS * VIDEO_SCALE))
        elif self._init is not None:
            self._flush_voice(len(self._voices))

    def _cut_voice(self) -> None:
        """With voice alone: a part once there is enough of it."""
        voices = self._voices
        length = (voices[-1].time + voices[-1].duration - voices[0].time) / AUDIO_SCALE
        if length < (FIRST_SECONDS if self._waits else PART_SECONDS):
            return
        self._waits = False
        if self._init is None:
            self._init = self._new_init(None)
        self._flush_voice(len(voices))

    def _flush_voice(self, count: int) -> None:
        voices = self._voices[:count]
        del self._voices[:count]
        self._send([], voices)

    def _send(self, video: list[Sample], voices: list[Voice]) -> None:
        if self._init is None or not (video or voices):
            return
        audio = [Sample(voice.time, voice.duration, voice.data) for voice in voices]
        first, scale = (video, VIDEO_SCALE) if video else (audio, AUDIO_SCALE)
        begins = first[0].time / scale
        seconds = (first[-1].time + first[-1].duration) / scale - begins
        self._number += 1
        ntp = self._epoch + first[0].time * NTP_FRACTION // scale
        data = self._form.part(self._number, ntp, video, audio)
        self._on_part(Part(self._init, self._number, first[0].key, begins, seconds, data))
