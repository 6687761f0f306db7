"""Decides whether the journal, leases, corrections and the log say the same of every minute, and where they do not."""

import struct
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from server.accounts.rules import SESSION_MS
from server.attendance import records
from server.attendance.corrections import records as corrections
from server.attendance.evidence import minute_records
from server.attendance.minutes import MINUTE_MS, SealedMinute
from server.attendance.records import LeaseRow
from server.core.database import Database
from server.ledger import records as ledger
from server.ledger.rules import Entry, split
from server.verify.formats import CHANGED, NO_ID, Kind, order_of, read_record

#: where the mode stands in a record
MODE: Final = 34
#: for so many minutes of the log a lease from before it may hold: a lease ends with its login
OLDER_HOLD: Final = SESSION_MS // MINUTE_MS
NOTHING: Final[Counter[bytes]] = Counter()


@dataclass(frozen=True, slots=True)
class Difference:
    """A minute of a trainee of which the two say different things (or only one says something); minute 0 where the row
    cannot be read that would say which.
    """

    lesson_id: str
    slot: int
    person_id: str


async def differences(database: Database) -> AsyncIterator[Difference]:
    """Minute by minute, then corrections; what was sealed before the log began is not in it and is left out."""
    async with database.read() as connection:
        head = await ledger.read_head(connection)
        if head is None:
            return
        lessons = set(await records.lessons_with_minutes(connection))
        for lesson_id in sorted(lessons | set(await corrections.lessons_with_entries(connection))):
            async for found in _of_lesson(connection, head.genesis, lesson_id):
                yield found


async def _of_lesson(connection: ledger.Connection, genesis: int, lesson_id: str) -> AsyncIterator[Difference]:
    entries = await ledger.said_of(connection, lesson_id)
    said = _minutes(entries)
    if any(raw[0] == Kind.ERASED for raw in _all(entries)):
        said = {}  # what retention left of a lesson says how long it was, and the journal nothing any more
    begun = min(said, default=genesis)
    stored, damaged = await records.readable_minutes(connection, lesson_id)
    journal = dict(_journal(lesson_id, stored))
    damaged += [one.slot for one in stored if one.slot not in journal]
    for slot in damaged:
        yield Difference(lesson_id, slot, NO_ID.hex())
    other_sums = set(await records.slots_with_other_sums(connection, lesson_id, stored))
    for slot in sorted(journal.keys() | said.keys()):
        people = _people(journal.get(slot, NOTHING), said.get(slot, NOTHING))
        for person_id in people or [NO_ID.hex()] * (slot in other_sums):
            if slot in said or slot >= begun:
                yield Difference(lesson_id, slot, person_id)
    leases = await records.leases_of_lesson(connection, lesson_id)
    for slot, person_id in _without_lease(stored, leases, genesis + OLDER_HOLD):
        yield Difference(lesson_id, slot, person_id)
    async for found in _of_corrections(connection, lesson_id, entries):
        yield found


def _journal(lesson_id: str, stored: Iterable[SealedMinute]) -> Iterator[tuple[int, Counter[bytes]]]:
    """What the log must have been told, by minute; nothing of one that nobody could have told."""
    for one in stored:
        try:
            yield one.slot, Counter(split(minute_records(lesson_id, one)))
        except (ValueError, struct.error):
            continue


async def _of_corrections(
    connection: ledger.Connection, lesson_id: str, entries: Iterable[Entry]
) -> AsyncIterator[Difference]:
    stored, damaged = await corrections.changes_of(connection, lesson_id)
    changed = Counter(stored)
    told = Counter(raw for raw in _all(entries) if raw[0] == Kind.CORRECTION and raw[MODE] == CHANGED)
    for one in sorted({read_record(raw) for raw in (changed - told) + (told - changed)}, key=order_of):
        yield Difference(lesson_id, one.seq, one.subject.hex())
    for _ in range(damaged):
        yield Difference(lesson_id, 0, NO_ID.hex())


def _without_lease(stored: Iterable[SealedMinute], leases: Iterable[LeaseRow], until: int) -> Iterator[tuple[int, str]]:
    """Whose minute names a lease that did not hold in it. Epoch 0, older than the log, holds until `until`."""
    known = {(one.person_id, one.epoch): one for one in leases}
    for slot, one in ((minute.slot, record) for minute in stored for record in minute.records):
        if one.summary is None or not one.summary.epoch:
            if one.summary is not None and one.credit_ms and slot >= until:
                yield slot, one.person_id
            continue
        lease, start = known.get((one.person_id, one.summary.epoch)), slot * MINUTE_MS
        if lease is None or not _held(lease, start, start + MINUTE_MS):
            yield slot, one.person_id


def _held(lease: LeaseRow, start_ms: int, end_ms: int) -> bool:
    return lease.granted_ms < end_ms and (lease.ended_ms is None or lease.ended_ms > start_ms)


def _minutes(said: Iterable[Entry]) -> dict[int, Counter[bytes]]:
    found: dict[int, Counter[bytes]] = {}
    for raw in _all(said):
        if raw[0] in (Kind.MINUTE, Kind.LESSON_MINUTE):
            found.setdefault(read_record(raw).slot, Counter())[raw] += 1
    return found


def _all(said: Iterable[Entry]) -> Iterator[bytes]:
    return (raw for entry in said for raw in split(entry.records))


def _people(journal: Counter[bytes], logged: Counter[bytes]) -> list[str]:
    return sorted({read_record(raw).subject.hex() for raw in ((journal - logged) + (logged - journal))})
