"""Decides the bytes of an IVF file: pictures that go into no MP4, as they came. Pure.

A header of 32 bytes, then for each picture its size, its time and itself: what can be appended to and torn anywhere.
Times are 1/90000 s since 1970, so that a picture says when it was without anything beside it.
"""

from collections.abc import Iterator, Sequence
from struct import Struct

from media.boxes import VIDEO_SCALE, Sample
from media.clock import NTP_FRACTION, NTP_UNIX_SECONDS
from media.h264 import Sets

SUFFIX = ".ivf"
FILE = Struct("<4sHH4sHHIIII")
FRAME = Struct("<IQ")


def ticks_at(ntp: int) -> int:
    """A 64-bit NTP timestamp in 1/90000 s since 1970."""
    return (ntp - NTP_UNIX_SECONDS * NTP_FRACTION) * VIDEO_SCALE // NTP_FRACTION


def init_segment(sets: Sets | None, _audio: str) -> bytes:
    """What an IVF file of VP8 begins with."""
    width, height = (sets.width, sets.height) if sets else (0, 0)
    return FILE.pack(b"DKIF", 0, FILE.size, b"VP80", width, height, VIDEO_SCALE, 1, 0, 0)


def part(_number: int, ntp: int, video: Sequence[Sample], _audio: Sequence[Sample]) -> bytes:
    """Pictures that follow each other; `ntp` is when the first was."""
    begins = ticks_at(ntp) - video[0].time if video else 0
    return b"".join(FRAME.pack(len(each.data), begins + each.time) + each.data for each in video)


def read_part(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(time, data) of each whole picture behind a header, or in a part."""
    at = 0
    while at + FRAME.size <= len(data):
        size, time = FRAME.unpack_from(data, at)
        at += FRAME.size + size
        if at <= len(data):
            yield time, data[at - size : at]
