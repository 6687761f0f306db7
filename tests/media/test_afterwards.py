"""What was recorded as VP8 is encoded after the lesson, or after a start that finds it undone; trouble is told."""

import asyncio
import errno
import os
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from media import clock, encoded
from media.afterwards import DISK_FULL, ENCODE_FAILED, TRIES, Afterwards
from media.api import Grant, MediaSettings, Tokens, build
from media.dubbed import LOWEST
from media.encode import BUSY
from media.replay import Recordings, Unencoded
from media.takes import Take
from tests.media.clients import VIDEO_CLOCK, EncodedAudio, _Paced, opus_packets, publish
from tests.media.conftest import KEY, Stage, staged
from tests.media.reel_vp8 import ROOM, encoding, lesson, original, record, recorded, shown, vp8_pictures
from tests.media.test_recorder import LOST_SECONDS, recording_process

__all__ = ["lesson", "recorded"]

PATIENCE_SECONDS = 60


async def test_killed_it_begins_anew(tmp_path: Path) -> None:
    record(tmp_path, shown(vp8_pictures(240, (640, 480))), 8)
    before = Recordings(tmp_path).read(ROOM)
    said = (str(tmp_path), ROOM, "picture", "1", "0", str(os.getpid()))
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "media.encode", *said)
    half = tmp_path / ROOM / "encoded" / "0001.half"
    await _until(lambda: half.exists() and half.stat().st_size > 0)
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == LOWEST
    assert encoding(tmp_path) == BUSY
    process.kill()
    await process.wait()
    assert Recordings(tmp_path).read(ROOM) == before
    async with afterwards(tmp_path) as (work, _):
        percents: set[int] = set()
        await _until(lambda: _look(tmp_path, percents) is None)
        await _until(lambda: work.waiting == 0)
    assert max(percents) < 100
    (take,) = Recordings(tmp_path).read(ROOM).takes
    assert take.width == 640
    assert take.seconds == pytest.approx(9, abs=0.1)


def _look(folder: Path, percents: set[int]) -> Unencoded | None:
    found = Recordings(folder).unencoded(ROOM)
    percents |= {found.percent} if found else set()
    return found


async def test_what_cannot_be_encoded_is_told_and_not_tried_for_ever(recorded: Path) -> None:
    data = original(recorded).read_bytes()
    original(recorded).write_bytes(data[:44] + bytes(len(data) - 44))
    async with afterwards(recorded) as (work, counts):
        for tries in range(1, TRIES + 1):
            await _until(lambda tries=tries: max(work._tried.values(), default=0) == tries)  # type: ignore[misc]
            work.look()
        await _until(lambda: Recordings(recorded).unencoded(ROOM) == Unencoded(0, ENCODE_FAILED))
        assert (counts[ENCODE_FAILED], work.waiting) == (1, 1)
    assert original(recorded).read_bytes() != data


async def test_a_disk_without_room_is_told_and_waited_for(recorded: Path) -> None:
    async with afterwards(recorded, 1 << 60):
        await _until(lambda: Recordings(recorded).unencoded(ROOM) == Unencoded(0, DISK_FULL))
    async with afterwards(recorded):
        await _until(lambda: Recordings(recorded).unencoded(ROOM) is None)
    assert encoded.said(recorded / ROOM, 1, encoded.TROUBLE) == ""


async def test_nothing_is_encoded_of_a_room_that_goes_on(recorded: Path) -> None:
    rooms = {ROOM}
    shutil.copytree(recorded / ROOM, recorded / "other")
    async with afterwards(recorded, rooms=rooms) as (work, _):
        await _until(lambda: Recordings(recorded).unencoded("other") is None)
        assert Recordings(recorded).unencoded(ROOM) == Unencoded(0, None)
        rooms.clear()
        work.look()
        await _until(lambda: work.waiting == 0)


class EncodedVp8(_Paced):
    """VP8 pictures at a constant rate."""

    kind = "video"

    def __init__(self, pictures: list[bytes]) -> None:
        super().__init__(pictures, 3_000, VIDEO_CLOCK)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async for each in staged(MediaSettings(recordings=tmp_path)):
        yield each


async def test_what_a_browser_without_h264_sent_has_pictures_once_the_room_ended(stage: Stage, tmp_path: Path) -> None:
    await stage.publish(EncodedVp8(vp8_pictures(30)), EncodedAudio(opus_packets(50)), codec="VP8")
    await stage.until(lambda: _recorded(tmp_path) >= 2)
    assert not any(take.width for take in Recordings(tmp_path).read(ROOM).takes)
    assert not (tmp_path / ROOM / "encoded").exists()
    await stage.media.close_room(ROOM)
    await _until(lambda: bool(_shown(tmp_path)))
    replay = Recordings(tmp_path).read(ROOM)
    assert replay.holes == []
    assert [take.codecs for take in replay.takes if take.width] == ["avc1.4d400d,opus"]
    assert all(after.parts[0].at >= before.parts[-1].ends - 0.25 for before, after in pairwise(replay.takes))
    await _until(lambda: stage.media.figures().unencoded == 0)


async def test_killed_while_it_recorded_the_next_start_encodes_what_there_was(tmp_path: Path) -> None:
    async with recording_process(tmp_path) as (process, base), aiohttp.ClientSession() as http:
        now = clock.unix()
        token = Tokens(KEY).sign(Grant(ROOM, "teacher", "publish", now, now + 60))
        tracks = EncodedVp8(vp8_pictures(30)), EncodedAudio(opus_packets(50))
        teacher = await publish(http, base, ROOM, token, *tracks, codec="VP8")
        await teacher.connected()
        await _until(lambda: _recorded(tmp_path) >= 2)
        killed = clock.unix()
        process.kill()
        await process.wait()
        await teacher.close()
    last = Recordings(tmp_path).recorded(ROOM, "picture_vp8").takes[-1].parts[-1]
    print(f"{killed - last.ends:.2f} s of what had come are not recorded")
    assert killed - last.ends <= LOST_SECONDS
    media = build(MediaSettings(recordings=tmp_path), KEY, lambda _event: None)
    await media.start()
    await _until(lambda: bool(_shown(tmp_path)))
    await media.stop()
    assert sum(take.seconds for take in _shown(tmp_path)) >= 2


def _recorded(folder: Path) -> float:
    return Recordings(folder).recorded(ROOM, "picture_vp8").seconds


def _shown(folder: Path) -> list[Take]:
    return [take for take in Recordings(folder).read(ROOM).takes if take.width]


@asynccontextmanager
async def afterwards(
    folder: Path, reserve: int = 0, rooms: set[str] | None = None
) -> AsyncIterator[tuple[Afterwards, Counter[str]]]:
    counts: Counter[str] = Counter()
    work = Afterwards(folder, lambda: rooms or (), counts, reserve)
    work.start()
    yield work, counts
    await work.stop()


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.01)


async def test_a_program_that_cannot_be_started_is_tried_later(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = asyncio.create_subprocess_exec
    refused: list[tuple[str, ...]] = []

    async def scarce(*said: str, **more: Any) -> asyncio.subprocess.Process:
        if not refused:
            refused.append(said)
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return await start(*said, **more)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", scarce)
    monkeypatch.setattr("media.afterwards.RETRY_SECONDS", 0.1)
    async with afterwards(recorded):
        await _until(lambda: Recordings(recorded).unencoded(ROOM) is None)
    assert refused
