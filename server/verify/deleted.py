"""Decides whether what is deleted had to be kept no longer: ordered in the log, after all of its time. Pure.

Of a deleted record its hash is left, so that everything else is proven as before (formats.erased). What its place says
besides is nobody's word: only the order, which is a record of the same group, and the leaf's own minute count.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from server.verify.formats import KEPT_MINUTES, ORDERED, Kind, Record


@dataclass(frozen=True, slots=True, order=True)
class Deleted:
    """An order to delete records of a lesson: when it was given, and how many it names."""

    slot: int
    lesson: int
    records: int


@dataclass
class Erased:
    """What is left of deleted records, and the orders, by group."""

    #: how many lay in each leaf, by its minute
    counts: dict[bytes, dict[int, int]] = field(default_factory=dict)
    #: how many of a lesson's minute were minutes of trainees
    minutes: dict[tuple[bytes, int], int] = field(default_factory=dict)
    orders: dict[bytes, list[tuple[int, int]]] = field(default_factory=dict)

    def take(self, name: bytes, slot: int, record: Record) -> None:
        """An erased record, or an order, of the leaf of `slot`."""
        if record.kind == Kind.DELETION:
            if record.mode == ORDERED:
                self.orders.setdefault(name, []).append((slot, record.credit_ms))
            return
        counts, minute = self.counts.setdefault(name, {}), (name, record.slot)
        counts[slot] = counts.get(slot, 0) + 1
        if record.mode == Kind.MINUTE:
            self.minutes[minute] = self.minutes.get(minute, 0) + 1

    def wrong(self) -> Iterator[tuple[int, bytes]]:
        """(slot, group) of what nobody ordered, or was ordered before its time."""
        for name, counts in self.counts.items():
            orders = self.orders.get(name, [])
            first = min((slot for slot, _ in orders), default=0)
            early = [slot for slot in sorted(counts) if slot > first - KEPT_MINUTES]
            more = sum(counts.values()) > sum(count for _, count in orders)
            for slot in early or ([min(counts)] if more else ()):
                yield slot, name

    def done(self) -> Iterator[tuple[int, bytes, int]]:
        """(slot, group, records) of each order that was carried out."""
        for name in self.counts:
            for slot, count in self.orders.get(name, ()):
                yield slot, name, count
