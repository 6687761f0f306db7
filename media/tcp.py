"""Decides how the one TCP port is read and written, for those whose network lets no UDP through.

ICE-TCP, passive side only (RFC 6544): each datagram follows two bytes that say how long it is (RFC 4571). A connection
has to show an authenticated check, and so get an answer, within PROOF_SECONDS; it ends with what it was for.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from typing import cast

from media.doors import Address, StreamAddress, network_of

LENGTH_BYTES = 2
MAX_FRAME_BYTES = 2_048
MAX_WAITING_BYTES = 262_144
MAX_STREAMS = 2_000
MAX_STREAMS_PER_IP = 300
PROOF_SECONDS = 10.0
LAST_WORDS_SECONDS = 1.0


class Streams:
    """The TCP port. `on_datagram(datagram, address)` is called for each frame, `on_lost(address)` at the end."""

    def __init__(
        self,
        on_datagram: Callable[[bytes, Address], None],
        on_lost: Callable[[Address], None],
        counts: Counter[str],
    ) -> None:
        self.on_datagram, self.on_lost, self.counts = on_datagram, on_lost, counts
        self.port = 0
        self._open: dict[StreamAddress, _Stream] = {}
        self._per_ip: Counter[str] = Counter()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> None:
        """Raises OSError when the port is taken."""
        bound = _bind(host, port)
        self.port = bound.getsockname()[1]
        self._server = await asyncio.get_running_loop().create_server(lambda: _Stream(self), sock=bound)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for stream in list(self._open.values()):
            stream.abort()

    def admit(self, address: StreamAddress, stream: "_Stream") -> bool:
        """Whether one more may come from there."""
        network = network_of(address[0])
        if len(self._open) >= MAX_STREAMS or self._per_ip[network] >= MAX_STREAMS_PER_IP:
            self.counts["tcp_refused"] += 1
            return False
        self._open[address] = stream
        self._per_ip[network] += 1
        return True

    def lost(self, address: StreamAddress, stream: "_Stream") -> None:
        if self._open.get(address) is not stream:
            return
        del self._open[address]
        network = network_of(address[0])
        self._per_ip[network] -= 1
        if not self._per_ip[network]:
            del self._per_ip[network]
        self.on_lost(address)

    def drop(self, address: StreamAddress) -> None:
        """End a connection that is for nothing any more, after last words."""
        stream = self._open.get(address)
        if stream is not None:
            asyncio.get_running_loop().call_later(LAST_WORDS_SECONDS, stream.abort)

    def send(self, datagram: bytes | memoryview, address: StreamAddress) -> None:
        self._write(address, len(datagram).to_bytes(LENGTH_BYTES, "big") + bytes(datagram))

    def send_runs(self, view: memoryview, runs: Sequence[tuple[int, int, int]], address: StreamAddress) -> None:
        """Send byte ranges of `view`, each cut into frames of its segment size, in one write."""
        frames = bytearray()
        for start, end, segment in runs:
            for at in range(start, end, segment):
                piece = view[at : min(at + segment, end)]
                frames += len(piece).to_bytes(LENGTH_BYTES, "big")
                frames += piece
        self._write(address, bytes(frames))

    def _write(self, address: StreamAddress, frames: bytes) -> None:
        stream = self._open.get(address)
        if stream is None or not stream.write(frames):
            self.counts["tcp_send_dropped"] += 1


class _Stream(asyncio.Protocol):
    """One connection."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._held = bytearray()
        self._address: StreamAddress = ("", 0, "tcp")
        self._transport: asyncio.Transport
        self._proof: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername") or ("", 0)
        # uvloop's transports are of no class of asyncio's
        self._transport, self._address = cast(asyncio.Transport, transport), (peer[0], peer[1], "tcp")
        if self._streams.admit(self._address, self):
            self._proof = asyncio.get_running_loop().call_later(PROOF_SECONDS, self._unproven)
        else:
            self.abort()

    def _unproven(self) -> None:
        self._streams.counts["tcp_unproven"] += 1
        self.abort()

    def data_received(self, data: bytes) -> None:
        held = self._held
        held += data
        at = 0
        while len(held) - at >= LENGTH_BYTES:
            size = int.from_bytes(held[at : at + LENGTH_BYTES], "big")
            if size > MAX_FRAME_BYTES:
                self._streams.counts["tcp_frame_too_large"] += 1
                self.abort()
                return
            if len(held) - at - LENGTH_BYTES < size:
                break
            at += LENGTH_BYTES
            self._streams.on_datagram(bytes(held[at : at + size]), self._address)
            at += size
        del held[:at]

    def write(self, frames: bytes) -> bool:
        """False when this reader is too slow, or gone: what there is no room for is lost, as on any network."""
        if self._proof is not None:
            self._proof.cancel()  # whatever is sent at all follows an authenticated check
            self._proof = None
        if self._transport.is_closing() or self._transport.get_write_buffer_size() > MAX_WAITING_BYTES:
            return False
        self._transport.write(frames)
        return True

    def abort(self) -> None:
        self._transport.abort()

    def connection_lost(self, _reason: Exception | None) -> None:
        if self._proof is not None:
            self._proof.cancel()
        self._streams.lost(self._address, self)


def _bind(host: str, port: int) -> socket.socket:
    wide = ":" in host
    family = socket.AF_INET6 if wide else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setblocking(False)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if wide:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        bound.bind((host, port))
        bound.listen()
    except OSError:
        bound.close()
        raise
    return bound
