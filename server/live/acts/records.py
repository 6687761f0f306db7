"""The tables of acts (append-only, told to the log; what a lesson's people did is always what its acts make) and of
which answers somebody has read.
"""

from collections.abc import AsyncIterator, Sequence
from itertools import groupby
from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Index, Integer, Row, String, Table, Text, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.database import ERASE, RETAIN, column, metadata
from server.ledger.facts import fact
from server.ledger.records import append
from server.ledger.rules import MINUTE_MS
from server.ledger.sources import Source
from server.live.acts.port import Act
from server.verify.formats import Kind, Record

#: late answers are looked for in many lessons at once
ANSWERED: Final = text("kind = 'answered'")
lesson_act: Final = Table(
    "lesson_act",
    metadata,
    column("lesson_id", String(16), RETAIN, primary_key=True),
    column("seq", Integer, RETAIN, primary_key=True, autoincrement=False),
    column("at_ms", BigInteger, RETAIN),
    column("activity", String(16), RETAIN),
    column("kind", String(16), RETAIN),
    column("actor_id", String(16), RETAIN),
    column("body", Text, RETAIN),
    Index("ix_lesson_act_answered", "lesson_id", "seq", sqlite_where=ANSWERED, postgresql_where=ANSWERED),
)

#: up to which answer somebody has read what was answered after a lesson
answer_read: Final = Table(
    "answer_read",
    metadata,
    column("lesson_id", String(16), RETAIN, primary_key=True),
    column("person_id", String(16), ERASE, primary_key=True),
    column("seq", Integer, ERASE),
)

APPEND_ONLY: Final = ("lesson_act",)
SOURCES: Final = (Source(lesson_act, Kind.LESSON_ACT, "at_ms"),)


async def add(connection: AsyncConnection, lesson_id: str, acts: Sequence[Act]) -> None:
    """Write acts that follow those which are there, and tell the log; the primary key refuses a number twice."""
    rows = [_row(lesson_id, act) for act in acts]
    await connection.execute(lesson_act.insert(), rows)
    for slot, minute in groupby(rows, lambda row: row["at_ms"] // MINUTE_MS):
        await append(connection, slot, lesson_id, [_said(row) for row in minute])


async def count(connection: AsyncConnection, lesson_id: str) -> int:
    """How many acts a lesson has by now."""
    query = select(func.coalesce(func.max(lesson_act.c.seq), 0)).where(lesson_act.c.lesson_id == lesson_id)
    found: int = (await connection.execute(query)).scalar_one()
    return found


async def with_holes(connection: AsyncConnection) -> AsyncIterator[str]:
    """The ids of lessons whose acts are not 1, 2, 3 … without a hole."""
    numbers = func.count(), func.min(lesson_act.c.seq), func.max(lesson_act.c.seq)
    query = select(lesson_act.c.lesson_id, *numbers).group_by(lesson_act.c.lesson_id).order_by(lesson_act.c.lesson_id)
    for lesson_id, many, first, last in await connection.execute(query):
        if (first, last) != (1, many):
            yield lesson_id


async def erase(connection: AsyncConnection, lesson_id: str) -> int:
    """Delete a lesson's acts; the database refuses it before retention ordered it. How many there were."""
    await connection.execute(delete(answer_read).where(answer_read.c.lesson_id == lesson_id))
    return (await connection.execute(delete(lesson_act).where(lesson_act.c.lesson_id == lesson_id))).rowcount


async def acts_of(connection: AsyncConnection, lesson_id: str, of: Sequence[str] = ()) -> list[Act]:
    """A lesson's acts in order; only those `of` some activities, if any are named."""
    query = select(lesson_act).where(lesson_act.c.lesson_id == lesson_id).order_by(lesson_act.c.seq)
    if of:
        query = query.where(lesson_act.c.activity.in_(of))
    return [_act(row) for row in await connection.execute(query)]


async def shows_in(connection: AsyncConnection, lesson_id: str, deck: str) -> frozenset[int]:
    """Which pages of a deck were on the board of a lesson."""
    table = lesson_act.c
    shows = select(lesson_act).where(table.lesson_id == lesson_id, table.activity == "board", table.kind == "show")
    acts = [_act(row) for row in await connection.execute(shows)]
    return frozenset(act.body["page"] for act in acts if act.body["deck"] == deck)


async def words_about(connection: AsyncConnection, lesson_id: str, file_id: str) -> list[Act]:
    """The lines of a lesson's chat that name a file, and which lines were hidden or not, in order."""
    table = lesson_act.c
    about = (table.kind == "hidden") | ((table.kind == "said") & table.body.contains(file_id, autoescape=True))
    query = select(lesson_act).where(table.lesson_id == lesson_id, table.activity == "chat", about)
    return [_act(row) for row in await connection.execute(query.order_by(table.seq))]


async def answers_in(connection: AsyncConnection, lesson_ids: Sequence[str]) -> list[tuple[str, Act]]:
    """Every written answer in these lessons, in order."""
    where = (lesson_act.c.kind == "answered", lesson_act.c.lesson_id.in_(lesson_ids))
    query = select(lesson_act).where(*where).order_by(lesson_act.c.lesson_id, lesson_act.c.seq)
    found = [(row.lesson_id, _act(row)) for row in await connection.execute(query)]
    return [(lesson_id, act) for lesson_id, act in found if act.activity == "questions"]


async def read_by(connection: AsyncConnection, person_id: str) -> dict[str, int]:
    """Up to which answer somebody has read, by lesson."""
    query = select(answer_read.c.lesson_id, answer_read.c.seq).where(answer_read.c.person_id == person_id)
    return {row.lesson_id: row.seq for row in await connection.execute(query)}


async def put_read(connection: AsyncConnection, lesson_id: str, person_id: str, seq: int) -> None:
    """Somebody has read up to an answer; never less than before."""
    mine = (answer_read.c.lesson_id == lesson_id, answer_read.c.person_id == person_id)
    known = (await connection.execute(select(answer_read.c.seq).where(*mine))).scalar()
    if known is None:
        values = {"lesson_id": lesson_id, "person_id": person_id, "seq": seq}
        await connection.execute(answer_read.insert().values(values))
    elif seq > known:
        await connection.execute(answer_read.update().where(*mine).values(seq=seq))


def _act(row: Row[Any]) -> Act:
    return Act(row.seq, row.at_ms, row.activity, row.kind, row.actor_id, orjson.loads(row.body))


def _said(row: dict[str, Any]) -> Record:
    about = {"subject": row["actor_id"], "resource": row["lesson_id"], "seq": row["seq"]}
    return fact(Kind.LESSON_ACT, row["at_ms"], row, **about)


def _row(lesson_id: str, act: Act) -> dict[str, Any]:
    body = orjson.dumps(act.body, option=orjson.OPT_SORT_KEYS).decode()
    return {
        "lesson_id": lesson_id,
        "seq": act.seq,
        "at_ms": act.at_ms,
        "activity": act.activity,
        "kind": act.kind,
        "actor_id": act.actor_id,
        "body": body,
    }
