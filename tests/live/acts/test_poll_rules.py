"""What a question must be, what is an answer to it, and its tally."""

from typing import Any

import pytest

from server.core.errors import DomainError
from server.live.acts import poll_rules as rules
from server.live.acts.poll_rules import Poll, PollQuestion

AB = ["甲", "乙"]


def _refused(question: PollQuestion) -> tuple[str, Any]:
    with pytest.raises(DomainError) as refusal:
        rules.checked(question)
    return refusal.value.code, refusal.value.data.get("field")


def test_a_question_is_kept_without_blanks_around_its_words() -> None:
    kept = rules.checked(PollQuestion("single", " 几点？ ", [" 甲", "乙 "], least=2, most=2))
    assert (kept.text, kept.choices, kept.least, kept.most) == ("几点？", AB, 1, 1)
    assert rules.checked(PollQuestion("judgement", "对吗", AB, right=[1])).choices == []
    assert rules.from_body(rules.to_body(kept)) == kept


@pytest.mark.parametrize("count", [rules.CHOICES_LEAST, rules.CHOICES_MOST])
def test_as_many_choices_as_allowed_are_taken(count: int) -> None:
    assert len(rules.checked(PollQuestion("single", "?", [str(one) for one in range(count)])).choices) == count


@pytest.mark.parametrize("count", [rules.CHOICES_LEAST - 1, rules.CHOICES_MOST + 1])
def test_one_choice_too_few_or_too_many_is_refused(count: int) -> None:
    assert _refused(PollQuestion("single", "?", [str(one) for one in range(count)])) == ("bad_request", "choices")


def test_words_are_as_long_as_allowed_and_no_longer() -> None:
    longest = PollQuestion("single", "问" * rules.QUESTION_MOST, ["甲" * rules.CHOICE_MOST, "乙"])
    assert rules.checked(longest) == longest
    assert _refused(PollQuestion("single", "问" * (rules.QUESTION_MOST + 1), AB)) == ("bad_request", "text")
    assert _refused(PollQuestion("single", "?", ["甲" * (rules.CHOICE_MOST + 1), "乙"])) == ("bad_request", "choices")
    assert _refused(PollQuestion("text", "  ")) == ("text_missing", None)
    assert _refused(PollQuestion("single", "?", ["", "乙"])) == ("text_missing", None)
    assert _refused(PollQuestion("single", "?", ["乙", " 乙"])) == ("bad_request", "choices")


@pytest.mark.parametrize("seconds", [rules.SECONDS_LEAST, rules.SECONDS_MOST, None])
def test_as_many_seconds_as_allowed_are_taken(seconds: int | None) -> None:
    assert rules.checked(PollQuestion("text", "?", seconds=seconds)).seconds == seconds


@pytest.mark.parametrize("seconds", [rules.SECONDS_LEAST - 1, rules.SECONDS_MOST + 1])
def test_a_second_too_few_or_too_many_is_refused(seconds: int) -> None:
    assert _refused(PollQuestion("text", "?", seconds=seconds)) == ("bad_request", "seconds")


@pytest.mark.parametrize(("least", "most"), [(0, 1), (2, 1), (1, 3)])
def test_bounds_of_several_choices_that_nobody_can_keep_are_refused(least: int, most: int) -> None:
    assert _refused(PollQuestion("multiple", "?", AB, least, most)) == ("bad_request", "most")


@pytest.mark.parametrize(
    "question",
    [
        PollQuestion("single", "?", AB, right=[2]),
        PollQuestion("single", "?", AB, right=[-1]),
        PollQuestion("single", "?", AB, right=[0, 1]),
        PollQuestion("multiple", "?", [*AB, "丙"], 2, 3, right=[0]),
        PollQuestion("judgement", "?", right=[2]),
        PollQuestion("text", "?", right=[0]),
    ],
)
def test_a_right_answer_must_be_one_that_can_be_given(question: PollQuestion) -> None:
    assert _refused(question) == ("bad_request", "right")


SEVERAL = PollQuestion("multiple", "?", ["甲", "乙", "丙"], 1, 2)


def test_answers_are_those_that_the_question_allows() -> None:
    assert rules.answer_of(SEVERAL, [2, 0], "") == (0, 2)
    assert rules.answer_of(PollQuestion("judgement", "?"), [1], "ignored") == (1,)
    assert rules.answer_of(PollQuestion("text", "?"), [], " 好 ") == "好"
    assert len(rules.answer_of(PollQuestion("text", "?"), [], "字" * rules.ANSWER_MOST)) == rules.ANSWER_MOST


@pytest.mark.parametrize("choices", [[], [0, 1, 2], [0, 0], [3], [-1]])
def test_other_choices_are_refused(choices: list[int]) -> None:
    with pytest.raises(DomainError, match="bad_request"):
        rules.answer_of(SEVERAL, choices, "")


@pytest.mark.parametrize(("written", "code"), [(" ", "text_missing"), ("字" * (rules.ANSWER_MOST + 1), "bad_request")])
def test_other_texts_are_refused(written: str, code: str) -> None:
    with pytest.raises(DomainError, match=code):
        rules.answer_of(PollQuestion("text", "?"), [], written)


def test_an_answer_survives_its_seal() -> None:
    for answer in ((0, 2), "好", ()):
        assert rules.from_json(rules.to_json(answer)) == answer
    assert rules.from_json(None) == ()


def test_a_new_answer_takes_the_place_of_the_one_before() -> None:
    poll = Poll("1", SEVERAL)
    poll.open(0)
    poll.count("a", (0, 1))
    poll.count("a", (1, 2))
    assert (poll.counts, len(poll.answers), poll.given["a"]) == ([0, 1, 1], 1, 2)
    words = Poll("2", PollQuestion("text", "?"))
    words.open(0)
    words.count("a", "好")
    words.count("a", "不好")
    assert words.most_given() == [("不好", 1)]


def test_written_answers_stand_by_number_then_by_their_words_and_are_not_too_many() -> None:
    poll = Poll("1", PollQuestion("text", "?"))
    poll.open(0)
    for person, text in enumerate(["d", "c", "b", "b", *(f"z{one:02}" for one in range(rules.TEXTS_SHOWN))]):
        poll.count(str(person), text)
    found = [text for text, _ in poll.most_given()]
    assert (found[:3], len(found)) == (["b", "c", "d"], rules.TEXTS_SHOWN)


def test_what_is_right_is_exactly_that() -> None:
    quiz = Poll("1", PollQuestion("multiple", "?", AB, 1, 2, right=[0, 1]))
    assert [quiz.is_right(one) for one in ((0, 1), (0,))] == [True, False]
    assert Poll("2", SEVERAL).is_right((0,)) is None
