"""Decides what those who watch over a lesson are told of its trainees: who is there and what counts now, row by row.

A row says how somebody stands and no more. Minutes are asked for by the page, for the few whose strips are in sight: so
neither entering a lesson of thousands nor a push grows with how long it lasts.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Annotated, Final

from pydantic import Field

from server.attendance.book import LessonBook, PersonBook
from server.attendance.cells import Cell
from server.attendance.minutes import MINUTE_MS, MinuteRecord, Reason, slot_of
from server.attendance.register import Register
from server.attendance.views import Views
from server.core.actor import OVERSEERS, Role
from server.core.clock import elapsed_ms
from server.core.errors import DomainError
from server.core.wire.declaration import Call, Command, Declarations, Push
from server.training.service import Enrolled, Training
from server.verify.minutes import CLOSED, CREDITED

#: so many trainees are looked at in one round, so long as the next one begins where this one ended
MOST_ROWS_PUSHED: Final = 600
#: so many trainees' minutes are told at once
MOST_STRIPS: Final = 60
#: others have their turn after so many rows
ROWS_AT_ONCE: Final = 100
#: for so long a lesson's enrolment is not read again, unless somebody else has come
ENROLLED_MS: Final = 30_000
#: so many regulators' pages are known to have entered
MOST_LOOKING: Final = 4096


@dataclass(frozen=True, slots=True)
class RosterRow:
    """A trainee as the instructor sees them: `present` = their page is connected, `visible` = it is in front.

    `came`: they were in the lesson. `why`: the reason for which their time is not credited now; null: it is, or the
    lesson is not open, or they never came. `credit_ms` is as it was when its minute changed, or anything else here did.
    """

    person_id: str
    seat: int
    name: str
    present: bool
    visible: bool
    came: bool
    why: str | None
    credit_ms: int


@dataclass(frozen=True, slots=True)
class Roster:
    lesson_id: str
    rows: list[RosterRow]


@dataclass(frozen=True, slots=True)
class StripsRequest:
    """The minutes from `since_slot` (a unix minute) of these trainees."""

    lesson_id: str
    person_ids: Annotated[list[Annotated[str, Field(max_length=16)]], Field(min_length=1, max_length=MOST_STRIPS)]
    since_slot: Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class LiveStrip:
    person_id: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class LiveStrips:
    """`first_slot` (null: it has not begun) to `last_slot` are the lesson's minutes so far. Who is no trainee of the
    lesson has no row.
    """

    lesson_id: str
    first_slot: int | None
    last_slot: int
    rows: list[LiveStrip]


ROSTER: Final = Push("lesson:roster", Roster)
#: what is told of a row, as far as it would look different
Shown = tuple[bool, bool, str | None, int]


@dataclass(slots=True)
class _Told:
    """What was told of one lesson, where the next round begins, and the book's version after a whole round; and who is
    enrolled, as it was read a while ago.
    """

    shown: dict[str, Shown] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    next: int = 0
    version: int = -1
    present: frozenset[str] = frozenset()
    enrolled: list[Enrolled] = field(default_factory=list)
    ids: frozenset[str] = frozenset()
    read_ms: float | None = None


class Rosters:
    """Rows for who enters, changed rows for who is there, minutes for who looks."""

    def __init__(self, register: Register, training: Training, views: Views) -> None:
        self._register, self._training, self._views = register, training, views
        self._told: dict[str, _Told] = {}
        self._looking: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def enter(self, call: Call, lesson_id: str) -> list[RosterRow]:
        """All rows, for a page that begins to watch over a lesson."""
        if call.who.role is Role.REGULATOR:
            self._looking[call.connection, lesson_id] = None
            while len(self._looking) > MOST_LOOKING:
                self._looking.popitem(last=False)
        book = await self._register.book(lesson_id)
        present = self._present(lesson_id)
        rows = []
        for one in await self._enrolled(lesson_id):
            rows.append(self._row(book, one, one.person_id in present))
            await _breathe(len(rows))
        return rows

    async def changed(self, lesson_id: str) -> list[RosterRow]:
        """The rows that look different from what was told, at most MOST_ROWS_PUSHED; nobody's waits for ever."""
        book = await self._register.book(lesson_id)
        told, present = self._told.setdefault(lesson_id, _Told()), self._present(lesson_id)
        version = book.version
        if told.version == version and told.present == present:
            return []
        enrolled = await self._lately_enrolled(told, lesson_id, present)
        rows: list[RosterRow] = []
        looked = 0
        for step in range(len(enrolled)):
            one = enrolled[(told.next + step) % len(enrolled)]
            if not _differs(told, book.people.get(one.person_id), one.person_id, one.person_id in present):
                continue
            if looked == MOST_ROWS_PUSHED:
                told.next = (told.next + step) % len(enrolled)
                return rows
            looked += 1
            rows += self._look(told, book, one, one.person_id in present)
            await _breathe(looked)
        told.version, told.present = version, present
        return rows

    def keep(self, lesson_ids: set[str]) -> None:
        """Forget what was told of any other lesson."""
        self._told = {lesson_id: told for lesson_id, told in self._told.items() if lesson_id in lesson_ids}

    async def strips(self, call: Call, request: StripsRequest) -> LiveStrips:
        """Some trainees' minutes in a lesson. Raises DomainError not_found, not_joined (not on record)."""
        lesson, _ = await self._training.lesson_for(call.who, request.lesson_id)
        if call.who.role is Role.REGULATOR and (call.connection, lesson.id) not in self._looking:
            raise DomainError("not_joined")
        enrolled = {one.person_id for one in await self._enrolled(lesson.id)}
        asked = [one for one in dict.fromkeys(request.person_ids) if one in enrolled]
        known = await self._views.some(lesson.id, asked, request.since_slot)
        rows = [LiveStrip(one, [cell for cell in known.cells(one) if cell.slot >= request.since_slot]) for one in asked]
        first = None if lesson.started_ms is None else slot_of(lesson.started_ms)
        last = slot_of(self._register.clock.ms() if lesson.ended_ms is None else lesson.ended_ms - 1)
        return LiveStrips(lesson.id, first, last, rows)

    def declarations(self) -> Declarations:
        """What is served of it."""
        codes = ("not_found", "not_joined")
        told = Command("lesson:strips", OVERSEERS, StripsRequest, LiveStrips, self.strips, codes=codes, at_owner=True)
        return Declarations(commands=[told], pushes=[ROSTER])

    async def _enrolled(self, lesson_id: str) -> list[Enrolled]:
        return await self._training.roster((await self._training.lesson(lesson_id)).class_id)

    async def _lately_enrolled(self, told: _Told, lesson_id: str, present: frozenset[str]) -> list[Enrolled]:
        """Read again for somebody who was not there, and once in a while: most rounds ask in vain."""
        now = elapsed_ms()
        if told.read_ms is None or now - told.read_ms > ENROLLED_MS or present - told.ids:
            told.enrolled, told.read_ms = await self._enrolled(lesson_id), now
            told.ids = frozenset(one.person_id for one in told.enrolled)
        return told.enrolled

    def _present(self, lesson_id: str) -> frozenset[str]:
        holders = self._register.holders.values()
        return frozenset(one.person_id for one in holders if one.lesson_id == lesson_id and one.connection)

    def _look(self, told: _Told, book: LessonBook, one: Enrolled, present: bool) -> list[RosterRow]:
        row = self._row(book, one, present)
        person = book.people.get(one.person_id)
        told.versions[one.person_id] = 0 if person is None else person.version
        shown = (row.present, row.visible, row.why, row.credit_ms // MINUTE_MS)
        if told.shown.get(one.person_id) == shown:
            return []
        told.shown[one.person_id] = shown
        return [row]

    def _row(self, book: LessonBook, one: Enrolled, present: bool) -> RosterRow:
        """From the book at hand: an idle one may have been forgotten by the register meanwhile."""
        person = book.people.get(one.person_id)
        if person is None:
            return RosterRow(one.person_id, one.seat, one.name, present, False, False, None, 0)
        fresh = [record for _, record in book.unsealed(one.person_id, self._register.clock.ms())]
        credit_ms = person.sealed_credit_ms + sum(record.credit_ms for record in fresh)
        visible = present and person.visible
        return RosterRow(one.person_id, one.seat, one.name, present, visible, True, _why(fresh), credit_ms)


def _differs(told: _Told, person: PersonBook | None, person_id: str, present: bool) -> bool:
    if person is None:
        return present != told.shown.get(person_id, (False,))[0]
    known = told.shown.get(person_id)
    return known is None or known[0] != present or told.versions.get(person_id) != person.version


def _why(fresh: list[MinuteRecord]) -> str | None:
    """What became of the last time that is known."""
    last = next((record.summary for record in reversed(fresh) if record.summary and record.summary.spells), None)
    state = CLOSED if last is None else last.spells[-1][0]
    return None if state in (CREDITED, CLOSED) else Reason(state).code


async def _breathe(count: int) -> None:
    if count % ROWS_AT_ONCE == 0:
        await asyncio.sleep(0)
