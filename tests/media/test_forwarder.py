"""Who gets which packets: those in step, joiners, those who lost some."""

from itertools import pairwise

import pytest
from aiortc.rtp import RTCP_PSFB_FIR, RTCP_PSFB_PLI, RtcpPsfbPacket, RtcpRtpfbPacket, unwrap_rtx

from media.forwarder import CATCH_UP_PACKETS, LONG_GOP_PACKETS, PATIENCE_SECONDS, RESENDS_PER_SECOND, FanOut, Viewer
from media.offer import Codec
from media.packets import HISTORY_PACKETS, Item
from media.room import slots
from media.slot import Arrival
from media.tap import CAMERA, VOICE
from tests.media.fakes import CODECS, H264, KEY, OPUS, FakeTransport, picture, sound

ALL = range(1, 1_000)


class Hall:
    """Two slots, a fan-out, and viewers with fake transports."""

    def __init__(self) -> None:
        self.slots = slots()
        self.fan_out = FanOut(self.slots)
        self.asked: list[str] = []

    def join(
        self,
        codecs: dict[str, Codec] | None = None,
        tag: int = 16,
        now: float = 0.0,
        shown: tuple[str, ...] = (VOICE, CAMERA),
    ) -> Viewer:
        viewer = Viewer(
            "viewer", FakeTransport(tag), CODECS if codecs is None else codecs, self.slots, self.asked.append
        )
        self.fan_out.join(viewer, now)
        return viewer

    def push(self, kind: str, *arrivals: Arrival, now: float = 0.0) -> list[Item]:
        burst = [(kind, packet) for each in arrivals if (packet := self.slots[kind].push(each, now))]
        self.fan_out.send(burst, lambda: 0, now)
        return burst


def payloads(viewer: Viewer) -> list[bytes]:
    assert isinstance(viewer.transport, FakeTransport)
    return viewer.transport.payloads()


def sent(viewer: Viewer) -> FakeTransport:
    assert isinstance(viewer.transport, FakeTransport)
    return viewer.transport


def test_pictures_wait_for_a_keyframe_and_voice_does_not() -> None:
    hall = Hall()
    viewer = hall.join()
    hall.push(CAMERA, picture(1))
    hall.push(VOICE, sound(1))
    assert not hall.fan_out.catch_up(0.0)
    assert payloads(viewer) == [b"opus"]
    hall.push(CAMERA, picture(2, KEY))
    assert not hall.fan_out.catch_up(0.0)
    hall.push(CAMERA, picture(3))
    assert payloads(viewer) == [b"opus", KEY, b"\x61delta"]
    assert [packet.payload_type for packet in sent(viewer).rtp] == [111, 108, 108]


def test_a_joiner_gets_the_cache_in_parts_and_nothing_twice_or_never() -> None:
    hall = Hall()
    hall.push(CAMERA, picture(0, KEY))
    for sequence in range(1, CATCH_UP_PACKETS + 10):
        hall.push(CAMERA, picture(sequence))
    viewer = hall.join()
    assert hall.fan_out.catch_up(0.0)
    hall.push(CAMERA, picture(CATCH_UP_PACKETS + 10))
    assert not hall.fan_out.catch_up(0.0)
    hall.push(CAMERA, picture(CATCH_UP_PACKETS + 11))
    numbers = [packet.sequence_number for packet in sent(viewer).rtp]
    assert numbers == [(numbers[0] + at) & 0xFFFF for at in range(CATCH_UP_PACKETS + 12)]
    times = [packet.timestamp for packet in sent(viewer).rtp]
    assert (times[-1] - times[0]) & 0xFFFFFFFF < 15_000
    assert all(0 <= (b - a) & 0xFFFFFFFF < 0x80000000 for a, b in pairwise(times))


def test_a_long_cache_is_second_choice_for_a_moment() -> None:
    hall = Hall()
    hall.push(CAMERA, picture(0, KEY), *(picture(sequence) for sequence in range(1, LONG_GOP_PACKETS + 1)))
    patient, served = hall.join(now=10.0), hall.join(now=10.0)
    hall.fan_out.catch_up(10.0 + PATIENCE_SECONDS - 0.01)
    assert payloads(patient) == []
    hall.fan_out.leave(served)
    hall.fan_out.catch_up(10.0 + PATIENCE_SECONDS)
    assert payloads(patient)[0] == KEY
    assert payloads(served) == []


def test_a_keyframe_in_the_middle_of_catching_up_starts_over_from_it() -> None:
    hall = Hall()
    hall.push(CAMERA, picture(0, KEY), *(picture(sequence) for sequence in range(1, CATCH_UP_PACKETS + 20)))
    viewer = hall.join()
    assert hall.fan_out.catch_up(0.0)
    hall.push(CAMERA, picture(CATCH_UP_PACKETS + 20, b"\x65new"))
    assert not hall.fan_out.catch_up(0.0)
    assert payloads(viewer)[CATCH_UP_PACKETS:] == [b"\x65new"]


def test_who_cannot_take_a_codec_gets_none_of_it_and_waits_for_nothing() -> None:
    hall = Hall()
    voice_only = hall.join({"OPUS": OPUS})
    vp8_only = hall.join({"VP8": H264})
    hall.push(CAMERA, picture(1, KEY))
    hall.push(VOICE, sound(1))
    assert not hall.fan_out.catch_up(0.0)
    assert (payloads(voice_only), payloads(vp8_only)) == ([b"opus"], [])
    assert hall.fan_out.waiting == [vp8_only]


def test_every_viewer_is_sent_its_own_payload_type() -> None:
    hall = Hall()
    other = Codec("OPUS", 48_000, 63, 0, OPUS.parameters)
    viewers = [hall.join(), hall.join({"OPUS": other}), hall.join(tag=10)]
    hall.push(VOICE, sound(1))
    assert [[packet.payload_type for packet in sent(viewer).rtp] for viewer in viewers] == [[111], [63], [111]]
    assert hall.fan_out.sent == 3


def test_every_packet_has_one_fate_for_every_viewer() -> None:
    hall = Hall()
    voice_only = hall.join({"OPUS": OPUS})
    early = hall.join()
    hall.push(CAMERA, picture(1))
    hall.push(VOICE, sound(1))
    hall.push(CAMERA, picture(2, KEY))
    hall.fan_out.catch_up(0.0)
    hall.push(CAMERA, picture(3), picture(4))
    late = hall.join()
    hall.fan_out.catch_up(0.0)
    hall.push(VOICE, sound(2))
    fan_out = hall.fan_out
    assert fan_out.sent == sum(len(payloads(each)) for each in (voice_only, early, late)) == 2 + 5 + 4
    assert (fan_out.offered, fan_out.cached, fan_out.withheld["not_shown"]) == (2 * 5 + 3, 1 + 3, 2 + 4)
    assert fan_out.offered + fan_out.cached == fan_out.sent + fan_out.withheld.total()


def test_what_was_sent_again_stays_counted_when_the_viewer_leaves() -> None:
    hall = Hall()
    viewer = hall.join()
    number = sent_number(hall.push(CAMERA, picture(1, KEY))[0])
    viewer.on_rtcp(nack(hall, CAMERA, number), 0.0)
    hall.fan_out.leave(viewer)
    hall.fan_out.leave(viewer)
    assert hall.fan_out.resent == 1


def nack(hall: Hall, kind: str, *lost: int) -> bytes:
    return bytes(RtcpRtpfbPacket(1, 1, hall.slots[kind].ssrc, list(lost)))


def test_lost_packets_come_again_by_rtx_or_as_they_were() -> None:
    hall = Hall()
    viewer, slot = hall.join(), hall.slots[CAMERA]
    burst = hall.push(CAMERA, picture(1, KEY), picture(2))
    first = sent_number(burst[0])
    assert viewer.on_rtcp(nack(hall, CAMERA, first, first + 1, first + 2), 1.0) == 0
    again = sent(viewer).rtp
    assert [(packet.payload_type, packet.ssrc) for packet in again] == [(109, slot.rtx_ssrc)] * 2
    assert [unwrap_rtx(packet, 0, slot.ssrc).serialize() for packet in again] == [packet for _, packet in burst]
    (_, voice), *_ = hall.push(VOICE, sound(1))
    viewer.on_rtcp(nack(hall, VOICE, sent_number((VOICE, voice))), 1.0)
    assert sent(viewer).rtp[-1].payload_type == 111
    assert viewer.resent == 3


def sent_number(item: Item) -> int:
    return int.from_bytes(item[1][2:4], "big")


def test_asking_again_and_again_has_a_limit_that_refills() -> None:
    hall = Hall()
    viewer = hall.join()
    number = sent_number(hall.push(CAMERA, picture(1, KEY))[0])
    for _ in ALL:
        viewer.on_rtcp(nack(hall, CAMERA, number), 0.0)
    assert viewer.resent == RESENDS_PER_SECOND
    viewer.on_rtcp(nack(hall, CAMERA, number), 0.5)
    assert viewer.resent == RESENDS_PER_SECOND + 1


@pytest.mark.parametrize("fmt", [RTCP_PSFB_PLI, RTCP_PSFB_FIR])
def test_a_request_for_a_keyframe_is_passed_on(fmt: int) -> None:
    hall = Hall()
    viewer = hall.join()
    assert viewer.on_rtcp(bytes(RtcpPsfbPacket(fmt, 1, hall.slots[CAMERA].ssrc)), 0.0) == 0
    assert hall.asked == [CAMERA]
    assert viewer.on_rtcp(b"\x80\xc9\x00\x05", 0.0) == 1


def test_as_many_lost_packets_are_looked_for_as_there_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    hall = Hall()
    hall.push(CAMERA, picture(0, KEY))
    viewer = hall.join()
    looked: list[int] = []
    monkeypatch.setattr(viewer.feeds[CAMERA], "lost", looked.append)
    report = RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=hall.slots[CAMERA].ssrc, lost=list(range(0, 60_000, 20)))
    assert viewer.on_rtcp(bytes(report), 1.0) == 0
    assert len(looked) == HISTORY_PACKETS
