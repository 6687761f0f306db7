"""Decides what challenges left of recorded minutes, from the log's records alone: the rule of vouched.py. Pure."""

from collections.abc import Iterable, Iterator

from server.verify.bundle import Bundle, GroupPart, evidence_of
from server.verify.formats import ID_BYTES, RECORD_BYTES, Kind, Record, read_record
from server.verify.minutes import MINUTE_MS, credited
from server.verify.tree import Refused
from server.verify.vouched import Happened, Outcome, Span, between, is_waiting, vouch

#: what the log says, with the lesson it is of
Said = tuple[bytes, Record]
#: lesson, trainee
Pair = tuple[bytes, bytes]


def uncounted(
    bundle: Bundle, said: Iterable[Said], ended: Iterable[bytes]
) -> tuple[dict[tuple[bytes, bytes, int], int], list[tuple[int, bytes, bytes]]]:
    """Recorded milliseconds that do not count, by lesson, trainee and minute; and which records contradict each other,
    by minute, lesson and trainee: another seed or limit than was committed to, or steps that are missing.
    """
    seeds: dict[bytes, Record] = {}
    steps: dict[Pair, list[Record]] = {}
    wrong: list[tuple[int, bytes, bytes]] = []
    for name, one in said:
        if one.kind == Kind.CHALLENGE_OUTCOME:
            steps.setdefault((name, one.subject), []).append(one)
        elif (known := seeds.setdefault(name, one)).evidence != one.evidence or known.flags != one.flags:
            wrong.append((one.slot, name, one.subject))
    happened: dict[Pair, list[Happened]] = {}
    for (name, person), mine in steps.items():
        mine.sort(key=lambda one: one.seq)
        if name not in seeds or not _follow(mine, seeds[name].flags):
            wrong.append((mine[0].slot, name, person))
        happened[name, person] = [_happened(one) for one in mine if one.mode in set(Outcome)]
    over, left = set(ended), dict[tuple[bytes, bytes, int], int]()
    for (name, person), spans in _recorded(bundle, seeds.keys()).items():
        events = happened.get((name, person), [])
        settled = name in over and not is_waiting(events)
        found = vouch(tuple(sorted(spans)), events, seeds[name].flags * 1000, settled)
        for start, end in spans:
            minute = start // MINUTE_MS
            counts = sum(b - a for a, b in between(found.confirmed, start, end))
            left[name, person, minute] = left.get((name, person, minute), 0) + end - start - counts
    return left, wrong


def _follow(mine: list[Record], limit_s: int) -> bool:
    """Whether no step is missing, none lies before the one before it, and all were made under one limit."""
    times = [_at_ms(one) for one in mine]
    numbered = [one.seq for one in mine] == list(range(1, len(mine) + 1))
    known = all(one.mode in set(Outcome) and one.flags == limit_s for one in mine)
    return numbered and known and times == sorted(times)


def _happened(one: Record) -> Happened:
    return Happened(_at_ms(one), Outcome(one.mode))


def _at_ms(one: Record) -> int:
    return one.slot * MINUTE_MS + one.credit_ms


def _recorded(bundle: Bundle, lessons: Iterable[bytes]) -> dict[Pair, list[Span]]:
    """The recorded spans of trainees in these lessons."""
    wanted, found = set(lessons), dict[Pair, list[Span]]()
    for part in (part for leaf in bundle.leaves for part in leaf.groups if part.group[:ID_BYTES] in wanted):
        for record, text in _minutes(part):
            spans = found.setdefault((part.group[:ID_BYTES], record.subject), [])
            base = record.slot * MINUTE_MS
            spans += [(base + start, base + end) for start, end in credited(record.flags, text)]
    return found


def _minutes(part: GroupPart) -> Iterator[tuple[Record, bytes]]:
    texts = evidence_of(part.evidence, len(part.records) // RECORD_BYTES)
    for at, text in enumerate(texts):
        raw = part.records[at * RECORD_BYTES : (at + 1) * RECORD_BYTES]
        if raw[0] == Kind.MINUTE:
            try:
                yield read_record(raw), text
            except Refused:
                continue  # named already: its record was changed
