"""Decides whether somebody was credited in two lessons at one moment: there is one device, and one lesson at a time.

Two lessons in one minute are honest: who goes from one to the other has a part of it in each. What is credited is told
by the millisecond, so no moment of it is in both. Pure.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from server.verify.bundle import Bundle, GroupPart, evidence_of
from server.verify.formats import ID_BYTES, Kind, read_records
from server.verify.minutes import credited

#: where a credited span begins and ends in its minute, and the lesson
_Span = tuple[int, int, bytes]


def at_once(
    bundle: Bundle, minutes: Mapping[tuple[bytes, int], Collection[bytes]]
) -> Iterator[tuple[int, bytes, bytes]]:
    """(slot, lesson, trainee) of both minutes of which a moment is credited twice.

    `minutes` says who has one, by lesson and slot. Of who has two in one slot the details are read once more.
    """
    shared = _shared(minutes)
    if not shared:
        return
    spans: dict[tuple[int, bytes], list[_Span]] = {}
    for part in (part for leaf in bundle.leaves for part in leaf.groups):
        for slot, person, start, end in _credited(part, shared):
            spans.setdefault((slot, person), []).append((start, end, part.group[:ID_BYTES]))
    for (slot, person), mine in spans.items():
        for lesson in sorted(_overlapping(sorted(mine))):
            yield slot, lesson, person


def _shared(minutes: Mapping[tuple[bytes, int], Collection[bytes]]) -> dict[int, set[bytes]]:
    """Who has more than one minute of a slot."""
    found: dict[int, set[bytes]] = {}
    slots: dict[int, list[Collection[bytes]]] = {}
    for (_, slot), people in minutes.items():
        slots.setdefault(slot, []).append(people)
    for slot, many in slots.items():
        if len(many) > 1:
            known = set[bytes]()
            for people in many:
                if both := known.intersection(people):
                    found.setdefault(slot, set()).update(both)
                known.update(people)
    return found


def _credited(part: GroupPart, people: Mapping[int, Collection[bytes]]) -> Iterator[tuple[int, bytes, int, int]]:
    """Slot, trainee and span of what a group's minutes credit to these people."""
    rows = read_records(part.records)
    texts = evidence_of(part.evidence, len(rows))
    for (kind, _, slot, _, who, _, _, _, _, form, _), text in zip(rows, texts, strict=True):
        if kind == Kind.MINUTE and who in people.get(slot, ()):
            yield from ((slot, who, start, end) for start, end in credited(form, text))


def _overlapping(spans: Sequence[_Span]) -> set[bytes]:
    """The lessons of spans that meet one of another lesson; they are in order."""
    found = set[bytes]()
    until, lesson = 0, b""
    for start, end, name in spans:
        if start < until and name != lesson:
            found |= {name, lesson}
        if end > until:
            until, lesson = end, name
    return found
