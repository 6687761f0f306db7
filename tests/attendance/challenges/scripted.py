"""A provider with a script: it shows four digits and wants them back. For tests only."""

import asyncio
from dataclasses import dataclass, field

from server.attendance.challenges.provider import Prompt, Question


class Scripted:
    """Every question has one answer, which its prompt shows."""

    async def prompt(self, question: Question) -> Prompt:
        return Prompt(f"请输入 {answer_of(question)}")

    async def judge(self, question: Question, answer: str) -> bool:
        return answer == answer_of(question)


@dataclass
class Failing(Scripted):
    """One that cannot ask some, cannot judge, or takes its time."""

    fails: set[str] = field(default_factory=set)
    judges: bool = True
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    slow: asyncio.Event | None = None

    async def prompt(self, question: Question) -> Prompt:
        if question.person_id in self.fails:
            raise ConnectionError("nobody there")
        return await super().prompt(question)

    async def judge(self, question: Question, answer: str) -> bool:
        self.asked.set()
        if self.slow is not None:
            await self.slow.wait()
        if not self.judges:
            raise ConnectionError("nobody there")
        return await super().judge(question, answer)


def answer_of(question: Question) -> str:
    return f"{int.from_bytes(question.drawn[4:8], 'big') % 10_000:04}"


def right(prompt: Prompt | None) -> str:
    """What a person answers who reads the prompt."""
    assert prompt is not None
    return prompt.text.split()[-1]
