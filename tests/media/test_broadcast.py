"""A room is packed while somebody reads it, once for all, and not a moment longer."""

from media.broadcast import Broadcast
from media.packets import AUDIO, VIDEO
from media.room import Room
from media.slot import Arrival
from media.tap import NAMES
from tests.media.fakes import FakeTime
from tests.media.reel import Arriving, ntp, recording


class Lesson:
    """A room on paper, and its broadcast."""

    def __init__(self) -> None:
        self.time = FakeTime(0.0)
        self.room = Room("lesson", self.time.later, self.time.clock, lambda *_: None, lambda: ntp(self.time.now))
        self.broadcast = Broadcast(self.room, lambda: ntp(self.time.now), self.time.clock)

    def push(self, arriving: list[Arriving]) -> None:
        for each in arriving:
            self.time.now = each.at
            head, payload = each.packet[:12], each.packet[12:]
            codec = {VIDEO: "H264", AUDIO: "OPUS"}[each.kind]
            sequence, stamp = int.from_bytes(head[2:4], "big"), int.from_bytes(head[4:8], "big")
            arrival = Arrival(each.kind, codec, bool(head[1] & 0x80), sequence, stamp, payload)
            self.room.push(NAMES[each.kind], arrival, each.at)


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
