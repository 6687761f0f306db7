"""Declares attendance: beats over Socket.IO; strips, today and class hours over REST."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from server.attendance.cells import Cell, LessonMinutes, Totals, cell_of
from server.attendance.credit import MOST_MONO, Attended, Beat
from server.attendance.lease import End
from server.attendance.register import Register
from server.attendance.service import Attendance
from server.attendance.settlements.api import OwnSettlement
from server.attendance.views import Views
from server.core.actor import EVERYONE, OVERSEERS, Role
from server.core.clock import iso
from server.core.errors import DomainError
from server.core.wire.declaration import UNSEEN, Call, Command, Declarations, Nothing, Push, Route
from server.training.service import Training
from server.training.views import LessonView, SchemeRef, scheme_ref


@dataclass(frozen=True, slots=True)
class Attention:
    """The spans in which the page's window had the focus, and those in which somebody had moved lately."""

    focused: list[tuple[float, float]]
    active: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class BeatRequest:
    """`mono` and `spans` in milliseconds of the page's monotonic clock; spans since the last acknowledged beat.

    `signature`, once a minute: the page's key over the chain of all beats before this one. `attention` is said where
    the lease asks for it: without it such a beat earns nothing.
    """

    lesson_id: str
    epoch: int
    seq: int
    nonce: str
    mono: float
    spans: list[tuple[float, float]]
    signature: Annotated[str, Field(max_length=88)] | None = None
    attention: Attention | None = None


@dataclass(frozen=True, slots=True)
class BeatAnswer:
    """`cells` are the minutes not sealed yet, at most the last two; `credit_ms` is the whole lesson so far.

    `mono` is of the try that was taken; `note`, once a minute, is what the log signed of all this.
    """

    seq: int
    nonce: str
    mono: int
    note: str | None
    cells: list[Cell]
    credit_ms: int


@dataclass(frozen=True, slots=True)
class LeaveRequest:
    lesson_id: str
    epoch: int


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """`reason` is taken_over, signed_out or removed; `device` the new holder's."""

    lesson_id: str
    reason: str
    device: str
    at: str


@dataclass(frozen=True, slots=True)
class LessonRequest:
    lesson_id: str


@dataclass(frozen=True, slots=True)
class ClassRequest:
    class_id: str


@dataclass(frozen=True, slots=True)
class StripRow:
    person_id: str
    seat: int
    name: str
    totals: Totals
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Strips:
    """A lesson's strips. `view_id` is set for a regulator: the look was recorded."""

    lesson: LessonView
    first_slot: int
    last_slot: int
    planned_first_slot: int
    planned_last_slot: int
    rows: list[StripRow]
    view_id: str | None


@dataclass(frozen=True, slots=True)
class Hours:
    """What counts in class hours: `class_hours` and `remainder_ms` of `required_hours`, under `scheme`."""

    class_hours: int
    remainder_ms: int
    required_hours: int
    scheme: SchemeRef


@dataclass(frozen=True, slots=True)
class MyLesson:
    lesson: LessonView
    my: Totals


@dataclass(frozen=True, slots=True)
class MyClass:
    """`settled`: what was settled last, None before."""

    class_id: str
    class_name: str
    hours: Hours
    settled: OwnSettlement | None


@dataclass(frozen=True, slots=True)
class Today:
    now: str
    lessons: list[MyLesson]
    classes: list[MyClass]


@dataclass(frozen=True, slots=True)
class HoursRow:
    person_id: str
    hours: Hours


@dataclass(frozen=True, slots=True)
class ClassHoursAnswer:
    rows: list[HoursRow]


#: what was settled last of a class and trainee
Settled = Callable[[str, str], Awaitable[OwnSettlement | None]]
BEAT_CODES: Final = ("lease_lost", "beat_refused", "lesson_ended", "closing")
LEASE_LOST: Final = Push("lease:lost", LeaseLost)
LEASE_PROBE: Final = Push("lease:probe", Nothing)


class Api:
    """The functions behind the declarations."""

    def __init__(self, attendance: Attendance, views: Views, training: Training, settled: Settled) -> None:
        self._attendance = attendance
        self._settled = settled
        self._register: Register = attendance.register
        self._views = views
        self._training = training

    async def beat(self, call: Call, request: BeatRequest) -> BeatAnswer:
        """One beat of a trainee's page."""
        actor = call.who
        beat = _beat(request)
        done = await self._attendance.beat(actor, call.connection, request.lesson_id, request.epoch, beat)
        book, now = self._register.books[request.lesson_id], self._register.clock.ms()
        fresh = book.unsealed(actor.person_id, now)
        credit_ms = book.person(actor.person_id).sealed_credit_ms + sum(record.credit_ms for _, record in fresh)
        cells = [cell_of(slot, record, False) for slot, record in fresh[-2:]]
        return BeatAnswer(done.seq, done.nonce, done.mono, done.note, cells, credit_ms)

    async def leave(self, call: Call, request: LeaveRequest) -> Nothing:
        """The page goes away on purpose."""
        await self._attendance.leave(call.who, call.connection, request.lesson_id, request.epoch)
        return Nothing()

    async def strips(self, call: Call, request: LessonRequest) -> Strips:
        """The strips of a lesson: all rows for those who oversee it, the own row for a trainee."""
        lesson, _ = await self._training.lesson_for(call.who, request.lesson_id)
        (shown,) = await self._training.show([lesson.id])
        known = await self._views.minutes(lesson.id)
        planned_first, planned_last = lesson.planned_start_ms // 60_000, (lesson.planned_end_ms - 1) // 60_000
        slots = known.slots or [planned_first, planned_last]
        roster = await self._training.roster(lesson.class_id)
        if call.who.role is Role.TRAINEE:
            roster = [enrolled for enrolled in roster if enrolled.person_id == call.who.person_id]
        rows = [_row(one.person_id, one.seat, one.name, known) for one in roster]
        return Strips(shown, slots[0], slots[-1], planned_first, planned_last, rows, call.view_id)

    async def today(self, call: Call, _request: Nothing) -> Today:
        """A trainee's lessons with their own totals, and the hours of each of their classes."""
        me = call.who.person_id
        lessons = await self._training.show([lesson.id for lesson in await self._training.lessons_of(call.who)])
        mine = [MyLesson(lesson, await self._views.totals(lesson.id, me)) for lesson in lessons]
        classes = []
        for one in await self._training.classes_of(call.who):
            hours = await self.hours_of(one.id, me)
            classes.append(MyClass(one.id, one.name, hours[me], await self._settled(one.id, me)))
        return Today(iso(self._register.clock.ms()), mine, classes)

    async def class_hours(self, call: Call, request: ClassRequest) -> ClassHoursAnswer:
        """The class hours of everybody in a class."""
        await self._training.class_for(call.who, request.class_id)
        hours = await self.hours_of(request.class_id)
        return ClassHoursAnswer([HoursRow(person_id, one) for person_id, one in hours.items()])

    async def hours_of(self, class_id: str, person_id: str | None = None) -> dict[str, Hours]:
        """The class hours of everybody in a class, or of this one, by person."""
        training_class = await self._training.training_class(class_id)
        bound, required = scheme_ref(training_class.scheme), training_class.required_hours
        return {
            person_id: Hours(one.confirmed.class_hours, one.confirmed.remainder_ms, required, bound)
            for person_id, one in (await self._views.hours(class_id, person_id)).items()
        }

    def declarations(self) -> Declarations:
        """What attendance serves."""
        trainees = frozenset({Role.TRAINEE})
        return Declarations(
            routes=[
                Route(
                    "GET",
                    "/api/v1/lessons/{lesson_id}/strips",
                    EVERYONE,
                    LessonRequest,
                    Strips,
                    self.strips,
                    codes=UNSEEN,
                ),
                Route("GET", "/api/v1/today", trainees, Nothing, Today, self.today),
                Route(
                    "GET",
                    "/api/v1/classes/{class_id}/hours",
                    OVERSEERS,
                    ClassRequest,
                    ClassHoursAnswer,
                    self.class_hours,
                    codes=UNSEEN,
                ),
            ],
            commands=[
                Command("beat", trainees, BeatRequest, BeatAnswer, self.beat, codes=BEAT_CODES, at_owner=True),
                Command(
                    "lesson:leave",
                    trainees,
                    LeaveRequest,
                    Nothing,
                    self.leave,
                    codes=("lease_lost", "closing"),
                    at_owner=True,
                ),
            ],
            pushes=[LEASE_LOST, LEASE_PROBE],
        )


def lease_lost(lesson_id: str, reason: End, device: str, at_ms: int) -> LeaseLost:
    """What a page that lost its lease is told."""
    return LeaseLost(lesson_id, reason, device, iso(at_ms))


def _beat(request: BeatRequest) -> Beat:
    _check_readings(request.mono, *(edge for span in request.spans for edge in span))
    attended = None if request.attention is None else _attended(request.attention)
    mono, spans = round(request.mono), _whole(request.spans)
    return Beat(request.seq, request.nonce, mono, spans, request.signature or "", attended)


def _attended(said: Attention) -> Attended:
    _check_readings(*(edge for span in (*said.focused, *said.active) for edge in span))
    return Attended(_whole(said.focused), _whole(said.active))


def _check_readings(*readings: float) -> None:
    if not all(0 <= reading <= MOST_MONO for reading in readings):  # refuses NaN and infinity as well
        raise DomainError("beat_refused", why="clock")


def _whole(spans: list[tuple[float, float]]) -> tuple[tuple[int, int], ...]:
    return tuple((round(start), round(end)) for start, end in spans)


def _row(person_id: str, seat: int, name: str, known: LessonMinutes) -> StripRow:
    return StripRow(person_id, seat, name, known.totals(person_id), known.cells(person_id))
