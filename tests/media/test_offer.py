"""Offers are understood or refused; answers repeat the offer's numbers."""

import re

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from media.answer import Local, Ssrcs, publish_answer, watch_answer
from media.errors import MediaError
from media.offer import MAX_OFFER_LINES, MAX_SECTIONS, read_offer
from tests.media.offers import CHROMIUM_PUBLISH, CHROMIUM_WATCH

LOCAL = Local("uf", "password" * 3, (("sha-256", "AA:BB"),), ("192.0.2.1", "2001:db8::1"), 7_000, 1_200)
SSRCS = {"video": Ssrcs(11, 12), "audio": Ssrcs(21, 22)}
SEND, RECEIVE = ("sendonly", "sendrecv"), ("recvonly", "sendrecv")


def refusal(text: str) -> tuple[str, object]:
    with pytest.raises(MediaError) as refused:
        read_offer(text, SEND)
    return refused.value.code, refused.value.data.get("reason")


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


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a=group:BUNDLE 0 1", "a=group:BUNDLE 0", ("bad_offer", "not_bundled")),
        ("a=rtcp-mux\r\n", "", ("bad_offer", "no_rtcp_mux")),
        ("a=setup:actpass", "a=setup:passive", ("bad_offer", "dtls_role")),
        ("a=fingerprint:sha-256", "a=fingerprint:md5", ("bad_offer", "no_fingerprint")),
        ("a=ice-pwd:", "a=x:", ("bad_offer", "no_ice_credentials")),
        ("a=rtpmap:111", "a=rtpmap:x", ("bad_offer", "syntax")),
        ("a=sendonly", "a=inactive", ("no_common_codec", None)),
    ],
)
def test_what_cannot_work_is_refused_with_its_reason(old: str, new: str, expected: tuple[str, object]) -> None:
    assert old in CHROMIUM_PUBLISH
    assert refusal(CHROMIUM_PUBLISH.replace(old, new)) == expected


def test_an_offer_has_at_most_so_many_lines_and_sections() -> None:
    lines = len(CHROMIUM_PUBLISH.splitlines())
    read_offer(CHROMIUM_PUBLISH + "a=x\r\n" * (MAX_OFFER_LINES - lines), SEND)
    assert refusal(CHROMIUM_PUBLISH + "a=x\r\n" * (MAX_OFFER_LINES - lines + 1)) == ("bad_offer", "too_many_lines")
    section = "m=application 9 UDP/DTLS/SCTP x\r\na=mid:9\r\n"
    read_offer(CHROMIUM_PUBLISH + section * (MAX_SECTIONS - 2), SEND)
    assert refusal(CHROMIUM_PUBLISH + section * (MAX_SECTIONS - 1)) == ("bad_offer", "sections")


@given(st.data())
def test_a_mangled_offer_is_understood_or_refused(data: st.DataObject) -> None:
    lines = CHROMIUM_PUBLISH.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        cut = data.draw(st.integers(0, len(lines[at])))
        junk = data.draw(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12))
        lines[at] = lines[at][:cut] + junk + lines[at][cut + data.draw(st.integers(0, 6)) :]
    assert outcome("\r\n".join(lines)) in ("answered", "bad_offer", "no_common_codec")


def outcome(text: str) -> str:
    try:
        publish_answer(read_offer(text, SEND), LOCAL)
    except MediaError as refused:
        return refused.code
    return "answered"


@given(st.text(max_size=200))
def test_any_text_is_survived(text: str) -> None:
    with pytest.raises(MediaError):
        read_offer(text, SEND)
