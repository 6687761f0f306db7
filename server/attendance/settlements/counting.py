"""Decides what a settlement rests on: what counts of a trainee's minutes in each lesson, as the log knows them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.attendance.cells import LessonMinutes
from server.attendance.challenges.counting import Challenged
from server.attendance.challenges.records import events_of, limit_of
from server.attendance.corrections.records import EVER, entries_of
from server.attendance.corrections.rules import replay
from server.attendance.minutes import SealedMinute
from server.attendance.records import sealed_minutes
from server.ledger.records import Connection, said_of
from server.ledger.rules import split
from server.verify.formats import Kind, read_record
from server.verify.hours import Rules
from server.verify.settlements import worked_out


@dataclass(frozen=True, slots=True)
class LessonKnown:
    """A lesson that is over: its minutes that the log knows, and what counts of them."""

    id: str
    number: int
    sealed: Sequence[SealedMinute]
    minutes: LessonMinutes


async def lesson_known(connection: Connection, lesson_id: str, number: int, before_ms: int = EVER) -> LessonKnown:
    """A lesson that is over; `before_ms`: without what was corrected since. What was sealed before there was a log is
    none of it.
    """
    told = await _told_slots(connection, lesson_id)
    sealed = [one for one in await sealed_minutes(connection, lesson_id) if one.slot in told]
    corrected = replay(await entries_of(connection, lesson_id, before_ms))
    limit_s, challenged = await limit_of(connection, lesson_id), None
    if limit_s is not None:
        challenged = Challenged(limit_s * 1000, await events_of(connection, lesson_id), True)
    return LessonKnown(lesson_id, number, sealed, LessonMinutes(sealed, [], corrected, challenged))


def settled(rules: Rules, lessons: Collection[LessonKnown], people: Collection[str]) -> Mapping[str, dict[str, Any]]:
    """What the rules make of each of these people's lessons (verify.settlements.worked_out)."""

    def one(person_id: str) -> dict[str, Any]:
        return worked_out(rules, {each.id: each.minutes.attended(each.number, person_id) for each in lessons})

    return {person_id: one(person_id) for person_id in people}


async def _told_slots(connection: Connection, lesson_id: str) -> set[int]:
    entries = await said_of(connection, lesson_id)
    packed = (raw for entry in entries for raw in split(entry.records) if raw[0] == Kind.LESSON_MINUTE)
    return {read_record(raw).slot for raw in packed}
