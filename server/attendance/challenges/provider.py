"""The port by which trainees are challenged: what a page shows, and whether an answer is right.

Prompts are its first adapter (prompts.py); face checks will be the next.
"""

from dataclasses import dataclass, field
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Question:
    """Which challenge is meant: `drawn` are its 32 random bytes, the same whenever this one is asked again."""

    lesson_id: str
    person_id: str
    number: int
    drawn: bytes


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a page shows: a text, and choices of which one is the answer, or none where it is written.

    Of a `code` the text is the digits to type, of a `sum` what is to be added; the words around them are the page's.
    """

    text: str
    choices: list[str] = field(default_factory=list)
    kind: Literal["text", "code", "sum"] = "text"


class ChallengeProvider(Protocol):
    """Asks and judges; keeps nothing that a restart may lose.

    When it raises, or takes longer than ten seconds, the trainee is asked anew: its failures void nothing.
    """

    async def prompt(self, question: Question) -> Prompt:
        """What is asked."""
        ...

    async def judge(self, question: Question, answer: str) -> bool:
        """Whether the answer is right."""
        ...
