"""Decides what generated people send: H.264 of their picture at ten a second, Opus of something like speech.

Both are encoded here, once, and sent as they are: aiortc only packs them into RTP.
"""

import asyncio
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from server.core.clock import LOCAL_ZONE, Clock, to_datetime
from server.demo.picture import HEIGHT, TEACHER, WIDTH, Look, Picture

RATE: Final = 10
#: a keyframe each second: aiortc cannot ask for one where packets are sent as they are
KEYFRAME_EVERY: Final = RATE
KBPS: Final = 500
VIDEO_CLOCK: Final = 90_000
AUDIO_CLOCK: Final = 48_000
PACKET_S: Final = 0.02
SAMPLE_RATE: Final = 16_000
SPEECH_S: Final = 6
#: of the teacher, and of a guest on stage
PITCH_HZ: Final = 140
GUEST_HZ: Final = 210
SYLLABLES_PER_S: Final = 4
LOUDNESS: Final = 4_500


class _Paced(MediaStreamTrack):
    """A track whose packets come at their own pace."""

    def __init__(self, per_second: int, clock_rate: int) -> None:
        super().__init__()
        self._per_second, self._clock_rate = per_second, clock_rate
        self._index = 0
        self._started: float | None = None

    async def recv(self) -> "av.Packet[Any]":
        """The next packet, when it is due."""
        if self.readyState != "live":
            raise MediaStreamError
        loop = asyncio.get_running_loop()
        if self._started is None:
            self._started = loop.time()
        await asyncio.sleep(max(0.0, self._started + self._index / self._per_second - loop.time()))
        packet = av.Packet(self._content(self._index))
        packet.pts, packet.time_base = (
            self._index * self._clock_rate // self._per_second,
            Fraction(1, self._clock_rate),
        )
        self._index += 1
        return packet

    def _content(self, index: int) -> bytes:
        raise NotImplementedError


class Figure(_Paced):
    """The picture of somebody, a clock in it in Asia/Shanghai time."""

    kind = "video"

    def __init__(self, clock: Clock, look: Look = TEACHER) -> None:
        super().__init__(RATE, VIDEO_CLOCK)
        self._clock, self._picture, self._encoder = clock, Picture(look), _h264()

    def _content(self, index: int) -> bytes:
        mouth = round(10 * loudness(index / RATE))
        self._picture.show(to_datetime(self._clock.ms()).astimezone(LOCAL_ZONE), mouth)
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane, drawn in zip(frame.planes, self._picture.planes, strict=True):
            plane.update(bytes(drawn))
        frame.pts = index
        return b"".join(bytes(packet) for packet in self._encoder.encode(frame))


class Voice(_Paced):
    """A few seconds of babble, over and over."""

    kind = "audio"

    def __init__(self, pitch_hz: int = PITCH_HZ) -> None:
        super().__init__(round(1 / PACKET_S), AUDIO_CLOCK)
        self._packets = list(_opus(pitch_hz))

    def _content(self, index: int) -> bytes:
        return self._packets[index % len(self._packets)]


def loudness(at_s: float) -> float:
    """How loud (0 to 1) somebody speaks: syllables in phrases with a pause after each."""
    phrase = at_s % 3
    return math.sin(math.pi * (at_s * SYLLABLES_PER_S % 1)) ** 2 if phrase < 2.25 else 0.0


def _h264() -> av.VideoCodecContext:
    encoder = av.CodecContext.create("libx264", "w")
    if not isinstance(encoder, av.VideoCodecContext):
        raise TypeError("libx264 encodes pictures")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.bit_rate = Fraction(1, RATE), Fraction(RATE), KBPS * 1_000
    options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "level": "31"}
    encoder.options = {**options, "g": str(KEYFRAME_EVERY), "threads": "1"}
    return encoder


def _opus(pitch_hz: int) -> Iterator[bytes]:
    encoder = av.CodecContext.create("libopus", "w")
    if not isinstance(encoder, av.AudioCodecContext):
        raise TypeError("libopus encodes sound")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = SAMPLE_RATE, "mono", "s16", 32_000
    samples = round(SAMPLE_RATE * PACKET_S)
    for first in range(0, SAMPLE_RATE * SPEECH_S, samples):
        frame = av.AudioFrame(format="s16", layout="mono", samples=samples)
        frame.planes[0].update(
            b"".join(_sample(at, pitch_hz).to_bytes(2, "little", signed=True) for at in range(first, first + samples))
        )
        frame.sample_rate, frame.pts = SAMPLE_RATE, first
        for packet in encoder.encode(frame):
            yield bytes(packet)


def _sample(index: int, pitch_hz: int) -> int:
    """A voice: a pitch that sways a little, with fewer of its higher tones, as a vowel has."""
    at = index / SAMPLE_RATE
    turn = 2 * math.pi * pitch_hz * (at + 0.004 * math.sin(2 * math.pi * at / SPEECH_S))
    tone = sum(math.sin(turn * nth) * weight for nth, weight in ((1, 0.9), (2, 0.7), (3, 0.45), (5, 0.3), (8, 0.12)))
    return round(LOUDNESS * loudness(at) * tone)
