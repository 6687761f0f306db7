"""Decides what the log is told of attendance: one record for each trainee's minute. Pure."""

import hashlib
from typing import Final

from server.attendance.minutes import SealedMinute, pack_one
from server.verify.formats import pack_minutes

#: how the minute was spent: in a live lesson (recorded lessons will be 2)
LIVE: Final = 1


def minute_records(lesson_id: str, minute: SealedMinute) -> bytes:
    """The packed records of a lesson's sealed minute; the evidence is the digest of what the journal says of it."""
    told = []
    for one in minute.records:
        packed = pack_one(one)
        told.append((packed[:8], one.credit_ms, hashlib.sha256(packed).digest()))
    return pack_minutes(minute.slot, bytes.fromhex(lesson_id), LIVE, told)
