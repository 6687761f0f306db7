"""Decides what the log is told of attendance: a record of each lesson's minute, and of each trainee's. Pure."""

import hashlib
from collections.abc import Iterable
from typing import Final

from server.attendance.minutes import SealedMinute, pack_one
from server.verify.formats import Kind, Record, pack_minutes

#: how the minute was spent: in a live lesson (recorded lessons will be 2)
LIVE: Final = 1


def own_records(lesson_id: str, person_id: str, minutes: Iterable[SealedMinute]) -> list[bytes]:
    """The packed records of one trainee's sealed minutes, in order of time."""
    found, resource = [], bytes.fromhex(lesson_id)
    for minute in minutes:
        for one in (one for one in minute.records if one.person_id == person_id):
            packed = pack_one(one)
            told = (packed[:8], one.credit_ms, hashlib.sha256(packed).digest())
            found.append(pack_minutes(minute.slot, resource, LIVE, [told]))
    return found


def minute_records(lesson_id: str, minute: SealedMinute) -> bytes:
    """The packed records of a lesson's sealed minute; the evidence is the digest of what the journal says of it.

    The lesson's own says how much was delivered and to how many: a minute, or somebody's, cannot be left out unseen.
    """
    resource = bytes.fromhex(lesson_id)
    own = Record(
        Kind.LESSON_MINUTE,
        minute.slot,
        seq=len(minute.records),
        resource=resource,
        mode=LIVE,
        credit_ms=minute.delivered_ms,
    )
    told = []
    for one in minute.records:
        packed = pack_one(one)
        told.append((packed[:8], one.credit_ms, hashlib.sha256(packed).digest()))
    return own.pack() + pack_minutes(minute.slot, resource, LIVE, told)
