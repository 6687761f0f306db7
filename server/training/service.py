"""Use-cases of training. Classes and lessons are only ever obtained through an access check: outside the scope there is
nothing (not_found). Methods that take no actor are for the server's own work, behind a check made before.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from server.accounts.ports import InstitutionRef
from server.accounts.records import Person
from server.accounts.rules import checked_area, checked_name, checked_text
from server.accounts.service import Accounts
from server.core.actor import Actor, Role, sees
from server.core.clock import Clock
from server.core.database import Database
from server.core.errors import DomainError
from server.training import records, rules
from server.training import records_identities as identities
from server.training.records import Connection, Counts, Enrolment, Institution, Platform, TrainingClass
from server.training.records_tables import DEFAULT_SCHEME
from server.training.rules import Lesson, LessonState, Scheme, SubjectKind
from server.training.views import LessonView, lesson_view

__all__ = ["Connection", "Enrolled", "Institution", "Lesson", "Platform", "Scheme", "Training", "TrainingClass"]

TOKEN_BYTES: Final = 9
NAME_MAXIMUM: Final = 100
RECORD_NUMBER_MAXIMUM: Final = 60


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A trainee of a class."""

    person_id: str
    seat: int
    name: str


@dataclass(frozen=True, slots=True)
class NewClass:
    """A class to be made; days as YYYY-MM-DD; staff may leave the institution out."""

    code: str
    name: str
    institution_id: str | None
    occupation: str
    level: str
    starts_on: str
    ends_on: str
    required_hours: int
    #: the published scheme (学时认定规则) that the class is bound to for ever
    scheme_id: str = DEFAULT_SCHEME


@dataclass(frozen=True, slots=True)
class NewLesson:
    """A lesson to be planned; moments in ISO 8601 with an offset."""

    class_id: str
    number: int
    title: str
    subject_kind: SubjectKind
    planned_start: str
    planned_end: str
    instructor_id: str


#: what is done about a lesson that was just planned, under its class's scheme
Planned = Callable[[Lesson, Scheme], Awaitable[None]]
Found = TypeVar("Found")


class Training:
    """The door of this capability for all others."""

    def __init__(self, database: Database, clock: Clock, accounts: Accounts, demo: bool) -> None:
        self._database, self._clock, self._accounts, self._demo = database, clock, accounts, demo
        #: told of every lesson once it is planned; raises nothing
        self.on_planned: list[Planned] = []

    # ---- platform and institutions

    async def platform(self) -> Platform:
        """The platform; before it is set up, one without a name."""
        async with self._database.read() as connection:
            return await records.get_platform(connection) or Platform("", "", self._demo)

    async def set_platform(self, operator: str, record_number: str) -> None:
        """Set the platform up, or correct its name and number. Raises DomainError bad_request."""
        new = Platform(
            checked_text(operator, "operator", NAME_MAXIMUM),
            checked_text(record_number, "record_number", RECORD_NUMBER_MAXIMUM),
            self._demo,
        )
        async with self._database.write() as connection:
            await records.put_platform(connection, new, self._clock.ms())

    async def check_kind(self, demo: bool) -> None:
        """A demo's store is never served as a real one, nor the reverse. Raises DomainError is_a_demo, not_a_demo."""
        async with self._database.read() as connection:
            known = await records.get_platform(connection)
        if known is not None and known.demo != demo:
            raise DomainError("is_a_demo" if known.demo else "not_a_demo")

    async def tell_what_stands(self) -> None:
        """Tell the log of what it does not know yet of platform, schemes, lessons and seats; at each start."""
        async with self._database.write() as connection:
            await records.tell_what_stands(connection, self._clock.ms())

    async def create_institution(self, name: str, area: str) -> Institution:
        """Make an institution. Raises DomainError name_missing, name_taken, area_malformed, bad_request."""
        new = Institution(secrets.token_hex(8), checked_name(name, "name", NAME_MAXIMUM), checked_area(area))
        async with self._database.write() as connection:
            await records.add_institution(connection, new, self._clock.ms())
        return new

    async def institutions(self, actor: Actor) -> list[Institution]:
        """The institutions in an actor's scope, by name."""
        async with self._database.read() as connection:
            return [each for each in await records.institutions(connection) if sees(actor, each.id, each.area)]

    # ---- classes

    async def publish_scheme(self, name: str, title: str, parameters: Mapping[str, Any]) -> Scheme:
        """Publish the next version of a scheme; it never changes, and a class is bound to one version.

        Raises DomainError bad_request (also for parameters), name_taken (somebody published it at the same moment).
        """
        shown, kept = checked_name(title, "title", NAME_MAXIMUM), rules.checked_parameters(parameters)
        if rules.SCHEME_FORM.fullmatch(name) is None:
            raise DomainError("bad_request", field="name", problem="small letters, digits and hyphens")
        async with self._database.write() as connection:
            version = await records.newest_version(connection, name) + 1
            new = Scheme(f"{name}/{version}", name, version, shown, kept, self._clock.ms())
            await records.add_scheme(connection, new)
        return new

    async def create_class(self, actor: Actor, new: NewClass) -> TrainingClass:
        """Make a class under a published scheme; staff only at their own institution.

        Raises DomainError institution_needed, institution_unknown, class_code_malformed, class_code_taken,
        scheme_unknown, name_missing, dates_reversed, hours_out_of_range, bad_request.
        """
        institution_id = new.institution_id or actor.institution_id
        if institution_id is None:
            raise DomainError("institution_needed")
        starts_on, ends_on = rules.checked_dates(new.starts_on, new.ends_on)
        async with self._database.write() as connection:
            home = await records.institution_by_id(connection, institution_id)
            bound = await records.scheme_by_id(connection, new.scheme_id)
            if bound is None:
                raise DomainError("scheme_unknown")
            if home is None or not sees(actor, home.id, home.area):
                raise DomainError("institution_unknown")
            made = TrainingClass(
                id=secrets.token_hex(8),
                code=rules.checked_code(new.code),
                name=checked_name(new.name, "name", rules.TEXT_MAXIMUM),
                occupation=checked_text(new.occupation, "occupation", rules.TEXT_MAXIMUM),
                level=checked_text(new.level, "level", rules.LEVEL_MAXIMUM),
                starts_on=starts_on,
                ends_on=ends_on,
                required_hours=rules.checked_hours(new.required_hours),
                token=secrets.token_urlsafe(TOKEN_BYTES),
                created_ms=self._clock.ms(),
                institution=home,
                scheme=bound,
            )
            await records.add_class(connection, made)
        return made

    async def classes_of(self, actor: Actor) -> list[TrainingClass]:
        """The classes an actor may see, newest first."""
        async with self._database.read() as connection:
            return await records.classes(connection, await records.in_scope(connection, actor))

    async def class_for(self, actor: Actor, class_id: str) -> TrainingClass:
        """A class, if the actor may see it. Raises DomainError not_found."""
        async with self._database.read() as connection:
            scope = await records.in_scope(connection, actor)
            return _only(await records.classes(connection, records.is_class(class_id) & scope))

    async def counts(self) -> dict[str, Counts]:
        """Trainees, lessons and running lessons by class; a class without any is absent."""
        async with self._database.read() as connection:
            return await records.counts(connection)

    async def training_class(self, class_id: str) -> TrainingClass:
        """A class, for the server's own work. Raises DomainError not_found."""
        async with self._database.read() as connection:
            return _only(await records.classes(connection, records.is_class(class_id)))

    async def class_by_code(self, code: str) -> TrainingClass:
        """A class by its code, for the command line. Raises DomainError not_found (also when two have it)."""
        async with self._database.read() as connection:
            found = await records.classes(connection, records.has_code(code))
        if len(found) > 1:
            raise DomainError("not_found", problem="more than one institution has a class of this code")
        return _only(found)

    async def scheme_of(self, class_id: str) -> Scheme:
        """The scheme a class is bound to. Raises DomainError not_found."""
        return (await self.training_class(class_id)).scheme

    async def published(self, scheme_id: str) -> Scheme:
        """A published scheme. Raises DomainError scheme_unknown."""
        async with self._database.read() as connection:
            found = await records.scheme_by_id(connection, scheme_id)
        if found is None:
            raise DomainError("scheme_unknown")
        return found

    # ---- lessons

    async def create_lesson(self, actor: Actor, new: NewLesson) -> Lesson:
        """Plan a lesson.

        Raises DomainError not_found, lesson_number_taken, lesson_times_reversed, lesson_too_long, name_missing,
        instructor_unknown (nobody, no instructor, or of another institution), bad_request.
        """
        home = await self.class_for(actor, new.class_id)
        start_ms, end_ms = rules.checked_times(new.planned_start, new.planned_end)
        made = Lesson(
            id=secrets.token_hex(8),
            class_id=home.id,
            number=rules.checked_number(new.number),
            title=checked_name(new.title, "title", rules.TEXT_MAXIMUM),
            subject_kind=new.subject_kind,
            planned_start_ms=start_ms,
            planned_end_ms=end_ms,
            instructor_id=(await self._instructor(new.instructor_id, home)).id,
            state=LessonState.PLANNED,
            started_ms=None,
            ended_ms=None,
        )
        async with self._database.write() as connection:
            await records.add_lesson(connection, made, self._clock.ms())
        for told in self.on_planned:
            await told(made, home.scheme)
        return made

    async def lessons_of(self, actor: Actor) -> list[Lesson]:
        """An instructor's own lessons; of everybody else the lessons of all classes they may see; as planned."""
        async with self._database.read() as connection:
            return await records.lessons_in_scope(connection, actor)

    async def lesson_for(self, actor: Actor, lesson_id: str) -> tuple[Lesson, TrainingClass]:
        """A lesson and its class, if the actor may see the class. Raises DomainError not_found."""
        async with self._database.read() as connection:
            lesson = _only(await records.lessons_by_ids(connection, [lesson_id]))
            where = records.is_class(lesson.class_id) & await records.in_scope(connection, actor)
            return lesson, _only(await records.classes(connection, where))

    async def lesson_and_class(self, lesson_id: str) -> tuple[Lesson, TrainingClass]:
        """A lesson and its class, for the server's own work. Raises DomainError not_found."""
        async with self._database.read() as connection:
            lesson = _only(await records.lessons_by_ids(connection, [lesson_id]))
            return lesson, _only(await records.classes(connection, records.is_class(lesson.class_id)))

    async def lesson(self, lesson_id: str) -> Lesson:
        """A lesson, for the server's own work. Raises DomainError not_found."""
        return _only(await self.lessons([lesson_id]))

    async def lessons(self, lesson_ids: Sequence[str]) -> list[Lesson]:
        """Those of these lessons that exist, for the server's own work."""
        async with self._database.read() as connection:
            return await records.lessons_by_ids(connection, lesson_ids)

    async def lessons_of_class(self, class_id: str) -> list[Lesson]:
        """A class's lessons as planned, for the server's own work."""
        async with self._database.read() as connection:
            return await records.lessons_of_class(connection, class_id)

    async def show(self, lesson_ids: list[str]) -> list[LessonView]:
        """Lessons as pages show them, in the order asked for; access was checked before. Raises not_found."""
        known = {lesson.id: lesson for lesson in await self.lessons(lesson_ids)}
        if missing := set(lesson_ids) - known.keys():
            raise DomainError("not_found", lesson_id=min(missing))
        async with self._database.read() as connection:
            ids = {lesson.class_id for lesson in known.values()}
            homes = {home.id: home for home in await records.classes(connection, records.is_one_of(ids))}
        names = await self._accounts.names({lesson.instructor_id for lesson in known.values()})
        shown = [known[lesson_id] for lesson_id in lesson_ids]
        return [lesson_view(lesson, homes[lesson.class_id], names[lesson.instructor_id]) for lesson in shown]

    async def shown(self, lesson: Lesson, home: TrainingClass) -> LessonView:
        """A lesson of this class as pages show it."""
        names = await self._accounts.names([lesson.instructor_id])
        return lesson_view(lesson, home, names[lesson.instructor_id])

    async def to_come(self) -> list[tuple[Lesson, Scheme]]:
        """All planned lessons whose time is not over, each with the scheme of its class."""
        async with self._database.read() as connection:
            planned = await records.lessons_to_come(connection, self._clock.ms())
            ids = {lesson.class_id for lesson in planned}
            homes = {home.id: home for home in await records.classes(connection, records.is_one_of(ids))}
        return [(lesson, homes[lesson.class_id].scheme) for lesson in planned]

    async def schemes(self) -> list[Scheme]:
        """The newest version of each published scheme, the default first."""
        async with self._database.read() as connection:
            found = await records.newest_schemes(connection)
        return sorted(found, key=lambda one: (one.id != DEFAULT_SCHEME, one.name))

    async def running_lessons(self) -> list[Lesson]:
        """All lessons that are starting, live or in a break."""
        async with self._database.read() as connection:
            return await records.running_lessons(connection)

    async def set_lesson_state(
        self,
        connection: Connection,
        lesson_id: str,
        state: str,
        started_ms: int | None = None,
        ended_ms: int | None = None,
    ) -> None:
        """Move a lesson's state within the caller's transaction, the one that writes the event."""
        await records.set_lesson_state(connection, lesson_id, state, started_ms, ended_ms)

    # ---- who is enrolled

    async def roster(self, class_id: str) -> list[Enrolled]:
        """A class's trainees by seat, for the server's own work."""
        async with self._database.read() as connection:
            places = await records.roster(connection, class_id)
        names = await self._accounts.names([place.person_id for place in places])
        return [Enrolled(place.person_id, place.seat, names[place.person_id]) for place in places]

    async def enrol(self, class_id: str, person_id: str) -> int:
        """Enrol somebody; returns their seat, also when they had one already."""
        return (await self.enrol_all(class_id, [person_id]))[person_id].seat

    async def enrol_all(self, class_id: str, person_ids: Sequence[str]) -> dict[str, "Seated"]:
        """Enrol many in one transaction, seats in the given order after the last one taken."""
        async with self._database.write() as connection:
            seats = {place.person_id: place.seat for place in await records.roster(connection, class_id)}
            fresh: list[Enrolment] = []
            for person_id in dict.fromkeys(person_ids):
                if person_id not in seats:
                    fresh.append(Enrolment(person_id, max(seats.values(), default=0) + len(fresh) + 1))
            await records.add_enrolments(connection, class_id, fresh, self._clock.ms())
        known = {person_id: Seated(seat, False) for person_id, seat in seats.items()}
        return known | {place.person_id: Seated(place.seat, True) for place in fresh}

    async def salts(self, class_id: str) -> dict[str, bytes]:
        """By trainee, the salts of what the log says of a class's seats (verify.identity)."""
        async with self._database.read() as connection:
            return await identities.salts(connection, class_id)

    async def told_of(self, class_id: str) -> tuple[list[bytes], str]:
        """The rows of a class and of its scheme as the log was told of them, and the group of the scheme."""
        async with self._database.read() as connection:
            return await records.told_of(connection, class_id)

    # ---- what accounts asks (accounts.ports.Places)

    async def institution_of(self, institution_id: str) -> InstitutionRef | None:
        """An institution by id."""
        async with self._database.read() as connection:
            found = await records.institution_by_id(connection, institution_id)
        return InstitutionRef(found.id, found.name, found.area) if found else None

    async def name_of_scope(self, scope: str) -> str | None:
        """The name of the class with this token."""
        async with self._database.read() as connection:
            found = await records.classes(connection, records.has_token(scope))
        return found[0].name if found else None

    async def scope_for(self, actor: Actor, person_id: str) -> str | None:
        """The token of the newest class that the actor may see and this person is enrolled in."""
        async with self._database.read() as connection:
            scope = await records.in_scope(connection, actor)
            found = await records.classes(connection, scope & records.has_trainee(person_id))
        return found[0].token if found else None

    async def _instructor(self, person_id: str, home: TrainingClass) -> Person:
        try:
            person = await self._accounts.person(person_id)
        except DomainError as error:
            raise DomainError("instructor_unknown") from error
        if person.role is not Role.INSTRUCTOR or person.institution_id != home.institution.id:
            raise DomainError("instructor_unknown")
        return person


@dataclass(frozen=True, slots=True)
class Seated:
    """A seat, and whether it was given just now."""

    seat: int
    fresh: bool


def _only(found: list[Found]) -> Found:
    if not found:
        raise DomainError("not_found")
    return found[0]
