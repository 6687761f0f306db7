"""Decides what stands behind the digest of a trainee's minute, byte by byte: its form, and what it says. Pure.

Two forms, told by the flags of the minute's record. PLAIN, of what was sealed first: the trainee's id, the credited
spans and the sum of each reason. SUMMARY names nobody: under which lease the minute was earned; where its time went,
spell by spell; what was odd; what media saw. Most minutes of a lesson have the same summary, and so the same digest.
"""

import struct
from dataclasses import dataclass
from typing import Final, NamedTuple

from server.verify.tree import Refused

#: the flags of a MINUTE
PLAIN: Final = 0
SUMMARY: Final = 1
#: states of a spell: in front and credited; the lesson was not open; all others are reasons (attendance/minutes.Reason)
CREDITED: Final = 0
CLOSED: Final = 255
NO_STATE: Final = -1
MINUTE_MS: Final = 60_000

#: the trainee, how many spans and reasons
PLAIN_HEAD: Final = struct.Struct(">8sHB")
PLAIN_SPAN: Final = struct.Struct(">HH")
PLAIN_REASON: Final = struct.Struct(">BH")
_HEAD: Final = struct.Struct(">IB")
_SPELL: Final = struct.Struct(">BH")
_ODD: Final = struct.Struct(">HII")
_GRADES, _TIERS, _TIER_AT, _HAS_ODD = 0b11, 0b111, 2, 0b100000

#: state, and the offset in the minute at which it ends
Spell = tuple[int, int]


class Odd(NamedTuple):
    """What an honest page seldom does: beats that were refused, time that its clock lagged or claimed too much."""

    refused: int = 0
    lagged_ms: int = 0
    surplus_ms: int = 0


NOTHING_ODD: Final = Odd()


def plus(one: Odd, other: Odd) -> Odd:
    """Both together."""
    return Odd(one.refused + other.refused, one.lagged_ms + other.lagged_ms, one.surplus_ms + other.surplus_ms)


class Seen(NamedTuple):
    """What media delivered: `tier` by which transport (0: not known), `grade` how sure it is (0: not known, to 3)."""

    tier: int = 0
    grade: int = 0


UNSEEN: Final = Seen()


@dataclass(frozen=True, slots=True)
class Summary:
    """A trainee's minute. `spells` follow each other from its beginning; after the last one the lesson was not open.

    `epoch` is the newest lease that held in it; 0 where that is older than the log.
    """

    epoch: int
    spells: tuple[Spell, ...]
    odd: Odd = NOTHING_ODD
    seen: Seen = UNSEEN


class Said(NamedTuple):
    """What a text says of its minute: milliseconds credited and delivered, and the lease."""

    credit_ms: int
    delivered_ms: int
    epoch: int = 0


def write(summary: Summary) -> bytes:
    """A summary as it is digested; counts beyond their bytes are as many as fit."""
    refused, lagged_ms, surplus_ms = summary.odd
    marks = summary.seen.grade | summary.seen.tier << _TIER_AT
    odd = b""
    if summary.odd != NOTHING_ODD:
        marks |= _HAS_ODD
        odd = _ODD.pack(min(refused, 2**16 - 1), min(lagged_ms, 2**32 - 1), min(surplus_ms, 2**32 - 1))
    return b"".join([_HEAD.pack(summary.epoch, marks), odd, *[_SPELL.pack(*one) for one in summary.spells]])


def read(raw: bytes) -> Summary:
    """A text as a summary, whatever it says. Raises Refused for what is cut off, or of marks that nobody writes."""
    if len(raw) < _HEAD.size:
        raise Refused("a summary is cut off")
    epoch, marks = _HEAD.unpack_from(raw)
    at, odd = _HEAD.size, NOTHING_ODD
    if marks & _HAS_ODD:
        if len(raw) < at + _ODD.size:
            raise Refused("a summary is cut off")
        odd = Odd(*_ODD.unpack_from(raw, at))
        at += _ODD.size
    if marks > _HAS_ODD | _TIERS << _TIER_AT | _GRADES or (odd == NOTHING_ODD) == bool(marks & _HAS_ODD):
        raise Refused("a summary with unknown marks")
    if (len(raw) - at) % _SPELL.size:
        raise Refused("a summary is cut off")
    spells = tuple(_SPELL.iter_unpack(raw[at:]))
    return Summary(epoch, spells, odd, Seen(marks >> _TIER_AT & _TIERS, marks & _GRADES))


def said(form: int, subject: bytes, raw: bytes) -> Said:
    """What a text of this form says of this trainee's minute. Raises Refused for what no honest minute says."""
    if form == SUMMARY:
        return said_of(read(raw))
    if form != PLAIN:
        raise Refused("a minute of an unknown form")
    return _plain(subject, raw)


def credited(form: int, raw: bytes) -> tuple[Spell, ...]:
    """The credited spans of a text of this form, as offsets in the minute; none of one that cannot be read."""
    try:
        if form == SUMMARY:
            begins, spells = 0, list[Spell]()
            for state, end in read(raw).spells:
                spells += [(begins, end)] if state == CREDITED else []
                begins = end
            return tuple(spells)
        _, n_spans, _ = PLAIN_HEAD.unpack_from(raw)
        return tuple(PLAIN_SPAN.iter_unpack(raw[PLAIN_HEAD.size : PLAIN_HEAD.size + n_spans * PLAIN_SPAN.size]))
    except (Refused, struct.error):
        return ()


def said_of(summary: Summary) -> Said:
    """The sums of a summary. Raises Refused where its spells do not follow each other within the minute."""
    credit_ms = delivered_ms = before = 0
    last = NO_STATE
    for state, end in summary.spells:
        if state == last or not before < end <= MINUTE_MS:
            raise Refused("the spells of a minute do not follow each other")
        credit_ms += end - before if state == CREDITED else 0
        delivered_ms += end - before if state != CLOSED else 0
        last, before = state, end
    if last == CLOSED:
        raise Refused("what is not said last is not said")
    return Said(credit_ms, delivered_ms, summary.epoch)


def _plain(subject: bytes, raw: bytes) -> Said:
    try:
        person, n_spans, n_reasons = PLAIN_HEAD.unpack_from(raw)
        middle = PLAIN_HEAD.size + n_spans * PLAIN_SPAN.size
        spans = list(PLAIN_SPAN.iter_unpack(raw[PLAIN_HEAD.size : middle]))
        reasons = list(PLAIN_REASON.iter_unpack(raw[middle:]))
    except struct.error as error:
        raise Refused("the details of a minute are cut off") from error
    if person != subject or (len(spans), len(reasons)) != (n_spans, n_reasons):
        raise Refused("the details of a minute are of somebody else, or cut off")
    credit_ms = sum(end - start for start, end in spans)
    return Said(credit_ms, credit_ms + sum(ms for _, ms in reasons))
