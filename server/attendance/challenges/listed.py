"""Declares 请人看一看: what of challenges a person should look at. It is no finding, and costs nobody a minute."""

import asyncio
from dataclasses import dataclass
from typing import Final

from server.attendance.challenges import records
from server.attendance.challenges.pace import Notable, Why, notable
from server.core.actor import Role
from server.core.database import Database
from server.core.wire.declaration import Call, Declarations, Nothing, Route
from server.training.service import Training
from server.training.views import LessonView
from server.verify.vouched import Outcome

READERS: Final = frozenset({Role.STAFF, Role.ADMINISTRATOR, Role.REGULATOR})


@dataclass(frozen=True, slots=True)
class NotableTrainee:
    """A trainee of a class as this list names them."""

    person_id: str
    seat: int
    name: str


@dataclass(frozen=True, slots=True)
class NotableView:
    """Why somebody should look: `too_fast` (`times` answers, the fastest after `least_ms`), `in_step` (all of so many
    answers; `others` with them) or `not_shown` (their page attended and never showed so many questions).
    """

    lesson: LessonView
    trainee: NotableTrainee
    why: Why
    times: int
    least_ms: int | None
    others: list[NotableTrainee]


@dataclass(frozen=True, slots=True)
class NotableList:
    """All in one's scope, the newest lesson first."""

    notable: list[NotableView]
    view_id: str | None


class Listed:
    """The function behind the declaration."""

    def __init__(self, database: Database, training: Training) -> None:
        self._database, self._training = database, training

    async def everything(self, call: Call, _request: Nothing) -> NotableList:
        """What a person should look at; derived anew from what was written, so nobody can take anything off it."""
        found = await self._found([lesson.id for lesson in await self._training.lessons_of(call.who)])
        lessons = {one.id: one for one in await self._training.show(sorted(found))}
        trainees: dict[tuple[str, str], NotableTrainee] = {}
        for class_id in {one.class_id for one in lessons.values()}:
            for one in await self._training.roster(class_id):
                trainees[class_id, one.person_id] = NotableTrainee(one.person_id, one.seat, one.name)

        def named(lesson: LessonView, person_id: str) -> NotableTrainee:
            return trainees.get((lesson.class_id, person_id), NotableTrainee(person_id, 0, ""))

        newest = sorted(lessons.values(), key=lambda one: one.planned_start, reverse=True)
        shown = [
            NotableView(
                lesson,
                named(lesson, one.person_id),
                one.why,
                one.times,
                one.least_ms,
                [named(lesson, other) for other in one.others],
            )
            for lesson in newest
            for one in found[lesson.id]
        ]
        return NotableList(shown, call.view_id)

    async def _found(self, lesson_ids: list[str]) -> dict[str, list[Notable]]:
        async with self._database.read() as connection:
            said = await records.answers_of(connection, lesson_ids)
            unshown = await records.unshown_of(connection, lesson_ids)
        found = {}
        for lesson_id in said.keys() | unshown.keys():
            outcomes = {who: [Outcome.BLOCKED] * times for who, times in unshown.get(lesson_id, {}).items()}
            found[lesson_id] = await asyncio.to_thread(notable, said.get(lesson_id, []), outcomes)
        return {lesson_id: each for lesson_id, each in found.items() if each}

    def declarations(self) -> Declarations:
        """What this serves."""
        return Declarations(
            routes=[Route("GET", "/api/v1/challenges/notable", READERS, Nothing, NotableList, self.everything)]
        )
