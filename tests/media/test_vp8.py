"""Payloads of VP8 become a picture, or none."""

import av
import pytest
from aiortc.codecs.vpx import Vp8Encoder

from media import vp8
from tests.media.reel_vp8 import vp8_pictures


def test_a_picture_is_put_together_and_says_its_size() -> None:
    key, other = vp8_pictures(2, (640, 480))
    found = vp8.picture(Vp8Encoder._packetize(key, 7))
    assert found is not None
    is_key, sets, data = found
    assert (is_key, data) == (True, key)
    assert sets is not None
    assert (sets.codec, sets.width, sets.height) == ("vp8", 640, 480)
    assert vp8.picture(Vp8Encoder._packetize(other, 300)) == (False, None, other)
    decoder = av.CodecContext.create("vp8", "r")
    assert sum(len(decoder.decode(av.Packet(each))) for each in (data, other)) == 2


@pytest.mark.parametrize(
    "payloads", [[b""], [b"\x90\x80"], [b"\x00\x01\x02"], [b"\x10\x01", b""], [b"\x11\x01"], [b"\x10\x00\x00"]]
)
def test_what_does_not_fit_is_no_picture(payloads: list[bytes]) -> None:
    assert vp8.picture(payloads) is None
