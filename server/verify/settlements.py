"""Decides what a settlement (结算) says of a trainee's class, and whether the evidence gives just that. Pure.

A settlement is one record of each trainee of a class (kind 5: subject, `seq` its number, resource the class). Its
digest is of a JSON text that says the scheme and what was made of which lessons under it. What counts is what was
recorded, after challenges, and after the corrections that were in the log by then: of two minutes before, or earlier.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any, Final

from server.verify.bundle import Bundle, GroupPart, evidence_of, raw_id
from server.verify.formats import ID_BYTES, Kind, Record, read_records
from server.verify.hours import Attended, Rules, opened_ms, rules_of, settle
from server.verify.minutes import MINUTE_MS, credited
from server.verify.texts import parsed
from server.verify.tree import Refused

#: what is younger was not in the log yet when a class was settled, and is none of it
KNOWN_MINUTES: Final = 2
NOT_OF_ONE: Final = -1
#: what a settlement says of a class beside its lessons
SUMS: Final = ("class_hours", "remainder_ms", "confirmed_ms", "capped_ms", "short_ms")
#: lesson, trainee, minute
Key = tuple[bytes, bytes, int]


@dataclass(frozen=True, slots=True, order=True)
class Settlement:
    """What a trainee's record of a settlement says, once it was found to be so. `slot` is its minute."""

    number: int
    seat: int
    slot: int
    scheme: str
    class_hours: int
    remainder_ms: int
    confirmed_ms: int


@dataclass(frozen=True, slots=True)
class Wrong:
    """A settlement that does not hold: its minute, its number, whose, and the lesson where it first differs."""

    code: str
    slot: int
    number: int
    person: bytes
    lesson: bytes = b""


@dataclass(slots=True)
class Taught:
    """A lesson as its records say: what was delivered and credited in each minute, when each was first in front."""

    delivered: dict[int, int] = field(default_factory=dict)
    credits: dict[bytes, dict[int, int]] = field(default_factory=dict)
    firsts: dict[bytes, int] = field(default_factory=dict)


def worked_out(rules: Rules, lessons: Mapping[str, Attended]) -> dict[str, Any]:
    """What the rules make of a trainee's lessons, by id, as a settlement says it."""
    found = settle(rules, tuple(lessons.values()))
    numbers = {one.number: (name, one.open_ms) for name, one in lessons.items()}
    each = [
        {**asdict(one), "lesson_id": numbers[one.number][0], "open_ms": numbers[one.number][1]} for one in found.lessons
    ]
    return {**{name: getattr(found, name) for name in SUMS}, "lessons": each}


def text_of(said: Mapping[str, Any]) -> bytes:
    """The text behind the digest: keys in order, no blanks."""
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def read_text(raw: bytes) -> dict[str, Any]:
    """What a text says. Raises Refused unless it is written as `text_of` writes."""
    try:
        said = json.loads(raw.decode())
        same = isinstance(said, dict) and text_of(said) == raw
    except (ValueError, RecursionError) as error:
        raise Refused("a settlement is no JSON") from error
    if not same:
        raise Refused("a settlement is written in another way")
    found: dict[str, Any] = said
    return found


@dataclass(frozen=True, slots=True)
class Known:
    """What the rest of the evidence says: texts by their SHA-256; what challenges left of minutes; corrections; the
    minutes of lessons, and in which they ended; of which lessons something was deleted; whose each is.
    """

    shown: Mapping[bytes, bytes]
    left: Mapping[Key, int]
    corrections: Iterable[tuple[bytes, Record]]
    said: Iterable[tuple[bytes, int]]
    ends: Mapping[bytes, int]
    erased: frozenset[bytes]
    homes: Mapping[bytes, bytes]


@dataclass
class Settlements:
    """Taken record by record, then judged."""

    told: list[tuple[bytes, Record]] = field(default_factory=list)
    #: the digests of published schemes, and in which minute the log was told
    schemes: dict[bytes, int] = field(default_factory=dict)
    wrong: list[Wrong] = field(default_factory=list)
    held: list[Settlement] = field(default_factory=list)
    #: the numbers of settlements that rest on lessons which are not, or not any more, in this evidence
    unchecked: set[int] = field(default_factory=set)

    def take(self, name: bytes, record: Record) -> None:
        """A record of a settlement or of a scheme; others are none of this."""
        if record.kind == Kind.SCHEME:
            self.schemes.setdefault(record.evidence, record.slot)
        elif record.kind == Kind.SETTLEMENT:
            self.told.append((name, record))

    def judge(self, bundle: Bundle, known: Known) -> None:
        """Whether each follows from what was known in its minute, and none is left out."""
        self._strangers(known)
        if not self.told:
            return
        judge = _Judge(bundle, known, self.schemes)
        numbers: dict[bytes, dict[int, dict[bytes, Record]]] = {}
        for name, record in self.told:
            records = numbers.setdefault(name, {}).setdefault(record.seq, {})
            if records.setdefault(record.subject, record) != record:
                self.wrong.append(Wrong("settlement_wrong", record.slot, record.seq, record.subject))
        for name, settled in sorted(numbers.items()):
            if (gap := next(one for one in count(1) if one not in settled)) < max(settled):
                self.wrong.append(Wrong("settlement_missing", NOT_OF_ONE, gap, b""))
            for number, records in sorted(settled.items()):
                self._judge_one(judge, name, number, records)

    def _judge_one(self, judge: "_Judge", name: bytes, number: int, records: Mapping[bytes, Record]) -> None:
        people, missing = set[int](), set[bytes]()
        for person, record in sorted(records.items()):
            try:
                said = judge.text(name, record)
            except Refused:
                self.wrong.append(Wrong("settlement_wrong", record.slot, number, person))
                continue
            people.add(said["people"])
            lessons = frozenset(judge.lessons_of(said))
            if lessons - judge.there and judge.are_of(name, lessons):
                self.unchecked.add(number)
                continue
            missing |= judge.attending(lessons & judge.there) - records.keys()
            differs = judge.differing(record, said, lessons)
            if differs is None:
                self.held.append(judge.held(record, said))
            else:
                self.wrong.append(Wrong("settlement_wrong", record.slot, number, person, differs))
        slot = min(record.slot for record in records.values())
        self.wrong += [Wrong("settlement_missing", slot, number, person) for person in sorted(missing)]
        if people - {len(records)} and not missing:
            self.wrong.append(Wrong("settlement_missing", slot, number, b""))

    def _strangers(self, known: Known) -> None:
        """Texts of settlements that the log was not told of."""
        told = {record.evidence for _, record in self.told}
        for digest, raw in known.shown.items():
            if digest in told or not raw.startswith(b'{"at_ms":'):
                continue
            try:
                said = read_text(raw)
                number, person = said["number"], raw_id(said["person_id"])
            except (Refused, KeyError, TypeError):
                continue
            if type(number) is int:
                self.wrong.append(Wrong("settlement_unknown", NOT_OF_ONE, number, person))


class _Judge:
    """Works settlements out again from the minutes, which are read once more: only where something was settled."""

    def __init__(self, bundle: Bundle, known: Known, schemes: Mapping[bytes, int]) -> None:
        self._known, self._schemes = known, schemes
        self._numbers = {raw_id(one.id): one.number for one in bundle.lessons}
        self._seats = {raw_id(one.id): one.seat for one in bundle.people}
        self.there = frozenset(self._numbers) - known.erased
        self._first, self._last = dict[bytes, int](), dict[bytes, int]()
        for name, slot in known.said:
            self._first[name] = min(slot, self._first.get(name, slot))
            self._last[name] = max(slot, self._last.get(name, slot))
        self._taught = taught_of(bundle, self.there)
        self._changes: dict[tuple[bytes, bytes], list[Record]] = {}
        for name, one in sorted(known.corrections, key=lambda pair: pair[1].slot):
            self._changes.setdefault((name, one.subject), []).append(one)

    def text(self, name: bytes, record: Record) -> dict[str, Any]:
        """What stands behind a record. Raises Refused where that is missing, or of somebody or something else."""
        said = read_text(self._known.shown.get(record.evidence, b""))
        about = (said.get("class_id"), said.get("person_id"), said.get("number"))
        at_ms = said.get("at_ms")
        if about != (name.hex(), record.subject.hex(), record.seq) or record.resource != name:
            raise Refused("a settlement of something else")
        if type(at_ms) is not int or at_ms // MINUTE_MS != record.slot or type(said.get("people")) is not int:
            raise Refused("a settlement of another minute")
        self.lessons_of(said)
        return said

    def lessons_of(self, said: Mapping[str, Any]) -> list[bytes]:
        """The ids of its lessons. Raises Refused."""
        try:
            found = [raw_id(one["lesson_id"]) for one in said["lessons"]]
            same = [one.hex() for one in found] == [one["lesson_id"] for one in said["lessons"]]
        except (KeyError, TypeError) as error:
            raise Refused("a settlement without lessons") from error
        if not same or len(set(found)) != len(found):
            raise Refused("a settlement with a lesson that nobody has")
        return found

    def are_of(self, name: bytes, lessons: Iterable[bytes]) -> bool:
        """Whether the log says of all of these lessons that they are of this class."""
        return all(self._known.homes.get(one) == name for one in lessons)

    def attending(self, lessons: Iterable[bytes]) -> set[bytes]:
        """Whoever has something credited in one of these lessons."""
        return {who for one in lessons for who, ms in self._taught[one].credits.items() if any(ms.values())}

    def held(self, record: Record, said: Mapping[str, Any]) -> Settlement:
        """What a settlement that holds says."""
        sums = (said["class_hours"], said["remainder_ms"], said["confirmed_ms"])
        return Settlement(record.seq, self._seats.get(record.subject, -1), record.slot, said["scheme"], *sums)

    def differing(self, record: Record, said: Mapping[str, Any], lessons: frozenset[bytes]) -> bytes | None:
        """Where a settlement says something else than the evidence gives: a lesson, or b"" as a whole; None nowhere."""
        try:
            rules = self._rules(said, record.slot)
        except (Refused, ValueError, KeyError, TypeError, AttributeError):
            return b""
        if strangers := sorted(lessons - self.there):
            return strangers[0]
        for one in sorted(self.there, key=lambda one: self._numbers[one]):
            first, last = self._first.get(one), self._last.get(one, 0)
            if one in lessons and (first is None or max(last, self._known.ends.get(one, last)) > record.slot):
                return one
            if one not in lessons and first is not None and first < record.slot - KNOWN_MINUTES:
                return one
        made = worked_out(rules, {one.hex(): self._attended(one, record) for one in lessons})
        if text_of({name: said.get(name) for name in made}) == text_of(made):
            return None
        told = {one["lesson_id"]: text_of(one) for one in said["lessons"]}
        others = (one["lesson_id"] for one in made["lessons"] if told[one["lesson_id"]] != text_of(one))
        return bytes.fromhex(next(others, ""))

    def _rules(self, said: Mapping[str, Any], slot: int) -> Rules:
        """By which it was settled: those of a scheme that the log was told of by then."""
        digest = bytes.fromhex(said["scheme_digest"])
        scheme = parsed(self._known.shown[digest])
        if scheme["id"] != said["scheme"] or self._schemes.get(digest, slot + 1) > slot:
            raise Refused("settled under a scheme that the log was not told of")
        return rules_of(parsed(scheme["parameters"]))

    def _attended(self, lesson: bytes, record: Record) -> Attended:
        taught, person = self._taught[lesson], record.subject
        minutes = {
            slot: ms - self._known.left.get((lesson, person, slot), 0)
            for slot, ms in taught.credits.get(person, {}).items()
        }
        for one in self._changes.get((lesson, person), ()):
            if one.slot <= record.slot - KNOWN_MINUTES:
                minutes[one.seq] = one.credit_ms
        open_ms = sum(taught.delivered.values())
        first = taught.firsts.get(person)
        return Attended(self._numbers[lesson], minutes, open_ms, opened_ms(taught.delivered), first)


def taught_of(bundle: Bundle, lessons: frozenset[bytes]) -> dict[bytes, Taught]:
    """What the minutes of these lessons say."""
    found = {name: Taught() for name in lessons}
    for part in (part for leaf in bundle.leaves for part in leaf.groups):
        taught = found.get(part.group[:ID_BYTES])
        if taught is not None:
            _read_minutes(part, taught)
    return found


def _read_minutes(part: GroupPart, taught: Taught) -> None:
    rows = read_records(part.records)
    texts = evidence_of(part.evidence, len(rows))
    for (kind, _, slot, _, who, _, _, _, ms, form, _), text in zip(rows, texts, strict=True):
        if kind == Kind.LESSON_MINUTE:
            taught.delivered[slot] = ms
        elif kind == Kind.MINUTE:
            mine = taught.credits.setdefault(who, {})
            mine[slot] = mine.get(slot, 0) + ms
            base = slot * MINUTE_MS
            if ms and base < taught.firsts.get(who, base + 1):
                spans = credited(form, text)
                if spans:
                    taught.firsts[who] = min(base + spans[0][0], taught.firsts.get(who, base + MINUTE_MS))
