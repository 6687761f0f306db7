"""Declares a lesson's polls, quick quizzes and sign-ins as a file: for who teaches it and their institution."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from server.core.actor import Role
from server.core.clock import Clock
from server.core.wire.declaration import UNSEEN, Call, Declarations, Download, Route
from server.exchange import asked
from server.exchange.service import CSV, XLSX
from server.exchange.words import Language
from server.live.acts.polls_api import KeptPolls
from server.training.rules import Lesson
from server.training.service import Training

READERS: Final = frozenset({Role.INSTRUCTOR, Role.STAFF, Role.ADMINISTRATOR})
#: a file's letters after the dot, its type, and who writes it so
FORMS: Final[Mapping[str, tuple[str, Callable[[asked.Asked], bytes]]]] = {
    "xlsx": (XLSX, asked.write_xlsx),
    "csv": (CSV, asked.write_csv),
}


class Kept(Protocol):
    """What is kept of a lesson's polls and sign-ins."""

    def of(self, lesson: Lesson) -> Awaitable[KeptPolls]:
        """Named where it was asked by name, else tallies alone."""
        ...


@dataclass(frozen=True, slots=True)
class AskedRequest:
    """`language` of the fixed words; what people wrote stays as it is."""

    lesson_id: str
    form: Literal["xlsx", "csv"]
    language: Language = Language.CHINESE


class AskedApi:
    """The function behind the declaration."""

    def __init__(self, kept: Kept, training: Training, clock: Clock) -> None:
        self._kept, self._training, self._clock = kept, training, clock

    async def file(self, call: Call, request: AskedRequest) -> Download:
        """Raises DomainError not_found."""
        lesson, home = await self._training.lesson_for(call.who, request.lesson_id)
        platform, kept = await self._training.platform(), await self._kept.of(lesson)
        words, (kind, write) = asked.WORDS[request.language], FORMS[request.form]
        title = f"{home.code} {home.name} · {lesson.number} {lesson.title}"
        found = asked.asked(words, title, kept, self._clock.ms(), demo=platform.demo)
        content = await asyncio.to_thread(write, found)
        return Download(f"{words.file}-{home.code}-{lesson.number}.{request.form}", kind, content)

    def declarations(self) -> Declarations:
        """What is served."""
        path = "/api/v1/lessons/{lesson_id}/polls.{form}"
        return Declarations(routes=[Route("GET", path, READERS, AskedRequest, Download, self.file, codes=UNSEEN)])
