"""Decides what holds of evidence and what does not: a walk over all of it that names each fault where it is. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from server.verify.acks import Ack
from server.verify.bulk import Earned, Leases, Whole, column, hashes_of, leases_of, rows, whole_minute
from server.verify.bundle import HINT_BYTES, Bundle, GroupPart, LeafPart, evidence_of, numbers_of, raw_id
from server.verify.challenges import Challenges
from server.verify.corrections import Change, followed
from server.verify.deleted import Deleted, Erased
from server.verify.formats import (
    CHANGED,
    ENDED,
    ID_BYTES,
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
from server.verify.hours import Rules
from server.verify.minutes import MINUTE_MS, said
from server.verify.progress import Progress
from server.verify.receipts import Receipt
from server.verify.report import Finding
from server.verify.seats import Seats
from server.verify.settled import Key, Schemes, cut_ms
from server.verify.settlements import Known, Settlements
from server.verify.sheets import Row, differing
from server.verify.signatures import Pages
from server.verify.tree import HASH_BYTES, Refused, check_inclusion, leaf_hash, root


@dataclass
class Look:
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
    #: the records of challenges, what they left of minutes, and how many came late because nothing could be stored
    challenges: Challenges = field(default_factory=Challenges)
    left: Mapping[tuple[bytes, bytes, int], int] = field(default_factory=dict)
    n_delayed: int = 0
    #: the records of corrections by lesson, and what became of them
    corrections: list[tuple[bytes, Record]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    corrected_ms: dict[tuple[int, int], int] = field(default_factory=dict)
    #: the scheme of the class, and what it takes of what counts
    schemes: Schemes = field(default_factory=Schemes)
    rules: Rules | None = None
    cut_ms: dict[tuple[int, int], int] = field(default_factory=dict)
    settlements: Settlements = field(default_factory=Settlements)
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
        whole = whole_minute(records, texts, slot, name, self.wholes.get(name))
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

    def record(  # noqa: C901  a flat match
        self, raw: bytes, shown: bytes, slot: int, name: bytes, late: bool
    ) -> None:
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

    def ended(self, until: int, progress: Progress) -> None:
        """What can only be told when everything was seen; `until` is the newest minute of the log."""
        for lesson in {name for name, _ in self.said.keys() | self.minutes.keys()}:
            self.lesson(lesson)
        for name, record, ms in self.told:
            if ms != self.delivered.get((name, record.slot), ms):
                self.find("minute_wrong", record.slot, name, record.subject)
        self.earned.done()
        self.erasures()
        for slot, name, person in self.leases.wrong(self.earned):
            self.find("lease_wrong", slot, name, person)
        shown = {sha256(text).digest(): text for text in self.bundle.shown}
        for code, slot, name, person in self.pages.wrong(self.bundle, shown, progress):
            self.find(code, slot, name, person)
        judged = self.challenges.judged(self.bundle, shown, self.ends, until)
        for code, slot, name, person in judged.wrong:
            self.find(code, slot, name, person)
        self.left, self.n_delayed = judged.left, judged.delayed
        for lesson, person, code in self.roll.wrong(self.bundle):
            self.find(code, -1, lesson, person)
        self.corrected()
        self.settled(shown)
        self.judge_settlements(shown)
        self.totals()

    def judge_settlements(self, shown: Mapping[bytes, bytes]) -> None:
        """Each settlement follows from what was known in its minute."""
        homes, erased = {one: home for one, (home, _) in self.roll.lessons.items()}, frozenset(self.erased.counts)
        known = Known(shown, self.left, self.corrections, self.said, self.ends, erased, homes)
        self.settlements.judge(self.bundle, known)
        for one in self.settlements.wrong:
            lesson, seat = self.lessons.get(one.lesson, -1), self.seats.get(one.person, -1)
            self.findings.append(Finding(one.slot, lesson, seat, one.code, one.number))

    def totals(self) -> None:
        """What the file claims is the sum of its minutes."""
        claimed: dict[bytes, dict[bytes, int]] = {}
        for claim in self.bundle.claims:
            claims, person = claimed.setdefault(raw_id(claim.lesson_id), {}), raw_id(claim.person_id)
            claims[person] = claims.get(person, 0) + claim.credit_ms
        for lesson in claimed.keys() | self.earned.credit_ms.keys():
            claims, sums = claimed.get(lesson, {}), self.earned.credit_ms.get(lesson, {})
            if claims == sums and lesson in self.lessons and claims.keys() <= self.seats.keys():
                continue
            for person in claims.keys() | sums.keys():
                known = lesson in self.lessons and person in self.seats
                if not known or claims.get(person, 0) != sums.get(person, 0):
                    self.find("total_wrong", -1, lesson, person)

    def corrected(self) -> None:
        """Each correction begins at what counted until then, and stays within what was delivered."""
        for name, one, follows in followed(self.bundle, self.corrections, self.left):
            if not follows:
                self.find("correction_wrong", one.seq, name, one.subject)
            where = self.lessons.get(name, -1), self.seats.get(one.subject, -1)
            self.changes.append(Change(one.slot, one.seq, *where, one.flags, one.credit_ms))
            self.corrected_ms[where] = self.corrected_ms.get(where, 0) + one.credit_ms - one.flags

    def settled(self, shown: Mapping[bytes, bytes]) -> None:
        """Under which scheme hours are counted, and what it takes."""
        home, slots = self.roll.home(self.bundle), self.said.keys() | self.minutes.keys()
        first = min((slot for _, slot in slots), default=0)
        try:
            self.rules = self.schemes.rules(home, shown, first)
        except Refused:
            self.find("scheme_wrong", -1)
        if self.schemes.doubted(home):
            self.find("scheme_wrong", -1)
        if self.rules is None:
            return
        changes: dict[Key, int] = {key: -ms for key, ms in self.left.items()}
        for name, one in self.corrections:
            key = name, one.subject, one.seq
            changes[key] = changes.get(key, 0) + one.credit_ms - one.flags
        taken = cut_ms(self.bundle, self.rules, self.lessons, slots, self.earned.credit_ms, changes)
        for (name, person), ms in taken.items():
            where = self.lessons.get(name, -1), self.seats.get(person, -1)
            self.cut_ms[where] = self.cut_ms.get(where, 0) + ms

    def told_of_all(self) -> dict[str, Any]:
        """What a report says of the bundle alone, by the names of its fields."""
        return {
            "n_minutes": len(self.leaves),
            "n_records": self.n_records,
            "gaps": tuple(one.slot for one in self.leaves if one.flags & LeafFlag.GAP),
            "clock_wrong": tuple(one.slot for one in self.leaves if one.flags & LeafFlag.CLOCK_WRONG),
            "unended": self.unended(),
            "credit_ms": self.proven(),
            "lessons": self.numbers(),
            "changes": tuple(sorted(self.changes)),
            "corrected_ms": self.corrected_ms,
            "uncounted_ms": self.uncounted(),
            "cut_ms": self.cut_ms,
            "rules": self.rules,
            "n_credited": self.n_credited,
            "n_signed": self.pages.covered(),
            "n_delayed": self.n_delayed,
            "deleted": self.deleted(),
            "untold": self.untold(),
            "unnumbered": tuple(sorted(self.roll.unnumbered(self.bundle))),
            "settled": tuple(sorted(self.settlements.held)),
            "unchecked": tuple(sorted(self.settlements.unchecked)),
        }

    def sheets(self, sheets: Iterable[Iterable[Row]], salts: Mapping[bytes, bytes]) -> int:
        """What sheets say otherwise; and of how many trainees they say the name."""
        proven, left, lessons, names = self.proven(), self.uncounted(), self.numbers(), set[int]()
        for where, ms in self.cut_ms.items():
            left[where] = left.get(where, 0) + ms
        for sheet in sheets:
            for row in differing(sheet, proven, self.corrected_ms, left, lessons, self.rules):
                self.findings.append(Finding(-1, row.lesson or -1, row.seat, "sheet_differs"))
            for person in self.roll.misnamed(self.bundle, sheet, salts):
                self.find("name_wrong", -1, b"", person)
            names |= {row.seat for row in sheet}
        return len(names & {self.seats.get(one, -1) for one in salts.keys() & self.roll.told(self.bundle)})

    def differing_receipts(self, receipts: Iterable[Receipt | Ack]) -> None:
        for one in receipts:
            if bytes.fromhex(one.lesson_id) in self.erased.counts:
                continue  # what it is of was deleted after its time, or is named already
            self.find("receipt_differs", -1, bytes.fromhex(one.lesson_id), bytes.fromhex(one.person_id))

    def proven(self) -> dict[tuple[int, int], int]:
        """Credited milliseconds by lesson number and seat, of those that have one."""
        found: dict[tuple[int, int], int] = {}
        for lesson, sums in self.earned.credit_ms.items():
            for person, ms in sums.items():
                if lesson in self.lessons and person in self.seats:
                    found[self.lessons[lesson], self.seats[person]] = ms
        return found

    def uncounted(self) -> dict[tuple[int, int], int]:
        """What challenges left, by lesson number and seat."""
        found: dict[tuple[int, int], int] = {}
        for (name, person, _), ms in self.left.items():
            where = self.lessons.get(name, -1), self.seats.get(person, -1)
            found[where] = found.get(where, 0) + ms
        return found

    def untold(self) -> tuple[int, ...]:
        """The seats of those who have minutes from before the log was told who they are."""
        first: dict[bytes, int] = {}
        for spans in self.earned.leases.values():
            for holder, (slot, _) in spans.items():
                person = holder[:ID_BYTES]
                first[person] = min(slot, first.get(person, slot))
        return tuple(sorted(self.seats.get(one, -1) for one in self.roll.untold(self.bundle, first)))

    def numbers(self) -> frozenset[int]:
        """The numbers of the lessons of which there is evidence."""
        return frozenset(self.lessons.get(name, -1) for name, _ in self.said)

    def erasures(self) -> None:
        """Nothing is deleted that nobody ordered in time."""
        for slot, name in self.erased.wrong():
            self.find("records_erased", slot, name)

    def deleted(self) -> tuple[Deleted, ...]:
        """What was deleted of which lesson, in order of time."""
        return tuple(sorted(Deleted(at, self.lessons.get(name, -1), count) for at, name, count in self.erased.done()))

    def unended(self) -> tuple[int, ...]:
        """The numbers of lessons of which no end follows the last minute."""
        last = {
            name: max(slot for lesson, slot in self.said if lesson == name) for name in {one for one, _ in self.said}
        }
        found = [name for name, slot in last.items() if not slot <= self.ends.get(name, -1) <= slot + 1]
        return tuple(sorted(self.lessons.get(name, -1) for name in found))

    def lesson(self, lesson: bytes) -> None:
        """Each minute has as many records as it said, and of each hole the first missing minute is named."""
        slots = sorted({slot for name, slot in self.said.keys() | self.minutes.keys() if name == lesson})
        for before, slot in zip([slots[0] - 1, *slots], slots, strict=False):
            if slot != before + 1:
                self.find("minute_missing", before + 1, lesson)
            there = len(self.minutes.get((lesson, slot), ())) + self.erased.minutes.get((lesson, slot), 0)
            if self.said.get((lesson, slot)) != there:
                self.find("minute_missing", slot, lesson)

    def find(self, code: str, slot: int, lesson: bytes = b"", person: bytes = b"") -> None:
        number, seat = self.lessons.get(lesson, -1), self.seats.get(person, -1)
        self.findings.append(Finding(slot, number, seat, code))


def _credit_ms(raw: bytes) -> int:
    return int.from_bytes(raw[35:39], "big")
