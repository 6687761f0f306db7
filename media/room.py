"""Decides what happens in one room: one publisher, its slots, when a burst leaves, when a keyframe is asked for.

Pure: time comes in, `later` schedules. Keyframe requests are throttled because each one costs every viewer.
"""

from collections import Counter
from collections.abc import Callable
from typing import Protocol

from media.answer import CNAME, Ssrcs
from media.clock import ntp
from media.forwarder import LONG_GOP_PACKETS, FanOut, Viewer
from media.ingest import Ingest
from media.packets import MARKER, RTP_HEADER, Item
from media.rtcp import sender_reports
from media.slot import AUDIO_CLOCK_RATE, VIDEO_CLOCK_RATE, Arrival, Slot, Sync
from media.tap import CAMERA, CAMERA_LOW, SCREEN, VOICE, Tap

KEYFRAME_SECONDS = 0.5
SILENCE_SECONDS = 10.0
REPORT_SECONDS = 3.0
AUDIO_HOLD_SECONDS = 0.010
VIDEO_HOLD_SECONDS = 0.020
CATCH_UP_SECONDS = 0.010
MAX_BURST_PACKETS = 48
AIM_SECONDS = 1.0
#: a screen or a small picture of which nothing came for so long is not there any more
CEASED_SECONDS = 5.0


class Timer(Protocol):
    """A scheduled call that can be taken back."""

    def cancel(self) -> None: ...


Later = Callable[[float, Callable[[], None]], Timer]


class Room:
    """One room. `on_media` hears the publisher's name and whether its media is there, at each change.

    A publisher that is connected but has sent no media for SILENCE_SECONDS counts as gone until it does. `counts`: what
    was refused, by name.
    """

    def __init__(
        self,
        name: str,
        later: Later,
        clock: Callable[[], float],
        on_media: Callable[[str, bool], None],
        ntp: Callable[[], int] = ntp,
        counts: Counter[str] | None = None,
    ) -> None:
        self.name = name
        self._counts: Counter[str] = Counter() if counts is None else counts
        self.slots = slots()
        self.fan_out = FanOut(self.slots)
        self.publisher: tuple[str, Ingest] | None = None
        self.publisher_live = False
        self.followers: list[str] = []
        self.keyframes_asked = 0
        self.taps: tuple[Tap, ...] = ()
        self.hushed: frozenset[str] = frozenset()
        self._later, self._clock, self._ntp, self._on_media = later, clock, ntp, on_media
        self._burst: list[Item] = []
        self._timer: Timer | None = None
        self._unfinished: set[str] = set()
        self._keyframe_at: dict[str, float] = {}
        self._keyframe_due: set[str] = set()
        self._reported_at = self._aimed_at = 0.0
        self._media_at = 0.0

    @property
    def ssrcs(self) -> dict[str, Ssrcs]:
        return {name: Ssrcs(slot.ssrc, slot.rtx_ssrc) for name, slot in self.slots.items()}

    @property
    def packets_in(self) -> int:
        return sum(slot.packets for slot in self.slots.values())

    @property
    def published(self) -> frozenset[str]:
        """The slots that the publisher agreed to send."""
        return frozenset(self.publisher[1].tracks) if self.publisher else frozenset()

    def publish(self, name: str, ingest: Ingest) -> None:
        self.publisher, self.publisher_live = (name, ingest), False

    def unpublish(self, ingest: Ingest) -> None:
        """The publisher is gone; nothing happens if it is not the present one."""
        if self.publisher is None or self.publisher[1] is not ingest:
            return
        self._set_live(False)
        self.publisher = None
        self.flush()
        for slot in self.slots.values():
            self._silence(slot)
        self.fan_out.aim()

    def _silence(self, slot: Slot) -> None:
        was_live = slot.live
        slot.silence()
        for tap in self.taps if was_live else ():
            tap.gone(slot.name)

    def hush(self, names: frozenset[str]) -> None:
        """Send nothing of these slots on, whatever comes; of the others again."""
        self._burst = [item for item in self._burst if item[0] not in names]
        for name in names - self.hushed:
            self._silence(self.slots[name])
        self.hushed = names
        self.fan_out.aim()

    def attach(self, tap: Tap) -> None:
        """Let a consumer have every packet from now on; it begins at a keyframe, which it may ask for."""
        self.taps = (*self.taps, tap)
        self.ask_keyframe()

    def detach(self, tap: Tap) -> None:
        self.taps = tuple(each for each in self.taps if each is not tap)

    def push(self, name: str, arrival: Arrival, now: float) -> None:
        """One packet of the publisher, for this slot; of a hushed one it only says that the publisher is there."""
        if name in self.hushed:
            self._media_at = now
            self._set_live(True)
            return
        slot = self.slots[name]
        was_live, gop_number, jumps = slot.live, slot.gop_number, slot.jumps
        packet = slot.push(arrival, now)
        if slot.jumps != jumps:
            self._counts["timestamp_jump"] += 1
        if packet is None:
            self._counts["rtp_late"] += 1
            return
        self._media_at = now
        self._set_live(True)
        if slot.gop_number != gop_number:
            self._keyframe_due.discard(name)
        if not was_live:
            self.fan_out.aim()
            if slot.video and not slot.gop:  # hushed until now: it goes on in the middle
                self.ask_keyframe(name)
        self._burst.append((name, packet))
        self._schedule(slot, packet)
        if self.taps:
            self._tell_taps(slot, arrival, packet)

    def _tell_taps(self, slot: Slot, arrival: Arrival, packet: bytes) -> None:
        _, _, sequence, timestamp, _ = RTP_HEADER.unpack_from(packet)
        moment = slot.moment(timestamp, self._ntp())
        for tap in self.taps:
            tap.packet(slot.name, slot.codec, sequence, timestamp, arrival.payload, moment, marker=arrival.marker)

    def _set_live(self, live: bool) -> None:
        if self.publisher is not None and self.publisher_live is not live:
            self.publisher_live = live
            self._on_media(self.publisher[0], live)

    def _schedule(self, slot: Slot, packet: bytes) -> None:
        """Bursts end where pictures do; one picture does not cut another in pieces."""
        whole = slot.video and bool(packet[1] & MARKER)
        if whole:
            self._unfinished.discard(slot.name)
        elif slot.video:
            self._unfinished.add(slot.name)
        if (whole and not self._unfinished) or len(self._burst) >= MAX_BURST_PACKETS:
            self.flush()
        elif self._timer is None:
            hold = VIDEO_HOLD_SECONDS if slot.video else AUDIO_HOLD_SECONDS
            self._timer = self._later(hold, self.flush)

    def flush(self) -> None:
        """Send what is held and move joiners forward."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        burst, self._burst = self._burst, []
        self._unfinished.clear()
        self.fan_out.send(burst, self._ntp, self._clock())
        if self.fan_out.catch_up(self._clock()):
            self._timer = self._later(CATCH_UP_SECONDS, self.flush)

    def synchronise(self, name: str, report: Sync, now: float) -> None:
        self.slots[name].synchronise(report, now)

    def join(self, viewer: Viewer) -> None:
        self.fan_out.join(viewer, self._clock())
        for feed in viewer.feeds.values():
            if feed.waiting and not 0 < len(feed.slot.gop) <= LONG_GOP_PACKETS:
                self.ask_keyframe(feed.slot.name)
        self.flush()

    def leave(self, viewer: Viewer) -> None:
        self.fan_out.leave(viewer)

    def ask_keyframe(self, name: str = CAMERA) -> None:
        """Ask the publisher for a keyframe, at most once in KEYFRAME_SECONDS; a request too soon is kept for later."""
        if self.publisher is None or not self.slots[name].live:
            return
        now = self._clock()
        if now - self._keyframe_at.get(name, -KEYFRAME_SECONDS) < KEYFRAME_SECONDS:
            self._keyframe_due.add(name)
            return
        self._keyframe_due.discard(name)
        self._keyframe_at[name] = now
        self.keyframes_asked += 1
        self.publisher[1].ask_keyframe(name)

    def tick(self, ntp_now: int, now: float) -> None:
        """Periodic work, every tenth of a second or so."""
        if self.publisher is None:
            return
        self.publisher[1].tick(now)
        if now - self._media_at > SILENCE_SECONDS:
            self._set_live(False)
        for name in self._keyframe_due | self.fan_out.wanted():
            self.ask_keyframe(name)
        if now - self._aimed_at >= AIM_SECONDS:
            self._aimed_at = now
            self._look(now)
        if now - self._reported_at >= REPORT_SECONDS:
            self._reported_at = now
            self._report(ntp_now, now)

    def _look(self, now: float) -> None:
        """Notice what has ceased by itself (a screen no longer shared), and choose sizes."""
        for slot in (self.slots[CAMERA_LOW], self.slots[SCREEN]):
            if slot.live and slot.heard is not None and now - slot.heard > CEASED_SECONDS:
                self._silence(slot)
        self.fan_out.aim()

    def _report(self, ntp_now: int, now: float) -> None:
        """Each viewer hears of its own streams, in its own numbers."""
        for shape, viewers in self.fan_out.groups.items():
            moved = {shape.moved.slot: shape.moved.timestamp} if shape.moved else {}
            streams = [(self.slots[name], moved.get(name, 0)) for name, _ in shape.types]
            compound = sender_reports(streams, CNAME, ntp_now, now)
            for viewer in viewers if compound else ():
                viewer.transport.send_rtcp(compound)


def slots() -> dict[str, Slot]:
    """The slots of a room. Both sizes of the camera are one stream to viewers: one SSRC."""
    camera = Slot(CAMERA, VIDEO_CLOCK_RATE)
    low, screen = Slot(CAMERA_LOW, VIDEO_CLOCK_RATE, camera), Slot(SCREEN, VIDEO_CLOCK_RATE)
    return {VOICE: Slot(VOICE, AUDIO_CLOCK_RATE), CAMERA: camera, CAMERA_LOW: low, SCREEN: screen}
