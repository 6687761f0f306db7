"""Tables of what was deleted: each order, and whether it is done. Both append-only, and the orders are in the log.

An order opens the door of just its group's rows (migration 0014) from when it is sealed and signed until it is done.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Integer, String, Table, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.database import RETAIN, column, metadata
from server.ledger.facts import fact, tell
from server.ledger.records import append_packed, checkpoint, said_of, sealed
from server.ledger.sources import Source
from server.oversight.rules import Outcome
from server.verify.formats import DONE, EARLY, ORDERED, Kind, Record

deletion: Final = Table(
    "deletion",
    metadata,
    column("id", String(16), RETAIN, primary_key=True),
    column("class_id", String(16), RETAIN),
    column("group_id", String(16), RETAIN, index=True),
    column("outcome", String(16), RETAIN),
    column("n_records", Integer, RETAIN),
    column("keep_until_ms", BigInteger, RETAIN),
    column("at_ms", BigInteger, RETAIN),
    CheckConstraint("outcome <> 'ordered' OR at_ms >= keep_until_ms", name="ck_deletion_kept"),
    sqlite_with_rowid=False,
)

deletion_done: Final = Table(
    "deletion_done",
    metadata,
    column("deletion_id", String(16), RETAIN, primary_key=True),
    column("done_ms", BigInteger, RETAIN),
    sqlite_with_rowid=False,
)

APPEND_ONLY: Final = ("deletion", "deletion_done")
#: what the log was told
SOURCES: Final = (
    Source(deletion, Kind.DELETION, "at_ms", (ORDERED, EARLY)),
    Source(deletion_done, Kind.DELETION, "done_ms", (DONE,)),
)
MODES: Final = {Outcome.ORDERED: ORDERED, Outcome.EARLY: EARLY}


@dataclass(frozen=True, slots=True)
class Deletion:
    """That the records of a lesson, or of a class itself (`group_id`), are to be deleted, or that it was too early.

    `id` is also the id of the entry that says so in the log.
    """

    id: str
    class_id: str
    group_id: str
    outcome: Outcome
    n_records: int
    keep_until_ms: int
    at_ms: int


async def add(connection: AsyncConnection, new: Deletion) -> None:
    """Write it and tell the log, in the group that it is about."""
    await connection.execute(deletion.insert().values(asdict(new)))
    said = _said(new)
    await append_packed(connection, said.slot, new.group_id, said.pack(), entry_id=new.id)


async def is_told(connection: AsyncConnection, order: Deletion) -> bool:
    """Whether the log was told of an order as it stands: a row alone opens nothing."""
    said = [one.records for one in await said_of(connection, order.group_id) if one.id == order.id]
    return said == [_said(order).pack()]


async def orders_of(connection: AsyncConnection, class_id: str) -> list[Deletion]:
    """What is to be deleted, or was, of a class."""
    query = select(deletion).where(deletion.c.class_id == class_id, deletion.c.outcome == Outcome.ORDERED)
    return _read((await connection.execute(query.order_by(deletion.c.id))).mappings())


async def waiting(connection: AsyncConnection) -> list[Deletion]:
    """What was ordered, sealed and signed, and is not done."""
    done = exists().where(deletion_done.c.deletion_id == deletion.c.id)
    signed = exists().where(sealed.c.entry_id == deletion.c.id, checkpoint.c.size > sealed.c.idx)
    query = select(deletion).where(deletion.c.outcome == Outcome.ORDERED, signed, ~done)
    return _read((await connection.execute(query.order_by(deletion.c.id))).mappings())


async def add_done(connection: AsyncConnection, order: Deletion, done_ms: int) -> None:
    """Close the door, and tell the log."""
    row = {"deletion_id": order.id, "done_ms": done_ms}
    await connection.execute(deletion_done.insert().values(row))
    await tell(connection, Kind.DELETION, done_ms, row, group_id=order.group_id, resource=order.class_id, mode=DONE)


async def done_groups(connection: AsyncConnection) -> set[str]:
    """The lessons and classes whose records are deleted."""
    both = deletion.join(deletion_done, deletion_done.c.deletion_id == deletion.c.id)
    return {row[0] for row in await connection.execute(select(deletion.c.group_id).select_from(both))}


def _said(one: Deletion) -> Record:
    said = fact(Kind.DELETION, one.at_ms, asdict(one), resource=one.class_id, mode=MODES[one.outcome])
    return replace(said, credit_ms=one.n_records)


def _read(rows: Iterable[object]) -> list[Deletion]:
    return [Deletion(**{**dict(row), "outcome": Outcome(row["outcome"])}) for row in rows]  # type: ignore[call-overload,index]
