"""Decides whether each settlement follows from the minutes as they are stored, and names those that do not."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from server.attendance.settlements import records
from server.attendance.settlements.counting import lesson_known, settled
from server.attendance.settlements.records import Settled
from server.core.database import Database
from server.ledger.records import Connection
from server.ledger.rules import MINUTE_MS
from server.training.service import Training
from server.verify.hours import rules_of
from server.verify.settlements import KNOWN_MINUTES, SUMS, text_of
from server.verify.tree import Refused


@dataclass(frozen=True, slots=True)
class Unproven:
    """A trainee's settlement that says something else than the minutes give."""

    class_id: str
    number: int
    person_id: str


async def unproven(database: Database, training: Training) -> AsyncIterator[Unproven]:
    """Settlement by settlement, worked out again with what counted in its minute."""
    async with database.read() as connection:
        for class_id in await records.classes(connection):
            every = await records.of_class(connection, class_id)
            for number, rows in groupby(every, key=lambda one: one.number):
                kept = list(rows)
                made = await _made(connection, training, kept)
                for one in kept:
                    if made.get(one.person_id) != _said(one):
                        yield Unproven(class_id, number, one.person_id)


async def _made(connection: Connection, training: Training, rows: Iterable[Settled]) -> Mapping[str, bytes]:
    """What the minutes give for these trainees; nothing where it cannot be worked out."""
    kept = list(rows)
    try:
        scheme = await training.published(kept[0].scheme)
        rules = rules_of(json.loads(scheme.parameters))
        lessons = {(one["lesson_id"], one["number"]) for row in kept for one in row.lessons}
        before_ms = (kept[0].at_ms // MINUTE_MS - KNOWN_MINUTES + 1) * MINUTE_MS
        known = [await lesson_known(connection, *one, before_ms) for one in sorted(lessons)]
        made = settled(rules, known, [one.person_id for one in kept])
    except (Refused, ValueError, KeyError, TypeError):
        return {}
    return {person_id: text_of(one) for person_id, one in made.items()}


def _said(one: Settled) -> bytes:
    return text_of({name: getattr(one, name) for name in (*SUMS, "lessons")})
