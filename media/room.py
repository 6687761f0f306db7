"""Decides what happens in one room: one publisher, its slots, when a burst leaves, when a keyframe is asked for.

Pure: time comes in, `later` schedules. Keyframe requests are throttled because each one costs every viewer.
"""

from collections.abc import Callable
from typing import Protocol

from media.answer import CNAME, Ssrcs
from media.clock import ntp
from media.forwarder import LONG_GOP_PACKETS, FanOut, Viewer
from media.ingest import Ingest
from media.packets import AUDIO, MARKER, RTP_HEADER, VIDEO, Item
from media.rtcp import sender_reports
from media.slot import Arrival, Slot, Sync
from media.tap import NAMES, Tap

KEYFRAME_SECONDS = 0.5
SILENCE_SECONDS = 10.0
REPORT_SECONDS = 3.0
AUDIO_HOLD_SECONDS = 0.010
VIDEO_HOLD_SECONDS = 0.020
CATCH_UP_SECONDS = 0.010
MAX_BURST_PACKETS = 48


class Timer(Protocol):
    """A scheduled call that can be taken back."""

    def cancel(self) -> None: ...


Later = Callable[[float, Callable[[], None]], Timer]


class Room:
    """One room. `on_media` hears the publisher's name and whether its media is there, at each change.

    A publisher that is connected but has sent no media for SILENCE_SECONDS counts as gone until it does.
    """

    def __init__(
        self,
        name: str,
        later: Later,
        clock: Callable[[], float],
        on_media: Callable[[str, bool], None],
        ntp: Callable[[], int] = ntp,
    ) -> None:
        self.name = name
        self.slots = {VIDEO: Slot(VIDEO, 90_000), AUDIO: Slot(AUDIO, 48_000)}
        self.fan_out = FanOut(self.slots[VIDEO], self.slots[AUDIO])
        self.publisher: tuple[str, Ingest] | None = None
        self.publisher_live = False
        self.followers: list[str] = []
        self.keyframes_asked = 0
        self.taps: tuple[Tap, ...] = ()
        self._later, self._clock, self._ntp, self._on_media = later, clock, ntp, on_media
        self._burst: list[Item] = []
        self._timer: Timer | None = None
        self._keyframe_at = -KEYFRAME_SECONDS
        self._keyframe_due = False
        self._reported_at = 0.0
        self._media_at = 0.0

    @property
    def ssrcs(self) -> dict[str, Ssrcs]:
        return {kind: Ssrcs(slot.ssrc, slot.rtx_ssrc) for kind, slot in self.slots.items()}

    @property
    def packets_in(self) -> int:
        return sum(slot.packets for slot in self.slots.values())

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
            was_live = slot.live
            slot.silence()
            for tap in self.taps if was_live else ():
                tap.gone(NAMES[slot.kind])

    def attach(self, tap: Tap) -> None:
        """Let a consumer have every packet from now on; it begins at a keyframe, which it may ask for."""
        self.taps = (*self.taps, tap)
        self.ask_keyframe()

    def detach(self, tap: Tap) -> None:
        self.taps = tuple(each for each in self.taps if each is not tap)

    def push(self, kind: str, arrival: Arrival, now: float) -> None:
        """One packet of the publisher."""
        slot = self.slots[kind]
        gop_number = slot.gop_number
        packet = slot.push(arrival, now)
        if packet is None:
            return
        self._media_at = now
        self._set_live(True)
        if slot.gop_number != gop_number:
            self._keyframe_due = False
        self._burst.append((kind, packet))
        self._schedule(kind, packet)
        if self.taps:
            self._tell_taps(slot, arrival, packet)

    def _tell_taps(self, slot: Slot, arrival: Arrival, packet: bytes) -> None:
        _, _, sequence, timestamp, _ = RTP_HEADER.unpack_from(packet)
        moment = slot.moment(timestamp, self._ntp())
        for tap in self.taps:
            tap.packet(
                NAMES[slot.kind], slot.codec, sequence, timestamp, arrival.payload, moment, marker=arrival.marker
            )

    def _set_live(self, live: bool) -> None:
        if self.publisher is not None and self.publisher_live is not live:
            self.publisher_live = live
            self._on_media(self.publisher[0], live)

    def _schedule(self, kind: str, packet: bytes) -> None:
        ends_picture = kind == VIDEO and packet[1] & MARKER
        if ends_picture or len(self._burst) >= MAX_BURST_PACKETS:
            self.flush()
        elif self._timer is None:
            hold = AUDIO_HOLD_SECONDS if kind == AUDIO else VIDEO_HOLD_SECONDS
            self._timer = self._later(hold, self.flush)

    def flush(self) -> None:
        """Send what is held and move joiners forward."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        burst, self._burst = self._burst, []
        self.fan_out.send(burst)
        if self.fan_out.catch_up(self._clock()):
            self._timer = self._later(CATCH_UP_SECONDS, self.flush)

    def synchronise(self, kind: str, report: Sync, now: float) -> None:
        self.slots[kind].synchronise(report, now)

    def join(self, viewer: Viewer) -> None:
        self.fan_out.join(viewer, self._clock())
        if viewer.waiting and not 0 < len(self.slots[VIDEO].gop) <= LONG_GOP_PACKETS:
            self.ask_keyframe()
        self.flush()

    def leave(self, viewer: Viewer) -> None:
        self.fan_out.leave(viewer)

    def ask_keyframe(self) -> None:
        """Ask the publisher for a keyframe, at most once in KEYFRAME_SECONDS; a request too soon is kept for later."""
        if self.publisher is None or not self.slots[VIDEO].live:
            return
        now = self._clock()
        self._keyframe_due = now - self._keyframe_at < KEYFRAME_SECONDS
        if not self._keyframe_due:
            self._keyframe_at = now
            self.keyframes_asked += 1
            self.publisher[1].ask_keyframe()

    def tick(self, ntp_now: int, now: float) -> None:
        """Periodic work, every tenth of a second or so."""
        if self.publisher is None:
            return
        self.publisher[1].tick(now)
        if now - self._media_at > SILENCE_SECONDS:
            self._set_live(False)
        if self._keyframe_due or (self.fan_out.waiting and not self.slots[VIDEO].gop):
            self.ask_keyframe()
        if now - self._reported_at >= REPORT_SECONDS:
            self._reported_at = now
            self._report(ntp_now, now)

    def _report(self, ntp_now: int, now: float) -> None:
        compound = sender_reports(self.slots.values(), CNAME, ntp_now, now)
        for viewer in self.fan_out.viewers.values() if compound else ():
            viewer.transport.send_rtcp(compound)
