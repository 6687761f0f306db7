"""What others are told when a peer comes and goes."""

from media.endpoints import Publisher, Watcher
from media.forwarder import Viewer
from media.ingest import Ingest
from media.rate import RateAdvice
from media.room import Room
from media.tap import VOICE
from tests.media.fakes import CODECS, OPUS, FakeTime, FakeTransport


def room(live: list[tuple[str, bool]]) -> Room:
    time = FakeTime()
    return Room("lesson", time.later, time.clock, lambda name, is_live: live.append((name, is_live)))


def test_a_publisher_is_gone_only_if_its_media_was_there() -> None:
    live: list[tuple[str, bool]] = []
    lesson = room(live)
    ingest = Ingest({VOICE: OPUS}, [], lesson, lambda _: None, RateAdvice(1, 1))
    publisher = Publisher(lesson, "teacher", ingest)
    publisher.disconnected()
    publisher.connected()
    assert (lesson.publisher, live) == (("teacher", ingest), [])
    assert publisher.on_rtp(b"\x80\x6f" + bytes(10) + b"voice", 1.0) == 0
    assert publisher.on_rtp(b"", 1.0) == 1
    assert publisher.on_rtcp(b"\x80", 1.0) == 1
    publisher.disconnected()
    assert (lesson.publisher, live) == (None, [("teacher", True), ("teacher", False)])


def test_a_viewer_is_gone_only_if_it_was_there() -> None:
    lesson, live = room([]), list[bool]()
    viewer = Viewer("trainee", FakeTransport(), CODECS, lesson.slots, lesson.ask_keyframe)
    watcher = Watcher(lesson, viewer, live.append)
    watcher.disconnected()
    watcher.connected()
    assert (live, list(lesson.fan_out.viewers)) == ([True], [viewer])
    assert watcher.on_rtp(b"media from a viewer", 1.0) == 1
    watcher.disconnected()
    watcher.disconnected()
    assert live == [True, False]
    assert not lesson.fan_out.viewers
