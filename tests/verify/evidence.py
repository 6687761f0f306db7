"""Evidence of a small class, sealed by a real log: two lessons at once, two trainees in each, one hidden at times."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from server.attendance.evidence import minute_records
from server.attendance.minutes import MinuteRecord, Reason, SealedMinute, text_of, told
from server.attendance.pages import records as pages
from server.attendance.views import Evidence
from server.exchange.evidence import make_bundle
from server.ledger import records
from server.ledger.facts import fact, group_named
from server.ledger.facts import text_of as text_of_row
from server.ledger.rules import MINUTE_MS, SEAL_AFTER_MS
from server.training.rules import Lesson, LessonState, SubjectKind
from server.verify.bundle import Bundle, Seat
from server.verify.formats import CHANGED, ENDED, Kind, Record
from server.verify.identity import digest
from server.verify.minutes import CLOSED, CREDITED, Summary, write
from tests.ledger.world import GENESIS, LESSON, OTHER, World

PEOPLE = {"00000000000000a1": 17, "00000000000000a2": 18}
#: nobody is in two lessons at once: these are in the other one
OTHERS = {"00000000000000a3": 19, "00000000000000a4": 20}
EVERYBODY = PEOPLE | OTHERS
LESSONS = {LESSON: 3, OTHER: 4}
MINUTES = 3
HOME, OTHER_HOME = "cc" * 8, "ce" * 8
SALTS = {bytes.fromhex(one): bytes([seat]) * 16 for one, seat in EVERYBODY.items()}
NAME = "学员"
ID_NUMBER = "371***********123X"


@dataclass
class SmallClass:
    """A class whose minutes are sealed one by one."""

    world: World
    known: Evidence
    #: what the package shows beside what the tables have
    shown: list[bytes] = field(default_factory=list)
    schemes: set[str] = field(default_factory=set)
    #: two trainees are in both lessons, half of each minute in each; else nobody is in two
    together: bool = False

    @property
    def people(self) -> dict[str, int]:
        """Who sits where."""
        return PEOPLE if self.together else EVERYBODY

    async def attend(self, minutes: int = MINUTES, lessons: dict[str, int] = LESSONS) -> None:
        """Spend and seal so many minutes in each of these lessons."""
        for slot in range(minutes):
            for lesson_id in lessons:
                await self.spend(lesson_id, GENESIS + slot)
            self.world.to(slot, SEAL_AFTER_MS)
            await self.world.ledger.round()

    async def act(self, *steps: tuple[int, int], lesson_id: str = LESSON, of: str = LESSON, person: str = "") -> None:
        """Say acts of a lesson, each as its step and its minute after GENESIS; `of`: as if of another one."""
        for step, at in steps:
            row = {"lesson_id": lesson_id, "seq": step}
            who, at_ms = person or next(iter(PEOPLE)), (GENESIS + at) * MINUTE_MS
            said = fact(Kind.LESSON_ACT, at_ms, row, subject=who, resource=of, seq=step)
            async with self.world.database.write() as connection:
                await records.append(connection, GENESIS + at, lesson_id, [said])

    async def end(self, lesson_id: str, slot: int, acts: int = 0) -> None:
        """Say that a lesson ended, with so many acts."""
        ended = fact(Kind.LESSON_EVENT, slot * MINUTE_MS, {"lesson_id": lesson_id}, mode=ENDED, credit_ms=acts)
        async with self.world.database.write() as connection:
            await records.append(connection, slot, lesson_id, [ended])

    async def correct(self, person_id: str, slot: int, before_ms: int, after_ms: int, at: int) -> None:
        """Say in minute GENESIS + `at` that a minute of the first lesson counts otherwise now, and seal that."""
        minute = GENESIS + at
        changed = Record(
            kind=Kind.CORRECTION,
            slot=minute,
            seq=GENESIS + slot,
            subject=bytes.fromhex(person_id),
            session=bytes.fromhex("ee" * 8),
            resource=bytes.fromhex(LESSON),
            mode=CHANGED,
            credit_ms=after_ms,
            flags=before_ms,
            evidence=sha256(b"entry").digest(),
        )
        async with self.world.database.write() as connection:
            await records.append(connection, minute, LESSON, [changed])
        self.world.to(at, SEAL_AFTER_MS)
        await self.world.ledger.round()

    async def enrol(
        self,
        people: dict[str, int] | None = None,
        lessons: dict[str, int] = LESSONS,
        home: str = HOME,
        at: int = 0,
    ) -> None:
        """Say who sits where, called 学员17 and so on, and which lessons there are; in minute GENESIS + `at`."""
        slot = GENESIS + at
        told = [
            Record(
                Kind.IDENTITY,
                slot,
                seq=seat,
                subject=bytes.fromhex(one),
                evidence=digest(SALTS[bytes.fromhex(one)], f"{NAME}{seat}", ID_NUMBER),
            )
            for one, seat in (self.people if people is None else people).items()
        ]
        told += [Record(Kind.LESSON, slot, seq=number, resource=bytes.fromhex(one)) for one, number in lessons.items()]
        async with self.world.database.write() as connection:
            await records.append(connection, slot, home, told)

    async def publish(
        self, parameters: Mapping[str, object], at: int = 0, name: str = "own/1", show: bool = True, home: str = HOME
    ) -> None:
        """Say in minute GENESIS + `at` what a scheme says and that the class is bound to it; the package shows both."""
        rows = [
            (Kind.TRAINING_CLASS, home, {"id": home, "scheme_id": name}),
            (Kind.SCHEME, group_named(name), {"id": name, "parameters": json.dumps(parameters)}),
        ]
        async with self.world.database.write() as connection:
            for kind, group, row in rows:
                told_then = fact(kind, (GENESIS + at) * MINUTE_MS, row)
                await records.append(connection, GENESIS + at, group, [told_then])
                self.shown += [text_of_row(row)] if show else []
        self.schemes.add(group_named(name))

    async def bundle(self, lessons: dict[str, int] = LESSONS) -> Bundle:
        """What is exported of it."""
        proofs = await self.world.ledger.proofs(lessons, self.known.texts, partly=[HOME, OTHER_HOME, *self.schemes])
        seats = [Seat(person_id, seat) for person_id, seat in self.people.items()]
        async with self.world.database.read() as connection:
            shown = [text for one in lessons for text in await pages.shown_of(connection, one)]
        named = [_lesson(one, number) for one, number in lessons.items()]
        credit_ms = {about: ms for about, ms in self.known.credit_ms.items() if about[0] in lessons}
        return make_bundle(proofs, named, seats, replace(self.known, credit_ms=credit_ms), [*shown, *self.shown])

    async def spend(self, lesson_id: str, slot: int, epoch: int = 0, more: Sequence[MinuteRecord] = ()) -> None:
        """Say a minute of everybody, in time or late; `more` in place of what was really spent."""
        second = lesson_id == OTHER
        people = OTHERS if second and not self.together else PEOPLE
        parts, part = (2, int(second)) if self.together else (1, 0)
        minutes = more or [_spent(person_id, slot, epoch, parts, part) for person_id in people]
        sealed = SealedMinute(slot, 60_000 // parts, tuple(minutes))
        async with self.world.database.write() as connection:
            await records.append_packed(connection, slot, lesson_id, minute_records(lesson_id, sealed))
        for one in sealed.records:
            self.known.texts[sha256(text_of(one)).digest()] = text_of(one)
            self.known.credit_ms[lesson_id, one.person_id, slot] = one.credit_ms


def _spent(person_id: str, slot: int, epoch: int = 0, parts: int = 1, part: int = 0) -> MinuteRecord:
    """A whole minute, or one that was hidden for a while; under a lease that is older than the log, if none is named.

    Of a lesson that was open in the `part` of so many `parts` of it, the same in that.
    """
    whole = (slot + EVERYBODY[person_id]) % 2
    hidden = ((CREDITED, 20_000), (Reason.HIDDEN, 40_000), (CREDITED, 60_000))
    begin = part * MINUTE_MS // parts
    spells = [(state, begin + end // parts) for state, end in (((CREDITED, MINUTE_MS),) if whole else hidden)]
    return told(person_id, write(Summary(epoch, (*([(CLOSED, begin)] if part else []), *spells))))


def _lesson(lesson_id: str, number: int) -> Lesson:
    ended = LessonState.ENDED
    return Lesson(lesson_id, HOME, number, "第一课", SubjectKind.THEORY, 0, 60_000, "dd" * 8, ended, 0, 60_000)
