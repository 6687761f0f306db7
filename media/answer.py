"""Decides what our SDP answer says: ICE-lite, DTLS server, the offer's payload types, REMB and never transport-cc.

Pure (RFC 9429 section 5.3, RFC 8445 section 2.5, RFC 9725 section 4.2).
"""

from dataclasses import dataclass, replace

from aiortc import RTCDtlsFingerprint, RTCDtlsParameters, RTCIceCandidate
from aiortc.rtcicetransport import RTCIceParameters
from aiortc.rtcrtpparameters import RTCRtcpFeedback, RTCRtpCodecParameters
from aiortc.sdp import GroupDescription, MediaDescription, SessionDescription, SsrcDescription

from media.offer import Codec, Offer, Section

ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
CNAME = "keshi"
ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - said in an answer, bound to nowhere
DISCARD_PORT = 9
HOST_PRIORITY = 2_130_706_431
TCP_PRIORITY = 1_518_280_447  # below every address by UDP
PUBLISH_FEEDBACK = ("nack", "nack pli", "ccm fir", "goog-remb")
WATCH_FEEDBACK = ("nack", "nack pli", "ccm fir")


@dataclass(frozen=True, slots=True)
class Local:
    """Our side of one peer: ICE credentials, certificate prints (algorithm, value), addresses, first bit rate.

    `tcp_port` 0: none.
    """

    ufrag: str
    password: str
    fingerprints: tuple[tuple[str, str], ...]
    addresses: tuple[str, ...]
    port: int
    start_kbps: int
    tcp_port: int = 0


@dataclass(frozen=True, slots=True)
class Ssrcs:
    """The constant SSRCs of a room's slot."""

    media: int
    rtx: int


def publish_answer(offer: Offer, local: Local) -> tuple[str, dict[str, Codec]]:
    """Our answer to a publisher and the codec chosen per slot."""
    chosen = {section.slot: section.codecs[0] for section in offer.sections if section.codecs}
    sections = []
    for section in offer.sections:
        media = _section(section, local, "recvonly")
        if section.codecs:
            codec = chosen[section.slot]
            media.rtp.codecs = _described(codec, PUBLISH_FEEDBACK, _start_rate(codec, local))
            media.fmt = [entry.payloadType for entry in media.rtp.codecs]
            extensions = section.description.rtp.headerExtensions
            media.rtp.headerExtensions = [entry for entry in extensions if entry.uri in (ABS_SEND_TIME, MID)]
        sections.append(media)
    return _session(sections), chosen


def watch_answer(offer: Offer, local: Local, ssrcs: dict[str, Ssrcs]) -> tuple[str, dict[str, Codec]]:
    """Our answer to a viewer and every codec it can be sent, by name: the publisher may come later, or change.

    One transport has one number for a codec: a section that numbers it otherwise is declined.
    """
    sections = []
    usable: dict[str, Codec] = {}
    for offered in offer.sections:
        clash = any(usable.get(each.name, each).payload_type != each.payload_type for each in offered.codecs)
        section = replace(offered, codecs=()) if clash else offered
        media = _section(section, local, "sendonly")
        for codec in section.codecs:
            usable[codec.name] = codec
            media.rtp.codecs += _described(codec, WATCH_FEEDBACK, {})
        if section.codecs:
            media.fmt = [entry.payloadType for entry in media.rtp.codecs]
            media.msid = f"{CNAME} {section.slot}"
            _announce(media, ssrcs[section.slot], any(codec.rtx for codec in section.codecs))
        sections.append(media)
    return _session(sections), usable


def _announce(media: MediaDescription, ssrcs: Ssrcs, with_rtx: bool) -> None:
    media.ssrc = [SsrcDescription(ssrcs.media, cname=CNAME, msid=media.msid)]
    if with_rtx:
        media.ssrc.append(SsrcDescription(ssrcs.rtx, cname=CNAME, msid=media.msid))
        media.ssrc_group = [GroupDescription("FID", [ssrcs.media, ssrcs.rtx])]


def _start_rate(codec: Codec, local: Local) -> dict[str, int | str | None]:
    return {"x-google-start-bitrate": local.start_kbps} if codec.clock_rate == 90_000 else {}


def _described(
    codec: Codec, feedback: tuple[str, ...], more: dict[str, int | str | None]
) -> list[RTCRtpCodecParameters]:
    offered = {f"{entry.type} {entry.parameter or ''}".strip() for entry in codec.parameters.rtcpFeedback}
    agreed = [RTCRtcpFeedback(*_split(name)) for name in feedback if name in offered]
    described = [replace(codec.parameters, rtcpFeedback=agreed, parameters={**codec.parameters.parameters, **more})]
    if codec.rtx:
        described.append(
            RTCRtpCodecParameters(
                mimeType="video/rtx" if codec.clock_rate == 90_000 else "audio/rtx",
                clockRate=codec.clock_rate,
                payloadType=codec.rtx,
                parameters={"apt": codec.payload_type},
            )
        )
    return described


def _split(feedback: str) -> tuple[str, str | None]:
    kind, _, parameter = feedback.partition(" ")
    return kind, parameter or None


def _section(section: Section, local: Local, direction: str) -> MediaDescription:
    offered = section.description
    media = MediaDescription(offered.kind, local.port if section.codecs else 0, offered.profile, list(offered.fmt))
    media.rtp.muxId = offered.rtp.muxId
    media.ice = RTCIceParameters(iceLite=True)
    media.host = ANY_ADDRESS
    if not section.codecs:
        media.direction = "inactive"
        return media
    media.direction = direction
    media.rtcp_port, media.rtcp_host, media.rtcp_mux = DISCARD_PORT, ANY_ADDRESS, True
    media.ice = RTCIceParameters(local.ufrag, local.password, iceLite=True)
    media.ice_candidates = candidates(local)
    media.ice_candidates_complete = True
    prints = [RTCDtlsFingerprint(algorithm, value) for algorithm, value in local.fingerprints]
    media.dtls = RTCDtlsParameters(prints, role="server")
    return media


def candidates(local: Local) -> list[RTCIceCandidate]:
    """Where we are: by UDP first, by TCP after that."""
    found = [
        RTCIceCandidate(1, str(index + 1), ip, local.port, HOST_PRIORITY - index * 256, "udp", "host")
        for index, ip in enumerate(local.addresses)
    ]
    for index, ip in enumerate(local.addresses if local.tcp_port else ()):
        priority, foundation = TCP_PRIORITY - index * 256, f"tcp{index + 1}"
        found.append(RTCIceCandidate(1, foundation, ip, local.tcp_port, priority, "tcp", "host", tcpType="passive"))
    return found


def _session(sections: list[MediaDescription]) -> str:
    session = SessionDescription()
    session.origin = "- 1 1 IN IP4 127.0.0.1"
    session.media = sections
    session.group = [GroupDescription("BUNDLE", [media.rtp.muxId for media in sections if media.port])]
    session.msid_semantic = [GroupDescription("WMS", ["*"])]
    return str(session)
