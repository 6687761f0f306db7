"""Decides what one minute's leaf says: groups of records in order, their sums, whether they came late. Pure."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from typing import Final

from server.verify.bundle import HINT_BYTES
from server.verify.formats import (
    RECORD_BYTES,
    RECORDS_MOST,
    SALT_BYTES,
    UNKNOWN_MS,
    Group,
    Kind,
    Leaf,
    LeafFlag,
    groups_root,
)
from server.verify.tree import root

MINUTE_MS: Final = 60_000
#: minutes of attendance are final 90 s after they end, and are in the store a moment later
SEAL_AFTER_MS: Final = 95_000
#: a minute that is sealed so much later is marked: nobody was there in time
GAP_MS: Final = 60_000
#: a clock that is so far off marks the minutes that it dates (evidence.md)
CLOCK_WRONG_MS: Final = 30_000

#: within a packed record
MINUTE: Final = int(Kind.MINUTE)
SCHEME: Final = int(Kind.SCHEME)
_KIND_AND_CREDIT: Final = struct.Struct(">B34xI34x")
_EVIDENCE_AT: Final = 41

#: of HMAC with SHA-256
_BLOCK_BYTES: Final = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


@dataclass(frozen=True, slots=True)
class Entry:
    """What a capability said in one transaction: packed records of one group, for one minute."""

    id: str
    slot: int
    group_id: str
    records: bytes


#: the keys of a group, by subject in hex
Keys = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Hinted:
    """A group, and HINT_BYTES of the hash of each of its records in their order."""

    group: Group
    hints: bytes


@dataclass(frozen=True, slots=True)
class Minute:
    """A leaf ready to be written; `entries` are the ids of what is in it."""

    leaf: Leaf
    groups: tuple[Hinted, ...]
    entries: tuple[str, ...]
    schemes: bytes


def newest_due(now_ms: int) -> int:
    """The newest minute that may be sealed."""
    return (now_ms - SEAL_AFTER_MS) // MINUTE_MS - 1


def split(records: bytes) -> list[bytes]:
    """Packed records, one by one."""
    return [records[at : at + RECORD_BYTES] for at in range(0, len(records), RECORD_BYTES)]


def subject_of(record: bytes) -> str:
    """Whom a packed record is about, in hex."""
    return record[10:18].hex()


def place_of(record: bytes) -> bytes:
    """Where a packed record stands in its group (formats.order_of); two of one place: in the order of their bytes."""
    return record[:1] + record[2:6] + record[10:18] + record[6:10] + record


def hash_of(key: bytes, record: bytes) -> bytes:
    """formats.record_hash with formats.salt_of, without their detours: this is done for every minute of everybody.

    The salt is HMAC (RFC 2104) out of two hashes, in two thirds of the time; keys have 32 bytes.
    """
    block = key.ljust(_BLOCK_BYTES, b"\x00")
    inner = sha256(block.translate(_INNER) + record).digest()
    salt = sha256(block.translate(_OUTER) + inner).digest()[:SALT_BYTES]
    return sha256(b"\x00" + salt + record).digest()


def make_group(group_id: str, records: Sequence[bytes], keys: Keys) -> Hinted:
    """The group of these packed records, in any order."""
    ordered = sorted(records, key=place_of)
    hashes = [hash_of(keys[subject_of(record)], record) for record in ordered]
    credits = [ms for kind, ms in _KIND_AND_CREDIT.iter_unpack(b"".join(ordered)) if kind == MINUTE]
    credited = len(credits) - credits.count(0)
    group = Group(bytes.fromhex(group_id), len(ordered), credited, sum(credits), 0, root(hashes))
    return Hinted(group, b"".join([one[:HINT_BYTES] for one in hashes]))


def make_minute(
    slot: int,
    entries: Iterable[Entry],
    keys: Mapping[str, Keys],
    schemes: bytes,
    sealed_ms: int,
    clock_offset_ms: float | None,
) -> Minute:
    """The leaf of a minute. `keys` by group; `schemes` is the hash over all schemes up to the minute before."""
    ordered = sorted(entries, key=attrgetter("group_id", "id"))
    groups, late = [], False
    for group_id, said in groupby(ordered, key=attrgetter("group_id")):
        kept = list(said)
        late = late or any(entry.slot < slot for entry in kept)
        records = [record for entry in kept for record in split(entry.records)]
        groups.append(make_group(group_id, records, keys[group_id]))
        schemes = _with_schemes(schemes, records)
    flags = LeafFlag(0)
    flags |= LeafFlag.LATE if late else flags
    flags |= LeafFlag.GAP if sealed_ms - (slot + 1) * MINUTE_MS - SEAL_AFTER_MS > GAP_MS else flags
    flags |= LeafFlag.CLOCK_WRONG if abs(clock_offset_ms or 0) > CLOCK_WRONG_MS else flags
    leaf = Leaf(
        slot=slot,
        flags=flags,
        n_groups=len(groups),
        n_records=sum(one.group.n_records for one in groups),
        credit_ms_total=sum(one.group.credit_ms for one in groups),
        groups_root=groups_root([one.group for one in groups]),
        scheme_hash=schemes,
        sealed_ms=sealed_ms,
        clock_offset_ms=UNKNOWN_MS if clock_offset_ms is None else round(clock_offset_ms),
    )
    return Minute(leaf, tuple(groups), tuple(entry.id for entry in ordered), schemes)


def by_slot(entries: Iterable[Entry], first: int, last: int) -> dict[int, list[Entry]]:
    """Which entries go into which of the minutes first..last: each into its own, what is older than the first is late.

    A group holds RECORDS_MOST in a minute: after a long outage what is late goes into the next one that has room for
    it, and where none has, it waits for a minute after the last.
    """
    found: dict[int, list[Entry]] = {slot: [] for slot in range(first, last + 1)}
    room: dict[tuple[int, str], int] = {}
    ordered = sorted(entries, key=attrgetter("slot", "id"))
    for entry in [one for one in ordered if one.slot >= first] + [one for one in ordered if one.slot < first]:
        size = len(entry.records) // RECORD_BYTES
        for slot in range(max(entry.slot, first), last + 1):
            left = room.get((slot, entry.group_id), RECORDS_MOST) - size
            if left >= 0:
                room[slot, entry.group_id] = left
                found[slot].append(entry)
                break
    return found


def _with_schemes(schemes: bytes, records: Iterable[bytes]) -> bytes:
    for record in sorted([one for one in records if one[0] == SCHEME], key=place_of):
        schemes = sha256(schemes + record[_EVIDENCE_AT:]).digest()
    return schemes
