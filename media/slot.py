"""Decides the one outgoing stream of a slot in a room: constant SSRC, unbroken sequence and time whatever its source.

Pure: time comes in. Rewritten once per room; a publisher's reload or a change of source needs no word to the viewers.
"""

import secrets
from dataclasses import dataclass

from media import packets
from media.clock import NTP_FRACTION, NTP_UNIX_SECONDS

MAX_GOP_PACKETS = 1_024
MAX_LATE_PACKETS = 512
MAX_SAID = 8
SOURCE_GAP_SECONDS = 0.02
#: a timestamp so far from what has passed since the last is no time: the source goes on as if it were another
JUMP_SECONDS = 10.0
#: of a lead over the time that passes so much is forgiven in a second: clocks differ
FORGIVEN_PER_SECOND = 0.01
VIDEO_CLOCK_RATE = 90_000
AUDIO_CLOCK_RATE = 48_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """One RTP packet of a source: what the slot needs of it."""

    source: object
    codec: str
    marker: bool
    sequence: int
    timestamp: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Sync:
    """A source's sender report: its `timestamp` was at `ntp` on our clock (RFC 3550 section 6.4.1)."""

    source: object
    ntp: int
    timestamp: int


@dataclass(slots=True)
class _Base:
    """How the present source's numbers become the slot's."""

    source: object
    first: int
    highest: int
    sequence_delta: int
    timestamp_delta: int


class Slot:
    """One stream of one room: see media/tap for the names."""

    def __init__(self, name: str, clock_rate: int, like: "Slot | None" = None) -> None:
        self.name = name
        self.clock_rate = clock_rate
        self.ssrc: int = like.ssrc if like else secrets.randbelow((1 << 32) - 1) + 1
        self.rtx_ssrc: int = like.rtx_ssrc if like else secrets.randbelow((1 << 32) - 1) + 1
        self.codec = ""
        self.history = packets.History()
        self.gop: list[bytes] = []
        self.gop_number = 0
        self.packets = 0
        self.octets = 0
        self.duplicates = self.jumps = 0
        # The lower half: a receiver that loses the first packets must not mistake a wrap (RFC 3711 section 3.3.1).
        self._sequence = secrets.randbelow(1 << 15)
        self._timestamp = secrets.randbelow(1 << 32)
        self._at: float | None = None
        self._lead = 0.0
        self._base: _Base | None = None
        self._gop_timestamp: int | None = None
        self._sync: tuple[int, int, float] | None = None
        self._said: dict[int, float] = {}

    @property
    def live(self) -> bool:
        return self._base is not None

    @property
    def synchronised(self) -> bool:
        """Whether the present source has said what its timestamps mean."""
        return self._sync is not None

    @property
    def video(self) -> bool:
        return self.clock_rate == VIDEO_CLOCK_RATE

    @property
    def heard(self) -> float | None:
        """When its newest packet came."""
        return self._at

    @property
    def sequence(self) -> int:
        """The newest outgoing sequence number."""
        return self._sequence & 0xFFFF

    @property
    def timestamp(self) -> int:
        """The newest outgoing timestamp."""
        return self._timestamp & 0xFFFFFFFF

    def push(self, arrival: Arrival, now: float) -> bytes | None:
        """The canonical packet to send on, or None for a duplicate or one too late to matter."""
        base = self._base
        if base is None or base.source != arrival.source:
            base = self._rebase(arrival, now)
        elif self._jumped(base, arrival, now):
            self.jumps += 1
            base = self._rebase(arrival, now)
        extended = packets.unwrap(arrival.sequence, base.highest)
        sequence = (extended + base.sequence_delta) & 0xFFFF
        late = extended < base.first or extended <= base.highest - MAX_LATE_PACKETS
        if late or (extended <= base.highest and self.history.get(sequence) is not None):
            self.duplicates += 1
            return None
        timestamp = (arrival.timestamp + base.timestamp_delta) & 0xFFFFFFFF
        packet = packets.canonical(arrival.marker, sequence, timestamp, self.ssrc, arrival.payload)
        if extended >= base.highest:
            base.highest, self._sequence, self._timestamp, self._at = extended, sequence, timestamp, now
        self._remember(arrival, sequence, timestamp, packet)
        return packet

    def _jumped(self, base: _Base, arrival: Arrival, now: float) -> bool:
        """Whether the newest timestamp is far from where the time leads: since the packet before it, or in all."""
        if self._at is None or packets.unwrap(arrival.sequence, base.highest) <= base.highest:
            return False
        ahead = self._ahead(arrival.timestamp + base.timestamp_delta, now)
        kept = 1.0 - min((now - self._at) * FORGIVEN_PER_SECOND, 1.0)
        lead = max(self._lead * kept + ahead, -JUMP_SECONDS)
        if abs(ahead) > JUMP_SECONDS or lead > JUMP_SECONDS:
            return True
        self._lead = lead
        return False

    def _ahead(self, timestamp: int, now: float) -> float:
        """How far an outgoing timestamp is ahead of where the time since the newest packet leads, in seconds."""
        ticks = ((timestamp - self._timestamp + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        return ticks / self.clock_rate - (0.0 if self._at is None else now - self._at)

    def _rebase(self, arrival: Arrival, now: float) -> _Base:
        gap = SOURCE_GAP_SECONDS if self._at is None else max(now - self._at, SOURCE_GAP_SECONDS)
        timestamp = self._timestamp + round(gap * self.clock_rate)
        base = _Base(
            source=arrival.source,
            first=arrival.sequence,
            highest=arrival.sequence,
            sequence_delta=self._sequence + 1 - arrival.sequence,
            timestamp_delta=timestamp - arrival.timestamp,
        )
        self._base, self.codec, self._sync = base, arrival.codec, None
        self._drop_gop()
        return base

    def _remember(self, arrival: Arrival, sequence: int, timestamp: int, packet: bytes) -> None:
        self.packets += 1
        self.octets += len(arrival.payload)
        self.history.add(sequence, packet)
        if timestamp != self._gop_timestamp and packets.starts_keyframe(arrival.codec, arrival.payload):
            self.gop, self._gop_timestamp = [packet], timestamp
            self.gop_number += 1
        elif self.gop:
            self.gop.append(packet)
            if len(self.gop) > MAX_GOP_PACKETS:
                self._drop_gop()

    def _drop_gop(self) -> None:
        self.gop, self._gop_timestamp = [], None

    def silence(self) -> None:
        """The source is gone: nothing to join in the middle of."""
        self._base = self._sync = None
        self._drop_gop()

    def synchronise(self, report: Sync, now: float) -> None:
        """Believe a report of the present source, unless its timestamp is far from those of its packets."""
        if self._base is None or self._base.source != report.source:
            return
        timestamp = (report.timestamp + self._base.timestamp_delta) & 0xFFFFFFFF
        if abs(self._ahead(timestamp, now)) <= JUMP_SECONDS:
            self._sync = (report.ntp, timestamp, now)

    def report(self, ntp_now: int, now: float) -> tuple[int, int]:
        """(NTP, RTP) timestamps of one moment for our own sender report; by arrival until the source has reported."""
        if self._sync is not None:
            ntp, timestamp, at = self._sync
            return ntp + int((now - at) * NTP_FRACTION), self._later(timestamp, now - at)
        return ntp_now, self._later(self._timestamp, now - (now if self._at is None else self._at))

    def said(self, ntp: int, now: float) -> None:
        """A report with this time of ours has gone out: receivers name it by its middle bits."""
        self._said[(ntp >> 16) & 0xFFFFFFFF] = now
        if len(self._said) > MAX_SAID:
            del self._said[next(iter(self._said))]

    def said_at(self, lsr: int) -> float | None:
        """When the report went out that a receiver names; None for one that is long ago, or was never ours."""
        return self._said.get(lsr)

    def moment(self, timestamp: int, ntp_now: int) -> float:
        """When this timestamp was, in seconds since 1970: by the source's report, until there is one by arrival."""
        ntp = ntp_now
        if self._sync is not None:
            ahead = ((timestamp - self._sync[1] + 0x80000000) & 0xFFFFFFFF) - 0x80000000
            ntp = self._sync[0] + ahead * NTP_FRACTION // self.clock_rate
        return ntp / NTP_FRACTION - NTP_UNIX_SECONDS

    def _later(self, timestamp: int, seconds: float) -> int:
        return (timestamp + round(seconds * self.clock_rate)) & 0xFFFFFFFF
