"""A lesson of any length in little time: the machine's clock is set by hand, packets come when a publisher would send.

The publisher has a camera and a sound card that are both wrong, each in its own direction, and says so in its sender
reports. Every MARK_SECONDS a keyframe is taken at the very moment at which a voice packet of another size begins.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import pytest
from aiortc.rtp import RtcpSenderInfo, RtcpSrPacket, RtpPacket

from media import clock
from media.api import Media, MediaSettings, Replay, build, playlist
from media.endpoints import Publisher
from media.ingest import Ingest
from media.offer import Codec, Sources
from media.rate import RateAdvice
from media.recorder import Recording
from media.replay import Recordings
from media.room import Room
from media.tap import CAMERA, VOICE
from media.tape import take_name
from tests.media.clients import h264_pictures, opus_packets
from tests.media.conftest import KEY
from tests.media.fakes import H264, OPUS
from tests.media.reel import payloads

NOON = 1_795_424_400.0
MARK_SECONDS = 5
PICTURES, VOICES = 30, 50
TICK_SECONDS = 0.1
REPORT_SECONDS = 2.0
#: how late a packet is at most
LATE_SECONDS = 0.03
#: a packet of voice that is none of the others; SILENCE of RFC 6716 has three bytes
MARK_BYTES = 60
START = {CAMERA: 4_294_000_000, VOICE: 4_294_900_000}
SSRCS = {CAMERA: 11, VOICE: 12}
CODECS: dict[str, Codec] = {CAMERA: H264, VOICE: OPUS}
#: which way each clock is wrong
WRONG = {CAMERA: 1, VOICE: -1}


@dataclass
class SetTime:
    """What `media.clock` reads, in place of the machine: seconds since NOON."""

    passed: float = 0.0
    CLOCK_BOOTTIME: int = 7

    def monotonic(self) -> float:
        return 1_000.0 + self.passed

    def time(self) -> float:
        return NOON + self.passed

    def clock_gettime(self, _which: int) -> float:
        return 5_000.0 + self.passed

    def thread_time(self) -> float:
        return 0.0

    process_time = thread_time


@dataclass
class Source:
    """One of a publisher's streams: its next packets, by its own clock."""

    slot: str
    ppm: int
    sequence: int = 60_000

    def stamp(self, at: float) -> int:
        """What its clock says at a moment."""
        rate = CODECS[self.slot].clock_rate
        return (START[self.slot] + round(at * rate * (1 + WRONG[self.slot] * self.ppm / 1e6))) & 0xFFFFFFFF

    def packet(self, at: float, payload: bytes, *, marker: bool) -> bytes:
        self.sequence = (self.sequence + 1) & 0xFFFF
        kind = CODECS[self.slot].payload_type
        return RtpPacket(kind, int(marker), self.sequence, self.stamp(at), SSRCS[self.slot], payload).serialize()

    def report(self, at: float) -> bytes:
        said = RtcpSenderInfo(clock.ntp_at(NOON + at), self.stamp(at), 1, 1)
        return bytes(RtcpSrPacket(SSRCS[self.slot], said))


class Hours:
    """A recorded room and its publisher; `ppm`: how wrong each of the publisher's clocks is, of a million."""

    def __init__(self, media: Media, time: SetTime, ppm: int) -> None:
        self._time, self._ppm = time, ppm
        self._room: Room = media._plane.rooms["lesson"]
        self._recording: Recording = next(iter(media._studio._recorder._running.values()))[0]  # type: ignore[union-attr]
        self._broadcast = media._studio._broadcasts._running[self._room]
        sources = Sources({ssrc: slot for slot, ssrc in SSRCS.items()}, {})
        ingest = Ingest(CODECS, [], self._room, lambda _: None, RateAdvice(1, 1), sources)
        self._end = Publisher(self._room, "teacher", ingest)
        self._chance = random.Random(90)

    async def pass_by(self, seconds: int) -> None:
        """So much of the lesson."""
        self._end.connected()
        self._report = self._ticked = 0.0
        for second, packets in enumerate(by_seconds(seconds, self._ppm, self._chance)):
            for at, packet in packets:
                self._until(at)
                assert self._end.on_rtp(packet, clock.monotonic()) == 0
            self._until(second + 1.0)
            while self._recording.reader._waiting:  # noqa: ASYNC110  the disk comes after
                await asyncio.sleep(0)
            await asyncio.sleep(0)

    def _until(self, at: float) -> None:
        while self._ticked + TICK_SECONDS <= at:
            self._ticked += TICK_SECONDS
            self._time.passed = self._ticked
            self._room.tick(clock.ntp(), clock.monotonic())
            self._broadcast.tick()
            if self._ticked - self._report >= REPORT_SECONDS:
                self._report = self._ticked
                for slot in SSRCS:
                    self._end.on_rtcp(Source(slot, self._ppm).report(self._ticked), clock.monotonic())
        self._time.passed = max(self._time.passed, at)


def by_seconds(seconds: int, ppm: int, chance: random.Random) -> Iterator[list[tuple[float, bytes]]]:
    """Each second's packets, in the order in which they come; what is late comes a little later."""
    shown = [payloads(picture) for picture in h264_pictures(MARK_SECONDS * PICTURES, PICTURES, (64, 48), 20)]
    (quiet,) = opus_packets(1)
    mark = quiet[:1] + b"\xff" * (MARK_BYTES - 1)
    camera, voice = Source(CAMERA, ppm), Source(VOICE, ppm)
    for second in range(seconds):
        found: list[tuple[float, bytes]] = []
        for frame in range(PICTURES):
            at, parts = second + frame / PICTURES, shown[(second * PICTURES + frame) % len(shown)]
            late = at + chance.random() * LATE_SECONDS
            sent = [camera.packet(at, part, marker=part is parts[-1]) for part in parts]
            found += [(late, packet) for packet in sent]
        for number in range(VOICES):
            at = second + number / VOICES
            heard = mark if number == 0 and second % MARK_SECONDS == 0 else quiet
            found.append((at + chance.random() * LATE_SECONDS, voice.packet(at, heard, marker=False)))
        yield sorted(found, key=lambda each: each[0])


@asynccontextmanager
async def hours(folder: Path, monkeypatch: pytest.MonkeyPatch, ppm: int) -> AsyncIterator[Hours]:
    """A room that is recorded below `folder`, under a clock of its own."""
    time = SetTime()
    monkeypatch.setattr(clock, "time", time)
    media = build(MediaSettings(recordings=folder), KEY, lambda _event: None)
    await media.start()
    try:
        await media.open_room("lesson")
        yield Hours(media, time, ppm)
    finally:
        await media.stop()


@dataclass(frozen=True)
class Played:
    """What FFmpeg reads of a playlist: the marks of either kind in seconds, and how much there is."""

    keys: list[float]
    marks: list[float]
    pictures: int
    voices: int
    seconds: float


def play(replay: Replay, recordings: Path, folder: Path) -> Played:
    """Serve a replay from files as its routes do, and let FFmpeg's own HLS reader take it apart."""
    text = playlist(replay, "", ".mp4", over=True)
    for address in [line for line in text.replace('"', "\n").splitlines() if line.endswith(".mp4")]:
        take, start, size = (int(each) for each in address.removesuffix(".mp4").split("/"))
        path = folder / address
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(Recordings(recordings).piece("lesson", take, start, size))
        assert path.stat().st_size == size, take_name(take)
    (folder / "replay.m3u8").write_text(text)
    keys, marks, pictures, voices, end = [], [], 0, 0, 0.0
    options = {"allowed_extensions": "ALL", "extension_picky": "0"}
    with av.open(str(folder / "replay.m3u8"), options=options) as source:
        for packet in source.demux():
            if packet.pts is None or packet.time_base is None:
                continue
            at = float(packet.pts * packet.time_base)
            end = max(end, at)
            if packet.stream.type == "video":
                pictures += 1
                keys += [at] if packet.is_keyframe else []
            else:
                voices += 1
                marks += [at] if packet.size == MARK_BYTES else []
    return Played(keys, marks, pictures, voices, end)


def apart(played: Played) -> list[float]:
    """Of each marked moment: how much later its picture is than its voice, in seconds."""
    found = []
    for key in played.keys:
        near = min(played.marks, key=lambda mark: abs(mark - key), default=None)
        if near is not None and abs(near - key) < MARK_SECONDS / 2:
            found.append(key - near)
    return found
