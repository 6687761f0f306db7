"""Decides how the one UDP port is read and written: kinds of datagrams by first byte, bursts in one system call.

First bytes: RFC 7983 section 7. UDP GSO lets the kernel cut a run into datagrams; where it cannot, they go one by one.
"""

import asyncio
import errno
import ipaddress
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from enum import Enum
from struct import Struct

import ifaddr

from media.doors import Address
from media.tcp import Streams

MAX_DATAGRAM_BYTES = 2_048
MAX_READS_PER_WAKE = 64
SOCKET_BUFFER_BYTES = 4_194_304
UDP_SEGMENT = 103  # linux/udp.h; Python's socket module does not name it
SEGMENT_SIZE = Struct("=H")
GSO_REFUSALS = {errno.EINVAL, errno.EIO, errno.ENOPROTOOPT, errno.EMSGSIZE, errno.EOPNOTSUPP}


class Kind(Enum):
    """What a datagram is, by its first byte."""

    STUN = "stun"
    DTLS = "dtls"
    SRTP = "srtp"
    SRTCP = "srtcp"
    OTHER = "other"


def classify(datagram: bytes) -> Kind:
    """The kind of a datagram (RFC 7983; RTCP by its packet type, RFC 5761 section 4)."""
    if len(datagram) < 2:
        return Kind.OTHER
    first = datagram[0]
    if first < 4:
        return Kind.STUN
    if 20 <= first < 64:
        return Kind.DTLS
    if 128 <= first < 192:
        return Kind.SRTCP if 192 <= datagram[1] <= 223 else Kind.SRTP
    return Kind.OTHER


def plain_ip(address: Address) -> str:
    """The IP of a socket address, an IPv4 one without its IPv6 mapping."""
    ip = ipaddress.ip_address(address[0].partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return str(mapped or ip)


def machine_ips(with_ipv6: bool) -> list[str]:
    """The addresses of this machine a browser could reach, loopback last."""
    found: list[str] = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            parsed = ipaddress.ip_address(text)
            if not parsed.is_link_local and (with_ipv6 or parsed.version == 4):
                found.append(str(parsed))
    return sorted(found, key=lambda text: ipaddress.ip_address(text).is_loopback)


class Mux:
    """The UDP socket, and the TCP port beside it if any. `on_datagram(datagram, address)` hears what is read."""

    def __init__(
        self, host: str, port: int, on_datagram: Callable[[bytes, Address], None], counts: Counter[str]
    ) -> None:
        self._on_datagram = on_datagram
        self._counts = counts
        self.streams: Streams | None = None
        self._gso = hasattr(socket.socket, "sendmsg")
        self._socket = _bind(host, port)
        self.port: int = self._socket.getsockname()[1]

    def start(self) -> None:
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._read)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
        if self.streams is not None:
            self.streams.close()

    def drop(self, address: Address) -> None:
        """Nothing more is for this address: a connection ends."""
        if len(address) == 3 and self.streams is not None:
            self.streams.drop(address)

    def _read(self) -> None:
        for _ in range(MAX_READS_PER_WAKE):
            try:
                datagram, address = self._socket.recvfrom(MAX_DATAGRAM_BYTES)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                self._counts["read_error"] += 1
                return
            self._on_datagram(datagram, address)
            if self._socket.fileno() < 0:
                return

    def send(self, datagram: bytes | memoryview, address: Address) -> None:
        """Send one datagram; what the kernel has no room for is lost, as on any network."""
        if len(address) == 3:
            if self.streams is not None:
                self.streams.send(datagram, address)
            return
        try:
            self._socket.sendto(datagram, address)
        except OSError:
            self._counts["send_dropped"] += 1

    def send_runs(self, view: memoryview, runs: Sequence[tuple[int, int, int]], address: Address) -> None:
        """Send byte ranges of `view`, each cut into datagrams of its segment size."""
        if len(address) == 3:
            if self.streams is not None:
                self.streams.send_runs(view, runs, address)
            return
        for start, end, segment in runs:
            if end - start <= segment:
                self.send(view[start:end], address)
            elif not self._gso or not self._send_segmented(view[start:end], segment, address):
                for at in range(start, end, segment):
                    self.send(view[at : min(at + segment, end)], address)

    def _send_segmented(self, run: memoryview, segment: int, address: Address) -> bool:
        control = [(socket.IPPROTO_UDP, UDP_SEGMENT, SEGMENT_SIZE.pack(segment))]
        try:
            self._socket.sendmsg([run], control, 0, address)
        except OSError as error:
            if error.errno in GSO_REFUSALS:
                self._gso = error.errno in (errno.EMSGSIZE, errno.EINVAL)
                return False
            self._counts["send_dropped"] += -(-len(run) // segment)
        return True


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_DGRAM)
    try:
        bound.setblocking(False)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER_BYTES)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound
