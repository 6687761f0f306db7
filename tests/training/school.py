"""A store with two institutions, three classes and somebody of every role, for the tests of training and above."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from server import training
from server.core.actor import Actor, Role
from server.core.wire.declaration import Declarations
from server.training.rules import SubjectKind
from server.training.service import Institution, Lesson, NewClass, NewLesson, Training, TrainingClass
from tests.accounts.store import Store, open_store

AREA, CITY = "371525", "371500"


@dataclass
class School:
    """`one` and `two` are institutions in the county and in another city; each has classes of its own."""

    store: Store
    training: Training
    declarations: Declarations
    one: Institution
    two: Institution
    people: dict[str, Actor]
    home: TrainingClass
    beside: TrainingClass
    other: TrainingClass
    lesson: Lesson


def new_class(code: str, institution_id: str | None = None) -> NewClass:
    """A class of forty hours."""
    return NewClass(code, f"养老护理员（{code}）", institution_id, "养老护理员", "五级", "2026-11-23", "2026-12-23", 40)


def new_lesson(class_id: str, number: int, instructor: Actor, day: int = 23) -> NewLesson:
    """A lesson from 17:00 to 18:30 in Asia/Shanghai."""
    start, end = f"2026-11-{day}T17:00:00+08:00", f"2026-11-{day}T10:30:00Z"
    return NewLesson(class_id, number, f"第{number}课", SubjectKind.THEORY, start, end, instructor.person_id)


async def _people(store: Store, one: Institution, two: Institution) -> dict[str, Actor]:
    return {
        "administrator": await store.add(Role.ADMINISTRATOR, "root"),
        "staff": await store.add(Role.STAFF, "one", one.id),
        "staff2": await store.add(Role.STAFF, "two", two.id),
        "instructor": await store.add(Role.INSTRUCTOR, "one", one.id),
        "colleague": await store.add(Role.INSTRUCTOR, "colleague", one.id),
        "instructor2": await store.add(Role.INSTRUCTOR, "two", two.id),
        "county": await store.add(Role.REGULATOR, "county", None, AREA),
        "city": await store.add(Role.REGULATOR, "city", None, CITY),
        "elsewhere": await store.add(Role.REGULATOR, "elsewhere", None, "370100"),
        "trainee": await store.add(Role.TRAINEE, "演示·甲", one.id),
        "trainee2": await store.add(Role.TRAINEE, "演示·乙", two.id),
    }


@asynccontextmanager
async def open_school(url: str) -> AsyncIterator[School]:
    """`home` and `beside` are classes of `one`, `other` is one of `two`; `lesson` is of `home`."""
    async with open_store(url) as store:
        built = training.build(database=store.database, clock=store.clock, accounts=store.accounts, demo=True)
        service = built.service
        one = await service.create_institution("示范县（虚构）演示职业培训学校", AREA)
        two = await service.create_institution("另一市（虚构）演示学校", "370200")
        people = await _people(store, one, two)
        home = await service.create_class(people["staff"], new_class("演-1"))
        store.clock.advance(1)
        beside = await service.create_class(people["staff"], new_class("演-2"))
        other = await service.create_class(people["staff2"], new_class("演-1"))
        lesson = await service.create_lesson(people["staff"], new_lesson(home.id, 1, people["instructor"]))
        await service.create_lesson(people["staff"], new_lesson(beside.id, 1, people["colleague"]))
        await service.create_lesson(people["staff2"], new_lesson(other.id, 1, people["instructor2"]))
        await service.enrol(home.id, people["trainee"].person_id)
        await service.enrol(other.id, people["trainee2"].person_id)
        yield School(store, service, built.declarations, one, two, people, home, beside, other, lesson)
