"""Decides how one file of VP8 becomes H.264 with the voice of the same time: a program of the lowest priority.

`python -m media.encode RECORDINGS ROOM RENDITION TAKE RESERVE PARENT`. What it makes is read back before it counts, and
only then the original is taken away; killed at any moment it leaves the original, and the next one begins anew. It ends
by itself when whoever started it is gone. One at a time for a folder of recordings, whoever starts it.
"""

import errno
import fcntl
import math
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO

import av
from av.video.frame import PictureType

from media import clock, encoded, h264, ivf
from media.boxes import AUDIO_ID, AUDIO_SCALE, VIDEO_SCALE, Sample, init_segment, part
from media.clock import NTP_FRACTION
from media.dubbed import LOWEST, read_ntp, read_parts
from media.fmp4 import CODECS
from media.h264 import Sets
from media.ingest import MOST_PIXELS
from media.packets import VP8_SIZE
from media.replay import Recordings
from media.takes import ENCODED, Encoded, Instead, Span, Take
from media.tape import IVF, folder_of, take_name

#: how it ends: done; another one is at work; the file is being written; no room on the disk; it cannot be encoded
DONE, BUSY, WRITTEN, FULL, FAILED, ALONE = 0, 75, 74, 28, 65, 70
LOCK = ".encoding"
FULL_DISKS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
KEY_SECONDS = 4.0
PART_SECONDS = 1.0
SAY_SECONDS = 1.0
BASE = Fraction(1, VIDEO_SCALE)
OPTIONS = {"preset": "veryfast", "crf": "23", "profile": "main", "bf": "0", "g": "99999", "threads": "1"}
#: the bit of a VP8 picture's first byte that says that it needs others
INTER = 1
#: where a keyframe has said how large it is (RFC 6386 section 9.1)
SIZE_ENDS, MOST_SIDE = 10, 0x3FFF
#: where memory is short, this is what may be killed
OOM_SCORE = Path("/proc/self/oom_score_adj")
START = b"\0\0\1"


class Unfit(Exception):
    """This cannot be encoded."""


class Alone(Exception):
    """Whoever started this is gone."""


@dataclass(frozen=True, slots=True)
class Job:
    """One file of VP8, and where what belongs to it lies."""

    recordings: Recordings
    root: Path
    room: str
    rendition: str
    number: int
    reserve: int
    parent: int

    @property
    def folder(self) -> Path:
        return folder_of(self.root / self.room, self.rendition)

    @property
    def original(self) -> Path:
        return folder_of(self.root / self.room, f"{self.rendition}_vp8") / take_name(self.number, IVF)

    @property
    def take(self) -> Take | None:
        """The original, as far as it is whole; None: there is nothing in it."""
        takes = self.recordings.recorded(self.room, f"{self.rendition}_vp8").takes
        return next((each for each in takes if each.number == self.number), None)

    @property
    def done(self) -> bool:
        return any(each.take.number == ENCODED + self.number for each in encoded.read_encoded(self.folder))

    def pictures(self, take: Take) -> Iterator[tuple[int, bytes]]:
        for each in take.parts:
            data = self.recordings.piece(self.room, take.number, each.start, each.size, f"{self.rendition}_vp8")
            yield from ivf.read_part(data)

    def check(self) -> None:
        """Whether to go on. Raises Alone, or OSError: too little is left of the disk."""
        if os.getppid() != self.parent:
            raise Alone
        left = os.statvfs(self.root)
        if left.f_bavail * left.f_frsize < self.reserve:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Voices:
    """The voice alone of the time of a file: which stretches of which files, and what is in them."""

    def __init__(self, job: Job, take: Take) -> None:
        self._job = job
        self.epoch: int | None = None
        """When the time in those files begins, as 64-bit NTP."""
        begins, ends = take.parts[0].at, take.parts[-1].ends
        alone = job.recordings.recorded(job.room, job.rendition).takes if job.rendition == "picture" else []
        self._spans = [
            (each.number, span)
            for each in alone
            if not each.width
            for span in each.parts
            if span.at < ends and span.ends > begins
        ]
        if self._spans:
            self.epoch = _epoch(self._read(*self._spans[0]))
        self._from, self._until = self._limits(take)

    def _limits(self, take: Take) -> tuple[float, float]:
        """Where a stretch is that of another file of VP8 as well, this one's part of it begins and ends with it."""
        others = self._job.recordings.listed(self._job.room, f"{self._job.rendition}_vp8").takes
        after = [each.parts[0].at for each in others if each.parts and each.number > take.number]
        before = [each.parts[-1].ends for each in others if each.parts and each.number < take.number]
        if not self._spans:
            return 0.0, math.inf
        first, last = self._spans[0][1], self._spans[-1][1]
        begins = take.parts[0].at if max(before, default=0.0) > first.at else 0.0
        return begins, next((at for at in after if at < last.ends), math.inf)

    @property
    def instead(self) -> list[Instead]:
        by_take: dict[int, list[Span]] = {}
        for number, span in self._spans:
            by_take.setdefault(number, []).append(span)
        return [Instead(number, spans[0].start, spans[-1].start + spans[-1].size) for number, spans in by_take.items()]

    def samples(self) -> Iterator[Sample]:
        for number, span in self._spans:
            data = self._read(number, span)
            found = read_parts(data)[AUDIO_ID]
            moved = (_epoch(data) - (self.epoch or 0)) * AUDIO_SCALE // NTP_FRACTION
            for each in found:
                if self._from <= span.at + (each.time - found[0].time) / AUDIO_SCALE < self._until:
                    yield Sample(each.time + (moved if abs(moved) > 1 else 0), each.duration, each.data)

    def _read(self, number: int, span: Span) -> bytes:
        data = self._job.recordings.piece(self._job.room, number, span.start, span.size)
        if not data:
            raise Unfit
        return data


def _epoch(data: bytes) -> int:
    first = read_parts(data)[AUDIO_ID][0]
    return read_ntp(data) - first.time * NTP_FRACTION // AUDIO_SCALE


class Pictures:
    """VP8 in, H.264 out. `zero`: when the new file's time begins, in 1/90000 s since 1970."""

    def __init__(self, zero: int) -> None:
        self.zero = zero
        self.given = self.decoded = 0
        self.sets: Sets | None = None
        self._torn = True
        self._keyed = -KEY_SECONDS * VIDEO_SCALE
        self._decoder = av.CodecContext.create("vp8", "r")
        self._decoder.thread_count = 1
        self._encoder: av.VideoCodecContext | None = None

    def encode(self, time: int, data: bytes) -> Iterator[Sample]:
        """What is ready, each as long as nothing. What cannot be decoded is left out, up to the next keyframe."""
        self.given += 1
        self._torn = not data or (self._torn and data[0] & INTER != 0) or _is_too_large(data)
        if self._torn:
            return
        packet = av.Packet(data)
        packet.pts, packet.time_base = time - self.zero, BASE
        try:
            frames = self._decoder.decode(packet)
        except av.FFmpegError:
            self._torn = True
            return
        for frame in frames:
            if isinstance(frame, av.VideoFrame):
                yield from self._next(frame, time - self.zero)

    def rest(self) -> Iterator[Sample]:
        if self._encoder is not None:
            yield from self._read(self._encoder.encode(None))

    def _next(self, frame: av.VideoFrame, time: int) -> Iterator[Sample]:
        width, height = frame.width // 2 * 2, frame.height // 2 * 2
        if self._encoder is None:
            self._encoder = _encoder(width, height)
        if (frame.width, frame.height) != (self._encoder.width, self._encoder.height):
            frame = frame.reformat(self._encoder.width, self._encoder.height, "yuv420p")
        frame.pts, frame.time_base = time, BASE
        due = time - self._keyed >= KEY_SECONDS * VIDEO_SCALE
        frame.pict_type = PictureType.I if due else PictureType.NONE
        self._keyed = time if due else self._keyed
        self.decoded += 1
        yield from self._read(self._encoder.encode(frame))

    def _read(self, packets: "list[av.Packet[av.VideoStream]]") -> Iterator[Sample]:
        for packet in packets:
            found = [unit.rstrip(b"\0") for unit in bytes(packet).split(START) if unit.strip(b"\0")]
            self.sets = self.sets or h264.sets_in(found)
            yield Sample(packet.pts or 0, 0, h264.sample(found), h264.is_key(found))


def _is_too_large(data: bytes) -> bool:
    """Whether this keyframe says a size that was not passed on, whatever the packets around it said."""
    if data[0] & INTER or len(data) < SIZE_ENDS:
        return False
    width, height = (int(side) & MOST_SIDE for side in VP8_SIZE.unpack_from(data, SIZE_ENDS - VP8_SIZE.size))
    return width * height > MOST_PIXELS


def _encoder(width: int, height: int) -> av.VideoCodecContext:
    encoder = av.CodecContext.create("libx264", "w")
    if not isinstance(encoder, av.VideoCodecContext):
        raise Unfit
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = BASE, Fraction(30)
    encoder.options = OPTIONS
    return encoder


class Writer:
    """A file as boxes.py makes it, a part a second, a keyframe first where there is one."""

    def __init__(self, file: IO[bytes], epoch: int, ahead: float, voices: Iterator[Sample]) -> None:
        self._file, self._epoch, self._ahead, self._voices = file, epoch, ahead, voices
        self._voice = next(voices, None)
        self._pictures: list[Sample] = []
        self.audio = "opus" if self._voice else ""
        self.parts: list[Span] = []
        self.init = 0
        self.size = 0

    def add(self, picture: Sample, sets: Sets | None) -> None:
        if not self.size:
            self._write(init_segment(sets, self.audio))
            self.init = self.size
        long = self._pictures and picture.time - self._pictures[0].time >= PART_SECONDS * VIDEO_SCALE
        if self._pictures and (long or picture.key):
            self._cut(picture.time, picture.time * AUDIO_SCALE // VIDEO_SCALE)
        self._pictures.append(picture)

    def close(self, ends: int) -> None:
        """The last picture is shown until then; the voice that is left comes with it."""
        self._cut(ends, None)

    def _cut(self, ends: int, until: int | None) -> None:
        shown, self._pictures = self._pictures, []
        times = [*(each.time for each in shown[1:]), ends]
        video = [
            Sample(each.time, end - each.time, each.data, each.key) for each, end in zip(shown, times, strict=True)
        ]
        heard: list[Sample] = []
        while self._voice is not None and (until is None or self._voice.time < until):
            heard.append(self._voice)
            self._voice = next(self._voices, None)
        begins, start = shown[0].time / VIDEO_SCALE, self.size
        ntp = self._epoch + shown[0].time * NTP_FRACTION // VIDEO_SCALE
        self._write(part(len(self.parts) + 1, ntp, video, heard))
        at = clock.unix_at(self._epoch) + begins + self._ahead
        seconds = (ends - shown[0].time) / VIDEO_SCALE
        self.parts.append(Span(round(at, 3), round(seconds, 4), shown[0].key, start, self.size - start))

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self.size += len(data)


def encode(job: Job) -> None:
    """Make the file. Raises Unfit, Alone, OSError or FFmpeg's errors."""
    take = job.take
    first = next(job.pictures(take), None) if take else None
    if take is None or first is None:
        return
    voices = Voices(job, take)
    epoch = clock.ntp_at(float(first[0] // VIDEO_SCALE)) if voices.epoch is None else voices.epoch
    zero = ivf.ticks_at(epoch)
    pictures = Pictures(zero)
    (job.folder / encoded.FOLDER).mkdir(mode=0o700, exist_ok=True)
    half = job.folder / encoded.FOLDER / f"{job.number:04}.half"
    with os.fdopen(os.open(half, os.O_CREAT | os.O_RDWR | os.O_TRUNC, encoded.MODE), "w+b") as file:
        writer = Writer(file, epoch, take.parts[0].at - first[0] / VIDEO_SCALE, voices.samples())
        _run(job, take, pictures, writer)
        file.flush()
        os.fsync(file.fileno())
    if pictures.sets is None or _readable(half) != pictures.decoded:
        raise Unfit
    sets = pictures.sets
    codecs = ",".join(filter(None, (sets.codec, CODECS[writer.audio])))
    made = Take(ENCODED + job.number, codecs, sets.width, sets.height, writer.init, writer.parts)
    half.replace(job.folder / encoded.FOLDER / take_name(job.number))
    encoded.write_encoded(job.folder, job.number, Encoded(made, voices.instead))


def _run(job: Job, take: Take, pictures: Pictures, writer: Writer) -> None:
    said, begins, last = -SAY_SECONDS, 0, 0
    whole = round((take.parts[-1].ends - take.parts[0].at) * VIDEO_SCALE)
    for time, data in job.pictures(take):
        begins, last = begins or time, time
        for sample in pictures.encode(time, data):
            writer.add(sample, pictures.sets)
        if clock.monotonic() - said >= SAY_SECONDS:
            said = clock.monotonic()
            job.check()
            encoded.say(job.folder, job.number, encoded.PROGRESS, f"{(time - begins) / whole:.3f}")
    for sample in pictures.rest():
        writer.add(sample, pictures.sets)
    if pictures.decoded * 2 < pictures.given:
        raise Unfit
    writer.close(max(begins + whole, last + 1) - pictures.zero)


def _readable(path: Path) -> int:
    """How many pictures FFmpeg shows of a file."""
    with av.open(str(path), mode="r", format="mov") as source:
        return sum(1 for _ in source.decode(video=0))


def _locked(path: Path, mode: str) -> IO[bytes] | None:
    """The file, if nobody else has it."""
    file: IO[bytes] | None = None
    try:
        file = path.open(mode)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if file is not None:
            file.close()
        return None
    return file


def run(job: Job) -> int:
    """Encode it, and only then take the original away. Not while somebody writes it, nor beside another one."""
    lock = _locked(job.root / LOCK, "ab")
    if lock is None:
        return BUSY
    with lock:
        original = _locked(job.original, "rb")
        if original is None:
            return WRITTEN
        original.close()
        try:
            if not job.done:
                encode(job)
            job.original.unlink()
        except Alone:
            return ALONE
        except (Unfit, av.FFmpegError, OSError) as error:
            sys.stderr.write(f"{job.original}: {error!r}\n")
            full = isinstance(error, OSError) and error.errno in FULL_DISKS
            return FULL if full else FAILED
    encoded.forget(job.folder, job.number, encoded.PROGRESS, encoded.TROUBLE)
    return DONE


def main(said: Sequence[str]) -> int:
    root, room, rendition, *numbers = said
    number, reserve, parent = map(int, numbers)
    os.setpriority(os.PRIO_PROCESS, 0, LOWEST)
    with suppress(OSError):
        OOM_SCORE.write_text("1000")
    return run(Job(Recordings(Path(root)), Path(root), room, rendition, number, reserve, parent))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
