"""Decides how H.264 from RTP becomes a picture of NAL units, and what its parameter sets say.

Pure (RFC 6184 section 5; ITU-T H.264 sections 7.3.2.1 and 7.4.1).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from media.packets import NAL_FU_A, NAL_IDR, NAL_SPS, NAL_STAP_A

NAL_PPS = 8
#: what a picture keeps of its units: slices. Parameter sets stand in the init segment, the rest nobody needs.
SLICES = (1, NAL_IDR)
#: profiles whose sets say a chroma format
HIGH_PROFILES = (44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244)
MAX_SIDE = 8_192
MAX_LEADING_ZEROS = 31
#: what an init segment has room for
MOST_SET_BYTES = 0xFFFF
MACROBLOCK = 16
#: as much of a slice as two numbers can take
SLICE_HEAD_BYTES = 12
#: before the first unit of a STAP-A
AGGREGATE_HEAD_BYTES = 3
B_SLICES = (1, 6)


@dataclass(frozen=True, slots=True)
class Sets:
    """A sequence and a picture parameter set, and what the first says of codec and size."""

    sps: bytes
    pps: bytes
    codec: str
    width: int
    height: int


def units(payloads: Iterable[bytes]) -> list[bytes] | None:
    """The NAL units in the RTP payloads of one picture, in order; None when they do not fit together."""
    found: list[bytes] = []
    open_unit: bytearray | None = None
    for payload in payloads:
        kind = payload[0] & 0x1F if payload else 0
        if kind == NAL_FU_A:
            if len(payload) < 3 or (payload[1] & 0x80 != 0) is (open_unit is not None):
                return None
            if open_unit is None:
                open_unit = bytearray([payload[0] & 0xE0 | payload[1] & 0x1F])
            open_unit += payload[2:]
            if payload[1] & 0x40:
                found.append(bytes(open_unit))
                open_unit = None
        elif open_unit is not None or kind == 0:
            return None
        else:
            found += _aggregated(payload) if kind == NAL_STAP_A else [payload]
    return found if open_unit is None else None


def _aggregated(payload: bytes) -> Iterator[bytes]:
    at = 1
    while at + 2 < len(payload):
        size = int.from_bytes(payload[at : at + 2], "big")
        unit = payload[at + 2 : at + 2 + size]
        if not unit or len(unit) < size:
            return
        yield unit
        at += 2 + size


def size_in(payload: bytes) -> tuple[int, int] | None:
    """Width and height by the parameter set in this RTP payload; None without one that can be read."""
    kind = payload[0] & 0x1F if payload else 0
    found = _aggregated(payload) if kind == NAL_STAP_A else (payload,) if kind == NAL_SPS else ()
    sps = next((unit for unit in found if unit[0] & 0x1F == NAL_SPS), None)
    try:
        return None if sps is None else _size(_Bits(sps[1:]))
    except (IndexError, ValueError):
        return None


def refers_forward(payload: bytes) -> bool:
    """Whether a slice begins in this RTP payload that refers to a later picture (B; ITU-T H.264 table 7-6)."""
    kind = payload[0] & 0x1F if payload else 0
    if kind == NAL_STAP_A:
        payload = payload[AGGREGATE_HEAD_BYTES:]
    elif kind == NAL_FU_A:
        payload = payload[1:] if payload[1:2] >= b"\x80" else b""
    if not payload or payload[0] & 0x1F != 1:
        return False
    bits = _Bits(payload[1 : 1 + SLICE_HEAD_BYTES])
    try:
        bits.golomb()
        return bits.golomb() in B_SLICES
    except (IndexError, ValueError):
        return False


def picture(payloads: Iterable[bytes]) -> tuple[bool, Sets | None, bytes] | None:
    """(whether a keyframe, its parameter sets, data) of the RTP payloads of one picture; None: they do not fit."""
    found = units(payloads)
    return None if found is None else (is_key(found), sets_in(found), sample(found))


def is_key(found: Iterable[bytes]) -> bool:
    """Whether the picture needs no other."""
    return any(unit[0] & 0x1F == NAL_IDR for unit in found)


def sample(found: Iterable[bytes]) -> bytes:
    """The picture as a sample of a file: each slice behind its length (ISO/IEC 14496-15 section 5.3.3)."""
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in found if unit[0] & 0x1F in SLICES)


def sets_in(found: Iterable[bytes]) -> Sets | None:
    """The parameter sets that come with a picture, the last of each; None without a readable pair."""
    by_kind = {unit[0] & 0x1F: unit for unit in found}
    sps, pps = by_kind.get(NAL_SPS), by_kind.get(NAL_PPS)
    if sps is None or pps is None or len(sps) < 5 or max(len(sps), len(pps)) > MOST_SET_BYTES:
        return None
    try:
        width, height = _size(_Bits(sps[1:]))
    except (IndexError, ValueError):
        return None
    return Sets(sps, pps, f"avc1.{sps[1:4].hex()}", width, height)


class _Bits:
    """The bits of a set, without the bytes that keep start codes out."""

    def __init__(self, data: bytes) -> None:
        self._data = data.replace(b"\0\0\3", b"\0\0")
        self._at = 0

    def bit(self) -> int:
        byte = self._data[self._at >> 3]
        value = byte >> (7 - (self._at & 7)) & 1
        self._at += 1
        return value

    def number(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self.bit()
        return value

    def golomb(self) -> int:
        zeros = 0
        while not self.bit():
            zeros += 1
            if zeros > MAX_LEADING_ZEROS:
                raise ValueError("not a number")
        return (1 << zeros) - 1 + self.number(zeros)

    def signed(self) -> int:
        value = self.golomb()
        return (value + 1) // 2 if value & 1 else -(value // 2)


def _size(bits: _Bits) -> tuple[int, int]:
    """Width and height in pixels, cropped. Raises IndexError or ValueError."""
    profile = bits.number(8)
    bits.number(16)
    bits.golomb()
    chroma = _chroma(bits) if profile in HIGH_PROFILES else 1
    bits.golomb()
    _order(bits)
    bits.golomb()
    bits.bit()
    wide, high = bits.golomb() + 1, bits.golomb() + 1
    frames_only = bits.bit()
    if not frames_only:
        bits.bit()
    bits.bit()
    left, right, top, bottom = [bits.golomb() for _ in range(4)] if bits.bit() else (0, 0, 0, 0)
    across = 2 if chroma in (1, 2) else 1
    down = (2 if chroma == 1 else 1) * (2 - frames_only)
    width = wide * MACROBLOCK - (left + right) * across
    height = high * MACROBLOCK * (2 - frames_only) - (top + bottom) * down
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise ValueError("not a size")
    return width, height


def _chroma(bits: _Bits) -> int:
    chroma = bits.golomb()
    if chroma == 3:
        bits.bit()
    bits.golomb()
    bits.golomb()
    bits.bit()
    if bits.bit():
        raise ValueError("scaling lists are not read")
    return chroma


def _order(bits: _Bits) -> None:
    """Skip how pictures are ordered."""
    kind = bits.golomb()
    if kind == 0:
        bits.golomb()
    elif kind == 1:
        bits.bit()
        bits.signed()
        bits.signed()
        for _ in range(min(bits.golomb(), 255)):
            bits.signed()
