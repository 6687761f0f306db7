"""Decides what others are shown of a class and of a lesson."""

from dataclasses import dataclass
from typing import Any, Literal

from server.accounts.ports import InstitutionRef
from server.core.clock import iso
from server.training.records import Counts, TrainingClass
from server.training.rules import ChallengeRule, Lesson, LessonState, Scheme, SubjectKind
from server.verify.hours import Rules


@dataclass(frozen=True, slots=True)
class LessonView:
    """A lesson as every page shows it; moments in ISO 8601 UTC."""

    id: str
    class_id: str
    class_code: str
    class_name: str
    institution_name: str
    number: int
    title: str
    subject_kind: SubjectKind
    delivery: Literal["online"]
    mode: Literal["live"]
    planned_start: str
    planned_end: str
    instructor_id: str
    instructor_name: str
    state: LessonState
    started_at: str | None
    ended_at: str | None


@dataclass(frozen=True, slots=True)
class SchemeRef:
    """The scheme (学时认定规则) a class is bound to, what it says of class hours, and how it challenges, if it does."""

    name: str
    version: int
    title: str
    rules: Rules
    challenges: ChallengeRule | None


@dataclass(frozen=True, slots=True)
class ClassHead:
    """What every view of a class shows: `trainees` are enrolled, `live` lessons are running."""

    id: str
    code: str
    name: str
    institution: InstitutionRef
    area: str
    occupation: str
    level: str
    starts_on: str
    ends_on: str
    required_hours: int
    scheme: SchemeRef
    trainees: int
    live: int


@dataclass(frozen=True, slots=True)
class ClassView(ClassHead):
    """A class in a list, with the number of its lessons."""

    lessons: int


@dataclass(frozen=True, slots=True)
class ClassDetail(ClassHead):
    """A class by itself, with its lessons as planned."""

    lessons: list[LessonView]


def scheme_ref(scheme: Scheme) -> SchemeRef:
    """A scheme as pages show it."""
    return SchemeRef(scheme.name, scheme.version, scheme.title, scheme.rules, scheme.challenges)


def lesson_view(lesson: Lesson, home: TrainingClass, instructor_name: str) -> LessonView:
    """A lesson with what stands around it."""
    return LessonView(
        id=lesson.id,
        class_id=home.id,
        class_code=home.code,
        class_name=home.name,
        institution_name=home.institution.name,
        number=lesson.number,
        title=lesson.title,
        subject_kind=lesson.subject_kind,
        delivery="online",
        mode="live",
        planned_start=iso(lesson.planned_start_ms),
        planned_end=iso(lesson.planned_end_ms),
        instructor_id=lesson.instructor_id,
        instructor_name=instructor_name,
        state=lesson.state,
        started_at=None if lesson.started_ms is None else iso(lesson.started_ms),
        ended_at=None if lesson.ended_ms is None else iso(lesson.ended_ms),
    )


def class_view(home: TrainingClass, counts: Counts) -> ClassView:
    """A class with its counts."""
    return ClassView(**_head(home, counts), lessons=counts.lessons)


def class_detail(home: TrainingClass, counts: Counts, lessons: list[LessonView]) -> ClassDetail:
    """A class with its lessons."""
    return ClassDetail(**_head(home, counts), lessons=lessons)


def _head(home: TrainingClass, counts: Counts) -> dict[str, Any]:
    place = home.institution
    same = ("id", "code", "name", "occupation", "level", "starts_on", "ends_on", "required_hours")
    return {name: getattr(home, name) for name in same} | {
        "institution": InstitutionRef(place.id, place.name, place.area),
        "area": place.area,
        "scheme": scheme_ref(home.scheme),
        "trainees": counts.trainees,
        "live": counts.live,
    }
