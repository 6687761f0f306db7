"""Decides what the actors of the demo lesson share: the plan they were given, their time, and the transcript.

A scripted second lasts `tempo` seconds; the demo plays at 1, tests play faster.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from server.core.clock import Clock, elapsed_ms, iso
from server.demo.page import BEAT_S, Login, Page, sign_in

LESSON_S: Final = 180


@dataclass(frozen=True, slots=True)
class Part:
    """Who plays what: `script` names the part."""

    script: str
    name: str
    login: str
    password: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A demo lesson: where the server is, which lesson, who plays, and where the transcript goes."""

    url: str
    lesson_id: str
    teacher: Part
    trainees: tuple[Part, ...]
    transcript: str
    tempo: float = 1.0


def read_plan(values: dict[str, Any]) -> Plan:
    """A plan as it came through the pipe."""
    parts = {"teacher": Part(**values["teacher"]), "trainees": tuple(Part(**one) for one in values["trainees"])}
    return Plan(**{**values, **parts})


class Stage:
    """Time and transcript of one performance. Second 0 is when the teacher starts the lesson."""

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self.plan, self.clock = plan, clock
        self.begun = asyncio.Event()
        self._start_ms = 0.0
        self._transcript = Path(plan.transcript)

    def begin(self) -> None:
        """Now is second 0."""
        self._start_ms = elapsed_ms()
        self.begun.set()

    async def until(self, second: float) -> None:
        """Wait for a scripted second."""
        await self.begun.wait()
        await asyncio.sleep(max(0.0, second * self.plan.tempo - (elapsed_ms() - self._start_ms) / 1000))

    def say(self, part: Part, text: str) -> None:
        """Write a line of the transcript: ledger time, who, what."""
        with self._transcript.open("a", encoding="utf-8") as file:
            file.write(f"{iso(self.clock.ms())} {part.name} {text}\n")

    async def browser(self, part: Part) -> Login:
        """Sign in over HTTP, as anybody does. Raises Refused."""
        return await sign_in(self.plan.url, part.login, part.password)

    def page(self, login: Login, device: str) -> Page:
        """A new page in a browser, not joined yet."""
        return Page(login, self.plan.lesson_id, device, elapsed_ms)

    async def attend(self, page: Page, second: float) -> None:
        """Beat every ten scripted seconds until `second`, and then once more. Raises Refused."""
        await self.begun.wait()
        while (left := second * self.plan.tempo - (elapsed_ms() - self._start_ms) / 1000) > 0:
            await page.beat()
            await asyncio.sleep(min(left, BEAT_S * self.plan.tempo))
        await page.beat()
