"""Tables of the log. What was said, sealed and signed is append-only; the queue, the keys and the head are not."""

import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import BigInteger, Integer, LargeBinary, String, Table, Text, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.database import RETAIN, column, metadata
from server.ledger.rules import Entry, Minute
from server.verify.formats import KEY_BYTES, NO_HASH, Leaf, Record, read_leaf
from server.verify.notes import read_note
from server.verify.tree import HASH_BYTES, Frontier

Connection: TypeAlias = AsyncConnection
ID_BYTES: Final = 8
ONLY: Final = 1
CHUNK: Final = 500

entry: Final = Table(
    "ledger_entry",
    metadata,
    column("id", String(16), RETAIN, primary_key=True),
    column("slot", Integer, RETAIN),
    column("group_id", String(16), RETAIN, index=True),
    column("records", LargeBinary, RETAIN),
)

pending: Final = Table("ledger_pending", metadata, column("entry_id", String(16), RETAIN, primary_key=True))

key: Final = Table(
    "ledger_key",
    metadata,
    column("group_id", String(16), RETAIN, primary_key=True),
    column("subject", String(16), RETAIN, primary_key=True),
    column("key", LargeBinary, RETAIN),
)

leaf: Final = Table(
    "ledger_leaf",
    metadata,
    column("idx", Integer, RETAIN, primary_key=True, autoincrement=False),
    column("leaf", LargeBinary, RETAIN),
)

group: Final = Table(
    "ledger_group",
    metadata,
    column("idx", Integer, RETAIN, primary_key=True, autoincrement=False),
    column("group_id", String(16), RETAIN, primary_key=True),
    column("packed", LargeBinary, RETAIN),
    #: none of what was sealed before there were any
    column("hints", LargeBinary, RETAIN, nullable=True),
)

sealed: Final = Table(
    "ledger_sealed",
    metadata,
    column("entry_id", String(16), RETAIN, primary_key=True),
    column("idx", Integer, RETAIN, index=True),
)

checkpoint: Final = Table(
    "ledger_checkpoint",
    metadata,
    column("size", Integer, RETAIN, primary_key=True, autoincrement=False),
    column("note", Text, RETAIN),
    column("signed_ms", BigInteger, RETAIN),
)

head: Final = Table(
    "ledger_head",
    metadata,
    column("id", Integer, RETAIN, primary_key=True, autoincrement=False),
    column("origin", String(255), RETAIN),
    column("genesis", Integer, RETAIN),
    column("size", Integer, RETAIN),
    column("frontier", LargeBinary, RETAIN),
    column("schemes", LargeBinary, RETAIN),
)

APPEND_ONLY: Final = ("ledger_entry", "ledger_leaf", "ledger_group", "ledger_sealed", "ledger_checkpoint")


@dataclass(frozen=True, slots=True)
class Packed:
    """A group as it is stored; see rules.Hinted. None where there are no hints."""

    group: bytes
    hints: bytes | None


@dataclass(frozen=True, slots=True)
class Head:
    """How far the log has come: `genesis` is the unix minute of leaf 0; `schemes` the hash over all schemes so far."""

    origin: str
    genesis: int
    size: int
    frontier: Frontier
    schemes: bytes


class Overtaken(Exception):
    """Somebody else sealed these minutes; nothing was written."""


async def append(connection: Connection, slot: int, group_id: str, records: Iterable[Record]) -> None:
    """Say something, in the transaction in which it becomes true: it will be in the leaf of `slot`, or in a later one.

    `group_id` is 16 hexadecimal digits: what the records are about, a lesson or a class. Raises Refused for what
    does not fit.
    """
    await append_packed(connection, slot, group_id, b"".join(record.pack() for record in records))


async def append_packed(
    connection: Connection, slot: int, group_id: str, packed: bytes, entry_id: str | None = None
) -> None:
    """The same for records that are packed already; `entry_id` where somebody must know what is sealed when."""
    if packed:
        number = entry_id or secrets.token_hex(ID_BYTES)
        values = {"id": number, "slot": slot, "group_id": group_id, "records": packed}
        await connection.execute(insert(entry), values)
        await connection.execute(insert(pending), {"entry_id": number})


async def read_head(connection: Connection) -> Head | None:
    """The head; None before the log began."""
    row = (await connection.execute(select(head))).mappings().first()
    if row is None:
        return None
    raw: bytes = row["frontier"]
    hashes = [raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES)]
    return Head(row["origin"], row["genesis"], row["size"], Frontier(row["size"], hashes), row["schemes"])


async def begin(connection: Connection, origin: str, genesis: int) -> None:
    """Begin the log at this minute."""
    values = {"id": ONLY, "origin": origin, "genesis": genesis, "size": 0, "frontier": b"", "schemes": NO_HASH}
    await connection.execute(insert(head).values(values))


async def waiting(connection: Connection, last_slot: int) -> list[Entry]:
    """What was said up to this minute and is in no leaf yet."""
    query = select(entry).join(pending, pending.c.entry_id == entry.c.id).where(entry.c.slot <= last_slot)
    rows = (await connection.execute(query)).mappings()
    return [Entry(**row) for row in rows]


async def keys_of(connection: Connection, group_id: str) -> dict[str, bytes]:
    """The keys of a group by subject."""
    rows = await connection.execute(select(key.c.subject, key.c.key).where(key.c.group_id == group_id))
    return {row[0]: row[1] for row in rows}


async def make_keys(connection: Connection, group_id: str, subjects: Iterable[str]) -> dict[str, bytes]:
    """New keys for subjects that have none in this group."""
    made = {subject: secrets.token_bytes(KEY_BYTES) for subject in subjects}
    rows = [{"group_id": group_id, "subject": subject, "key": made[subject]} for subject in made]
    if rows:
        await connection.execute(insert(key), rows)
    return made


async def drop_keys(connection: Connection, group_id: str, subjects: Iterable[str]) -> None:
    """Destroy keys of a group: the hashes that were salted by them say nothing any more."""
    gone = sorted(subjects)
    for start in range(0, len(gone), CHUNK):
        some = key.c.subject.in_(gone[start : start + CHUNK])
        await connection.execute(delete(key).where(key.c.group_id == group_id, some))


async def replace(connection: Connection, entry_id: str, packed: bytes) -> None:
    """Let an entry hold other records; the database refuses it but where retention may (migration 0014)."""
    await connection.execute(update(entry).where(entry.c.id == entry_id).values(records=packed))


async def seal(connection: Connection, before: Head, minutes: Sequence[Minute], frontier: Frontier) -> None:
    """Write the leaves that follow `before`. Raises Overtaken when the head has moved on."""
    values = {
        "size": before.size + len(minutes),
        "frontier": b"".join(frontier.hashes),
        "schemes": minutes[-1].schemes,
    }
    moved = await connection.execute(update(head).where(head.c.size == before.size).values(values))
    if moved.rowcount != 1:
        raise Overtaken
    numbered = list(enumerate(minutes, start=before.size))
    await connection.execute(insert(leaf), [{"idx": idx, "leaf": one.leaf.pack()} for idx, one in numbered])
    groups = [
        {"idx": idx, "group_id": made.group.id.hex(), "packed": made.group.pack(), "hints": made.hints}
        for idx, one in numbered
        for made in one.groups
    ]
    done = [{"entry_id": number, "idx": idx} for idx, one in numbered for number in one.entries]
    if done:
        await connection.execute(insert(group), groups)
        await connection.execute(insert(sealed), done)
        ids = [one["entry_id"] for one in done]
        for start in range(0, len(ids), CHUNK):
            await connection.execute(delete(pending).where(pending.c.entry_id.in_(ids[start : start + CHUNK])))


async def refill(connection: Connection, before: Head, raw: Sequence[bytes], frontier: Frontier) -> None:
    """Write leaves that follow `before` as they were, without groups. Raises Overtaken when the head has moved on."""
    values = {
        "size": before.size + len(raw),
        "frontier": b"".join(frontier.hashes),
        "schemes": read_leaf(raw[-1]).scheme_hash,
    }
    moved = await connection.execute(update(head).where(head.c.size == before.size).values(values))
    if moved.rowcount != 1:
        raise Overtaken
    rows = [{"idx": idx, "leaf": one} for idx, one in enumerate(raw, start=before.size)]
    for start in range(0, len(rows), CHUNK):
        await connection.execute(insert(leaf), rows[start : start + CHUNK])


async def rename(connection: Connection, origin: str) -> None:
    """Let the log go on under this name."""
    await connection.execute(update(head).where(head.c.origin != origin).values(origin=origin))


async def leaves(connection: Connection, begin_at: int, end_at: int) -> list[bytes]:
    """The packed leaves begin..end-1."""
    query = select(leaf.c.leaf).where(leaf.c.idx >= begin_at, leaf.c.idx < end_at).order_by(leaf.c.idx)
    return [row[0] for row in await connection.execute(query)]


async def newest_leaf(connection: Connection) -> Leaf | None:
    """The last leaf."""
    raw = (await connection.execute(select(leaf.c.leaf).order_by(leaf.c.idx.desc()).limit(1))).scalar()
    return read_leaf(raw) if raw is not None else None


async def newest_checkpoint(connection: Connection) -> str | None:
    """The last note that was signed."""
    query = select(checkpoint.c.note).order_by(checkpoint.c.size.desc()).limit(1)
    return (await connection.execute(query)).scalar()


async def add_checkpoint(connection: Connection, size: int, note: str, now_ms: int) -> None:
    """Keep a signed note."""
    await connection.execute(insert(checkpoint).values(size=size, note=note, signed_ms=now_ms))


async def is_waiting(connection: Connection, group_id: str, size: int | None = None) -> bool:
    """Whether something of a group is in no leaf yet, or in none of the first `size`."""
    inside = select(sealed.c.entry_id).where(sealed.c.entry_id == entry.c.id)
    if size is not None:
        inside = inside.where(sealed.c.idx < size)
    query = select(entry.c.id).where(entry.c.group_id == group_id, ~inside.exists()).limit(1)
    return (await connection.execute(query)).first() is not None


async def count_waiting(connection: Connection) -> int:
    """How many entries are in no leaf yet."""
    return (await connection.execute(select(func.count()).select_from(pending))).scalar_one()


async def groups_of(connection: Connection, idx: int) -> Mapping[str, Packed]:
    """The packed groups of a leaf by id."""
    rows = await connection.execute(select(group.c.group_id, group.c.packed, group.c.hints).where(group.c.idx == idx))
    return {row[0]: Packed(row[1], row[2]) for row in rows}


async def entries_of(connection: Connection, idx: int) -> list[Entry]:
    """What was said that is in a leaf."""
    query = select(entry).join(sealed, sealed.c.entry_id == entry.c.id).where(sealed.c.idx == idx)
    return [Entry(**row) for row in (await connection.execute(query.order_by(entry.c.id))).mappings()]


async def checkpoints(connection: Connection) -> AsyncIterator[tuple[int, str]]:
    """Every signed note by its size."""
    for size, note in await connection.execute(select(checkpoint.c.size, checkpoint.c.note)):
        yield size, note


async def cosigned_after(connection: Connection, idx: int, upto: int) -> tuple[int, str] | None:
    """The first note over more than `idx` and at most `upto` leaves that has a second signature; and its size."""
    query = select(checkpoint.c.size, checkpoint.c.note).where(checkpoint.c.size > idx, checkpoint.c.size <= upto)
    for size, note in await connection.execute(query.order_by(checkpoint.c.size).limit(CHUNK)):
        if len(read_note(note).signatures) > 1:
            return size, note
    return None


async def leaves_by_number(connection: Connection, begin_at: int, end_at: int) -> dict[int, bytes]:
    """The packed leaves of begin..end-1 that are there."""
    query = select(leaf.c.idx, leaf.c.leaf).where(leaf.c.idx >= begin_at, leaf.c.idx < end_at)
    return {row[0]: row[1] for row in await connection.execute(query)}


async def groups_between(connection: Connection, begin_at: int, end_at: int) -> dict[int, dict[str, Packed]]:
    """The packed groups of the leaves begin..end-1."""
    found: dict[int, dict[str, Packed]] = {}
    rows = await connection.execute(select(group).where(group.c.idx >= begin_at, group.c.idx < end_at))
    for idx, name, raw, hints in rows:
        found.setdefault(idx, {})[name] = Packed(raw, hints)
    return found


async def entries_between(connection: Connection, begin_at: int, end_at: int) -> dict[int, list[Entry]]:
    """What was said that is in the leaves begin..end-1."""
    query = select(sealed.c.idx, entry).join(sealed, sealed.c.entry_id == entry.c.id)
    found: dict[int, list[Entry]] = {}
    for idx, *values in await connection.execute(query.where(sealed.c.idx >= begin_at, sealed.c.idx < end_at)):
        found.setdefault(idx, []).append(Entry(*values))
    return found


async def outside(connection: Connection, size: int) -> list[int]:
    """The numbers of leaves that are not among the first `size`, wherever something is said to be in one."""
    found: set[int] = set()
    for column_of in (leaf.c.idx, group.c.idx, sealed.c.idx):
        query = select(column_of).where((column_of < 0) | (column_of >= size)).distinct()
        found |= {row[0] for row in await connection.execute(query)}
    return sorted(found)


async def strays(connection: Connection) -> list[str]:
    """A code for each entry that is neither sealed nor waiting, or is that without being there (entry_lost), or is both
    (entry_doubled).
    """
    known = entry.outerjoin(pending, pending.c.entry_id == entry.c.id).outerjoin(
        sealed, sealed.c.entry_id == entry.c.id
    )
    waits, done = pending.c.entry_id.is_not(None), sealed.c.entry_id.is_not(None)
    found = await connection.execute(select(waits, done).select_from(known).where(waits == done))
    codes = ["entry_doubled" if both else "entry_lost" for both, _ in found]
    for one in (pending, sealed):
        alone = select(one.c.entry_id).outerjoin(entry, entry.c.id == one.c.entry_id).where(entry.c.id.is_(None))
        codes += ["entry_lost" for _ in await connection.execute(alone)]
    return codes


async def said_of(connection: Connection, group_id: str) -> list[Entry]:
    """All that was ever said of a group, sealed or not."""
    rows = (await connection.execute(select(entry).where(entry.c.group_id == group_id))).mappings()
    return [Entry(**row) for row in rows]


async def sealed_of(connection: Connection, group_id: str, size: int) -> dict[int, list[Entry]]:
    """What was said of a group that is in the first `size` leaves, by leaf."""
    query = select(sealed.c.idx, entry).join(sealed, sealed.c.entry_id == entry.c.id)
    found: dict[int, list[Entry]] = {}
    for idx, *values in await connection.execute(query.where(entry.c.group_id == group_id, sealed.c.idx < size)):
        found.setdefault(idx, []).append(Entry(*values))
    return found


async def all_said(connection: Connection) -> AsyncIterator[Entry]:
    """All that was ever said."""
    async for row in (await connection.stream(select(entry))).mappings():
        yield Entry(**row)


async def rows_of(connection: Connection, table: Table) -> AsyncIterator[Mapping[str, Any]]:
    """The rows of another capability's table, by the names of its columns."""
    async for row in (await connection.stream(select(table))).mappings():
        yield {each.name: row[each.name] for each in table.c}
