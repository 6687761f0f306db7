"""A publisher on paper: canonical packets of real H.264 and Opus, with the moments at which they come."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from io import BytesIO
from typing import Any

import av
from aiortc.codecs.h264 import H264Encoder

from media import packets
from media.clock import NTP_FRACTION
from media.fmp4 import Init, Part
from media.packets import AUDIO, VIDEO
from media.samples import Sampler
from tests.media.clients import h264_pictures, opus_packets

EPOCH = 3_900_000_000 << 32
RATE = 30


@dataclass(frozen=True)
class Arriving:
    """A packet and when it arrives, in seconds from the epoch."""

    kind: str
    packet: bytes
    at: float


def payloads(picture: bytes) -> list[bytes]:
    """An access unit as RTP payloads."""
    packet = av.Packet(picture)
    packet.pts, packet.time_base = 0, Fraction(1, 90_000)
    return list(H264Encoder().pack(packet)[0])


def pictures(shown: list[bytes], first: int = 0, sequence: int = 65_500, start: float = 0.0) -> Iterator[Arriving]:
    """The packets of pictures, 30 a second from `start`; the RTP clock begins anywhere."""
    for index, picture in enumerate(shown, first):
        parts = payloads(picture)
        for number, payload in enumerate(parts):
            stamp = (4_294_960_000 + index * 3_000) & 0xFFFFFFFF
            packet = packets.canonical(number + 1 == len(parts), sequence & 0xFFFF, stamp, 1, payload)
            yield Arriving(VIDEO, packet, start + index / RATE)
            sequence += 1


def voices(heard: list[bytes], start: float = 0.0) -> Iterator[Arriving]:
    for index, data in enumerate(heard):
        packet = packets.canonical(False, (7 + index) & 0xFFFF, (1_000 + index * 960) & 0xFFFFFFFF, 2, data)
        yield Arriving(AUDIO, packet, start + index * 0.02)


def recording(seconds: int = 4, size: tuple[int, int] = (320, 240)) -> list[Arriving]:
    """Picture and voice of so many seconds, a keyframe at the beginning only."""
    shown = h264_pictures(seconds * RATE, size=size)
    return sorted([*pictures(shown), *voices(opus_packets(seconds * 50))], key=lambda each: each.at)


def ntp(at: float) -> int:
    return EPOCH + round(at * NTP_FRACTION)


def feed(sampler: Sampler, arriving: list[Arriving], codec: str = "H264") -> None:
    """Push all, each when it arrives; both clocks were told at the beginning."""
    if not sampler.aimed(VIDEO):
        sampler.aim(VIDEO, EPOCH, 4_294_960_000)
        sampler.aim(AUDIO, EPOCH, 1_000)
    ticked = 0.0
    for each in arriving:
        sampler.push(each.kind, codec if each.kind == VIDEO else "OPUS", each.packet, ntp(each.at), each.at)
        if each.at - ticked >= 0.1:
            ticked = each.at
            sampler.tick(ntp(each.at), each.at)


@dataclass
class Shelf:
    """Keeps parts as they come."""

    parts: list[Part] = field(default_factory=list)

    def inits(self) -> list[Init]:
        found: list[Init] = []
        for part in self.parts:
            if part.init not in found:
                found.append(part.init)
        return found

    def file(self, init: Init | None = None) -> bytes:
        """What a player would be given of one init segment (the first)."""
        init = init or self.parts[0].init
        return init.data + b"".join(part.data for part in self.parts if part.init is init)


def read_back(data: bytes) -> dict[str, list[tuple[float, Any]]]:
    """(seconds, decoded frame) by kind, as FFmpeg reads a file."""
    found: dict[str, list[tuple[float, Any]]] = {VIDEO: [], AUDIO: []}
    with av.open(BytesIO(data), mode="r", format="mov") as source:
        for frame in source.decode():
            found[VIDEO if isinstance(frame, av.VideoFrame) else AUDIO].append((float(frame.time or 0), frame))
    return found
