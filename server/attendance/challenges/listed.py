"""Declares 请人看一看: what of challenges a person should look at, and that they did. It costs nobody a minute."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from server.attendance.challenges import records
from server.attendance.challenges.pace import Notable, Why, is_new, notable
from server.attendance.challenges.records_looks import Look, add_look, looks_of
from server.attendance.corrections.rules import checked_reason
from server.attendance.corrections.service import Names
from server.core.actor import Role
from server.core.clock import Clock, iso
from server.core.database import Database
from server.core.errors import DomainError
from server.core.wire.declaration import UNSEEN, Call, Declarations, Nothing, Route
from server.training.service import Training
from server.training.views import LessonView
from server.verify.vouched import Outcome

READERS: Final = frozenset({Role.STAFF, Role.ADMINISTRATOR, Role.REGULATOR})
DESK: Final = frozenset({Role.STAFF, Role.ADMINISTRATOR})
LOOK_CODES: Final = ("text_missing", "notable_changed", *UNSEEN)


@dataclass(frozen=True, slots=True)
class NotableTrainee:
    """A trainee of a class as this list names them."""

    person_id: str
    seat: int
    name: str


@dataclass(frozen=True, slots=True)
class NotableLook:
    """Somebody looked at a line, when there were so many `times` in it, and found `text`."""

    by: str
    at: str
    times: int
    text: str


@dataclass(frozen=True, slots=True)
class NewLook:
    """A line as it was shown: about whom, why and how many `times`; `text`: what was found."""

    lesson_id: str
    person_id: Annotated[str, Field(max_length=16)]
    why: Why
    times: Annotated[int, Field(ge=1)]
    text: str


@dataclass(frozen=True, slots=True)
class NotableView:
    """Why somebody should look: `too_fast` (`times` answers, the fastest after `least_ms`), `in_step` (all of so many
    answers; `others` with them) or `not_shown` (their page attended and never showed so many questions).
    `open`: nobody has looked at it as it is now.
    """

    lesson: LessonView
    trainee: NotableTrainee
    why: Why
    times: int
    least_ms: int | None
    others: list[NotableTrainee]
    open: bool
    looks: list[NotableLook]


@dataclass(frozen=True, slots=True)
class NotableList:
    """All in one's scope: what is open first, then the newest lesson."""

    notable: list[NotableView]
    view_id: str | None


class Listed:
    """The functions behind the declarations."""

    def __init__(self, database: Database, clock: Clock, training: Training, names: Names) -> None:
        self._database, self._clock, self._training, self._names = database, clock, training, names

    async def everything(self, call: Call, _request: Nothing) -> NotableList:
        """What a person should look at; derived anew from what was written, so nobody can take anything off it: what
        was looked at stays, and is open again when more of it comes.
        """
        found = await self._found([lesson.id for lesson in await self._training.lessons_of(call.who)])
        lessons = {one.id: one for one in await self._training.show(sorted(found))}
        trainees: dict[tuple[str, str], NotableTrainee] = {}
        for class_id in {one.class_id for one in lessons.values()}:
            for one in await self._training.roster(class_id):
                trainees[class_id, one.person_id] = NotableTrainee(one.person_id, one.seat, one.name)

        def named(lesson: LessonView, person_id: str) -> NotableTrainee:
            return trainees.get((lesson.class_id, person_id), NotableTrainee(person_id, 0, ""))

        looks = await self._looks(lessons)
        newest = sorted(lessons.values(), key=lambda one: one.planned_start, reverse=True)
        shown = [
            NotableView(
                lesson,
                named(lesson, one.person_id),
                one.why,
                one.times,
                one.least_ms,
                [named(lesson, other) for other in one.others],
                is_new(one, looks.known(lesson.id, one)),
                looks.shown(lesson.id, one),
            )
            for lesson in newest
            for one in found[lesson.id]
        ]
        return NotableList(sorted(shown, key=lambda one: not one.open), call.view_id)

    async def look(self, call: Call, request: NewLook) -> Nothing:
        """Somebody looked. Raises DomainError not_found, text_missing, notable_changed."""
        lesson, _ = await self._training.lesson_for(call.who, request.lesson_id)
        text = checked_reason(request.text)
        async with self._database.write(f"challenge_look:{lesson.id}") as connection:
            said = (await records.answers_of(connection, [lesson.id])).get(lesson.id, [])
            unshown = (await records.unshown_of(connection, [lesson.id])).get(lesson.id, {})
            looks = (await looks_of(connection, [lesson.id])).get(lesson.id, [])
            lines = await asyncio.to_thread(notable, said, _blocked(unshown))
            same = (one for one in lines if (one.person_id, one.why) == (request.person_id, request.why))
            if (line := next(same, None)) is None:
                raise DomainError("not_found")
            if line.times != request.times or not is_new(line, _known(looks, line)):
                raise DomainError("notable_changed")
            about = (line.person_id, line.why, line.times, len(line.others))
            new = Look(lesson.id, len(looks) + 1, *about, call.who.person_id, text, self._clock.ms())
            await add_look(connection, new)
        return Nothing()

    async def _found(self, lesson_ids: list[str]) -> dict[str, list[Notable]]:
        async with self._database.read() as connection:
            said = await records.answers_of(connection, lesson_ids)
            unshown = await records.unshown_of(connection, lesson_ids)
        found = {}
        for lesson_id in said.keys() | unshown.keys():
            outcomes = _blocked(unshown.get(lesson_id, {}))
            found[lesson_id] = await asyncio.to_thread(notable, said.get(lesson_id, []), outcomes)
        return {lesson_id: each for lesson_id, each in found.items() if each}

    async def _looks(self, lesson_ids: Iterable[str]) -> "_Looks":
        async with self._database.read() as connection:
            looks = await looks_of(connection, lesson_ids)
        return _Looks(looks, await self._names({look.by_id for each in looks.values() for look in each}))

    def declarations(self) -> Declarations:
        """What this serves."""
        return Declarations(
            routes=[
                Route("GET", "/api/v1/challenges/notable", READERS, Nothing, NotableList, self.everything),
                Route(
                    "POST", "/api/v1/lessons/{lesson_id}/notable", DESK, NewLook, Nothing, self.look, codes=LOOK_CODES
                ),
            ]
        )


@dataclass(frozen=True, slots=True)
class _Looks:
    """All looks by lesson, and who looked by name."""

    looks: Mapping[str, Sequence[Look]]
    names: Mapping[str, str]

    def known(self, lesson_id: str, line: Notable) -> list[tuple[int, int]]:
        return _known(self.looks.get(lesson_id, ()), line)

    def shown(self, lesson_id: str, line: Notable) -> list[NotableLook]:
        own = _of(self.looks.get(lesson_id, ()), line)
        return [NotableLook(self.names.get(one.by_id, ""), iso(one.at_ms), one.times, one.text) for one in own]


def _of(looks: Iterable[Look], line: Notable) -> list[Look]:
    return [look for look in looks if (look.person_id, look.why) == (line.person_id, line.why)]


def _known(looks: Iterable[Look], line: Notable) -> list[tuple[int, int]]:
    return [(look.times, look.others) for look in _of(looks, line)]


def _blocked(unshown: Mapping[str, int]) -> dict[str, list[Outcome]]:
    """Questions that were never shown, as outcomes."""
    return {who: [Outcome.BLOCKED] * times for who, times in unshown.items()}
