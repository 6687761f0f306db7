"""Decides which packets each viewer gets: bursts to all, a cached picture to joiners, retransmissions to those who ask.

Pure but for `transport`, which seals and sends. Viewers of one shape share one layout of a burst.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from aiortc.rtp import RTCP_PSFB_FIR, RTCP_PSFB_PLI, RtcpPsfbPacket, RtcpRrPacket, RtcpRtpfbPacket

from media import packets
from media.acks import Acknowledged
from media.feed import Feed
from media.offer import Codec
from media.packets import Image, Item, Shape
from media.reception import Reports
from media.rtcp import read_compound
from media.size import Size
from media.slot import Slot
from media.tap import CAMERA, CAMERA_LOW, SCREEN, VOICE

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
    """One viewer of a room. `codecs`: what it can be sent, by name. `shown`: the slots it has a place for."""

    def __init__(
        self,
        name: str,
        transport: Transport,
        codecs: Mapping[str, Codec],
        slots: Mapping[str, Slot],
        ask_keyframe: Callable[[str], None],
        shown: Iterable[str] = (VOICE, CAMERA),
    ) -> None:
        self.name = name
        self.transport = transport
        self.size = Size()
        self.patient_until = 0.0
        self.resent = 0
        self.acknowledged = Acknowledged()
        self.reports = Reports()
        self.voice = slots[VOICE] if VOICE in shown else None
        pictures = any(codec.clock_rate == slots[CAMERA].clock_rate for codec in codecs.values())
        names = [name for name in (CAMERA, SCREEN) if pictures and name in shown]
        self.feeds = {name: Feed(slots[name]) for name in names}
        self._by_ssrc = {feed.ssrc: feed for feed in self.feeds.values()}
        self._codecs = codecs
        self._ask_keyframe = ask_keyframe
        self._rtx_sequence = {ssrc: secrets.randbelow(1 << 15) for ssrc in self._by_ssrc}
        self._resends_left = float(RESENDS_PER_SECOND)
        self._resends_at = 0.0

    @property
    def waiting(self) -> bool:
        """Whether it has yet to get its first picture of something that is there."""
        return any(feed.waiting and feed.slot.live for feed in self.feeds.values())

    def payload_type(self, slot: Slot) -> int:
        codec = self._codecs.get(slot.codec)
        return codec.payload_type if codec else 0

    def shape(self) -> Shape:
        """What it gets now."""
        slots = [feed.slot for feed in self.feeds.values() if not feed.waiting]
        slots += [self.voice] if self.voice else []
        types = tuple((slot.name, number) for slot in slots if (number := self.payload_type(slot)))
        return Shape(types, self.transport.tag, self.feeds[CAMERA].moved if CAMERA in self.feeds else None)

    def aim(self, low: Slot, high: Slot, screen: Slot) -> bool:
        """Choose the size of the camera: small beside a screen, after losses or where little is left.

        True when it is another stream from now on; where a keyframe has to come first, it is not yet.
        """
        feed = self.feeds.get(CAMERA)
        if feed is None:
            return False
        before = feed.slot
        small = self.size.small or self.size.held or (screen.live and SCREEN in self.feeds)
        wanted = low if small and low.live and self.payload_type(low) else high
        if feed.want(wanted):
            self._ask_keyframe(wanted.name)
        return feed.slot is not before

    def on_rtcp(self, compound: bytes, now: float) -> int:
        """Act on the viewer's feedback; the number of malformed packets in it."""
        found, malformed = read_compound(compound)
        for packet in found:
            if isinstance(packet, RtcpRtpfbPacket):
                self._resend(packet.media_ssrc, packet.lost, now)
            elif isinstance(packet, RtcpPsfbPacket) and packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
                feed = self._by_ssrc.get(packet.media_ssrc)
                self._ask_keyframe(feed.slot.name if feed else CAMERA)
            elif isinstance(packet, RtcpRrPacket):
                self._on_report(packet, now)
        return malformed

    def _on_report(self, packet: RtcpRrPacket, now: float) -> None:
        feed = self.feeds.get(CAMERA)
        for report in packet.reports:
            if feed is not None and report.ssrc == feed.ssrc:
                self.size.report(report.fraction_lost, now)
            slot = self._slot_of(report.ssrc)
            if slot is not None:
                self.acknowledged.report(report.ssrc, report, slot)
                self.reports.take(report.ssrc, report, slot, now)

    def _slot_of(self, ssrc: int) -> Slot | None:
        feed = self._by_ssrc.get(ssrc)
        if feed is not None:
            return feed.slot
        return self.voice if self.voice and self.voice.ssrc == ssrc else None

    def _resend(self, ssrc: int, lost: list[int], now: float) -> None:
        refill = (now - self._resends_at) * RESENDS_PER_SECOND
        self._resends_left = min(float(RESENDS_PER_SECOND), self._resends_left + refill)
        self._resends_at = now
        feed = self._by_ssrc.get(ssrc)
        slot = feed.slot if feed else self.voice
        codec = self._codecs.get(slot.codec) if slot and slot.ssrc == ssrc else None
        for sequence in lost[: packets.HISTORY_PACKETS] if codec else ():
            packet = self._lost(feed, sequence & 0xFFFF)
            if packet is None or self._resends_left < 1 or codec is None:
                continue
            self._resends_left -= 1
            self.resent += 1
            self.transport.send_rtp(self._wrapped(feed, codec, packet))

    def _lost(self, feed: Feed | None, sequence: int) -> bytes | None:
        if feed is not None:
            return feed.lost(sequence)
        return self.voice.history.get(sequence) if self.voice else None

    def _wrapped(self, feed: Feed | None, codec: Codec, packet: bytes) -> bytes:
        if not codec.rtx or feed is None:
            return packets.with_payload_type(packet, codec.payload_type)
        sequence = self._rtx_sequence[feed.ssrc] = (self._rtx_sequence[feed.ssrc] + 1) & 0xFFFF
        return packets.retransmission(packet, codec.rtx, sequence, feed.rtx_ssrc)


class FanOut:
    """All viewers of a room: those in step by shape, and those who wait for a picture to join at.

    Every packet has one fate for every viewer: `offered` + `cached` = `sent` + all of `withheld`.
    """

    def __init__(self, slots: Mapping[str, Slot]) -> None:
        self._slots = slots
        self._codecs: tuple[str, ...] = ()
        #: all viewers, by what they get
        self.groups: dict[Shape, list[Viewer]] = {}
        self._live: list[bool] = []
        self._sent_last: dict[Slot, tuple[int, int]] = {}
        self._moving: list[Viewer] = []
        self._waiting: list[Viewer] = []
        self.viewers: dict[object, Viewer] = {}
        #: packets of the room, once for each viewer there was; what joiners were given of earlier ones
        self.offered = self.cached = self.sent = 0
        #: "not_shown": a slot, size or codec that the viewer does not get now; "before_move": from before its keyframe
        self.withheld: Counter[str] = Counter()
        self._resent_to_gone = 0

    @property
    def waiting(self) -> list[Viewer]:
        return [viewer for viewer in self.viewers.values() if viewer.waiting]

    @property
    def resent(self) -> int:
        """Packets that were asked for again and sent, to those who left as well."""
        return self._resent_to_gone + sum(viewer.resent for viewer in self.viewers.values())

    def join(self, viewer: Viewer, now: float) -> None:
        self.viewers[viewer] = viewer
        viewer.patient_until = now + PATIENCE_SECONDS
        for feed in viewer.feeds.values():
            feed.anchor = feed.slot.timestamp
        self._aim(viewer)
        self._regroup()

    def leave(self, viewer: Viewer) -> None:
        if self.viewers.pop(viewer, None) is not None:
            self._resent_to_gone += viewer.resent
            self._regroup()

    def aim(self) -> None:
        """Choose the sizes anew, and forget what is long ago."""
        changed = self._live != [slot.live for slot in self._slots.values()]
        for viewer in self.viewers.values():
            changed |= self._aim(viewer)
            for feed in viewer.feeds.values():
                changed |= feed.settle()
        self._moving = [each for each in self.viewers.values() if CAMERA in each.feeds and each.feeds[CAMERA].moving]
        if changed:
            self._regroup()

    def wanted(self) -> set[str]:
        """The slots that somebody waits for a keyframe of."""
        pending = {viewer.feeds[CAMERA].wanted.name for viewer in self._moving}
        feeds = (feed for viewer in self._waiting for feed in viewer.feeds.values())
        return pending | {feed.slot.name for feed in feeds if feed.waiting and not feed.slot.gop}

    def _aim(self, viewer: Viewer) -> bool:
        return viewer.aim(self._slots[CAMERA_LOW], self._slots[CAMERA], self._slots[SCREEN])

    def _regroup(self) -> None:
        self.groups = {}
        self._live = [slot.live for slot in self._slots.values()]
        for viewer in self.viewers.values():
            self.groups.setdefault(viewer.shape(), []).append(viewer)
        self._waiting = self.waiting

    def send(self, burst: list[Item], ntp_now: Callable[[], int], now: float) -> None:
        """Send one burst to every viewer in step, then let those who wait catch up."""
        codecs = tuple(slot.codec for slot in self._slots.values())
        if codecs != self._codecs:
            self._codecs = codecs
            self._regroup()
        if self._moving:
            self._move(burst, ntp_now, now)
        for shape, viewers in self.groups.items():
            image = packets.layout(burst, shape) if burst else None
            self._count(burst, shape, len(image.cells) if image else 0, len(viewers))
            if image is not None:
                for viewer in viewers:
                    viewer.transport.send_image(image)
        for slot in self._slots.values():
            self._sent_last[slot] = slot.sequence, slot.timestamp

    def _count(self, burst: list[Item], shape: Shape, cells: int, viewers: int) -> None:
        """Note what becomes of a burst for so many viewers of one shape, who get so many packets of it."""
        self.offered += len(burst) * viewers
        self.sent += cells * viewers
        if cells < len(burst):
            shown = {slot for slot, _ in shape.types}
            others = sum(slot not in shown for slot, _ in burst)
            self.withheld["not_shown"] += others * viewers
            self.withheld["before_move"] += (len(burst) - others - cells) * viewers

    def _move(self, burst: list[Item], ntp_now: Callable[[], int], now: float) -> None:
        """Let those go over to another size for whom its keyframe begins in this burst."""
        moved = False
        for viewer in self._moving:
            feed = viewer.feeds[CAMERA]
            if not feed.may_move():
                continue
            first = feed.wanted.gop[0]
            if any(packet is first for _, packet in burst) and feed.slot in self._sent_last:
                feed.move(self._sent_last[feed.slot], ntp_now(), now)
                moved = True
            else:
                feed.missed()
        if moved:
            self._moving = [each for each in self._moving if each.feeds[CAMERA].moving]
            self._regroup()

    def catch_up(self, now: float) -> bool:
        """Send joiners the next part of the cached pictures. True while someone has more to get.

        A long cache is worth less than the keyframe that was asked for: joiners wait a moment for that first.
        """
        behind = arrived = False
        for viewer in self._waiting:
            for feed in viewer.feeds.values():
                if not feed.waiting or not feed.slot.gop or not viewer.payload_type(feed.slot):
                    continue
                if not feed.cursor and len(feed.slot.gop) > LONG_GOP_PACKETS and now < viewer.patient_until:
                    continue
                self._send_cached(viewer, feed)
                feed.waiting = feed.cursor < len(feed.slot.gop)
                behind, arrived = behind or feed.waiting, arrived or not feed.waiting
        if arrived:
            self._regroup()
        return behind

    def _send_cached(self, viewer: Viewer, feed: Feed) -> None:
        slot = feed.slot
        if feed.gop_number != slot.gop_number:
            feed.gop_number, feed.cursor = slot.gop_number, 0
        part = slot.gop[feed.cursor : feed.cursor + CATCH_UP_PACKETS]
        moved = [(slot.name, packets.squeeze(packet, feed.anchor, CATCH_UP_SQUEEZE)) for packet in part]
        image = packets.layout(moved, Shape(((slot.name, viewer.payload_type(slot)),), viewer.transport.tag))
        feed.cursor += len(part)
        if image is not None:
            self.cached += len(image.cells)
            self.sent += len(image.cells)
            viewer.transport.send_image(image)
