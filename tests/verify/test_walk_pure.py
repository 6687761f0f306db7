"""Each rule of the walk over leaves, groups and records by itself; how a whole log is walked over: test_check.py."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import pytest

from server.verify.bulk import Earned, Leases
from server.verify.bundle import FORMAT, Bundle, GroupPart, LeafPart, LessonName, Seat, behind_lengths
from server.verify.challenges import Challenges
from server.verify.deleted import Erased
from server.verify.formats import (
    CHANGED,
    ENDED,
    NO_HASH,
    Group,
    Kind,
    Leaf,
    LeafFlag,
    Record,
    group_of,
    groups_root,
    record_hash,
)
from server.verify.minutes import CREDITED, SUMMARY, Summary, write
from server.verify.seats import Seats
from server.verify.settled import Schemes
from server.verify.settlements import Settlements
from server.verify.signatures import Mode, Pages
from server.verify.tree import leaf_hash, nodes, prove_inclusion, root
from server.verify.walk import Walk

SLOT = 29_000_000
LESSON, OTHER, STRANGE = b"lesson-1", b"lesson-2", b"lesson-x"
JIA, YI = b"person-j", b"person-y"
HIDDEN = 1
LEASE = (7).to_bytes(8, "big")
WHOLE = write(Summary(7, ((CREDITED, 60_000),)))
HALF = write(Summary(7, ((CREDITED, 30_000), (HIDDEN, 60_000))))
Said = tuple[Record, bytes]
Found = list[tuple[str, int, int, int]]


def minute(
    person: bytes, text: bytes = WHOLE, credit_ms: int = 60_000, slot: int = SLOT, lesson: bytes = LESSON
) -> Said:
    digest = sha256(text).digest()
    return Record(Kind.MINUTE, slot, 0, person, LEASE, lesson, 1, credit_ms, SUMMARY, digest), text


def lesson_minute(count: int, delivered_ms: int = 60_000, slot: int = SLOT) -> Said:
    return Record(Kind.LESSON_MINUTE, slot, count, resource=LESSON, mode=1, credit_ms=delivered_ms), b""


def hashes_of(said: Sequence[Said]) -> list[bytes]:
    return [record_hash(bytes(16), one.pack()) for one, _ in said]


def group(said: Sequence[Said], name: bytes = LESSON) -> Group:
    return group_of(name, 0, [one for one, _ in said], hashes_of(said))


def part(said: Sequence[Said], of: Group | None = None, at: int = 0) -> GroupPart:
    """As an honest log has it."""
    hashes = hashes_of(said)
    packed = (of or group(said)).pack()
    raw, hints = b"".join(one.pack() for one, _ in said), b"".join(one[:8] for one in hashes)
    return GroupPart(at, packed, (), raw, bytes(16 * len(said)), hints, behind_lengths([text for _, text in said]))


def leaf(slot: int, *groups: Group, flags: int = 0) -> Leaf:
    return Leaf(slot, flags, len(groups), 0, 0, groups_root(groups), NO_HASH, 0, 0)


def walk() -> Walk:
    lessons, people = (
        (LessonName(LESSON.hex(), 3), LessonName(OTHER.hex(), 4)),
        (Seat(JIA.hex(), 17), Seat(YI.hex(), 18)),
    )
    return Walk(Bundle(FORMAT, SLOT, "", lessons, people, (), ()))


def found(walked: Walk) -> Found:
    return [(one.code, one.slot - SLOT, one.lesson, one.seat) for one in walked.findings]


USUAL = [minute(JIA), minute(YI, HALF, 30_000), lesson_minute(2)]


def alone(said: Sequence[Said], flags: int = 0, at: GroupPart | None = None) -> Walk:
    """A log of one minute with one group."""
    walked, of = walk(), group(said)
    packed = leaf(SLOT, of, flags=flags).pack()
    walked.leaf(LeafPart(0, packed, (), (at or part(said),)), 1, leaf_hash(packed))
    return walked


# ---- leaves


def two() -> tuple[list[LeafPart], bytes]:
    """Two minutes of one lesson each, and the root."""
    said = [[minute(JIA, slot=SLOT + at), lesson_minute(1, slot=SLOT + at)] for at in (0, 1)]
    packed = [leaf(SLOT + at, group(one)).pack() for at, one in enumerate(said)]
    node = nodes([leaf_hash(one) for one in packed])
    return [
        LeafPart(at, packed[at], tuple(prove_inclusion(node, at, 2)), (part(one),)) for at, one in enumerate(said)
    ], root([leaf_hash(one) for one in packed])


def test_leaves_that_lead_to_the_root_are_as_they_were_sealed() -> None:
    walked, (parts, top) = walk(), two()
    for one in parts:
        walked.leaf(one, 2, top)
    assert (found(walked), [one.slot - SLOT for one in walked.leaves], walked.seen) == ([], [0, 1], {0, 1})
    assert (walked.n_records, walked.n_credited) == (4, 2)
    assert walked.said == {(LESSON, SLOT): 1, (LESSON, SLOT + 1): 1}
    assert walked.delivered == {(LESSON, SLOT): 60_000, (LESSON, SLOT + 1): 60_000}
    walked.earned.done()
    assert walked.earned.credit_ms == {LESSON: {JIA: 120_000}}


@pytest.mark.parametrize("changed", [{"leaf": b""}, {"path": (bytes(32),)}, {"index": 0}])
def test_a_leaf_that_leads_elsewhere_is_named_and_what_is_in_it_is_looked_at_all_the_same(
    changed: dict[str, object],
) -> None:
    walked, (parts, top) = walk(), two()
    walked.leaf(replace(parts[1], **changed), 2, top)  # type: ignore[arg-type]
    at = 0 if changed.get("index") == 0 else 1
    codes = (
        [("leaf_changed", at, -1, -1)]
        + [("minute_moved", 1, 3, 17)] * (at == 0)
        + [("minute_moved", 1, 3, -1)] * (at == 0)
    )
    assert found(walked) == codes
    assert (walked.leaves, walked.seen, walked.n_records) == ([], {at}, 2)


def test_a_leaf_of_another_minute_and_one_that_stands_twice_are_named() -> None:
    walked, packed = walk(), leaf(SLOT + 1).pack()
    walked.leaf(LeafPart(0, packed, (), ()), 1, leaf_hash(packed))
    assert found(walked) == [("leaf_moved", 0, -1, -1)]
    assert len(walked.leaves) == 1
    walked, (parts, top) = walk(), two()
    walked.leaf(replace(parts[0], groups=()), 2, top)
    walked.leaf(replace(parts[0], groups=()), 2, top)
    assert found(walked) == [("leaf_moved", 0, -1, -1)]


# ---- groups


def test_groups_that_lead_to_their_leaf() -> None:
    said = [minute(JIA), lesson_minute(1)]
    also = [minute(YI, lesson=OTHER), (replace(lesson_minute(1)[0], resource=OTHER), b"")]
    groups = [group(said), group(also, OTHER)]
    node = nodes([leaf_hash(one.pack()) for one in groups])
    parts = [
        replace(part(one, of, at), path=tuple(prove_inclusion(node, at, 2)))
        for at, (one, of) in enumerate(zip((said, also), groups, strict=True))
    ]
    packed = leaf(SLOT, *groups).pack()
    walked = walk()
    walked.leaf(LeafPart(0, packed, (), tuple(parts)), 1, leaf_hash(packed))
    assert (found(walked), walked.n_records, walked.n_credited) == ([], 4, 2)
    for wrong in (replace(parts[0], at=1), replace(parts[0], path=())):
        walked = walk()
        walked.leaf(LeafPart(0, packed, (), (wrong,)), 1, leaf_hash(packed))
        assert found(walked) == [("group_changed", 0, 3, -1)]
        walked = walk()
        walked.group(wrong, None, SLOT)
        assert found(walked) == [], "in a leaf that leads elsewhere it has no place"


def test_a_group_that_cannot_be_read_has_records_all_the_same() -> None:
    walked = alone(USUAL, at=replace(part(USUAL), group=b""))
    assert found(walked)[0] == ("group_changed", 0, -1, -1)
    assert {one[0] for one in found(walked)} == {"group_changed", "minute_wrong"}
    assert walked.n_records == 3


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({}, []),
        ({"n_records": 4}, ["records_changed"]),
        ({"records_root": bytes(32)}, ["records_changed"]),
        ({"n_credited": 1}, ["sum_wrong"]),
        ({"credit_ms": 89_999}, ["sum_wrong"]),
        ({"state": 1}, []),
    ],
)
def test_a_group_says_how_many_records_and_sums_it_has(wrong: dict[str, int], code: list[str]) -> None:
    walked = walk()
    walked.group(part(USUAL, replace(group(USUAL), **wrong)), None, SLOT)  # type: ignore[arg-type]
    assert found(walked) == [(one, 0, 3, -1) for one in code]


def test_what_earned_nothing_is_not_counted_as_credited() -> None:
    hidden = write(Summary(7, ((HIDDEN, 60_000),)))
    walked = alone([minute(JIA), minute(YI, hidden, 0), lesson_minute(2)])
    assert (found(walked), walked.n_records, walked.n_credited) == ([], 3, 1)


def test_a_sum_is_of_every_bit_of_what_its_records_say() -> None:
    walked = alone([minute(JIA, credit_ms=2**24)])
    assert set(found(walked)) == {("minute_wrong", 0, 3, 17)}


def test_of_a_group_of_which_something_was_erased_no_sum_is_expected() -> None:
    gone = Record(Kind.ERASED, SLOT, seq=0, mode=Kind.MINUTE, evidence=b"h" * 32), b""
    of = replace(group([gone, USUAL[1]]), n_credited=2, records_root=root([b"h" * 32, hashes_of(USUAL)[1]]))
    packed = replace(part([gone, USUAL[1]], of), hints=b"h" * 8 + hashes_of(USUAL)[1][:8])
    walked = walk()
    walked.group(packed, None, SLOT)
    assert found(walked) == []
    assert walked.erased.minutes == {(LESSON, SLOT): 1}


# ---- records as they stand


def test_the_record_that_was_changed_is_named_by_whom_it_is_of_and_not_asked_what_it_says() -> None:
    said = [minute(JIA, HALF), USUAL[1], USUAL[2]]
    packed = replace(part(said, group(USUAL)), hints=part(USUAL).hints)
    walked = walk()
    walked.group(packed, None, SLOT)
    assert found(walked) == [("record_changed", 0, 3, 17)]
    assert walked.changed == {(SLOT, LESSON, JIA)}
    assert [record.subject for _, record, _ in walked.told] == [YI]


def test_as_many_hints_as_records() -> None:
    with pytest.raises(ValueError, match="zip"):
        walk().group(replace(part(USUAL), hints=bytes(16)), None, SLOT)


def test_a_record_that_cannot_be_read_is_named_and_is_no_other() -> None:
    walked = walk()
    walked.record(minute(JIA)[0].pack()[:-1], WHOLE, SLOT, LESSON, False)
    assert (found(walked), walked.minutes) == ([("record_changed", 0, 3, 17)], {})


EVENT = Record(Kind.LESSON_EVENT, SLOT, subject=JIA, evidence=sha256(b"why").digest())


@pytest.mark.parametrize(
    ("record", "shown", "codes"),
    [
        (minute(JIA)[0], WHOLE, []),
        (minute(JIA)[0], b"", ["evidence_changed"]),
        (minute(JIA)[0], HALF, ["evidence_changed"]),
        (minute(JIA, HALF)[0], HALF, ["minute_wrong"]),
        (EVENT, b"", []),
        (EVENT, b"why", []),
        (EVENT, b"not", ["evidence_changed"]),
    ],
)
def test_what_is_shown_is_what_was_digested_and_of_minutes_it_must_be(
    record: Record, shown: bytes, codes: list[str]
) -> None:
    walked = walk()
    walked.record(record.pack(), shown, SLOT, LESSON, False)
    assert found(walked) == [(one, 0, 3, 17) for one in codes]


@pytest.mark.parametrize(
    ("moved", "flags", "wrong"),
    [(-1, LeafFlag.LATE, False), (-1, LeafFlag.GAP, True), (-1, 0, True), (1, LeafFlag.LATE, True), (1, 0, True)],
)
def test_only_a_late_leaf_holds_what_is_older_and_none_what_is_newer(moved: int, flags: int, wrong: bool) -> None:
    walked = alone([minute(JIA, slot=SLOT + moved)], flags)
    assert found(walked) == ([("minute_moved", moved, 3, 17)] if wrong else [])


# ---- minutes


def test_a_minute_is_taken_at_once_or_record_by_record_and_never_twice() -> None:
    first = alone([minute(JIA), lesson_minute(1)])
    assert (found(first), [*first.wholes[LESSON].people], first.told) == ([], [JIA], [])
    first.group(part([minute(YI), lesson_minute(1)]), None, SLOT)
    assert found(first) == [("minute_doubled", 0, 3, -1)]
    assert first.minutes == {(LESSON, SLOT): {JIA, YI}}
    first.group(part([minute(JIA)]), None, SLOT)
    assert found(first)[1:] == [("minute_doubled", 0, 3, 17)]
    single = alone([minute(JIA)])
    assert (found(single), single.wholes) == ([], {})
    single.group(part([minute(JIA), lesson_minute(1)]), None, SLOT)
    assert found(single) == [("minute_doubled", 0, 3, 17)]
    single.earned.done()
    assert single.earned.credit_ms == {LESSON: {JIA: 120_000}}


def test_a_lesson_that_only_said_its_minute_has_it_already() -> None:
    walked = alone([lesson_minute(1)])
    walked.group(part([minute(JIA), lesson_minute(1)]), None, SLOT)
    assert (found(walked), walked.wholes) == ([("minute_doubled", 0, 3, -1)], {})


def test_leases_that_stand_behind_a_whole_minute_are_taken_with_it() -> None:
    lease, end = (Record(kind, SLOT, 7, JIA, LEASE) for kind in (Kind.LEASE, Kind.LEASE_END))
    expected = Leases()
    expected.take(LESSON, SLOT, [(Kind.LEASE, JIA + LEASE), (Kind.LEASE_END, JIA + LEASE)])
    walked = alone([minute(JIA), (lease, b""), (end, b""), lesson_minute(1), (EVENT, b"why")])
    assert (found(walked), walked.leases, walked.said) == ([], expected, {(LESSON, SLOT): 1})


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, False),
        ({"credit_ms": 60_001}, True),
        ({"resource": OTHER}, True),
        ({"evidence": NO_HASH}, True),
    ],
)
def test_no_minute_is_longer_than_one_of_another_lesson_or_without_details(
    change: dict[str, object], wrong: bool
) -> None:
    walked, expected = walk(), Earned()
    one = replace(minute(JIA)[0], **change)  # type: ignore[arg-type]
    walked.minute(one, LESSON)
    expected.add_one(LESSON, SLOT, JIA + LEASE, one.credit_ms)
    assert found(walked) == ([("minute_wrong", 0, 3, 17)] if wrong else [])
    assert (walked.minutes, walked.earned) == ({(LESSON, SLOT): {JIA}}, expected)


@pytest.mark.parametrize(
    ("record", "text", "delivered"),
    [
        (minute(JIA)[0], WHOLE, 60_000),
        (minute(JIA)[0], b"\0", None),
        (minute(JIA, credit_ms=59_999)[0], WHOLE, 60_000),
        (replace(minute(JIA)[0], session=bytes(8)), WHOLE, 60_000),
        (replace(minute(JIA)[0], session=LEASE[::-1]), WHOLE, 60_000),
    ],
)
def test_details_say_the_same_as_their_record(record: Record, text: bytes, delivered: int | None) -> None:
    walked = walk()
    walked.details(record, text, LESSON)
    good = record == minute(JIA)[0] and delivered is not None
    assert found(walked) == ([] if good else [("minute_wrong", 0, 3, 17)])
    assert walked.told == ([] if delivered is None else [(LESSON, record, delivered)])


# ---- everything else


def taken(*said: Record) -> Walk:
    walked = walk()
    for one in said:
        walked.record(one.pack(), b"", SLOT, LESSON, True)
    return walked


def test_each_kind_of_record_comes_to_what_judges_it() -> None:
    lease = Record(Kind.LEASE, SLOT - 1, 7, JIA, LEASE)
    leases = Leases()
    leases.take(LESSON, SLOT - 1, [(Kind.LEASE, JIA + LEASE)])
    assert taken(lease).leases == leases
    leases.take(LESSON, SLOT, [(Kind.LEASE_END, JIA + LEASE)])
    assert taken(lease, Record(Kind.LEASE_END, SLOT, 7, JIA, LEASE)).leases == leases
    for kind in (Kind.ERASED, Kind.DELETION):
        erased, record = Erased(), Record(kind, SLOT, mode=1, credit_ms=1)
        erased.take(LESSON, SLOT, record)
        assert taken(record).erased == erased != Erased()
    for kind in (Kind.LESSON, Kind.IDENTITY):
        seats, record = Seats(), Record(kind, SLOT, seq=1, subject=JIA, resource=OTHER)
        seats.take(LESSON, record)
        assert taken(record).roll == seats != Seats()
    for kind in (Kind.SCHEME, Kind.TRAINING_CLASS):
        schemes, record = Schemes(), Record(kind, SLOT)
        schemes.take(LESSON, record)
        assert taken(record).schemes == schemes != Schemes()
    for kind in (Kind.SETTLEMENT, Kind.SCHEME):
        settlements, record = Settlements(), Record(kind, SLOT, 1, JIA)
        settlements.take(LESSON, record)
        assert taken(record).settlements == settlements != Settlements()
    for kind in (Kind.CHALLENGE_SEED, Kind.CHALLENGE_OUTCOME):
        challenges, record = Challenges(), Record(kind, SLOT - 1, 1, JIA)
        challenges.take(SLOT, LESSON, record)
        assert taken(record).challenges == challenges != Challenges()
    pages, record = Pages(), Record(Kind.PAGE_KEY, SLOT, mode=Mode.FRESH)
    pages.take(LESSON, record)
    assert taken(record).pages == pages != Pages()


def test_an_end_is_one_and_a_correction_is_what_was_changed() -> None:
    assert taken(Record(Kind.LESSON_EVENT, SLOT - 1, mode=ENDED)).ends == {LESSON: SLOT - 1}
    assert taken(Record(Kind.LESSON_EVENT, SLOT, mode=ENDED + 1)).ends == {}
    changed = Record(Kind.CORRECTION, SLOT, 1, JIA, mode=CHANGED)
    assert taken(changed, replace(changed, mode=CHANGED + 1)).corrections == [(LESSON, changed)]


def test_what_the_file_has_no_number_for_is_named_without() -> None:
    walked = walk()
    walked.minute(minute(b"stranger", credit_ms=60_001, lesson=STRANGE)[0], STRANGE)
    assert found(walked) == [("minute_wrong", 0, -1, -1)]
