"""Viewers that only count: real ICE checks, a real DTLS-SRTP session, RTCP as a browser sends it, no decoder.

Every 20th viewer authenticates all it gets; the others count what comes from the server's address, so that one core can
be hundreds of viewers. Each says a receiver report and asks for one packet again every second, and checks every 2.5 s.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aioice import stun
from aiortc import RTCCertificate, RTCDtlsParameters, RTCDtlsTransport
from aiortc.rtp import RTCP_RTPFB_NACK, RtcpReceiverInfo, RtcpRrPacket, RtcpRtpfbPacket
from aiortc.sdp import SessionDescription

from media.seam import LiteIce

CHECKED_OF = 20
#: far longer than it takes, also where hundreds of others are served on a busy machine
CONNECT_SECONDS = 60
RECEIVE_BYTES = 4_194_304
PRIORITY = 2_113_937_151
SECTION = """m={kind}
c=IN IP4 0.0.0.0
a=mid:{mid}
a=ice-ufrag:{ufrag}
a=ice-pwd:{password}
a=candidate:1 1 udp 2113937151 {ip} {port} typ host
a=fingerprint:{algorithm} {fingerprint}
a=setup:{setup}
a=recvonly
a=rtcp-mux
{codec}"""
#: the payload types of voice, picture and retransmitted picture that are offered
VOICE_TYPE, PICTURE_TYPE, AGAIN_TYPE = 111, 108, 109
AUDIO = f"audio 9 UDP/TLS/RTP/SAVPF {VOICE_TYPE}", f"a=rtpmap:{VOICE_TYPE} opus/48000/2\n"
VIDEO = (
    f"video 9 UDP/TLS/RTP/SAVPF {PICTURE_TYPE} {AGAIN_TYPE}",
    f"a=rtpmap:{PICTURE_TYPE} H264/90000\n"
    f"a=fmtp:{PICTURE_TYPE} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\n"
    f"a=rtcp-fb:{PICTURE_TYPE} nack\n"
    f"a=rtpmap:{AGAIN_TYPE} rtx/90000\na=fmtp:{AGAIN_TYPE} apt={PICTURE_TYPE}\n",
)


class _Counting(RTCDtlsTransport):
    """The client's or server's side of a handshake; what it would do with packets is done in the reader."""


class Receiver:
    """One counting viewer on the address `ip`. `number` decides whether it authenticates what it counts."""

    def __init__(self, certificate: RTCCertificate, ip: str, number: int, controlling: bool = True) -> None:
        self.packets = self.reports = self.refused = self.answered = self.lost = 0
        self.resource = self.token = ""
        self._ip, self._checks, self._controlling = ip, number % CHECKED_OF == 0, controlling
        self._socket = _socket(ip)
        self._ufrag, self._password = secrets.token_hex(4), secrets.token_hex(12)
        self._remote: tuple[str, str] = ("", "")
        self._ice = LiteIce(self._send)
        self._dtls = _Counting(self._ice, [certificate])  # type: ignore[arg-type]
        self._buffer = bytearray(2_048)
        self._last: dict[int, tuple[int, int]] = {}
        self._checked = asyncio.Event()
        self._ssrc = secrets.randbelow(1 << 32)

    def description(self, setup: str = "actpass", mids: tuple[str, ...] = ("0", "1")) -> str:
        """An offer; with `setup` "active" an answer, to sections of these names."""
        fingerprint = self._dtls.getLocalParameters().fingerprints[0]
        sections = [
            SECTION.format(
                kind=kind,
                mid=mid,
                ufrag=self._ufrag,
                password=self._password,
                ip=self._ip,
                port=self._socket.getsockname()[1],
                algorithm=fingerprint.algorithm,
                fingerprint=fingerprint.value,
                setup=setup,
                codec=codec,
            )
            for mid, (kind, codec) in zip(mids, (AUDIO, VIDEO), strict=True)
        ]
        head = "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nt=0 0\na=group:BUNDLE " + " ".join(mids) + "\n"
        return (head + "".join(sections)).replace("\n", "\r\n")

    async def connect(self, description: str) -> None:
        """Check, shake hands, count from now on."""
        media = SessionDescription.parse(description).media[0]
        assert media.ice is not None
        assert media.ice.usernameFragment
        assert media.ice.password
        assert media.dtls is not None
        self._remote = media.ice.usernameFragment, media.ice.password
        found = [each for each in media.ice_candidates if each.protocol == "udp" and ":" not in each.ip]
        place = next((each for each in found if each.ip == self._ip), found[0])
        self._socket.connect((place.ip, place.port))
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._read)
        async with asyncio.timeout(CONNECT_SECONDS):
            while not self._checked.is_set():
                self.check()
                await asyncio.wait([asyncio.ensure_future(self._checked.wait())], timeout=0.5)
            self._dtls._set_role("client" if media.dtls.role in ("server", "auto") else "server")
            await self._dtls.start(RTCDtlsParameters(media.dtls.fingerprints, media.dtls.role))
        assert self._dtls.state == "connected", self._dtls.state

    # -- what it says -----------------------------------------------------------------------------

    def _send(self, datagram: bytes) -> None:
        try:
            self._socket.send(datagram)
        except OSError:
            self.refused += 1

    def check(self) -> None:
        """A connectivity check, which is also consent to be sent more."""
        ufrag, password = self._remote
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        message.attributes["USERNAME"] = f"{ufrag}:{self._ufrag}"
        message.attributes["PRIORITY"] = PRIORITY
        message.attributes["ICE-CONTROLLING" if self._controlling else "ICE-CONTROLLED"] = 1
        if self._controlling:
            message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity(password.encode())
        self._send(bytes(message))

    def report(self) -> None:
        """A receiver report, and one packet asked for again as if it were lost."""
        seen = [(ssrc, *last) for ssrc, last in self._last.items()]
        if not seen or self._dtls.state != "connected":
            return
        told = [RtcpReceiverInfo(ssrc, 0, 0, sequence, 0, 0, 0) for ssrc, _, sequence in seen]
        compound = bytes(RtcpRrPacket(self._ssrc, told))
        for ssrc, payload_type, sequence in seen:
            if payload_type == PICTURE_TYPE:
                compound += bytes(RtcpRtpfbPacket(RTCP_RTPFB_NACK, self._ssrc, ssrc, [sequence]))
        self._send(self._dtls._tx_srtp.protect_rtcp(compound))

    # -- what it hears ----------------------------------------------------------------------------

    def _read(self) -> None:
        receive, buffer = self._socket.recv_into, self._buffer
        size = 0
        while True:
            try:
                size = receive(buffer)
            except BlockingIOError:
                break
            except OSError:
                self.refused += 1
                break
            first = buffer[0]
            if first < 128:
                self._on_control(bytes(buffer[:size]))
            elif 192 <= buffer[1] <= 223:
                self.reports += 1
            else:
                self.packets += 1
                if self._checks:
                    self._authenticate(bytes(buffer[:size]))
        if size and buffer[0] >= 128 and not 192 <= buffer[1] <= 223:  # of each burst the last one is remembered
            ssrc = int.from_bytes(buffer[8:12], "big")
            self._last[ssrc] = buffer[1] & 0x7F, int.from_bytes(buffer[2:4], "big")

    def _authenticate(self, datagram: bytes) -> None:
        session: Any = self._dtls._rx_srtp
        if session is None:  # it came before our side of the handshake was done
            return
        try:
            session.unprotect(datagram)
        except Exception:  # noqa: BLE001 - whatever it is, this packet does not count
            self.packets -= 1
            self.refused += 1

    def _on_control(self, datagram: bytes) -> None:
        if datagram[0] >= 20:
            self._ice.feed(datagram)
            return
        message = stun.parse_message(datagram)
        if message.message_class == stun.Class.RESPONSE:
            self.answered += 1
            self._checked.set()
        elif message.message_class == stun.Class.REQUEST:
            answer = stun.Message(message.message_method, stun.Class.RESPONSE, transaction_id=message.transaction_id)
            answer.attributes["XOR-MAPPED-ADDRESS"] = self._socket.getpeername()
            answer.add_message_integrity(self._password.encode())
            self._send(bytes(answer))

    def overrun(self) -> int:
        """Packets for which this socket had no room, as Linux counts them."""
        table, inode = Path("/proc/net/udp"), str(os.fstat(self._socket.fileno()).st_ino)
        lines = [line.split() for line in table.read_text().splitlines()[1:]] if table.exists() else []
        return sum(int(line[-1]) for line in lines if line[9] == inode)

    async def close(self) -> None:
        """Take what has arrived, and say farewell."""
        self._read()
        self.lost = self.overrun()
        await self._dtls.stop()
        self._ice.feed(None)
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()


def _socket(ip: str) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.setblocking(False)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    bound.bind((ip, 0))
    return bound


async def keep(receivers: Sequence[Receiver]) -> None:
    """Let all of them report and check as browsers do, spread over time, until cancelled."""
    at = 0
    while True:
        at += 1
        for number, receiver in enumerate(receivers):
            if (number + at) % 10 == 0:
                receiver.report()
            if (number + at) % 25 == 0:
                receiver.check()
        await asyncio.sleep(0.1)
