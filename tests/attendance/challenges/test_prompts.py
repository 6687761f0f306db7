"""What a prompt challenge asks and which answer is right: from the drawn bytes alone."""

import json
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from server.attendance.challenges.prompts import (
    CHOICES,
    CODE_DIGITS,
    DAMM,
    Prompts,
    check_digit,
    code_of,
    is_right,
    prompt_of,
)
from server.attendance.challenges.provider import Question
from server.verify.schedule import draw

DRAWN = st.binary(min_size=32, max_size=32)
VECTORS = json.loads(Path(__file__).with_name("damm.json").read_text())


def read(drawn: bytes) -> str:
    """What a person answers who reads the prompt."""
    asked = prompt_of(drawn)
    if asked.kind == "code":
        return asked.text
    first, _, second = asked.text.partition(" + ")
    return str(int(first) + int(second))


def test_the_table_is_one_of_damms() -> None:
    for row in (*DAMM, *zip(*DAMM, strict=True)):
        assert sorted(row) == list(range(10))
    assert [DAMM[at][at] for at in range(10)] == [0] * 10
    for interim in range(10):
        for a, b in ((a, b) for a in range(10) for b in range(10) if a != b):
            assert DAMM[DAMM[interim][a]][b] != DAMM[DAMM[interim][b]][a]


def test_check_digits_are_those_of_the_vectors_that_the_page_reads_as_well() -> None:
    assert VECTORS["572"] == 4, "the example of Damm's thesis"
    assert {digits: check_digit(digits) for digits in VECTORS} == VECTORS


@given(DRAWN)
def test_who_reads_the_prompt_answers_it(drawn: bytes) -> None:
    asked = prompt_of(drawn)
    assert prompt_of(drawn) == asked, "asked anew it is the same"
    assert is_right(drawn, read(drawn))
    assert is_right(drawn, f" {' '.join(read(drawn))} ")
    assert is_right(drawn, read(drawn).translate({ord("0") + at: ord("０") + at for at in range(10)}))
    assert not is_right(drawn, "")


@given(DRAWN, st.integers(0, CODE_DIGITS - 1), st.integers(1, 9))
def test_one_wrong_digit_or_two_exchanged_are_noticed_before_anything_is_sent(drawn: bytes, at: int, more: int) -> None:
    code = code_of(drawn)
    assert (len(code), check_digit(code)) == (CODE_DIGITS, 0)
    wrong = code[:at] + str((int(code[at]) + more) % 10) + code[at + 1 :]
    assert check_digit(wrong) != 0
    for at, (a, b) in enumerate(pairwise(code)):
        if a != b:
            assert check_digit(code[:at] + b + a + code[at + 2 :]) != 0


@given(DRAWN)
def test_one_of_the_choices_is_right_and_the_others_are_not(drawn: bytes) -> None:
    asked = prompt_of(drawn)
    if asked.kind == "code":
        assert asked.choices == []
    else:
        assert len(asked.choices) == CHOICES
        assert [one for one in asked.choices if is_right(drawn, one)] == [read(drawn)]
        assert all(int(one) > 0 for one in asked.choices)


def test_codes_and_sums_are_mixed_and_the_right_choice_stands_anywhere() -> None:
    drawn = [draw(b"s" * 32, "1" * 16, number) for number in range(400)]
    asked = [(prompt_of(one), read(one)) for one in drawn]
    assert {one.kind for one, _ in asked} == {"code", "sum"}
    assert 120 < sum(one.kind == "code" for one, _ in asked) < 280
    assert {one.choices.index(answer) for one, answer in asked if one.choices} == set(range(CHOICES))
    assert len({answer for one, answer in asked if one.kind == "code"}) > 100


async def test_the_provider_asks_and_judges_by_the_draw() -> None:
    drawn = draw(b"s" * 32, "1" * 16, 1)
    question = Question("1" * 16, "1" * 16, 1, drawn)
    assert await Prompts().prompt(question) == prompt_of(drawn)
    assert await Prompts().judge(question, read(drawn))
    assert not await Prompts().judge(question, "no")
