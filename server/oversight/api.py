"""Declares what regulators see: the lessons of their area, read only."""

from dataclasses import dataclass

from server.attendance import Presence
from server.core.actor import Role
from server.core.wire.declaration import Call, Declarations, Nothing, Route
from server.training.service import Training
from server.training.views import LessonView


@dataclass(frozen=True, slots=True)
class AreaLesson:
    """A lesson of the area: enrolled and present trainees, and delivered against credited milliseconds of all."""

    lesson: LessonView
    trainees: int
    present: int
    delivered_ms: int
    credit_ms: int


@dataclass(frozen=True, slots=True)
class AreaLessons:
    """`view_id`: this look was recorded."""

    view_id: str
    area: str
    lessons: list[AreaLesson]


class Api:
    """The functions behind the declarations."""

    def __init__(self, training: Training, presence: Presence) -> None:
        self._training = training
        self._presence = presence

    async def lessons(self, call: Call, _request: Nothing) -> AreaLessons:
        """All lessons of the regulator's area; the look was written down first."""
        area = call.who.area or ""
        lessons = await self._training.lessons_of(call.who)
        shown = await self._training.show([lesson.id for lesson in lessons])
        return AreaLessons(call.view_id or "", area, [await self._row(one) for one in shown])

    async def _row(self, lesson: LessonView) -> AreaLesson:
        roster = await self._training.roster(lesson.class_id)
        present = (await self._presence.views.fresh(lesson.id)).present
        known = await self._presence.views.minutes(lesson.id)
        return AreaLesson(lesson, len(roster), present, known.delivered_ms, known.credit_ms)

    def declarations(self) -> Declarations:
        """What oversight serves."""
        regulators = frozenset({Role.REGULATOR})
        return Declarations(
            routes=[Route("GET", "/api/v1/oversight/lessons", regulators, Nothing, AreaLessons, self.lessons)]
        )
