"""Use-cases of appeals and corrections: a trainee asks, staff propose, somebody else approves, a regulator objects."""

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.attendance.cells import Cell, LessonMinutes
from server.attendance.corrections import records, rules
from server.attendance.corrections.records import Appeal, Correction, Said
from server.attendance.corrections.rules import APPEALS_MOST, AppealState, Line, Measure, Minute, Standing, Verdict
from server.attendance.minutes import Reason
from server.attendance.views import Views
from server.core.actor import Actor
from server.core.clock import Clock, iso
from server.core.database import Database
from server.core.errors import DomainError
from server.training.service import Training, TrainingClass

ID_BYTES: Final = 8
UNSETTLED: Final = (AppealState.OPEN, AppealState.PROPOSED)
Names = Callable[[Iterable[str]], Awaitable[Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Minutes of a lesson, of one trainee or (None) of the whole class, and what they shall be."""

    lesson_id: str
    person_id: str | None
    first_slot: int
    last_slot: int
    measure: Measure
    text: str
    appeal_id: str | None = None


class Corrections:
    """The one way by which what counts changes after a minute is sealed."""

    def __init__(self, database: Database, clock: Clock, views: Views, training: Training, names: Names) -> None:
        self._database = database
        self._clock = clock
        self._views = views
        self._training = training
        self.names = names

    # ---- trainees

    async def ask(self, actor: Actor, lesson_id: str, first_slot: int, last_slot: int, text: str) -> Appeal:
        """A trainee asks about own minutes of a lesson.

        Raises DomainError not_found, text_missing, appeal_too_late (data: until), minute_not_sealed, appeal_open,
        appeal_limit (data: most).
        """
        lesson, home = await self._training.lesson_for(actor, lesson_id)
        reason, now = rules.checked_reason(text), self._clock.ms()
        until = now if lesson.ended_ms is None else lesson.ended_ms + home.scheme.appeal_window_ms
        if now > until:
            raise DomainError("appeal_too_late", until=iso(until))
        asked = _chosen((await self._views.minutes(lesson_id)).cells(actor.person_id), first_slot, last_slot)
        slots = [cell.slot for cell in asked]  # what was asked for may reach beyond the lesson, and beyond any column
        new = Appeal(_new_id(), lesson_id, actor.person_id, min(slots), max(slots), reason, now)
        async with self._database.write(lock(lesson_id)) as connection:
            before = await records.appeals(connection, records.asked_by(lesson_id, actor.person_id))
            if len(before) >= APPEALS_MOST:
                raise DomainError("appeal_limit", most=APPEALS_MOST)
            for one in before:
                if _overlap(one, new) and await _state(connection, one) in UNSETTLED:
                    raise DomainError("appeal_open")
            await records.add_appeal(connection, new)
        return new

    async def mine(self, actor: Actor, lesson_id: str) -> list[tuple[Appeal, AppealState]]:
        """A trainee's appeals in a lesson, newest first. Raises DomainError not_found."""
        await self._training.lesson_for(actor, lesson_id)
        async with self._database.read() as connection:
            found = await records.appeals(connection, records.asked_by(lesson_id, actor.person_id))
            return await _with_states(connection, found)

    # ---- staff

    async def refuse(self, actor: Actor, appeal_id: str, text: str) -> None:
        """An appeal is not followed. Raises DomainError not_found, text_missing, appeal_answered."""
        asked = await self._appeal(actor, appeal_id)
        said = self._said(actor, text)
        async with self._database.write(lock(asked.lesson_id)) as connection:
            if await _state(connection, asked) is not AppealState.OPEN:
                raise DomainError("appeal_answered")
            await records.add_answer(connection, asked, said)

    async def propose(self, actor: Actor, wish: Proposal) -> Correction:
        """Propose what minutes shall be; nothing counts before somebody else approves.

        Raises DomainError not_found, text_missing, minute_not_sealed, correction_empty, appeal_answered.
        """
        lesson, home = await self._training.lesson_for(actor, wish.lesson_id)
        said, people = self._said(actor, wish.text), await self._people(home, wish.person_id)
        lines = rules.lines_of(wish.measure, _minutes(await self._views.minutes(lesson.id), people, wish))
        new = _proposed(lesson.id, wish.measure, said, lines, wish.appeal_id or "", "")
        async with self._database.write(lock(lesson.id)) as connection:
            if wish.appeal_id:
                found = await records.appeals(connection, records.is_appeal(wish.appeal_id))
                if not found or (found[0].lesson_id, found[0].person_id) != (lesson.id, wish.person_id):
                    raise DomainError("not_found")
                if await _state(connection, found[0]) is not AppealState.OPEN:
                    raise DomainError("appeal_answered")
            await records.add_correction(connection, new)
        return new

    async def reverse(self, actor: Actor, correction_id: str, text: str) -> Correction:
        """Propose to undo an approved correction.

        Raises DomainError not_found, text_missing, correction_not_approved.
        """
        old = await self.correction(actor, correction_id)
        if old.standing is not Standing.APPROVED:
            raise DomainError("correction_not_approved")
        new = _proposed(old.lesson_id, Measure.REVERSE, self._said(actor, text), rules.backwards(old.lines), "", old.id)
        async with self._database.write(lock(old.lesson_id)) as connection:
            await records.add_correction(connection, new)
        return new

    async def decide(self, actor: Actor, correction_id: str, verdict: Verdict, text: str) -> None:
        """The second person approves, and the new values count, or refuses.

        Raises DomainError not_found, text_missing, second_person_needed, correction_decided, correction_stale.
        """
        proposed = await self.correction(actor, correction_id)
        if proposed.person_id == actor.person_id:
            raise DomainError("second_person_needed")
        rules.checked_reason(text)
        recorded = await self._recorded(proposed.lesson_id, proposed.lines)
        async with self._database.write(lock(proposed.lesson_id)) as connection:
            said = self._said(actor, text)  # dated here: a settlement counts what was applied before it
            await records.add_verdict(connection, proposed, verdict, said)
            if verdict is Verdict.APPROVED:
                now = rules.replay(await records.entries_of(connection, proposed.lesson_id))
                rules.check_fits(proposed.lines, now, recorded)
                await records.add_entry(connection, proposed, proposed.lines, said.at_ms)

    # ---- regulators

    async def object(self, actor: Actor, correction_id: str, text: str) -> None:
        """A regulator objects: at once what was recorded counts again.

        Raises DomainError not_found, text_missing, correction_not_approved, objection_too_late (data: until),
        correction_stale (something else has changed those minutes since).
        """
        old = await self.correction(actor, correction_id)
        said = self._said(actor, text)
        if old.standing is not Standing.APPROVED or old.decided is None:
            raise DomainError("correction_not_approved")
        _lesson, home = await self._training.lesson_for(actor, old.lesson_id)
        until = old.decided.at_ms + home.scheme.objection_window_ms
        if said.at_ms > until:
            raise DomainError("objection_too_late", until=iso(until))
        async with self._database.write(lock(old.lesson_id)) as connection:
            said = self._said(actor, text)
            await records.add_objection(connection, old, said)
            back = rules.backwards(old.lines)
            rules.check_fits(back, rules.replay(await records.entries_of(connection, old.lesson_id)), {})
            await records.add_entry(connection, old, back, said.at_ms)

    # ---- for lists

    async def correction(self, actor: Actor, correction_id: str) -> Correction:
        """A correction in the actor's scope. Raises DomainError not_found."""
        async with self._database.read() as connection:
            found = await records.corrections(connection, records.is_correction(correction_id))
        if not found:
            raise DomainError("not_found")
        await self._training.lesson_for(actor, found[0].lesson_id)
        return found[0]

    async def appeals_of(self, lessons: Iterable[str]) -> list[tuple[Appeal, AppealState]]:
        """Appeals of these lessons, newest first."""
        async with self._database.read() as connection:
            found = await records.appeals(connection, records.of_lessons(records.appeal, lessons))
            return await _with_states(connection, found)

    async def of_lessons(self, lessons: Iterable[str]) -> list[Correction]:
        """Corrections of these lessons, newest first."""
        async with self._database.read() as connection:
            return await records.corrections(connection, records.of_lessons(records.correction, lessons))

    async def recorded_ms(self, lessons: Iterable[str]) -> dict[str, int]:
        """What was recorded in each of these lessons."""
        async with self._database.read() as connection:
            return await records.credit_by_lesson(connection, lessons)

    async def _appeal(self, actor: Actor, appeal_id: str) -> Appeal:
        async with self._database.read() as connection:
            found = await records.appeals(connection, records.is_appeal(appeal_id))
        if not found:
            raise DomainError("not_found")
        await self._training.lesson_for(actor, found[0].lesson_id)
        return found[0]

    async def _people(self, home: TrainingClass, person_id: str | None) -> list[str]:
        roster = [one.person_id for one in await self._training.roster(home.id)]
        if person_id is None:
            return roster
        if person_id not in roster:
            raise DomainError("not_found")
        return [person_id]

    async def _recorded(self, lesson_id: str, lines: Iterable[Line]) -> dict[rules.Key, int]:
        known = await self._views.minutes(lesson_id)
        people = {line.person_id for line in lines}
        return {(one, cell.slot): cell.vouched_ms for one in people for cell in known.cells(one)}

    def _said(self, actor: Actor, text: str) -> Said:
        return Said(actor.person_id, rules.checked_reason(text), self._clock.ms())


async def _with_states(connection: records.Connection, found: list[Appeal]) -> list[tuple[Appeal, AppealState]]:
    made: dict[str, list[Standing]] = {}
    for each in await records.corrections(connection, records.answers(one.id for one in found)):
        made.setdefault(each.appeal_id, []).append(each.standing)
    return [(one, rules.appeal_state(one.answer is not None, made.get(one.id, ()))) for one in found]


async def _state(connection: records.Connection, one: Appeal) -> AppealState:
    return (await _with_states(connection, [one]))[0][1]


def _proposed(
    lesson_id: str, measure: Measure, said: Said, lines: tuple[Line, ...], appeal_id: str, reverses: str
) -> Correction:
    return Correction(
        id=_new_id(),
        lesson_id=lesson_id,
        person_id=said.person_id,
        measure=measure,
        text=said.text,
        appeal_id=appeal_id,
        reverses=reverses,
        lines=lines,
        at_ms=said.at_ms,
    )


def _minutes(known: LessonMinutes, people: Sequence[str], wish: Proposal) -> list[Minute]:
    found = []
    for person_id in people:
        if not known.settled(person_id):  # a challenge may still change what counts
            raise DomainError("minute_not_sealed")
        for cell in _chosen(known.cells(person_id), wish.first_slot, wish.last_slot):
            fault = sum(reason.ms for reason in cell.reasons if reason.code == Reason.SERVER_FAULT.code)
            found.append(Minute(person_id, cell.slot, cell.open_ms, fault, cell.counted_ms))
    return found


def _chosen(cells: Iterable[Cell], first_slot: int, last_slot: int) -> list[Cell]:
    """The sealed minutes first..last of a lesson. Raises DomainError minute_not_sealed, not_found (none of them)."""
    chosen = [cell for cell in cells if first_slot <= cell.slot <= last_slot]
    if not chosen:
        raise DomainError("not_found")
    if not all(cell.sealed for cell in chosen):
        raise DomainError("minute_not_sealed")
    return chosen


def _overlap(one: Appeal, other: Appeal) -> bool:
    return one.first_slot <= other.last_slot and other.first_slot <= one.last_slot


def lock(lesson_id: str) -> str:
    """What names the writes that change what counts of a lesson."""
    return f"corrections:{lesson_id}"


def _new_id() -> str:
    return secrets.token_hex(ID_BYTES)
