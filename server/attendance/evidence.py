"""Decides what the log is told of attendance: a record of each lesson's minute, and of each trainee's. Pure."""

import hashlib
from collections.abc import Iterable
from typing import Final

from server.attendance.minutes import MinuteRecord, SealedMinute, text_of
from server.verify.formats import NO_ID, Kind, Record, minute_tail, pack_minutes
from server.verify.minutes import PLAIN, SUMMARY

#: how the minute was spent: in a live lesson (recorded lessons will be 2)
LIVE: Final = 1
#: a summary begins with the lease's epoch; a record's session is the same in eight bytes
_EPOCH: Final = 4
_NO_EPOCH: Final = bytes(4)


def own_records(lesson_id: str, person_id: str, minutes: Iterable[SealedMinute]) -> list[bytes]:
    """The packed records of one trainee's sealed minutes, in order of time."""
    found, resource = [], bytes.fromhex(lesson_id)
    for minute in minutes:
        own = [one for one in minute.records if one.person_id == person_id]
        found += [pack_minutes(minute.slot, [said]) for said in _told(resource, own)]
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
    return own.pack() + pack_minutes(minute.slot, _told(resource, minute.records))


def _told(resource: bytes, records: Iterable[MinuteRecord]) -> list[tuple[bytes, bytes]]:
    """Whom the log is told of, and what; most have one and the same summary, which is put into bytes once."""
    tails: dict[bytes, bytes] = {}
    found = []
    for one in records:
        if not one.text:
            tail = _tail(resource, one)
        elif (known := tails.get(one.text)) is not None:
            tail = known
        else:
            tail = tails[one.text] = _tail(resource, one)
        found.append((bytes.fromhex(one.person_id), tail))
    return found


def _tail(resource: bytes, record: MinuteRecord) -> bytes:
    text = text_of(record)
    session, form = (_NO_EPOCH + text[:_EPOCH], SUMMARY) if record.text else (NO_ID, PLAIN)
    return minute_tail(session, resource, LIVE, record.credit_ms, form, hashlib.sha256(text).digest())
