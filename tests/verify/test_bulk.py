"""Minutes that their log sealed and signed, but whose details or leases do not bear them out: named where they are."""

from dataclasses import replace
from hashlib import sha256

import pytest

from server.attendance.minutes import MinuteRecord, Reason
from server.ledger import records
from server.ledger.rules import SEAL_AFTER_MS
from server.verify.bulk import Earned, Whole, leases_of, whole_minute
from server.verify.bundle import evidence_of
from server.verify.check import check
from server.verify.formats import Kind, Record
from server.verify.minutes import CLOSED, CREDITED, SUMMARY, Summary, write
from server.verify.report import Finding
from server.verify.tree import Refused
from tests.ledger.world import GENESIS, LESSON
from tests.verify.evidence import PEOPLE, SmallClass, _spent

BOTH_STORES = False
ONLY = {LESSON: 3}
JIA, YI = PEOPLE
PLACE = (3, PEOPLE[JIA])


async def seal(small: SmallClass, slot: int) -> None:
    small.world.to(slot, SEAL_AFTER_MS)
    await small.world.ledger.round()


async def lease(small: SmallClass, slot: int, epoch: int, person_id: str = JIA, kind: Kind = Kind.LEASE) -> None:
    """Say that a lease was granted or ended."""
    said = Record(kind, GENESIS + slot, epoch, bytes.fromhex(person_id), epoch.to_bytes(8, "big"))
    async with small.world.database.write() as connection:
        await records.append(connection, GENESIS + slot, LESSON, [said])


async def found(small: SmallClass) -> list[Finding]:
    return list(check(await small.bundle(ONLY)).findings)


async def test_minutes_under_leases_that_the_log_knows_hold(small: SmallClass) -> None:
    for person in PEOPLE:
        await lease(small, 0, 7, person)
    for slot in range(3):
        await small.spend(LESSON, GENESIS + slot, 7)
        await seal(small, slot)
    await lease(small, 3, 7, JIA, Kind.LEASE_END)
    await seal(small, 3)
    assert await found(small) == []


async def test_a_minute_under_no_lease_is_named(small: SmallClass) -> None:
    await lease(small, 0, 7, YI)
    for slot in range(2):
        await small.spend(LESSON, GENESIS + slot, 7)
        await seal(small, slot)
    assert await found(small) == [Finding(GENESIS, *PLACE, "lease_wrong")]


async def test_minutes_before_a_lease_was_granted_and_after_it_ended_are_named(small: SmallClass) -> None:
    for slot in range(5):
        if slot == 1:
            await lease(small, slot, 7, JIA)
        if slot == 3:
            await lease(small, slot, 7, JIA, Kind.LEASE_END)
        if slot == 0:
            await lease(small, slot, 7, YI)
        await small.spend(LESSON, GENESIS + slot, 7)
        await seal(small, slot)
    assert await found(small) == [Finding(GENESIS + slot, *PLACE, "lease_wrong") for slot in (0, 4)]


async def test_the_earlier_of_two_ends_counts(small: SmallClass) -> None:
    for person in PEOPLE:
        await lease(small, 0, 7, person)
    await lease(small, 0, 7, JIA, Kind.LEASE_END)
    for slot in range(3):
        await small.spend(LESSON, GENESIS + slot, 7)
        await seal(small, slot)
        await lease(small, slot + 1, 7, JIA, Kind.LEASE_END)
    await seal(small, 3)
    assert await found(small) == [Finding(GENESIS + 2, *PLACE, "lease_wrong")]


HIDDEN = ((CREDITED, 20_000), (Reason.HIDDEN, 60_000))


@pytest.mark.parametrize(
    ("spells", "credited"),
    [
        (((CREDITED, 50_000),), ((0, 50_000),)),  # less was delivered than to others
        (((CREDITED, 20_000), (CLOSED, 60_000)), ((0, 20_000),)),
        (((CREDITED, 20_000), (CREDITED, 60_000)), ((0, 60_000),)),
        (HIDDEN, ((0, 60_000),)),  # the record says more than its details
    ],
)
async def test_details_that_do_not_bear_out_their_record_are_named(
    small: SmallClass, spells: tuple[tuple[int, int], ...], credited: tuple[tuple[int, int], ...]
) -> None:
    forged = MinuteRecord(JIA, credited, (), write(Summary(0, spells)))
    await small.spend(LESSON, GENESIS, more=[forged, _spent(YI, GENESIS)])
    await seal(small, 0)
    assert await found(small) == [Finding(GENESIS, *PLACE, "minute_wrong")]


@pytest.mark.parametrize(("flags", "session"), [(SUMMARY, 8), (0, 7), (2, 7)])
async def test_details_of_another_form_or_lease_are_named(small: SmallClass, flags: int, session: int) -> None:
    text = write(Summary(7, ((CREDITED, 60_000),)))
    said = Record(
        Kind.MINUTE, GENESIS, 0, bytes.fromhex(JIA), session.to_bytes(8, "big"), bytes.fromhex(LESSON),
        credit_ms=60_000, flags=flags, evidence=sha256(text).digest(),
    )  # fmt: skip
    small.known.texts[said.evidence] = text
    small.known.credit_ms[LESSON, JIA, GENESIS] = 60_000
    await lease(small, 0, session)
    await small.world.say(0, [said, Record(Kind.LESSON_MINUTE, GENESIS, 1, credit_ms=60_000)])
    await seal(small, 0)
    assert await found(small) == [Finding(GENESIS, *PLACE, "minute_wrong")]


async def test_a_usual_minute_is_taken_at_once_and_an_unusual_one_is_not(small: SmallClass) -> None:
    await small.attend(1, ONLY)
    (part,) = (await small.bundle(ONLY)).leaves[0].groups
    texts, name = evidence_of(part.evidence, 3), bytes.fromhex(LESSON)
    whole = whole_minute(part.records, texts, GENESIS, name)
    assert whole is not None
    assert whole.holders == b"".join(bytes.fromhex(one) + bytes(8) for one in PEOPLE)
    assert whole.people == set(map(bytes.fromhex, PEOPLE))
    assert sorted(whole.credits_ms) == [40_000, 60_000]
    assert whole_minute(part.records, texts, GENESIS, name, whole) == whole
    others = whole._replace(holders=bytes(32), people=frozenset())
    assert whole_minute(part.records, texts, GENESIS, name, others) == whole, "other people were there before"
    assert whole_minute(part.records, texts, GENESIS + 1, name) is None
    assert whole_minute(part.records, texts, GENESIS, bytes(8)) is None
    assert whole_minute(part.records, texts[::-1], GENESIS, name) is None
    assert whole_minute(part.records[73:], texts[1:], GENESIS, name) is None, "the lesson says two"
    assert whole_minute(part.records[:146], texts[:2], GENESIS, name) is None, "the lesson says nothing"
    twice = part.records[:73] * 2 + part.records[146:]
    assert whole_minute(twice, [texts[0]] * 2 + texts[2:], GENESIS, name) is None
    for place in (0, 1, 2, 5, 6, 9, 18, 25, 26, 33, 34, 35, 38, 39, 40, 41, 72):
        for record in (0, 73):
            raw = bytearray(part.records)
            raw[record + place] ^= 1
            assert whole_minute(bytes(raw), texts, GENESIS, name) is None, place


def test_leases_are_taken_at_once_when_they_are_of_the_minute_and_show_nothing() -> None:
    people = [bytes.fromhex(one) for one in PEOPLE]
    kinds = [Kind.MINUTE, Kind.LEASE, Kind.LEASE_END, Kind.LESSON_MINUTE]
    records = [Record(kind, GENESIS, 0, people[kind == Kind.LEASE], bytes(7) + b"\x07") for kind in kinds]
    packed, texts = b"".join(one.pack() for one in records), [b"why", b"", b"", b""]
    taken = [(one.kind, one.subject + one.session) for one in records[1:3]]
    assert leases_of(packed, texts, GENESIS, 1) == taken
    assert leases_of(packed, texts, GENESIS, 2) == taken[1:]
    assert leases_of(packed, texts, GENESIS, 0) == leases_of(packed, texts, GENESIS, 4) == []
    assert leases_of(packed, texts, GENESIS + 1, 1) == [], "of another minute"
    assert leases_of(packed, [*texts[:2], b"why", b""], GENESIS, 1) == [], "something is shown"
    assert leases_of(packed[:74] + b"\x02" + packed[75:], texts, GENESIS, 1) == [], "of another version"


async def test_a_late_minute_of_somebody_new_changes_no_other_minute(small: SmallClass) -> None:
    await small.attend(3, ONLY)
    stranger = Record(Kind.MINUTE, GENESIS, 0, bytes(7) + b"\xa3", resource=bytes.fromhex(LESSON))
    await small.world.say(3, [stranger])
    await seal(small, 3)
    missing = [one for one in await found(small) if one.code == "minute_missing"]
    assert missing == [Finding(GENESIS, 3, -1, "minute_missing")]


def test_of_a_lease_the_first_and_the_last_minute_are_kept_whatever_their_order() -> None:
    lesson, holder, other = bytes.fromhex(LESSON), bytes(7) + b"\xa1" + bytes(7) + b"\x07", bytes(15) + b"\x07"
    earned = Earned()
    for slot in (5, 3, 9, 7):
        earned.add_one(lesson, slot, holder, slot)
    earned.add(lesson, 11, Whole(holder + other, (1, 2), frozenset()))
    earned.add(lesson, 10, Whole(holder + other, (10, 20), frozenset()))
    earned.add(lesson, 2, Whole(other, (200,), frozenset()))
    earned.done()
    assert earned.leases == {lesson: {holder: (3, 11), other: (2, 11)}}
    assert earned.credit_ms == {lesson: {holder[:8]: 35, other[:8]: 222}}


async def test_who_has_a_total_and_no_seat_is_named(small: SmallClass) -> None:
    await small.attend(1, ONLY)
    bundle = await small.bundle(ONLY)
    people = tuple(replace(one, id="") if one.id == JIA else one for one in bundle.people)
    assert Finding(-1, 3, -1, "total_wrong") in check(replace(bundle, people=people)).findings


@pytest.mark.parametrize("seat_id", [JIA.upper(), f" {JIA}", f"p{JIA[1:]}"])
async def test_an_id_is_written_in_one_way(small: SmallClass, seat_id: str) -> None:
    await small.attend(1, ONLY)
    bundle = await small.bundle(ONLY)
    people = tuple(replace(one, id=seat_id) if one.id == JIA else one for one in bundle.people)
    with pytest.raises(Refused):
        check(replace(bundle, people=people))


async def test_a_minute_that_is_shown_twice_counts_as_doubled(small: SmallClass) -> None:
    await small.attend(2, ONLY)
    bundle = await small.bundle(ONLY)
    twice = check(replace(bundle, leaves=(*bundle.leaves, bundle.leaves[0]))).findings
    doubled = [one for one in twice if one.code == "minute_doubled"]
    assert doubled == [Finding(GENESIS, 3, seat, "minute_doubled") for seat in (17, 18, -1)]
