"""Tables of the cluster: which processes there are, and which of them owns a lesson. Neither is append-only."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Integer, String, Table, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.database import RETAIN, column, metadata

node: Final = Table(
    "node",
    metadata,
    column("id", String(16), RETAIN, primary_key=True),
    column("started_ms", BigInteger, RETAIN),
    column("renewals", BigInteger, RETAIN),
    column("alive_ms", BigInteger, RETAIN),
    column("internal", String(255), RETAIN),
    column("shares", Boolean, RETAIN),
)

lesson_owner: Final = Table(
    "lesson_owner",
    metadata,
    column("lesson_id", String(16), RETAIN, primary_key=True),
    column("epoch", Integer, RETAIN),
    column("node_id", String(16), RETAIN),
    column("settled", Boolean, RETAIN),
)

APPEND_ONLY: Final = ()


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A process: `renewals` counts that it lives, `internal` is where it is asked, `shares` whether it can be two."""

    id: str
    started_ms: int
    renewals: int
    alive_ms: int
    internal: str
    shares: bool


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """Who owns a lesson. `settled`: all that earlier owners had acknowledged stands in this owner's own spool."""

    lesson_id: str
    epoch: int
    node_id: str
    settled: bool


class Taken(Exception):
    """Somebody else was first; nothing was written."""


async def add_node(connection: AsyncConnection, row: NodeRow) -> None:
    """Write a process that begins."""
    await connection.execute(node.insert().values(**{name: getattr(row, name) for name in NodeRow.__slots__}))


async def renew(connection: AsyncConnection, node_id: str, alive_ms: int) -> bool:
    """Count one renewal; False when the row is gone. Waits for whoever is just claiming from this process."""
    change = node.update().where(node.c.id == node_id)
    done = await connection.execute(change.values(renewals=node.c.renewals + 1, alive_ms=alive_ms))
    return bool(done.rowcount)


async def remove_node(connection: AsyncConnection, node_id: str) -> None:
    """Forget a process that is dead and has nothing left to hand over."""
    await connection.execute(node.delete().where(node.c.id == node_id))


async def nodes(connection: AsyncConnection) -> list[NodeRow]:
    """All processes, the eldest first."""
    rows = (await connection.execute(select(node).order_by(node.c.started_ms, node.c.id))).mappings()
    return [NodeRow(**row) for row in rows]


async def locked_node(connection: AsyncConnection, node_id: str) -> NodeRow | None:
    """A process whose renewal now has to wait for this transaction."""
    row = (await connection.execute(select(node).where(node.c.id == node_id).with_for_update())).mappings().first()
    return NodeRow(**row) if row else None


async def owners(connection: AsyncConnection, lessons: Iterable[str]) -> dict[str, OwnerRow]:
    """Who owns these lessons."""
    return await _owners(connection, select(lesson_owner).where(lesson_owner.c.lesson_id.in_(list(lessons))))


async def locked_owners(connection: AsyncConnection, lessons: Iterable[str]) -> dict[str, OwnerRow]:
    """The same, and nobody else can claim them before this transaction ends."""
    query = select(lesson_owner).where(lesson_owner.c.lesson_id.in_(list(lessons)))
    return await _owners(connection, query.order_by(lesson_owner.c.lesson_id).with_for_update())


async def owned_by(connection: AsyncConnection, node_id: str) -> list[str]:
    """The lessons of a process."""
    query = select(lesson_owner.c.lesson_id).where(lesson_owner.c.node_id == node_id)
    return list((await connection.execute(query)).scalars())


async def add_owner(connection: AsyncConnection, row: OwnerRow) -> None:
    """The first owner of a lesson. Raises Taken when there is one: the primary key refuses a second."""
    values = {name: getattr(row, name) for name in OwnerRow.__slots__}
    try:
        await connection.execute(lesson_owner.insert().values(**values))
    except IntegrityError as error:
        raise Taken from error


async def swap_owner(connection: AsyncConnection, seen: OwnerRow, row: OwnerRow) -> bool:
    """Replace the owner that was seen; False when it has changed since."""
    same = (lesson_owner.c.lesson_id == seen.lesson_id, lesson_owner.c.epoch == seen.epoch)
    change = lesson_owner.update().where(*same, lesson_owner.c.node_id == seen.node_id)
    done = await connection.execute(change.values(epoch=row.epoch, node_id=row.node_id, settled=row.settled))
    return bool(done.rowcount)


async def _owners(connection: AsyncConnection, query: Any) -> dict[str, OwnerRow]:
    return {row["lesson_id"]: OwnerRow(**row) for row in (await connection.execute(query)).mappings()}
