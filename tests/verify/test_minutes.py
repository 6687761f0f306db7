"""What stands behind a minute's digest: every summary comes back, every other text is refused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.verify import minutes
from server.verify.minutes import (
    CLOSED,
    CREDITED,
    PLAIN,
    SUMMARY,
    Odd,
    Said,
    Seen,
    Summary,
    credited,
    plus,
    read,
    said,
    write,
)
from server.verify.tree import Refused

ME = bytes.fromhex("00000000000000aa")
HIDDEN = 1
#: 20 s in front, 6 s hidden, 4 s break, 20 s in front; then the lesson was over
MINUTE = Summary(7, ((CREDITED, 20_000), (HIDDEN, 26_000), (CLOSED, 30_000), (CREDITED, 50_000)))
TEXT = bytes.fromhex("0000000700 004e20 016590 ff7530 00c350")
ODD = replace(MINUTE, odd=Odd(2, 7_000, 300), seen=Seen(5, 2))
ODD_TEXT = bytes.fromhex("0000000736 0002 00001b58 0000012c 004e20 016590 ff7530 00c350")

states = st.sampled_from([CREDITED, 1, 2, 4, 127, CLOSED])
counts = st.builds(Odd, st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
spells = st.lists(st.tuples(states, st.integers(1, 60_000)), max_size=70).map(tuple)
summaries = st.builds(
    Summary, st.integers(0, 2**32 - 1), spells, counts, st.builds(Seen, st.integers(0, 7), st.integers(0, 3))
)


def test_the_bytes_never_change() -> None:
    assert (write(MINUTE), write(ODD)) == (TEXT, ODD_TEXT)
    assert (read(TEXT), read(ODD_TEXT)) == (MINUTE, ODD)
    assert write(Summary(1, ((CREDITED, 60_000),))).hex() == "000000010000ea60", "most minutes are eight bytes"


@given(summaries)
def test_a_summary_comes_back(one: Summary) -> None:
    assert read(write(one)) == one
    assert write(read(write(one))) == write(one)


def test_counts_beyond_their_bytes_are_as_many_as_fit() -> None:
    most = Odd(2**16 - 1, 2**32 - 1, 2**32 - 1)
    assert read(write(replace(MINUTE, odd=Odd(*(one + 1 for one in most))))).odd == most


def test_both_together() -> None:
    assert plus(Odd(1, 20, 300), Odd(4, 50, 600)) == Odd(5, 70, 900)


def test_what_a_minute_says() -> None:
    assert said(SUMMARY, ME, TEXT) == said(SUMMARY, bytes(8), ODD_TEXT) == Said(40_000, 46_000, 7)
    assert said(SUMMARY, ME, TEXT[:5]) == Said(0, 0, 7), "nothing was delivered"
    assert said(SUMMARY, ME, write(replace(MINUTE, spells=((CREDITED, 60_000),)))) == Said(60_000, 60_000, 7)


@pytest.mark.parametrize("cut", [*range(5), *range(6, len(TEXT), 3), *range(7, len(TEXT), 3)])
def test_a_text_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(Refused, match="cut off"):
        read(TEXT[:cut])


@pytest.mark.parametrize("cut", range(5, 15))
def test_odd_counts_that_are_cut_off_are_refused(cut: int) -> None:
    with pytest.raises(Refused, match="cut off"):
        read(ODD_TEXT[:cut])
    assert read(ODD_TEXT[:15]) == replace(ODD, spells=())


@pytest.mark.parametrize("marks", [0x40, 0x80, 0x60, 0xFF])
def test_unknown_marks_are_refused(marks: int) -> None:
    with pytest.raises(Refused, match="marks"):
        read(ODD_TEXT[:4] + bytes([marks]) + ODD_TEXT[5:])


def test_counts_of_nothing_are_not_said() -> None:
    with pytest.raises(Refused, match="marks"):
        read(ODD_TEXT[:5] + bytes(10) + ODD_TEXT[15:])


@pytest.mark.parametrize(
    "wrong",
    [
        ((CREDITED, 0),),
        ((CREDITED, 60_001),),
        ((CREDITED, 10), (HIDDEN, 10)),
        ((CREDITED, 10), (HIDDEN, 9)),
        ((CREDITED, 10), (CREDITED, 20)),
        ((CREDITED, 10), (CLOSED, 20)),
        ((CLOSED, 20),),
    ],
)
def test_spells_that_do_not_follow_each_other_are_refused(wrong: tuple[minutes.Spell, ...]) -> None:
    with pytest.raises(Refused, match="said" if wrong[-1][0] == CLOSED else "follow"):
        said(SUMMARY, ME, write(replace(MINUTE, spells=wrong)))


#: as minutes were told before there were summaries: 20 s, then 20 s; 20 s hidden
OLD = ME + bytes.fromhex("0002 01 0000 4e20 9c40 ea60 01 4e20")


def test_what_an_old_minute_says() -> None:
    assert said(PLAIN, ME, OLD) == Said(40_000, 60_000, 0)


def test_which_spans_of_a_minute_are_credited() -> None:
    assert credited(SUMMARY, TEXT) == credited(SUMMARY, ODD_TEXT) == ((0, 20_000), (30_000, 50_000))
    assert credited(PLAIN, OLD) == ((0, 20_000), (40_000, 60_000))
    assert credited(SUMMARY, TEXT[:-1]) == credited(PLAIN, OLD[:10]) == (), "what cannot be read credits nothing"


@pytest.mark.parametrize("wrong", [OLD[:cut] for cut in range(len(OLD))] + [OLD + b"\1", OLD + OLD[-3:], OLD[::-1]])
def test_an_old_text_that_is_no_minute_is_refused(wrong: bytes) -> None:
    with pytest.raises(Refused):
        said(PLAIN, ME, wrong)


def test_a_text_of_somebody_else_or_of_an_unknown_form_is_refused() -> None:
    with pytest.raises(Refused, match="somebody else"):
        said(PLAIN, bytes(8), OLD)
    with pytest.raises(Refused, match="form"):
        said(2, ME, TEXT)
