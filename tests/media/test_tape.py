"""Parts on a disk: FFmpeg plays what was written, also a torn file; a disk that fails leaves a hole with its reason."""

import errno
import json
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import av
import pytest

from media.fmp4 import Init, Muxer, Part
from media.replay import Recordings
from media.samples import Sampler
from media.tape import INDEX, RESERVE_FILES, RETRY_SECONDS, SLOW, SYNC_SECONDS, Tape
from tests.media.reel import EPOCH, feed, read_back, recording

NOON = 1_795_424_400.0
ROOM = "lesson"


@pytest.fixture(scope="module")
def parts() -> list[Part]:
    found: list[Part] = []
    muxer = Muxer(EPOCH, "opus", found.append)
    sampler = Sampler(EPOCH, muxer, audio=True)
    feed(sampler, recording(2))
    sampler.cease()
    return found


@contextmanager
def files_of(most: int) -> Iterator[None]:
    """A disk on which no file grows further."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Callable[..., Tape]]:
    """Makes tapes of one room."""
    tapes: list[Tape] = []

    def make(reserve: int = 0) -> Tape:
        tapes.append(Tape(tmp_path / ROOM, reserve))
        return tapes[-1]

    yield make
    for tape in tapes:
        tape.close()


def pictures(data: bytes) -> int:
    """How many a player shows, which passes over what is broken at the end."""
    shown = 0
    with av.open(BytesIO(data), mode="r", format="mov") as source:
        for packet in source.demux(video=0):
            try:
                shown += len(packet.decode())
            except av.error.InvalidDataError:
                assert packet.is_corrupt
    return shown


def write(tape: Tape, parts: list[Part], begins: float = NOON, now: float = 0.0) -> None:
    for part in parts:
        tape.add(part, begins + part.begins, now + part.begins, missed=False)


def again(parts: list[Part]) -> list[Part]:
    """The same parts later, as if from one source: a keyframe first."""
    return [Part(part.init, part.number, part.key, part.begins + 60, part.seconds, part.data) for part in parts]


def test_a_file_is_what_ffmpeg_plays_and_the_index_says_when(
    made: Callable[..., Tape], tmp_path: Path, parts: list[Part]
) -> None:
    tape = made()
    write(tape, parts)
    tape.close()
    found = read_back((tmp_path / ROOM / "0001.mp4").read_bytes())
    assert len(found["video"]) == 60
    assert len(found["audio"]) == 100
    (take,) = Recordings(tmp_path).read(ROOM).takes
    assert [part.at for part in take.parts] == pytest.approx([NOON + part.begins for part in parts], abs=0.001)
    assert (take.width, take.height, take.parts[0].key) == (320, 240, True)


def test_a_torn_file_plays_up_to_its_end(made: Callable[..., Tape], tmp_path: Path, parts: list[Part]) -> None:
    tape = made()
    write(tape, parts)
    path = tmp_path / ROOM / "0001.mp4"
    os.truncate(path, path.stat().st_size - len(parts[-1].data) // 2)
    with (tmp_path / ROOM / INDEX).open("ab") as index:
        index.write(b'\n{"at": 1795424')
    assert pictures(path.read_bytes()) >= 60 - 7
    assert len(Recordings(tmp_path).read(ROOM).takes[0].parts) == len(parts) - 1
    write(made(), parts, NOON + 60)
    first, second = Recordings(tmp_path).read(ROOM).takes
    assert (first.number, second.number, len(second.parts)) == (1, 2, len(parts))


def test_a_full_disk_is_a_hole_with_its_name_and_what_was_written_plays(
    made: Callable[..., Tape], tmp_path: Path, parts: list[Part]
) -> None:
    tape = made()
    with files_of(len(parts[0].init.data) + sum(len(part.data) for part in parts[:5]) + 100):
        write(tape, parts)
    assert tape.hole == "EFBIG"
    (take,) = Recordings(tmp_path).read(ROOM).takes
    assert len(take.parts) == 5
    data = (tmp_path / ROOM / "0001.mp4").read_bytes()
    assert len(data) == take.parts[-1].start + take.parts[-1].size
    assert len(read_back(data)["video"]) == 30


def test_it_goes_on_at_a_keyframe_once_the_disk_does_and_says_what_is_missing(
    made: Callable[..., Tape], tmp_path: Path, parts: list[Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    tape = made()
    write(tape, parts[:4])
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", _fails)
        write(tape, [parts[4]], now=SYNC_SECONDS)
    told = [tape.hole]
    write(tape, again(parts), now=0)
    assert [*told, tape.hole] == ["EIO", None]
    replay = Recordings(tmp_path).read(ROOM)
    until = NOON + parts[4].begins + parts[4].seconds
    (hole,) = replay.holes
    assert (hole.begins, hole.ends) == pytest.approx((until, NOON + 60), abs=0.002)
    assert hole.why == "EIO"
    assert [len(take.parts) for take in replay.takes] == [5, len(parts)]
    assert len(read_back((tmp_path / ROOM / "0002.mp4").read_bytes())["video"]) == 60


def test_it_does_not_try_again_at_once(
    made: Callable[..., Tape], tmp_path: Path, parts: list[Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    tape = made()
    with monkeypatch.context() as broken:
        broken.setattr(os, "statvfs", _fails)
        write(tape, parts[:1])
    told = []
    for now in (RETRY_SECONDS - 0.1, RETRY_SECONDS + 0.1):
        tape.add(parts[0], NOON, now, missed=False)
        told.append(tape.hole)
    assert told == ["EIO", None]


def test_the_disk_is_left_to_the_evidence(made: Callable[..., Tape], tmp_path: Path, parts: list[Part]) -> None:
    tape = made(1 << 60)
    write(tape, parts)
    assert tape.hole == "ENOSPC"
    tape.close()
    replay = Recordings(tmp_path).read(ROOM)
    assert [hole.why for hole in replay.holes] == ["ENOSPC"]
    assert replay.takes == []


def test_what_was_thrown_away_is_a_hole_and_a_new_file(
    made: Callable[..., Tape], tmp_path: Path, parts: list[Part]
) -> None:
    tape = made()
    write(tape, parts)
    for each in again(parts):
        tape.add(each, NOON + each.begins, each.begins, missed=each.key)
    replay = Recordings(tmp_path).read(ROOM)
    assert [hole.why for hole in replay.holes] == [SLOW]
    assert [take.number for take in replay.takes] == [1, 2]


def test_others_of_the_machine_read_nothing(made: Callable[..., Tape], tmp_path: Path, parts: list[Part]) -> None:
    write(made(), parts)
    for path in (tmp_path / ROOM, *(tmp_path / ROOM).iterdir()):
        assert path.stat().st_mode & 0o077 == 0


def test_the_index_is_plain(made: Callable[..., Tape], tmp_path: Path, parts: list[Part]) -> None:
    write(made(), parts[:1])
    first, second = [json.loads(line) for line in (tmp_path / ROOM / INDEX).read_text().splitlines() if line]
    assert first["take"] == 1
    assert second == {
        "at": pytest.approx(NOON, abs=0.01),
        "s": pytest.approx(0.2, abs=0.01),
        "key": True,
        "start": first["init"],
        "size": len(parts[0].data),
    }


def _fails(*_: object) -> None:
    raise OSError(errno.EIO, "broken")


def test_what_is_there_is_looked_through_once(
    made: Callable[..., Tape], tmp_path: Path, parts: list[Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Path] = []

    def look(folder: Path, _suffix: str) -> list[int]:
        looked.append(folder)
        return [7]

    monkeypatch.setattr("media.tape.taken", look)
    tape = made()
    for number in range(5):
        other = Init(number, "avc1", 320, 240, b"init")
        tape.add(Part(other, number, True, float(number), 1.0, b"part"), NOON + number, float(number), missed=False)
    assert looked == [tmp_path / ROOM]
    assert [each.number for each in Recordings(tmp_path).recorded(ROOM, "picture").takes] == [8, 9, 10, 11, 12]


def test_a_disk_that_has_room_for_few_more_files_is_full(
    made: Callable[..., Tape], parts: list[Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    left = SimpleNamespace(f_bavail=1 << 40, f_frsize=4_096, f_files=1_000_000, f_favail=RESERVE_FILES - 1)
    monkeypatch.setattr(os, "statvfs", lambda _path: left)
    tape = made()
    write(tape, parts)
    assert tape.hole == "ENOSPC"
    left.f_files = left.f_favail = 0  # one that does not count them
    write(tape, parts, now=RETRY_SECONDS)
    assert tape.hole is None
