"""Decides whether what happened in a lesson (互动记录) is all there: steps 1, 2, 3 …, each once, in order of time.

Each act of a lesson is one record in its group (kind 23: subject who acted, `seq` the step). The record that ends the
lesson says how many there were by then (`credit_ms`); there may be later ones, of which no record says how many. Pure.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Final

from server.verify.formats import Kind, Record

#: no single minute
ANY: Final = -1
#: code, minute, lesson, step
Wrong = tuple[str, int, bytes, int]


@dataclass
class Steps:
    """Taken record by record, then judged."""

    #: by lesson and step the first minute that was said of it
    slots: dict[bytes, dict[int, int]] = field(default_factory=dict)
    doubled: list[Wrong] = field(default_factory=list)
    #: how many there were when the lesson ended
    by_end: dict[bytes, int] = field(default_factory=dict)

    def take(self, name: bytes, record: Record) -> None:
        """An act, or the end of a lesson."""
        if record.kind == Kind.LESSON_EVENT:
            self.by_end[name] = max(record.credit_ms, self.by_end.get(name, 0))
            return
        slots = self.slots.setdefault(name, {})
        if record.seq in slots:
            self.doubled.append(("step_doubled", record.slot, name, record.seq))
        slots[record.seq] = min(record.slot, slots.get(record.seq, record.slot))

    def counts(self, erased: Collection[bytes]) -> dict[bytes, int]:
        """How many steps each lesson has, of which there are some."""
        return {name: len(slots) for name, slots in self.slots.items() if name not in erased}

    def wrong(self, erased: Collection[bytes]) -> Iterator[Wrong]:
        """Of each hole the first step, steps that stand twice, and steps of a minute before that of an earlier one.

        Of a lesson of which something was `erased` after its time nobody can tell what is missing.
        """
        yield from self.doubled
        for name in self.slots.keys() | self.by_end.keys():
            if name not in erased:
                yield from self._of(name)

    def _of(self, name: bytes) -> Iterator[Wrong]:
        slots, before, newest = self.slots.get(name, {}), 0, 0
        for step in sorted(slots):
            if step != before + 1:
                yield "step_missing", ANY, name, before + 1
            if slots[step] < newest:
                yield "step_moved", slots[step], name, step
            before, newest = step, max(newest, slots[step])
        if before < self.by_end.get(name, 0):
            yield "step_missing", ANY, name, before + 1
