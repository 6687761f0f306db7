"""When bursts leave, when keyframes are asked for, what is reported."""

import pytest
from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpSrPacket

from media.forwarder import Viewer
from media.ingest import Ingest
from media.rate import RateAdvice
from media.room import (
    AUDIO_HOLD_SECONDS,
    KEYFRAME_SECONDS,
    MAX_BURST_PACKETS,
    REPORT_SECONDS,
    SILENCE_SECONDS,
    VIDEO_HOLD_SECONDS,
    Room,
)
from media.tap import CAMERA, VOICE
from tests.media.fakes import CODECS, H264, KEY, OPUS, FakeTime, FakeTransport, picture, sound


class Lesson:
    """A room with a publisher whose way back is a list, and one viewer in step."""

    def __init__(self) -> None:
        self.time = FakeTime()
        self.live: list[tuple[str, bool]] = []
        self.room = Room("lesson", self.time.later, self.time.clock, self._on_media)
        self.asked: list[bytes] = []
        self.ingest = Ingest({CAMERA: H264, VOICE: OPUS}, [], self.room, self.asked.append, RateAdvice(1, 1))
        self.ingest.tracks[CAMERA].ssrc = 5
        self.transport = FakeTransport()
        self.viewer = self.new_viewer(self.transport)

    def _on_media(self, name: str, live: bool) -> None:
        self.live.append((name, live))

    def new_viewer(self, transport: FakeTransport) -> Viewer:
        return Viewer("viewer", transport, CODECS, self.room.slots, self.room.ask_keyframe)

    def begin(self) -> None:
        """Publish, join, show the first picture."""
        self.room.publish("teacher", self.ingest)
        self.room.join(self.viewer)
        self.room.push(CAMERA, picture(0, KEY), self.time.now)
        self.transport.rtp.clear()

    def keyframes(self) -> int:
        parsed = [each for compound in self.asked for each in RtcpPacket.parse(compound)]
        return len([each for each in parsed if isinstance(each, RtcpPsfbPacket)])


@pytest.fixture
def lesson() -> Lesson:
    return Lesson()


def test_a_picture_leaves_whole(lesson: Lesson) -> None:
    lesson.begin()
    for sequence in (1, 2):
        lesson.room.push(CAMERA, picture(sequence, marker=False), lesson.time.now)
    assert lesson.transport.payloads() == []
    lesson.room.push(CAMERA, picture(3), lesson.time.now)
    assert len(lesson.transport.payloads()) == 3
    lesson.time.pass_by(1)
    assert len(lesson.transport.payloads()) == 3


@pytest.mark.parametrize(("kind", "hold"), [(CAMERA, VIDEO_HOLD_SECONDS), (VOICE, AUDIO_HOLD_SECONDS)])
def test_nothing_is_held_for_long(lesson: Lesson, kind: str, hold: float) -> None:
    lesson.begin()
    lesson.room.push(kind, picture(1, marker=False) if kind == CAMERA else sound(1), lesson.time.now)
    lesson.time.pass_by(hold - 0.001)
    assert lesson.transport.payloads() == []
    lesson.time.pass_by(0.001)
    assert len(lesson.transport.payloads()) == 1


def test_a_burst_has_an_end(lesson: Lesson) -> None:
    lesson.begin()
    for sequence in range(1, MAX_BURST_PACKETS):
        lesson.room.push(CAMERA, picture(sequence, marker=False), lesson.time.now)
    assert lesson.transport.payloads() == []
    lesson.room.push(CAMERA, picture(MAX_BURST_PACKETS, marker=False), lesson.time.now)
    assert len(lesson.transport.payloads()) == MAX_BURST_PACKETS


def test_live_is_told_with_the_first_packet_and_once(lesson: Lesson) -> None:
    lesson.room.publish("teacher", lesson.ingest)
    assert lesson.live == []
    lesson.begin()
    lesson.room.push(CAMERA, picture(1), lesson.time.now)
    assert lesson.live == [("teacher", True)]
    lesson.room.unpublish(lesson.ingest)
    lesson.room.unpublish(lesson.ingest)
    assert lesson.live == [("teacher", True), ("teacher", False)]


def test_a_publisher_without_media_counts_as_gone_until_it_sends_again(lesson: Lesson) -> None:
    lesson.begin()
    lesson.time.pass_by(SILENCE_SECONDS)
    lesson.room.tick(0, lesson.time.now)
    assert lesson.room.publisher_live
    lesson.time.pass_by(0.1)
    lesson.room.tick(0, lesson.time.now)
    lesson.room.tick(0, lesson.time.now)
    lesson.room.push(CAMERA, picture(1), lesson.time.now)
    assert lesson.live == [("teacher", True), ("teacher", False), ("teacher", True)]


def test_only_the_present_publisher_can_unpublish(lesson: Lesson) -> None:
    lesson.begin()
    lesson.room.unpublish(Ingest({VOICE: OPUS}, [], lesson.room, lesson.asked.append, RateAdvice(1, 1)))
    assert lesson.room.publisher_live


def test_keyframes_are_asked_for_at_most_twice_a_second_and_none_is_forgotten(lesson: Lesson) -> None:
    lesson.begin()
    for _ in range(10):
        lesson.room.ask_keyframe()
    assert lesson.keyframes() == 1
    lesson.time.pass_by(KEYFRAME_SECONDS - 0.01)
    lesson.room.tick(0, lesson.time.now)
    assert lesson.keyframes() == 1
    lesson.time.pass_by(0.01)
    lesson.room.tick(0, lesson.time.now)
    assert lesson.keyframes() == 2


def test_a_keyframe_that_came_is_not_asked_for_again(lesson: Lesson) -> None:
    lesson.begin()
    lesson.room.ask_keyframe()
    lesson.room.ask_keyframe()
    lesson.room.push(CAMERA, picture(1, KEY), lesson.time.now)
    lesson.time.pass_by(KEYFRAME_SECONDS)
    lesson.room.tick(0, lesson.time.now)
    assert lesson.keyframes() == 1


def test_who_waits_without_a_cached_picture_is_asked_for_until_one_comes(lesson: Lesson) -> None:
    lesson.room.publish("teacher", lesson.ingest)
    lesson.room.push(CAMERA, picture(1), lesson.time.now)
    lesson.room.join(lesson.viewer)
    assert lesson.keyframes() == 1
    lesson.time.pass_by(KEYFRAME_SECONDS)
    lesson.room.tick(0, lesson.time.now)
    assert lesson.keyframes() == 2
    lesson.room.push(CAMERA, picture(2, KEY), lesson.time.now)
    lesson.time.pass_by(KEYFRAME_SECONDS)
    lesson.room.tick(0, lesson.time.now)
    assert lesson.keyframes() == 2
    assert lesson.transport.payloads() == [KEY]


def test_a_joiner_with_a_fresh_cache_costs_no_keyframe(lesson: Lesson) -> None:
    lesson.begin()
    late = FakeTransport()
    lesson.room.join(lesson.new_viewer(late))
    assert late.payloads() == [KEY]
    assert lesson.keyframes() == 0


def test_sender_reports_go_to_every_viewer_every_few_seconds(lesson: Lesson) -> None:
    lesson.begin()
    lesson.room.tick(1 << 32, lesson.time.now)
    lesson.time.pass_by(REPORT_SECONDS - 0.1)
    lesson.room.tick(1 << 32, lesson.time.now)
    assert len(lesson.transport.rtcp) == 1
    lesson.time.pass_by(0.1)
    lesson.room.tick(1 << 32, lesson.time.now)
    reports = [each for each in RtcpPacket.parse(lesson.transport.rtcp[1]) if isinstance(each, RtcpSrPacket)]
    assert [each.ssrc for each in reports] == [lesson.room.slots[CAMERA].ssrc]


def test_an_empty_room_does_nothing(lesson: Lesson) -> None:
    lesson.room.join(lesson.viewer)
    lesson.room.ask_keyframe()
    lesson.room.tick(0, lesson.time.now)
    lesson.room.leave(lesson.viewer)
    assert (lesson.transport.rtcp, lesson.room.keyframes_asked, lesson.room.packets_in) == ([], 0, 0)


def test_a_hushed_slot_goes_nowhere_and_comes_back_at_a_keyframe(lesson: Lesson) -> None:
    lesson.begin()
    lesson.room.push(CAMERA, picture(1, marker=False), lesson.time.now)
    lesson.room.hush(frozenset({CAMERA}))
    lesson.time.pass_by(1)
    for sequence in (2, 3):
        lesson.room.push(CAMERA, picture(sequence), lesson.time.now)
        lesson.room.push(VOICE, sound(sequence), lesson.time.now)
    lesson.time.pass_by(1)
    assert len(lesson.transport.payloads()) == 2  # the voice alone
    assert lesson.room.publisher_live
    before = lesson.keyframes()
    lesson.room.hush(frozenset())
    lesson.room.push(CAMERA, picture(4), lesson.time.now)
    assert lesson.keyframes() == before + 1


def test_who_is_hushed_altogether_is_still_there(lesson: Lesson) -> None:
    lesson.begin()
    lesson.room.hush(frozenset({CAMERA, VOICE}))
    for _ in range(3):
        lesson.time.pass_by(SILENCE_SECONDS - 1)
        lesson.room.push(VOICE, sound(1), lesson.time.now)
        lesson.room.tick(0, lesson.time.now)
    assert lesson.live == [("teacher", True)]
    lesson.time.pass_by(SILENCE_SECONDS + 1)
    lesson.room.tick(0, lesson.time.now)
    assert lesson.live[-1] == ("teacher", False)
