"""Decides what of RTCP is read and said: hostile bytes are counted, never raised (RFC 3550 section 6, RFC 4585)."""

import struct
from collections.abc import Iterable

from aiortc.rtp import (
    AnyRtcpPacket,
    RtcpPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
)

from media.slot import Slot

SDES_CNAME = 1


def read_compound(compound: bytes) -> tuple[list[AnyRtcpPacket], int]:
    """The packets of a compound and how many compounds of it were malformed (0 or 1)."""
    try:
        return RtcpPacket.parse(compound), 0
    except (ValueError, struct.error, IndexError):
        return [], 1


def sender_reports(slots: Iterable[tuple[Slot, int]], cname: str, ntp_now: int, now: float) -> bytes:
    """One compound with a sender report for each live slot, its timestamp moved by so much, and their common name.

    Empty when none is live.
    """
    reports = b""
    named: list[RtcpSourceInfo] = []
    for slot, moved in slots:
        if slot.live:
            ntp, timestamp = slot.report(ntp_now, now)
            slot.said(ntp, now)
            timestamp = (timestamp + moved) & 0xFFFFFFFF
            info = RtcpSenderInfo(ntp, timestamp, slot.packets & 0xFFFFFFFF, slot.octets & 0xFFFFFFFF)
            reports += bytes(RtcpSrPacket(slot.ssrc, info))
            named.append(RtcpSourceInfo(slot.ssrc, [(SDES_CNAME, cname.encode())]))
    # One SDES per source: aiortc pads a packet of several chunks only at its end.
    return reports + b"".join(bytes(RtcpSdesPacket([source])) for source in named)
