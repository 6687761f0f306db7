"""Offers are understood or refused with a reason, whatever is in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.answer import publish_answer
from media.errors import MediaError
from media.offer import MAX_OFFER_LINES, MAX_SECTIONS, read_offer
from media.tap import PUBLISHED
from tests.media.offers import CHROMIUM_PUBLISH, LOCAL, SEND


def refusal(text: str) -> tuple[str, object]:
    with pytest.raises(MediaError) as refused:
        read_offer(text, SEND, PUBLISHED)
    return refused.value.code, refused.value.data.get("reason")


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
    read_offer(CHROMIUM_PUBLISH + "a=x\r\n" * (MAX_OFFER_LINES - lines), SEND, PUBLISHED)
    assert refusal(CHROMIUM_PUBLISH + "a=x\r\n" * (MAX_OFFER_LINES - lines + 1)) == ("bad_offer", "too_many_lines")
    section = "m=application 9 UDP/DTLS/SCTP x\r\na=mid:9\r\n"
    read_offer(CHROMIUM_PUBLISH + section * (MAX_SECTIONS - 2), SEND, PUBLISHED)
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
        publish_answer(read_offer(text, SEND, PUBLISHED), LOCAL)
    except MediaError as refused:
        return refused.code
    return "answered"


@given(st.text(max_size=200))
def test_any_text_is_survived(text: str) -> None:
    with pytest.raises(MediaError):
        read_offer(text, SEND, PUBLISHED)
