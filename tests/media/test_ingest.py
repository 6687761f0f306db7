"""What a publisher is told, and what of its packets goes on."""

from typing import Any

from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import (
    RTCP_PSFB_APP,
    HeaderExtensionsMap,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    RtpPacket,
    unpack_remb_fci,
    wrap_rtx,
)

from media.answer import ABS_SEND_TIME, MID
from media.ingest import MAX_LEARNED, MAX_SEQUENCE_JUMP, NACK_SECONDS, REPORT_SECONDS, Ingest
from media.offer import Sources
from media.packets import MAX_PACKET_BYTES
from media.rate import RateAdvice
from media.slot import Arrival, Sync
from media.tap import CAMERA, CAMERA_LOW, SCREEN, VOICE
from tests.media.clients import main_profile, picture_of
from tests.media.fakes import H264, OPUS
from tests.media.reel import payloads


class Publisher:
    """An ingest whose room and whose way back are lists."""

    def __init__(self) -> None:
        self.pushed: list[tuple[str, Arrival]] = []
        self.reports: list[tuple[str, Sync]] = []
        self.told: list[Any] = []
        extensions = [RTCRtpHeaderExtensionParameters(id=2, uri=ABS_SEND_TIME)]
        self.ingest = Ingest({CAMERA: H264, VOICE: OPUS}, extensions, self, self._send, RateAdvice(1_200, 2_500))

    def push(self, kind: str, arrival: Arrival, now: float) -> None:
        assert now >= 0
        self.pushed.append((kind, arrival))

    def synchronise(self, kind: str, report: Sync, now: float) -> None:
        assert now >= 0
        self.reports.append((kind, report))

    def _send(self, compound: bytes) -> None:
        self.told += RtcpPacket.parse(compound)

    def video(self, *sequences: int, ssrc: int = 5, now: float = 0.0) -> None:
        for sequence in sequences:
            assert self.ingest.on_rtp(packet(sequence, ssrc).serialize(), now)

    def numbers(self) -> list[int]:
        return [arrival.sequence for _, arrival in self.pushed]

    def nacked(self) -> list[list[int]]:
        return [each.lost for each in self.told if isinstance(each, RtcpRtpfbPacket)]


def packet(sequence: int, ssrc: int = 5, payload: bytes = b"\x61data") -> RtpPacket:
    return RtpPacket(108, 1, sequence & 0xFFFF, sequence * 3_000, ssrc, payload)


def test_packets_go_on_as_they_came() -> None:
    publisher = Publisher()
    publisher.video(7)
    assert publisher.ingest.on_rtp(RtpPacket(111, 0, 1, 960, 6, b"voice").serialize(), 0.0)
    (video, first), (audio, second) = publisher.pushed
    assert (video, first.codec, first.marker, first.sequence, first.timestamp, first.payload) == (
        CAMERA,
        "H264",
        True,
        7,
        21_000,
        b"\x61data",
    )
    assert (audio, second.codec, second.payload) == (VOICE, "OPUS", b"voice")
    assert first.source != second.source


def test_a_gap_is_asked_for_at_once_and_again_until_it_is_filled() -> None:
    publisher = Publisher()
    publisher.video(1, 2, 5)
    assert publisher.nacked() == [[3, 4]]
    publisher.ingest.tick(NACK_SECONDS / 2)
    assert publisher.nacked() == [[3, 4]]
    publisher.video(3)
    publisher.ingest.tick(NACK_SECONDS)
    assert publisher.nacked() == [[3, 4], [4]]
    rtx = wrap_rtx(packet(4), 109, 1, 9)
    assert publisher.ingest.on_rtp(rtx.serialize(), 0.2)
    publisher.ingest.tick(1.0)
    assert publisher.nacked() == [[3, 4], [4]]
    assert publisher.numbers() == [1, 2, 5, 3, 4]
    assert publisher.pushed[-1][1].payload == b"\x61data"


def test_a_jump_too_far_or_a_new_source_is_no_loss() -> None:
    publisher = Publisher()
    publisher.video(1, 1 + MAX_SEQUENCE_JUMP + 1)
    publisher.video(40_000, ssrc=6)
    assert publisher.nacked() == []
    assert len({arrival.source for _, arrival in publisher.pushed}) == 2


def test_probes_are_no_media_and_strange_packets_are_refused() -> None:
    publisher = Publisher()
    publisher.video(1)
    assert publisher.ingest.on_rtp(RtpPacket(109, 0, 1, 0, 9, b"").serialize(), 0.0)
    assert not publisher.ingest.on_rtp(RtpPacket(3, 0, 1, 0, 9, b"x").serialize(), 0.0)
    assert not publisher.ingest.on_rtp(b"\x80", 0.0)
    assert publisher.ingest.on_rtp(packet(2, payload=bytes(MAX_PACKET_BYTES)).serialize(), 0.0)
    assert not publisher.ingest.on_rtp(packet(3, payload=bytes(MAX_PACKET_BYTES + 1)).serialize(), 0.0)
    assert publisher.numbers() == [1, 2]


def test_an_early_retransmission_has_nothing_to_repair() -> None:
    publisher = Publisher()
    assert publisher.ingest.on_rtp(wrap_rtx(packet(4), 109, 1, 9).serialize(), 0.0)
    assert publisher.pushed == []


def test_reception_is_reported_each_second() -> None:
    publisher = Publisher()
    publisher.video(1, 2, 4, now=1.0)
    report = RtcpSrPacket(5, RtcpSenderInfo(ntp_timestamp=7 << 32, rtp_timestamp=9_000, packet_count=3, octet_count=9))
    assert publisher.ingest.on_rtcp(bytes(report), 50 << 32, 1.0) == 0
    publisher.ingest.tick(1.5)
    publisher.ingest.tick(1.5 + REPORT_SECONDS - 0.1)
    (found,) = [each for each in publisher.told if isinstance(each, RtcpRrPacket)]
    (reception,) = found.reports
    assert (reception.ssrc, reception.highest_sequence, reception.packets_lost) == (5, 4, 1)
    assert (reception.lsr, reception.dlsr) == (7 << 16, 32_768)


def test_all_sources_are_moved_to_our_clock_by_one_offset() -> None:
    publisher = Publisher()
    publisher.video(1)
    assert publisher.ingest.on_rtp(RtpPacket(111, 0, 1, 960, 6, b"voice").serialize(), 0.0)
    for ssrc, ntp, ours in ((5, 100, 1_000), (6, 150, 5_000)):
        publisher.ingest.on_rtcp(bytes(RtcpSrPacket(ssrc, RtcpSenderInfo(ntp, 3, 0, 0))), ours, 0.0)
    assert [(kind, report.ntp) for kind, report in publisher.reports] == [(CAMERA, 1_000), (VOICE, 1_050)]
    assert publisher.ingest.on_rtcp(b"\x80\xc8\x00\x09", 0, 0.0) == 1


def test_send_times_bring_advice_on_the_rate() -> None:
    publisher = Publisher()
    for index in range(200):
        now = index * 0.05
        extension = b"\xbe\xde\x00\x01\x22" + (int(now * (1 << 18)) & 0xFFFFFF).to_bytes(3, "big")
        head = b"\x90\x6c" + index.to_bytes(2, "big") + bytes(4) + (5).to_bytes(4, "big")
        assert publisher.ingest.on_rtp(head + extension + bytes(1_000), now)
    advice = [each for each in publisher.told if isinstance(each, RtcpPsfbPacket) and each.fmt == RTCP_PSFB_APP]
    assert advice
    assert all(1_200_000 <= unpack_remb_fci(each.fci)[0] * 1.01 <= 2_525_000 for each in advice)


def test_a_keyframe_is_asked_of_the_source_heard_last() -> None:
    publisher = Publisher()
    publisher.ingest.ask_keyframe(CAMERA)
    assert publisher.told == []
    publisher.video(1)
    publisher.video(1, ssrc=6)
    publisher.ingest.ask_keyframe(CAMERA)
    assert [each.media_ssrc for each in publisher.told] == [6]


def several(sources: Sources) -> tuple[Publisher, Ingest]:
    """A publisher of three pictures that share their payload types."""
    publisher = Publisher()
    extensions = [RTCRtpHeaderExtensionParameters(id=4, uri=MID)]
    chosen = {VOICE: OPUS, CAMERA: H264, CAMERA_LOW: H264, SCREEN: H264}
    return publisher, Ingest(chosen, extensions, publisher, publisher._send, RateAdvice(1_200, 2_500), sources)


def test_pictures_are_told_apart_by_what_the_offer_announced_and_those_of_nobody_are_refused() -> None:
    publisher, ingest = several(Sources({5: CAMERA, 6: CAMERA_LOW, 7: SCREEN, 77: SCREEN}, {}))
    for ssrc in (5, 6, 7):
        assert ingest.on_rtp(packet(1, ssrc).serialize(), 0.0)
    assert ingest.on_rtp(wrap_rtx(packet(2, 7), 109, 1, 77).serialize(), 0.0)
    assert not ingest.on_rtp(packet(1, 8).serialize(), 0.0)
    assert not ingest.on_rtp(RtpPacket(111, 0, 1, 960, 5, b"voice").serialize(), 0.0)
    assert [slot for slot, _ in publisher.pushed] == [CAMERA, CAMERA_LOW, SCREEN, SCREEN]
    ingest.ask_keyframe(CAMERA_LOW)
    assert publisher.told[-1].media_ssrc == 6
    ingest.on_rtp(packet(5, 6).serialize(), 0.5)
    assert publisher.told[-1].media_ssrc == 6
    assert publisher.nacked() == [[2, 3, 4]]


def test_without_announced_sources_a_mid_says_whose_it_is_once() -> None:
    publisher, ingest = several(Sources({}, {"2": CAMERA_LOW}))
    extensions = HeaderExtensionsMap()
    extensions.configure(RTCRtpParameters(headerExtensions=[RTCRtpHeaderExtensionParameters(id=4, uri=MID)]))
    first = packet(1, 6)
    first.extensions.mid = "2"
    assert not ingest.on_rtp(packet(1, 6).serialize(), 0.0)
    assert ingest.on_rtp(first.serialize(extensions), 0.0)
    assert ingest.on_rtp(packet(2, 6).serialize(), 0.0)
    for stranger in range(100, 100 + MAX_LEARNED):
        first.ssrc = stranger
        assert ingest.on_rtp(first.serialize(extensions), 0.0)
    assert not ingest.on_rtp(packet(3, 6).serialize(), 0.0)
    assert {slot for slot, _ in publisher.pushed} == {CAMERA_LOW}


def test_whoever_publishes_hears_of_b_frames_once() -> None:
    publisher = Publisher()
    pictures = [payload for picture in main_profile(30, 2) for payload in payloads(picture)]
    for number, payload in enumerate(pictures):
        assert publisher.ingest.on_rtp(packet(number, payload=payload).serialize(), 0.0)
    assert publisher.ingest.take_trouble() == "b_frames"
    for number, payload in enumerate(pictures, len(pictures)):
        publisher.ingest.on_rtp(packet(number, payload=payload).serialize(), 0.0)
    assert publisher.ingest.take_trouble() == ""
    assert len(publisher.pushed) == 2 * len(pictures)


def test_pictures_without_b_frames_are_no_trouble() -> None:
    publisher = Publisher()
    for number, picture in enumerate(main_profile(30, 0)):
        for payload in payloads(picture):
            publisher.ingest.on_rtp(packet(number, payload=payload).serialize(), 0.0)
    assert publisher.ingest.take_trouble() == ""


def test_pictures_that_no_phone_can_show_are_not_passed_on_until_they_are_smaller() -> None:
    publisher = Publisher()
    number = 0
    for size, passed in (((7_680, 4_320), False), ((640, 368), True), ((4_096, 2_304), False)):
        pushed = len(publisher.pushed)
        for payload in payloads(picture_of(*size)):
            number += 1
            assert publisher.ingest.on_rtp(packet(number, payload=payload).serialize(), 0.0)
        assert (len(publisher.pushed) > pushed) is passed
        assert publisher.ingest.take_trouble() == ("" if passed else "picture_too_large")


def test_nothing_is_sent_again_that_is_far_ahead() -> None:
    publisher = Publisher()
    publisher.video(1)
    for number, sequence in enumerate((30_000, 20_000, 2_000)):
        again = wrap_rtx(packet(sequence), H264.rtx, number, 9).serialize()
        assert not publisher.ingest.on_rtp(again, 0.0)
    assert publisher.nacked() == []
    assert publisher.numbers() == [1]
    assert publisher.ingest.on_rtp(wrap_rtx(packet(2), H264.rtx, 4, 9).serialize(), 0.0)
    assert publisher.numbers() == [1, 2]
