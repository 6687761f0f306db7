"""Who goes over to another size keeps one unbroken stream: in sequence, in time, and when packets come again."""

from itertools import pairwise

import pytest
from aiortc.rtp import RTCP_PSFB_PLI, RtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket, RtcpSrPacket, unwrap_rtx

from media.feed import SETTLED_PACKETS
from media.forwarder import Viewer
from media.ingest import Ingest
from media.rate import RateAdvice
from media.room import AIM_SECONDS, CEASED_SECONDS, Room
from media.slot import Arrival, Sync
from media.tap import CAMERA, CAMERA_LOW, SCREEN, VOICE
from tests.media.fakes import CODECS, DELTA, H264, KEY, OPUS, FakeTime, FakeTransport

SECOND = 1 << 32
FRAME = 1 / 30
START = {CAMERA: (65_000, 4_294_900_000), CAMERA_LOW: (100, 50_000), SCREEN: (7, 9)}


class Lesson:
    """A publisher of every slot and one viewer of all of them."""

    def __init__(self) -> None:
        self.time = FakeTime()
        self.ntp = 50 * SECOND
        self.asked: list[int] = []
        self.room = Room("lesson", self.time.later, self.time.clock, lambda _name, _live: None, lambda: self.ntp)
        chosen = {VOICE: OPUS, CAMERA: H264, CAMERA_LOW: H264, SCREEN: H264}
        self.ingest = Ingest(chosen, [], self.room, self._asked, RateAdvice(1, 1))
        for number, track in enumerate(self.ingest.tracks.values()):
            track.ssrc = number
        self.shown = FakeTransport()
        self.viewer = self.join(self.shown)
        self.room.publish("teacher", self.ingest)
        self.frame = 0

    def _asked(self, compound: bytes) -> None:
        found = RtcpPacket.parse(compound)
        self.asked += [each.media_ssrc for each in found if isinstance(each, RtcpPsfbPacket)]

    def join(self, transport: FakeTransport) -> Viewer:
        shown = (VOICE, CAMERA, SCREEN)
        viewer = Viewer("viewer", transport, CODECS, self.room.slots, self.room.ask_keyframe, shown)
        self.room.join(viewer)
        return viewer

    def pictures(self, *slots: str, count: int = 1, key: bool = False) -> None:
        """So many frames of each slot at the same moments; payloads say of which slot they are."""
        for _ in range(count):
            for slot in slots:
                sequence, timestamp = START[slot]
                payload = (KEY if key else DELTA) + slot.encode()
                numbers = (sequence + self.frame) & 0xFFFF, (timestamp + self.frame * 3_000) & 0xFFFFFFFF
                self.room.push(slot, Arrival(slot, "H264", True, *numbers, payload), self.time.now)
            self.frame += 1
            self.ntp += round(FRAME * SECOND)
            self.time.pass_by(FRAME)

    def look(self) -> None:
        """A second goes by without a packet."""
        self.time.pass_by(AIM_SECONDS)
        self.room.tick(self.ntp, self.time.now)

    def camera(self) -> list[tuple[int, int, bytes]]:
        ssrc = self.room.slots[CAMERA].ssrc
        return [(each.sequence_number, each.timestamp, each.payload) for each in self.shown.rtp if each.ssrc == ssrc]


@pytest.fixture
def lesson() -> Lesson:
    lesson = Lesson()
    lesson.pictures(CAMERA, CAMERA_LOW, key=True)
    lesson.pictures(CAMERA, CAMERA_LOW, count=5)
    return lesson


def small(lesson: Lesson) -> None:
    """The viewer goes over to the small picture."""
    lesson.viewer.size.small = True
    lesson.room.fan_out.aim()
    lesson.pictures(CAMERA, CAMERA_LOW, count=2)
    lesson.pictures(CAMERA_LOW, key=True)


def unbroken(found: list[tuple[int, int, bytes]]) -> None:
    assert [(b[0] - a[0]) & 0xFFFF for a, b in pairwise(found)] == [1] * (len(found) - 1)
    assert all(0 < (b[1] - a[1]) & 0xFFFFFFFF < 30_000 for a, b in pairwise(found))


def test_it_goes_over_at_a_fresh_keyframe_and_stays_one_stream(lesson: Lesson) -> None:
    before = len(lesson.camera())
    small(lesson)
    lesson.pictures(CAMERA, CAMERA_LOW, count=3)
    found = lesson.camera()
    unbroken(found)
    assert [payload for _, _, payload in found[before:]] == (
        [DELTA + b"camera"] * 2 + [KEY + b"camera_low"] + [DELTA + b"camera_low"] * 3
    )
    assert lesson.asked == [lesson.ingest.tracks[CAMERA_LOW].ssrc]


def test_one_moment_stays_one_moment(lesson: Lesson) -> None:
    room = lesson.room
    for slot, late in ((CAMERA, 0), (CAMERA_LOW, 900)):
        said = lesson.ntp, START[slot][1] + lesson.frame * 3_000 + late
        room.synchronise(slot, Sync(slot, *said), lesson.time.now)
    small(lesson)
    (_, large, _), (_, little, _) = lesson.camera()[-2:]
    assert (little - large) & 0xFFFFFFFF == 3_000 - 900


def test_reports_are_in_the_viewers_own_numbers(lesson: Lesson) -> None:
    small(lesson)
    lesson.look()
    reports = [each for each in RtcpPacket.parse(lesson.shown.rtcp[-1]) if isinstance(each, RtcpSrPacket)]
    (report,) = [each for each in reports if each.ssrc == lesson.room.slots[CAMERA].ssrc]
    last = lesson.camera()[-1][1]
    assert 0 <= (report.sender_info.rtp_timestamp - last) & 0xFFFFFFFF < 2 * 90_000


def test_what_was_lost_comes_again_from_either_side(lesson: Lesson) -> None:
    small(lesson)
    lesson.pictures(CAMERA, CAMERA_LOW)
    found = lesson.camera()[-3:]
    ssrc = lesson.room.slots[CAMERA].ssrc
    before = len(lesson.shown.rtp)
    lesson.viewer.on_rtcp(bytes(RtcpRtpfbPacket(1, 1, ssrc, [sequence for sequence, _, _ in found])), 1.0)
    again = [unwrap_rtx(packet, 108, ssrc) for packet in lesson.shown.rtp[before:]]
    assert [(each.sequence_number, each.timestamp, each.payload) for each in again] == found


def test_late_packets_from_before_are_not_sent(lesson: Lesson) -> None:
    lesson.frame += 1  # one of the small picture's is late
    missing = lesson.frame - 1
    small(lesson)
    before = lesson.camera()
    sequence, timestamp = START[CAMERA_LOW]
    late = Arrival(CAMERA_LOW, "H264", True, sequence + missing, timestamp + missing * 3_000, b"\x61late")
    lesson.room.push(CAMERA_LOW, late, lesson.time.now)
    assert lesson.camera() == before
    lesson.pictures(CAMERA_LOW, count=SETTLED_PACKETS)
    lesson.look()
    moved = lesson.viewer.feeds[CAMERA].moved
    assert moved is not None
    assert moved.first == -1
    lesson.pictures(CAMERA_LOW)
    unbroken(lesson.camera()[-100:-1])


def test_back_again_and_when_the_small_one_ceases(lesson: Lesson) -> None:
    small(lesson)
    lesson.pictures(CAMERA, count=200)
    assert lesson.time.now > CEASED_SECONDS
    lesson.look()
    lesson.pictures(CAMERA, count=2)
    assert lesson.camera()[-1][2] == KEY + b"camera_low"
    lesson.pictures(CAMERA, key=True)
    lesson.pictures(CAMERA)
    assert [payload for _, _, payload in lesson.camera()[-2:]] == [KEY + b"camera", DELTA + b"camera"]
    numbers = [sequence for sequence, _, _ in lesson.camera()]
    assert [(b - a) & 0xFFFF for a, b in pairwise(numbers)] == [1] * (len(numbers) - 1)


def test_beside_a_screen_the_camera_is_small_and_who_comes_later_begins_with_it(lesson: Lesson) -> None:
    lesson.pictures(SCREEN, key=True)
    lesson.pictures(CAMERA, CAMERA_LOW, SCREEN, key=True)
    lesson.pictures(CAMERA, CAMERA_LOW, SCREEN)
    assert lesson.camera()[-1][2] == DELTA + b"camera_low"
    assert lesson.shown.rtp[-1].ssrc == lesson.room.slots[SCREEN].ssrc
    late = FakeTransport()
    lesson.join(late)
    assert {packet.payload for packet in late.rtp} == {
        payload + name for payload in (KEY, DELTA) for name in (b"camera_low", b"screen")
    }


def test_a_request_for_a_keyframe_is_for_the_picture_it_names(lesson: Lesson) -> None:
    lesson.pictures(SCREEN, key=True)
    lesson.asked.clear()
    lesson.time.pass_by(1)
    lesson.viewer.on_rtcp(bytes(RtcpPsfbPacket(RTCP_PSFB_PLI, 1, lesson.room.slots[SCREEN].ssrc)), 0.0)
    assert lesson.asked == [lesson.ingest.tracks[SCREEN].ssrc]


def test_a_small_picture_does_not_cut_a_large_one_in_pieces(lesson: Lesson) -> None:
    before = len(lesson.camera())
    for slot, marker, sequence in ((CAMERA, False, 65_100), (CAMERA_LOW, True, 200), (CAMERA, True, 65_101)):
        assert len(lesson.camera()) == before
        lesson.room.push(slot, Arrival(slot, "H264", marker, sequence, 0, DELTA), lesson.time.now)
    assert len(lesson.camera()) == before + 2


def test_viewers_are_put_in_order_again_only_when_something_changed(lesson: Lesson) -> None:
    fan_out = lesson.room.fan_out
    lesson.look()
    groups = fan_out.groups
    lesson.look()
    assert fan_out.groups is groups
    small(lesson)
    assert fan_out.groups is not groups
    lesson.pictures(CAMERA, CAMERA_LOW, count=SETTLED_PACKETS)
    groups = fan_out.groups
    lesson.look()
    (shape,) = fan_out.groups
    assert shape.moved is not None
    assert shape.moved.first < 0
    assert fan_out.groups is not groups
    lesson.room.slots[CAMERA_LOW].silence()
    groups = fan_out.groups
    fan_out.aim()
    assert fan_out.groups is not groups
