"""Decides how questions are spoken of: the commands with their limits, and what pages are shown. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

from server.live.acts.pace import Limit

TEXT_MOST: Final = 500
ANSWER_MOST: Final = 1_000
#: of one person
ASKS: Final = Limit(3, 60_000)
#: of one person, changes of mind among them
VOTES: Final = Limit(10, 10_000)
#: one person's questions that wait for an answer
OPEN_MOST: Final = 10
#: written answers to one question
ANSWERS_MOST: Final = 10
#: the instructor may answer in writing for so long after the lesson
LATE_MS: Final = 7 * 24 * 3_600_000

Standing = Literal["open", "answering", "answered", "merged", "withdrawn"]
#: somebody still wants to know
WAITING: Final = ("open", "answering")


@dataclass(frozen=True, slots=True)
class QuestionAsk:
    """`anonymous`: to other trainees, not to the instructor and not to the record."""

    lesson_id: str
    text: str
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class QuestionVote:
    lesson_id: str
    question: str
    on: bool


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """In writing."""

    lesson_id: str
    question: str
    text: str


@dataclass(frozen=True, slots=True)
class QuestionAnswering:
    """发言作答: it is being answered live; with `on` false it is not after all."""

    lesson_id: str
    question: str
    on: bool = True


@dataclass(frozen=True, slots=True)
class QuestionDone:
    """已解决."""

    lesson_id: str
    question: str


@dataclass(frozen=True, slots=True)
class QuestionMerge:
    lesson_id: str
    question: str
    into: str


@dataclass(frozen=True, slots=True)
class QuestionWithdraw:
    lesson_id: str
    question: str


@dataclass(frozen=True, slots=True)
class QuestionHide:
    lesson_id: str
    question: str
    on: bool


@dataclass(frozen=True, slots=True)
class AnswerView:
    """A written answer; `late`: after the lesson."""

    text: str
    by: str
    at_ms: int
    late: bool


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A question: `at_ms` is when it was asked, `live_ms` and `until_ms` when it was answered live.

    Without `author` it is anonymous to whoever reads this. `into`: the question that it was merged into.
    """

    id: str
    at_ms: int
    text: str
    anonymous: bool
    author_id: str | None
    author: str | None
    votes: int
    state: Standing
    hidden: bool
    into: str | None
    live_ms: int | None
    until_ms: int | None
    answers: list[AnswerView]


@dataclass(frozen=True, slots=True)
class MyQuestions:
    """By id: what one asked, and what one wants to know as well."""

    asked: list[str]
    voted: list[str]
