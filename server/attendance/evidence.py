"""Decides what the log is told of attendance: one record for each trainee's minute. Pure."""

import hashlib
from typing import Final

from server.attendance.minutes import MinuteRecord, SealedMinute, pack
from server.verify.formats import Kind, Record

#: how the minute was spent: in a live lesson (recorded lessons will be 2)
LIVE: Final = 1


def minute_records(lesson_id: str, minute: SealedMinute) -> list[Record]:
    """The records of a lesson's sealed minute; the evidence is the digest of what the journal says of it."""
    lesson = bytes.fromhex(lesson_id)
    return [_record(lesson, minute.slot, one) for one in minute.records]


def _record(lesson: bytes, slot: int, one: MinuteRecord) -> Record:
    return Record(
        kind=Kind.MINUTE,
        slot=slot,
        subject=bytes.fromhex(one.person_id),
        resource=lesson,
        mode=LIVE,
        credit_ms=one.credit_ms,
        evidence=hashlib.sha256(pack((one,))).digest(),
    )
