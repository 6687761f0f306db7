"""Decides whether a whole minute of a lesson is as it should be, at once, and sums who earned what. Pure.

What is done for every minute of everybody is done here, column by column; whatever is unusual about a minute is left to
look.py, which looks at one record after the other and names what it finds.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import chain
from operator import add
from typing import Final, NamedTuple

from server.verify.formats import (
    ID_BYTES,
    NO_ID,
    RECORD_BYTES,
    SALT_BYTES,
    VERSION,
    Kind,
    Record,
    hash_of_erased,
    read_records,
)
from server.verify.minutes import SUMMARY, said
from server.verify.tree import Refused

#: where the fields of a record stand that are read by themselves
_VERSION_AT, _SUBJECT_AT, _MODE_AT, _CREDIT_AT = 1, 10, 34, 35
_NUMBER: Final = struct.Struct(">I")
#: of a record trainee and session, which are a lease
HOLDER_BYTES: Final = 2 * ID_BYTES
#: of a lease: kind, holder
_LEASE: Final = struct.Struct(f">B9x{HOLDER_BYTES}s47x")
_MINUTE, _LESSON_MINUTE = (bytes([kind]) for kind in (Kind.MINUTE, Kind.LESSON_MINUTE))
_LEASES: Final = bytes([Kind.LEASE, Kind.LEASE_END])
#: so many rows are cut in one step
_ROWS: Final = 16


class Whole(NamedTuple):
    """A lesson's minute with nothing unusual: trainee and lease of each record, behind each other, and milliseconds."""

    holders: bytes
    credits_ms: tuple[int, ...]
    people: frozenset[bytes]


def hashes_of(salts: bytes, records: bytes) -> list[bytes]:
    """Each record's hash in its group (formats.record_hash), of an erased one that of what was there; for the way see
    tree.root.
    """
    found, begun = [], sha256(b"\x00").copy
    for salt, record in zip(rows(salts, SALT_BYTES), rows(records, RECORD_BYTES), strict=True):
        one = begun()
        one.update(salt)
        one.update(record)
        found.append(one.digest())
    if Kind.ERASED in (kinds := records[::RECORD_BYTES]):
        for at in (at for at, kind in enumerate(kinds) if kind == Kind.ERASED):
            found[at] = hash_of_erased(records[at * RECORD_BYTES : (at + 1) * RECORD_BYTES])
    return found


def rows(raw: bytes, size: int) -> Iterator[bytes]:
    """What stands behind each other in `size` bytes each."""
    whole = len(raw) - len(raw) % (size * _ROWS)
    many = struct.iter_unpack(f"{size}s" * _ROWS, memoryview(raw)[:whole])
    return chain.from_iterable(chain(many, struct.iter_unpack(f"{size}s", raw[whole:])))


def column(raw: bytes, size: int, count: int, begin: int, width: int) -> bytes:
    """Of the first `count` rows of `size` bytes each those `width` ones that begin at `begin`."""
    found = bytearray(count * width)
    for each in range(width):
        found[each::width] = raw[begin + each : count * size : size]
    return bytes(found)


def whole_minute(
    packed: bytes, texts: list[bytes], slot: int, name: bytes, before: Whole | None = None
) -> Whole | None:
    """The minutes that a group begins with, when all are of `slot` and the lesson `name` and say what stands behind
    their digests, and the lesson says that there are so many; `before` is another minute of the lesson.

    A text says all of a record but whose it is: what the records must be is written down and compared at once.
    """
    kinds = packed[::RECORD_BYTES]
    count = len(kinds) - len(kinds.lstrip(_MINUTE))
    if not count or kinds.count(_LESSON_MINUTE) != 1:
        return None
    at = kinds.index(_LESSON_MINUTE) * RECORD_BYTES
    ((*about, _resource, _mode, delivered_ms, _flags, _evidence),) = read_records(packed[at : at + RECORD_BYTES])
    if about[:-1] != [Kind.LESSON_MINUTE, VERSION, slot, count, NO_ID]:
        return None
    usual = _Usual(slot, name, packed[_MODE_AT], delivered_ms)
    expected = bytearray().join(map(usual.__getitem__, texts[:count]))
    holders = column(packed, RECORD_BYTES, count, _SUBJECT_AT, HOLDER_BYTES)
    for each in range(ID_BYTES):
        expected[_SUBJECT_AT + each :: RECORD_BYTES] = holders[each::HOLDER_BYTES]
    if not packed.startswith(expected):
        return None
    if before is not None and before.holders == holders:
        people = before.people
    else:
        people = frozenset(one[:ID_BYTES] for one in rows(holders, HOLDER_BYTES))
    if len(people) != count:
        return None
    credits_ms = struct.unpack(f">{count}I", column(packed, RECORD_BYTES, count, _CREDIT_AT, _NUMBER.size))
    return Whole(holders, credits_ms, people)


class _Usual(dict[bytes, bytes]):
    """By text the record of nobody's minute that it bears out; one that can be nobody's when it bears out none."""

    def __init__(self, slot: int, name: bytes, mode: int, delivered_ms: int) -> None:
        self.minute = Record(Kind.MINUTE, slot, resource=name, mode=mode, flags=SUMMARY)
        self.delivered_ms = delivered_ms

    def __missing__(self, text: bytes) -> bytes:
        self[text] = packed = self.record(text)
        return packed

    def record(self, text: bytes) -> bytes:
        try:
            told = said(SUMMARY, NO_ID, text)
        except Refused:
            return bytes(RECORD_BYTES)
        if told.delivered_ms != self.delivered_ms:
            return bytes(RECORD_BYTES)
        session, digest = told.epoch.to_bytes(ID_BYTES, "big"), sha256(text).digest()
        return replace(self.minute, session=session, credit_ms=told.credit_ms, evidence=digest).pack()


def leases_of(packed: bytes, texts: list[bytes], slot: int, begin: int) -> list[tuple[int, bytes]]:
    """Kind and holder of the leases from the record `begin` on; none unless all are of `slot` and nothing is
    shown behind them.
    """
    kinds = packed[begin * RECORD_BYTES :: RECORD_BYTES]
    count = len(kinds) - len(kinds.lstrip(_LEASES))
    some = packed[begin * RECORD_BYTES : (begin + count) * RECORD_BYTES]
    expected = (bytes([VERSION]) + _NUMBER.pack(slot)) * count
    if any(texts[begin : begin + count]) or column(some, RECORD_BYTES, count, _VERSION_AT, 5) != expected:
        return []
    return list(_LEASE.iter_unpack(some))


@dataclass
class Run:
    """Minutes of a lesson behind each other with the same trainees under the same leases, as in Whole."""

    holders: bytes
    credit_ms: list[int]
    first: int
    last: int


@dataclass
class Earned:
    """What everybody has, by lesson and trainee; by lesson and holder of a lease the first and last minute of it."""

    credit_ms: dict[bytes, dict[bytes, int]] = field(default_factory=dict)
    leases: dict[bytes, dict[bytes, tuple[int, int]]] = field(default_factory=dict)
    _runs: dict[bytes, Run] = field(default_factory=dict)

    def add(self, lesson: bytes, slot: int, whole: Whole) -> None:
        """A whole minute."""
        run = self._runs.get(lesson)
        if run is not None and run.holders == whole.holders:
            run.credit_ms = list(map(add, run.credit_ms, whole.credits_ms))
            run.first, run.last = min(run.first, slot), max(run.last, slot)
            return
        if run is not None:
            self._take(lesson, run)
        self._runs[lesson] = Run(whole.holders, list(whole.credits_ms), slot, slot)

    def add_one(self, lesson: bytes, slot: int, holder: bytes, credit_ms: int) -> None:
        """Somebody's minute."""
        self._take(lesson, Run(holder, [credit_ms], slot, slot))

    def done(self) -> None:
        """Nothing more comes."""
        for lesson, run in self._runs.items():
            self._take(lesson, run)
        self._runs.clear()

    def _take(self, lesson: bytes, run: Run) -> None:
        sums, leases = self.credit_ms.setdefault(lesson, {}), self.leases.setdefault(lesson, {})
        span = run.first, run.last
        for holder, ms in zip(rows(run.holders, HOLDER_BYTES), run.credit_ms, strict=True):
            person = holder[:ID_BYTES]
            sums[person] = sums.get(person, 0) + ms
            known = leases.setdefault(holder, span)
            if known is not span:
                leases[holder] = min(known[0], run.first), max(known[1], run.last)


@dataclass
class Leases:
    """When leases were granted and ended, by lesson and holder, as the log was told."""

    granted: dict[bytes, dict[bytes, int]] = field(default_factory=dict)
    ended: dict[bytes, dict[bytes, int]] = field(default_factory=dict)

    def take(self, lesson: bytes, slot: int, leases: Iterable[tuple[int, bytes]]) -> None:
        """Kind and holder of some, told in this minute; of two that contradict each other the earlier counts."""
        granted, ended = self.granted.setdefault(lesson, {}), self.ended.setdefault(lesson, {})
        for kind, holder in leases:
            known = granted if kind == Kind.LEASE else ended
            if known.setdefault(holder, slot) > slot:
                known[holder] = slot

    def wrong(self, earned: Earned) -> Iterator[tuple[int, bytes, bytes]]:
        """(slot, lesson, trainee) of minutes that were earned under a lease that there was not, or not then."""
        for lesson, spans in earned.leases.items():
            granted, ended = self.granted.get(lesson, {}), self.ended.get(lesson, {})
            for holder, (first, last) in spans.items():
                begins = granted.get(holder)
                if holder[ID_BYTES:] == NO_ID:
                    continue
                if begins is None or first < begins:
                    yield first, lesson, holder[:ID_BYTES]
                if begins is not None and last > ended.get(holder, last):
                    yield last, lesson, holder[:ID_BYTES]
