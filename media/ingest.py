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

from media import h264, packets
from media.clock import NTP_FRACTION
from media.offer import Codec, Sources
from media.rate import RateAdvice
from media.rtcp import read_compound
from media.slot import VIDEO_CLOCK_RATE, Arrival, Sync

NACK_SECONDS = 0.1
REPORT_SECONDS = 1.0
MAX_SEQUENCE_JUMP = 512
MAX_NACKED = 128
RTX_BYTES = 2
MAX_LEARNED = 64
#: a publisher's clock that is told to be further off than this was set meanwhile, or lies
CLOCK_SECONDS = 10
MOST_OFF = CLOCK_SECONDS * NTP_FRACTION
#: of a picture that is sent on; beyond it no phone has a decoder
MOST_PIXELS = 3_840 * 2_160
#: so many slices that refer to later pictures are no accident
B_SLICES = 3
NOTHING_SAID = Sources({}, {})


class Track:
    """One slot of a publisher: its codec, the SSRC heard last, its losses and its statistics."""

    def __init__(self, slot: str, codec: Codec) -> None:
        self.slot = slot
        self.codec = codec
        self.ssrc = 0
        self.nack = NackGenerator()
        self.statistics = StreamStatistics(codec.clock_rate)
        self.last_report = (0, 0.0)
        self.nacked_at = 0.0
        self.too_large = False

    @property
    def video(self) -> bool:
        return self.codec.clock_rate == VIDEO_CLOCK_RATE

    def takes(self, payload_type: int) -> bool:
        return payload_type in (self.codec.payload_type, self.codec.rtx)

    def jumps(self, sequence: int) -> bool:
        """Whether this is so far ahead of all before it that no repair makes sense."""
        newest = self.nack.max_seq
        return newest is not None and packets.newer(sequence, (newest + MAX_SEQUENCE_JUMP) & 0xFFFF)

    def follow(self, packet: RtpPacket) -> None:
        """Start anew when the source changed or jumped so far that no repair makes sense."""
        jumped = self.jumps(packet.sequence_number)
        if packet.ssrc != self.ssrc:
            self.ssrc, self.statistics = packet.ssrc, StreamStatistics(self.codec.clock_rate)
            self.nack, self.last_report = NackGenerator(), (0, 0.0)
        elif jumped:
            self.nack = NackGenerator()


class Sink(Protocol):
    """Where a publisher's packets go on: its room."""

    def push(self, name: str, arrival: Arrival, now: float) -> None: ...
    def synchronise(self, name: str, report: Sync, now: float) -> None: ...


class Ingest:
    """One publisher. `chosen`: its codec per slot. `send` takes RTCP in the clear."""

    def __init__(
        self,
        chosen: Mapping[str, Codec],
        extensions: list[RTCRtpHeaderExtensionParameters],
        sink: Sink,
        send: Callable[[bytes], None],
        rate: RateAdvice,
        sources: Sources = NOTHING_SAID,
    ) -> None:
        self.tracks = {slot: Track(slot, codec) for slot, codec in chosen.items()}
        self._sources = sources
        self._learned: dict[int, str] = {}
        self._sink, self._send, self._rate = sink, send, rate
        self._ssrc = secrets.randbelow((1 << 32) - 1) + 1
        self._extensions = HeaderExtensionsMap()
        self._extensions.configure(RTCRtpParameters(headerExtensions=extensions))
        self._ntp_offset: int | None = None
        self._reported_at = 0.0
        self._b_slices = 0
        self._trouble = ""

    def take_trouble(self) -> str:
        """What whoever publishes should know and change, once; "" when there is nothing."""
        trouble, self._trouble = self._trouble, ""
        return trouble

    def on_rtp(self, data: bytes, now: float) -> bool:
        """Take one packet. False when it is malformed or of a payload type that was not agreed."""
        try:
            packet = RtpPacket.parse(data, self._extensions)
        except (ValueError, struct.error, IndexError):
            return False
        advice = self._rate.add(packet, now)
        if advice is not None:
            self._send(bytes(RtcpPsfbPacket(RTCP_PSFB_APP, self._ssrc, 0, pack_remb_fci(*advice))))
        track = self._track(packet)
        if track is None:
            return False
        if packet.payload_type != track.codec.payload_type:
            return self._on_rtx(track, packet, now)
        if len(packet.payload) > packets.MAX_PACKET_BYTES:
            return False
        track.follow(packet)
        track.statistics.add(packet)
        self._take(track, packet, now)
        return True

    def _track(self, packet: RtpPacket) -> Track | None:
        """Whose packet it is: by its SSRC as announced, else by its MID, else by a payload type that only one has."""
        slot = self._sources.ssrcs.get(packet.ssrc) or self._learned.get(packet.ssrc)
        if slot is None:
            slot = self._sources.mids.get(packet.extensions.mid or "")
            if slot is not None:
                self._learned[packet.ssrc] = slot
                if len(self._learned) > MAX_LEARNED:
                    del self._learned[next(iter(self._learned))]
        if slot is not None:
            track = self.tracks.get(slot)
            return track if track is not None and track.takes(packet.payload_type) else None
        takers = [track for track in self.tracks.values() if track.takes(packet.payload_type)]
        return takers[0] if len(takers) == 1 else None

    def _on_rtx(self, track: Track, packet: RtpPacket, now: float) -> bool:
        if len(packet.payload) > packets.MAX_PACKET_BYTES + RTX_BYTES:
            return False
        if track.ssrc and len(packet.payload) >= RTX_BYTES:  # shorter ones only probe the bandwidth
            again = unwrap_rtx(packet, track.codec.payload_type, track.ssrc)
            if track.jumps(again.sequence_number):  # nothing is sent again that is so far ahead
                return False
            self._take(track, again, now)
        return True

    def _take(self, track: Track, packet: RtpPacket, now: float) -> None:
        if track.nack.add(packet) and track.video:
            self._ask_again(track, now)
        if track.codec.name == "H264" and self._b_slices < B_SLICES and h264.refers_forward(packet.payload):
            self._b_slices += 1
            if self._b_slices == B_SLICES:
                self._trouble = "b_frames"
        if track.video and self._is_too_large(track, packet.payload):
            return
        arrival = Arrival(
            source=(self._ssrc, packet.ssrc),
            codec=track.codec.name,
            marker=bool(packet.marker),
            sequence=packet.sequence_number,
            timestamp=packet.timestamp,
            payload=packet.payload,
        )
        self._sink.push(track.slot, arrival, now)

    def _is_too_large(self, track: Track, payload: bytes) -> bool:
        """Whether its pictures are larger than phones can show; forgotten as soon as they are not."""
        size = h264.size_in(payload) if track.codec.name == "H264" else packets.vp8_size(payload)
        if size is not None:
            track.too_large = size[0] * size[1] > MOST_PIXELS
            if track.too_large:
                self._trouble = "picture_too_large"
        return track.too_large

    def on_rtcp(self, compound: bytes, ntp_now: int, now: float) -> int:
        """Act on the publisher's reports; the number of malformed packets."""
        found, malformed = read_compound(compound)
        for packet in found:
            if isinstance(packet, RtcpSrPacket):
                self._on_report(packet, ntp_now, now)
        return malformed

    def _on_report(self, report: RtcpSrPacket, ntp_now: int, now: float) -> None:
        info = report.sender_info
        # one offset for all its streams keeps lips and voice together
        if self._ntp_offset is None or abs(info.ntp_timestamp + self._ntp_offset - ntp_now) > MOST_OFF:
            self._ntp_offset = ntp_now - info.ntp_timestamp
        for track in self.tracks.values():
            if track.ssrc == report.ssrc:
                track.last_report = ((info.ntp_timestamp >> 16) & 0xFFFFFFFF, now)
                ntp = info.ntp_timestamp + self._ntp_offset
                self._sink.synchronise(track.slot, Sync((self._ssrc, report.ssrc), ntp, info.rtp_timestamp), now)

    def ask_keyframe(self, slot: str) -> None:
        track = self.tracks.get(slot)
        if track is not None and track.ssrc:
            self._send(bytes(RtcpPsfbPacket(RTCP_PSFB_PLI, self._ssrc, track.ssrc)))

    def _ask_again(self, track: Track, now: float) -> None:
        missing = sorted(track.nack.missing)[:MAX_NACKED]
        if missing:
            self._send(bytes(RtcpRtpfbPacket(RTCP_RTPFB_NACK, self._ssrc, track.ssrc, missing)))
            track.nacked_at = now

    def tick(self, now: float) -> None:
        """Repeat NACKs and report reception when due."""
        for track in self.tracks.values():
            if track.video and now - track.nacked_at >= NACK_SECONDS:
                self._ask_again(track, now)
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
