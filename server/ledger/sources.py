"""Decides whether tables and the log say the same: of each row a record with its digest, of each record its row.

Minutes and the lines of corrections have their own way (attendance/audit); this is for rows that `facts.tell` told.
"""

from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from server.core.database import Database
from server.ledger import records
from server.ledger.facts import digest
from server.ledger.rules import MINUTE_MS, split
from server.verify.formats import Kind, Record, read_record


@dataclass(frozen=True, slots=True)
class Source:
    """A table whose rows are told as facts of a kind, and mode where one kind has several.

    `at` is the column with the time at which a row was told, in milliseconds or, by the name of `slot`, in minutes;
    without one it was told whenever that was. A table that is `older` than the log may hold rows from before it, which
    were not told. `without` are columns that are not told. Of a table that `changes`, only what stands in it now must
    have been told. A row and its record are known by the digest of the row, or else by what
    `of_row` and `of_record` make of them.
    """

    table: Any
    kind: Kind
    at: str = ""
    modes: tuple[int, ...] = (0,)
    without: frozenset[str] = frozenset()
    changes: bool = False
    older: bool = False
    of_row: Callable[[Mapping[str, Any]], Hashable] | None = None
    of_record: Callable[[Record], Hashable] = attrgetter("evidence")

    def name_of(self, row: Mapping[str, Any]) -> Hashable:
        """By what a row is known."""
        return digest(_shown(row, self.without)) if self.of_row is None else self.of_row(row)

    def minute_of(self, row: Mapping[str, Any]) -> int | None:
        """When a row was told, as far as it says so."""
        if not self.at:
            return None
        at: int = row[self.at]
        return at if self.at == "slot" else at // MINUTE_MS


@dataclass(frozen=True, slots=True)
class Stray:
    """A row that was not told as it stands (`row` is its key), or, by minute, something that was told without a row."""

    table: str
    row: str = ""
    slot: int | None = None


async def strays(database: Database, sources: Iterable[Source]) -> AsyncIterator[Stray]:
    """Everything that only one of them knows, but for rows of older tables from before the log began."""
    known = list(sources)
    async with database.read() as connection:
        told, begun = await _told(connection, {source.kind for source in known})
        if begun is None:
            return
        for source in known:
            async for one in _of_source(connection, source, told, begun):
                yield one


#: by kind and mode
_Facts = dict[tuple[int, int], list[Record]]


async def _of_source(connection: records.Connection, source: Source, told: _Facts, begun: int) -> AsyncIterator[Stray]:
    name, rows, left = source.table.name, 0, dict[Hashable, list[int]]()
    for record in (one for mode in source.modes for one in told.get((source.kind, mode), ())):
        left.setdefault(source.of_record(record), []).append(record.slot)
    async for row in records.rows_of(connection, source.table):
        rows += 1
        slots, minute = left.get(source.name_of(row)), source.minute_of(row)
        if slots:
            slots.pop()
        elif not source.older or minute is None or minute >= begun:
            yield Stray(name, " ".join(str(row[each.name]) for each in source.table.primary_key))
    if not source.changes or not rows:
        for slot in (slot for slots in left.values() for slot in slots):
            yield Stray(name, slot=slot)


async def _told(connection: records.Connection, kinds: set[Kind]) -> tuple[_Facts, int | None]:
    found: _Facts = {}
    begun: int | None = None
    async for entry in records.all_said(connection):
        begun = entry.slot if begun is None else min(begun, entry.slot)
        for record in (read_record(raw) for raw in split(entry.records) if raw[0] in kinds):
            found.setdefault((record.kind, record.mode), []).append(record)
    return found, begun


def _shown(row: Mapping[str, Any], without: frozenset[str]) -> dict[str, Any]:
    """A row as it was told: bytes in hexadecimal digits."""
    return {
        name: value.hex() if isinstance(value, bytes | memoryview) else value
        for name, value in row.items()
        if name not in without
    }
