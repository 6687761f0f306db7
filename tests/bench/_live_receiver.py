"""A viewer that only counts: a real ICE agent and a real DTLS-SRTP session, and no decoder behind it."""

import aiohttp
from aiortc import (
    RTCCertificate,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceGatherer,
    RTCIceTransport,
)
from aiortc.sdp import SessionDescription, candidate_to_sdp

OFFER = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
{audio}{video}"""
COMMON = """c=IN IP4 0.0.0.0
a=ice-ufrag:{ufrag}
a=ice-pwd:{password}
{candidates}a=fingerprint:{algorithm} {fingerprint}
a=setup:actpass
a=recvonly
a=rtcp-mux
"""
AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:0\na=rtpmap:111 opus/48000/2\n"
VIDEO = """m=video 9 UDP/TLS/RTP/SAVPF 108
a=mid:1
a=rtpmap:108 H264/90000
a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
"""


class _Counting(RTCDtlsTransport):
    """Counts what authenticates."""

    packets = 0

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        self.packets += 1

    async def _handle_rtcp_data(self, data: bytes) -> None:
        pass


class Receiver:
    """One counting viewer."""

    def __init__(self, certificate: RTCCertificate) -> None:
        self._gatherer = RTCIceGatherer()
        self._ice = RTCIceTransport(self._gatherer)
        self._dtls = _Counting(self._ice, [certificate])

    @property
    def packets(self) -> int:
        return self._dtls.packets

    async def watch(self, http: aiohttp.ClientSession, base: str, room: str, token: str) -> None:
        await self._gatherer.gather()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        url = f"{base}/media/whep/{room}"
        async with http.post(url, data=self._offer(), headers=headers) as response:
            text = await response.text()
            assert response.status == 201, text
        answer = SessionDescription.parse(text).media[0]
        assert answer.ice is not None
        assert answer.dtls is not None
        for candidate in answer.ice_candidates:
            await self._ice.addRemoteCandidate(candidate)
        await self._ice.addRemoteCandidate(None)
        self._ice._connection.ice_controlling = True
        await self._ice.start(answer.ice)
        self._dtls._set_role("client" if answer.dtls.role == "server" else "server")
        await self._dtls.start(RTCDtlsParameters(answer.dtls.fingerprints, answer.dtls.role))
        assert self._dtls.state == "connected"

    def _offer(self) -> str:
        local = self._gatherer.getLocalParameters()
        fingerprint = self._dtls.getLocalParameters().fingerprints[0]
        found = [f"a=candidate:{candidate_to_sdp(each)}\n" for each in self._gatherer.getLocalCandidates()]
        common = COMMON.format(
            ufrag=local.usernameFragment,
            password=local.password,
            candidates="".join(found),
            algorithm=fingerprint.algorithm,
            fingerprint=fingerprint.value,
        )
        return OFFER.format(audio=AUDIO + common, video=VIDEO + common).replace("\n", "\r\n")

    async def close(self) -> None:
        await self._dtls.stop()
        await self._ice.stop()
