"""Decides what of evidence is as it was sealed: a walk over leaves, groups, records that names each fault where it is.

What is whole is taken at once (bulk.py), what is not record by record. What follows from all of it is look.py. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from server.verify.bulk import Earned, Leases, Whole, column, hashes_of, leases_of, rows, whole_minute
from server.verify.bundle import HINT_BYTES, Bundle, GroupPart, LeafPart, evidence_of, numbers_of
from server.verify.challenges import Challenges
from server.verify.deleted import Erased
from server.verify.formats import (
    CHANGED,
    ENDED,
    NO_HASH,
    RECORD_BYTES,
    Group,
    Kind,
    Leaf,
    LeafFlag,
    Record,
    read_group,
    read_leaf,
    read_record,
)
from server.verify.minutes import MINUTE_MS, said
from server.verify.report import Finding
from server.verify.seats import Seats
from server.verify.settled import Schemes
from server.verify.settlements import Settlements
from server.verify.signatures import Pages
from server.verify.steps import Steps
from server.verify.tree import HASH_BYTES, Refused, check_inclusion, leaf_hash, root


@dataclass
class Walk:
    """What was seen so far; `findings` are in no order, and some stand twice."""

    bundle: Bundle
    findings: list[Finding] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)
    n_records: int = 0
    n_credited: int = 0
    #: minutes by lesson and slot: who has one; what the lesson itself said how many there are
    minutes: dict[tuple[bytes, int], set[bytes] | frozenset[bytes]] = field(default_factory=dict)
    said: dict[tuple[bytes, int], int] = field(default_factory=dict)
    #: by lesson the last minute that was whole
    wholes: dict[bytes, Whole] = field(default_factory=dict)
    #: in which minute each lesson ended
    ends: dict[bytes, int] = field(default_factory=dict)
    #: what was delivered in each minute, and what the details of single records say of it
    delivered: dict[tuple[bytes, int], int] = field(default_factory=dict)
    told: list[tuple[bytes, Record, int]] = field(default_factory=list)
    #: records that were changed since they were sealed, by minute, lesson and trainee
    changed: set[tuple[int, bytes, bytes]] = field(default_factory=set)
    earned: Earned = field(default_factory=Earned)
    leases: Leases = field(default_factory=Leases)
    pages: Pages = field(default_factory=Pages)
    erased: Erased = field(default_factory=Erased)
    roll: Seats = field(default_factory=Seats)
    challenges: Challenges = field(default_factory=Challenges)
    #: the records of corrections by lesson
    corrections: list[tuple[bytes, Record]] = field(default_factory=list)
    schemes: Schemes = field(default_factory=Schemes)
    settlements: Settlements = field(default_factory=Settlements)
    steps: Steps = field(default_factory=Steps)
    seen: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.lessons = numbers_of((one.id, one.number) for one in self.bundle.lessons)
        self.seats = numbers_of((one.id, one.seat) for one in self.bundle.people)

    def leaf(self, part: LeafPart, size: int, expected: bytes) -> None:
        slot = self.bundle.genesis + part.index
        try:
            leaf = read_leaf(part.leaf)
            check_inclusion(leaf_hash(part.leaf), part.index, size, part.path, expected)
        except Refused:
            self.find("leaf_changed", slot)
            leaf = None
        if leaf is not None and (leaf.slot != slot or part.index in self.seen):
            self.find("leaf_moved", slot)
        if leaf is not None:
            self.leaves.append(leaf)
        self.seen.add(part.index)
        for group in part.groups:
            self.group(group, leaf, slot)

    def group(self, part: GroupPart, leaf: Leaf | None, slot: int) -> None:
        group: Group | None = None
        try:
            group = read_group(part.group)
            if leaf is not None:
                check_inclusion(leaf_hash(part.group), part.at, leaf.n_groups, part.path, leaf.groups_root)
        except Refused:
            self.find("group_changed", slot, group.id if group else b"")
        name = group.id if group else b""
        self.records(part, group, slot, name, bool(leaf and leaf.flags & LeafFlag.LATE))

    def records(self, part: GroupPart, group: Group | None, slot: int, name: bytes, late: bool) -> None:
        hashes = hashes_of(part.salts, part.records)
        texts = evidence_of(part.evidence, len(hashes))
        named = part.hints != column(b"".join(hashes), HASH_BYTES, len(hashes), 0, HINT_BYTES)
        if named:
            self.name_changed(part, hashes, slot, name)
        if group is not None and not named and (len(hashes), root(hashes)) != (group.n_records, group.records_root):
            self.find("records_changed", slot, name)
        credits_ms, begin = self.at_once(part.records, texts, slot, name)
        rest = rows(part.records[begin * RECORD_BYTES :], RECORD_BYTES)
        for raw, shown in zip(rest, texts[begin:], strict=True):
            self.record(raw, shown, slot, name, late)
        sums = len(credits_ms) - credits_ms.count(0), sum(credits_ms)
        gone = Kind.ERASED in part.records[::RECORD_BYTES]
        if group is not None and not gone and (group.n_credited, group.credit_ms) != sums:
            self.find("sum_wrong", slot, name)
        self.n_records += len(hashes)
        self.n_credited += sums[0]

    def at_once(self, records: bytes, texts: list[bytes], slot: int, name: bytes) -> tuple[Sequence[int], int]:
        """What is credited in a group's minutes, and how many of its records need no further look."""
        whole = whole_minute(records, texts, slot, name, self.wholes.get(name)) if name else None
        if whole is None or (name, slot) in self.said or (name, slot) in self.minutes:
            return [_credit_ms(raw) for raw in rows(records, RECORD_BYTES) if raw[0] == Kind.MINUTE], 0
        self.wholes[name], self.minutes[name, slot] = whole, whole.people
        self.earned.add(name, slot, whole)
        leases = leases_of(records, texts, slot, len(whole.credits_ms))
        self.leases.take(name, slot, leases)
        return whole.credits_ms, len(whole.credits_ms) + len(leases)

    def name_changed(self, part: GroupPart, hashes: Iterable[bytes], slot: int, name: bytes) -> None:
        records, hints = rows(part.records, RECORD_BYTES), rows(part.hints, HINT_BYTES)
        for raw, hashed, hint in zip(records, hashes, hints, strict=True):
            if hashed[:HINT_BYTES] != hint:
                self.find("record_changed", slot, name, raw[10:18])
                self.changed.add((slot, name, raw[10:18]))

    def record(self, raw: bytes, shown: bytes, slot: int, name: bytes, late: bool) -> None:
        try:
            record = read_record(raw)
        except Refused:
            self.find("record_changed", slot, name, raw[10:18])
            return
        if (shown or record.kind == Kind.MINUTE) and sha256(shown).digest() != record.evidence:
            self.find("evidence_changed", record.slot, name, record.subject)
        elif record.kind == Kind.MINUTE and (slot, name, record.subject) not in self.changed:
            self.details(record, shown, name)
        if record.slot > slot or (record.slot < slot and not late):
            self.find("minute_moved", record.slot, name, record.subject)
        self.take(record, slot, name)

    def take(self, record: Record, slot: int, name: bytes) -> None:  # noqa: C901  a flat match
        match record.kind, record.mode:
            case Kind.MINUTE, _:
                self.minute(record, name)
            case Kind.LESSON_MINUTE, _:
                if (name, record.slot) in self.said:
                    self.find("minute_doubled", record.slot, name)
                self.said[name, record.slot], self.delivered[name, record.slot] = record.seq, record.credit_ms
            case Kind.LEASE | Kind.LEASE_END, _:
                self.leases.take(name, record.slot, [(record.kind, record.subject + record.session)])
            case Kind.ERASED | Kind.DELETION, _:
                self.erased.take(name, slot, record)
            case Kind.LESSON_EVENT, mode if mode == ENDED:
                self.ends[name] = record.slot
                self.steps.take(name, record)
            case Kind.LESSON_ACT, _:
                self.steps.take(name, record)
                if record.resource != name:
                    self.find("minute_wrong", record.slot, name, record.subject)
            case Kind.CHALLENGE_SEED | Kind.CHALLENGE_OUTCOME, _:
                self.challenges.take(slot, name, record)
            case Kind.LESSON | Kind.IDENTITY, _:
                self.roll.take(name, record)
            case Kind.SETTLEMENT, _:
                self.settlements.take(name, record)
            case Kind.SCHEME | Kind.TRAINING_CLASS, _:
                self.schemes.take(name, record)
                self.settlements.take(name, record)
            case Kind.PAGE_KEY, _:
                self.pages.take(name, record)
            case Kind.CORRECTION, mode if mode == CHANGED:
                self.corrections.append((name, record))

    def minute(self, record: Record, name: bytes) -> None:
        people = self.minutes.get((name, record.slot), frozenset())
        if record.subject in people:
            self.find("minute_doubled", record.slot, name, record.subject)
        if not isinstance(people, set):
            people = self.minutes[name, record.slot] = set(people)
        people.add(record.subject)
        if record.resource != name or record.credit_ms > MINUTE_MS or record.evidence == NO_HASH:
            self.find("minute_wrong", record.slot, name, record.subject)
        self.earned.add_one(name, record.slot, record.subject + record.session, record.credit_ms)

    def details(self, record: Record, shown: bytes, name: bytes) -> None:
        """What stands behind a minute's digest says the same as its record."""
        try:
            told = said(record.flags, record.subject, shown)
        except Refused:
            self.find("minute_wrong", record.slot, name, record.subject)
            return
        if (told.credit_ms, told.epoch) != (record.credit_ms, int.from_bytes(record.session, "big")):
            self.find("minute_wrong", record.slot, name, record.subject)
        self.told.append((name, record, told.delivered_ms))

    def find(self, code: str, slot: int, lesson: bytes = b"", person: bytes = b"") -> None:
        number, seat = self.lessons.get(lesson, -1), self.seats.get(person, -1)
        self.findings.append(Finding(slot, number, seat, code))


def _credit_ms(raw: bytes) -> int:
    return int.from_bytes(raw[35:39], "big")
