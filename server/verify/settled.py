"""Decides under which scheme a class's hours are counted, as the log was told of it, and what that scheme cuts. Pure.

A package shows the rows of class and scheme (docs/proof.md); the log holds their digests. What it was not told of in
time, and what is not shown, is no rule: then hours are not checked, and it is said so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from server.verify.bundle import Bundle
from server.verify.corrections import minutes_in
from server.verify.formats import ID_BYTES, Kind, Record
from server.verify.hours import Attended, Rules, cuts, day_of, rules_of
from server.verify.texts import parsed
from server.verify.tree import Refused

#: lesson, trainee, minute
Key = tuple[bytes, bytes, int]


@dataclass
class Schemes:
    """What was read so far: of each class what was told of it, and of each group what was told of a scheme."""

    classes: dict[bytes, list[Record]] = field(default_factory=dict)
    schemes: dict[bytes, list[Record]] = field(default_factory=dict)

    def take(self, group: bytes, record: Record) -> None:
        """A record of a class or of a scheme."""
        known = self.classes if record.kind == Kind.TRAINING_CLASS else self.schemes
        known.setdefault(group, []).append(record)

    def doubted(self, home: bytes) -> bool:
        """Whether the log was told of this class, or of a scheme, in two ways: both never change."""
        told = [self.classes.get(home, []), *self.schemes.values()]
        return any(len({one.evidence for one in many}) > 1 for many in told)

    def rules(self, home: bytes, shown: Mapping[bytes, bytes], first: int) -> Rules | None:
        """Those of the class `home`; `shown` are texts by their SHA-256, `first` is the first minute of its lessons.

        Raises Refused for a scheme that no platform publishes.
        """
        bound = _row(self.classes.get(home, []), shown, first)
        name = bound.get("scheme_id")
        if not isinstance(name, str) or bound.get("id") != home.hex():
            return None
        row = _row(self.schemes.get(sha256(name.encode()).digest()[:ID_BYTES], []), shown, first)
        if row.get("id") != name:
            return None
        parameters = parsed(str(row.get("parameters")))
        if not isinstance(parameters, dict):
            raise Refused("a scheme without parameters")
        return rules_of(parameters)


def _row(told: Iterable[Record], shown: Mapping[bytes, bytes], first: int) -> Mapping[str, Any]:
    """What was told first, as it is shown; nothing where it is not, or was told after this minute."""
    record = min(told, key=lambda one: one.slot, default=None)
    if record is None or record.slot > first:
        return {}
    row = parsed(shown.get(record.evidence, b"{}"))
    return row if isinstance(row, dict) else {}


def cut_ms(
    bundle: Bundle,
    rules: Rules,
    numbers: Mapping[bytes, int],
    slots: Iterable[tuple[bytes, int]],
    credit_ms: Mapping[bytes, Mapping[bytes, int]],
    changes: Mapping[Key, int],
) -> dict[tuple[bytes, bytes], int]:
    """What the scheme takes of what counts, by lesson and trainee; lessons have `numbers`.

    `slots` are the minutes of lessons, `credit_ms` the sums by lesson and trainee, `changes` what challenges and
    corrections make of single minutes.
    """
    people = _touched(rules, slots, credit_ms, changes)
    if not people:
        return {}
    minutes: dict[tuple[bytes, bytes], dict[int, int]] = {}
    for part in (part for leaf in bundle.leaves for part in leaf.groups):
        for one in minutes_in(part):
            if one.kind == Kind.MINUTE and one.subject in people:
                mine = minutes.setdefault((part.group[:ID_BYTES], one.subject), {})
                mine[one.slot] = mine.get(one.slot, 0) + one.credit_ms
    for (lesson, person, slot), ms in changes.items():
        if person in people:
            mine = minutes.setdefault((lesson, person), {})
            mine[slot] = max(0, mine.get(slot, 0) + ms)
    return _cut(rules, numbers, people, minutes)


def _cut(
    rules: Rules,
    numbers: Mapping[bytes, int],
    people: Iterable[bytes],
    minutes: Mapping[tuple[bytes, bytes], Mapping[int, int]],
) -> dict[tuple[bytes, bytes], int]:
    lessons = {number: lesson for lesson, number in numbers.items()}
    mine: dict[bytes, list[Attended]] = {person: [] for person in people}
    for (lesson, person), known in minutes.items():
        if lesson in numbers:
            mine[person].append(Attended(numbers[lesson], known, 0, 0, None))
    found: dict[tuple[bytes, bytes], int] = {}
    for person, attended in mine.items():
        for number, each in cuts(rules, attended).items():
            found[lessons[number], person] = sum(one.capped_ms + one.short_ms for one in each.values())
    return found


def _touched(
    rules: Rules,
    slots: Iterable[tuple[bytes, int]],
    credit_ms: Mapping[bytes, Mapping[bytes, int]],
    changes: Mapping[Key, int],
) -> set[bytes]:
    """Of whom the scheme may take something: of everybody where it wants a stretch to last, else of those who may have
    more in a day than its cap.
    """
    if rules.shortest_ms is not None:
        return {person for sums in credit_ms.values() for person in sums} | {person for _, person, _ in changes}
    if rules.daily_cap_ms is None:
        return set()
    days: dict[bytes, set[int]] = {}
    for lesson, slot in slots:
        days.setdefault(lesson, set()).add(day_of(slot))
    most: dict[tuple[int, bytes], int] = {}
    for lesson, sums in credit_ms.items():
        for person, ms in sums.items():
            for day in days.get(lesson, ()):
                most[day, person] = most.get((day, person), 0) + ms
    for (_, person, slot), ms in changes.items():
        day = day_of(slot)
        most[day, person] = most.get((day, person), 0) + max(0, ms)
    return {person for (_, person), ms in most.items() if ms > rules.daily_cap_ms}
