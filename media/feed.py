"""Decides where a viewer is in a stream of pictures: before its first, in step, or on its way to another size.

Pure. Another size is another slot behind the same SSRC: the viewer goes there at a keyframe that comes after it was
wanted, never at a cached one, and from then on adds to the slot's numbers what keeps its own unbroken. The timestamp is
moved so that one moment stays one moment, and voice stays with the picture.
"""

from media.clock import NTP_FRACTION
from media.packets import RTP_HEADER, Moved, newer
from media.slot import Slot

PICTURE_TICKS = 3_000
SETTLED_PACKETS = 1_024


class Feed:
    """One viewer's stream of pictures, camera or screen."""

    def __init__(self, slot: Slot) -> None:
        self.ssrc, self.rtx_ssrc = slot.ssrc, slot.rtx_ssrc
        self.slot = self.wanted = slot
        self.waiting = True
        self.cursor = self.gop_number = 0
        self.anchor = slot.timestamp
        self.moved: Moved | None = None
        self._after = slot.gop_number
        self._former: tuple[Slot, Moved | None, int] | None = None

    @property
    def moving(self) -> bool:
        return self.wanted is not self.slot

    def want(self, slot: Slot) -> bool:
        """Get pictures from there as soon as possible. True when it takes a keyframe."""
        if slot is self.wanted:
            return False
        self.wanted, self._after = slot, slot.gop_number
        if self.waiting and not self.cursor:
            self.slot, self.anchor = slot, slot.timestamp
        return self.moving

    def may_move(self) -> bool:
        """Whether a keyframe of the wanted size has begun since."""
        return self.moving and not self.waiting and bool(self.wanted.gop) and self.wanted.gop_number != self._after

    def missed(self) -> None:
        """That keyframe has gone by already: the next one."""
        self._after = self.wanted.gop_number

    def move(self, sent: tuple[int, int], ntp_now: int, now: float) -> None:
        """Go over at the wanted slot's keyframe. `sent`: the former slot's last (sequence, timestamp)."""
        _, _, sequence, timestamp, _ = RTP_HEADER.unpack_from(self.wanted.gop[0])
        last_sequence, last_timestamp = self._moved(*sent)
        begins = (last_sequence + 1) & 0xFFFF
        shift = self._shift(ntp_now, now)
        ahead = (timestamp + shift - last_timestamp) & 0xFFFFFFFF
        if not 0 < ahead < 0x80000000:  # as if it were before the last picture
            shift = last_timestamp + PICTURE_TICKS - timestamp
        self._former = self.slot, self.moved, begins
        self.moved = Moved(self.wanted.name, sequence, (begins - sequence) & 0xFFFF, shift & 0xFFFFFFFF)
        self.slot = self.wanted

    def settle(self) -> bool:
        """Forget where it came from, once that is long ago; True when it does."""
        moved = self.moved
        if moved is None or moved.first < 0 or (self.slot.sequence - moved.first) & 0xFFFF < SETTLED_PACKETS:
            return False
        self.moved = Moved(moved.slot, -1, moved.sequence, moved.timestamp)
        self._former = None
        return True

    @property
    def timestamp_delta(self) -> int:
        return self.moved.timestamp if self.moved else 0

    def lost(self, sequence: int) -> bytes | None:
        """The packet that this viewer knows by this sequence number, if it is still there."""
        slot, moved = self.slot, self.moved
        if self._former is not None and newer(self._former[2], sequence):
            slot, moved, _ = self._former
        packet = slot.history.get((sequence - (moved.sequence if moved else 0)) & 0xFFFF)
        return moved.apply(packet) if packet is not None and moved is not None else packet

    def _moved(self, sequence: int, timestamp: int) -> tuple[int, int]:
        if self.moved is None:
            return sequence, timestamp
        return (sequence + self.moved.sequence) & 0xFFFF, (timestamp + self.moved.timestamp) & 0xFFFFFFFF

    def _shift(self, ntp_now: int, now: float) -> int:
        """What makes the wanted slot's timestamps those that the former would have had at the same moment."""
        former_ntp, former = self.slot.report(ntp_now, now)
        ntp, timestamp = self.wanted.report(ntp_now, now)
        same = timestamp + (former_ntp - ntp) * self.slot.clock_rate // NTP_FRACTION
        return former + self.timestamp_delta - same
