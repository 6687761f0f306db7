"""Decides what a poll is: its question, what is an answer to it, and the tally that each answer changes. Pure.

A quick quiz is a poll with a right answer; several questions are several polls, one after another.
"""

import heapq
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal

from server.core.errors import DomainError
from server.live.acts.port import text

Kind = Literal["single", "multiple", "judgement", "text"]
State = Literal["draft", "open", "closed", "withdrawn"]
#: positions of choices in order, or what was written
Answer = tuple[int, ...] | str

QUESTION_MOST: Final = 200
ANSWER_MOST: Final = 200
CHOICE_MOST: Final = 100
CHOICES_LEAST: Final = 2
CHOICES_MOST: Final = 10
SECONDS_LEAST: Final = 5
SECONDS_MOST: Final = 1_800
#: 对 and 错, in this order: their words are the page's
JUDGEMENTS: Final = 2
#: a view holds so many of the written answers, those that were given most
TEXTS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class PollQuestion:
    """What is asked. `least` and `most` choices of a multiple one; `right`: positions that make a quiz of it, or none.

    `seconds`: how long it stays open, null: until the instructor closes it. `changeable`: an answer may be given anew.
    """

    kind: Kind
    text: str
    choices: list[str] = field(default_factory=list)
    least: int = 1
    most: int = 1
    right: list[int] = field(default_factory=list)
    seconds: int | None = None
    anonymous: bool = False
    changeable: bool = False


def checked(question: PollQuestion) -> PollQuestion:
    """The question as it is kept. Raises DomainError bad_request or text_missing."""
    choices = _choices(question)
    least, most = (question.least, question.most) if question.kind == "multiple" else (1, 1)
    if not 1 <= least <= most <= max(1, len(choices)):
        raise _bad("most", f"1 to {len(choices)} choices, least before most")
    seconds = question.seconds
    if seconds is not None and not SECONDS_LEAST <= seconds <= SECONDS_MOST:
        raise _bad("seconds", f"{SECONDS_LEAST} to {SECONDS_MOST}")
    asked = text(question.text, QUESTION_MOST)
    found = replace(question, text=asked, choices=choices, least=least, most=most, right=sorted(set(question.right)))
    _check_right(found)
    return found


def _choices(question: PollQuestion) -> list[str]:
    if question.kind in ("judgement", "text"):
        return []
    if not CHOICES_LEAST <= len(question.choices) <= CHOICES_MOST:
        raise _bad("choices", f"{CHOICES_LEAST} to {CHOICES_MOST}")
    choices = [text(one, CHOICE_MOST, "choices") for one in question.choices]
    if len(set(choices)) < len(choices):
        raise _bad("choices", "each only once")
    return choices


def _check_right(question: PollQuestion) -> None:
    right, count = question.right, options(question)
    if right and not (question.least <= len(right) <= question.most and 0 <= right[0] <= right[-1] < count):
        raise _bad("right", "what could be answered")


def options(question: PollQuestion) -> int:
    """How many there are to choose from; none to a short text."""
    return JUDGEMENTS if question.kind == "judgement" else len(question.choices)


def answer_of(question: PollQuestion, choices: list[int], written: str) -> Answer:
    """An answer to a question. Raises DomainError bad_request or text_missing."""
    if question.kind == "text":
        return text(written, ANSWER_MOST)
    if not question.least <= len(choices) <= question.most:
        raise _bad("choices", f"{question.least} to {question.most}")
    found = tuple(sorted(set(choices)))
    if len(found) < len(choices) or not 0 <= found[0] <= found[-1] < options(question):
        raise _bad("choices", "each once, and there")
    return found


def to_json(answer: Answer) -> str:
    """As it is sealed."""
    return json.dumps(answer, ensure_ascii=False)


def from_json(value: str | None) -> Answer:
    """As it was opened; what cannot be opened is an answer without choices."""
    return _answer(json.loads(value)) if value is not None else ()


def _answer(value: Any) -> Answer:
    return value if isinstance(value, str) else tuple(value)


@dataclass(slots=True)
class Poll:
    """A poll as its acts make it. `counts` and `texts` are the tally; `given`: how often each person has answered."""

    id: str
    question: PollQuestion
    state: State = "draft"
    shown: bool = False
    opened_ms: int = 0
    closes_ms: int | None = None
    closed_ms: int | None = None
    counts: list[int] = field(default_factory=list)
    texts: Counter[str] = field(default_factory=Counter)
    answers: dict[str, Answer] = field(default_factory=dict)
    given: Counter[str] = field(default_factory=Counter)

    def open(self, at_ms: int) -> None:
        seconds = self.question.seconds
        self.state, self.opened_ms = "open", at_ms
        self.closes_ms = None if seconds is None else at_ms + seconds * 1000
        self.counts = [0] * options(self.question)

    def close(self, at_ms: int) -> None:
        self.state = "closed"
        self.closed_ms = at_ms if self.closes_ms is None else min(at_ms, self.closes_ms)

    def is_over(self, now_ms: int) -> bool:
        """Whether an answer that comes now comes too late."""
        return self.state != "open" or (self.closes_ms is not None and now_ms > self.closes_ms)

    def count(self, person_id: str, answer: Answer) -> None:
        """Take an answer, instead of the one before: as much work as there are choices."""
        before = self.answers.get(person_id)
        if before is not None:
            self._add(before, -1)
        self._add(answer, 1)
        self.answers[person_id] = answer
        self.given[person_id] += 1

    def _add(self, answer: Answer, by: int) -> None:
        if isinstance(answer, str):
            self.texts[answer] += by
            if not self.texts[answer]:
                del self.texts[answer]
            return
        for one in answer:
            self.counts[one] += by

    def most_given(self, most: int = TEXTS_SHOWN) -> list[tuple[str, int]]:
        """PollText answers, most given first; alphabetically beside that, never in the order they came."""
        return heapq.nsmallest(most, self.texts.items(), key=lambda one: (-one[1], one[0]))

    def context(self, person_id: str) -> str:
        """What a sealed answer of somebody is bound to: another one each time."""
        return f"{self.id}/{self.opened_ms}/{person_id}/{self.given[person_id]}"

    def is_right(self, answer: Answer) -> bool | None:
        """Whether it is the quiz's right answer; None where there is none."""
        return list(answer) == self.question.right if self.question.right else None


def to_body(question: PollQuestion) -> dict[str, Any]:
    """As an act keeps a question."""
    return asdict(question)


def from_body(body: Mapping[str, Any]) -> PollQuestion:
    return PollQuestion(**body)


def answer_from(value: Any) -> Answer:
    """An answer as an act in the open keeps it."""
    return _answer(value)


def _bad(field_name: str, problem: str) -> DomainError:
    return DomainError("bad_request", field=field_name, problem=problem)
