"""Decides what the log commits to, byte by byte: records, groups of them, one leaf for each minute. Pure.

All numbers are big-endian. A record is hashed together with a salt that only those know who may read it, so that its
hash gives nothing away; groups and leaves hold no personal data. Each tier is a tree of its own (tree.py):
records -> group.records_root, groups -> leaf.groups_root, leaves -> the root that is signed.
"""

import hashlib
import hmac
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum, IntFlag
from typing import Any, Final

from server.verify.tree import HASH_BYTES, Refused, leaf_hash, root

VERSION: Final = 1
ID_BYTES: Final = 8
SALT_BYTES: Final = 16
KEY_BYTES: Final = 32
NO_ID: Final = bytes(ID_BYTES)
NO_HASH: Final = bytes(HASH_BYTES)
#: the clock's offset is not known
UNKNOWN_MS: Final = -(2**31)

_RECORD: Final = struct.Struct(">BBII8s8s8sBIH32s")
#: its parts before and behind the subject
_HEAD: Final = struct.Struct(">BBII")
_TAIL: Final = struct.Struct(">8s8sBIH32s")
_GROUP: Final = struct.Struct(">8sHHIB32s")
_LEAF: Final = struct.Struct(">IHIIQ32s32sQi")
RECORD_BYTES: Final = _RECORD.size
GROUP_BYTES: Final = _GROUP.size
LEAF_BYTES: Final = _LEAF.size
#: in one group of one minute
RECORDS_MOST: Final = 2**16 - 1


class Kind(IntEnum):
    """What a record is about; numbers never change."""

    ERASED = 0  # stands in place of a record that was deleted, see `erased`
    MINUTE = 1
    LEASE = 2
    LEASE_END = 3
    LESSON_EVENT = 4
    SETTLEMENT = 5
    CORRECTION = 6
    APPEAL = 7
    SCHEME = 8
    ENROLMENT = 9
    TRAINING_CLASS = 10
    INSTITUTION = 11
    KEY_ROTATION = 12
    REGULATOR_VIEW = 13
    CHALLENGE_SEED = 14
    CHALLENGE_OUTCOME = 15
    DELETION = 16
    PAGE_KEY = 17
    SUCCESSOR = 18
    PLATFORM = 19
    LESSON = 21  # resource: a lesson of the class whose group this is; seq: its number
    IDENTITY = 22  # subject: a trainee of the class; seq: the seat; evidence: identity.digest
    CHALLENGE_ANSWER = 30  # subject: who answered; seq: which challenge; mode: 0 where it was too fast to be an answer
    CHALLENGE_LOOK = 31  # subject: who looked at what a person should look at; resource: about whom; seq: its number
    LESSON_ACT = 23  # resource: the lesson; subject: who acted in it; seq: the step, see steps.py
    LESSON_FILE = 24  # subject: who gave it; resource: its id; seq: its number in the lesson
    LESSON_MINUTE = 20  # credit_ms: how much of it was delivered; seq: of how many trainees there is a record


#: the mode of the LESSON_EVENT that ends a lesson, whose `credit_ms` is how many acts there were; of others it is 0
ENDED: Final = 1
#: the modes of APPEAL and CORRECTION. CHANGED: of `subject`'s minute `seq` there count `credit_ms` now, and `flags`
#: before; `session` is the correction's id. All others are steps on the way: subject did something about `resource`
ASKED: Final = 1
PROPOSED: Final = 2
DECIDED: Final = 3
OBJECTED: Final = 4
CHANGED: Final = 5
#: the modes of SUCCESSOR. OPENED: the log goes on under another name. REFILLED: `credit_ms` of its leaves, from `seq`
#: on, were brought back from a copy, without what was in them
OPENED: Final = 1
REFILLED: Final = 2
#: the modes of CHALLENGE_SEED, whose `flags` are the limit in seconds and `credit_ms` the time to answer: the digest of
#: a seed, and once more when it is shown. The mode of CHALLENGE_OUTCOME is the outcome (vouched.py), `credit_ms` the
#: millisecond within the minute
COMMITTED: Final = 1
REVEALED: Final = 2
#: the modes of DELETION. ORDERED: `credit_ms` records of this group are deleted once this is sealed. EARLY: somebody
#: asked for it before their time was over, and nothing was deleted. DONE: they are deleted
ORDERED: Final = 1
EARLY: Final = 2
DONE: Final = 3
#: records are kept five years at least (R19), which are never fewer days than these
KEPT_MINUTES: Final = (5 * 365 + 1) * 24 * 60


class LeafFlag(IntFlag):
    """What is said of a minute as a whole."""

    GAP = 1  # nobody sealed it in time: the service was down
    LATE = 2  # it holds records of earlier minutes
    CLOCK_WRONG = 4  # the clock was more than 30 s off


@dataclass(frozen=True, slots=True)
class Record:
    """One fact. `slot` is the unix minute it belongs to, `seq` tells facts of one kind and subject apart.

    `subject` (whom), `session` (by which lease), `resource` (of what) are 8 bytes; `evidence` is the SHA-256 of what
    stands behind it. `credit_ms` and `flags` mean what the kind says.
    """

    kind: int
    slot: int
    seq: int = 0
    subject: bytes = NO_ID
    session: bytes = NO_ID
    resource: bytes = NO_ID
    mode: int = 0
    credit_ms: int = 0
    flags: int = 0
    evidence: bytes = NO_HASH
    version: int = VERSION

    def pack(self) -> bytes:
        """The 73 bytes. Raises Refused when a field does not fit."""
        return _pack(
            _RECORD,
            self.kind,
            self.version,
            self.slot,
            self.seq,
            _id(self.subject),
            _id(self.session),
            _id(self.resource),
            self.mode,
            self.credit_ms,
            self.flags,
            _hash(self.evidence),
        )


def minute_tail(session: bytes, resource: bytes, mode: int, credit_ms: int, form: int, evidence: bytes) -> bytes:
    """What the packed record of somebody's minute says behind its subject; `form`: minutes.PLAIN or SUMMARY."""
    return _TAIL.pack(session, resource, mode, credit_ms, form, evidence)


def pack_minutes(slot: int, minutes: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The packed records of one minute of many: the subject of each, and what `minute_tail` makes of the rest.

    The same as `Record(...).pack()`, without its detours: this is done for every minute of everybody, and nearly all
    of a lesson's have the same tail.
    """
    head = _HEAD.pack(Kind.MINUTE, VERSION, slot, 0)
    return b"".join([head + subject + tail for subject, tail in minutes])


@dataclass(frozen=True, slots=True)
class Group:
    """The records of one object (a lesson, a class, ...) that were sealed in one minute."""

    id: bytes
    n_records: int
    n_credited: int
    credit_ms: int
    state: int
    records_root: bytes

    def pack(self) -> bytes:
        """The 49 bytes. Raises Refused when a field does not fit."""
        values = (getattr(self, one.name) for one in fields(self))
        _id(self.id), _hash(self.records_root)
        return _pack(_GROUP, *values)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One unix minute of the whole house."""

    slot: int
    flags: int
    n_groups: int
    n_records: int
    credit_ms_total: int
    groups_root: bytes
    scheme_hash: bytes
    sealed_ms: int
    clock_offset_ms: int

    def pack(self) -> bytes:
        """The 98 bytes. Raises Refused when a field does not fit."""
        values = (getattr(self, one.name) for one in fields(self))
        _hash(self.groups_root), _hash(self.scheme_hash)
        return _pack(_LEAF, *values)


def read_record(raw: bytes) -> Record:
    """Raises Refused."""
    kind, version, slot, seq, subject, session, resource, mode, credit_ms, flags, evidence = _unpack(_RECORD, raw)
    if version != VERSION:
        raise Refused("a record of an unknown version")
    return Record(kind, slot, seq, subject, session, resource, mode, credit_ms, flags, evidence)


def read_records(raw: bytes) -> list[tuple[Any, ...]]:
    """The fields of packed records behind each other, as they stand in the bytes: kind, version, slot, seq, subject,
    session, resource, mode, credit_ms, flags, evidence. Nothing is refused but another length: for what is done for
    every record of everybody.
    """
    return list(_RECORD.iter_unpack(raw))


def read_group(raw: bytes) -> Group:
    """Raises Refused."""
    return Group(*_unpack(_GROUP, raw))


def read_leaf(raw: bytes) -> Leaf:
    """Raises Refused."""
    return Leaf(*_unpack(_LEAF, raw))


def salt_of(key: bytes, packed: bytes) -> bytes:
    """The salt of a packed record under the key of its subject; whoever destroys the key makes the hash meaningless."""
    return hmac.new(key, packed, hashlib.sha256).digest()[:SALT_BYTES]


def record_hash(salt: bytes, packed: bytes) -> bytes:
    """The hash of a record in its group's tree."""
    return leaf_hash(salt + packed)


def erased(packed: bytes, place: int, hashed: bytes) -> bytes:
    """What stays of a deleted record: its hash as `evidence`, its `place` in its group as `seq`, its minute, and as
    `mode` its kind. It is hashed as what it was: nothing that was sealed changes.
    """
    slot = int.from_bytes(packed[2:6], "big")
    return Record(Kind.ERASED, slot, seq=place, mode=packed[0], evidence=hashed).pack()


def is_erased(packed: bytes) -> bool:
    """Whether this is all that is left of a record."""
    return packed[0] == Kind.ERASED


def hash_of_erased(packed: bytes) -> bytes:
    """The hash of the record that was there."""
    return packed[-HASH_BYTES:]


def order_of(record: Record) -> tuple[int, int, bytes, int]:
    """Where a record stands in its group; no two records of a group stand at the same place."""
    return (record.kind, record.slot, record.subject, record.seq)


def group_of(group_id: bytes, state: int, records: Sequence[Record], hashes: Iterable[bytes]) -> Group:
    """The group of these records, which are in order, and their hashes."""
    minutes = [one for one in records if one.kind == Kind.MINUTE]
    credited = sum(1 for one in minutes if one.credit_ms)
    return Group(group_id, len(records), credited, sum(one.credit_ms for one in minutes), state, root(hashes))


def groups_root(groups: Sequence[Group]) -> bytes:
    """The root over groups, which are in the order of their ids."""
    return root(leaf_hash(group.pack()) for group in groups)


def _id(raw: bytes) -> bytes:
    if len(raw) != ID_BYTES:
        raise Refused("an id has 8 bytes")
    return raw


def _hash(raw: bytes) -> bytes:
    if len(raw) != HASH_BYTES:
        raise Refused("a hash has 32 bytes")
    return raw


def _pack(form: struct.Struct, *values: object) -> bytes:
    try:
        return form.pack(*values)
    except struct.error as error:
        raise Refused(f"a number does not fit: {error}") from error


def _unpack(form: struct.Struct, raw: bytes) -> tuple[Any, ...]:
    if len(raw) != form.size:
        raise Refused(f"{form.size} bytes are expected")
    return form.unpack(raw)
