"""Decides how a stretch of a recording gets AAC for its Opus while it is read; nothing is written.

Frames lie on one grid for a whole file, and a stretch is encoded with some of what lies before and behind it: stretches
that were made apart follow each other without a gap. One thread of the lowest priority does it for all who read.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from struct import iter_unpack, unpack_from

from media import h264
from media.aac import FRAME, Encoder
from media.boxes import AUDIO_ID, SYNC_SAMPLE, VIDEO_ID, Sample, init_segment, part
from media.fmp4 import CODECS
from media.samples import FRAME as OPUS_FRAME
from media.samples import SILENCE, Voice

LOWEST = 19
#: silence behind the last voice of a file, until its last frame is out
TAIL_PACKETS = 5
PRFT_NTP = 16


def dubbed_codecs(codecs: str) -> str:
    """As browsers ask for them."""
    return codecs.replace(CODECS["opus"], CODECS["aac"])


def dubbed_init(init: bytes) -> bytes:
    """An init segment of ours, with AAC for Opus."""
    at = init.find(b"avcC")
    if at < 0:
        return init_segment(None, "aac")
    size = int.from_bytes(init[at + 10 : at + 12], "big")
    sps, rest = init[at + 12 : at + 12 + size], init[at + 12 + size + 1 :]
    pps = rest[2 : 2 + int.from_bytes(rest[:2], "big")]
    return init_segment(h264.sets_in([sps, pps]), "aac")


def dubbed(before: bytes, data: bytes, behind: bytes) -> bytes:
    """Some of our parts as one, with AAC for Opus. `before`, `behind`: the parts next to them, or nothing."""
    found = read_parts(data)
    video, heard = found[VIDEO_ID], found[AUDIO_ID]
    voices = [*read_parts(before)[AUDIO_ID], *heard, *read_parts(behind)[AUDIO_ID]]
    audio: list[Sample] = []
    if heard:
        begins, ends = heard[0].time, heard[-1].time + heard[-1].duration
        encoded = _encoded(voices, tail=not behind)
        audio = [Sample(each.time, each.duration, each.data) for each in encoded if begins <= each.time < ends]
    number = unpack_from(">I", data, data.index(b"mfhd") + 8)[0]
    return part(number, read_ntp(data), video, audio)


def _encoded(voices: Sequence[Sample], *, tail: bool) -> Iterator[Voice]:
    encoder = Encoder()
    encoder.begin(voices[0].time // FRAME * FRAME)
    end = voices[-1].time + voices[-1].duration
    silence = [Voice(end + index * OPUS_FRAME, OPUS_FRAME, SILENCE) for index in range(TAIL_PACKETS if tail else 0)]
    given = [Voice(each.time, each.duration, each.data) for each in voices]
    yield from (each for each in encoder.encode([*given, *silence]) if isinstance(each, Voice))


def read_ntp(data: bytes) -> int:
    """When the first of some parts that boxes.part made was, as 64-bit NTP."""
    return int.from_bytes(data[PRFT_NTP : PRFT_NTP + 8], "big")


def read_parts(data: bytes) -> dict[int, list[Sample]]:
    """The samples of parts that boxes.part made, by track."""
    found: dict[int, list[Sample]] = {VIDEO_ID: [], AUDIO_ID: []}
    at = 0
    while at < len(data):
        size, kind = unpack_from(">I4s", data, at)
        if kind == b"moof":
            _read_moof(data, at, size, found)
        at += size
    return found


def _read_moof(data: bytes, moof: int, size: int, found: dict[int, list[Sample]]) -> None:
    at = moof
    while (at := data.find(b"tfhd", at, moof + size)) >= 0:
        (track,) = unpack_from(">I", data, at + 8)
        (time,) = unpack_from(">Q", data, data.index(b"tfdt", at) + 8)
        at = data.index(b"trun", at)
        count, offset = unpack_from(">Ii", data, at + 8)
        place = moof + offset
        for duration, length, flags in iter_unpack(">III", data[at + 16 : at + 16 + 12 * count]):
            found[track].append(Sample(time, duration, data[place : place + length], flags == SYNC_SAMPLE))
            time += duration
            place += length


def low() -> ThreadPoolExecutor:
    """One thread that gets what nobody else wants of the CPU."""
    return ThreadPoolExecutor(1, "dub", initializer=_yield_to_all)


def _yield_to_all() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST)
