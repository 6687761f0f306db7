"""What is no check is counted, by what is wrong with it."""

from collections import Counter

import pytest
from aioice import stun

from media.checks import read_check, ufrag_of


def message(kind: stun.Class = stun.Class.REQUEST) -> stun.Message:
    made = stun.Message(stun.Method.BINDING, kind)
    made.attributes["USERNAME"] = "ours:theirs"
    return made


def test_a_check_is_read_and_says_whom_it_is_for() -> None:
    counts: Counter[str] = Counter()
    found = read_check(bytes(message()), counts)
    assert found is not None
    assert (ufrag_of(found), counts) == ("ours", {})


@pytest.mark.parametrize(
    ("datagram", "counted"),
    [
        (bytes(20), "stun_malformed"),
        (b"\0", "stun_malformed"),
        (bytes(message(stun.Class.RESPONSE)), "stun_not_a_check"),
    ],
    ids=["zeros", "one byte", "an answer"],  # each process makes a message of its own
)
def test_everything_else_is_counted(datagram: bytes, counted: str) -> None:
    counts: Counter[str] = Counter()
    assert read_check(datagram, counts) is None
    assert counts == {counted: 1}
