"""What reports say of a line: the worst stream counts, one bad second does not, and what is old says nothing."""

from dataclasses import dataclass

import pytest

from media.clock import NTP_FRACTION
from media.reception import FRESH_SECONDS, Reception, Reports
from media.slot import AUDIO_CLOCK_RATE, MAX_SAID, VIDEO_CLOCK_RATE, Slot
from media.tap import CAMERA, VOICE


@dataclass
class Report:
    fraction_lost: int = 0
    highest_sequence: int = 1
    jitter: int = 0
    lsr: int = 0
    dlsr: int = 0


@pytest.fixture
def camera() -> Slot:
    return Slot(CAMERA, VIDEO_CLOCK_RATE)


def test_nothing_said_is_nothing_known() -> None:
    assert Reports().now(5.0) == Reception(None, None, None, False)


def test_the_worst_of_picture_and_voice_counts(camera: Slot) -> None:
    reports = Reports()
    reports.take(1, Report(0, 1, 900), camera, 10.0)
    reports.take(2, Report(64, 1, 9_600), Slot(VOICE, AUDIO_CLOCK_RATE), 10.0)
    assert reports.now(10.0) == Reception(0.25, 200, None, True)


def test_one_bad_second_is_not_a_bad_line_and_many_are(camera: Slot) -> None:
    reports = Reports()
    for number, lost in enumerate([0, 0, 0, 26]):
        reports.take(1, Report(lost, number), camera, float(number))
    assert (reports.now(4.0).loss or 0) < 0.05
    for number in range(10):
        reports.take(1, Report(26, 9 + number), camera, 4.0 + number)
    assert (reports.now(14.0).loss or 0) > 0.09


def test_the_round_trip_is_without_the_receivers_own_delay(camera: Slot) -> None:
    reports, ntp = Reports(), (1_000 << 32) + NTP_FRACTION // 2
    camera.said(ntp, 20.0)
    report = Report(lsr=(ntp >> 16) & 0xFFFFFFFF, dlsr=65_536 // 2)
    reports.take(1, report, camera, 20.6)
    reports.take(1, report, camera, 20.62)
    assert reports.now(21.0).round_trip_ms in (100, 120)
    reports.take(1, Report(lsr=7, highest_sequence=2), camera, 21.0)  # a report that was never ours
    assert reports.now(21.0).round_trip_ms == 120


def test_a_stream_that_does_not_go_on_shows_no_picture(camera: Slot) -> None:
    reports = Reports()
    for second in range(int(FRESH_SECONDS) + 3):
        reports.take(1, Report(highest_sequence=9), camera, float(second))
    assert reports.now(FRESH_SECONDS + 2).picture is False
    reports.take(1, Report(highest_sequence=10), camera, 20.0)
    assert reports.now(20.0).picture is True
    assert reports.now(20.0 + FRESH_SECONDS + 1) == Reception()


def test_voice_alone_is_no_picture() -> None:
    reports = Reports()
    reports.take(2, Report(), Slot(VOICE, AUDIO_CLOCK_RATE), 1.0)
    assert reports.now(1.0).picture is False


def test_few_of_our_own_reports_are_remembered(camera: Slot) -> None:
    for second in range(2 * MAX_SAID):
        camera.said(second << 32, float(second))
    assert camera.said_at(0) is None
    assert camera.said_at((2 * MAX_SAID - 1) << 16) == 2 * MAX_SAID - 1
