"""Declares what regulators see: the lessons of their area, read only."""

from dataclasses import dataclass

from server.attendance import Presence
from server.core.actor import EVERYONE, Role
from server.core.clock import iso
from server.core.wire.declaration import UNSEEN, Call, Declarations, Nothing, Route
from server.oversight.service import Oversight
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


@dataclass(frozen=True, slots=True)
class LooksRequest:
    lesson_id: str


@dataclass(frozen=True, slots=True)
class Looks:
    """When regulators looked at a lesson; nothing before it is over: a visit is silent while it is taught."""

    at: list[str]


class Api:
    """The functions behind the declarations."""

    def __init__(self, oversight: Oversight, training: Training, presence: Presence) -> None:
        self._oversight = oversight
        self._training = training
        self._presence = presence

    async def lessons(self, call: Call, _request: Nothing) -> AreaLessons:
        """All lessons of the regulator's area; the look was written down first."""
        area = call.who.area or ""
        lessons = await self._training.lessons_of(call.who)
        shown = await self._training.show([lesson.id for lesson in lessons])
        return AreaLessons(call.view_id or "", area, [await self._row(one) for one in shown])

    async def looks(self, call: Call, request: LooksRequest) -> Looks:
        """The looks at a lesson that is over, for all who may see the lesson."""
        lesson, _ = await self._training.lesson_for(call.who, request.lesson_id)
        return Looks([] if lesson.ended_ms is None else [iso(at) for at in await self._oversight.looks(lesson.id)])

    async def _row(self, lesson: LessonView) -> AreaLesson:
        roster = await self._training.roster(lesson.class_id)
        present = (await self._presence.views.fresh(lesson.id)).present
        known = await self._presence.views.minutes(lesson.id)
        return AreaLesson(lesson, len(roster), present, known.delivered_ms, known.credit_ms)

    def declarations(self) -> Declarations:
        """What oversight serves."""
        regulators = frozenset({Role.REGULATOR})
        return Declarations(
            routes=[
                Route("GET", "/api/v1/oversight/lessons", regulators, Nothing, AreaLessons, self.lessons),
                Route(
                    "GET", "/api/v1/lessons/{lesson_id}/looks", EVERYONE, LooksRequest, Looks, self.looks, codes=UNSEEN
                ),
            ]
        )
