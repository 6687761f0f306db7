"""Decides what challenges left of recorded minutes, and whether they came as they must, from the log alone. Pure.

What counts is the rule of vouched.py, when somebody is asked that of schedule.py, from the seed that the log was
committed to before the lesson and that the package shows after it.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from server.verify.bundle import Bundle, GroupPart, evidence_of
from server.verify.formats import (
    COMMITTED,
    ID_BYTES,
    NO_ID,
    RECORD_BYTES,
    REVEALED,
    Kind,
    Leaf,
    LeafFlag,
    Record,
    read_leaf,
    read_record,
)
from server.verify.minutes import MINUTE_MS, credited
from server.verify.schedule import SEED_BYTES, Off, Rule, off_schedule, out_of_order
from server.verify.tree import Refused
from server.verify.vouched import Happened, Outcome, Span, between, is_waiting, vouch

#: a seed is in the log so many minutes after the last minute of its lesson at the latest
SHOWN_WITHIN: Final = 5
#: a minute is stored so long after it ends, and a store that hangs is first missed up to a minute before that
HINDERED_AFTER_MS: Final = 90_000 - MINUTE_MS
#: lesson, trainee
Pair = tuple[bytes, bytes]
#: code, minute, lesson, trainee
Wrong = tuple[str, int, bytes, bytes]

CODES: Final = {
    Off.ORDER: "challenge_wrong",
    Off.SHIFTED: "challenge_shifted",
    Off.SKIPPED: "challenge_skipped",
}


@dataclass(slots=True)
class Lesson:
    """What the log says of a lesson with challenges: seeds with the minute of their leaf, steps by trainee; in which
    leaf each of its minutes is; when nothing could be stored.
    """

    seeds: list[tuple[int, Record]] = field(default_factory=list)
    steps: dict[bytes, list[Record]] = field(default_factory=dict)
    leaves: dict[int, int] = field(default_factory=dict)
    hindered: list[Span] = field(default_factory=list)
    recorded: dict[bytes, list[Span]] = field(default_factory=dict)

    @property
    def rule(self) -> Rule:
        """By which its trainees are asked."""
        _, first = self.seeds[0]
        return Rule(first.flags * 1000, first.credit_ms)


@dataclass(frozen=True, slots=True)
class Judged:
    """`left`: recorded milliseconds that do not count, by lesson, trainee and minute; what is `wrong`; how many
    challenges were `delayed` while nothing could be stored, which is no fault of theirs.
    """

    left: Mapping[tuple[bytes, bytes, int], int]
    wrong: tuple[Wrong, ...]
    delayed: int


@dataclass
class Challenges:
    """Taken record by record, then judged."""

    lessons: dict[bytes, Lesson] = field(default_factory=dict)

    def take(self, slot: int, name: bytes, record: Record) -> None:
        """A record of challenges of a lesson in the leaf of this minute."""
        lesson = self.lessons.setdefault(name, Lesson())
        if record.kind == Kind.CHALLENGE_SEED:
            lesson.seeds.append((slot, record))
        else:
            lesson.steps.setdefault(record.subject, []).append(record)

    def judged(self, bundle: Bundle, shown: Mapping[bytes, bytes], ended: Mapping[bytes, int], until: int) -> Judged:
        """`shown` are texts by their SHA-256, `ended` is when lessons ended, `until` the newest minute of the log."""
        _read_minutes(bundle, self.lessons)
        left, wrong, delayed = dict[tuple[bytes, bytes, int], int](), list[Wrong](), 0
        for name, lesson in self.lessons.items():
            for steps in lesson.steps.values():
                steps.sort(key=lambda one: one.seq)
            wrong += [("challenge_wrong", at, name, who) for at, who in _contradicting(lesson)]
            if not lesson.seeds:
                continue
            wrong += [("seed_wrong", at, name, NO_ID) for at in _false_seeds(lesson, shown, ended.get(name), until)]
            left |= _left(name, lesson, name in ended)
            for at, who, off in _off(lesson, shown):
                wrong += [(CODES[off], at, name, who)] if off in CODES else []
                delayed += off is Off.DELAYED
        return Judged(left, tuple(wrong), delayed)


def _contradicting(lesson: Lesson) -> Iterator[tuple[int, bytes]]:
    """Minute and trainee of steps that are missing, without a seed, or made under another limit than its."""
    for person, steps in lesson.steps.items():
        numbered = [one.seq for one in steps] == list(range(1, len(steps) + 1))
        times = [_at_ms(one) for one in steps]
        known = bool(lesson.seeds) and all(
            one.mode in set(Outcome) and one.flags * 1000 == lesson.rule.limit_ms for one in steps
        )
        if not numbered or not known or times != sorted(times):
            yield steps[0].slot, person


def _false_seeds(lesson: Lesson, shown: Mapping[bytes, bytes], ended: int | None, until: int) -> Iterator[int]:
    """The minutes of seeds that were not committed to before the lesson, or not shown as they were after it."""
    (leaf, first), *others = lesson.seeds
    if first.mode != COMMITTED or (lesson.leaves and leaf > lesson.leaves[min(lesson.leaves)]):
        yield first.slot
    for at, (_, one) in enumerate(others):
        same = (one.evidence, one.flags, one.credit_ms) == (first.evidence, first.flags, first.credit_ms)
        early = ended is None or one.slot < ended
        if at or one.mode != REVEALED or not same or early or len(shown.get(one.evidence, b"")) != SEED_BYTES:
            yield one.slot
    if not others and ended is not None and lesson.leaves and until >= max(lesson.leaves.values()) + SHOWN_WITHIN:
        yield ended


def _left(name: bytes, lesson: Lesson, over: bool) -> dict[tuple[bytes, bytes, int], int]:
    """What challenges left of the recorded time of everybody."""
    left: dict[tuple[bytes, bytes, int], int] = {}
    for person, spans in lesson.recorded.items():
        events = _happened(lesson, person)
        found = vouch(tuple(spans), events, lesson.rule.limit_ms, over and not is_waiting(events))
        for start, end in spans:
            minute = start // MINUTE_MS
            counts = sum(b - a for a, b in between(found.confirmed, start, end))
            left[name, person, minute] = left.get((name, person, minute), 0) + end - start - counts
    return left


def _off(lesson: Lesson, shown: Mapping[bytes, bytes]) -> Iterator[tuple[int, bytes, Off]]:
    """Who was asked otherwise than the seed says, as far as it is shown: minute, trainee, how."""
    seed = next((shown.get(one.evidence) for _, one in lesson.seeds if one.mode == REVEALED), None)
    for person in lesson.recorded.keys() | lesson.steps.keys():
        events = _happened(lesson, person)
        for at_ms in out_of_order(events, lesson.rule):
            yield at_ms // MINUTE_MS, person, Off.ORDER
        if seed is not None:
            spans = tuple(lesson.recorded.get(person, ()))
            for at_ms, off in off_schedule(seed, person.hex(), lesson.rule, spans, events, tuple(lesson.hindered)):
                yield at_ms // MINUTE_MS, person, off


def _happened(lesson: Lesson, person: bytes) -> list[Happened]:
    known = set(Outcome)
    return [Happened(_at_ms(one), Outcome(one.mode)) for one in lesson.steps.get(person, ()) if one.mode in known]


def _at_ms(one: Record) -> int:
    return one.slot * MINUTE_MS + one.credit_ms


def _read_minutes(bundle: Bundle, lessons: Mapping[bytes, Lesson]) -> None:
    """What the minutes of these lessons say."""
    for leaf_part in bundle.leaves:
        for part in (one for one in leaf_part.groups if one.group[:ID_BYTES] in lessons):
            lesson = lessons[part.group[:ID_BYTES]]
            for record, text in _minutes(part):
                if record.kind == Kind.MINUTE:
                    base, spans = record.slot * MINUTE_MS, lesson.recorded.setdefault(record.subject, [])
                    spans += [(base + start, base + end) for start, end in credited(record.flags, text)]
                else:
                    _stored(lesson, record.slot, leaf_part.leaf)
    for lesson in lessons.values():
        for spans in lesson.recorded.values():
            spans.sort()
        lesson.hindered = _joined(lesson.hindered)


def _stored(lesson: Lesson, slot: int, raw: bytes) -> None:
    """In which leaf a lesson's minute is; one that came late or was sealed late could not be stored in time."""
    try:
        leaf: Leaf = read_leaf(raw)
    except Refused:
        return  # named already
    lesson.leaves[slot] = leaf.slot
    if leaf.slot > slot or leaf.flags & LeafFlag.GAP:
        lesson.hindered.append(((slot + 1) * MINUTE_MS + HINDERED_AFTER_MS, leaf.sealed_ms))


def _joined(spans: Iterable[Span]) -> list[Span]:
    """In order, and no two of them overlap."""
    found: list[Span] = []
    for start, end in sorted(spans):
        before = found[-1][1] if found else start
        if end > max(start, before):
            found.append((max(start, before), end))
    return found


def _minutes(part: GroupPart) -> Iterator[tuple[Record, bytes]]:
    """The minutes of a group: of its trainees, and its own."""
    texts: Iterable[bytes] = evidence_of(part.evidence, len(part.records) // RECORD_BYTES)
    for at, text in enumerate(texts):
        raw = part.records[at * RECORD_BYTES : (at + 1) * RECORD_BYTES]
        if raw[0] in (Kind.MINUTE, Kind.LESSON_MINUTE):
            with suppress(Refused):  # named already: its record was changed
                yield read_record(raw), text
