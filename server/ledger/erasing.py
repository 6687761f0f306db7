"""Decides what stays of a record that is deleted: its hash, at its place, so that every root stays what it was.

Whoever deletes says so in the same group first (a DELETION record), and only what lay in the log for its whole time may
go: an erased record without such an order is a fault.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from server.ledger import records
from server.ledger.records import Connection
from server.ledger.rules import Entry, Keys, hash_of, place_of, split, subject_of
from server.verify.formats import (
    KEPT_MINUTES,
    ORDERED,
    RECORD_BYTES,
    Kind,
    Record,
    erased,
    hash_of_erased,
    is_erased,
    read_record,
)

#: whether a record is among those to be deleted
Goes = Callable[[Record], bool]


@dataclass(frozen=True, slots=True)
class Due:
    """How many records of a group would go, and the newest minute in which one was sealed (0 without any)."""

    count: int
    newest_slot: int


def arranged(packed: Iterable[bytes]) -> list[bytes]:
    """A group's records in the order in which they were sealed, erased ones at the places that they keep."""
    said = list(packed)
    found = sorted((one for one in said if not is_erased(one)), key=place_of)
    for place, raw in sorted((read_record(one).seq, one) for one in said if is_erased(one)):
        found.insert(place, raw)
    return found


def hashes_of(ordered: Iterable[bytes], keys: Keys) -> list[bytes]:
    """The hash of each record. Raises KeyError without the key of one that is there."""
    return [hash_of_erased(one) if is_erased(one) else hash_of(keys[subject_of(one)], one) for one in ordered]


def count_erased(packed: bytes) -> int:
    """How many of these packed records are erased."""
    return packed[::RECORD_BYTES].count(Kind.ERASED)


async def due(connection: Connection, group_id: str, goes: Goes) -> Due:
    """What `erase` would delete."""
    count, newest = 0, -1
    head = await records.read_head(connection)
    for idx, entries in (await records.sealed_of(connection, group_id, head.size if head else 0)).items():
        gone = sum(1 for one in _all(entries) if not is_erased(one) and goes(read_record(one)))
        count, newest = count + gone, max(newest, idx if gone else -1)
    return Due(count, head.genesis + newest if head and newest >= 0 else 0)


async def erase(connection: Connection, group_id: str, goes: Goes) -> int:
    """Put its hash in the place of each of these records, and destroy the keys that nothing else needs; how many.

    The database refuses it unless the order to do so was sealed.
    """
    keys, count, kept = await records.keys_of(connection, group_id), 0, set[str]()
    head = await records.read_head(connection)
    for entries in (await records.sealed_of(connection, group_id, head.size if head else 0)).values():
        ordered = arranged(_all(entries))
        places: dict[bytes, list[int]] = {}
        for place, raw in enumerate(ordered):
            places.setdefault(raw, []).append(place)
        hashes = hashes_of(ordered, keys)
        for entry in entries:
            new = list(split(entry.records))
            for at, raw in enumerate(new):
                if not is_erased(raw) and goes(read_record(raw)):
                    place = places[raw].pop()
                    new[at] = erased(raw, place, hashes[place])
                    count += 1
            kept |= {subject_of(one) for one in new if not is_erased(one)}
            if (packed := b"".join(new)) != entry.records:
                await records.replace(connection, entry.id, packed)
    await records.drop_keys(connection, group_id, keys.keys() - kept)
    return count


async def unordered(connection: Connection, found: Mapping[str, Mapping[int, int]]) -> AsyncIterator[tuple[int, str]]:
    """Of what is erased (how many records, by group and leaf) that which nobody ordered in time: leaf and group."""
    head = await records.read_head(connection)
    for group_id, counts in sorted(found.items()):
        said = await records.sealed_of(connection, group_id, head.size if head else 0)
        orders = [(idx, order.credit_ms) for idx, entries in said.items() for order in _orders(entries)]
        first = min((idx for idx, _ in orders), default=-1)
        early = [idx for idx in sorted(counts) if idx > first - KEPT_MINUTES]
        more = sum(counts.values()) != sum(count for _, count in orders)
        for idx in early or ([min(counts)] if more else ()):
            yield idx, group_id


def _orders(entries: Iterable[Entry]) -> list[Record]:
    said = [read_record(raw) for raw in _all(entries) if raw[0] == Kind.DELETION]
    return [one for one in said if one.mode == ORDERED]


def _all(entries: Iterable[Entry]) -> Sequence[bytes]:
    return [raw for entry in entries for raw in split(entry.records)]
