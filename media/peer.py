"""Decides when one peer is connected, where it is, and when it is gone: ICE-lite, DTLS, authenticated addresses.

A STUN check only makes an address known; media goes to an address after SRTP, SRTCP or the DTLS handshake
authenticated from it (RFC 8445 sections 2.5 and 7.3, RFC 8489, RFC 5764).
"""

import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from aioice import stun
from aiortc import RTCCertificate

from media.doors import MAX_PATHS, PACKETS_PER_SECOND, Address, PacketBudget, Path
from media.mux import Kind, Mux, plain_ip
from media.packets import Image
from media.seam import TAG_GCM, Bench, LiteDtls

UFRAG_BYTES, PASSWORD_BYTES = 9, 24
#: an address where a peer has proven to be is nobody else's until it was silent for so long
HELD_SECONDS = 5.0
#: packets at once, by those of a second
AT_ONCE = 1.5
#: SSRCs that one peer may speak by: SRTP keeps each for ever, and looks through all of them for each packet
MOST_SOURCES = 64
#: ICE checks; a browser makes twenty a second while it connects, and one in two seconds then
CHECKS_AT_ONCE, CHECKS_PER_SECOND = 100, 50.0


@dataclass(frozen=True, slots=True)
class Ice:
    """What checks of one generation of ICE are made with: our name and password, the peer's name."""

    remote_ufrag: str
    ufrag: str = field(default_factory=lambda: secrets.token_urlsafe(UFRAG_BYTES))
    password: str = field(default_factory=lambda: secrets.token_urlsafe(PASSWORD_BYTES))

    @property
    def username(self) -> str:
        return f"{self.ufrag}:{self.remote_ufrag}"


class Endpoint(Protocol):
    """What a connected peer's packets are for. The returned numbers count what was malformed."""

    def connected(self) -> None: ...
    def on_rtp(self, packet: bytes, now: float) -> int: ...
    def on_rtcp(self, compound: bytes, now: float) -> int: ...


class Wires(Protocol):
    """What a peer needs of its plane."""

    mux: Mux
    bench: Bench
    counts: Counter[str]
    certificate: RTCCertificate

    def clock(self) -> float: ...
    def may_handshake(self, ip: str) -> bool: ...
    def start_handshake(self, peer: "Peer") -> None: ...
    def forget(self, peer: "Peer", address: Address) -> None: ...
    def ended(self, peer: "Peer") -> None: ...


class Peer:
    """One WHIP or WHEP session's transport."""

    def __init__(
        self,
        wires: Wires,
        remote_ufrag: str,
        fingerprints: tuple[tuple[str, str], ...],
        per_second: float = PACKETS_PER_SECOND,
    ) -> None:
        self.ice = [Ice(remote_ufrag)]
        """The newest first; the one before it holds until the next comes."""
        self.created = self.heard = wires.clock()
        self.connected = self.closed = False
        self.endpoint: Endpoint | None = None
        self.paths: dict[Address, Path] = {}
        self.tag = TAG_GCM
        self._wires = wires
        self._fingerprints = fingerprints
        self._path: Path | None = None
        self._started = False
        self._sources: set[bytes] = set()
        self._checks = PacketBudget(self.created, CHECKS_AT_ONCE, CHECKS_PER_SECOND)
        self._budget = PacketBudget(self.created, int(AT_ONCE * per_second), per_second)
        self.dtls = LiteDtls(wires.certificate, self._send_dtls, self._end)

    def restart(self, remote_ufrag: str) -> None:
        """A new generation of ICE; media goes on by the path it has until something authenticates from another."""
        self.ice = [Ice(remote_ufrag), self.ice[0]]

    def holds(self, address: Address) -> bool:
        """Whether it has proven to be there, and was heard just now."""
        path = self.paths.get(address)
        return path is not None and path.proven and self._wires.clock() - self.heard < HELD_SECONDS

    # -- in ---------------------------------------------------------------------------------------

    def on_stun(self, message: stun.Message, size: int, address: Address) -> None:
        """Answer an authenticated check; anything else is counted and gets no answer."""
        said = message.attributes.get("USERNAME")
        key = next((each.password.encode() for each in self.ice if each.username == said), b"")
        if key and not self._checks.spend(self._wires.clock()):
            self._wires.counts["stun_too_many"] += 1
            return
        if not key or not message.check_message_integrity(key):
            self._wires.counts["stun_unauthenticated"] += 1
            return
        path = self._known(address)
        path.received += size
        self.heard = self._wires.clock()
        answer = stun.Message(message.message_method, stun.Class.RESPONSE, transaction_id=message.transaction_id)
        answer.attributes["XOR-MAPPED-ADDRESS"] = (plain_ip(address), address[1])
        answer.add_message_integrity(key)
        self._submit(path, bytes(answer))
        self._release(path)

    def on_packet(self, kind: Kind, datagram: bytes, address: Address) -> None:
        """A DTLS, SRTP or SRTCP datagram from an address that has passed a check."""
        path = self.paths[address]
        path.received += len(datagram)
        if kind is Kind.DTLS:
            self._on_dtls(path, datagram)
        elif self.connected and self.endpoint is not None:
            self._on_media(kind, path, datagram)
        else:
            self._wires.counts["media_too_early"] += 1

    def _on_dtls(self, path: Path, datagram: bytes) -> None:
        if not self.connected:
            if not self._started:
                if not self._wires.may_handshake(plain_ip(path.address)):
                    self._wires.counts["handshake_budget"] += 1
                    return
                self._started = True
                self._wires.start_handshake(self)
            self._path = path
        if not self.dtls.feed(datagram):
            self._wires.counts["dtls_dropped"] += 1
        self._release(path)

    def _on_media(self, kind: Kind, path: Path, datagram: bytes) -> None:
        rtcp = kind is Kind.SRTCP
        source = datagram[4:8] if rtcp else datagram[8:12]
        if source not in self._sources and len(self._sources) >= MOST_SOURCES:
            self._wires.counts["too_many_sources"] += 1
            return
        plain = self.dtls.open_rtcp(datagram) if rtcp else self.dtls.open_rtp(datagram)
        if plain is None or self.endpoint is None:
            self._wires.counts["srtp_refused"] += 1
            return
        self._sources.add(source)
        now = self.heard = self._wires.clock()
        path.proven = True
        self._path = path
        # After it authenticated: nobody else can spend it by sending in this peer's name.
        if not self._budget.spend(now):
            self._wires.counts["packet_budget"] += 1
            return
        take = self.endpoint.on_rtcp if rtcp else self.endpoint.on_rtp
        malformed = take(plain, now)
        if malformed:
            self._wires.counts["rtcp_malformed" if rtcp else "rtp_malformed"] += malformed

    def _known(self, address: Address) -> Path:
        path = self.paths.get(address)
        if path is None:
            path = self.paths[address] = Path(address)
            if len(self.paths) > MAX_PATHS:
                spare = next(each for each in self.paths.values() if each not in (self._path, path))
                del self.paths[spare.address]
                self._wires.forget(self, spare.address)
        return path

    # -- handshake --------------------------------------------------------------------------------

    async def handshake(self) -> None:
        """Run the DTLS handshake; afterwards the peer is connected or ended."""
        done = await self.dtls.handshake(self._fingerprints)
        if self.closed:
            return
        if not done or self._path is None or self.endpoint is None:
            self._end()
            return
        self.tag = self.dtls.tag
        self._path.proven = self.connected = True
        self._release(self._path)
        self.heard = self._wires.clock()
        self.endpoint.connected()

    def _end(self) -> None:
        if not self.connected and not self.closed:
            self._wires.counts["handshake_failed"] += 1
        self._wires.ended(self)

    # -- out --------------------------------------------------------------------------------------

    def _send_dtls(self, datagram: bytes) -> None:
        if self._path is not None:
            self._submit(self._path, datagram)

    def _submit(self, path: Path, datagram: bytes) -> None:
        if path.submit(datagram):
            self._wires.mux.send(datagram, path.address)
        else:
            self._wires.counts["amplification_held"] += 1

    def _release(self, path: Path) -> None:
        for datagram in path.release() if path.held else ():
            self._wires.mux.send(datagram, path.address)

    def send_image(self, image: Image) -> None:
        """Encrypt and send a burst to where the peer has proven to be."""
        wires = self._wires
        if self._path is None or not self.connected or self.closed:
            wires.counts["viewer_away"] += len(image.cells)
        elif self.dtls.seal_image(wires.bench, image):
            wires.mux.send_runs(wires.bench.view, image.runs, self._path.address)
        else:
            wires.counts["seal_refused"] += len(image.cells)

    def send_rtp(self, packet: bytes) -> None:
        if self._path is not None and self.connected and not self.closed:
            self._wires.mux.send(self.dtls.seal_rtp(packet), self._path.address)

    def send_rtcp(self, compound: bytes) -> None:
        if self._path is not None and self.connected and not self.closed:
            self._wires.mux.send(self.dtls.seal_rtcp(compound), self._path.address)
