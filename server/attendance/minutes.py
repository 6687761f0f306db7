"""Decides what a minute of a lesson is for one trainee: credited milliseconds, and one reason for every other one.

Always: delivered = credited + the sum of the reasons. Pure; also the packed form in which sealed minutes are stored.
"""

import struct
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from operator import attrgetter
from typing import Final

from server.attendance.intervals import Interval, Intervals, clip, intersect, subtract, total, union
from server.verify.minutes import (
    CLOSED,
    CREDITED,
    NOTHING_ODD,
    PLAIN_HEAD,
    PLAIN_REASON,
    PLAIN_SPAN,
    UNSEEN,
    Odd,
    Seen,
    Spell,
    Summary,
    read,
    write,
)

MINUTE_MS: Final = 60_000
#: a minute is sealed this long after it ends: longest hole (60 s) and the way of the late beat
SEAL_AFTER_MS: Final = 90_000

#: when each lease was granted, and its epoch
Leases = tuple[tuple[int, int], ...]


class Reason(IntEnum):
    """Why a millisecond was not credited (notice.md, one code each); numbers are stored and never change."""

    HIDDEN = 1  # 页面切到后台
    DISCONNECTED = 2  # 网络断开
    OTHER_DEVICE = 3  # 多设备登录
    ABSENT = 4  # 未在课堂
    SERVER_FAULT = 5  # 系统故障(待复核)
    BLURRED = 6  # 窗口失焦(方案启用时)
    IDLE = 7  # 空闲超时(方案启用时)
    NOT_PLAYING = 20  # 未播放
    REWATCHED = 21  # 重复观看
    TOO_FAST = 22  # 超速或拖动

    @property
    def code(self) -> str:
        """The stable code on the wire and in files."""
        return self.name.lower()


#: what is known of time that does not count, and why
Lost = tuple[tuple[Reason, Intervals], ...]


@dataclass(frozen=True, slots=True)
class Delivered:
    """When a lesson was open, and when it would have been but for a fault of ours."""

    open: Intervals = ()
    fault: Intervals = ()


@dataclass(frozen=True, slots=True)
class Presence:
    """What is known of one trainee in one lesson: ledger milliseconds holding the lease, in front, hidden.

    `leases` are when each was granted, and its epoch; `odd` is by minute; `lost` is what else is known of time that
    does not count (attention.py, recorded.py).
    """

    held: Intervals = ()
    front: Intervals = ()
    hidden: Intervals = ()
    leases: Leases = ()
    odd: Mapping[int, Odd] = field(default_factory=dict)
    lost: Lost = ()


@dataclass(frozen=True, slots=True)
class MinuteRecord:
    """One trainee's minute. `credited` are offsets within the minute; `reasons` has milliseconds per reason.

    `text` is the summary that the log digests (verify/minutes.py); empty in what was sealed before there were any.
    """

    person_id: str
    credited: Intervals
    reasons: tuple[tuple[Reason, int], ...]
    text: bytes = b""

    @property
    def credit_ms(self) -> int:
        """0 to 60,000."""
        return total(self.credited)

    @property
    def delivered_ms(self) -> int:
        """How much of the minute the lesson was open (or would have been)."""
        return self.credit_ms + sum(ms for _, ms in self.reasons)

    @property
    def summary(self) -> Summary | None:
        """What `text` says."""
        return read(self.text) if self.text else None


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


def judge(
    person_id: str, slot: int, delivered: Delivered, presence: Presence, until_ms: int, seen: Seen = UNSEEN
) -> MinuteRecord:
    """The minute as far as `until_ms` (the end of the minute when it is sealed)."""
    start = slot * MINUTE_MS
    end = min(start + MINUTE_MS, until_ms)
    fault = clip(delivered.fault, start, end)
    rest = clip(union(delivered.open, delivered.fault), start, end)
    placed: list[tuple[int, int, int]] = []
    for state, where in (
        (CREDITED, subtract(intersect(presence.front, presence.held), fault)),
        (Reason.SERVER_FAULT, intersect(fault, presence.held)),
        *((reason, intersect(known, presence.held)) for reason, known in presence.lost),
        (Reason.HIDDEN, intersect(presence.hidden, presence.held)),
        (Reason.DISCONNECTED, presence.held),
        (Reason.ABSENT, rest),
    ):
        placed += [(a - start, b - start, int(state)) for a, b in intersect(rest, where)]
        rest = subtract(rest, where)
    epoch = max((one for one in presence.leases if one[0] < start + MINUTE_MS), default=(0, 0))[1]
    return told(person_id, write(Summary(epoch, _spells(placed), presence.odd.get(slot, NOTHING_ODD), seen)))


def _spells(placed: Iterable[tuple[int, int, int]]) -> tuple[Spell, ...]:
    """Disjoint stretches (start, end, state) as spells that follow each other."""
    found: list[Spell] = []
    at = 0
    for start, end, state in sorted(placed):
        if start > at:
            found.append((CLOSED, start))
        if found and found[-1][0] == state:
            found.pop()
        found.append((state, end))
        at = end
    return tuple(found)


def told(person_id: str, text: bytes) -> MinuteRecord:
    """The record of a summary. Raises ValueError for what is none."""
    credited, reasons = _sums(text)
    return MinuteRecord(person_id, credited, reasons, text)


def _sums(text: bytes) -> tuple[Intervals, tuple[tuple[Reason, int], ...]]:
    credited: list[Interval] = []
    reasons: dict[int, int] = {}
    before = 0
    for state, end in read(text).spells:
        if state == CREDITED:
            credited.append((before, end))
        elif state != CLOSED:
            reasons[state] = reasons.get(state, 0) + end - before
        before = end
    return tuple(credited), tuple((Reason(state), reasons[state]) for state in sorted(reasons))


_HEAD: Final = struct.Struct(">8sH")
#: in place of a number of spans: so many bytes of summary follow
_SUMMARY: Final = 0x8000


def pack(records: Iterable[MinuteRecord]) -> bytes:
    """Records as bytes, by person: 8-byte id, then the summary behind its length; without one: see `verify/minutes`."""
    return b"".join(map(_packed, sorted(records, key=attrgetter("person_id"))))


def text_of(record: MinuteRecord) -> bytes:
    """What the log's digest of a record is of."""
    return record.text or _plain(record)


def _packed(record: MinuteRecord) -> bytes:
    if not record.text:
        return _plain(record)
    return _HEAD.pack(bytes.fromhex(record.person_id), _SUMMARY | len(record.text)) + record.text


def _plain(record: MinuteRecord) -> bytes:
    head = PLAIN_HEAD.pack(bytes.fromhex(record.person_id), len(record.credited), len(record.reasons))
    spans = b"".join([PLAIN_SPAN.pack(start, end) for start, end in record.credited])
    return head + spans + b"".join([PLAIN_REASON.pack(reason, ms) for reason, ms in record.reasons])


def unpack(packed: bytes, only: Collection[str] | None = None) -> tuple[MinuteRecord, ...]:
    """The records of `pack`, or those of some trainees. Raises ValueError or struct.error for anything else."""
    wanted = None if only is None else {bytes.fromhex(one) for one in only}
    records: list[MinuteRecord] = []
    known: dict[bytes, MinuteRecord] = {}
    at = 0
    while at < len(packed):
        person, size = _HEAD.unpack_from(packed, at)
        if not size & _SUMMARY:
            record, at = _unpack_plain(packed, at)
            records += [record] if wanted is None or person in wanted else []
            continue
        begin, at = at + _HEAD.size, at + _HEAD.size + (size ^ _SUMMARY)
        if at > len(packed):
            raise ValueError("a record is cut off")
        if wanted is not None and person not in wanted:
            continue
        text = packed[begin:at]
        if text not in known:
            known[text] = told("", text)
        one = known[text]
        records.append(MinuteRecord(person.hex(), one.credited, one.reasons, one.text))
    return tuple(records)


def _unpack_plain(packed: bytes, at: int) -> tuple[MinuteRecord, int]:
    person, n_spans, n_reasons = PLAIN_HEAD.unpack_from(packed, at)
    at += PLAIN_HEAD.size
    spans = [PLAIN_SPAN.unpack_from(packed, at + i * PLAIN_SPAN.size) for i in range(n_spans)]
    at += n_spans * PLAIN_SPAN.size
    reasons = [PLAIN_REASON.unpack_from(packed, at + i * PLAIN_REASON.size) for i in range(n_reasons)]
    at += n_reasons * PLAIN_REASON.size
    return MinuteRecord(person.hex(), tuple((a, b) for a, b in spans), tuple((Reason(r), ms) for r, ms in reasons)), at
