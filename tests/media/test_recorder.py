"""A room is recorded from its opening to its end: killed, held up or without a disk, what was written plays."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from media import clock, recorder
from media.api import Grant, MediaSettings, Recordings, Tokens
from media.fmp4 import Part
from media.recorder import HOLES
from media.tape import Tape
from tests.media.clients import EncodedAudio, EncodedVideo, h264_pictures, opus_packets, publish
from tests.media.conftest import KEY, Stage, staged
from tests.media.reel import read_back
from tests.media.test_live import following, teach

#: what a kill may take
LOST_SECONDS = 0.5


@pytest.fixture
async def recorded(tmp_path: Path) -> AsyncIterator[Stage]:
    async for each in staged(MediaSettings(recordings=tmp_path)):
        yield each


def parts_in(folder: Path) -> int:
    return sum(len(take.parts) for take in Recordings(folder).read("lesson").takes)


async def test_nobody_watches_and_all_of_it_is_there_when_the_room_ends(recorded: Stage, tmp_path: Path) -> None:
    await teach(recorded)
    await recorded.until(lambda: parts_in(tmp_path) >= 5)
    await recorded.media.close_room("lesson")
    ended = clock.unix()
    await recorded.until(lambda: _until(tmp_path) > ended - LOST_SECONDS)
    replay = Recordings(tmp_path).read("lesson")
    assert replay.holes == []
    assert replay.takes[0].parts[0].at == pytest.approx(ended - replay.seconds, abs=1.5)
    data = (tmp_path / "lesson" / "0001.mp4").read_bytes()
    assert len(read_back(data)["video"]) >= 25
    assert recorded.media.figures().unrecorded == 0


async def test_a_room_in_which_a_line_is_tried_is_not_recorded(recorded: Stage, tmp_path: Path) -> None:
    await recorded.media.open_room("check-teacher")
    await recorded.media.open_room("other")
    found = recorded.media._studio._recorder
    assert found is not None
    assert [room.name for room in found._running] == ["lesson", "other"]


async def test_an_opened_room_is_recorded_behind_what_there_was(recorded: Stage, tmp_path: Path) -> None:
    await teach(recorded)
    await recorded.until(lambda: parts_in(tmp_path) >= 2)
    await recorded.media.close_room("lesson")
    await recorded.media.open_room("lesson")
    await teach(recorded)
    await recorded.until(lambda: len(Recordings(tmp_path).read("lesson").takes) == 2)
    first, second = Recordings(tmp_path).read("lesson").takes
    assert (first.again, second.again) == (False, True)


async def test_a_disk_that_stands_still_holds_up_nobody(
    recorded: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves = threading.Event()
    add = Tape.add

    def wait(self: Tape, part: Part, at: float, now: float, *, missed: bool) -> None:
        moves.wait()
        add(self, part, at, now, missed=missed)

    monkeypatch.setattr(Tape, "add", wait)
    monkeypatch.setattr(recorder, "MOST_WAITING", 5)
    await recorded.media.close_room("lesson")
    await recorded.media.open_room("lesson")
    try:
        await teach(recorded)
        async with following(recorded, recorded.token("watch", "trainee")) as viewer:
            await viewer.until(15)
        assert recorded.media.figures().unrecorded == 1
    finally:
        moves.set()
    await recorded.until(lambda: recorded.media.counts.get(HOLES, 0) == 1 and not recorded.media.figures().unrecorded)
    await recorded.until(lambda: [each.why for each in Recordings(tmp_path).read("lesson").holes] == ["slow"])


async def test_without_a_disk_the_lesson_goes_on_and_the_trouble_is_told(recorded: Stage, tmp_path: Path) -> None:
    (tmp_path / "lesson").write_text("a file where the folder should be")
    await teach(recorded)
    async with following(recorded, recorded.token("watch", "trainee")) as viewer:
        await viewer.until(4)
    await recorded.until(lambda: recorded.media.figures().unrecorded == 1)
    assert recorded.media.counts[HOLES] == 1


@asynccontextmanager
async def recording_process(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.media.recording_process", str(folder), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield process, (await process.stdout.readline()).decode().strip()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_kill_takes_less_than_half_a_second_and_the_file_plays(tmp_path: Path) -> None:
    for times in (1, 2):
        async with recording_process(tmp_path) as (process, base), aiohttp.ClientSession() as http:
            now = clock.unix()
            token = Tokens(KEY).sign(Grant("lesson", "teacher", "publish", now, now + 60))
            tracks = EncodedVideo(h264_pictures(30), 30), EncodedAudio(opus_packets(50))
            teacher = await publish(http, base, "lesson", token, *tracks)
            await teacher.connected()
            async with asyncio.timeout(20):
                while parts_in(tmp_path) < 10 * times:  # noqa: ASYNC110 - a file has no event
                    await asyncio.sleep(0.01)
            await asyncio.sleep(1.03)
            killed = clock.unix()
            process.kill()
            await process.wait()
            await teacher.close()
        lost = killed - _until(tmp_path)
        print(f"kill {times}: {lost:.2f} s of what had come are not recorded")
        assert lost <= LOST_SECONDS
        replay = Recordings(tmp_path).read("lesson")
        assert len(replay.takes) == times
        assert [hole.why for hole in replay.holes] == ["stopped"] * (times - 1)
        data = (tmp_path / "lesson" / f"{times:04}.mp4").read_bytes()
        assert len(read_back(data)["video"]) >= 50


def _until(folder: Path) -> float:
    last = Recordings(folder).read("lesson").takes[-1].parts[-1]
    return last.at + last.seconds
