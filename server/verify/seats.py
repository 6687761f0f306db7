"""Decides whether the log knows the file's lessons under their numbers and its trainees on their seats. Pure.

Both are told in the group of the class: which lessons it has, who sits where, and what they are called (identity.py).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from server.verify.bundle import Bundle, raw_id
from server.verify.formats import NO_ID, Kind, Record
from server.verify.identity import digest
from server.verify.sheets import Row

#: a lesson, a trainee (NO_ID: none), and the code of what is wrong
Wrong = tuple[bytes, bytes, str]


@dataclass
class Seats:
    """What was read so far: by lesson its class and the record, by class and trainee the record."""

    lessons: dict[bytes, tuple[bytes, Record]] = field(default_factory=dict)
    people: dict[tuple[bytes, bytes], Record] = field(default_factory=dict)
    #: told twice, and not the same
    doubted: list[Wrong] = field(default_factory=list)

    def take(self, group: bytes, record: Record) -> None:
        """A record of a class. What was told first counts; the same may be told again."""
        if record.kind == Kind.LESSON:
            home, first = self.lessons.setdefault(record.resource, (group, record))
            if (home, first.seq) != (group, record.seq):
                self.doubted.append((record.resource, NO_ID, "lesson_wrong"))
        else:
            first = self.people.setdefault((group, record.subject), record)
            if (first.seq, first.evidence) != (record.seq, record.evidence):
                self.doubted.append((NO_ID, record.subject, "seat_wrong"))

    def wrong(self, bundle: Bundle) -> Iterator[Wrong]:
        """Lessons of another number or class than the log says, and trainees on another seat."""
        yield from self.doubted
        home = self.home(bundle)
        for lesson in bundle.lessons:
            told = self.lessons.get(raw_id(lesson.id))
            if told is not None and (told[0], told[1].seq) != (home, lesson.number):
                yield raw_id(lesson.id), NO_ID, "lesson_wrong"
        for one in bundle.people:
            record = self.people.get((home, raw_id(one.id)))
            if record is not None and record.seq != one.seat:
                yield NO_ID, raw_id(one.id), "seat_wrong"

    def untold(self, bundle: Bundle, first: Mapping[bytes, int]) -> Iterator[bytes]:
        """Trainees of whom the log was not told before the minute that is the first of theirs."""
        home = self.home(bundle)
        for person, slot in first.items():
            record = self.people.get((home, person))
            if record is None or record.slot > slot:
                yield person

    def told(self, bundle: Bundle) -> set[bytes]:
        """Everybody of the class of whom the log was told."""
        home = self.home(bundle)
        return {person for group, person in self.people if group == home}

    def unnumbered(self, bundle: Bundle) -> Iterator[int]:
        """The numbers of lessons of which the log was not told."""
        return (one.number for one in bundle.lessons if raw_id(one.id) not in self.lessons)

    def misnamed(self, bundle: Bundle, rows: Iterable[Row], salts: Mapping[bytes, bytes]) -> Iterator[bytes]:
        """Trainees whom a sheet calls otherwise than the log was told; of those without a salt nothing is said."""
        seats = {one.seat: raw_id(one.id) for one in bundle.people}
        home = self.home(bundle)
        for row in rows:
            person = seats.get(row.seat, NO_ID)
            record, salt = self.people.get((home, person)), salts.get(person)
            if record and salt and digest(salt, row.name, row.id_number) != record.evidence:
                yield person

    def home(self, bundle: Bundle) -> bytes:
        """The class of these lessons, as the log says of the first one."""
        known = (self.lessons.get(raw_id(one.id)) for one in bundle.lessons)
        return next((told[0] for told in known if told is not None), NO_ID)
