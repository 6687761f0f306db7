"""Decides whether the journal and the log say the same of every minute, and names each minute where they do not."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final

from server.attendance import records
from server.attendance.evidence import minute_records
from server.core.database import Database
from server.ledger import records as ledger
from server.ledger.rules import Entry, split
from server.verify.formats import Kind, read_record

NOTHING: Final[Counter[bytes]] = Counter()


@dataclass(frozen=True, slots=True)
class Difference:
    """A minute of a trainee of which the two say different things (or only one says something)."""

    lesson_id: str
    slot: int
    person_id: str


async def differences(database: Database) -> AsyncIterator[Difference]:
    """Minute by minute; what was sealed before the log began is not in it and is left out."""
    async with database.read() as connection:
        head = await ledger.read_head(connection)
        if head is None:
            return
        for lesson_id in await records.lessons_with_minutes(connection):
            said = _minutes(await ledger.said_of(connection, lesson_id))
            begun = min(said, default=head.genesis)
            stored = await records.sealed_minutes(connection, lesson_id)
            journal = {one.slot: Counter(split(minute_records(lesson_id, one))) for one in stored}
            for slot in sorted(journal.keys() | said.keys()):
                for person_id in _people(journal.get(slot, NOTHING), said.get(slot, NOTHING)):
                    if slot in said or slot >= begun:
                        yield Difference(lesson_id, slot, person_id)


def _minutes(said: Iterable[Entry]) -> dict[int, Counter[bytes]]:
    found: dict[int, Counter[bytes]] = {}
    for raw in (raw for entry in said for raw in split(entry.records)):
        if raw[0] in (Kind.MINUTE, Kind.LESSON_MINUTE):
            found.setdefault(read_record(raw).slot, Counter())[raw] += 1
    return found


def _people(journal: Counter[bytes], logged: Counter[bytes]) -> list[str]:
    return sorted({read_record(raw).subject.hex() for raw in ((journal - logged) + (logged - journal))})
