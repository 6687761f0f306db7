"""Deletes what attendance knows of the trainees of a lesson; the database refuses it before retention ordered it."""

from typing import Any

from sqlalchemy import ColumnElement, Table, delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from server.attendance.challenges.records import challenge_answer, challenge_event
from server.attendance.challenges.records_looks import challenge_look
from server.attendance.corrections import records as corrections
from server.attendance.pages.records import page_key, page_signature
from server.attendance.records import lease, lease_end, minute_journal
from server.attendance.settlements.records import erase_class

__all__ = ["erase_class", "erase_lesson"]


async def erase_lesson(connection: AsyncConnection, lesson_id: str) -> int:
    """Leases, minutes, what pages signed, challenges, appeals, corrections, what people wrote; how many rows it was.

    What is known through another row goes before it.
    """
    own = select(lease.c.person_id, lease.c.epoch).where(lease.c.lesson_id == lesson_id)
    asked = select(corrections.appeal.c.id).where(corrections.appeal.c.lesson_id == lesson_id)
    proposed = select(corrections.correction.c.id).where(corrections.correction.c.lesson_id == lesson_id)
    through: list[tuple[Table, ColumnElement[bool]]] = [
        (lease_end, tuple_(lease_end.c.person_id, lease_end.c.epoch).in_(own)),
        (corrections.appeal_answer, corrections.appeal_answer.c.appeal_id.in_(asked)),
        (corrections.correction_verdict, corrections.correction_verdict.c.correction_id.in_(proposed)),
        (corrections.correction_objection, corrections.correction_objection.c.correction_id.in_(proposed)),
    ]
    direct = (
        *(lease, minute_journal, page_key, page_signature, challenge_event, challenge_answer, challenge_look),
        *(corrections.appeal, corrections.correction, corrections.correction_entry),
    )
    chosen = [*through, *((one, one.c.lesson_id == lesson_id) for one in direct)]
    written = [one for one in chosen if "text_digest" in one[0].c]
    texts = {text for table, where in written for text in await _texts(connection, table, where)}
    count = 0
    for table, where in chosen:
        count += (await connection.execute(delete(table).where(where))).rowcount
    for text in sorted(texts):
        count += await _forget(connection, text)
    return count


async def _texts(connection: AsyncConnection, table: Table, where: ColumnElement[bool]) -> list[str]:
    return [row[0] for row in await connection.execute(select(table.c.text_digest).where(where))]


async def _forget(connection: AsyncConnection, digest: str) -> int:
    gone: Any = await connection.execute(delete(corrections.remark).where(corrections.remark.c.digest == digest))
    count: int = gone.rowcount
    return count
