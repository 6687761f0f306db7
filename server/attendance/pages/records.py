"""Tables of pages: the key of each lease, and what the pages of a lesson signed in each minute. Both append-only."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Integer, LargeBinary, String, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.database import RETAIN, column, metadata
from server.ledger import records as ledger
from server.ledger.facts import tell, text_of
from server.ledger.sources import Source
from server.verify.formats import Kind, Record
from server.verify.signatures import SIGNED_BYTES, Mode, Signed, pack

page_key: Final = Table(
    "page_key",
    metadata,
    column("person_id", String(16), RETAIN, primary_key=True),
    column("epoch", Integer, RETAIN, primary_key=True, autoincrement=False),
    column("lesson_id", String(16), RETAIN, index=True),
    column("public", String(88), RETAIN),
    column("known", String(8), RETAIN),
    column("granted_ms", BigInteger, RETAIN),
)

page_signature: Final = Table(
    "page_signature",
    metadata,
    column("lesson_id", String(16), RETAIN, primary_key=True),
    column("slot", Integer, RETAIN, primary_key=True, autoincrement=False),
    column("signatures", LargeBinary, RETAIN),
)

APPEND_ONLY: Final = ("page_key", "page_signature")


async def add_key(connection: AsyncConnection, row: dict[str, str | int]) -> Mode:
    """Write with which key a lease was granted; `row` has the columns but `known`, which is told apart here."""
    person_id, epoch, public = str(row["person_id"]), int(row["epoch"]), str(row["public"])
    mode = Mode.NONE
    if public:
        known = select(page_key.c.epoch).where(page_key.c.person_id == person_id, page_key.c.public == public).limit(1)
        mode = Mode.KNOWN if (await connection.execute(known)).first() else Mode.FRESH
    whole = {**row, "known": mode.name.lower()}
    await connection.execute(page_key.insert(), whole)
    about = {"subject": person_id, "session": epoch, "seq": epoch, "mode": mode}
    at_ms, lesson_id = int(row["granted_ms"]), str(row["lesson_id"])
    await tell(connection, Kind.PAGE_KEY, at_ms, whole, group_id=lesson_id, **about)
    return mode


async def keys_of_lesson(connection: AsyncConnection, lesson_id: str) -> dict[tuple[str, int], str]:
    """The key of each lease in a lesson by person and epoch; empty where the page had none."""
    query = select(page_key.c.person_id, page_key.c.epoch, page_key.c.public).where(page_key.c.lesson_id == lesson_id)
    return {(person, epoch): public for person, epoch, public in await connection.execute(query)}


async def key_of(connection: AsyncConnection, person_id: str, epoch: int) -> str:
    """The key of one lease; empty when its page had none."""
    query = select(page_key.c.public).where(page_key.c.person_id == person_id, page_key.c.epoch == epoch)
    return (await connection.execute(query)).scalar_one_or_none() or ""


async def add_signatures(connection: AsyncConnection, lesson_id: str, slot: int, signed: Iterable[Signed]) -> None:
    """Write what the pages of a lesson signed in a minute. A minute that has its row keeps it."""
    same = (page_signature.c.lesson_id == lesson_id, page_signature.c.slot == slot)
    if (await connection.execute(select(page_signature.c.slot).where(*same))).first():
        return
    raw = pack(signed)
    await connection.execute(page_signature.insert().values(lesson_id=lesson_id, slot=slot, signatures=raw))
    record = signed_record(lesson_id, slot, raw)
    await ledger.append(connection, slot, lesson_id, [record])


def signed_record(lesson_id: str, slot: int, raw: bytes) -> Record:
    """What the log is told of a minute's signatures."""
    return Record(
        Kind.PAGE_KEY,
        slot,
        seq=len(raw) // SIGNED_BYTES,
        resource=bytes.fromhex(lesson_id),
        mode=Mode.SIGNED,
        evidence=hashlib.sha256(raw).digest(),
    )


async def signatures_of(connection: AsyncConnection, lesson_id: str) -> dict[int, bytes]:
    """What the pages of a lesson signed, packed, by minute."""
    query = select(page_signature.c.slot, page_signature.c.signatures).where(page_signature.c.lesson_id == lesson_id)
    return {row.slot: row.signatures for row in await connection.execute(query)}


async def shown_of(connection: AsyncConnection, lesson_id: str) -> list[bytes]:
    """What a package of a lesson shows: the text behind each lease's key, and behind each minute's signatures."""
    keys = await connection.execute(select(page_key).where(page_key.c.lesson_id == lesson_id))
    signed = await signatures_of(connection, lesson_id)
    return [*(text_of(dict(row)) for row in keys.mappings()), *signed.values()]


def _signed_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["slot"], row["lesson_id"], hashlib.sha256(row["signatures"]).digest()


def _told_of(record: Record) -> tuple[Any, ...]:
    return record.slot, record.resource.hex(), record.evidence


#: what the log was told of these tables
SOURCES: Final = (
    Source(page_key, Kind.PAGE_KEY, "granted_ms", (Mode.FRESH, Mode.KNOWN, Mode.NONE)),
    Source(
        page_signature,
        Kind.PAGE_KEY,
        "slot",
        (Mode.SIGNED,),
        of_row=_signed_of,
        of_record=_told_of,
    ),
)
