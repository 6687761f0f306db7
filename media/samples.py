"""Decides when each picture and each bit of voice was, and which of them can be used: packets in, samples out.

Pure: time comes in. Times are those of one clock, told by sender reports (RFC 3550 section 6.4.1), so that picture and
voice stay together. Voice has no holes: what is missing is silence. A picture is used only when all before it came.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from media import h264, vp8
from media.boxes import AUDIO_SCALE, VIDEO_SCALE
from media.clock import NTP_FRACTION
from media.h264 import Sets
from media.packets import AUDIO, MARKER, RTP_HEADER, VIDEO, newer

#: a missing packet is waited for so long: it may be sent again
PATIENCE_SECONDS = {VIDEO: 0.25, AUDIO: 0.12}
MOST_HELD = 512
#: a clock that is told to be further off than this is set anew
TOLERANCE_SECONDS = 0.02
SILENT_AFTER_SECONDS = 0.4
SILENCE_BEHIND_SECONDS = 0.2
#: a longer hole is not filled: all begins anew behind it
MOST_SILENCE_SECONDS = 30.0
#: without a picture for so long there is only voice
BLIND_AFTER_SECONDS = 1.5
#: 20 ms of silence (RFC 6716 section 3.1: CELT, full band, one frame)
SILENCE = b"\xf8\xff\xfe"
FRAME = 960
#: how a picture is read, by its codec
READERS = {"H264": h264.picture, vp8.VP8: vp8.picture}
OPUS_FRAMES = {0: (480, 960, 1_920, 2_880), 1: (480, 960), 2: (120, 240, 480, 960)}


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture; `time` in 1/90000 s since the epoch of its sampler. `sets` with every keyframe."""

    time: int
    key: bool
    sets: Sets
    data: bytes


@dataclass(frozen=True, slots=True)
class Voice:
    """One Opus packet; `time` and `duration` in 1/48000 s."""

    time: int
    duration: int
    data: bytes


class Sink(Protocol):
    """What samples are for. `blind`: pictures have ceased; `voice` and `picture` come in order of their kind."""

    def picture(self, picture: Picture) -> None: ...
    def voice(self, voice: Voice) -> None: ...
    def blind(self) -> None: ...
    def cease(self) -> None: ...


def opus_ticks(packet: bytes) -> int:
    """How long an Opus packet is, in 1/48000 s (RFC 6716 section 3.1); 0 for what is none."""
    if not packet:
        return 0
    config, code = packet[0] >> 3, packet[0] & 3
    mode = 0 if config < 12 else 1 if config < 16 else 2
    sizes = OPUS_FRAMES[mode]
    count = 1 if code == 0 else 2 if code < 3 else packet[1] & 0x3F if len(packet) > 1 else 0
    ticks = sizes[config % len(sizes)] * count
    return ticks if ticks <= 5_760 else 0


class Order:
    """Packets by their sequence, each once; a missing one is waited for, then missed."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._held: dict[int, tuple[bytes, float]] = {}
        self._next: int | None = None

    def push(self, packet: bytes, now: float) -> None:
        sequence = int.from_bytes(packet[2:4], "big")
        if self._next is None:
            self._next = sequence
        if sequence == self._next or newer(sequence, self._next):
            self._held.setdefault(sequence, (packet, now))

    def ready(self, now: float) -> Iterator[tuple[bytes, bool]]:
        """(packet, whether some before it are missed) for all that can go on."""
        while self._held and self._next is not None:
            missed = self._next not in self._held
            if missed:
                oldest = min(self._held, key=self._distance)
                if now - self._held[oldest][1] < self._patience and len(self._held) < MOST_HELD:
                    return
                self._next = oldest
            packet, _ = self._held.pop(self._next)
            self._next = (self._next + 1) & 0xFFFF
            yield packet, missed

    def _distance(self, sequence: int) -> int:
        return (sequence - (self._next or 0)) & 0xFFFF


class Timeline:
    """From RTP timestamps of a slot to ticks since `epoch` (64-bit NTP)."""

    def __init__(self, scale: int, epoch: int) -> None:
        self._scale, self._epoch = scale, epoch
        self._near = 0
        self._offset: int | None = None

    @property
    def aimed(self) -> bool:
        return self._offset is not None

    def ticks(self, ntp: int) -> int:
        return (ntp - self._epoch) * self._scale // NTP_FRACTION

    def aim(self, ntp: int, timestamp: int) -> None:
        """`timestamp` was at `ntp`."""
        wanted = self.ticks(ntp) - self._unwrapped(timestamp)
        if self._offset is None or abs(wanted - self._offset) > TOLERANCE_SECONDS * self._scale:
            self._offset = wanted

    def at(self, timestamp: int) -> int:
        self._near = self._unwrapped(timestamp)
        return self._near + (self._offset or 0)

    def _unwrapped(self, timestamp: int) -> int:
        return self._near + ((timestamp - self._near + 0x80000000) & 0xFFFFFFFF) - 0x80000000


class Pictures:
    """Pictures of a codec out of ordered packets; after a loss only from the next keyframe on."""

    def __init__(self, codec: str) -> None:
        self.broken = True
        self._read = READERS[codec]
        self._timestamp: int | None = None
        self._payloads: list[bytes] = []
        self._sets: Sets | None = None

    def push(self, packet: bytes, missed: bool) -> Iterator[tuple[int, bool, Sets, bytes]]:
        """(timestamp, whether a keyframe, sets, data) of the pictures that are whole now."""
        marker, timestamp = packet[1] & MARKER, int.from_bytes(packet[4:8], "big")
        if missed:
            self.broken = True
            self._payloads.clear()
        elif self._payloads and timestamp != self._timestamp:
            yield from self._whole()
        self._timestamp = timestamp
        self._payloads.append(packet[RTP_HEADER.size :])
        if marker:
            yield from self._whole()

    def _whole(self) -> Iterator[tuple[int, bool, Sets, bytes]]:
        found, timestamp = self._read(self._payloads), self._timestamp
        self._payloads = []
        if found is None or timestamp is None:
            self.broken = True
            return
        key, sets, data = found
        self._sets = sets or self._sets
        if key and self._sets is not None:
            self.broken = False
        if data and not self.broken and self._sets is not None:
            yield timestamp, key, self._sets, data


class Sampler:
    """One source's packets to samples. It is told each packet's codec; what is not `codec` gives no picture."""

    def __init__(self, epoch: int, sink: Sink, *, audio: bool, codec: str = "H264") -> None:
        self.epoch, self.codec = epoch, codec
        self._sink = sink
        self._orders = {kind: Order(patience) for kind, patience in PATIENCE_SECONDS.items()}
        self._times = {VIDEO: Timeline(VIDEO_SCALE, epoch), AUDIO: Timeline(AUDIO_SCALE, epoch)}
        self._pictures = Pictures(codec)
        self._with_voice = audio
        self._going = False
        self._voice_end = 0
        self._picture_time = -1
        self._picture_at: float | None = None

    @property
    def wants_keyframe(self) -> bool:
        """Whether pictures come that are of no use before the next keyframe."""
        return self._going and self._pictures.broken and self._picture_at is not None

    def aimed(self, kind: str) -> bool:
        return self._times[kind].aimed

    def aim(self, kind: str, ntp: int, timestamp: int) -> None:
        self._times[kind].aim(ntp, timestamp)

    def push(self, kind: str, codec: str, packet: bytes, ntp: int, now: float) -> None:
        """One canonical packet of the slot; its kind must have been aimed."""
        self._begin(ntp)
        if kind == VIDEO and codec != self.codec:
            return
        if kind == VIDEO and self._picture_at is None:
            self._picture_at = now
        self._orders[kind].push(packet, now)
        self._go_on(kind, now)

    def tick(self, ntp: int, now: float) -> None:
        """Give up on what is overdue; be silent where nothing is heard."""
        if not self._going:
            return
        for kind in (VIDEO, AUDIO):
            self._go_on(kind, now)
        if self._picture_at is not None and now - self._picture_at > BLIND_AFTER_SECONDS:
            self._picture_at, self._pictures.broken = None, True
            self._sink.blind()
        heard_until = self._times[AUDIO].ticks(ntp)
        if self._with_voice and heard_until - self._voice_end > SILENT_AFTER_SECONDS * AUDIO_SCALE:
            self._silence(heard_until - round(SILENCE_BEHIND_SECONDS * AUDIO_SCALE))

    def cease(self) -> None:
        """The publisher is gone."""
        if self._going:
            self._going = False
            self._pictures.broken, self._picture_at = True, None
            self._sink.cease()

    def _begin(self, ntp: int) -> None:
        if not self._going:
            self._going = True
            self._voice_end = max(self._voice_end, self._times[AUDIO].ticks(ntp))

    def _go_on(self, kind: str, now: float) -> None:
        for packet, missed in self._orders[kind].ready(now):
            if kind == AUDIO:
                self._hear(packet)
            else:
                self._see(packet, missed, now)

    def _see(self, packet: bytes, missed: bool, now: float) -> None:
        for timestamp, key, sets, data in self._pictures.push(packet, missed):
            self._picture_time = max(self._times[VIDEO].at(timestamp), self._picture_time + 1)
            self._picture_at = now
            self._sink.picture(Picture(self._picture_time, key, sets, data))

    def _hear(self, packet: bytes) -> None:
        data = packet[RTP_HEADER.size :]
        ticks = opus_ticks(data)
        time = self._times[AUDIO].at(int.from_bytes(packet[4:8], "big"))
        if not ticks or time < self._voice_end - ticks // 2 or not self._with_voice:
            return
        self._silence(time)
        self._say(Voice(max(time, self._voice_end), ticks, data))

    def _silence(self, until: int) -> None:
        if until - self._voice_end > MOST_SILENCE_SECONDS * AUDIO_SCALE:  # this machine slept, or its clock was set
            self._pictures.broken = True
            self._sink.cease()
            self._voice_end = until
        while until - self._voice_end >= FRAME:
            self._say(Voice(self._voice_end, FRAME, SILENCE))

    def _say(self, voice: Voice) -> None:
        self._voice_end = voice.time + voice.duration
        self._sink.voice(voice)
