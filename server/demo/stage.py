"""Decides what the actors of the demo lesson share: the plan they were given, time, who said what, the transcript.

A scripted second lasts `tempo` seconds; the demo plays at 1, tests play faster.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiortc import RTCPeerConnection

from server.core.clock import Clock, elapsed_ms, iso
from server.demo.page import BEAT_S, Login, Page, sign_in

LESSON_S: Final = 180
#: how often actors look at their pages, in scripted seconds
LOOK_S: Final = 1.0

Meanwhile = Callable[[], Awaitable[None]]


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
        #: who said which of their lines already
        self.said: set[tuple[str, int]] = set()
        #: of guests on stage, by login
        self.cameras: dict[str, RTCPeerConnection] = {}
        self._transcript = Path(plan.transcript)

    def begin(self) -> None:
        """Now is second 0."""
        self._start_ms = elapsed_ms()
        self.begun.set()

    def second(self) -> float:
        """The scripted second that it is."""
        return (elapsed_ms() - self._start_ms) / 1000 / self.plan.tempo

    async def until(self, second: float, meanwhile: Meanwhile | None = None) -> None:
        """Wait for a scripted second; `meanwhile` is done again and again until then."""
        await self.begun.wait()
        while (left := second - self.second()) > 0:
            if meanwhile is not None:
                await meanwhile()
                left = min(LOOK_S, second - self.second())
            await asyncio.sleep(max(0.0, left) * self.plan.tempo)

    async def close(self) -> None:
        """Whoever is still on stage is seen no longer."""
        for camera in self.cameras.values():
            await camera.close()

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

    async def attend(self, page: Page, second: float, meanwhile: Meanwhile | None = None) -> None:
        """Beat every ten scripted seconds until `second`, and then once more. Raises Refused."""
        await self.begun.wait()
        while self.second() < second:
            await page.beat()
            await self.until(min(second, self.second() + BEAT_S), meanwhile)
        await page.beat()
