"""Declares the site, institutions, classes, lessons and rosters; all over REST."""

from dataclasses import dataclass
from typing import Final

from server.accounts.ports import InstitutionRef
from server.accounts.records import Person
from server.accounts.service import Accounts
from server.core.actor import EVERYONE, OVERSEERS, Role
from server.core.clock import Clock, iso
from server.core.version import VERSION
from server.core.wire.declaration import PUBLIC, UNSEEN, Call, Declarations, Nothing, Route
from server.training.records import Counts
from server.training.service import Enrolled, NewClass, NewLesson, Training
from server.training.views import ClassDetail, ClassView, LessonView, SchemeRef, class_detail, class_view, scheme_ref

__all__ = ["LessonView", "declarations"]

DESK: Final = frozenset({Role.STAFF, Role.ADMINISTRATOR})
ADMINISTRATORS: Final = frozenset({Role.ADMINISTRATOR})
CLASS_CODES: Final = (
    "institution_needed",
    "institution_unknown",
    "scheme_unknown",
    "class_code_malformed",
    "class_code_taken",
    "name_missing",
    "dates_reversed",
    "hours_out_of_range",
)
LESSON_CODES: Final = (
    "not_found",
    "lesson_number_taken",
    "lesson_times_reversed",
    "lesson_too_long",
    "name_missing",
    "instructor_unknown",
)


@dataclass(frozen=True, slots=True)
class Site:
    """What every page shows before anybody signs in; `demo` is the watermark 演示数据."""

    demo: bool
    operator: str
    record_number: str
    version: str
    now: str


@dataclass(frozen=True, slots=True)
class Institutions:
    institutions: list[InstitutionRef]


@dataclass(frozen=True, slots=True)
class NewInstitution:
    name: str
    area: str


@dataclass(frozen=True, slots=True)
class OfferedScheme:
    """A published scheme that a new class may be bound to."""

    id: str
    scheme: SchemeRef


@dataclass(frozen=True, slots=True)
class Schemes:
    """The default first."""

    schemes: list[OfferedScheme]


@dataclass(frozen=True, slots=True)
class Classes:
    classes: list[ClassView]


@dataclass(frozen=True, slots=True)
class OneClass:
    class_id: str


@dataclass(frozen=True, slots=True)
class Lessons:
    lessons: list[LessonView]


@dataclass(frozen=True, slots=True)
class OneLesson:
    lesson_id: str


@dataclass(frozen=True, slots=True)
class Trainee:
    """A row of a roster; the ID number only masked. `active`: they have a password; `deactivated`: it is of no use."""

    person_id: str
    seat: int
    name: str
    id_number_masked: str
    login: str
    active: bool
    deactivated: bool


@dataclass(frozen=True, slots=True)
class Trainees:
    trainees: list[Trainee]


class Api:
    """The functions behind the declarations."""

    def __init__(self, training: Training, accounts: Accounts, clock: Clock) -> None:
        self._training, self._accounts, self._clock = training, accounts, clock

    async def site(self, _call: Call, _request: Nothing) -> Site:
        """Who runs this server, and whether it is a demo."""
        platform = await self._training.platform()
        now = iso(self._clock.ms())
        return Site(platform.demo, platform.operator, platform.record_number, VERSION, now)

    async def institutions(self, call: Call, _request: Nothing) -> Institutions:
        """Institutions in one's scope."""
        found = await self._training.institutions(call.who)
        return Institutions([InstitutionRef(each.id, each.name, each.area) for each in found])

    async def create_institution(self, _call: Call, request: NewInstitution) -> InstitutionRef:
        """Make an institution."""
        made = await self._training.create_institution(request.name, request.area)
        return InstitutionRef(made.id, made.name, made.area)

    async def schemes(self, _call: Call, _request: Nothing) -> Schemes:
        """Which schemes there are."""
        return Schemes([OfferedScheme(one.id, scheme_ref(one)) for one in await self._training.schemes()])

    async def classes(self, call: Call, _request: Nothing) -> Classes:
        """Classes in one's scope, newest first."""
        counts = await self._training.counts()
        found = await self._training.classes_of(call.who)
        return Classes([class_view(home, counts.get(home.id, Counts())) for home in found])

    async def create_class(self, call: Call, request: NewClass) -> ClassView:
        """Make a class."""
        return class_view(await self._training.create_class(call.who, request), Counts())

    async def one_class(self, call: Call, request: OneClass) -> ClassDetail:
        """A class with its lessons."""
        home = await self._training.class_for(call.who, request.class_id)
        lessons = await self._training.lessons_of_class(home.id)
        counts = (await self._training.counts()).get(home.id, Counts())
        plan = await self._training.show([lesson.id for lesson in lessons])
        return class_detail(home, counts, plan)

    async def create_lesson(self, call: Call, request: NewLesson) -> LessonView:
        """Plan a lesson."""
        made = await self._training.create_lesson(call.who, request)
        return (await self._training.show([made.id]))[0]

    async def lessons(self, call: Call, _request: Nothing) -> Lessons:
        """An instructor's own lessons, or all in one's scope, as planned."""
        found = await self._training.lessons_of(call.who)
        return Lessons(await self._training.show([lesson.id for lesson in found]))

    async def one_lesson(self, call: Call, request: OneLesson) -> LessonView:
        """A lesson."""
        lesson, _home = await self._training.lesson_for(call.who, request.lesson_id)
        return (await self._training.show([lesson.id]))[0]

    async def roster(self, call: Call, request: OneClass) -> Trainees:
        """Who is enrolled, by seat."""
        home = await self._training.class_for(call.who, request.class_id)
        enrolled = await self._training.roster(home.id)
        people = {each.id: each for each in await self._accounts.people.of([one.person_id for one in enrolled])}
        return Trainees([_trainee(one, people[one.person_id]) for one in enrolled])


def declarations(training: Training, accounts: Accounts, clock: Clock) -> Declarations:
    """What training serves."""
    api, v1 = Api(training, accounts, clock), "/api/v1"
    one = f"{v1}/classes/{{class_id}}"
    placed = frozenset({Role.STAFF, Role.REGULATOR, Role.ADMINISTRATOR})
    teaching = DESK | {Role.INSTRUCTOR}
    return Declarations(
        routes=[
            Route("GET", f"{v1}/site", PUBLIC, Nothing, Site, api.site),
            Route("GET", f"{v1}/institutions", placed, Nothing, Institutions, api.institutions),
            Route(
                "POST",
                f"{v1}/institutions",
                ADMINISTRATORS,
                NewInstitution,
                InstitutionRef,
                api.create_institution,
                codes=("name_missing", "name_taken", "area_malformed"),
            ),
            Route("GET", f"{v1}/schemes", DESK, Nothing, Schemes, api.schemes),
            Route("GET", f"{v1}/classes", OVERSEERS, Nothing, Classes, api.classes),
            Route("POST", f"{v1}/classes", DESK, NewClass, ClassView, api.create_class, codes=CLASS_CODES),
            Route("GET", one, OVERSEERS, OneClass, ClassDetail, api.one_class, codes=UNSEEN),
            Route("POST", f"{one}/lessons", DESK, NewLesson, LessonView, api.create_lesson, codes=LESSON_CODES),
            Route("GET", f"{one}/roster", OVERSEERS, OneClass, Trainees, api.roster, codes=UNSEEN),
            Route("GET", f"{v1}/lessons", teaching, Nothing, Lessons, api.lessons),
            Route("GET", f"{v1}/lessons/{{lesson_id}}", EVERYONE, OneLesson, LessonView, api.one_lesson, codes=UNSEEN),
        ]
    )


def _trainee(one: Enrolled, who: Person) -> Trainee:
    off = who.deactivated_ms is not None
    return Trainee(one.person_id, one.seat, one.name, who.id_number_masked or "", who.login, who.active, off)
