"""Decides what of an SDP offer is understood: one bundled transport, a section for each slot in the order of tap.py.

Pure (RFC 8866, RFC 9429, RFC 9725 section 4.2). Whatever is not understood raises MediaError bad_offer with the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters
from aiortc.sdp import MediaDescription, SessionDescription

from media.errors import MediaError

MAX_OFFER_BYTES = 32_768
MAX_OFFER_LINES = 600
MAX_SECTIONS = 16
DIGESTS = ("sha-256", "sha-384", "sha-512")
BASELINE_H264 = ("42e0", "42c0", "4200")
_PARSER_ERRORS = (ValueError, AssertionError, AttributeError, KeyError, IndexError, TypeError, StopIteration)


#: names of slots by kind
Slots = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Sources:
    """Which slot a publisher's packets are for, by the SSRCs it announced and by the MIDs of its sections."""

    ssrcs: Mapping[int, str]
    mids: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Codec:
    """One codec of a section: its payload type and that of its retransmissions (0: none)."""

    name: str
    clock_rate: int
    payload_type: int
    rtx: int
    parameters: RTCRtpCodecParameters


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the offer; `codecs` are those we carry, best first, empty for a section we decline."""

    description: MediaDescription
    codecs: tuple[Codec, ...]
    slot: str = ""

    @property
    def kind(self) -> str:
        return str(self.description.kind)


@dataclass(frozen=True, slots=True)
class Offer:
    """An understood offer. `fingerprints`: (algorithm, value)."""

    ufrag: str
    fingerprints: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]

    @property
    def extensions(self) -> list[RTCRtpHeaderExtensionParameters]:
        """The header extensions of the sections we carry."""
        carried = [section.description for section in self.sections if section.codecs]
        return [extension for media in carried for extension in media.rtp.headerExtensions]

    @property
    def sources(self) -> Sources:
        """How a publisher's packets are told apart; SSRCs of retransmissions are announced as well."""
        carried = [(section.slot, section.description) for section in self.sections if section.codecs]
        ssrcs = {int(each.ssrc): slot for slot, media in carried for each in media.ssrc}
        return Sources(ssrcs, {str(media.rtp.muxId): slot for slot, media in carried})


def read_offer(text: str, directions: tuple[str, ...], slots: Slots) -> Offer:
    """The offer in `text`; sections whose direction is not one of `directions`, or beyond `slots`, are declined.

    Raises MediaError bad_offer(reason) or no_common_codec(offered).
    """
    if len(text.splitlines()) > MAX_OFFER_LINES:
        raise MediaError("bad_offer", reason="too_many_lines")
    try:
        session = SessionDescription.parse(text)
    except _PARSER_ERRORS as error:
        raise MediaError("bad_offer", reason="syntax") from error
    if not 0 < len(session.media) <= MAX_SECTIONS:
        raise MediaError("bad_offer", reason="sections")
    sections = _sections(session.media, directions, slots)
    carried = [section.description for section in sections if section.codecs]
    if not carried:
        offered = sorted({codec.name for media in session.media for codec in media.rtp.codecs})
        raise MediaError("no_common_codec", offered=offered[:MAX_SECTIONS])
    bundled = next((group.items for group in session.group if group.semantic == "BUNDLE"), [])
    if len(carried) > 1 and not all(media.rtp.muxId in bundled for media in carried):
        raise MediaError("bad_offer", reason="not_bundled")
    if not all(media.rtcp_mux for media in carried):
        raise MediaError("bad_offer", reason="no_rtcp_mux")
    return Offer(_ufrag(carried[0]), _fingerprints(carried[0]), sections)


def _sections(described: list[MediaDescription], directions: tuple[str, ...], slots: Slots) -> tuple[Section, ...]:
    left = {kind: list(names) for kind, names in slots.items()}
    sections = []
    for media in described:
        wanted = (media.direction or "sendrecv") in directions and left.get(media.kind)
        codecs = _codecs(media) if wanted else ()
        sections.append(Section(media, codecs, left[media.kind].pop(0) if codecs else ""))
    return tuple(sections)


def _codecs(media: MediaDescription) -> tuple[Codec, ...]:
    """At most one codec of each name, best first."""
    ranked = sorted((rank, index) for index, codec in enumerate(media.rtp.codecs) if (rank := _rank(codec)) is not None)
    chosen: dict[str, Codec] = {}
    for _, index in ranked:
        codec = media.rtp.codecs[index]
        payload_type = codec.payloadType or 0
        if 0 < payload_type < 128 and codec.name.upper() not in chosen:
            rtx = _rtx(media, payload_type)
            chosen[codec.name.upper()] = Codec(codec.name.upper(), codec.clockRate, payload_type, rtx, codec)
    return tuple(chosen.values())


def _rank(codec: RTCRtpCodecParameters) -> int | None:
    """How much we like a codec (0 best), None when we do not carry it."""
    name, clock = codec.name.upper(), codec.clockRate
    if name == "OPUS" and clock == 48_000:
        return 0
    if name == "VP8" and clock == 90_000:
        return len(BASELINE_H264)
    if name == "H264" and clock == 90_000 and str(codec.parameters.get("packetization-mode")) == "1":
        profile = str(codec.parameters.get("profile-level-id", "")).lower()[:4]
        return BASELINE_H264.index(profile) if profile in BASELINE_H264 else None
    return None


def _rtx(media: MediaDescription, payload_type: int) -> int:
    for codec in media.rtp.codecs:
        if codec.name.lower() == "rtx" and codec.parameters.get("apt") == payload_type:
            return codec.payloadType or 0
    return 0


def _ufrag(media: MediaDescription) -> str:
    if media.ice is None or not media.ice.usernameFragment or not media.ice.password:
        raise MediaError("bad_offer", reason="no_ice_credentials")
    return str(media.ice.usernameFragment)


def _fingerprints(media: MediaDescription) -> tuple[tuple[str, str], ...]:
    if media.dtls is None or media.dtls.role not in ("auto", "client"):
        raise MediaError("bad_offer", reason="dtls_role")
    found = tuple((print_.algorithm.lower(), print_.value) for print_ in media.dtls.fingerprints)
    known = tuple(pair for pair in found if pair[0] in DIGESTS)
    if not known:
        raise MediaError("bad_offer", reason="no_fingerprint")
    return known
