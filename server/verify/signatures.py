"""Decides whether what pages signed in a lesson holds: each signature under the key of its lease; what it covers. Pure.

Behind a PAGE_KEY record of a lease stands the JSON object of its key, behind that of a lesson's minute all signatures
of it (`pack`). A package shows both (bundle.Bundle.shown); docs/proof.md says what is in them.
"""

import json
import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import accumulate
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from server.verify.bundle import Bundle
from server.verify.formats import ID_BYTES, NO_ID, RECORD_BYTES, Kind, Record
from server.verify.minutes import MINUTE_MS
from server.verify.pages import SIGNATURE_BYTES, head_text, read_page_key, signed_by
from server.verify.progress import Progress, watched
from server.verify.tree import HASH_BYTES, Refused

#: no beat is worth more than a minute; a fault of ours beside it may be worth two more
SPARE_BEATS: Final = 2
_SIGNED: Final = struct.Struct(f">8sII{HASH_BYTES}s{SIGNATURE_BYTES}s")
SIGNED_BYTES: Final = _SIGNED.size
_MINUTE: Final = struct.Struct(">2xI4x8s8s9xI")
#: lesson, trainee, lease
Lease = tuple[bytes, bytes, bytes]
#: code, minute, lesson, trainee
Wrong = tuple[str, int, bytes, bytes]


class Mode(IntEnum):
    """What a PAGE_KEY record says; numbers never change."""

    FRESH = 1  # a key that this account never had: a first page, or one whose key was lost
    KNOWN = 2  # the account had it before: the same browser is back
    NONE = 3  # the page has none: its browser has no Web Crypto, or serves it over plain HTTP only
    SIGNED = 4  # of a lesson's minute: how many pages signed (seq); the evidence is the digest of their signatures


@dataclass(frozen=True, slots=True)
class Signed:
    """The newest signature of a lease in a minute: after beat `seq` the chain had come to `link`."""

    person_id: str
    epoch: int
    seq: int
    link: bytes
    signature: bytes


def pack(signed: Iterable[Signed]) -> bytes:
    """112 bytes for each, by person and epoch."""
    ordered = sorted(signed, key=lambda one: (one.person_id, one.epoch))
    return b"".join(
        [_SIGNED.pack(bytes.fromhex(one.person_id), one.epoch, one.seq, one.link, one.signature) for one in ordered]
    )


def unpack(raw: bytes) -> list[Signed]:
    """Raises struct.error for anything else."""
    return [Signed(person.hex(), *rest) for person, *rest in _SIGNED.iter_unpack(raw)]


@dataclass(frozen=True, slots=True)
class Registered:
    """With which key a lease was granted, None: without one; and the minute of it."""

    slot: int
    key: EllipticCurvePublicKey | None


@dataclass(slots=True)
class Spent:
    """The credited minutes of a lease in order, and what was credited up to each of them."""

    slots: list[int] = field(default_factory=list)
    sums_ms: list[int] = field(default_factory=list)

    def before(self, slot: int) -> int:
        """What was credited before a minute."""
        at = bisect_left(self.slots, slot)
        return self.sums_ms[at - 1] if at else 0


@dataclass
class Pages:
    """What the log says of pages, taken record by record; then `wrong` and `covered`."""

    keys: list[tuple[bytes, Record]] = field(default_factory=list)
    minutes: list[tuple[bytes, Record]] = field(default_factory=list)
    #: in which minutes a lease's page signed, as far as that holds
    signed: dict[Lease, set[int]] = field(default_factory=dict)
    spent: dict[Lease, Spent] = field(default_factory=dict)

    def take(self, name: bytes, record: Record) -> None:
        """A PAGE_KEY record of this lesson."""
        if record.mode in set(Mode):
            (self.minutes if record.mode == Mode.SIGNED else self.keys).append((name, record))

    def wrong(self, bundle: Bundle, shown: Mapping[bytes, bytes], progress: Progress) -> Iterator[Wrong]:
        """What does not hold, in no order. `shown` are texts by their SHA-256."""
        registered: dict[Lease, Registered] = {}
        for name, record in self.keys:
            lease = (name, record.subject, record.session)
            try:
                if lease in registered:
                    raise Refused("a lease has one key")
                registered[lease] = read_key(name, record, shown.get(record.evidence))
            except Refused:
                yield "page_key_wrong", record.slot, name, record.subject
        before: dict[Lease, Signed] = {}
        self.spent = _spent(bundle, {name for name, _ in self.minutes})
        ordered = sorted(self.minutes, key=lambda one: (one[1].slot, one[0]))
        for name, record in watched(ordered, progress):
            try:
                minute = read_minute(record, shown.get(record.evidence))
            except Refused:
                yield "page_signature_wrong", record.slot, name, NO_ID
                continue
            for lease, one in ((_lease(name, one), one) for one in minute):
                holds = _holds(registered.get(lease), one, before.get(lease), name, record.slot)
                if holds and _beats_enough(one, self.spent.get(lease), record.slot):
                    self.signed.setdefault(lease, set()).add(record.slot)
                else:
                    yield "page_signature_wrong", record.slot, name, lease[1]
                before[lease] = one

    def covered(self) -> int:
        """How many credited minutes have a signature of their lease in themselves or in the next minute."""
        return sum(
            1
            for lease, slots in self.signed.items()
            if lease in self.spent
            for slot in self.spent[lease].slots
            if slot in slots or slot + 1 in slots
        )


def read_key(name: bytes, record: Record, text: bytes | None) -> Registered:
    """The key behind a lease's record, which must say the same. Raises Refused."""
    try:
        told = json.loads(text or b"")
    except (ValueError, RecursionError) as error:
        raise Refused("no key of a page") from error
    expected = {
        "epoch": int.from_bytes(record.session, "big"),
        "known": Mode(record.mode).name.lower(),
        "lesson_id": name.hex(),
        "person_id": record.subject.hex(),
    }
    if not isinstance(told, dict) or told != told | expected:
        raise Refused("the key of another lease")
    public, granted_ms = told.get("public"), told.get("granted_ms")
    if not isinstance(public, str) or not isinstance(granted_ms, int) or granted_ms // MINUTE_MS != record.slot:
        raise Refused("the key of another minute, or none")
    if (public == "") != (record.mode == Mode.NONE):
        raise Refused("a key where there is none, or none where there is one")
    return Registered(record.slot, read_page_key(public) if public else None)


def read_minute(record: Record, text: bytes | None) -> list[Signed]:
    """The signatures behind a minute's record, each lease once. Raises Refused."""
    if text is None or len(text) != record.seq * SIGNED_BYTES:
        raise Refused("signatures that are not shown, or not so many")
    found = unpack(text)
    names = [(one.person_id, one.epoch) for one in found]
    if names != sorted(set(names)):
        raise Refused("signatures out of order")
    return found


def _lease(name: bytes, one: Signed) -> Lease:
    return name, bytes.fromhex(one.person_id), one.epoch.to_bytes(ID_BYTES, "big")


def _holds(known: Registered | None, one: Signed, before: Signed | None, name: bytes, slot: int) -> bool:
    """Whether the lease had this key by then, the page went on since it signed last, and the signature is the key's."""
    if known is None or known.key is None or known.slot > slot:
        return False
    if before is not None and (one.seq <= before.seq or one.link == before.link):
        return False
    return signed_by(known.key, one.signature, head_text(name.hex(), one.epoch, one.seq, one.link))


def _beats_enough(one: Signed, spent: Spent | None, slot: int) -> bool:
    """Whether so many beats can have earned what was credited until the minute before the one before.

    The beat that brings a signature, and those of its minute, may still say something of the minute before.
    """
    return spent is None or spent.before(slot - 1) <= (one.seq + SPARE_BEATS) * MINUTE_MS


def _spent(bundle: Bundle, lessons: set[bytes]) -> dict[Lease, Spent]:
    """What was credited under each lease in these lessons."""
    minutes: dict[Lease, list[tuple[int, int]]] = {}
    for part in (part for leaf in bundle.leaves for part in leaf.groups if part.group[:ID_BYTES] in lessons):
        name = part.group[:ID_BYTES]
        for at in range(0, len(part.records), RECORD_BYTES):
            if part.records[at] == Kind.MINUTE:
                slot, person, session, ms = _MINUTE.unpack_from(part.records, at)
                if ms:
                    minutes.setdefault((name, person, session), []).append((slot, ms))
    found = {lease: sorted(each) for lease, each in minutes.items()}
    return {
        lease: Spent([at for at, _ in each], list(accumulate(ms for _, ms in each))) for lease, each in found.items()
    }
