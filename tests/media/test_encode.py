"""A file of VP8 becomes H.264 with the voice of its time, whole or not at all."""

import os
from itertools import pairwise
from pathlib import Path

import av
import pytest

from media import encode, ivf
from media.boxes import AUDIO_ID, Sample
from media.dubbed import read_parts
from media.encode import DONE, FAILED, FULL, WRITTEN
from media.fmp4 import Init, Part
from media.replay import Recordings, Unencoded, playlist
from media.takes import ENCODED
from media.tap import SCREEN
from media.tape import IVF, Tape, folder_of
from tests.media.hours import play
from tests.media.reel import EPOCH, read_back
from tests.media.reel_vp8 import (
    BEGINS,
    ROOM,
    SECONDS,
    SMALLER,
    encoding,
    lesson,
    original,
    record,
    recorded,
    shown,
    vp8_pictures,
)

__all__ = ["lesson", "recorded"]

DRIFT_SECONDS = 0.04


def voice(folder: Path) -> list[tuple[float, Sample]]:
    """All of the voice of a replay, each with its moment."""
    recordings, found = Recordings(folder), []
    for take in recordings.read(ROOM).takes:
        data = b"".join(recordings.piece(ROOM, take.number, each.start, each.size) for each in take.parts)
        found += read_parts(data)[AUDIO_ID]
    return [(each.time / 48_000, each) for each in found]


def whites(playing: Path) -> list[float]:
    """When the picture of a playlist becomes white, as FFmpeg's own HLS reader decodes it."""
    options = {"allowed_extensions": "ALL", "extension_picky": "0"}
    with av.open(str(playing / "replay.m3u8"), options=options) as source:
        frames = [(float(frame.time or 0), bytes(frame.planes[0])[0] > 128) for frame in source.decode(video=0)]
    return [after[0] for before, after in pairwise([(0.0, False), *frames]) if after[1] and not before[1]]


def test_pictures_are_recorded_as_they_came_and_a_torn_file_plays(recorded: Path) -> None:
    path = original(recorded)
    with av.open(str(path)) as source:
        assert [len(packet.decode()) for packet in source.demux(video=0) if packet.size] == [1] * SECONDS * 30
    (take,) = Recordings(recorded).recorded(ROOM, "picture_vp8").takes
    assert (take.codecs, take.width, take.height, take.parts[0].at) == ("vp8", 320, 240, BEGINS)
    os.truncate(path, path.stat().st_size - 10)
    assert len(Recordings(recorded).recorded(ROOM, "picture_vp8").takes[0].parts) == len(take.parts) - 1
    assert encoding(recorded) == DONE
    assert Recordings(recorded).read(ROOM).takes[0].seconds >= SECONDS - 0.5


def test_encoded_it_plays_with_the_voice_of_its_time(recorded: Path, tmp_path: Path) -> None:
    before = voice(recorded)
    assert Recordings(recorded).unencoded(ROOM) == Unencoded(0, None)
    assert encoding(recorded) == DONE
    replay = Recordings(recorded).read(ROOM)
    assert [take.number for take in replay.takes if take.width] == [ENCODED + 1]
    assert [take.codecs for take in replay.takes if take.width] == ["avc1.4d400d,opus"]
    assert voice(recorded) == before
    played = play(replay, recorded, tmp_path)
    assert (played.pictures, played.voices) == (SECONDS * 30, SECONDS * 50)
    seen = whites(tmp_path)
    apart = [shown - heard for shown, heard in zip(seen, played.marks, strict=True)]
    assert len(apart) == SECONDS
    assert max(map(abs, apart)) <= DRIFT_SECONDS
    assert (original(recorded).exists(), Recordings(recorded).unencoded(ROOM)) == (False, None)
    lines = playlist(replay, "", "", over=True).splitlines()
    assert f"{ENCODED + 1}/0/" in next(line for line in lines if line.startswith("#EXT-X-MAP"))


def test_where_two_files_meet_each_has_its_part_of_the_voice(tmp_path: Path) -> None:
    """A browser that makes its picture smaller begins a file."""
    large, small = vp8_pictures(52), vp8_pictures(38, SMALLER)
    record(tmp_path, [*shown(large), *shown(small, 52)], 3)
    before = voice(tmp_path)
    assert [encoding(tmp_path, number) for number in (1, 2)] == [DONE, DONE]
    takes = Recordings(tmp_path).read(ROOM).takes
    assert [(take.width, take.number) for take in takes] == [(320, ENCODED + 1), (160, ENCODED + 2)]
    assert takes[0].parts[-1].ends == pytest.approx(takes[1].parts[0].at, abs=0.002)
    assert voice(tmp_path) == before


def test_a_screen_is_encoded_by_itself(tmp_path: Path) -> None:
    record(tmp_path, shown(vp8_pictures(60)), 2, slot=SCREEN)
    assert encoding(tmp_path, rendition=SCREEN) == DONE
    (take,) = Recordings(tmp_path).read(ROOM, SCREEN).takes
    assert (take.codecs, take.width, take.parts[0].at) == ("avc1.4d400d", 320, BEGINS)
    data = Recordings(tmp_path).piece(ROOM, take.number, 0, take.init, SCREEN)
    data += b"".join(
        Recordings(tmp_path).piece(ROOM, take.number, each.start, each.size, SCREEN) for each in take.parts
    )
    assert len(read_back(data)["video"]) == 60
    assert Recordings(tmp_path).unencoded(ROOM) is None


def test_a_disk_without_room_leaves_the_original(recorded: Path) -> None:
    assert encoding(recorded, reserve=1 << 60) == FULL
    assert original(recorded).exists()
    assert not any(take.width for take in Recordings(recorded).read(ROOM).takes)


def test_what_does_not_read_back_whole_does_not_count(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(encode.Writer):
        def _write(self, data: bytes) -> None:
            super()._write(data if len(self.parts) != 2 else data[:-900] + bytes(900))

    monkeypatch.setattr(encode, "Writer", Forgetful)
    assert encoding(recorded) == FAILED
    assert original(recorded).exists()
    assert not any(take.width for take in Recordings(recorded).read(ROOM).takes)


def test_a_file_that_is_being_written_is_left_alone(recorded: Path) -> None:
    tape = Tape(folder_of(recorded / ROOM, "picture_vp8"), 0, IVF)
    init = Init(1, "vp8", 320, 240, ivf.init_segment(None, ""))
    data = ivf.part(1, EPOCH, [Sample(0, 3_000, vp8_pictures(1)[0])], [])
    tape.add(Part(init, 1, True, 0.0, 1.0, data), BEGINS + 60, 0.0, missed=False)
    assert (encoding(recorded, 2), original(recorded, 2).exists()) == (WRITTEN, True)
    tape.close()
    assert (encoding(recorded, 2), original(recorded, 2).exists()) == (DONE, False)


def test_one_that_was_made_and_not_tidied_up_is_not_made_again(recorded: Path) -> None:
    data = original(recorded).read_bytes()
    assert encoding(recorded) == DONE
    original(recorded).write_bytes(data)
    made = (recorded / ROOM / "encoded" / "0001.mp4").stat().st_mtime_ns
    assert encoding(recorded) == DONE
    assert (recorded / ROOM / "encoded" / "0001.mp4").stat().st_mtime_ns == made
    assert not original(recorded).exists()


def test_a_picture_that_hides_how_large_it_is_is_left_out() -> None:
    pictures = encode.Pictures(0)
    (giant,), small = vp8_pictures(1, (4_096, 2_176)), vp8_pictures(2)
    given = [giant, small[1], *small]
    assert [list(pictures.encode(number * 3_000, data)) for number, data in enumerate(given)][:2] == [[], []]
    list(pictures.rest())
    assert (pictures.given, pictures.decoded) == (4, 2)
