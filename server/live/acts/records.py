"""The table of acts: append-only; what a lesson's people did is always what its acts make."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Integer, String, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.database import RETAIN, column, metadata
from server.live.acts.port import Act

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
)

APPEND_ONLY: Final = ("lesson_act",)


async def add(connection: AsyncConnection, lesson_id: str, acts: Sequence[Act]) -> None:
    """Write acts that follow those which are there; the primary key refuses a number that is taken."""
    await connection.execute(lesson_act.insert(), [_row(lesson_id, act) for act in acts])


async def acts_of(connection: AsyncConnection, lesson_id: str) -> list[Act]:
    """A lesson's acts in order."""
    query = select(lesson_act).where(lesson_act.c.lesson_id == lesson_id).order_by(lesson_act.c.seq)
    return [
        Act(row.seq, row.at_ms, row.activity, row.kind, row.actor_id, orjson.loads(row.body))
        for row in await connection.execute(query)
    ]


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
