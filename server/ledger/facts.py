"""Decides how a row of another capability becomes a record: its digest stands for it, the row can be shown later."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from server.ledger.records import Connection, append, said_of
from server.ledger.rules import MINUTE_MS, split
from server.verify.formats import ID_BYTES, NO_ID, Kind, Record, read_record

#: the group of what concerns the platform as a whole
PLATFORM: Final = NO_ID.hex()

#: a row by its columns: texts, whole numbers, yes or no
Row = Mapping[str, Any]


def text_of(row: Row) -> bytes:
    """The row as JSON: keys in order, no blanks, UTF-8 as it is."""
    return json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest(row: Row) -> bytes:
    """SHA-256 over its text."""
    return hashlib.sha256(text_of(row)).digest()


def id_of(text: str) -> bytes:
    """An id of 16 hexadecimal digits as bytes; what is no such id stands in the row alone."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return NO_ID
    return raw if len(raw) == ID_BYTES else NO_ID


def group_named(name: str) -> str:
    """The group of something that has a name and no id of 16 hexadecimal digits: a scheme, the platform."""
    return hashlib.sha256(name.encode()).digest()[:ID_BYTES].hex()


def fact(
    kind: Kind,
    at_ms: int,
    row: Row,
    *,
    subject: str = "",
    session: int = 0,
    resource: str = "",
    seq: int = 0,
    mode: int = 0,
    credit_ms: int = 0,
) -> Record:
    """The record of a row; `session` is a lease's epoch, `credit_ms` means what the kind says."""
    return Record(
        kind=kind,
        slot=at_ms // MINUTE_MS,
        seq=seq,
        subject=id_of(subject),
        session=session.to_bytes(ID_BYTES, "big"),
        resource=id_of(resource),
        mode=mode,
        credit_ms=credit_ms,
        evidence=digest(row),
    )


async def tell(
    connection: Connection, kind: Kind, at_ms: int, row: Row, *, group_id: str = PLATFORM, **about: Any
) -> None:
    """Say one fact in the transaction that writes its row. Raises what `append` raises."""
    await append(connection, at_ms // MINUTE_MS, group_id, [fact(kind, at_ms, row, **about)])


async def tell_once(connection: Connection, kind: Kind, at_ms: int, row: Row, *, group_id: str, **about: Any) -> None:
    """`tell`, unless the group says just this already: for what was true before the log began."""
    known = digest(row)
    said = (read_record(raw) for entry in await said_of(connection, group_id) for raw in split(entry.records))
    if not any((one.kind, one.evidence) == (kind, known) for one in said):
        await tell(connection, kind, at_ms, row, group_id=group_id, **about)
