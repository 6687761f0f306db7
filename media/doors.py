"""Decides how much is sent to whom before they have proven to be there, and how many may knock.

Pure. An address is only proven by something that needs our answer: a finished DTLS handshake, or authenticated
SRTP or SRTCP. Before that at most three times the bytes received from it go to it, as QUIC does (RFC 9000 section 8.1).
"""

import ipaddress
from collections import OrderedDict, deque
from dataclasses import dataclass, field

StreamAddress = tuple[str, int, str]
"""One TCP connection: never the same as a UDP address."""
Address = tuple[str, int] | tuple[str, int, int, int] | StreamAddress

AMPLIFICATION = 3
MAX_HELD = 8
MAX_PATHS = 6
MAX_BUDGETED_IPS = 10_000
PACKETS_PER_SECOND = 2_000
PACKETS_AT_ONCE = 3_000
#: of a viewer, who only reports: a browser asks for lost packets fifty times a second at most
REPORTS_PER_SECOND = 200
#: addresses of IPv6 that one household, or one machine, has as many of as it likes
NETWORK_BITS = 64


def network_of(ip: str) -> str:
    """What is counted as one: an IPv4 address, 2^64 IPv6 addresses."""
    parsed = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    mapped = parsed.ipv4_mapped
    return str(mapped or ipaddress.ip_network((int(parsed) >> NETWORK_BITS << NETWORK_BITS, NETWORK_BITS)))


@dataclass(slots=True)
class Path:
    """One address of one peer and the bytes exchanged with it."""

    address: Address
    received: int = 0
    sent: int = 0
    proven: bool = False
    held: deque[bytes] = field(default_factory=lambda: deque(maxlen=MAX_HELD))

    def may_send(self, size: int) -> bool:
        return self.proven or self.sent + size <= AMPLIFICATION * self.received

    def release(self) -> list[bytes]:
        """What was held back and may go now, in order, counted as sent."""
        ready: list[bytes] = []
        while self.held and self.may_send(len(self.held[0])):
            datagram = self.held.popleft()
            self.sent += len(datagram)
            ready.append(datagram)
        return ready

    def submit(self, datagram: bytes) -> bool:
        """Whether `datagram` may go now; if not it is held, and the oldest of more than MAX_HELD is lost."""
        if self.held or not self.may_send(len(datagram)):
            self.held.append(datagram)
            return False
        self.sent += len(datagram)
        return True


class HandshakeBudget:
    """Handshakes an IP may start: `burst` at once, refilled in a minute. A whole school behind one NAT passes."""

    REFILL_SECONDS = 60.0

    def __init__(self, burst: int) -> None:
        self._burst = float(burst)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def spend(self, ip: str, now: float) -> bool:
        left, at = self._left.pop(ip, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._burst / self.REFILL_SECONDS)
        allowed = left >= 1
        self._left[ip] = (left - 1 if allowed else left, now)
        while len(self._left) > MAX_BUDGETED_IPS:
            self._left.popitem(last=False)
        return allowed


class PacketBudget:
    """Packets one connected peer may have taken: several times what two pictures, a screen and a voice need."""

    def __init__(self, now: float, at_once: int = PACKETS_AT_ONCE, per_second: float = PACKETS_PER_SECOND) -> None:
        self._most, self._rate = float(at_once), per_second
        self._left, self._at = self._most, now

    def spend(self, now: float) -> bool:
        left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at, allowed = now, left >= 1
        self._left = left - 1 if allowed else left
        return allowed
