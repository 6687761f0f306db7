"""Decides what a minute of a lesson is for one trainee: credited milliseconds, and one reason for every other one.

Always: delivered = credited + the sum of the reasons. Pure; also the packed form in which sealed minutes are stored.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from operator import attrgetter
from typing import Final

from server.attendance.intervals import Intervals, clip, intersect, subtract, total, union

MINUTE_MS: Final = 60_000
#: a minute is sealed this long after it ends: longest hole (60 s) and the way of the late beat
SEAL_AFTER_MS: Final = 90_000


class Reason(IntEnum):
    """Why a millisecond was not credited (notice.md, one code each); numbers are stored and never change."""

    HIDDEN = 1  # 页面切到后台
    DISCONNECTED = 2  # 网络断开
    OTHER_DEVICE = 3  # 多设备登录
    ABSENT = 4  # 未在课堂
    SERVER_FAULT = 5  # 系统故障(待复核)

    @property
    def code(self) -> str:
        """The stable code on the wire and in files."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Delivered:
    """When a lesson was open, and when it would have been but for a fault of ours."""

    open: Intervals = ()
    fault: Intervals = ()


@dataclass(frozen=True, slots=True)
class Presence:
    """What is known of one trainee in one lesson: ledger milliseconds holding the lease, in front, hidden."""

    held: Intervals = ()
    front: Intervals = ()
    hidden: Intervals = ()


@dataclass(frozen=True, slots=True)
class MinuteRecord:
    """One trainee's minute. `credited` are offsets within the minute; `reasons` has milliseconds per reason."""

    person_id: str
    credited: Intervals
    reasons: tuple[tuple[Reason, int], ...]

    @property
    def credit_ms(self) -> int:
        """0 to 60,000."""
        return total(self.credited)

    @property
    def delivered_ms(self) -> int:
        """How much of the minute the lesson was open (or would have been)."""
        return self.credit_ms + sum(ms for _, ms in self.reasons)


@dataclass(frozen=True, slots=True)
class SealedMinute:
    """One lesson's minute as it stands in the journal."""

    slot: int
    delivered_ms: int
    records: tuple[MinuteRecord, ...]


def slot_of(ms: int) -> int:
    """The unix minute of a ledger millisecond."""
    return ms // MINUTE_MS


def delivered_ms(delivered: Delivered, slot: int) -> int:
    """How many milliseconds of the minute were delivered."""
    return total(clip(union(delivered.open, delivered.fault), slot * MINUTE_MS, (slot + 1) * MINUTE_MS))


def judge(person_id: str, slot: int, delivered: Delivered, presence: Presence, until_ms: int) -> MinuteRecord:
    """The minute as far as `until_ms` (the end of the minute when it is sealed)."""
    start = slot * MINUTE_MS
    end = min(start + MINUTE_MS, until_ms)
    fault = clip(delivered.fault, start, end)
    rest = clip(union(delivered.open, delivered.fault), start, end)
    front = subtract(intersect(presence.front, presence.held), fault)
    credited = intersect(rest, front)
    rest = subtract(rest, credited)
    reasons: list[tuple[Reason, int]] = []
    for reason, where in (
        (Reason.SERVER_FAULT, intersect(fault, presence.held)),
        (Reason.HIDDEN, intersect(presence.hidden, presence.held)),
        (Reason.DISCONNECTED, presence.held),
        (Reason.ABSENT, rest),
    ):
        if ms := total(intersect(rest, where)):
            reasons.append((reason, ms))
            rest = subtract(rest, where)
    return MinuteRecord(person_id, tuple((a - start, b - start) for a, b in credited), tuple(reasons))


_HEAD: Final = struct.Struct(">8sHB")
_SPAN: Final = struct.Struct(">HH")
_REASON: Final = struct.Struct(">BH")


def pack(records: Iterable[MinuteRecord]) -> bytes:
    """Records as bytes, by person: 8-byte id, counts, spans as 16-bit offsets, reasons as code and milliseconds."""
    return b"".join(map(pack_one, sorted(records, key=attrgetter("person_id"))))


def pack_one(record: MinuteRecord) -> bytes:
    """One record as it stands in `pack`."""
    head = _HEAD.pack(bytes.fromhex(record.person_id), len(record.credited), len(record.reasons))
    spans = b"".join([_SPAN.pack(start, end) for start, end in record.credited])
    return head + spans + b"".join([_REASON.pack(reason, ms) for reason, ms in record.reasons])


def unpack(packed: bytes) -> tuple[MinuteRecord, ...]:
    """The records of `pack`. Raises ValueError or struct.error for anything else."""
    records: list[MinuteRecord] = []
    at = 0
    while at < len(packed):
        person, n_spans, n_reasons = _HEAD.unpack_from(packed, at)
        at += _HEAD.size
        spans = [_SPAN.unpack_from(packed, at + i * _SPAN.size) for i in range(n_spans)]
        at += n_spans * _SPAN.size
        reasons = [_REASON.unpack_from(packed, at + i * _REASON.size) for i in range(n_reasons)]
        at += n_reasons * _REASON.size
        records.append(
            MinuteRecord(person.hex(), tuple((a, b) for a, b in spans), tuple((Reason(r), ms) for r, ms in reasons))
        )
    return tuple(records)
