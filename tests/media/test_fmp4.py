"""FFmpeg reads back what was packed; parts end where they should; each change begins a new init segment."""

import itertools

import pytest

from media.fmp4 import CHANGES_AT_ONCE, CHANGES_PER_SECOND, Muxer, Part
from media.h264 import Sets
from media.packets import VIDEO
from media.samples import Picture, Sampler
from tests.media.clients import h264_pictures
from tests.media.reel import EPOCH, Arriving, Shelf, feed, ntp, pictures, read_back, recording


def packed(arriving: list[Arriving], audio: str = "opus", *, video: bool = True) -> Shelf:
    shelf = Shelf()
    muxer = Muxer(EPOCH, audio, shelf.parts.append, video=video)
    sampler = Sampler(EPOCH, muxer, audio=True)
    feed(sampler, arriving)
    sampler.cease()
    return shelf


@pytest.fixture(scope="module")
def lesson() -> list[Arriving]:
    return recording()


def test_all_of_it_is_read_back_at_its_time(lesson: list[Arriving]) -> None:
    shelf = packed(lesson)
    (init,) = shelf.inits()
    assert init.codecs.startswith("avc1.42")
    assert init.codecs.endswith(",opus")
    assert (init.width, init.height) == (320, 240)
    found = read_back(shelf.file())
    assert [at for at, _ in found["video"]] == pytest.approx([index / 30 for index in range(120)], abs=0.001)
    assert {(frame.width, frame.height) for _, frame in found["video"]} == {(320, 240)}
    assert [at for at, _ in found["audio"]] == pytest.approx([index / 50 for index in range(200)], abs=0.001)


def test_parts_are_a_fifth_of_a_second_and_begin_where_the_last_ended(lesson: list[Arriving]) -> None:
    parts = packed(lesson).parts
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert [part.key for part in parts] == [True] + [False] * (len(parts) - 1)
    assert all(part.seconds == pytest.approx(0.2, abs=0.001) for part in parts[:-1])
    for part, after in itertools.pairwise(parts):
        assert after.begins == pytest.approx(part.begins + part.seconds, abs=0.001)


def test_a_part_is_there_as_soon_as_the_next_picture_is(lesson: list[Arriving]) -> None:
    came: list[tuple[float, Part]] = []
    at = 0.0
    muxer = Muxer(EPOCH, "opus", lambda part: came.append((at, part)))
    sampler = Sampler(EPOCH, muxer, audio=True)
    for each in lesson:
        at = each.at
        feed(sampler, [each])
    assert len(came) == 19
    assert all(moment - (part.begins + part.seconds) < 0.001 for moment, part in came)


def test_another_size_begins_another_init_segment_without_a_hole() -> None:
    small = list(pictures(h264_pictures(30)))
    large = list(pictures(h264_pictures(30, size=(640, 480)), first=30, sequence=65_500 + len(small)))
    shelf = packed(small + large)
    first, second = shelf.inits()
    assert (first.width, second.width, second.number) == (320, 640, 2)
    old = [part for part in shelf.parts if part.init is first]
    new = [part for part in shelf.parts if part.init is second]
    assert new[0].key
    assert new[0].begins == pytest.approx(old[-1].begins + old[-1].seconds, abs=0.001)
    frames = read_back(shelf.file(second))["video"]
    assert {frame.width for _, frame in frames} == {640}
    assert len(frames) == 30


def test_voice_alone_is_a_rendition(lesson: list[Arriving]) -> None:
    shelf = packed(lesson, video=False)
    assert {init.codecs for init in shelf.inits()} == {"opus"}
    found = read_back(shelf.file())
    assert len(found["audio"]) == 200
    assert not found["video"]


def test_pictures_without_voice_are_a_rendition(lesson: list[Arriving]) -> None:
    shelf = packed([each for each in lesson if each.kind == VIDEO], audio="")
    found = read_back(shelf.file())
    assert len(found["video"]) == 120
    assert not found["audio"]


def test_when_pictures_cease_voice_goes_on_and_they_may_come_back(lesson: list[Arriving]) -> None:
    sound = [each for each in recording(8) if each.kind != VIDEO]
    shown = [each for each in lesson if each.kind == VIDEO and each.at < 2]
    again = list(pictures(h264_pictures(30), first=180, sequence=65_500 + len(shown)))
    shelf = packed(sorted([*sound, *shown, *again], key=lambda each: each.at))
    codecs = [init.codecs.partition(".")[0] for init in shelf.inits()]
    assert codecs == ["avc1", "opus", "avc1"]
    heard = [at for init in shelf.inits() for at, _ in read_back(shelf.file(init))["audio"]]
    assert heard == pytest.approx([index / 50 for index in range(len(heard))], abs=0.001)
    assert len(heard) >= 350


def test_a_publisher_that_left_and_came_back_begins_anew(lesson: list[Arriving]) -> None:
    shelf = Shelf()
    muxer = Muxer(EPOCH, "opus", shelf.parts.append)
    first_time = Sampler(EPOCH, muxer, audio=True)
    feed(first_time, lesson)
    first_time.cease()
    again = Sampler(EPOCH, muxer, audio=True)
    again.aim("video", ntp(60), 4_294_960_000)
    again.aim("audio", ntp(60), 1_000)
    feed(again, [Arriving(each.kind, each.packet, each.at + 60) for each in lesson])
    first, second = shelf.inits()
    assert first.number < second.number
    begun = next(part for part in shelf.parts if part.init is second)
    assert begun.key
    assert begun.begins == pytest.approx(60, abs=0.01)


def restless(count: int, muxer: Muxer, ticks: int = 3_000) -> None:
    """Keyframes whose size is never that of the one before."""
    for number in range(count):
        sets = Sets(b"\x67\x42\xe0\x1f", b"\x68", "avc1.42e01f", 320 + number % 2, 240)
        muxer.picture(Picture(number * ticks, True, sets, b"picture"))


def test_pictures_that_change_all_the_time_begin_few_init_segments_and_a_keyframe_is_asked_for() -> None:
    shelf, asked = Shelf(), []
    restless(600, Muxer(EPOCH, "", shelf.parts.append, ask_keyframe=lambda: asked.append(1)))
    assert len(shelf.inits()) <= 1 + CHANGES_AT_ONCE + 20 * CHANGES_PER_SECOND
    assert asked
    assert shelf.parts[-1].begins > 19


def test_keyframes_alone_are_no_more_parts() -> None:
    shelf = Shelf()
    muxer = Muxer(EPOCH, "", shelf.parts.append)
    sets = Sets(b"\x67\x42\xe0\x1f", b"\x68", "avc1.42e01f", 320, 240)
    for number in range(120):
        muxer.picture(Picture(number * 3_000, True, sets, b"picture"))
    muxer.cease()
    assert len(shelf.parts) <= 20
    assert all(part.key for part in shelf.parts)
