"""Decides what is known of a lesson that is not sealed yet: who held a lease, who was in front, which minute is due.

In memory only and without input or output; the register fills it from the journal, the leases and the spool.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from server.attendance.attention import kept, more
from server.attendance.credit import LONGEST_GAP_MS
from server.attendance.intervals import Intervals, clip, joined, total, union
from server.attendance.minutes import (
    MINUTE_MS,
    SEAL_AFTER_MS,
    Delivered,
    Leases,
    Lost,
    MinuteRecord,
    Presence,
    SealedMinute,
    delivered_ms,
    judge,
    slot_of,
)
from server.attendance.timeline import Phase, Transition, delivered_until
from server.training.rules import AttentionRule
from server.verify.minutes import NOTHING_ODD, UNSEEN, Odd, Seen

#: a page that beat this recently is taken to be still there: what it did since its last beat is not judged yet
PATIENCE_MS: Final = 15_000
#: nobody turns a page to the front more often in a minute; what begins after that is dropped (a record stays small)
MOST_SPANS_PER_MINUTE: Final = 64

#: what media delivered to a trainee in a minute: (lesson, trainee, slot)
Witnessed = Callable[[str, str, int], Seen]


def nobody_saw(_lesson_id: str, _person_id: str, _slot: int) -> Seen:
    """Media say nothing."""
    return UNSEEN


@dataclass(slots=True)
class PersonBook:
    """One trainee: closed holds, the open hold's start, and the unsealed milliseconds in front and hidden."""

    holds: Intervals = ()
    held_since: int | None = None
    front: Intervals = ()
    hidden: Intervals = ()
    reached_ms: int = 0
    visible: bool = False
    sealed_credit_ms: int = 0
    version: int = 0
    leases: Leases = ()
    odd: dict[int, Odd] = field(default_factory=dict)
    lost: Lost = ()

    def presence(self, now_ms: int) -> Presence:
        """Everything known by `now_ms`."""
        running = ((self.held_since, now_ms),) if self.held_since is not None else ()
        return Presence(union(self.holds, running), self.front, self.hidden, self.leases, self.odd, self.lost)

    def forget_sealed(self, slot: int) -> None:
        """Minutes before `slot` are stored: drop what they were made from."""
        floor = slot * MINUTE_MS
        self.front = clip(self.front, floor, self.reached_ms)
        self.hidden = clip(self.hidden, floor, self.reached_ms)
        self.lost = kept(self.lost, floor, self.reached_ms)
        self.holds = clip(self.holds, floor, max(floor, self.holds[-1][1])) if self.holds else ()
        self.forget_notes(slot)

    def forget_notes(self, slot: int) -> None:
        """What only minutes before `slot` needed; the newest lease from before may still hold."""
        older = [one for one in self.leases if one[0] < slot * MINUTE_MS]
        self.leases = tuple(one for one in self.leases if one not in older[:-1])
        self.odd = {at: odd for at, odd in self.odd.items() if at >= slot}


@dataclass(slots=True)
class LessonBook:
    """One lesson."""

    lesson_id: str
    transitions: tuple[Transition, ...] = ()
    ended: bool = False
    outages: Intervals = ()
    next_slot: int | None = None
    people: dict[str, PersonBook] = field(default_factory=dict)
    version: int = 0
    #: an event of this moment is on its way to the store: whether the lesson is open after it nobody knows yet
    undecided_ms: int | None = None
    _taking: dict[str, int] = field(default_factory=dict)
    _frozen_slot: int = 0
    #: what the class's scheme asks of pages in front; None: nothing
    attention: AttentionRule | None = None

    @property
    def floor_ms(self) -> int:
        """Before this nothing changes any more: those minutes are sealed, or being sealed."""
        sealed = self.next_slot or 0
        return (sealed if sealed > self._frozen_slot else self._frozen_slot) * MINUTE_MS

    def person(self, person_id: str) -> PersonBook:
        """The trainee's part, made at the first call."""
        found = self.people.get(person_id)
        if found is None:
            found = self.people[person_id] = PersonBook()
        return found

    def set_timeline(self, transitions: Iterable[Transition], ended: bool, outages: Intervals = ()) -> None:
        """Take the lesson's whole timeline as it is now known, and when no process of ours was there for it."""
        self.transitions, self.ended, self.outages, self.undecided_ms = tuple(transitions), ended, outages, None
        if self.next_slot is None and (first := self.first_slot) is not None:
            self.next_slot = first

    @property
    def first_slot(self) -> int | None:
        """The minute in which the lesson was first open."""
        return next((slot_of(one.at_ms) for one in self.transitions if one.phase is Phase.OPEN), None)

    @property
    def last_slot(self) -> int | None:
        """The minute in which the lesson ended; None while it goes on."""
        return slot_of(self.transitions[-1].at_ms - 1) if self.ended and self.transitions else None

    def delivered(self, now_ms: int) -> Delivered:
        """When the lesson was open before `now_ms`, as far as that is decided."""
        known_ms = now_ms if self.undecided_ms is None else min(now_ms, self.undecided_ms)
        return delivered_until(self.transitions, known_ms)

    def outage_ms(self, since_ms: int, until_ms: int) -> int:
        """For how long in that time we could have heard nobody."""
        return total(clip(self.outages, since_ms, until_ms)) if self.outages else 0

    def hold(self, person_id: str, granted_ms: int, ended_ms: int | None, epoch: int = 0) -> None:
        """A lease was granted in this lesson (and has ended); epoch 0: the log does not know it."""
        person = self.person(person_id)
        person.leases = tuple(sorted({*person.leases, (granted_ms, epoch)}))
        if ended_ms is None:
            person.held_since = granted_ms
        else:
            person.holds = union(person.holds, ((granted_ms, ended_ms),))
        self._changed(person)

    def release(self, person_id: str, at_ms: int) -> None:
        """The running lease of a trainee ended."""
        person = self.person(person_id)
        if person.held_since is not None:
            person.holds = union(person.holds, ((person.held_since, at_ms),))
            person.held_since = None
        person.visible = False
        self._changed(person)

    def touch(self, person_id: str) -> None:
        """Something about the trainee's connection changed."""
        self._changed(self.person(person_id))

    def taking(self, person_id: str, since_ms: int) -> None:
        """A beat about the time from `since_ms` on is on its way to the disk: until `took`, that time is not sealed."""
        self._taking[person_id] = since_ms

    def took(self, person_id: str) -> None:
        """The beat is on disk, or will not be."""
        del self._taking[person_id]

    def add(self, person_id: str, front: Intervals, hidden: Intervals, reached_ms: int, lost: Lost = ()) -> None:
        """What a beat was worth, and why not more; minutes that are sealed already never change."""
        person, floor = self.person(person_id), self.floor_ms
        if front:
            person.front = at_most(joined(person.front, clip(front, floor, reached_ms)))
        if hidden:
            person.hidden = at_most(joined(person.hidden, clip(hidden, floor, reached_ms)))
        if reached_ms > person.reached_ms:
            person.reached_ms = reached_ms
        person.visible = (front[-1][1] if front else 0) > (hidden[-1][1] if hidden else 0)
        if lost:
            person.lost = tuple(
                (why, at_most(spans)) for why, spans in more(person.lost, kept(lost, floor, reached_ms))
            )
            person.visible = person.visible or max(spans[-1][1] for _, spans in lost) == reached_ms
        self._changed(person)

    def odd(self, person_id: str, slot: int) -> Odd:
        """What was odd about a trainee's minute until now."""
        return self.person(person_id).odd.get(slot, NOTHING_ODD)

    def note(self, person_id: str, slot: int, odd: Odd) -> None:
        """So much is odd about a trainee's minute, all told; said twice it is the same."""
        if odd is not NOTHING_ODD and slot * MINUTE_MS >= self.floor_ms:
            self.person(person_id).odd[slot] = Odd(*map(max, odd, self.odd(person_id, slot)))

    def due(self, now_ms: int) -> list[int]:
        """The minutes that can be sealed now, in order."""
        if self.next_slot is None or self.first_slot is None or self._returning(now_ms):
            return []
        newest = (now_ms - SEAL_AFTER_MS) // MINUTE_MS - 1
        if self.last_slot is not None:
            newest = min(newest, self.last_slot)
        if self._taking:
            newest = min(newest, slot_of(min(self._taking.values())) - 1)
        if self.undecided_ms is not None:
            newest = min(newest, slot_of(self.undecided_ms) - 1)
        return list(range(self.next_slot, newest + 1))

    @contextmanager
    def frozen(self, slots: Iterable[int]) -> Iterator[None]:
        """While these minutes are judged and stored, a beat that comes meanwhile adds nothing to them."""
        self._frozen_slot = max((slot + 1 for slot in slots), default=0)
        try:
            yield
        finally:
            self._frozen_slot = 0

    def forget_before(self, ms: int) -> None:
        """A lesson that has not begun needs nobody's past: waiting in front of the door must not fill the memory."""
        if self.first_slot is not None:
            return
        for person in self.people.values():
            for name in ("front", "hidden", "holds"):
                found: Intervals = getattr(person, name)
                setattr(person, name, tuple(one for one in found if one[1] > ms))
            person.lost = kept(person.lost, ms, max(ms, person.reached_ms))
            person.forget_notes(slot_of(ms))

    def judge_slot(
        self,
        slot: int,
        now_ms: int,
        final: bool = True,
        witnessed: Witnessed = nobody_saw,
        only: Collection[str] | None = None,
    ) -> SealedMinute:
        """The minute for everybody (or `only` these) who held a lease in it; `final` when it is to be stored."""
        people = self.people
        if only is not None:
            people = {person_id: people[person_id] for person_id in only if person_id in people}
        delivered = self.delivered(now_ms)
        start, end = slot * MINUTE_MS, (slot + 1) * MINUTE_MS
        records = [
            judge(
                person_id,
                slot,
                delivered,
                presence,
                end if final else self._known_ms(person, now_ms),
                witnessed(self.lesson_id, person_id, slot),
            )
            for person_id, person in people.items()
            if clip((presence := person.presence(now_ms)).held, start, end)
        ]
        return SealedMinute(slot, delivered_ms(delivered, slot), tuple(records))

    def sealed(self, minute: SealedMinute) -> None:
        """The minute is stored: drop what it was made from. Told twice, it counts once."""
        if self.next_slot is not None and minute.slot < self.next_slot:
            return
        self.next_slot = minute.slot + 1
        for record in minute.records:
            person = self.person(record.person_id)
            person.sealed_credit_ms += record.credit_ms
        for person in self.people.values():
            person.forget_sealed(self.next_slot)
            self._changed(person)

    def unsealed(self, person_id: str, now_ms: int) -> tuple[tuple[int, MinuteRecord], ...]:
        """The trainee's minutes that are not sealed yet with their slots, each as far as it is known."""
        if self.next_slot is None or self.first_slot is None:
            return ()
        person = self.person(person_id)
        until = self._known_ms(person, now_ms)
        last = slot_of(until - 1)
        if self.last_slot is not None:
            last = min(last, self.last_slot)
        delivered, presence = self.delivered(now_ms), person.presence(now_ms)
        slots = range(self.next_slot, last + 1)
        return tuple((slot, judge(person_id, slot, delivered, presence, until)) for slot in slots)

    def credit_ms(self, person_id: str, now_ms: int) -> int:
        """What the trainee has in the whole lesson so far."""
        sealed = self.person(person_id).sealed_credit_ms
        return sealed + sum(record.credit_ms for _, record in self.unsealed(person_id, now_ms))

    def finished(self) -> bool:
        """Whether the lesson has ended and every minute of it is sealed."""
        return self.ended and (
            self.next_slot is None or (self.last_slot is not None and self.next_slot > self.last_slot)
        )

    def _returning(self, now_ms: int) -> bool:
        """Whether pages are on their way back to us after a fault: what they say of before is awaited."""
        since_ms, back_ms = self.outages[-1] if self.outages else (0, 0)
        return back_ms - since_ms > LONGEST_GAP_MS and now_ms - back_ms < PATIENCE_MS

    def _known_ms(self, person: PersonBook, now_ms: int) -> int:
        """Up to when the trainee's time can be told: a page that beat lately has not yet said what it does now."""
        patient = person.held_since is not None and now_ms - person.reached_ms < PATIENCE_MS
        return person.reached_ms if patient else now_ms

    def _changed(self, person: PersonBook) -> None:
        self.version += 1
        person.version = self.version


def at_most(intervals: Intervals) -> Intervals:
    """Only the first MOST_SPANS_PER_MINUTE intervals that begin in each minute."""
    if len(intervals) <= MOST_SPANS_PER_MINUTE:
        return intervals
    kept: list[tuple[int, int]] = []
    for start, end in intervals:
        full = len(kept) >= MOST_SPANS_PER_MINUTE and slot_of(kept[-MOST_SPANS_PER_MINUTE][0]) == slot_of(start)
        if not full:
            kept.append((start, end))
    return tuple(kept)
