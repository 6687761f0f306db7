"""Decides what a publisher's packets become and what it is told: NACK, REMB, receiver reports, keyframe requests.

The generators are aiortc's own; nothing is decoded (RFC 3550, RFC 4585, RFC 4588, draft-alvestrand-rmcat-remb-03).
"""

import secrets
import struct
from collections.abc import Callable, Mapping
from typing import Protocol

from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtcrtpreceiver import NackGenerator, StreamStatistics
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    HeaderExtensionsMap,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    RtpPacket,
    pack_remb_fci,
    unwrap_rtx,
)

from media import packets
from media.offer import Codec
from media.packets import VIDEO
from media.rate import RateAdvice
from media.rtcp import read_compound
from media.slot import Arrival, Sync

NACK_SECONDS = 0.1
REPORT_SECONDS = 1.0
MAX_SEQUENCE_JUMP = 512
MAX_NACKED = 128
RTX_BYTES = 2


class Track:
    """One kind of a publisher: its codec, the SSRC heard last, its losses and its statistics."""

    def __init__(self, kind: str, codec: Codec) -> None:
        self.kind = kind
        self.codec = codec
        self.ssrc = 0
        self.nack = NackGenerator()
        self.statistics = StreamStatistics(codec.clock_rate)
        self.last_report = (0, 0.0)
        self.heard = False

    def follow(self, packet: RtpPacket) -> None:
        """Start anew when the source changed or jumped so far that no repair makes sense."""
        jumped = self.nack.max_seq is not None and packets.newer(
            packet.sequence_number, (self.nack.max_seq + MAX_SEQUENCE_JUMP) & 0xFFFF
        )
        if packet.ssrc != self.ssrc:
            self.ssrc, self.statistics = packet.ssrc, StreamStatistics(self.codec.clock_rate)
            self.nack, self.last_report = NackGenerator(), (0, 0.0)
        elif jumped:
            self.nack = NackGenerator()


class Sink(Protocol):
    """Where a publisher's packets go on: its room."""

    def push(self, kind: str, arrival: Arrival, now: float) -> None: ...
    def synchronise(self, kind: str, report: Sync, now: float) -> None: ...


class Ingest:
    """One publisher. `chosen`: its codec per kind. `send` takes RTCP in the clear."""

    def __init__(
        self,
        chosen: Mapping[str, Codec],
        extensions: list[RTCRtpHeaderExtensionParameters],
        sink: Sink,
        send: Callable[[bytes], None],
        rate: RateAdvice,
    ) -> None:
        self.tracks = {kind: Track(kind, codec) for kind, codec in chosen.items()}
        self._by_type = {track.codec.payload_type: track for track in self.tracks.values()}
        self._by_rtx = {track.codec.rtx: track for track in self.tracks.values() if track.codec.rtx}
        self._sink, self._send, self._rate = sink, send, rate
        self._ssrc = secrets.randbelow((1 << 32) - 1) + 1
        self._extensions = HeaderExtensionsMap()
        self._extensions.configure(RTCRtpParameters(headerExtensions=extensions))
        self._ntp_offset: int | None = None
        self._nacked_at = self._reported_at = 0.0

    def on_rtp(self, data: bytes, now: float) -> bool:
        """Take one packet. False when it is malformed or of a payload type that was not agreed."""
        try:
            packet = RtpPacket.parse(data, self._extensions)
        except (ValueError, struct.error, IndexError):
            return False
        advice = self._rate.add(packet, now)
        if advice is not None:
            self._send(bytes(RtcpPsfbPacket(RTCP_PSFB_APP, self._ssrc, 0, pack_remb_fci(*advice))))
        track = self._by_type.get(packet.payload_type)
        if track is None:
            return self._on_rtx(packet, now)
        if len(packet.payload) > packets.MAX_PACKET_BYTES:
            return False
        track.follow(packet)
        track.statistics.add(packet)
        self._take(track, packet, now)
        return True

    def _on_rtx(self, packet: RtpPacket, now: float) -> bool:
        track = self._by_rtx.get(packet.payload_type)
        if track is None or len(packet.payload) > packets.MAX_PACKET_BYTES + RTX_BYTES:
            return False
        if track.ssrc and len(packet.payload) >= RTX_BYTES:  # shorter ones only probe the bandwidth
            self._take(track, unwrap_rtx(packet, track.codec.payload_type, track.ssrc), now)
        return True

    def _take(self, track: Track, packet: RtpPacket, now: float) -> None:
        track.heard = True
        if track.nack.add(packet) and track.kind == VIDEO:
            self._ask_again(track, now)
        arrival = Arrival(
            source=(self._ssrc, packet.ssrc),
            codec=track.codec.name,
            marker=bool(packet.marker),
            sequence=packet.sequence_number,
            timestamp=packet.timestamp,
            payload=packet.payload,
        )
        self._sink.push(track.kind, arrival, now)

    def on_rtcp(self, compound: bytes, ntp_now: int, now: float) -> int:
        """Act on the publisher's reports; the number of malformed packets."""
        found, malformed = read_compound(compound)
        for packet in found:
            if isinstance(packet, RtcpSrPacket):
                self._on_report(packet, ntp_now, now)
        return malformed

    def _on_report(self, report: RtcpSrPacket, ntp_now: int, now: float) -> None:
        info = report.sender_info
        if self._ntp_offset is None:  # one offset for all its streams keeps lips and voice together
            self._ntp_offset = ntp_now - info.ntp_timestamp
        for track in self.tracks.values():
            if track.ssrc == report.ssrc:
                track.last_report = ((info.ntp_timestamp >> 16) & 0xFFFFFFFF, now)
                ntp = info.ntp_timestamp + self._ntp_offset
                self._sink.synchronise(track.kind, Sync((self._ssrc, report.ssrc), ntp, info.rtp_timestamp), now)

    def ask_keyframe(self) -> None:
        track = self.tracks.get(VIDEO)
        if track is not None and track.ssrc:
            self._send(bytes(RtcpPsfbPacket(RTCP_PSFB_PLI, self._ssrc, track.ssrc)))

    def _ask_again(self, track: Track, now: float) -> None:
        missing = sorted(track.nack.missing)[:MAX_NACKED]
        if missing:
            self._send(bytes(RtcpRtpfbPacket(RTCP_RTPFB_NACK, self._ssrc, track.ssrc, missing)))
            self._nacked_at = now

    def tick(self, now: float) -> None:
        """Repeat NACKs and report reception when due."""
        video = self.tracks.get(VIDEO)
        if video is not None and now - self._nacked_at >= NACK_SECONDS:
            self._ask_again(video, now)
        if now - self._reported_at >= REPORT_SECONDS:
            self._reported_at = now
            reports = [_reception(track, now) for track in self.tracks.values() if track.statistics.max_seq is not None]
            if reports:
                self._send(bytes(RtcpRrPacket(self._ssrc, reports)))


def _reception(track: Track, now: float) -> RtcpReceiverInfo:
    statistics = track.statistics
    lsr, at = track.last_report
    return RtcpReceiverInfo(
        ssrc=track.ssrc,
        fraction_lost=statistics.fraction_lost,
        packets_lost=statistics.packets_lost,
        highest_sequence=(statistics.cycles + (statistics.max_seq or 0)) & 0xFFFFFFFF,
        jitter=min(max(statistics.jitter, 0), 0xFFFFFFFF),
        lsr=lsr,
        dlsr=min(int((now - at) * 65_536), 0xFFFFFFFF) if lsr else 0,
    )
