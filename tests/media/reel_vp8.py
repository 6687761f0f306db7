"""A publisher without H.264 on paper: a white picture and a marked bit of voice at each second."""

import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest
from aiortc.codecs.vpx import Vp8Encoder

from media import clock, packets
from media.broadcast import IVF
from media.encode import Job, run
from media.fmp4 import MP4, Form, Muxer, Part
from media.packets import VIDEO
from media.replay import Recordings
from media.samples import Sampler
from media.tape import Tape, folder_of, suffix_of
from media.vp8 import VP8
from tests.media.clients import opus_packets
from tests.media.hours import MARK_BYTES
from tests.media.reel import EPOCH, RATE, Arriving, feed, voices

BEGINS = clock.unix_at(EPOCH)
ROOM = "lesson"
SECONDS = 5
WHITE, BLACK = 235, 16
SMALL, SMALLER = (320, 240), (160, 120)
QUICK = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0", "g": "99999"}


def vp8_pictures(count: int, size: tuple[int, int] = SMALL) -> list[bytes]:
    """Dark pictures, white for the first half of each second; the first is a keyframe."""
    encoder = av.CodecContext.create("libvpx", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = *size, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.bit_rate = Fraction(1, RATE), Fraction(RATE), 400_000
    encoder.options = QUICK
    found: list[bytes] = []
    for index in range(count):
        frame = av.VideoFrame(*size, "yuv420p")
        grey = WHITE if index % RATE < RATE // 2 else BLACK
        for plane, value in zip(frame.planes, (grey, 128, 128), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts, frame.time_base = index, encoder.time_base
        found += [bytes(packet) for packet in encoder.encode(frame)]
    return found + [bytes(packet) for packet in encoder.encode(None)]


def shown(pictures: Iterable[bytes], first: int = 0) -> Iterator[Arriving]:
    """The packets of pictures, 30 a second."""
    sequence = 65_500 + first * 8
    for index, picture in enumerate(pictures, first):
        parts = Vp8Encoder._packetize(picture, index % (1 << 15))
        for number, payload in enumerate(parts):
            stamp = (4_294_960_000 + index * 3_000) & 0xFFFFFFFF
            packet = packets.canonical(number + 1 == len(parts), sequence & 0xFFFF, stamp, 1, payload)
            yield Arriving(VIDEO, packet, index / RATE)
            sequence += 1


def heard(seconds: int) -> Iterator[Arriving]:
    """Voice with a packet like no other at each second."""
    quiet = opus_packets(seconds * 50)
    mark = quiet[0][:1] + bytes(MARK_BYTES - 1)
    return voices([mark if index % 50 == 0 else each for index, each in enumerate(quiet)])


def record(folder: Path, video: Iterable[Arriving], seconds: int, slot: str = "picture") -> None:
    """What a recorder writes of it: the voice, and the pictures as they came; of a screen only these."""
    arriving = sorted([*video, *heard(seconds)], key=lambda each: each.at)
    if slot == "picture":
        _record(folder, slot, arriving, "H264", MP4)
    _record(folder, f"{slot}_vp8", arriving, VP8, IVF)


def _record(folder: Path, rendition: str, arriving: list[Arriving], codec: str, form: Form) -> None:
    tape = Tape(folder_of(folder / ROOM, rendition), 0, suffix_of(rendition))

    def write(each: Part) -> None:
        tape.add(each, BEGINS + each.begins, each.begins, missed=False)

    muxer = Muxer(EPOCH, "" if codec == VP8 else "opus", write, form=form)
    sampler = Sampler(EPOCH, muxer, audio=codec != VP8, codec=codec)
    feed(sampler, arriving, VP8)
    sampler.cease()
    tape.close()


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of five seconds: nobody may change it."""
    folder = tmp_path_factory.mktemp("lesson")
    record(folder, shown(vp8_pictures(SECONDS * 30)), SECONDS)
    return folder


@pytest.fixture
def recorded(lesson: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    folder = tmp_path / "recordings"
    for path in lesson.rglob("*"):
        if path.is_file():
            copy = folder / path.relative_to(lesson)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return folder


def encoding(folder: Path, number: int = 1, reserve: int = 0, rendition: str = "picture") -> int:
    """Let the program encode, here."""
    job = Job(Recordings(folder), folder, ROOM, rendition, number, reserve, os.getppid())
    return run(job)


def original(folder: Path, number: int = 1) -> Path:
    return folder / ROOM / "vp8" / f"{number:04}.ivf"
