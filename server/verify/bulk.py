"""Decides whether a whole minute of a lesson is as it should be, at once, and sums who earned what. Pure.

What is done for every minute of everybody is done here, column by column; whatever is unusual about a minute is left to
check.py, which looks at one record after the other and names what it finds.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from operator import add
from typing import Any, Final, NamedTuple

from server.verify.formats import NO_ID, RECORD_BYTES, SALT_BYTES, VERSION, Kind, read_records
from server.verify.minutes import SUMMARY, said
from server.verify.tree import Refused

#: what is the same in each usual record of a minute: kind, version, slot and seq before the subject; its lesson; flags
_BEGIN: Final = struct.Struct(">BBII")
_RESOURCE_AT: Final = 26
_FLAGS: Final = struct.Struct(">H")
_FLAGS_AT: Final = 39
#: what differs: the subject; and the rest of it, of which most have the same: session, credit_ms, evidence
_SUBJECT, _OTHER = struct.Struct(">10x8s55x"), struct.Struct(">18x55s")
_REST: Final = struct.Struct(">8s9xI2x32s")
_MINUTE, _LESSON_MINUTE = (bytes([kind]) for kind in (Kind.MINUTE, Kind.LESSON_MINUTE))
_RECORD: Final = struct.Struct(f"{RECORD_BYTES}s")
_SALT: Final = struct.Struct(f"{SALT_BYTES}s")


class Whole(NamedTuple):
    """A lesson's minute with nothing unusual: its trainees, their leases and milliseconds, in one order."""

    subjects: tuple[bytes, ...]
    sessions: tuple[bytes, ...]
    credits_ms: tuple[int, ...]
    people: set[bytes]
    delivered_ms: int


def hashes_of(salts: bytes, records: bytes) -> list[bytes]:
    """Each record's hash in its group (formats.record_hash)."""
    pairs = zip(_SALT.iter_unpack(salts), _RECORD.iter_unpack(records), strict=True)
    return [sha256(b"\x00" + salt + record).digest() for (salt,), (record,) in pairs]


def whole_minute(packed: bytes, texts: list[bytes], slot: int, name: bytes) -> Whole | None:
    """The minutes that a group begins with, when all are of `slot` and the lesson `name` and say what stands behind
    their digests, and the lesson says that there are so many.
    """
    kinds = packed[::RECORD_BYTES]
    count = len(kinds) - len(kinds.lstrip(_MINUTE))
    if not count or kinds.count(_LESSON_MINUTE) != 1:
        return None
    minutes, at = packed[: count * RECORD_BYTES], kinds.index(_LESSON_MINUTE) * RECORD_BYTES
    ((*about, _session, _resource, _mode, delivered_ms, _flags, _evidence),) = read_records(
        packed[at : at + RECORD_BYTES]
    )
    if about != [Kind.LESSON_MINUTE, VERSION, slot, count, NO_ID] or not _same(minutes, count, slot, name):
        return None
    # one column after the other: thousands of pairs that live at once would set the collector of garbage to work
    subjects = tuple([one for (one,) in _SUBJECT.iter_unpack(minutes)])
    rests = [one for (one,) in _OTHER.iter_unpack(minutes)]
    people, pairs = set(subjects), set(zip(texts, rests, strict=False))
    rows = {rest: _REST.unpack(rest) for _, rest in pairs}
    if len(people) != count or not all(_fits(delivered_ms, text, *rows[rest]) for text, rest in pairs):
        return None
    sessions, credits_ms = {rest: row[0] for rest, row in rows.items()}, {rest: row[1] for rest, row in rows.items()}
    return Whole(
        subjects,
        tuple([sessions[rest] for rest in rests]),
        tuple([credits_ms[rest] for rest in rests]),
        people,
        delivered_ms,
    )


def _same(minutes: bytes, count: int, slot: int, name: bytes) -> bool:
    """Whether all records have the bytes that they must have in common."""
    expected = {
        0: _BEGIN.pack(Kind.MINUTE, VERSION, slot, 0),
        _RESOURCE_AT: name,
        _FLAGS_AT: _FLAGS.pack(SUMMARY),
    }
    return all(
        minutes[at + each :: RECORD_BYTES] == bytes([byte]) * count
        for at, common in expected.items()
        for each, byte in enumerate(common)
    )


def _fits(delivered_ms: int, text: bytes, session: bytes, credit_ms: int, digest: bytes) -> bool:
    if sha256(text).digest() != digest:
        return False
    try:
        told = said(SUMMARY, NO_ID, text)
    except Refused:
        return False
    return (told.credit_ms, told.delivered_ms, told.epoch) == (credit_ms, delivered_ms, int.from_bytes(session, "big"))


@dataclass
class Run:
    """Minutes of a lesson behind each other with the same trainees under the same leases."""

    subjects: tuple[bytes, ...]
    sessions: tuple[bytes, ...]
    credit_ms: list[int]
    first: int
    last: int


@dataclass
class Earned:
    """What everybody has, by lesson and trainee; and by lesson, trainee and lease the first and last minute of it."""

    credit_ms: dict[bytes, dict[bytes, int]] = field(default_factory=dict)
    leases: dict[tuple[bytes, bytes, bytes], tuple[int, int]] = field(default_factory=dict)
    _runs: dict[bytes, Run] = field(default_factory=dict)

    def add(self, lesson: bytes, slot: int, whole: Whole) -> None:
        """A whole minute."""
        run = self._runs.get(lesson)
        if run is not None and (run.subjects, run.sessions) == (whole.subjects, whole.sessions):
            run.credit_ms = list(map(add, run.credit_ms, whole.credits_ms))
            run.first, run.last = min(run.first, slot), max(run.last, slot)
            return
        if run is not None:
            self._take(lesson, run)
        self._runs[lesson] = Run(whole.subjects, whole.sessions, list(whole.credits_ms), slot, slot)

    def add_one(self, lesson: bytes, slot: int, subject: bytes, session: bytes, credit_ms: int) -> None:
        """Somebody's minute."""
        self._take(lesson, Run((subject,), (session,), [credit_ms], slot, slot))

    def done(self) -> None:
        """Nothing more comes."""
        for lesson, run in self._runs.items():
            self._take(lesson, run)
        self._runs.clear()

    def _take(self, lesson: bytes, run: Run) -> None:
        sums = self.credit_ms.setdefault(lesson, {})
        for subject, session, ms in zip(run.subjects, run.sessions, run.credit_ms, strict=True):
            sums[subject] = sums.get(subject, 0) + ms
            if session != NO_ID:
                first, last = self.leases.get((lesson, subject, session), (run.first, run.last))
                self.leases[lesson, subject, session] = (min(first, run.first), max(last, run.last))


@dataclass
class Leases:
    """When leases were granted and ended, by lesson, trainee and epoch, as the log was told."""

    granted: dict[tuple[bytes, bytes, bytes], int] = field(default_factory=dict)
    ended: dict[tuple[bytes, bytes, bytes], int] = field(default_factory=dict)

    def take(self, kind: int, key: tuple[bytes, bytes, bytes], slot: int) -> None:
        """A record of one; of two that contradict each other the earlier one counts."""
        known = self.granted if kind == Kind.LEASE else self.ended
        known[key] = min(slot, known.get(key, slot))

    def wrong(self, earned: Iterable[tuple[tuple[bytes, bytes, bytes], tuple[int, int]]]) -> Iterator[tuple[Any, ...]]:
        """(slot, lesson, trainee) of minutes that were earned under a lease that there was not, or not then."""
        for key, (first, last) in earned:
            if key not in self.granted or first < self.granted[key]:
                yield (first, *key[:2])
            if key in self.granted and last > self.ended.get(key, last):
                yield (last, *key[:2])
