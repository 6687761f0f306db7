"""Order, losses, clocks and silence."""

import pytest

from media.fmp4 import Muxer
from media.packets import AUDIO, VIDEO
from media.samples import SILENCE, Order, Picture, Sampler, Timeline, Voice, opus_ticks
from tests.media.reel import EPOCH, Arriving, feed, ntp, recording


class Kept:
    """Keeps samples as they come."""

    def __init__(self) -> None:
        self.pictures: list[Picture] = []
        self.voices: list[Voice] = []
        self.told: list[str] = []

    def picture(self, picture: Picture) -> None:
        self.pictures.append(picture)

    def voice(self, voice: Voice) -> None:
        self.voices.append(voice)

    def blind(self) -> None:
        self.told.append("blind")

    def cease(self) -> None:
        self.told.append("cease")


@pytest.fixture(scope="module")
def lesson() -> list[Arriving]:
    return recording(2)


@pytest.fixture
def kept() -> Kept:
    return Kept()


def sampled(kept: Kept, arriving: list[Arriving]) -> Sampler:
    sampler = Sampler(EPOCH, kept, audio=True)
    feed(sampler, arriving)
    return sampler


def test_what_comes_out_of_order_is_put_in_order(kept: Kept, lesson: list[Arriving]) -> None:
    shuffled = list(lesson)
    for at in range(20, len(shuffled) - 4, 4):
        shuffled[at : at + 3] = reversed(shuffled[at : at + 3])
    sampled(kept, shuffled)
    assert len(kept.pictures) == 60
    assert [voice.time for voice in kept.voices] == [index * 960 for index in range(100)]


def test_after_a_loss_no_picture_is_used_before_a_keyframe(kept: Kept, lesson: list[Arriving]) -> None:
    lost = next(each for each in lesson if each.kind == VIDEO and each.at > 0.9)
    sampler = sampled(kept, [each for each in lesson if each is not lost])
    assert len(kept.pictures) == pytest.approx(28, abs=1)
    assert sampler.wants_keyframe


def test_a_packet_that_is_sent_again_in_time_costs_nothing(kept: Kept, lesson: list[Arriving]) -> None:
    late = next(each for each in lesson if each.kind == VIDEO and each.at > 0.9)
    resent = [each for each in lesson if each is not late]
    resent.append(Arriving(VIDEO, late.packet, late.at + 0.2))
    sampled(kept, sorted(resent, key=lambda each: each.at))
    assert len(kept.pictures) == 60


def test_lost_voice_is_silence_and_late_voice_is_not_said_twice(kept: Kept, lesson: list[Arriving]) -> None:
    sampled(kept, [each for each in lesson if each.kind != AUDIO or not 0.5 < each.at < 0.6])
    assert [voice.time for voice in kept.voices] == [index * 960 for index in range(len(kept.voices))]
    assert len([voice for voice in kept.voices if voice.data == SILENCE]) == 4


def test_a_muted_microphone_is_silence(kept: Kept, lesson: list[Arriving]) -> None:
    sampled(kept, [each for each in lesson if each.kind == VIDEO])
    assert kept.voices[-1].time + 960 > 1.5 * 48_000
    assert {voice.data for voice in kept.voices} == {SILENCE}


def test_pictures_that_cease_are_told_once(kept: Kept, lesson: list[Arriving]) -> None:
    sampler = sampled(kept, lesson)
    for step in range(20):
        sampler.tick(ntp(2 + step / 5), 2 + step / 5)
    assert kept.told == ["blind"]
    sampler.cease()
    sampler.cease()
    assert kept.told == ["blind", "cease"]


def test_vp8_gives_no_picture(kept: Kept, lesson: list[Arriving]) -> None:
    feed(Sampler(EPOCH, kept, audio=True), lesson, codec="VP8")
    assert kept.pictures == []
    assert len(kept.voices) == 100


def test_ninety_minutes_of_clocks_that_drift_stay_together() -> None:
    """The two clocks of a publisher are 200 ppm apart; reports every three seconds say so."""
    video, audio = Timeline(90_000, EPOCH), Timeline(48_000, EPOCH)
    for second in range(0, 90 * 60, 3):
        moment = ntp(second)
        shown, heard = round(second * 90_000 * 1.0001), round(second * 48_000 * 0.9999)
        video.aim(moment, shown & 0xFFFFFFFF)
        audio.aim(moment, heard & 0xFFFFFFFF)
        apart = video.at(shown & 0xFFFFFFFF) / 90_000 - audio.at(heard & 0xFFFFFFFF) / 48_000
        assert abs(apart) <= 0.04
        assert video.at(shown & 0xFFFFFFFF) / 90_000 == pytest.approx(second, abs=0.021)


def test_a_missing_packet_is_waited_for_and_no_longer(lesson: list[Arriving]) -> None:
    order = Order(0.25)
    first, _, third = (each.packet for each in lesson if each.kind == AUDIO and each.at < 0.05)
    order.push(first, 0.0)
    order.push(third, 0.0)
    assert list(order.ready(0.2)) == [(first, False)]
    assert list(order.ready(0.25)) == [(third, True)]
    order.push(first, 0.3)
    assert list(order.ready(1)) == []


@pytest.mark.parametrize(
    ("packet", "ticks"),
    [(SILENCE, 960), (b"", 0), (b"\x00", 480), (b"\x7b\x03", 2_880), (b"\x1b\x3f", 0), (b"\xe0", 120)],
)
def test_an_opus_packet_says_how_long_it_is(packet: bytes, ticks: int) -> None:
    assert opus_ticks(packet) == ticks


def test_a_muxer_is_a_sink(lesson: list[Arriving]) -> None:
    muxer = Muxer(EPOCH, "opus", lambda _: None)
    feed(Sampler(EPOCH, muxer, audio=True), lesson)


def test_a_hole_of_hours_is_no_silence_of_hours(kept: Kept, lesson: list[Arriving]) -> None:
    hours = 12 * 3_600
    sampler = sampled(kept, [each for each in lesson if each.at < 1])
    sampler.aim(AUDIO, ntp(hours), 1_000)  # the publisher's clock was set
    feed(sampler, [each for each in lesson if each.at >= 1])
    assert kept.told == ["cease"]
    assert len(kept.voices) < 200
    assert kept.voices[-1].time >= hours * 48_000
    before = len(kept.voices)
    sampler.tick(ntp(2 * hours), 2.0 * hours)  # the machine slept
    assert kept.told == ["cease", "blind", "cease"]
    assert len(kept.voices) == before
