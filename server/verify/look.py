"""Decides what follows from all of the evidence together: what is missing, what counts, and what a report says of it.

One record after the other was read before (walk.py). Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from server.verify.acks import Ack
from server.verify.bundle import raw_id
from server.verify.corrections import Change, followed
from server.verify.deleted import Deleted
from server.verify.formats import ID_BYTES, LeafFlag
from server.verify.hours import Rules
from server.verify.once import at_once
from server.verify.progress import Progress
from server.verify.receipts import Receipt
from server.verify.report import Finding
from server.verify.settled import Key, cut_ms
from server.verify.settlements import Known
from server.verify.sheets import Row, differing
from server.verify.tree import Refused
from server.verify.walk import Walk


@dataclass
class Look(Walk):
    """What was walked over, and what follows from it."""

    #: what challenges left of minutes, and how many came late because nothing could be stored
    left: Mapping[tuple[bytes, bytes, int], int] = field(default_factory=dict)
    n_delayed: int = 0
    #: what became of corrections
    changes: list[Change] = field(default_factory=list)
    corrected_ms: dict[tuple[int, int], int] = field(default_factory=dict)
    #: the scheme of the class, and what it takes of what counts
    rules: Rules | None = None
    cut_ms: dict[tuple[int, int], int] = field(default_factory=dict)

    def ended(self, until: int, progress: Progress) -> None:
        """What can only be told when everything was seen; `until` is the newest minute of the log."""
        self.whole()
        self.earned.done()
        self.erasures()
        for code, slot, name, step in self.steps.wrong(self.erased.counts):
            self.findings.append(Finding(slot, self.lessons.get(name, -1), -1, code, step=step))
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

    def whole(self) -> None:
        """Each lesson has all its minutes, as their details say, and nobody was in two at once."""
        slots: dict[bytes, list[int]] = {}
        for name, slot in self.said.keys() | self.minutes.keys():
            slots.setdefault(name, []).append(slot)
        for name, mine in slots.items():
            self.lesson(name, sorted(mine))
        for name, record, ms in self.told:
            if ms != self.delivered.get((name, record.slot), ms):
                self.find("minute_wrong", record.slot, name, record.subject)
        for slot, name, person in at_once(self.bundle, self.minutes):
            self.find("two_lessons", slot, name, person)

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
            "steps": self.acted(),
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

    def acted(self) -> dict[int, int]:
        """How many acts there are of each lesson, by its number."""
        counts = self.steps.counts(self.erased.counts)
        return {self.lessons[name]: count for name, count in sorted(counts.items()) if name in self.lessons}

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
        last: dict[bytes, int] = {}
        for name, slot in self.said:
            last[name] = max(slot, last.get(name, slot))
        found = [name for name, slot in last.items() if not slot <= self.ends.get(name, -1) <= slot + 1]
        return tuple(sorted(self.lessons.get(name, -1) for name in found))

    def lesson(self, lesson: bytes, slots: Sequence[int]) -> None:
        """Each minute has as many records as it said, and of each hole the first missing minute is named."""
        for before, slot in zip([slots[0] - 1, *slots], slots, strict=False):
            if slot != before + 1:
                self.find("minute_missing", before + 1, lesson)
            there = len(self.minutes.get((lesson, slot), ())) + self.erased.minutes.get((lesson, slot), 0)
            if self.said.get((lesson, slot)) != there:
                self.find("minute_missing", slot, lesson)
