"""Canonical packets, keyframes, runs and layouts."""

import pytest
from aiortc.rtp import RtpPacket, unwrap_rtx
from hypothesis import given
from hypothesis import strategies as st

from media import packets
from media.packets import AUDIO, MAX_PAD_BYTES, VIDEO, Image, Shape

SEQUENCES = st.integers(0, 0xFFFF)
TIMESTAMPS = st.integers(0, 0xFFFFFFFF)
PAYLOADS = st.binary(min_size=1, max_size=packets.MAX_PACKET_BYTES)


@given(st.booleans(), SEQUENCES, TIMESTAMPS, TIMESTAMPS, PAYLOADS)
def test_a_canonical_packet_reads_back(marker: bool, sequence: int, timestamp: int, ssrc: int, payload: bytes) -> None:
    data = packets.with_payload_type(packets.canonical(marker, sequence, timestamp, ssrc, payload), 108)
    read = RtpPacket.parse(data)
    assert (bool(read.marker), read.sequence_number, read.timestamp, read.ssrc) == (marker, sequence, timestamp, ssrc)
    assert (read.payload, read.payload_type) == (payload, 108)


@given(st.booleans(), SEQUENCES, TIMESTAMPS, PAYLOADS)
def test_a_retransmission_unwraps_to_the_original(marker: bool, sequence: int, timestamp: int, payload: bytes) -> None:
    original = packets.canonical(marker, sequence, timestamp, 7, payload)
    wrapped = RtpPacket.parse(packets.retransmission(original, 97, 5, 8))
    assert (wrapped.payload_type, wrapped.sequence_number, wrapped.ssrc) == (97, 5, 8)
    assert unwrap_rtx(wrapped, 0, 7).serialize() == original


@given(st.integers(-0x7FFF, 0x7FFF), st.integers(0, 1 << 40))
def test_unwrap_finds_the_nearest(distance: int, near: int) -> None:
    assert packets.unwrap((near + distance) & 0xFFFF, near) == near + distance


@pytest.mark.parametrize(("a", "b", "expected"), [(1, 0, True), (0, 0, False), (0, 0xFFFF, True), (0xFFFF, 0, False)])
def test_newer_knows_the_wrap(a: int, b: int, expected: bool) -> None:
    assert packets.newer(a, b) is expected


@given(TIMESTAMPS, st.integers(1, 90_000 * 20))
def test_squeeze_brings_the_past_closer_and_leaves_the_rest(anchor: int, behind: int) -> None:
    past = packets.canonical(True, 1, (anchor - behind) & 0xFFFFFFFF, 2, b"x")
    moved = RtpPacket.parse(packets.squeeze(past, anchor, 32))
    assert (anchor - moved.timestamp) & 0xFFFFFFFF == behind // 32
    later = packets.canonical(True, 1, (anchor + behind) & 0xFFFFFFFF, 2, b"x")
    assert packets.squeeze(later, anchor, 32) == later


H264_KEYS = [
    b"\x65abc",
    b"\x67abc",
    b"\x7c\x85abc",
    b"\x78\x00\x04\x67abc\x00\x02\x68a",
    b"\x78\x00\x02\x06a\x00\x02\x65a",
]
H264_OTHERS = [b"", b"\x61abc", b"\x7c\x05abc", b"\x7c\x81abc", b"\x7c", b"\x78\x00\x04\x61abc", b"\x78", b"\x78\xff"]
VP8_KEYS = [b"\x10\x00", b"\x90\x80\x05\x00", b"\x90\x80\x85\x05\x00", b"\x90\xe0\x05\x06\x07\x00"]
VP8_OTHERS = [b"", b"\x10", b"\x10\x01", b"\x00\x00", b"\x11\x00", b"\x90", b"\x90\x80", b"\x90\x80\x85\x05\x01"]


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_keyframes_are_told_from_other_pictures(codec: str) -> None:
    keys, others = (H264_KEYS, H264_OTHERS) if codec == "H264" else (VP8_KEYS, VP8_OTHERS)
    assert [payload for payload in keys if not packets.starts_keyframe(codec, payload)] == []
    assert [payload for payload in others if packets.starts_keyframe(codec, payload)] == []
    assert not packets.starts_keyframe("OPUS", keys[0])


@given(st.sampled_from(["H264", "VP8"]), st.binary(max_size=40))
def test_any_payload_can_be_looked_at(codec: str, payload: bytes) -> None:
    assert packets.starts_keyframe(codec, payload) in (True, False)


def test_history_keeps_the_last_512() -> None:
    history = packets.History()
    for sequence in range(packets.HISTORY_PACKETS + 1):
        history.add(sequence, b"%d" % sequence)
    assert history.get(0) is None
    assert history.get(1) == b"1"
    assert history.get(packets.HISTORY_PACKETS) == b"512"


SIZES = st.lists(st.integers(13, packets.MAX_PACKET_BYTES), min_size=1, max_size=200)


@given(SIZES)
def test_runs_cover_everything_and_keep_the_kernels_rules(sizes: list[int]) -> None:
    runs = packets.plan_runs(sizes)
    assert [index for first, end, _ in runs for index in range(first, end)] == list(range(len(sizes)))
    for first, end, segment in runs:
        assert end - first <= packets.MAX_RUN_SEGMENTS
        assert all(segment - MAX_PAD_BYTES <= sizes[index] <= segment for index in range(first, end - 1))
        assert sizes[end - 1] <= segment


def test_equal_packets_and_a_short_last_leave_in_one_run() -> None:
    assert packets.plan_runs([1_100, 1_101, 1_100, 600, 90]) == [(0, 4, 1_101), (4, 5, 90)]
    assert packets.plan_runs([100] * 65) == [(0, 64, 100), (64, 65, 100)]


def cut(image: Image, tag: int) -> list[bytes]:
    """What the network sees of an image whose cells were not encrypted: the kernel's cutting, tags removed."""
    found = []
    for start, end, segment in image.runs:
        for at in range(start, end, segment):
            found.append(image.data[at : min(at + segment, end)][:-tag])
    return found


@given(
    st.lists(st.tuples(st.sampled_from([VIDEO, AUDIO]), PAYLOADS), min_size=1, max_size=80), st.sampled_from([10, 16])
)
def test_a_layout_is_cut_back_into_its_packets(payloads: list[tuple[str, bytes]], tag: int) -> None:
    items = [(kind, packets.canonical(False, at, 0, 1, payload)) for at, (kind, payload) in enumerate(payloads)]
    image = packets.layout(items, Shape(((VIDEO, 108), (AUDIO, 111)), tag))
    assert image is not None
    read = [RtpPacket.parse(data) for data in cut(image, tag)]
    assert [packet.payload for packet in read] == [payload for _, payload in payloads]
    assert [packet.payload_type for packet in read] == [108 if kind == VIDEO else 111 for kind, _ in payloads]
    assert [image.data[at : at + size] for at, size in image.cells] == cut(image, tag)


def test_a_shape_without_a_kind_gets_none_of_it() -> None:
    items = [(VIDEO, packets.canonical(False, 1, 0, 1, b"v")), (AUDIO, packets.canonical(False, 1, 0, 1, b"a"))]
    only_voice = packets.layout(items, Shape(((AUDIO, 111),), 16))
    assert only_voice is not None
    assert len(only_voice.cells) == 1
    assert packets.layout(items[:1], Shape(((AUDIO, 111),), 16)) is None


def test_the_size_of_a_vp8_keyframe() -> None:
    head = b"\x10\x00\x00\x00\x9d\x01\x2a"
    assert packets.vp8_size(head + (7_680).to_bytes(2, "little") + (4_320).to_bytes(2, "little")) == (7_680, 4_320)
    assert packets.vp8_size(head + b"\x00") is None
    assert packets.vp8_size(b"\x10\x01\x00\x00" + bytes(9)) is None


def test_the_size_of_a_vp8_keyframe_is_not_what_stands_before_it() -> None:
    descriptor = b"\x90\xf0\x9d\x01\x2a\x20"  # numbers of the picture and its layers that look like a small one
    frame = b"\x00\x01\x02\x9d\x01\x2a" + (16_000).to_bytes(2, "little") * 2
    assert packets.vp8_size(descriptor + frame) == (16_000, 16_000)
