"""Decides which packets each viewer gets: bursts to all, a cached picture to joiners, retransmissions to those who ask.

Pure but for `transport`, which seals and sends. Viewers of one shape share one layout of a burst.
"""

import secrets
from collections.abc import Callable, Mapping
from typing import Protocol

from aiortc.rtp import RTCP_PSFB_FIR, RTCP_PSFB_PLI, RtcpPsfbPacket, RtcpRtpfbPacket

from media import packets
from media.offer import Codec
from media.packets import VIDEO, Image, Item, Shape
from media.rtcp import read_compound
from media.slot import Slot

VIDEO_CLOCK_RATE = 90_000
CATCH_UP_PACKETS = 64
CATCH_UP_SQUEEZE = 32
LONG_GOP_PACKETS = 160
PATIENCE_SECONDS = 0.4
RESENDS_PER_SECOND = 512


class Transport(Protocol):
    """What a viewer is sent through."""

    tag: int

    def send_image(self, image: Image) -> None: ...
    def send_rtp(self, packet: bytes) -> None: ...
    def send_rtcp(self, packet: bytes) -> None: ...


class Viewer:
    """One viewer of a room. `codecs`: what it can be sent, by name."""

    def __init__(
        self,
        name: str,
        transport: Transport,
        codecs: Mapping[str, Codec],
        slots: Mapping[str, Slot],
        ask_keyframe: Callable[[], None],
    ) -> None:
        self.name = name
        self.transport = transport
        self.waiting = any(codec.clock_rate == VIDEO_CLOCK_RATE for codec in codecs.values())
        self.cursor = 0
        self.gop_number = 0
        self.anchor = 0
        self.patient_until = 0.0
        self.resent = 0
        self._codecs = codecs
        self._slots = {slot.ssrc: slot for slot in slots.values()}
        self._ask_keyframe = ask_keyframe
        self._rtx_sequence = {ssrc: secrets.randbelow(1 << 15) for ssrc in self._slots}
        self._resends_left = float(RESENDS_PER_SECOND)
        self._resends_at = 0.0

    def payload_type(self, slot: Slot) -> int:
        codec = self._codecs.get(slot.codec)
        return codec.payload_type if codec else 0

    def on_rtcp(self, compound: bytes, now: float) -> int:
        """Act on the viewer's feedback; the number of malformed packets in it."""
        found, malformed = read_compound(compound)
        for packet in found:
            if isinstance(packet, RtcpRtpfbPacket) and packet.media_ssrc in self._slots:
                self._resend(self._slots[packet.media_ssrc], packet.lost, now)
            elif isinstance(packet, RtcpPsfbPacket) and packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
                self._ask_keyframe()
        return malformed

    def _resend(self, slot: Slot, lost: list[int], now: float) -> None:
        refill = (now - self._resends_at) * RESENDS_PER_SECOND
        self._resends_left = min(float(RESENDS_PER_SECOND), self._resends_left + refill)
        self._resends_at = now
        codec = self._codecs.get(slot.codec)
        for sequence in lost if codec else ():
            packet = slot.history.get(sequence & 0xFFFF)
            if packet is None or self._resends_left < 1 or codec is None:
                continue
            self._resends_left -= 1
            self.resent += 1
            self.transport.send_rtp(self._wrapped(slot, codec, packet))

    def _wrapped(self, slot: Slot, codec: Codec, packet: bytes) -> bytes:
        if not codec.rtx:
            return packets.with_payload_type(packet, codec.payload_type)
        sequence = self._rtx_sequence[slot.ssrc] = (self._rtx_sequence[slot.ssrc] + 1) & 0xFFFF
        return packets.retransmission(packet, codec.rtx, sequence, slot.rtx_ssrc)


class FanOut:
    """All viewers of a room: those in step by shape, and those who wait for a picture to join at."""

    def __init__(self, video: Slot, audio: Slot) -> None:
        self._video, self._audio = video, audio
        self._codecs = ("", "")
        self._groups: dict[Shape, list[Viewer]] = {}
        self.viewers: dict[object, Viewer] = {}
        self.sent = 0

    @property
    def waiting(self) -> list[Viewer]:
        return [viewer for viewer in self.viewers.values() if viewer.waiting]

    def join(self, viewer: Viewer, now: float) -> None:
        self.viewers[viewer] = viewer
        viewer.patient_until = now + PATIENCE_SECONDS
        viewer.anchor = self._video.timestamp
        self._regroup()

    def leave(self, viewer: Viewer) -> None:
        if self.viewers.pop(viewer, None) is not None:
            self._regroup()

    def _regroup(self) -> None:
        self._groups = {}
        for viewer in self.viewers.values():
            self._groups.setdefault(self._shape(viewer), []).append(viewer)

    def _shape(self, viewer: Viewer) -> Shape:
        video = 0 if viewer.waiting else viewer.payload_type(self._video)
        return Shape(video, viewer.payload_type(self._audio), viewer.transport.tag)

    def send(self, burst: list[Item]) -> None:
        """Send one burst to every viewer in step, then let those who wait catch up."""
        if (self._video.codec, self._audio.codec) != self._codecs:
            self._codecs = (self._video.codec, self._audio.codec)
            self._regroup()
        for shape, viewers in self._groups.items():
            image = packets.layout(burst, shape) if burst else None
            if image is not None:
                self.sent += len(image.cells) * len(viewers)
                for viewer in viewers:
                    viewer.transport.send_image(image)

    def catch_up(self, now: float) -> bool:
        """Send joiners the next part of the cached pictures. True while someone has more to get.

        A long cache is worth less than the keyframe that was asked for: joiners wait a moment for that first.
        """
        behind = arrived = False
        for viewer in self.waiting:
            if not self._video.gop or not viewer.payload_type(self._video):
                continue
            if not viewer.cursor and len(self._video.gop) > LONG_GOP_PACKETS and now < viewer.patient_until:
                continue
            self._send_cached(viewer)
            viewer.waiting = viewer.cursor < len(self._video.gop)
            behind, arrived = behind or viewer.waiting, arrived or not viewer.waiting
        if arrived:
            self._regroup()
        return behind

    def _send_cached(self, viewer: Viewer) -> None:
        if viewer.gop_number != self._video.gop_number:
            viewer.gop_number, viewer.cursor = self._video.gop_number, 0
        part = self._video.gop[viewer.cursor : viewer.cursor + CATCH_UP_PACKETS]
        moved = [(VIDEO, packets.squeeze(packet, viewer.anchor, CATCH_UP_SQUEEZE)) for packet in part]
        image = packets.layout(moved, Shape(viewer.payload_type(self._video), 0, viewer.transport.tag))
        viewer.cursor += len(part)
        if image is not None:
            self.sent += len(image.cells)
            viewer.transport.send_image(image)
