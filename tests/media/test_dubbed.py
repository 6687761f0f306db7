"""A recording with AAC, made while it is read: stretches follow each other without a gap, pictures stay as they are."""

from array import array
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import av
import pytest

from media.aac import FRAME
from media.boxes import AUDIO_ID, VIDEO_ID, Sample
from media.dubbed import dubbed_codecs, read_parts
from media.fmp4 import Muxer, Part
from media.replay import Recordings, playlist, segments
from media.tape import Tape
from tests.media.reel import EPOCH
from tests.media.test_aac import opus, tone
from tests.media.test_tape import NOON, ROOM, parts

__all__ = ["parts"]

AAC_FRAME_S = FRAME / 48_000


@pytest.fixture
def recordings(tmp_path: Path, parts: list[Part]) -> Recordings:
    return recorded(tmp_path, parts)


def recorded(tmp_path: Path, parts: list[Part]) -> Recordings:
    tape = Tape(tmp_path / ROOM, 0)
    for part in parts:
        tape.add(part, NOON + part.begins, 0, missed=False)
    tape.close()
    return Recordings(tmp_path)


def stretches(recordings: Recordings, count: int) -> tuple[bytes, bytes, list[bytes]]:
    """The file, its init segment with AAC, and so many stretches of it with AAC."""
    (take,) = recordings.read(ROOM).takes
    size = take.parts[-1].start + take.parts[-1].size
    every = -(-len(take.parts) // count)
    groups = [take.parts[index : index + every] for index in range(0, len(take.parts), every)]
    asked = [(group[0].start, group[-1].start + group[-1].size - group[0].start) for group in groups]
    made = [recordings.dubbed(ROOM, 1, start, length) for start, length in asked]
    return recordings.piece(ROOM, 1, 0, size), recordings.dubbed(ROOM, 1, 0, take.init), made


def track(data: list[bytes], number: int) -> list[Sample]:
    return [sample for each in data for sample in read_parts(each)[number]]


def test_stretches_made_apart_follow_each_other_without_a_gap(recordings: Recordings) -> None:
    whole, init, made = stretches(recordings, 5)
    assert len(made) >= 4
    original = read_parts(whole[len(recordings.piece(ROOM, 1, 0, recordings.read(ROOM).takes[0].init)) :])
    heard = track(made, AUDIO_ID)
    assert {after.time - one.time for one, after in pairwise(heard)} == {FRAME}
    last = original[AUDIO_ID][-1]
    assert 0 <= heard[0].time - original[AUDIO_ID][0].time < FRAME
    assert last.time + last.duration - FRAME <= heard[-1].time < last.time + last.duration
    assert [(s.time, s.data) for s in track(made, VIDEO_ID)] == [(s.time, s.data) for s in original[VIDEO_ID]]
    with av.open(BytesIO(init + b"".join(made)), mode="r") as file:
        assert [stream.codec_context.name for stream in file.streams] == ["h264", "aac"]
        seconds = sum(frame.samples for frame in file.decode(audio=0)) / 48_000
    assert seconds == pytest.approx(len(heard) * AAC_FRAME_S, abs=0.05)


def test_what_sounds_sounds_the_same_where_stretches_meet(tmp_path: Path) -> None:
    spoken: list[Part] = []
    muxer = Muxer(EPOCH, "opus", spoken.append, video=False)
    for voice in opus(tone(3, 0.5, 2.5), 0):
        muxer.voice(voice)
    muxer.cease()
    recordings = recorded(tmp_path, spoken)
    _, init, (once,) = stretches(recordings, 1)
    _, _, made = stretches(recordings, 5)
    one, other = (_loudness(init + each) for each in (once, b"".join(made)))
    assert max(abs(a - b) for a, b in zip(one, other, strict=True)) < max(one) / 10 > 0.01


def test_nonsense_is_no_stretch(recordings: Recordings) -> None:
    (take,) = recordings.read(ROOM).takes
    first = take.parts[0]
    asked = [(first.start + 1, first.size), (first.start, first.size - 1), (first.start, 1 << 23)]
    assert [recordings.dubbed(ROOM, 1, *each) for each in asked] == [b"", b"", b""]


def test_the_playlist_says_what_it_is(recordings: Recordings) -> None:
    assert dubbed_codecs("avc1.42c01f,opus") == "avc1.42c01f,mp4a.40.2"
    replay = recordings.read(ROOM)
    text = playlist(replay, "picture_aac/", ".mp4", over=True, aac=True)
    assert "#codecs avc1.42c01f,mp4a.40.2" in text
    assert text.count("#EXTINF") == len(segments(replay.takes[0]))


def _loudness(data: bytes) -> list[float]:
    """Of each hundredth of a second."""
    with av.open(BytesIO(data), mode="r") as file:
        left = b"".join(bytes(frame.planes[0])[: frame.samples * 4] for frame in file.decode(audio=0))
    sound = [abs(value) for value in array("f", left)]
    return [sum(sound[at : at + 480]) / 480 for at in range(0, len(sound) - 480, 480)]


def test_more_than_a_playlist_names_at_once_is_not_made(tmp_path: Path, parts: list[Part]) -> None:
    slow = [Part(each.init, each.number, each.key, each.begins, 11.0, each.data) for each in parts[:2]]
    recordings = recorded(tmp_path, slow)
    first, second = recordings.read(ROOM).takes[0].parts
    assert recordings.dubbed(ROOM, 1, first.start, first.size)
    assert recordings.dubbed(ROOM, 1, first.start, first.size + second.size) == b""
