"""Decides what is read of minutes: those of a lesson, a class's results and hours, what stands behind digests."""

from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from server.attendance import records
from server.attendance.cells import LessonMinutes, RecordState, Totals, uncounted
from server.attendance.challenges.counting import Challenged, Tally
from server.attendance.challenges.records import events_of, limit_of, revealed
from server.attendance.corrections.records import entries_of
from server.attendance.corrections.rules import replay
from server.attendance.evidence import own_records
from server.attendance.hours import Earned, days_of, full_days, may_cut, settles, whole
from server.attendance.minutes import Reason, SealedMinute, pack, slot_of, text_of, unpack
from server.attendance.pages.records import shown_of
from server.attendance.register import Register
from server.core.cluster.owners import Errand
from server.core.errors import DomainError
from server.training.service import Connection, Lesson, Training
from server.verify.hours import Attended, Rules, Settled, settle

#: what one process asks of another: `fresh_here` with {lesson_id}
FRESH: Final = "attendance.fresh"


@dataclass(frozen=True, slots=True)
class Fresh:
    """What only a lesson's owner knows: how many pages are there, and the minutes that are not sealed."""

    present: int
    minutes: tuple[SealedMinute, ...]

    def told(self) -> dict[str, Any]:
        """As one process tells another."""
        minutes = [[one.slot, one.delivered_ms, b64encode(pack(one.records)).decode()] for one in self.minutes]
        return {"present": self.present, "minutes": minutes}


def read_fresh(told: dict[str, Any]) -> Fresh:
    """What `Fresh.told` said."""
    minutes = (SealedMinute(slot, ms, unpack(b64decode(packed))) for slot, ms, packed in told["minutes"])
    return Fresh(told["present"], tuple(minutes))


@dataclass(frozen=True, slots=True)
class LessonResult:
    """A lesson of an enrolled trainee, as files and hours need it; `online_ms` is delivered time not absent."""

    person_id: str
    lesson_id: str
    first_ms: int | None
    last_ms: int | None
    online_ms: int
    open_ms: int
    credit_ms: int
    corrected_ms: int
    reasons: dict[str, int]
    state: RecordState
    #: what counts, what waits for a challenge, what one voided by reason, and how often the trainee was asked
    confirmed_ms: int = 0
    pending_ms: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    #: what the scheme took of what counts by reason, and what it says of the lesson as a whole
    cut: dict[str, int] = field(default_factory=dict)
    complete: bool | None = None
    late: bool | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands behind digests: `texts` by their SHA-256; `credit_ms` by lesson, trainee and slot."""

    texts: dict[bytes, bytes]
    credit_ms: dict[tuple[str, str, int], int]


class Views:
    """Reads minutes from the journal and, for what is not sealed yet, from the books."""

    def __init__(self, register: Register, training: Training) -> None:
        self._register = register
        self._training = training

    async def minutes(self, lesson_id: str, only: Collection[str] | None = None) -> LessonMinutes:
        """A lesson's minutes (of `only` these trainees), with what the scheme of its class makes of them."""
        lesson, home = await self._training.lesson_and_class(lesson_id)
        return await self.minutes_of(lesson, home.scheme.rules, only)

    async def minutes_of(self, lesson: Lesson, rules: Rules, only: Collection[str] | None = None) -> LessonMinutes:
        """The same of a lesson that is at hand, under the rules of its class's scheme."""
        sharing = await self._sharing(lesson, rules)
        known = {one.number: await self._minutes(one.id, only) for one in sharing or [lesson]}
        if sharing or (rules.shortest_ms, rules.complete_percent, rules.late_ms) != (None, None, None):
            known[lesson.number].settles = settles(rules, lesson.number, known)
        return known[lesson.number]

    async def _sharing(self, lesson: Lesson, rules: Rules) -> list[Lesson]:
        """The lessons of the class, this one among them, that share days of it of which the cap may take something."""
        if rules.daily_cap_ms is None:
            return []
        now = self._register.clock.ms()
        lessons = await self._training.lessons_of_class(lesson.class_id)
        full = full_days(rules, lessons, now).intersection(days_of(lesson, now))
        return [one for one in lessons if full.intersection(days_of(one, now))]

    async def _minutes(self, lesson_id: str, only: Collection[str] | None = None) -> LessonMinutes:
        fresh = await self.fresh(lesson_id, only)
        async with self._register.database.read() as connection:  # after it: what was sealed meanwhile is in both
            stored = await records.sealed_minutes(connection, lesson_id, only=only)
            corrected = replay(await entries_of(connection, lesson_id))
            challenged = await self._challenged(connection, lesson_id, only)
        first = stored[-1].slot + 1 if stored else 0
        return LessonMinutes(
            stored, [minute for minute in fresh.minutes if minute.slot >= first], corrected, challenged
        )

    async def some(self, lesson_id: str, person_ids: Collection[str], since_slot: int) -> LessonMinutes:
        """A few trainees' minutes since then, in the process that has the lesson; what a scheme cuts is not asked."""
        fresh = self.fresh_here(lesson_id, person_ids)
        async with self._register.database.read() as connection:  # after it, as in `_minutes`
            challenged = await self._challenged(connection, lesson_id, person_ids)
            floor = since_slot if challenged is None else 0  # what a pass vouches for began before
            stored = await records.sealed_minutes(connection, lesson_id, floor, person_ids)
            corrected = replay(await entries_of(connection, lesson_id))
        first = stored[-1].slot + 1 if stored else since_slot
        return LessonMinutes(
            stored, [minute for minute in fresh.minutes if minute.slot >= first], corrected, challenged
        )

    async def _challenged(
        self, connection: Connection, lesson_id: str, only: Collection[str] | None = None
    ) -> Challenged | None:
        limit_s = await limit_of(connection, lesson_id)
        if limit_s is None:
            return None
        ended = (await self._training.lesson(lesson_id)).ended_ms is not None
        return Challenged(limit_s * 1000, await events_of(connection, lesson_id, only), ended)

    async def fresh(self, lesson_id: str, only: Collection[str] | None = None) -> Fresh:
        """What is not sealed yet, asked of the process that has the lesson, which tells of everybody. Raises
        DomainError owner_changing."""

        async def here() -> Fresh:
            return self.fresh_here(lesson_id, only)

        errand = Errand(FRESH, lambda: {"lesson_id": lesson_id})
        answer = await self._register.owners.at_owner(lesson_id, here, errand, load=False)
        return answer if isinstance(answer, Fresh) else read_fresh(answer)

    def fresh_here(self, lesson_id: str, only: Collection[str] | None = None) -> Fresh:
        """The same, from our own book, of everybody or some; nothing without one."""
        register = self._register
        present = sum(1 for one in register.holders.values() if one.lesson_id == lesson_id and one.connection)
        book = register.books.get(lesson_id)
        if book is None or book.next_slot is None or book.first_slot is None:  # when it was open nobody has said yet
            return Fresh(present, ())
        now = register.clock.ms()
        last = slot_of(now) if book.last_slot is None else min(book.last_slot, slot_of(now))
        slots = range(book.next_slot, last + 1)
        return Fresh(present, tuple(book.judge_slot(slot, now, final=False, only=only) for slot in slots))

    async def totals(self, lesson_id: str, person_id: str) -> Totals:
        """One trainee's totals of a lesson."""
        return (await self.minutes(lesson_id, [person_id])).totals(person_id)

    async def results(self, class_id: str) -> list[LessonResult]:
        """Every enrolled trainee's result of every lesson of a class that has begun."""
        roster = await self._training.roster(class_id)
        found: list[LessonResult] = []
        for lesson in await self._training.lessons_of_class(class_id):
            known = await self.minutes(lesson.id)
            spans = await self._spans(lesson)
            for enrolled in roster:
                found.append(_result(lesson.id, enrolled.person_id, known, spans.get(enrolled.person_id)))
        return found

    async def hours(self, class_id: str, person_id: str | None = None) -> dict[str, Earned]:
        """Class hours of every enrolled trainee, or of this one: only sealed milliseconds, summed over all lessons."""
        rules = (await self._training.scheme_of(class_id)).rules
        enrolled = {one.person_id for one in await self._training.roster(class_id)}
        enrolled &= enrolled if person_id is None else {person_id}
        recorded, changed = dict.fromkeys(enrolled, 0), dict.fromkeys(enrolled, 0)
        lessons = await self._training.lessons_of_class(class_id)
        for lesson in lessons:
            for sums, more in zip((recorded, changed), await self._sums(lesson.id), strict=True):
                for one in enrolled.intersection(more):
                    sums[one] += more[one]
        computed = {one: whole(rules, ms) for one, ms in recorded.items()}
        if may_cut(rules, lessons, self._register.clock.ms()):
            settled = await self.settled(class_id, enrolled)
        else:
            settled = {one: whole(rules, recorded[one] + changed[one]) for one in enrolled}
        return {one: Earned(computed[one], settled[one]) for one in enrolled}

    async def _sums(self, lesson_id: str) -> tuple[dict[str, int], dict[str, int]]:
        """By trainee what is recorded in a lesson's sealed minutes, and what corrections and challenges change."""
        async with self._register.database.read() as connection:
            sealed = await records.sealed_minutes(connection, lesson_id)
            entries = await entries_of(connection, lesson_id)
            challenged = await self._challenged(connection, lesson_id)
        changed = {one: -ms for one, ms in uncounted(sealed, challenged).items()}
        for line in (line for entry in entries for line in entry):
            changed[line.person_id] = changed.get(line.person_id, 0) + line.change_ms
        recorded: dict[str, int] = {}
        for record in (record for minute in sealed for record in minute.records):
            recorded[record.person_id] = recorded.get(record.person_id, 0) + record.credit_ms
        return recorded, changed

    async def settled(self, class_id: str, person_ids: Iterable[str]) -> dict[str, Settled]:
        """What the scheme of a class makes of these trainees' sealed minutes, lesson by lesson and altogether."""
        rules = (await self._training.scheme_of(class_id)).rules
        attended: dict[str, list[Attended]] = {one: [] for one in person_ids}
        for lesson in await self._training.lessons_of_class(class_id):
            async with self._register.database.read() as connection:
                stored = await records.sealed_minutes(connection, lesson.id)
                corrected = replay(await entries_of(connection, lesson.id))
                challenged = await self._challenged(connection, lesson.id)
            known = LessonMinutes(stored, (), corrected, challenged)
            for one, mine in attended.items():
                mine.append(known.attended(lesson.number, one))
        return {one: settle(rules, mine) for one, mine in attended.items()}

    async def evidence(self, lesson_ids: Iterable[str]) -> Evidence:
        """What the journal says of these lessons' sealed minutes."""
        found = Evidence({}, {})
        for lesson_id in lesson_ids:
            async with self._register.database.read() as connection:
                stored = await records.sealed_minutes(connection, lesson_id)
            for minute in stored:
                for record in minute.records:
                    text = text_of(record)
                    found.texts[sha256(text).digest()] = text
                    found.credit_ms[lesson_id, record.person_id, minute.slot] = record.credit_ms
        return found

    async def shown(self, lesson_ids: Iterable[str]) -> list[bytes]:
        """What packages show beside minutes: what pages registered and signed, revealed seeds."""
        found: list[bytes] = []
        for lesson_id in lesson_ids:
            async with self._register.database.read() as connection:
                found += await shown_of(connection, lesson_id)
                seed = await revealed(connection, lesson_id)
            found += [seed] if seed is not None else []
        return found

    async def own_records(self, lesson_id: str, person_id: str) -> list[bytes]:
        """What the log was told of one trainee's minutes in a lesson. Raises DomainError lesson_not_sealed."""
        known = await self.minutes(lesson_id)
        lesson = await self._training.lesson(lesson_id)
        if lesson.ended_ms is None or not known.all_sealed:
            raise DomainError("lesson_not_sealed")
        async with self._register.database.read() as connection:
            return own_records(lesson_id, person_id, await records.sealed_minutes(connection, lesson_id))

    async def _spans(self, lesson: Lesson) -> Mapping[str, tuple[int, int]]:
        """When each trainee first held and last held the lease, within the lesson."""
        start = lesson.started_ms or 0
        stop = lesson.ended_ms or self._register.clock.ms()
        async with self._register.database.read() as connection:
            rows = await records.leases_of_lesson(connection, lesson.id)
        spans: dict[str, tuple[int, int]] = {}
        for row in rows:
            first, last = max(row.granted_ms, start), min(row.ended_ms or stop, stop)
            if first < last:
                known = spans.get(row.person_id, (first, last))
                spans[row.person_id] = (min(known[0], first), max(known[1], last))
        return spans


def _result(lesson_id: str, person_id: str, known: LessonMinutes, span: tuple[int, int] | None) -> LessonResult:
    totals = known.totals(person_id)
    reasons = {reason.code: reason.ms for reason in totals.reasons}
    return LessonResult(
        person_id=person_id,
        lesson_id=lesson_id,
        first_ms=span[0] if span else None,
        last_ms=span[1] if span else None,
        online_ms=totals.open_ms - reasons.get(Reason.ABSENT.code, 0),
        open_ms=totals.open_ms,
        credit_ms=totals.credit_ms,
        corrected_ms=totals.corrected_ms,
        reasons=reasons,
        confirmed_ms=totals.confirmed_ms,
        pending_ms=totals.pending_ms,
        refused={one.code: one.ms for one in totals.refused},
        tally=known.tally(person_id),
        state=totals.state,
        cut={one.code: one.ms for one in totals.cut},
        complete=totals.complete,
        late=totals.late,
    )
