"""Tables of attendance: leases and their ends, and the journal of sealed minutes. All three are append-only."""

import struct
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Integer, LargeBinary, String, Table, and_, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.attendance.lease import End, How
from server.attendance.minutes import SealedMinute, pack, unpack
from server.attendance.pages import records as pages
from server.core.database import RETAIN, column, metadata
from server.ledger.facts import tell
from server.ledger.sources import Source
from server.verify.formats import Kind

lease: Final = Table(
    "lease",
    metadata,
    column("person_id", String(16), RETAIN, primary_key=True),
    column("epoch", Integer, RETAIN, primary_key=True, autoincrement=False),
    column("lesson_id", String(16), RETAIN, index=True),
    column("session_id", String(16), RETAIN),
    column("device", String(16), RETAIN),
    column("page", String(64), RETAIN),
    column("resume_digest", String(64), RETAIN),
    column("how", String(16), RETAIN),
    column("granted_ms", BigInteger, RETAIN),
)

lease_end: Final = Table(
    "lease_end",
    metadata,
    column("person_id", String(16), RETAIN, primary_key=True),
    column("epoch", Integer, RETAIN, primary_key=True, autoincrement=False),
    column("reason", String(16), RETAIN),
    column("ended_ms", BigInteger, RETAIN),
)

minute_journal: Final = Table(
    "minute_journal",
    metadata,
    column("lesson_id", String(16), RETAIN, primary_key=True),
    column("slot", Integer, RETAIN, primary_key=True, autoincrement=False),
    column("delivered_ms", Integer, RETAIN),
    column("credit_ms_total", BigInteger, RETAIN),
    column("n_records", Integer, RETAIN),
    column("records", LargeBinary, RETAIN),
    column("sealed_ms", BigInteger, RETAIN),
)

APPEND_ONLY: Final = ("lease", "lease_end", "minute_journal")
#: what the log was told of besides minutes
SOURCES: Final = (
    Source(lease, Kind.LEASE, "granted_ms", older=True),
    Source(lease_end, Kind.LEASE_END, "ended_ms", older=True),
)
#: leases, each with its end and its page's key where there are such
_LEASES: Final = select(
    lease, lease_end.c.ended_ms, func.coalesce(pages.page_key.c.public, "").label("key")
).select_from(
    lease.outerjoin(
        lease_end, and_(lease.c.person_id == lease_end.c.person_id, lease.c.epoch == lease_end.c.epoch)
    ).outerjoin(
        pages.page_key, and_(lease.c.person_id == pages.page_key.c.person_id, lease.c.epoch == pages.page_key.c.epoch)
    )
)


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """A lease as granted, with its end when it has one."""

    person_id: str
    epoch: int
    lesson_id: str
    session_id: str
    device: str
    page: str
    resume_digest: str
    how: How
    granted_ms: int
    ended_ms: int | None = None
    #: the key of its page, empty when that has none
    key: str = ""


class Raced(Exception):
    """Another process gave the account's lease away at the same moment; nothing was written."""


async def add_lease(connection: AsyncConnection, row: LeaseRow) -> None:
    """Write a new lease with its page's key. Raises Raced when the epoch exists: the primary key refuses it."""
    values = {name: getattr(row, name) for name in lease.c.keys()}  # noqa: SIM118  these are columns, not a dict
    try:
        await connection.execute(lease.insert(), values)
    except IntegrityError as error:
        raise Raced from error
    await tell(
        connection,
        Kind.LEASE,
        row.granted_ms,
        values,
        group_id=row.lesson_id,
        subject=row.person_id,
        session=row.epoch,
        seq=row.epoch,
    )
    key = {name: values[name] for name in ("person_id", "epoch", "lesson_id", "granted_ms")}
    await pages.add_key(connection, {**key, "public": row.key})


async def add_end(
    connection: AsyncConnection, lesson_id: str, person_id: str, epoch: int, reason: End, ended_ms: int
) -> None:
    """Write that a lease has ended."""
    values = {"person_id": person_id, "epoch": epoch, "reason": reason, "ended_ms": ended_ms}
    await connection.execute(lease_end.insert().values(values))
    await _tell(connection, Kind.LEASE_END, ended_ms, lesson_id, values)


async def end_of(connection: AsyncConnection, person_id: str, epoch: int) -> int | None:
    """When a lease ended; None while it goes on."""
    query = select(lease_end.c.ended_ms).where(lease_end.c.person_id == person_id, lease_end.c.epoch == epoch)
    return (await connection.execute(query)).scalar_one_or_none()


async def count_take_overs(connection: AsyncConnection, person_id: str, since_ms: int) -> int:
    """How often the account's lease was taken over since then."""
    query = select(func.count()).where(
        lease.c.person_id == person_id, lease.c.how == How.TAKE_OVER, lease.c.granted_ms > since_ms
    )
    return (await connection.execute(query)).scalar_one()


async def leases_of_lesson(connection: AsyncConnection, lesson_id: str) -> list[LeaseRow]:
    """All leases ever granted in a lesson, oldest first."""
    query = _LEASES.where(lease.c.lesson_id == lesson_id).order_by(lease.c.granted_ms, lease.c.epoch)
    rows = (await connection.execute(query)).mappings()
    return [LeaseRow(**{**row, "how": How(row["how"])}) for row in rows]


async def add_minute(connection: AsyncConnection, lesson_id: str, minute: SealedMinute, now_ms: int) -> None:
    """Seal one lesson's minute; a slot that is sealed already is refused by the primary key."""
    await connection.execute(
        minute_journal.insert().values(
            lesson_id=lesson_id,
            slot=minute.slot,
            delivered_ms=minute.delivered_ms,
            credit_ms_total=sum(record.credit_ms for record in minute.records),
            n_records=len(minute.records),
            records=pack(minute.records),
            sealed_ms=now_ms,
        )
    )


async def sealed_minutes(
    connection: AsyncConnection, lesson_id: str, since_slot: int = 0, only: Collection[str] | None = None
) -> list[SealedMinute]:
    """A lesson's sealed minutes in order; `only`: with the records of these trainees."""
    query = select(minute_journal).where(minute_journal.c.lesson_id == lesson_id, minute_journal.c.slot >= since_slot)
    rows = (await connection.execute(query.order_by(minute_journal.c.slot))).mappings()
    return [SealedMinute(row["slot"], row["delivered_ms"], unpack(row["records"], only)) for row in rows]


async def readable_minutes(connection: AsyncConnection, lesson_id: str) -> tuple[list[SealedMinute], list[int]]:
    """A lesson's sealed minutes as far as they can be read, and the slots of those that cannot."""
    found, damaged = [], []
    query = select(minute_journal).where(minute_journal.c.lesson_id == lesson_id).order_by(minute_journal.c.slot)
    for row in (await connection.execute(query)).mappings():
        try:
            found.append(SealedMinute(row["slot"], row["delivered_ms"], unpack(row["records"])))
        except (ValueError, struct.error):
            damaged.append(row["slot"])
    return found, damaged


async def slots_with_other_sums(
    connection: AsyncConnection, lesson_id: str, minutes: Iterable[SealedMinute]
) -> list[int]:
    """Of these minutes those whose row counts other records, or sums them up otherwise, than it holds."""
    columns = minute_journal.c.slot, minute_journal.c.n_records, minute_journal.c.credit_ms_total
    rows = await connection.execute(select(*columns).where(minute_journal.c.lesson_id == lesson_id))
    said = {slot: (count, ms) for slot, count, ms in rows}
    return [
        one.slot for one in minutes if said[one.slot] != (len(one.records), sum(each.credit_ms for each in one.records))
    ]


async def lessons_with_minutes(connection: AsyncConnection) -> list[str]:
    """The lessons of which something is sealed."""
    query = select(minute_journal.c.lesson_id).distinct().order_by(minute_journal.c.lesson_id)
    return [row[0] for row in await connection.execute(query)]


async def newest_lease(connection: AsyncConnection, person_id: str) -> LeaseRow | None:
    """The account's newest lease, with its end when it has one."""
    query = _LEASES.where(lease.c.person_id == person_id).order_by(lease.c.epoch.desc()).limit(1)
    row = (await connection.execute(query)).mappings().first()
    return LeaseRow(**{**row, "how": How(row["how"])}) if row else None


async def _tell(connection: AsyncConnection, kind: Kind, at_ms: int, lesson_id: str, row: dict[str, Any]) -> None:
    epoch: int = row["epoch"]
    await tell(connection, kind, at_ms, row, group_id=lesson_id, subject=row["person_id"], session=epoch, seq=epoch)
