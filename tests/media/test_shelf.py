"""Parts become segments: from keyframe to keyframe, two seconds or a little less, each hole and each new size told."""

import re
from itertools import pairwise

from media.fmp4 import Init, Part
from media.shelf import KEPT, LISTED, TARGET_SECONDS, Shelf
from tests.media.reel import read_back, recording
from tests.media.test_fmp4 import packed

EPOCH = 1_790_000_000.25
INIT = Init(1, "avc1.42e01f,mp4a.40.2", 640, 360, b"init")


def part(number: int, *, key: bool = False, init: Init = INIT) -> Part:
    return Part(init, number, key, number * 0.2, 0.2, b"<%d>" % number)


def shelf_of(parts: list[Part]) -> tuple[Shelf, list[int]]:
    asked: list[int] = []
    shelf = Shelf(EPOCH, lambda: asked.append(1))
    for each in parts:
        shelf.add(each, missed=False)
    return shelf, asked


def lengths(shelf: Shelf) -> list[float]:
    return [float(found) for found in re.findall(r"#EXTINF:([\d.]+),", shelf.playlist(""))]


def test_a_segment_begins_at_a_keyframe_that_is_asked_for_in_time() -> None:
    shelf, asked = shelf_of([part(number, key=number % 10 == 0) for number in range(31)])
    assert lengths(shelf) == [2.0, 2.0, 2.0]
    assert shelf.segment(1) == b"".join(b"<%d>" % number for number in range(10, 20))
    assert shelf.segment(3) == b""  # not yet whole
    assert asked


def test_the_first_ones_are_short_so_that_there_is_soon_enough_to_play() -> None:
    shelf, asked = shelf_of([part(number, key=number % 5 == 0) for number in range(20 + 21 + 1)])
    assert lengths(shelf) == [1.0, 1.0, 2.0, 2.0]
    assert asked


def test_without_keyframes_a_segment_ends_all_the_same() -> None:
    shelf, asked = shelf_of([part(number, key=number == 0) for number in range(45)])
    assert lengths(shelf) == [2.4, 2.4, 2.4]
    assert f"#EXT-X-TARGETDURATION:{TARGET_SECONDS}\n" in shelf.playlist("")
    assert asked


def test_a_new_size_and_a_hole_are_told() -> None:
    other = Init(2, INIT.codecs, 1280, 720, b"other")
    parts = [part(number, key=number % 10 == 0, init=INIT if number < 20 else other) for number in range(40)]
    shelf, _ = shelf_of(parts)
    shelf.add(part(60, key=True, init=other), missed=True)
    shelf.add(part(61, key=True, init=other), missed=True)
    text = shelf.playlist("?session=x")
    assert text.count("#EXT-X-DISCONTINUITY\n") == 2
    assert re.findall(r'URI="(.*?)"', text) == [f"init{number}.mp4?session=x" for number in (1, 2, 2)]
    assert re.findall(r"DATE-TIME:(.*)", text) == [
        "2026-09-21T14:13:22.250Z",
        "2026-09-21T14:13:24.250Z",
        "2026-09-21T14:13:32.250Z",
    ]
    assert shelf.init(2) == b"other"
    assert shelf.init(9) == b""


def test_what_left_the_playlist_is_counted_and_can_be_fetched_for_a_while() -> None:
    shelf, other = shelf_of([])[0], Init(2, "opus", 0, 0, b"other")
    for number in range(200):
        shelf.add(part(number, key=True, init=INIT if number < 50 else other), missed=number == 20)
    text = shelf.playlist("")
    listed = [int(found) for found in re.findall(r"^(\d+)\.mp4", text, re.MULTILINE)]
    assert len(listed) == LISTED
    assert f"#EXT-X-MEDIA-SEQUENCE:{listed[0]}\n" in text
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:2\n" in text
    assert shelf.segment(listed[-1] - KEPT + 1)
    assert not shelf.segment(listed[-1] - KEPT)


def test_nothing_is_enough_until_four_are_whole() -> None:
    shelf, _ = shelf_of([part(number, key=True) for number in range(12)])
    assert not shelf.enough
    for number in range(12, 24):
        shelf.add(part(number, key=True), missed=False)
    assert shelf.enough


def test_real_segments_play_one_after_another_without_a_gap() -> None:
    parts = packed(recording(9)).parts
    shelf, _ = shelf_of(parts)
    found = read_back(shelf.init(1) + b"".join(shelf.segment(number) for number in range(3)))
    times = [time for time, _ in found["video"]]
    assert len(times) >= 6 * 30
    assert max(after - before for before, after in pairwise(times)) < 0.05
