"""What a page's key signs: every word counts, every bit of key and signature, and nothing else is taken for them."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.verify.notes import decode, encode
from server.verify.pages import check_page, first_link, head_text, join_text, next_link, read_page_key
from server.verify.tree import Refused
from tests.attendance.page_key import PageKey

KEY = PageKey()
TEXT = join_text("1e55000000000001", "page-one", "")
SIGNATURE = KEY.sign(TEXT)


def test_the_key_signed_this_and_nothing_else() -> None:
    check_page(KEY.public, SIGNATURE, TEXT)
    for text in ("", join_text("1e55000000000001", "page-one", "n"), join_text("1e55000000000001", "page-two", "")):
        with pytest.raises(Refused, match="false"):
            check_page(KEY.public, SIGNATURE, text)
    with pytest.raises(Refused, match="false"):
        check_page(PageKey().public, SIGNATURE, TEXT)


@given(st.integers(0, 64 * 8 - 1))
def test_every_bit_of_a_signature_counts(bit: int) -> None:
    raw = bytearray(decode(SIGNATURE))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Refused):
        check_page(KEY.public, encode(bytes(raw)), TEXT)


@given(st.integers(0, 65 * 8 - 1))
def test_every_bit_of_a_key_counts(bit: int) -> None:
    raw = bytearray(decode(KEY.public))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Refused):
        check_page(encode(bytes(raw)), SIGNATURE, TEXT)


@pytest.mark.parametrize("signature", ["", "?", encode(bytes(63)), encode(bytes(65)), encode(bytes(64))])
def test_other_bytes_are_no_signature(signature: str) -> None:
    with pytest.raises(Refused):
        check_page(KEY.public, signature, TEXT)


@pytest.mark.parametrize("key", ["", "?", encode(bytes(65)), encode(b"\x04" + bytes(64)), encode(bytes(33))])
def test_other_bytes_are_no_key(key: str) -> None:
    with pytest.raises(Refused):
        read_page_key(key)


def test_the_chain_is_as_the_protocol_says() -> None:
    first = sha256(b"keshi-beats/v1\nlesson\n3\n7\nn7\n").digest()
    assert first_link("lesson", 3, 7, "n7") == first
    second = sha256(first + b"8 n7 1000 1-1000,1000-1001").digest()
    assert next_link(first, 8, "n7", 1000, ((1, 1000), (1000, 1001))) == second
    assert next_link(first, 8, "n7", 1000, ()) == sha256(first + b"8 n7 1000 ").digest()
    assert head_text("lesson", 3, 8, second) == f"keshi-beats/v1\nlesson\n3\n8\n{encode(second)}\n"


SPANS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=3)
BEATS = st.tuples(st.integers(0, 99), st.text("nm", min_size=1, max_size=3), st.integers(0, 99), SPANS)


@given(BEATS, BEATS)
def test_two_beats_have_two_links(
    one: tuple[int, str, int, list[tuple[int, int]]], two: tuple[int, str, int, list[tuple[int, int]]]
) -> None:
    link = bytes(32)
    assert (next_link(link, *one) == next_link(link, *two)) is (one == two)
