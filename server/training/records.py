"""Queries of training: what there is, and which of it an actor may see."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Select, Table, delete, false, func, select, true, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.actor import Actor, Role, sees
from server.core.errors import DomainError
from server.ledger.facts import fact, group_named, tell, tell_once, text_of
from server.ledger.records import append
from server.ledger.rules import MINUTE_MS
from server.ledger.sources import Source
from server.training.records_identities import STATES, tell_lessons, tell_seats, tell_untold
from server.training.records_tables import (
    ONLY,
    enrolment,
    institution,
    lesson,
    platform,
    scheme,
    training_class,
)
from server.training.rules import RUNNING, Lesson, LessonState, Scheme, SubjectKind
from server.verify.formats import Kind

Connection: TypeAlias = AsyncConnection
CHUNK: Final = 500
#: the group of what the log is told of the operator; a scheme's is named after its id
PLATFORM: Final = group_named("platform")
SOURCES: Final = (
    Source(platform, Kind.PLATFORM, without=frozenset({"id", "created_ms"}), changes=True),
    Source(scheme, Kind.SCHEME),
    Source(institution, Kind.INSTITUTION, "created_ms", older=True),
    Source(training_class, Kind.TRAINING_CLASS, "created_ms", without=frozenset({"token"}), older=True),
    Source(enrolment, Kind.ENROLMENT, "enrolled_ms", older=True),
    Source(lesson, Kind.LESSON, without=STATES),
)
_CLASS_COLUMNS: Final = [each for each in training_class.c if each.name not in ("institution_id", "scheme_id")]
_CLASSES: Final = (
    select(*[each.label(f"c_{each.name}") for each in _CLASS_COLUMNS])
    .add_columns(*[each.label(f"i_{each.name}") for each in institution.c])
    .add_columns(*[each.label(f"s_{each.name}") for each in scheme.c])
    .select_from(training_class.join(institution).join(scheme))
    .order_by(training_class.c.created_ms.desc(), training_class.c.id)
)


@dataclass(frozen=True, slots=True)
class Platform:
    """The operator (平台) and its record number with the city; `demo` marks a store of fictitious data."""

    operator: str
    record_number: str
    demo: bool


@dataclass(frozen=True, slots=True)
class Institution:
    """An institution (承训机构)."""

    id: str
    name: str
    area: str


@dataclass(frozen=True, slots=True)
class TrainingClass:
    """A class (培训班) with its institution and the scheme it is bound to. `token` stands in its QR."""

    id: str
    code: str
    name: str
    occupation: str
    level: str
    starts_on: str
    ends_on: str
    required_hours: int
    token: str
    created_ms: int
    institution: Institution
    scheme: Scheme


@dataclass(frozen=True, slots=True)
class Counts:
    """How many trainees and lessons a class has, and how many of these are running."""

    trainees: int = 0
    lessons: int = 0
    live: int = 0


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Somebody's place in a class."""

    person_id: str
    seat: int


async def _insert(connection: Connection, table: Table, values: dict[str, Any], taken: str) -> None:
    try:
        await connection.execute(table.insert().values(values))
    except IntegrityError as error:
        raise DomainError(taken) from error


async def get_platform(connection: Connection) -> Platform | None:
    """The platform, once it is set up."""
    query = select(platform.c.operator, platform.c.record_number, platform.c.demo)
    row = (await connection.execute(query)).mappings().first()
    return Platform(**row) if row else None


async def put_platform(connection: Connection, new: Platform, now_ms: int) -> None:
    """Set the platform up, or correct its operator and number; what it is, demo or not, never changes."""
    values = {"operator": new.operator, "record_number": new.record_number}
    done = await connection.execute(update(platform).where(platform.c.id == ONLY).values(values))
    if done.rowcount == 0:
        row = {"id": ONLY, **values, "demo": new.demo, "created_ms": now_ms}
        await connection.execute(platform.insert().values(row))
    now = await get_platform(connection)
    assert now is not None  # noqa: S101  written above
    await tell(connection, Kind.PLATFORM, now_ms, asdict(now), group_id=PLATFORM)


async def tell_what_stands(connection: Connection, now_ms: int) -> None:
    """Tell the log of the platform, and of every scheme, lesson and seat that it does not know yet: some were there
    before it.
    """
    known = await get_platform(connection)
    if known is not None:
        await tell_once(connection, Kind.PLATFORM, now_ms, asdict(known), group_id=PLATFORM)
    for row in (await connection.execute(select(scheme).order_by(scheme.c.published_ms, scheme.c.id))).mappings():
        about = {"group_id": group_named(row["id"]), "seq": row["version"]}
        await tell_once(connection, Kind.SCHEME, now_ms, dict(row), **about)
    await tell_untold(connection, now_ms)


async def add_institution(connection: Connection, new: Institution, now_ms: int) -> None:
    """Write an institution. Raises DomainError name_taken."""
    values = {"id": new.id, "name": new.name, "area": new.area, "created_ms": now_ms}
    await _insert(connection, institution, values, "name_taken")
    await tell(connection, Kind.INSTITUTION, now_ms, values, group_id=new.id)


async def institutions(connection: Connection) -> list[Institution]:
    """All institutions by name."""
    query = select(institution.c.id, institution.c.name, institution.c.area).order_by(institution.c.name)
    return [Institution(**row) for row in (await connection.execute(query)).mappings()]


async def institution_by_id(connection: Connection, institution_id: str) -> Institution | None:
    """An institution."""
    query = select(institution.c.id, institution.c.name, institution.c.area).where(institution.c.id == institution_id)
    row = (await connection.execute(query)).mappings().first()
    return Institution(**row) if row else None


async def add_scheme(connection: Connection, new: Scheme) -> None:
    """Publish a scheme. Raises DomainError name_taken when this version is published already."""
    values = {each.name: getattr(new, each.name) for each in scheme.c}
    await _insert(connection, scheme, values, "name_taken")
    await tell(connection, Kind.SCHEME, new.published_ms, values, group_id=group_named(new.id), seq=new.version)


async def newest_version(connection: Connection, name: str) -> int:
    """The newest version of a scheme; 0 when there is none."""
    query = select(func.max(scheme.c.version)).where(scheme.c.name == name)
    return (await connection.execute(query)).scalar_one() or 0


async def scheme_by_id(connection: Connection, scheme_id: str) -> Scheme | None:
    """A published scheme."""
    row = (await connection.execute(select(scheme).where(scheme.c.id == scheme_id))).mappings().first()
    return Scheme(**row) if row else None


async def newest_schemes(connection: Connection) -> list[Scheme]:
    """Of each published scheme the newest version."""
    newest = select(scheme.c.name, func.max(scheme.c.version)).group_by(scheme.c.name)
    query = select(scheme).where(tuple_(scheme.c.name, scheme.c.version).in_(newest))
    return [Scheme(**row) for row in (await connection.execute(query)).mappings()]


async def add_class(connection: Connection, new: TrainingClass) -> None:
    """Write a class. Raises DomainError class_code_taken."""
    values = {each.name: getattr(new, each.name) for each in _CLASS_COLUMNS}
    bound = {"institution_id": new.institution.id, "scheme_id": new.scheme.id}
    await _insert(connection, training_class, values | bound, "class_code_taken")
    filed = {name: value for name, value in (values | bound).items() if name != "token"}
    await tell(connection, Kind.TRAINING_CLASS, new.created_ms, filed, group_id=new.id, resource=new.institution.id)


async def told_of(connection: Connection, class_id: str) -> tuple[list[bytes], str]:
    """The rows of a class and of its scheme as the log was told of them, and the group of the scheme."""
    query = select(training_class).where(training_class.c.id == class_id)
    filed = dict((await connection.execute(query)).mappings().one())
    del filed["token"]
    query = select(scheme).where(scheme.c.id == filed["scheme_id"])
    bound = dict((await connection.execute(query)).mappings().one())
    return [text_of(filed), text_of(bound)], group_named(bound["id"])


async def classes(connection: Connection, where: ColumnElement[bool]) -> list[TrainingClass]:
    """Classes, newest first."""
    found = []
    for row in (await connection.execute(_CLASSES.where(where))).mappings():
        home = Institution(row["i_id"], row["i_name"], row["i_area"])
        bound = Scheme(**{each.name: row[f"s_{each.name}"] for each in scheme.c})
        own = {each.name: row[f"c_{each.name}"] for each in _CLASS_COLUMNS}
        found.append(TrainingClass(**own, institution=home, scheme=bound))
    return found


async def in_scope(connection: Connection, actor: Actor) -> ColumnElement[bool]:
    """Which classes an actor may see (R13); the rule itself is core.actor.sees, here said to the database.

    A trainee sees the classes they are enrolled in, an instructor those they teach in, of whatever institution.
    """
    match actor.role:
        case Role.ADMINISTRATOR:
            return true()
        case Role.TRAINEE:
            mine = select(enrolment.c.class_id).where(enrolment.c.person_id == actor.person_id)
            return training_class.c.id.in_(mine)
        case Role.INSTRUCTOR:
            taught = select(lesson.c.class_id).where(lesson.c.instructor_id == actor.person_id)
            return training_class.c.id.in_(taught)
        case _:
            seen = [each.id for each in await institutions(connection) if sees(actor, each.id, each.area)]
            return training_class.c.institution_id.in_(seen) if seen else false()


def is_class(class_id: str) -> ColumnElement[bool]:
    """The class of this id."""
    return training_class.c.id == class_id


def is_one_of(class_ids: Iterable[str]) -> ColumnElement[bool]:
    """The classes of these ids."""
    return training_class.c.id.in_(sorted(class_ids))


def has_token(token: str) -> ColumnElement[bool]:
    """The class of this token."""
    return training_class.c.token == token


def has_code(code: str) -> ColumnElement[bool]:
    """The classes of this code: one for each institution at most."""
    return training_class.c.code == code


def has_trainee(person_id: str) -> ColumnElement[bool]:
    """The classes somebody is enrolled in."""
    return training_class.c.id.in_(select(enrolment.c.class_id).where(enrolment.c.person_id == person_id))


async def counts(connection: Connection) -> dict[str, Counts]:
    """Counts by class; a class without any is absent."""
    seats = await _count(connection, select(enrolment.c.class_id, func.count()).group_by(enrolment.c.class_id))
    every = select(lesson.c.class_id, func.count()).group_by(lesson.c.class_id)
    lessons_of = await _count(connection, every)
    live = await _count(connection, every.where(lesson.c.state.in_(sorted(RUNNING))))
    ids = seats.keys() | lessons_of.keys()
    return {each: Counts(seats.get(each, 0), lessons_of.get(each, 0), live.get(each, 0)) for each in ids}


async def _count(connection: Connection, query: Select[Any]) -> dict[str, int]:
    return {row[0]: row[1] for row in await connection.execute(query)}


async def add_lesson(connection: Connection, new: Lesson, now_ms: int) -> None:
    """Write a planned lesson. Raises DomainError lesson_number_taken."""
    values = {each.name: getattr(new, each.name) for each in lesson.c}
    await _insert(connection, lesson, values, "lesson_number_taken")
    await tell_lessons(connection, new.class_id, [values], now_ms)


def _lesson(row: Any) -> Lesson:
    kinds = {"subject_kind": SubjectKind(row["subject_kind"]), "state": LessonState(row["state"])}
    return Lesson(**{**row, **kinds})


async def lessons(connection: Connection, where: ColumnElement[bool]) -> list[Lesson]:
    """Lessons in the order they are planned."""
    query = select(lesson).where(where).order_by(lesson.c.planned_start_ms, lesson.c.number, lesson.c.id)
    return [_lesson(row) for row in (await connection.execute(query)).mappings()]


async def lessons_by_ids(connection: Connection, ids: Sequence[str]) -> list[Lesson]:
    """The lessons of these ids that exist."""
    found: list[Lesson] = []
    for start in range(0, len(ids), CHUNK):
        found += await lessons(connection, lesson.c.id.in_(ids[start : start + CHUNK]))
    return found


async def lessons_in_scope(connection: Connection, actor: Actor) -> list[Lesson]:
    """An instructor's own lessons; of everybody else the lessons of all classes they may see."""
    if actor.role is Role.INSTRUCTOR:
        return await lessons(connection, lesson.c.instructor_id == actor.person_id)
    visible = select(training_class.c.id).where(await in_scope(connection, actor))
    return await lessons(connection, lesson.c.class_id.in_(visible))


async def lessons_of_class(connection: Connection, class_id: str) -> list[Lesson]:
    """A class's lessons."""
    return await lessons(connection, lesson.c.class_id == class_id)


async def lessons_to_come(connection: Connection, now_ms: int) -> list[Lesson]:
    """Lessons that may still be started."""
    startable = (LessonState.PLANNED, LessonState.START_FAILED)
    return await lessons(connection, lesson.c.state.in_(startable) & (lesson.c.planned_end_ms > now_ms))


async def states_as_stored(connection: Connection) -> list[tuple[str, str, int | None, int | None]]:
    """Of all lessons id, state, begin and end, whatever stands there: states too that there are not."""
    columns = (lesson.c[name] for name in ("id", "state", "started_ms", "ended_ms"))
    return [(row[0], row[1], row[2], row[3]) for row in await connection.execute(select(*columns))]


async def running_lessons(connection: Connection) -> list[Lesson]:
    """Lessons that are starting, live or in a break."""
    return await lessons(connection, lesson.c.state.in_(sorted(RUNNING)))


async def set_lesson_state(
    connection: Connection, lesson_id: str, state: str, started_ms: int | None, ended_ms: int | None
) -> None:
    """Move the read model of a lesson, within the transaction that wrote the event."""
    values = {"state": LessonState(state), "started_ms": started_ms, "ended_ms": ended_ms}
    await connection.execute(update(lesson).where(lesson.c.id == lesson_id).values(values))


async def roster(connection: Connection, class_id: str) -> list[Enrolment]:
    """Who is enrolled, by seat."""
    query = select(enrolment.c.person_id, enrolment.c.seat).where(enrolment.c.class_id == class_id)
    return [Enrolment(**row) for row in (await connection.execute(query.order_by(enrolment.c.seat))).mappings()]


async def add_enrolments(connection: Connection, class_id: str, new: Sequence[Enrolment], now_ms: int) -> None:
    """Write enrolments."""
    rows = [{"class_id": class_id, "person_id": each.person_id, "seat": each.seat} for each in new]
    if rows:
        rows = [{**row, "enrolled_ms": now_ms} for row in rows]
        await connection.execute(enrolment.insert(), rows)
        told = zip(new, rows, strict=True)
        facts = [fact(Kind.ENROLMENT, now_ms, row, subject=each.person_id, seq=each.seat) for each, row in told]
        await append(connection, now_ms // MINUTE_MS, class_id, facts)
        await tell_seats(connection, class_id, {each.person_id for each in new}, now_ms)


async def remove_enrolments(connection: Connection, class_id: str) -> int:
    """Forget who was in a class, once retention ordered it; how many they were."""
    return (await connection.execute(delete(enrolment).where(enrolment.c.class_id == class_id))).rowcount
