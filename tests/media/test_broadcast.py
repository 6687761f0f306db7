"""A room is packed while somebody reads it, once for all, and not a moment longer."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from media.broadcast import Broadcast, rendition_of
from media.ivf import read_part
from media.packets import AUDIO, VIDEO
from media.room import Room
from media.slot import Arrival
from media.tap import NAMES, SCREEN
from media.vp8 import VP8
from tests.media.fakes import FakeTime
from tests.media.reel import Arriving, ntp, read_back, recording
from tests.media.reel_vp8 import heard, shown, vp8_pictures

#: parts that may wait: the thread may be done with all of them before any is read
ALL = 1_000
CODECS = "avc1.42c01f,mp4a.40.2"


class Lesson:
    """A room on paper, and its broadcast."""

    def __init__(self) -> None:
        self.time = FakeTime(0.0)
        self.room = Room("lesson", self.time.later, self.time.clock, lambda *_: None, lambda: ntp(self.time.now))
        self.broadcast = Broadcast(self.room, ThreadPoolExecutor(1), lambda: ntp(self.time.now), self.time.clock)

    def push(self, arriving: list[Arriving], start: float = 0.0, slot: str = "", codec: str = "H264") -> None:
        for each in arriving:
            self.time.now = start + each.at
            head, payload = each.packet[:12], each.packet[12:]
            named = codec if each.kind == VIDEO else "OPUS"
            sequence, stamp = int.from_bytes(head[2:4], "big"), int.from_bytes(head[4:8], "big")
            arrival = Arrival(each.kind, named, bool(head[1] & 0x80), sequence, stamp, payload)
            self.room.push(slot or NAMES[each.kind], arrival, self.time.now)


async def test_all_readers_of_a_rendition_get_the_same_parts() -> None:
    lesson = Lesson()
    first, second = lesson.broadcast.join("picture"), lesson.broadcast.join("picture")
    voice = lesson.broadcast.join("voice")
    lesson.push(recording(2))
    one, two, heard = await first.next(), await second.next(), await voice.next()
    assert one is two
    assert one is not None
    assert one.key
    assert heard is not None
    assert heard.init.codecs == "opus"


async def test_a_screen_is_a_rendition_of_its_own_on_the_same_clock() -> None:
    lesson = Lesson()
    picture, screen = lesson.broadcast.join("picture", ALL), lesson.broadcast.join("screen", ALL)
    lesson.push(recording(1))
    lesson.push([each for each in recording(2) if each.kind == VIDEO], start=1.0, slot=SCREEN)
    seen, shared = await picture.next(), await screen.next()
    assert seen is not None
    assert shared is not None
    assert shared.init.codecs == CODECS.split(",")[0]
    assert shared.begins - seen.begins == pytest.approx(1.0, abs=0.05)
    found = read_back(shared.init.data + shared.data)
    assert (bool(found[VIDEO]), found[AUDIO]) == (True, [])
    lesson.broadcast.leave("screen", screen)
    lesson.broadcast.leave("picture", picture)
    assert not lesson.room.taps


async def test_vp8_is_a_rendition_that_only_the_recorder_reads() -> None:
    lesson = Lesson()
    picture, plain = lesson.broadcast.join("picture", ALL), lesson.broadcast.join("picture_vp8", ALL)
    screen = lesson.broadcast.join("screen_vp8", ALL)
    lesson.push([*shown(vp8_pictures(30)), *heard(1)], codec=VP8)
    lesson.push(list(shown(vp8_pictures(30))), start=1.0, slot=SCREEN, codec=VP8)
    seen, shared = await plain.next(), await screen.next()
    assert seen is not None
    assert shared is not None
    assert (seen.init.codecs, seen.init.width, seen.key, shared.key) == ("vp8", 320, True, True)
    assert shared.begins - seen.begins == pytest.approx(1.0, abs=0.05)
    (first, _), *_rest = read_part(seen.data)
    assert first == pytest.approx(round(lesson.broadcast.epoch * 90_000) + seen.begins * 90_000, abs=90)
    for name, reader in (("picture_vp8", plain), ("screen_vp8", screen), ("picture", picture)):
        lesson.broadcast.leave(rendition_of(name) or name, reader)  # type: ignore[arg-type]
    assert not lesson.room.taps
    assert [rendition_of(name) for name in ("picture", "picture_vp8", "screen_vp8")] == ["picture", None, None]


async def test_nobody_reads_and_nothing_is_packed() -> None:
    lesson = Lesson()
    reader = lesson.broadcast.join("picture")
    attached = [len(lesson.room.taps)]
    lesson.broadcast.leave("picture", reader)
    attached.append(len(lesson.room.taps))
    assert attached == [1, 0]
    assert not lesson.broadcast.renditions
    again = lesson.broadcast.join("picture")
    lesson.push(recording(1))
    assert await again.next() is not None


async def test_aac_is_made_only_while_somebody_reads_it_and_stays_beside_its_picture() -> None:
    lesson = Lesson()
    plain, dubbed = lesson.broadcast.join("picture"), lesson.broadcast.join("picture_aac", ALL)
    heard = lesson.broadcast.join("voice_aac", ALL)
    lesson.push(recording(3))
    first = await plain.next()
    async with asyncio.timeout(20):
        parts = [await dubbed.next() for _ in range(8)]
    assert first is not None
    assert first.init.codecs == CODECS.replace("mp4a.40.2", "opus")
    assert all(part is not None and part.init.codecs == CODECS for part in parts)
    data = parts[0].init.data + b"".join(part.data for part in parts if part)  # type: ignore[union-attr]
    found = read_back(data)
    assert len(found[VIDEO]) >= 8 * 6
    first_voice, last_voice = found[AUDIO][0][0], found[AUDIO][-1][0]
    assert abs(first_voice - found[VIDEO][0][0]) < 0.1
    assert abs(last_voice - found[VIDEO][-1][0]) < 0.1
    voice = await heard.next()
    assert voice is not None
    assert voice.init.codecs == "mp4a.40.2"
    lesson.broadcast.leave("picture_aac", dubbed)
    lesson.broadcast.leave("voice_aac", heard)
    assert set(lesson.broadcast.renditions) == {"picture"}
