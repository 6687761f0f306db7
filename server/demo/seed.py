"""Decides what the demo is made of; makes what is missing of it through the services that everybody goes through."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from server.accounts.people import NewPerson
from server.accounts.service import Accounts
from server.core.actor import Actor, Role
from server.core.clock import LOCAL_ZONE, MINUTE_MS, Clock, iso, to_datetime, to_ms
from server.core.errors import DomainError
from server.demo.cast import Account, id_number, new_accounts, read_accounts, write_accounts
from server.training.rules import EARLY_MS, LessonState, SubjectKind
from server.training.service import Lesson, NewClass, NewLesson, Training, TrainingClass

OPERATOR: Final = "演示平台（虚构）"
RECORD_NUMBER: Final = "演示备案 0000 号（虚构）"
INSTITUTION: Final = "示范县（虚构）演示职业培训学校"
#: no area's code begins with 99
AREA: Final = "990101"
#: who teaches, see cast.py
TEACHER: Final = "teacher"
CLASS_CODE: Final = "YS-2026-01"
OCCUPATION: Final = "养老护理员"
LEVEL: Final = "五级/初级工"
REQUIRED_HOURS: Final = 40
CLASS_DAYS: Final = 60
LESSON_MS: Final = 120 * MINUTE_MS
#: a lesson that can be started, for at least so long
STILL_MS: Final = 30 * MINUTE_MS
ROUND_MS: Final = 10 * MINUTE_MS
TITLES: Final = (
    "职业道德与礼仪",
    "协助老年人进食与饮水",
    "协助老年人起居与翻身",
    "清洁照料",
    "安全防护与应急",
    "沟通与心理支持",
)
STARTABLE: Final = frozenset({LessonState.PLANNED, LessonState.START_FAILED})


class Seed:
    """The demo's people, class and lessons."""

    def __init__(self, accounts: Accounts, training: Training, clock: Clock, folder: Path) -> None:
        self._accounts, self._training, self._clock, self._folder = accounts, training, clock, folder

    async def make(self) -> list[Account]:
        """Make what is missing and return all accounts. Begins anew where an earlier start was killed."""
        accounts = read_accounts(self._folder)
        fresh = not accounts
        if fresh:
            await self._training.set_platform(OPERATOR, RECORD_NUMBER)
            accounts = new_accounts()
            write_accounts(self._folder, accounts)
        known = {each.login: each for each in await self._accounts.people.with_roles(list(Role))}
        if fresh or any(one.login not in known or not known[one.login].active for one in accounts):
            home = await self._institution()
            for account in accounts:
                person = known.get(account.login) or await self._accounts.create_person(_new(account, home))
                if fresh or not person.active:
                    await self._accounts.set_password(person.id, account.password)
        await self.keep()
        return accounts

    async def keep(self) -> None:
        """Have the class, everybody in it, and a lesson that can be started now. Cheap when nothing is missing."""
        training_class = await self.training_class()
        lessons = await self._training.lessons_of_class(training_class.id)
        now_ms = self._clock.ms()
        if not lessons:
            today = to_datetime(now_ms).astimezone(LOCAL_ZONE).replace(hour=9, minute=0, second=0, microsecond=0)
            await self._plan(training_class, 1, today - timedelta(days=1))
            await self._plan(training_class, 3, today + timedelta(days=1))
        if not any(_startable(lesson, now_ms) for lesson in lessons):
            number = 2 if not lessons else max(lesson.number for lesson in lessons) + 1
            await self._plan(training_class, number, to_datetime(now_ms - now_ms % ROUND_MS))

    async def training_class(self) -> TrainingClass:
        """The demo's class, made and filled at the first call."""
        office = await self._office()
        found = [
            one
            for one in await self._training.classes_of(office)
            if (one.code, one.institution.name) == (CLASS_CODE, INSTITUTION)
        ]
        if found:
            return found[0]
        today = to_datetime(self._clock.ms()).astimezone(LOCAL_ZONE).date()
        new = NewClass(
            code=CLASS_CODE,
            name="养老护理员五级演示班",
            institution_id=await self._institution(),
            occupation=OCCUPATION,
            level=LEVEL,
            starts_on=str(today),
            ends_on=str(today + timedelta(days=CLASS_DAYS)),
            required_hours=REQUIRED_HOURS,
        )
        made = await self._training.create_class(office, new)
        trainees = await self._accounts.with_role(Role.TRAINEE)
        by_login = sorted(trainees, key=lambda trainee: trainee.login)
        await self._training.enrol_all(made.id, [trainee.id for trainee in by_login])
        return made

    async def plan_now(self, title: str, length_ms: int) -> Lesson:
        """A lesson that begins in this minute."""
        training_class = await self.training_class()
        numbers = [lesson.number for lesson in await self._training.lessons_of_class(training_class.id)]
        now_ms = self._clock.ms()
        start = to_datetime(now_ms - now_ms % MINUTE_MS)
        return await self._plan(training_class, max(numbers, default=0) + 1, start, title, length_ms)

    async def _plan(
        self,
        training_class: TrainingClass,
        number: int,
        start: datetime,
        title: str | None = None,
        length_ms: int = LESSON_MS,
    ) -> Lesson:
        instructor = await self._accounts.people.by_login(TEACHER)  # visitors may have made others
        if instructor is None:
            raise DomainError("instructor_unknown")
        start_ms = to_ms(start)
        new = NewLesson(
            class_id=training_class.id,
            number=number,
            title=title or TITLES[(number - 1) % len(TITLES)],
            subject_kind=SubjectKind.THEORY,
            planned_start=iso(start_ms),
            planned_end=iso(start_ms + length_ms),
            instructor_id=instructor.id,
        )
        return await self._training.create_lesson(await self._office(), new)

    async def _institution(self) -> str:
        office = Actor("", Role.ADMINISTRATOR, "")
        for found in await self._training.institutions(office):
            if found.name == INSTITUTION:
                return found.id
        return (await self._training.create_institution(INSTITUTION, AREA)).id

    async def _office(self) -> Actor:
        """Acts for the demo's administrator."""
        (administrator, *_) = await self._accounts.with_role(Role.ADMINISTRATOR)
        return Actor(administrator.id, Role.ADMINISTRATOR, "")


def _new(account: Account, institution_id: str) -> NewPerson:
    role = Role(account.role)
    return NewPerson(
        role=role,
        name=account.name,
        login=account.login,
        institution_id=institution_id,
        area=AREA if role is Role.REGULATOR else None,
        id_number=id_number(account.name) if role is Role.TRAINEE else None,
    )


def _startable(lesson: Lesson, now_ms: int) -> bool:
    return lesson.state in STARTABLE and lesson.planned_start_ms - EARLY_MS <= now_ms < lesson.planned_end_ms - STILL_MS
