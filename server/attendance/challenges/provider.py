"""The port by which trainees are challenged: what a page shows, and whether an answer is right.

Face checks and prompts will be adapters of it; until one of them is there, only tests have one.
"""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Question:
    """Which challenge is meant: `drawn` are its 32 random bytes, the same whenever this one is asked again."""

    lesson_id: str
    person_id: str
    number: int
    drawn: bytes


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a page shows: a text, and choices of which one is the answer, or none where it is written."""

    text: str
    choices: list[str] = field(default_factory=list)


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
