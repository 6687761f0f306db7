"""Fakes of what rooms and viewers are given: a transport that keeps what it is sent, a clock that is set by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field

from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RtpPacket

from media.offer import Codec
from media.packets import Image
from media.slot import Arrival

H264 = Codec("H264", 90_000, 108, 109, RTCRtpCodecParameters("video/H264", 90_000))
OPUS = Codec("OPUS", 48_000, 111, 0, RTCRtpCodecParameters("audio/opus", 48_000))
CODECS = {"H264": H264, "OPUS": OPUS}
KEY, DELTA = b"\x65key", b"\x61delta"


@dataclass(eq=False)
class FakeTransport:
    """Keeps packets in the clear, in the order they were sent."""

    tag: int = 16
    rtp: list[RtpPacket] = field(default_factory=list)
    rtcp: list[bytes] = field(default_factory=list)

    def send_image(self, image: Image) -> None:
        self.rtp += [RtpPacket.parse(image.data[at : at + size]) for at, size in image.cells]

    def send_rtp(self, packet: bytes) -> None:
        self.rtp.append(RtpPacket.parse(packet))

    def send_rtcp(self, compound: bytes) -> None:
        self.rtcp.append(compound)

    def payloads(self) -> list[bytes]:
        return [packet.payload for packet in self.rtp]


@dataclass
class FakeTimer:
    """A call that is due at a moment, unless taken back."""

    due: float
    call: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class FakeTime:
    """Time that passes when told to."""

    now: float = 100.0
    timers: list[FakeTimer] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def later(self, delay: float, call: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(self.now + delay, call)
        self.timers.append(timer)
        return timer

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        due = [timer for timer in self.timers if timer.due <= self.now + 1e-9]
        self.timers = [timer for timer in self.timers if timer not in due]
        for timer in due:
            if not timer.cancelled:
                timer.call()


def picture(sequence: int, payload: bytes = DELTA, *, marker: bool = True, source: object = 1) -> Arrival:
    """One packet of H.264, a picture each 3,000 ticks."""
    return Arrival(source, "H264", marker, sequence & 0xFFFF, (sequence * 3_000) & 0xFFFFFFFF, payload)


def sound(sequence: int, payload: bytes = b"opus") -> Arrival:
    return Arrival("voice", "OPUS", False, sequence, sequence * 960, payload)
