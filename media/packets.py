"""Decides what a packet is on the way out: canonical RTP, where a keyframe starts, which packets travel in one send.

Pure. A canonical packet has no extension, no CSRC, no padding and payload type 0: the payload type is the
one byte in which viewers differ (RFC 3550 section 5.1, RFC 4588 section 4, RFC 6184 section 5.2, RFC 7741 section 4.2).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from struct import Struct

RTP_HEADER = Struct("!BBHLL")
VERSION_2 = 0x80
PADDED = 0x20
MARKER = 0x80

HISTORY_PACKETS = 512
MAX_PACKET_BYTES = 1_400
MAX_PAD_BYTES = 16
MAX_RUN_SEGMENTS = 64
MAX_RUN_BYTES = 60_000

VP8_START, VP8_TAG_BYTES, VP8_SIZE = b"\x9d\x01\x2a", 3, Struct("<HH")
NAL_IDR, NAL_SPS, NAL_STAP_A, NAL_FU_A = 5, 7, 24, 28

VIDEO, AUDIO = "video", "audio"
Item = tuple[str, bytes]


def newer(a: int, b: int) -> bool:
    """Whether 16-bit sequence number `a` comes after `b` (RFC 1982)."""
    return 0 < ((a - b) & 0xFFFF) < 0x8000


def unwrap(sequence: int, near: int) -> int:
    """The extended sequence number closest to `near` whose low 16 bits are `sequence`."""
    return near + ((sequence - near + 0x8000) & 0xFFFF) - 0x8000


def canonical(marker: bool, sequence: int, timestamp: int, ssrc: int, payload: bytes) -> bytes:
    """One canonical RTP packet."""
    header = RTP_HEADER.pack(VERSION_2, MARKER if marker else 0, sequence, timestamp, ssrc)
    return bytes(header) + payload


def squeeze(packet: bytes, anchor: int, factor: int) -> bytes:
    """A copy whose timestamp, if before `anchor`, lies `factor` times closer: a cached picture is not late."""
    behind = (anchor - int.from_bytes(packet[4:8], "big")) & 0xFFFFFFFF
    if behind == 0 or behind >= 0x80000000:
        return packet
    moved = (anchor - behind // factor) & 0xFFFFFFFF
    return packet[:4] + moved.to_bytes(4, "big") + packet[8:]


def retransmission(packet: bytes, payload_type: int, sequence: int, ssrc: int) -> bytes:
    """A canonical packet wrapped for RTX: the original sequence number leads the payload (RFC 4588 section 4)."""
    first, second, _, timestamp, _ = RTP_HEADER.unpack_from(packet)
    head = RTP_HEADER.pack(first, second & MARKER | payload_type, sequence, timestamp, ssrc)
    return bytes(head) + packet[2:4] + packet[RTP_HEADER.size :]


def with_payload_type(packet: bytes, payload_type: int) -> bytes:
    """A canonical packet with its payload type filled in."""
    return packet[:1] + bytes([packet[1] & MARKER | payload_type]) + packet[2:]


def starts_keyframe(codec: str, payload: bytes) -> bool:
    """Whether this payload is the first of a picture that needs no other ("H264" or "VP8")."""
    if codec == "H264":
        return _h264_starts_keyframe(payload)
    if codec == "VP8":
        return _vp8_starts_keyframe(payload)
    return False


def vp8_size(payload: bytes) -> tuple[int, int] | None:
    """Width and height where a VP8 keyframe begins in this RTP payload (RFC 6386 section 9.1)."""
    at = vp8_body(payload) + VP8_TAG_BYTES
    start = at + len(VP8_START)
    if not _vp8_starts_keyframe(payload) or payload[at:start] != VP8_START or len(payload) < start + VP8_SIZE.size:
        return None
    width, height = VP8_SIZE.unpack_from(payload, start)
    return width & 0x3FFF, height & 0x3FFF


def _h264_starts_keyframe(payload: bytes) -> bool:
    if not payload:
        return False
    kind = payload[0] & 0x1F
    if kind in (NAL_IDR, NAL_SPS):
        return True
    if kind == NAL_FU_A:
        return len(payload) > 1 and payload[1] & 0x80 != 0 and payload[1] & 0x1F == NAL_IDR
    return kind == NAL_STAP_A and any(inner in (NAL_IDR, NAL_SPS) for inner in _stap_kinds(payload))


def _stap_kinds(payload: bytes) -> Iterable[int]:
    at = 1
    while at + 2 < len(payload):
        yield payload[at + 2] & 0x1F
        at += 2 + int.from_bytes(payload[at : at + 2], "big")


def vp8_body(payload: bytes) -> int:
    """Where a part of a picture begins in this RTP payload, behind its descriptor; 0: nowhere."""
    at = 1
    if payload[:1] >= b"\x80":
        if len(payload) < 2:
            return 0
        flags, at = payload[1], 2
        if flags & 0x80:
            at += 2 if len(payload) > 2 and payload[2] & 0x80 else 1
        at += (1 if flags & 0x40 else 0) + (1 if flags & 0x30 else 0)
    return at if len(payload) > at else 0


def _vp8_starts_keyframe(payload: bytes) -> bool:
    if not payload or payload[0] & 0x17 != 0x10:  # not the start of partition 0
        return False
    at = vp8_body(payload)
    return at > 0 and payload[at] & 0x01 == 0


class History:
    """The last 512 packets of a slot by sequence number, for retransmission."""

    def __init__(self) -> None:
        self._ring: list[tuple[int, bytes] | None] = [None] * HISTORY_PACKETS

    def add(self, sequence: int, packet: bytes) -> None:
        self._ring[sequence % HISTORY_PACKETS] = (sequence, packet)

    def get(self, sequence: int) -> bytes | None:
        held = self._ring[sequence % HISTORY_PACKETS]
        return held[1] if held is not None and held[0] == sequence else None


@dataclass(frozen=True, slots=True)
class Moved:
    """What a viewer who changed size adds to a slot's sequence and timestamp.

    It gets nothing from before `first`, the keyframe at which it came; -1 when that is long ago.
    """

    slot: str
    first: int
    sequence: int
    timestamp: int

    def apply(self, packet: bytes) -> bytes | None:
        """The packet with this viewer's numbers, or None when it is from before."""
        first, second, sequence, timestamp, ssrc = RTP_HEADER.unpack_from(packet)
        if self.first >= 0 and newer(self.first, sequence):
            return None
        numbers = (sequence + self.sequence) & 0xFFFF, (timestamp + self.timestamp) & 0xFFFFFFFF
        return bytes(RTP_HEADER.pack(first, second, *numbers, ssrc)) + packet[RTP_HEADER.size :]


@dataclass(frozen=True, slots=True)
class Shape:
    """All that distinguishes one viewer's packets from another's before encryption.

    `types`: (slot, payload type) of each slot it gets. `moved`: where its numbers differ from the slot's.
    """

    types: tuple[tuple[str, int], ...]
    tag: int
    moved: Moved | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A burst laid out once for all viewers of one shape, with room for each packet's tag.

    `cells`: (offset, length) of each packet before encryption. `runs`: (start, end, segment) byte ranges
    that leave in one send, cut by the kernel every `segment` bytes.
    """

    data: bytes
    cells: tuple[tuple[int, int], ...]
    runs: tuple[tuple[int, int, int], ...]


def plan_runs(sizes: Sequence[int]) -> list[tuple[int, int, int]]:
    """Group consecutive packets into (first, past the last, segment size).

    All but the last of a run can be padded to the segment size by at most MAX_PAD_BYTES; the last may be any shorter.
    """
    runs: list[tuple[int, int, int]] = []
    first = 0
    while first < len(sizes):
        end, segment = _run_from(sizes, first)
        runs.append((first, end, segment))
        first = end
    return runs


def _run_from(sizes: Sequence[int], first: int) -> tuple[int, int]:
    low = high = sizes[first]
    end = first + 1
    while end < len(sizes) and end - first < MAX_RUN_SEGMENTS:
        size = sizes[end]
        if (end - first + 1) * max(high, size) > MAX_RUN_BYTES:
            break
        if max(high, size) - min(low, size) > MAX_PAD_BYTES:
            return (end + 1, high) if size < high else (end, high)
        low, high = min(low, size), max(high, size)
        end += 1
    return end, high


def layout(items: Iterable[Item], shape: Shape) -> Image | None:
    """The image of a burst for one shape, or None when nothing of it is for that shape."""
    types = dict(shape.types)
    chosen = [(types[slot], packet) for slot, packet in _moved(items, shape.moved) if slot in types]
    if not chosen:
        return None
    data = bytearray()
    cells: list[tuple[int, int]] = []
    runs: list[tuple[int, int, int]] = []
    for first, end, segment in plan_runs([len(packet) for _, packet in chosen]):
        start = len(data)
        for index in range(first, end):
            payload_type, packet = chosen[index]
            offset = len(data)
            data += packet
            data[offset + 1] |= payload_type
            if index + 1 < end:
                _pad(data, offset, segment - len(packet))
            cells.append((offset, len(data) - offset))
            data += bytes(shape.tag)
        runs.append((start, len(data), segment + shape.tag))
    return Image(bytes(data), tuple(cells), tuple(runs))


def _moved(items: Iterable[Item], moved: Moved | None) -> Iterable[Item]:
    if moved is None:
        return items
    pairs = ((slot, moved.apply(packet) if slot == moved.slot else packet) for slot, packet in items)
    return [(slot, packet) for slot, packet in pairs if packet is not None]


def _pad(data: bytearray, offset: int, count: int) -> None:
    if count:
        data[offset] |= PADDED
        data += bytes(count - 1) + bytes([count])
