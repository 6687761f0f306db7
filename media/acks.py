"""Decides how much a receiver report says has arrived (RFC 3550 section 6.4.2): never more than was there to be sent.

Pure. Packets are counted by the report, their size is the mean of what the slot sent meanwhile. The first report of a
stream, or after a change of size, says only from where to count.
"""

from typing import Protocol

EXTENDED = 1 << 32


class Sent(Protocol):
    """What a stream has sent since it began."""

    packets: int
    octets: int


class Info(Protocol):
    """What a report says of one stream."""

    @property
    def highest_sequence(self) -> int: ...
    @property
    def packets_lost(self) -> int: ...


class Acknowledged:
    """One viewer's: bytes by its own reports."""

    def __init__(self) -> None:
        self.size = 0
        self._from: dict[int, tuple[Sent, int, int, int, int]] = {}

    def report(self, ssrc: int, info: Info, sent: Sent) -> None:
        """Take one report of a stream that is `sent` now."""
        now = (sent, info.highest_sequence, info.packets_lost, sent.packets, sent.octets)
        before = self._from.get(ssrc)
        self._from[ssrc] = now
        if before is None or before[0] is not sent:
            return
        _, highest, lost, packets, octets = before
        came = (info.highest_sequence - highest) % EXTENDED - max(0, info.packets_lost - lost)
        there = sent.packets - packets
        if there > 0:
            self.size += max(0, min(came, there)) * (sent.octets - octets) // there
