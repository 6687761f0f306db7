"""What FFmpeg makes of init segments."""

from io import BytesIO

import av
import pytest

from media import h264
from media.boxes import Sample, init_segment, part
from tests.media.clients import h264_pictures
from tests.media.reel import EPOCH, payloads


@pytest.mark.parametrize(("audio", "codec"), [("opus", "opus"), ("aac", "aac")])
def test_both_tracks_are_described(audio: str, codec: str) -> None:
    found = h264.units(payloads(h264_pictures(1)[0])) or []
    init = init_segment(h264.sets_in(found), audio)
    shown = part(1, EPOCH, [Sample(0, 3_000, h264.sample(found))], [])
    with av.open(BytesIO(init + shown), format="mov") as source:
        assert [stream.codec_context.name for stream in source.streams] == ["h264", codec]
        (voice,) = source.streams.audio
        assert (voice.rate, voice.channels) == (48_000, 2)


def test_nothing_is_no_part() -> None:
    assert part(1, EPOCH, [], []) == b""
