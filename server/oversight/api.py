"""Declares what regulators see: the lessons of their area, and one trainee of a class; read only."""

from dataclasses import dataclass

from server.attendance import Presence
from server.attendance.api import Hours
from server.attendance.cells import Cell, Totals
from server.attendance.minutes import slot_of
from server.core.actor import EVERYONE, OVERSEERS, Role
from server.core.clock import iso
from server.core.errors import DomainError
from server.core.wire.declaration import UNSEEN, Call, Declarations, Nothing, Route
from server.oversight.service import Oversight
from server.training.service import Lesson, Training
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


@dataclass(frozen=True, slots=True)
class TraineeRequest:
    class_id: str
    person_id: str


@dataclass(frozen=True, slots=True)
class TraineeLesson:
    """A lesson as one trainee spent it: `cells` in order, none of a lesson that has not begun."""

    lesson: LessonView
    totals: Totals
    cells: list[Cell]
    planned_first_slot: int
    planned_last_slot: int


@dataclass(frozen=True, slots=True)
class TraineePage:
    """All that a class knows of one trainee's hours. `view_id` is set for a regulator: the look was recorded."""

    class_id: str
    class_name: str
    institution_name: str
    seat: int
    name: str
    hours: Hours
    lessons: list[TraineeLesson]
    view_id: str | None


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

    async def trainee(self, call: Call, request: TraineeRequest) -> TraineePage:
        """One trainee of a class: plan against actual, minute by minute. Raises not_found for somebody else's."""
        home = await self._training.class_for(call.who, request.class_id)
        enrolled = [one for one in await self._training.roster(home.id) if one.person_id == request.person_id]
        if not enrolled:
            raise DomainError("not_found")
        (place,) = enrolled
        lessons = [await self._spent(one, place.person_id) for one in await self._training.lessons_of_class(home.id)]
        hours = (await self._presence.hours_of(home.id, place.person_id))[place.person_id]
        return TraineePage(
            home.id, home.name, home.institution.name, place.seat, place.name, hours, lessons, call.view_id
        )

    async def _spent(self, lesson: Lesson, person_id: str) -> TraineeLesson:
        (shown,) = await self._training.show([lesson.id])
        known = await self._presence.views.minutes(lesson.id)
        first, last = slot_of(lesson.planned_start_ms), slot_of(lesson.planned_end_ms - 1)
        return TraineeLesson(shown, known.totals(person_id), known.cells(person_id), first, last)

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
                Route(
                    "GET",
                    "/api/v1/classes/{class_id}/trainees/{person_id}",
                    OVERSEERS,
                    TraineeRequest,
                    TraineePage,
                    self.trainee,
                    codes=UNSEEN,
                ),
                Route("GET", "/api/v1/oversight/lessons", regulators, Nothing, AreaLessons, self.lessons),
                Route(
                    "GET", "/api/v1/lessons/{lesson_id}/looks", EVERYONE, LooksRequest, Looks, self.looks, codes=UNSEEN
                ),
            ]
        )
