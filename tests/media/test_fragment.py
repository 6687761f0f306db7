"""SDP fragments: what a PATCH may say, to the edge of each limit."""

import pytest

from media.errors import MediaError
from media.fragment import MOST_LINES, Fragment, read_fragment, restarted
from tests.media.offers import LOCAL

FRESH = "a=ice-ufrag:anew\r\na=ice-pwd:0123456789abcdefghijkl\r\n"
SECTION = "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("", Fragment("", ())),
        ("a=end-of-candidates\n", Fragment("", ())),
        (FRESH, Fragment("anew", ())),
        (FRESH + FRESH, Fragment("anew", ())),
        (FRESH + SECTION, Fragment("anew", ("m=audio 9 RTP/AVP 0", "a=mid:0"))),
        (FRESH.replace("anew", "n" * 256), Fragment("n" * 256, ())),
        ("a=x\r\n" * MOST_LINES, Fragment("", ())),
    ],
)
def test_a_fragment_is_read(body: str, found: Fragment) -> None:
    assert read_fragment(body) == found


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("v", "syntax"),
        ("A=ice-ufrag:anew", "syntax"),
        ("a=x\r\n" * (MOST_LINES + 1), "syntax"),
        ("a=ice-ufrag:anew", "ice_credentials"),
        ("a=ice-pwd:0123456789abcdefghijkl", "ice_credentials"),
        (FRESH.replace("anew", "new"), "ice_credentials"),
        (FRESH.replace("anew", "n" * 257), "ice_credentials"),
        (FRESH.replace("anew", "a:ew"), "ice_credentials"),
        (FRESH.replace("kl", "k"), "ice_credentials"),
        (FRESH + FRESH.replace("anew", "other"), "ice_credentials"),
    ],
)
def test_what_is_none_is_refused(body: str, reason: str) -> None:
    with pytest.raises(MediaError, match="bad_fragment") as refused:
        read_fragment(body)
    assert refused.value.data == {"reason": reason}


def test_addresses_are_said_for_the_section_that_was_named() -> None:
    assert restarted(LOCAL, Fragment("anew", ())).splitlines()[0] == "a=ice-lite"
    assert "candidate" not in restarted(LOCAL, Fragment("anew", ()))
    said = restarted(LOCAL, read_fragment(FRESH + SECTION)).splitlines()
    assert said[1:3] == [f"a=ice-ufrag:{LOCAL.ufrag}", f"a=ice-pwd:{LOCAL.password}"]
    assert said[-1] == "a=end-of-candidates"
    assert sum(line.startswith("a=candidate:") for line in said) == len(LOCAL.addresses)
