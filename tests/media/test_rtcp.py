"""Compounds that are sent can be read; those that are read may be anything."""

from aiortc.rtp import RtcpPacket, RtcpSdesPacket, RtcpSrPacket
from hypothesis import given
from hypothesis import strategies as st

from media.rtcp import read_compound, sender_reports
from media.slot import Slot
from tests.media.fakes import KEY, picture, sound


def test_a_report_for_each_live_slot_under_one_name() -> None:
    video, audio, idle = Slot("video", 90_000), Slot("audio", 48_000), Slot("audio", 48_000)
    video.push(picture(1, KEY), 1.0)
    audio.push(sound(1), 1.0)
    found = RtcpPacket.parse(sender_reports([(video, 0), (audio, 0), (idle, 0)], "keshi", 7, 1.0))
    reports = [each for each in found if isinstance(each, RtcpSrPacket)]
    names = [each for each in found if isinstance(each, RtcpSdesPacket)]
    assert [(each.ssrc, each.sender_info.ntp_timestamp, each.sender_info.packet_count) for each in reports] == [
        (video.ssrc, 7, 1),
        (audio.ssrc, 7, 1),
    ]
    assert [(each.chunks[0].ssrc, each.chunks[0].items) for each in names] == [
        (slot.ssrc, [(1, b"keshi")]) for slot in (video, audio)
    ]
    assert sender_reports([(idle, 0)], "keshi", 7, 1.0) == b""


@given(st.binary(max_size=120), st.integers(200, 206), st.integers(0, 255))
def test_any_bytes_are_read_or_counted(junk: bytes, kind: int, count: int) -> None:
    framed = bytes([0x80 | count & 0x1F, kind]) + (len(junk) // 4).to_bytes(2, "big") + junk
    for compound in (junk, framed):
        found, malformed = read_compound(compound)
        assert malformed in (0, 1)
        assert not (found and malformed)
