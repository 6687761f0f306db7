"""Decides what stood in a minute before it was corrected, as the evidence shows it. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from server.verify.bundle import Bundle, GroupPart
from server.verify.formats import ID_BYTES, RECORD_BYTES, VERSION, Kind, Record, read_record


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """A correction of one minute that somebody approved or objected to: what counted there before and after."""

    at: int
    slot: int
    lesson: int
    seat: int
    before_ms: int
    after_ms: int


def followed(
    bundle: Bundle, corrections: Iterable[tuple[bytes, Record]], uncounted: Mapping[tuple[bytes, bytes, int], int]
) -> Iterator[tuple[bytes, Record, bool]]:
    """Corrections in order of time, each with whether it begins at what counted until then, within what was delivered.

    `uncounted`: what challenges left of recorded minutes, by lesson, trainee and minute.
    """
    known = sorted(corrections, key=lambda pair: pair[1].slot)
    minutes = minutes_of(bundle, {(name, one.seq) for name, one in known})
    counted: dict[tuple[bytes, bytes, int], int] = {}
    for name, one in known:
        key = (name, one.subject, one.seq)
        delivered, credits = minutes.get((name, one.seq), (0, {}))
        before = counted.get(key, credits.get(one.subject, 0) - uncounted.get(key, 0))
        yield name, one, one.flags == before and one.credit_ms <= delivered
        counted[key] = one.credit_ms


def minutes_of(bundle: Bundle, wanted: set[tuple[bytes, int]]) -> dict[tuple[bytes, int], tuple[int, dict[bytes, int]]]:
    """What was delivered in these minutes of lessons, and credited to whom: looked up once more, they are few."""
    found: dict[tuple[bytes, int], tuple[int, dict[bytes, int]]] = {}
    if not wanted:
        return found
    for part in (part for leaf in bundle.leaves for part in leaf.groups):
        name = part.group[:ID_BYTES]
        for one in minutes_in(part):
            if (name, one.slot) not in wanted:
                continue
            delivered, credits = found.setdefault((name, one.slot), (0, {}))
            if one.kind == Kind.LESSON_MINUTE:
                delivered = one.credit_ms
            else:
                credits[one.subject] = credits.get(one.subject, 0) + one.credit_ms
            found[name, one.slot] = (delivered, credits)
    return found


def minutes_in(part: GroupPart) -> Iterator[Record]:
    """The minutes of a group, of its trainees and its own."""
    for at in range(0, len(part.records), RECORD_BYTES):
        raw = part.records[at : at + RECORD_BYTES]
        if raw[0] in (Kind.MINUTE, Kind.LESSON_MINUTE) and raw[1] == VERSION:
            yield read_record(raw)
