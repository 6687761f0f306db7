"""Answers repeat the offer's numbers and promise only what we keep."""

import re

from aiortc.sdp import SessionDescription

from media.answer import publish_answer, watch_answer
from media.offer import read_offer
from media.tap import PUBLISHED, WATCHED
from tests.media.offers import CHROMIUM_PUBLISH, CHROMIUM_WATCH, LOCAL, RECEIVE, SEND, SSRCS


def test_a_publisher_gets_h264_baseline_opus_and_remb() -> None:
    answer, chosen = publish_answer(read_offer(CHROMIUM_PUBLISH, SEND, PUBLISHED), LOCAL)
    assert {slot: (codec.name, codec.payload_type, codec.rtx) for slot, codec in chosen.items()} == {
        "voice": ("OPUS", 111, 0),
        "camera": ("H264", 108, 109),
    }
    assert re.findall(r"m=(\w+) (\d+) \S+ ([\d ]+)", answer) == [("audio", "7000", "111"), ("video", "7000", "108 109")]
    assert "a=ice-lite" in answer
    assert answer.count("a=setup:passive") == answer.count("a=recvonly") == 2
    assert "a=rtcp-fb:108 goog-remb" in answer
    assert "transport-cc" not in answer
    assert "profile-level-id=42e01f;x-google-start-bitrate=1200" in answer
    assert "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time" in answer
    assert answer.count("extmap") == 4
    assert "192.0.2.1 7000 typ host" in answer
    assert "2001:db8::1 7000 typ host" in answer
    assert len(SessionDescription.parse(answer).media) == 2


def test_a_viewer_gets_every_codec_we_carry_with_the_offers_numbers() -> None:
    answer, usable = watch_answer(read_offer(CHROMIUM_WATCH, RECEIVE, WATCHED), LOCAL, SSRCS)
    assert {name: codec.payload_type for name, codec in usable.items()} == {"OPUS": 111, "H264": 108, "VP8": 96}
    assert answer.count("a=sendonly") == 2
    assert "a=ssrc-group:FID 11 12" in answer
    assert "a=ssrc:21 cname:keshi" in answer
    assert "goog-remb" not in answer
    assert "extmap" not in answer


def test_sections_are_answered_in_order_and_the_rest_declined() -> None:
    more = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=sctp-port:5000\r\n"
    answer, _ = publish_answer(read_offer(CHROMIUM_PUBLISH + more, SEND, PUBLISHED), LOCAL)
    assert re.findall(r"m=(\w+) (\d+)", answer) == [("audio", "7000"), ("video", "7000"), ("application", "0")]
    assert "a=group:BUNDLE 0 1\r\n" in answer


def test_vp8_is_taken_when_there_is_no_h264_we_carry() -> None:
    text = CHROMIUM_PUBLISH.replace("packetization-mode=1", "packetization-mode=0")
    _, chosen = publish_answer(read_offer(text, SEND, PUBLISHED), LOCAL)
    assert (chosen["camera"].name, chosen["camera"].payload_type, chosen["camera"].rtx) == ("VP8", 96, 97)
    high = CHROMIUM_PUBLISH.replace("=42e01f", "=64001f").replace("=42001f", "=64001f")
    assert publish_answer(read_offer(high, SEND, PUBLISHED), LOCAL)[1]["camera"].name == "VP8"


def with_more(text: str, *mids: str) -> str:
    """The offer with its picture's section again, under these names and with SSRCs of their own."""
    head, video = text.split("m=video")
    more = ["m=video" + video.replace("a=mid:1", f"a=mid:{mid}") for mid in mids]
    for at, mid in enumerate(mids):
        more[at] = more[at].replace("2019896421", f"{mid}1").replace("2901723547", f"{mid}2")
    return (head + "m=video" + video + "".join(more)).replace("BUNDLE 0 1", "BUNDLE 0 1 " + " ".join(mids))


def test_a_publisher_sends_voice_camera_its_small_picture_and_a_screen_in_this_order() -> None:
    offer = read_offer(with_more(CHROMIUM_PUBLISH, "2", "3", "4"), SEND, PUBLISHED)
    answer, chosen = publish_answer(offer, LOCAL)
    assert list(chosen) == ["voice", "camera", "camera_low", "screen"]
    assert re.findall(r"m=\w+ (\d+)", answer) == ["7000"] * 4 + ["0"]
    assert offer.sources.mids == {"0": "voice", "1": "camera", "2": "camera_low", "3": "screen"}
    assert {ssrc: offer.sources.ssrcs[ssrc] for ssrc in (2045480844, 2019896421, 21, 22, 31)} == {
        2045480844: "voice",
        2019896421: "camera",
        21: "camera_low",
        22: "camera_low",
        31: "screen",
    }


def test_a_viewer_has_a_place_for_the_screen() -> None:
    answer, _ = watch_answer(read_offer(with_more(CHROMIUM_WATCH, "2"), RECEIVE, WATCHED), LOCAL, SSRCS)
    assert "a=ssrc:31 cname:keshi" in answer
    assert re.findall(r"a=msid:keshi (\w+)", answer) == ["voice", "camera", "screen"]


def test_a_section_that_numbers_a_codec_otherwise_is_declined() -> None:
    text = with_more(CHROMIUM_WATCH, "2")
    at = text.index("a=mid:2")
    other = text[:at] + text[at:].replace(":108 ", ":118 ")
    other = other[: at - 400] + other[at - 400 :].replace(" 108 ", " 118 ", 1)
    answer, usable = watch_answer(read_offer(other, RECEIVE, WATCHED), LOCAL, SSRCS)
    assert usable["H264"].payload_type == 108
    assert re.findall(r"m=video (\d+)", answer) == ["7000", "0"]
