"""Answers repeat the offer's numbers and promise only what we keep."""

import re

from aiortc.sdp import SessionDescription

from media.answer import publish_answer, watch_answer
from media.offer import read_offer
from tests.media.offers import CHROMIUM_PUBLISH, CHROMIUM_WATCH, LOCAL, RECEIVE, SEND, SSRCS


def test_a_publisher_gets_h264_baseline_opus_and_remb() -> None:
    answer, chosen = publish_answer(read_offer(CHROMIUM_PUBLISH, SEND), LOCAL)
    assert {kind: (codec.name, codec.payload_type, codec.rtx) for kind, codec in chosen.items()} == {
        "audio": ("OPUS", 111, 0),
        "video": ("H264", 108, 109),
    }
    assert re.findall(r"m=(\w+) (\d+) \S+ ([\d ]+)", answer) == [("audio", "7000", "111"), ("video", "7000", "108 109")]
    assert "a=ice-lite" in answer
    assert answer.count("a=setup:passive") == answer.count("a=recvonly") == 2
    assert "a=rtcp-fb:108 goog-remb" in answer
    assert "transport-cc" not in answer
    assert "profile-level-id=42e01f;x-google-start-bitrate=1200" in answer
    assert "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time" in answer
    assert answer.count("extmap") == 2
    assert "192.0.2.1 7000 typ host" in answer
    assert "2001:db8::1 7000 typ host" in answer
    assert len(SessionDescription.parse(answer).media) == 2


def test_a_viewer_gets_every_codec_we_carry_with_the_offers_numbers() -> None:
    answer, usable = watch_answer(read_offer(CHROMIUM_WATCH, RECEIVE), LOCAL, SSRCS)
    assert {name: codec.payload_type for name, codec in usable.items()} == {"OPUS": 111, "H264": 108, "VP8": 96}
    assert answer.count("a=sendonly") == 2
    assert "a=ssrc-group:FID 11 12" in answer
    assert "a=ssrc:21 cname:keshi" in answer
    assert "goog-remb" not in answer
    assert "extmap" not in answer


def test_sections_are_answered_in_order_and_the_rest_declined() -> None:
    more = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=sctp-port:5000\r\n"
    answer, _ = publish_answer(read_offer(CHROMIUM_PUBLISH + more, SEND), LOCAL)
    assert re.findall(r"m=(\w+) (\d+)", answer) == [("audio", "7000"), ("video", "7000"), ("application", "0")]
    assert "a=group:BUNDLE 0 1\r\n" in answer


def test_vp8_is_taken_when_there_is_no_h264_we_carry() -> None:
    text = CHROMIUM_PUBLISH.replace("packetization-mode=1", "packetization-mode=0")
    _, chosen = publish_answer(read_offer(text, SEND), LOCAL)
    assert (chosen["video"].name, chosen["video"].payload_type, chosen["video"].rtx) == ("VP8", 96, 97)
    high = CHROMIUM_PUBLISH.replace("=42e01f", "=64001f").replace("=42001f", "=64001f")
    assert publish_answer(read_offer(high, SEND), LOCAL)[1]["video"].name == "VP8"
