"""What a consumer beside the viewers is told."""

from media.clock import NTP_FRACTION, NTP_UNIX_SECONDS
from media.ingest import Ingest
from media.rate import RateAdvice
from media.room import Room
from media.slot import Sync
from media.tap import CAMERA, VOICE
from tests.media.fakes import DELTA, H264, KEY, OPUS, FakeTime, picture, sound

NOW = 1_700_000_000


class Listening:
    def __init__(self) -> None:
        self.heard: list[tuple[str, str, int, int, bytes, float, bool]] = []
        self.silent: list[str] = []

    def packet(
        self, slot: str, codec: str, sequence: int, timestamp: int, payload: bytes, moment: float, *, marker: bool
    ) -> None:
        self.heard.append((slot, codec, sequence, timestamp, payload, moment, marker))

    def gone(self, slot: str) -> None:
        self.silent.append(slot)


def started() -> tuple[Room, Ingest, Listening]:
    time = FakeTime()
    ntp = (NOW + NTP_UNIX_SECONDS) * NTP_FRACTION
    room = Room("lesson", time.later, time.clock, lambda _name, _live: None, lambda: ntp)
    ingest = Ingest({CAMERA: H264, VOICE: OPUS}, [], room, lambda _: None, RateAdvice(1, 1))
    room.publish("teacher", ingest)
    listening = Listening()
    room.attach(listening)
    return room, ingest, listening


def test_a_tap_hears_the_rewritten_stream_without_a_break_when_the_source_changes() -> None:
    room, _, tap = started()
    room.push(CAMERA, picture(7, KEY), 100.0)
    room.push(CAMERA, picture(9_000, DELTA, marker=False, source=2), 100.1)
    room.push(VOICE, sound(1), 100.1)
    assert [(slot, codec, payload, marker) for slot, codec, _, _, payload, _, marker in tap.heard] == [
        (CAMERA, "H264", KEY, True),
        (CAMERA, "H264", DELTA, False),
        (VOICE, "OPUS", b"opus", False),
    ]
    assert tap.heard[1][2] - tap.heard[0][2] == 1
    assert tap.heard[1][3] - tap.heard[0][3] == 9_000
    assert [heard[5] for heard in tap.heard] == [NOW, NOW, NOW]


def test_moments_follow_the_reports_of_the_source() -> None:
    room, _, tap = started()
    room.push(CAMERA, picture(1, KEY), 100.0)
    captured = (NOW - 5 + NTP_UNIX_SECONDS) * NTP_FRACTION
    room.synchronise(CAMERA, Sync(1, captured, 3_000), 100.0)
    room.push(CAMERA, picture(31), 100.0)
    assert round(tap.heard[1][5] - NOW, 3) == -4


def test_a_tap_is_told_of_silence_of_what_was_heard_and_can_leave() -> None:
    room, ingest, tap = started()
    room.push(CAMERA, picture(1, KEY), 100.0)
    room.unpublish(ingest)
    assert tap.silent == [CAMERA]
    room.detach(tap)
    room.publish("teacher", ingest)
    room.push(CAMERA, picture(1, KEY, source=3), 101.0)
    assert len(tap.heard) == 1
