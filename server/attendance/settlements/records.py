"""The table of settlements, append-only: a row of each trainee for each time that a class was settled."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import BigInteger, Integer, String, Table, Text, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.attendance.corrections.records import (
    appeal,
    appeal_answer,
    correction,
    correction_verdict,
    of_lessons,
)
from server.attendance.corrections.rules import Verdict
from server.core.database import RETAIN, column, metadata
from server.ledger.facts import digest, id_of
from server.ledger.records import append
from server.ledger.rules import MINUTE_MS
from server.ledger.sources import Source
from server.verify.formats import Kind, Record
from server.verify.settlements import text_of

settlement: Final = Table(
    "settlement",
    metadata,
    column("class_id", String(16), RETAIN, primary_key=True),
    column("number", Integer, RETAIN, primary_key=True, autoincrement=False),
    column("person_id", String(16), RETAIN, primary_key=True),
    column("people", Integer, RETAIN),
    column("scheme", String(48), RETAIN),
    column("scheme_digest", String(64), RETAIN),
    column("class_hours", Integer, RETAIN),
    column("remainder_ms", Integer, RETAIN),
    column("confirmed_ms", BigInteger, RETAIN),
    column("capped_ms", BigInteger, RETAIN),
    column("short_ms", BigInteger, RETAIN),
    column("lessons", Text, RETAIN),
    column("ordered_by", String(16), RETAIN),
    column("at_ms", BigInteger, RETAIN),
)

APPEND_ONLY: Final = ("settlement",)


@dataclass(frozen=True, slots=True)
class Settled:
    """A trainee's row: the sums of a class, and of each lesson what verify.settlements.worked_out says of it.

    `people`: how many trainees were settled with them; `scheme` is the id of a scheme, `scheme_digest` that of its
    text as the log was told; `ordered_by` who had it settled.
    """

    class_id: str
    number: int
    person_id: str
    people: int
    scheme: str
    scheme_digest: str
    class_hours: int
    remainder_ms: int
    confirmed_ms: int
    capped_ms: int
    short_ms: int
    lessons: Sequence[Mapping[str, Any]]
    ordered_by: str
    at_ms: int


async def add(connection: AsyncConnection, rows: Sequence[Settled]) -> None:
    """Write a settlement and tell the log, in the group of the class."""
    said = [_said(one) for one in rows]
    stored = [{**each, "lessons": text_of(each["lessons"]).decode()} for each in said]
    await connection.execute(settlement.insert(), stored)
    slot = rows[0].at_ms // MINUTE_MS
    facts = [
        Record(
            Kind.SETTLEMENT,
            slot,
            seq=one.number,
            subject=id_of(one.person_id),
            resource=id_of(one.class_id),
            evidence=sha256(text_of(each)).digest(),
        )
        for one, each in zip(rows, said, strict=True)
    ]
    await append(connection, slot, rows[0].class_id, facts)


async def newest(connection: AsyncConnection, class_id: str) -> int:
    """The number of the last settlement of a class; 0 without one."""
    query = select(func.max(settlement.c.number)).where(settlement.c.class_id == class_id)
    return (await connection.execute(query)).scalar_one() or 0


async def of_class(connection: AsyncConnection, class_id: str) -> list[Settled]:
    """All settlements of a class, the last one first."""
    query = select(settlement).where(settlement.c.class_id == class_id)
    rows = await connection.execute(query.order_by(settlement.c.number.desc(), settlement.c.person_id))
    return [Settled(**{**row, "lessons": json.loads(row["lessons"])}) for row in rows.mappings()]


async def own(connection: AsyncConnection, class_id: str, person_id: str) -> Settled | None:
    """A trainee's row of the last settlement of a class that has one of theirs."""
    mine = (settlement.c.class_id == class_id) & (settlement.c.person_id == person_id)
    query = select(settlement).where(mine).order_by(settlement.c.number.desc()).limit(1)
    row = (await connection.execute(query)).mappings().first()
    return Settled(**{**row, "lessons": json.loads(row["lessons"])}) if row else None


async def classes(connection: AsyncConnection) -> list[str]:
    """The classes that were settled."""
    return [row[0] for row in await connection.execute(select(settlement.c.class_id).distinct())]


async def shown_of(connection: AsyncConnection, class_id: str) -> list[bytes]:
    """The texts behind the records of a class's settlements."""
    return [text_of(_said(one)) for one in reversed(await of_class(connection, class_id))]


async def erase_class(connection: AsyncConnection, class_id: str) -> int:
    """Delete what was settled of a class; the database refuses it before retention ordered it."""
    return (await connection.execute(delete(settlement).where(settlement.c.class_id == class_id))).rowcount


async def undecided(connection: AsyncConnection, lesson_ids: Iterable[str]) -> list[str]:
    """Those of these lessons with an appeal that nobody answered, or a correction that nobody decided."""
    lessons = list(lesson_ids)
    verdict, made = correction_verdict.c, correction.alias("made")
    decided = exists().where(verdict.correction_id == correction.c.id)
    followed = exists().where(
        made.c.appeal_id == appeal.c.id,
        verdict.correction_id == made.c.id,
        verdict.verdict == Verdict.APPROVED,
    )
    answered = exists().where(appeal_answer.c.appeal_id == appeal.c.id)
    proposals = select(correction.c.lesson_id).where(of_lessons(correction, lessons), ~decided)
    asked = select(appeal.c.lesson_id).where(of_lessons(appeal, lessons), ~answered, ~followed)
    found = {row[0] for query in (proposals, asked) for row in await connection.execute(query.distinct())}
    return [one for one in lessons if one in found]


def _said(one: Settled) -> dict[str, Any]:
    return {each.name: getattr(one, each.name) for each in fields(Settled)}


def _named(row: Mapping[str, Any]) -> bytes:
    """The digest that the log was told of a row; of one that cannot be read, one that it was not."""
    try:
        return sha256(text_of({**row, "lessons": json.loads(row["lessons"])})).digest()
    except ValueError:
        return digest(row)


#: what the log was told
SOURCES: Final = (Source(settlement, Kind.SETTLEMENT, "at_ms", of_row=_named),)
