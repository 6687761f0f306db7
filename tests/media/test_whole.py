"""Offers of which a part could not be carried."""

import pytest

from tests.media.clients import EncodedAudio, EncodedVideo, Refused, h264_pictures, opus_packets
from tests.media.conftest import Stage


async def test_what_can_only_be_half_seen_is_refused_and_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    post = stage.http.post

    def other(*codecs: str) -> None:
        def spoilt(url: str, *, data: str, headers: dict[str, str]) -> object:
            for name in codecs:
                data = data.replace(f" {name}/", " other/")
            return post(url, data=data, headers=headers)

        monkeypatch.setattr(stage.http, "post", spoilt)

    for codecs in (("H264", "VP8"), ("opus",), ("H264", "VP8", "opus")):
        other(*codecs)
        with pytest.raises(Refused, match="no_common_codec"):
            await stage.publish(EncodedVideo(h264_pictures(2), 30), EncodedAudio(opus_packets(5)))
    await stage.until(lambda: len(stage.events) == 3)
    assert {(event.kind, event.code) for event in stage.events} == {("publisher_trouble", "no_common_codec")}
    other()
    await stage.publish(EncodedAudio(opus_packets(5)))  # a voice alone is whole
