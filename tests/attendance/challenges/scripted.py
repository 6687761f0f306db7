"""A provider with a script: it shows four digits and wants them back. For tests only."""

from server.attendance.challenges.provider import Prompt, Question


class Scripted:
    """Every question has one answer, which its prompt shows."""

    async def prompt(self, question: Question) -> Prompt:
        return Prompt(f"请输入 {answer_of(question)}")

    async def judge(self, question: Question, answer: str) -> bool:
        return answer == answer_of(question)


def answer_of(question: Question) -> str:
    return f"{int.from_bytes(question.drawn[4:8], 'big') % 10_000:04}"


def right(prompt: Prompt | None) -> str:
    """What a person answers who reads the prompt."""
    assert prompt is not None
    return prompt.text.split()[-1]
