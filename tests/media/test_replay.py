"""A playlist of what was recorded: FFmpeg plays it whole, and nothing else of the disk is read."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from media import replay as replay_module
from media.fmp4 import Part
from media.replay import MOST_INDEXES, MOST_SECONDS, Recordings, playlist, segments
from media.takes import Replay, Span, Take
from media.tape import Tape
from tests.media.test_tape import NOON, ROOM, again, parts

__all__ = ["parts"]


def take(keys: set[int], count: int) -> Take:
    spans = [Span(NOON + index, 1.0, index in keys, 4 + index * 10, 10) for index in range(count)]
    return Take(1, "avc1,opus", 320, 240, 4, spans)


def test_a_segment_goes_from_keyframe_to_keyframe() -> None:
    found = segments(take({0, 2, 5, 9, 10}, 12))
    assert [(each.at - NOON, each.seconds, each.key) for each in found] == [(0, 5, True), (5, 4, True), (9, 3, True)]
    assert [(each.start, each.size) for each in found] == [(4, 50), (54, 40), (94, 30)]


def test_where_no_keyframe_comes_it_ends_all_the_same() -> None:
    assert [each.seconds for each in segments(take({0}, 30))] == [MOST_SECONDS, 10]


def test_a_playlist_says_where_each_file_begins_and_when_nothing_is_added() -> None:
    replay = Replay([take({0, 4}, 8), Take(2, "opus", 0, 0, 7, [Span(NOON + 60, 2.5, True, 7, 9)])], [])
    lines = playlist(replay, "replay/", "", over=True).splitlines()
    assert lines == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:4",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#codecs avc1,opus",
        '#EXT-X-MAP:URI="replay/1/0/4"',
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-23T09:00:00.000Z",
        "#EXTINF:4.000,",
        "replay/1/4/40",
        "#EXTINF:4.000,",
        "replay/1/44/40",
        "#EXT-X-DISCONTINUITY",
        "#codecs opus",
        '#EXT-X-MAP:URI="replay/2/0/7"',
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-23T09:01:00.000Z",
        "#EXTINF:2.500,",
        "replay/2/7/9",
        "#EXT-X-ENDLIST",
    ]
    growing = playlist(replay, "replay/", "", over=False)
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in growing
    assert "ENDLIST" not in growing


def test_ffmpeg_plays_the_playlist_whole(tmp_path: Path, parts: list[Part]) -> None:
    for tape, shown in ((Tape(tmp_path / ROOM, 0), parts), (Tape(tmp_path / ROOM, 0), again(parts))):
        for part in shown:
            tape.add(part, NOON + part.begins, 0, missed=False)
        tape.close()
    recordings = Recordings(tmp_path)
    replay = recordings.read(ROOM)
    text = playlist(replay, "piece-", "", over=True)
    for line in text.splitlines():
        address = line.removeprefix('#EXT-X-MAP:URI="').removesuffix('"')
        if address.startswith("piece-"):
            number, start, size = map(int, address.removeprefix("piece-").split("/"))
            flat = address.replace("/", "-") + ".mp4"
            text = text.replace(address + '"', flat + '"').replace(address + "\n", flat + "\n")
            (tmp_path / flat).write_bytes(recordings.piece(ROOM, number, start, size))
    (tmp_path / "replay.m3u8").write_text(text)
    with av.open(str(tmp_path / "replay.m3u8"), options={"allowed_extensions": "ALL"}) as source:
        assert sum(packet.size > 0 for packet in source.demux(video=0)) == 120
    assert math.isclose(replay.seconds, sum(part.seconds for part in parts) * 2, abs_tol=0.01)


@pytest.mark.parametrize(
    ("room", "number", "start", "size"),
    [("..", 1, 0, 4), ("a/b", 1, 0, 4), (ROOM, 2, 0, 4), (ROOM, 1, -1, 4), (ROOM, 1, 0, 0), (ROOM, 1, 0, 1 << 30)],
)
def test_nothing_else_of_the_disk_is_read(
    tmp_path: Path, parts: list[Part], room: str, number: int, start: int, size: int
) -> None:
    tape = Tape(tmp_path / ROOM, 0)
    tape.add(parts[0], NOON, 0, missed=False)
    tape.close()
    assert Recordings(tmp_path).piece(room, number, start, size) == b""
    assert Recordings(tmp_path).piece(ROOM, 1, 0, len(parts[0].init.data)) == parts[0].init.data


def test_what_nobody_recorded_is_empty(tmp_path: Path) -> None:
    assert Recordings(tmp_path).read("never") == Replay([], [])
    assert Recordings(tmp_path).read("../secret") == Replay([], [])


def test_an_index_is_read_once_until_it_grows(
    tmp_path: Path, parts: list[Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    lines = replay_module._lines

    def counted(folder: Path) -> Iterator[Any]:
        read.append(folder)
        return lines(folder)

    monkeypatch.setattr(replay_module, "_lines", counted)
    tape, recordings = Tape(tmp_path / ROOM, 0), Recordings(tmp_path)
    for number, part in enumerate(parts[:3], 1):
        tape.add(part, NOON + part.begins, 0, missed=False)
        for _ in range(3):
            found = recordings.read(ROOM)
            assert [len(take.parts) for take in found.takes] == [number]
            found.takes.clear()
        assert len(read) == number
    tape.close()


def test_few_indexes_are_kept(tmp_path: Path, parts: list[Part]) -> None:
    recordings = Recordings(tmp_path)
    for number in range(MOST_INDEXES + 3):
        tape = Tape(tmp_path / f"{ROOM}{number}", 0)
        tape.add(parts[0], NOON, 0, missed=False)
        tape.close()
        assert recordings.read(f"{ROOM}{number}").takes
    assert len(recordings._indexes) == MOST_INDEXES
