"""Decides how aiortc's DTLS layer is used without its peer connection: the only file that touches its private names.

aiortc is pinned exactly. `missing()` names what a new version lacks; a contract test asserts that it is nothing.
SRTP is opened and sealed here, in the reader and in place, never in aiortc's own pump (RFC 5764, RFC 3711, RFC 7714).
"""

import asyncio
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import pylibsrtp
from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from aiortc import rtcdtlstransport as dtls_module
from pylibsrtp import _binding

from media.packets import Image

BENCH_BYTES = 262_144
MAX_FLIGHT_DATAGRAMS = 32
NO_SESSIONS = 0  # OpenSSL's SSL_SESS_CACHE_OFF
TAG_GCM, TAG_SHA1_80 = 16, 10
CONNECTED, CLOSED, FAILED = "connected", "closed", "failed"

_PRIVATE = (
    (RTCDtlsTransport, "_set_role"),
    (RTCDtlsTransport, "_setup_srtp"),
    (RTCDtlsTransport, "_recv_next"),
    (RTCDtlsTransport, "_write_ssl"),
    (RTCCertificate, "_create_ssl_context"),
    (dtls_module, "SRTP_PROFILES"),
    (_binding, "ffi"),
    (_binding, "lib"),
)
_PRIVATE_FIELDS = ("_rx_srtp", "_tx_srtp", "_ssl", "_transport")


def missing() -> list[str]:
    """What this aiortc and pylibsrtp no longer have of the private names used here."""
    lost = [f"{getattr(owner, '__name__', owner)}.{name}" for owner, name in _PRIVATE if not hasattr(owner, name)]
    if lost:
        return lost
    built = RTCDtlsTransport(LiteIce(lambda _: None), [RTCCertificate.generateCertificate()])  # type: ignore[arg-type]
    lost += [f"RTCDtlsTransport().{name}" for name in _PRIVATE_FIELDS if not hasattr(built, name)]
    pump = inspect.getsource(RTCDtlsTransport)
    lost += [
        f"RTCDtlsTransport no longer calls {call}"
        for call in ("transport._recv()", "transport._send(")
        if call not in pump
    ]
    if not hasattr(pylibsrtp.Session(), "_srtp"):
        lost.append("pylibsrtp.Session()._srtp")
    lost += [
        f"pylibsrtp lib.{name}" for name in ("srtp_protect", "srtp_err_status_ok") if not hasattr(_binding.lib, name)
    ]
    return lost


class LiteIce:
    """The ICE side an RTCDtlsTransport needs: a queue in, a function out, and the role of one who only answers."""

    role = "controlled"
    state = "completed"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._emit = send
        self._flight: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_FLIGHT_DATAGRAMS)

    def feed(self, datagram: bytes | None) -> bool:
        """Hand a DTLS datagram in (None: the end). False when the queue is full and it was dropped."""
        if self._flight.full():
            if datagram is not None:
                return False
            self._flight.get_nowait()
        self._flight.put_nowait(datagram)
        return True

    def forget(self) -> None:
        """Send nothing any more, and hold nobody."""
        self._emit = _nowhere

    async def _recv(self) -> bytes:
        datagram = await self._flight.get()
        if datagram is None:
            raise ConnectionError
        return datagram

    async def _send(self, datagram: bytes) -> None:
        self._emit(datagram)


def _nowhere(_: bytes) -> None:
    """Where the datagrams of one that has ended go."""


class Bench:
    """One buffer of a plane: a burst is copied in, encrypted in place for one viewer, sent, then overwritten."""

    def __init__(self) -> None:
        self._bytes = _binding.ffi.new("unsigned char[]", BENCH_BYTES)
        self.view = memoryview(_binding.ffi.buffer(self._bytes))
        self._length = _binding.ffi.new("int *")
        self._image: Image | None = None
        self._cells: list[tuple[Any, int]] = []

    def seal(self, session: Any, image: Image) -> bool:
        """Encrypt `image` for one viewer into `view`. False when the session refused a packet."""
        if image is not self._image:
            self._image = image
            self._cells = [(self._bytes + offset, size) for offset, size in image.cells]
        protect, length = _binding.lib.srtp_protect, self._length
        self.view[: len(image.data)] = image.data
        refused = 0
        for cell, size in self._cells:
            length[0] = size
            refused |= protect(session, cell, length)
        return not refused


class LiteDtls:
    """The DTLS server of one peer, and once connected its SRTP keys. `on_end` is called once, when it is over."""

    def __init__(self, certificate: RTCCertificate, send: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        self._ice = LiteIce(send)
        self._dtls = RTCDtlsTransport(self._ice, [certificate])  # type: ignore[arg-type]
        self._dtls._set_role("server")
        self._on_end: Callable[[], None] | None = on_end
        self._dtls.on("statechange", self._changed)
        self.tag = TAG_GCM
        self._session: Any = None

    async def handshake(self, fingerprints: Sequence[tuple[str, str]]) -> bool:
        """Answer the peer's handshake, check its certificate against (algorithm, value) pairs. True when connected."""
        wanted = [RTCDtlsFingerprint(algorithm=algorithm, value=value) for algorithm, value in fingerprints]
        await self._dtls.start(RTCDtlsParameters(fingerprints=wanted, role="client"))
        if self._dtls.state != CONNECTED:
            return False
        if self._dtls._ssl is None:
            return False
        if b"SHA1_80" in self._dtls._ssl.get_selected_srtp_profile():
            self.tag = TAG_SHA1_80
        self._session = self._dtls._tx_srtp._srtp[0]
        return True

    def feed(self, datagram: bytes) -> bool:
        return self._ice.feed(datagram)

    def open_rtp(self, datagram: bytes) -> bytes | None:
        """The RTP packet, or None if it does not authenticate or is a replay."""
        try:
            return bytes(self._dtls._rx_srtp.unprotect(datagram))
        except (pylibsrtp.Error, ValueError):
            return None

    def open_rtcp(self, datagram: bytes) -> bytes | None:
        """The compound RTCP packet, or None if it does not authenticate or is a replay."""
        try:
            return bytes(self._dtls._rx_srtp.unprotect_rtcp(datagram))
        except (pylibsrtp.Error, ValueError):
            return None

    def seal_rtp(self, packet: bytes) -> bytes:
        return bytes(self._dtls._tx_srtp.protect(packet))

    def seal_rtcp(self, packet: bytes) -> bytes:
        return bytes(self._dtls._tx_srtp.protect_rtcp(packet))

    def seal_image(self, bench: Bench, image: Image) -> bool:
        return bench.seal(self._session, image)

    async def close(self) -> None:
        """Tell the peer (close_notify) and end the pump. `on_end` is not called any more."""
        self._on_end = None
        await self._dtls.stop()
        self._ice.feed(None)
        # Nothing points in a circle any more: its 100 kB go at once, not when the collector comes by.
        self._dtls.remove_all_listeners()
        self._ice.forget()

    def _changed(self) -> None:
        if self._dtls.state in (CLOSED, FAILED) and self._on_end is not None:
            on_end, self._on_end = self._on_end, None
            on_end()


class _Certificate(RTCCertificate):
    """One certificate with one OpenSSL context for all its peers: half a millisecond less for each of them."""

    _context: Any = None

    def _create_ssl_context(self, srtp_profiles: list[Any]) -> Any:
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
            self._context.set_session_cache_mode(NO_SESSIONS)  # nobody resumes
        return self._context


def certificate() -> RTCCertificate:
    """A fresh self-signed certificate for one plane (ECDSA P-256)."""
    return _Certificate.generateCertificate()
