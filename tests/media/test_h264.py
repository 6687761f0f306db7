"""What parameter sets say, and payloads that do not fit together."""

import pytest

from media import h264
from tests.media.clients import h264_pictures, main_profile, picture_of
from tests.media.reel import payloads


@pytest.mark.parametrize("size", [(320, 240), (1280, 720), (1920, 1080), (642, 362)])
def test_the_size_is_what_was_encoded(size: tuple[int, int]) -> None:
    found = h264.units(payloads(h264_pictures(1, size=size)[0]))
    assert found is not None
    assert h264.is_key(found)
    sets = h264.sets_in(found)
    assert sets is not None
    assert (sets.width, sets.height) == size
    assert sets.codec.startswith("avc1.42")


def test_pieces_make_the_same_unit_as_the_whole() -> None:
    picture = h264_pictures(1, size=(1280, 720), kbps=8_000)[0]
    found = h264.units(payloads(picture))
    assert found is not None
    assert all(unit in picture for unit in found)
    assert any(len(unit) > 1_400 for unit in found)


@pytest.mark.parametrize(
    "broken",
    [
        [b""],
        [b"\x7c"],
        [b"\x7c\x05x"],  # a middle without a beginning
        [b"\x7c\x85x"],  # a beginning without an end
        [b"\x7c\x85x", b"\x7c\x85x"],
        [b"\x7c\x85x", b"\x65whole"],
    ],
)
def test_what_does_not_fit_together_is_no_picture(broken: list[bytes]) -> None:
    assert h264.units(broken) is None


@pytest.mark.parametrize(
    "sps", [b"\x67", b"\x67" + bytes(40), b"\x67\x42\xc0\x1f\xff", b"\x67\x64\0\x1f" + b"\xff" * 40]
)
def test_sets_that_cannot_be_read_are_none(sps: bytes) -> None:
    assert h264.sets_in([sps, b"\x68\xce"]) is None


@pytest.mark.parametrize(("b_frames", "found"), [(0, False), (2, True)])
def test_pictures_that_refer_to_later_ones_are_told_from_others(b_frames: int, found: bool) -> None:
    pictures = main_profile(12, b_frames)
    told = [any(h264.refers_forward(payload) for payload in payloads(picture)) for picture in pictures]
    assert any(told) is found
    assert not told[0]
    if found:
        assert not all(told[1:])


@pytest.mark.parametrize(
    "junk", [b"", b"\x01", b"\x1c", b"\x1c\x81", b"\x1c\x01\x9e", b"\x78\x00\x09", b"\x01" + bytes(20), b"\x61\x00\x00"]
)
def test_what_is_no_slice_refers_to_nothing(junk: bytes) -> None:
    assert not h264.refers_forward(junk)


@pytest.mark.parametrize("size", [(640, 368), (3_840, 2_160), (7_680, 4_320)])
def test_a_parameter_set_alone_or_with_others_gives_the_size(size: tuple[int, int]) -> None:
    sps = picture_of(*size).split(b"\0\0\0\1")[1]
    together = b"\x78" + len(sps).to_bytes(2, "big") + sps + b"\0\2\x68\xce"
    assert h264.size_in(sps) == h264.size_in(together) == size
    for nothing in (b"", b"\x65abc", sps[:4], b"\x78\0\1\x68"):
        assert h264.size_in(nothing) is None


def test_sets_for_which_no_file_has_room_are_none() -> None:
    found = h264.units(payloads(h264_pictures(1)[0])) or []
    sets = h264.sets_in(found)
    assert sets is not None
    sps, pps = sets.sps, sets.pps
    assert h264.sets_in([sps + bytes(0x10000), pps]) is None
    assert h264.sets_in([sps, pps + bytes(0x10000)]) is None
