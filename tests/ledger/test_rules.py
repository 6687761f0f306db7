"""A minute's leaf: order, sums, lateness, salts, schemes."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.ledger import rules
from server.ledger.rules import Entry
from server.verify import formats
from server.verify.formats import NO_HASH, Kind, Leaf, LeafFlag, Record
from server.verify.tree import EMPTY

SLOT, GROUP, OTHER = 100, "00000000000000aa", "00000000000000bb"
END = (SLOT + 1) * rules.MINUTE_MS + rules.SEAL_AFTER_MS
KEYS = {bytes([number] * 8).hex(): bytes([number]) * 32 for number in range(10)}


def record(number: int, credit_ms: int = 1000, seq: int = 0) -> Record:
    return Record(Kind.MINUTE, SLOT, seq, bytes([number] * 8), credit_ms=credit_ms)


def entry(number: int, *said: Record, group_id: str = GROUP, slot: int = SLOT) -> Entry:
    return Entry(str(number), slot, group_id, b"".join(one.pack() for one in said))


def leaf(*entries: Entry, at_ms: int = END, offset_ms: float | None = None) -> Leaf:
    return rules.make_minute(SLOT, entries, {GROUP: KEYS, OTHER: KEYS}, NO_HASH, at_ms, offset_ms).leaf


@pytest.mark.parametrize(("after_ms", "due"), [(-1, SLOT - 1), (0, SLOT)])
def test_a_minute_is_due_95_s_after_its_end(after_ms: int, due: int) -> None:
    assert rules.newest_due(END + after_ms) == due


def test_an_empty_minute() -> None:
    made = leaf()
    assert (made.slot, made.flags, made.n_groups, made.n_records, made.credit_ms_total) == (SLOT, 0, 0, 0, 0)
    assert (made.groups_root, made.scheme_hash, made.clock_offset_ms) == (EMPTY, NO_HASH, formats.UNKNOWN_MS)


def test_groups_and_their_sums() -> None:
    said = [entry(2, record(1), record(2, 0)), entry(1, record(3, 500), group_id=OTHER), entry(3, record(4))]
    made = rules.make_minute(SLOT, said, {GROUP: KEYS, OTHER: KEYS}, NO_HASH, END, 12.4)
    groups = [one.group for one in made.groups]
    assert [one.id.hex() for one in groups] == [GROUP, OTHER]
    assert [(one.n_records, one.n_credited, one.credit_ms) for one in groups] == [(3, 2, 2000), (1, 1, 500)]
    assert (made.leaf.n_groups, made.leaf.n_records, made.leaf.credit_ms_total) == (2, 4, 2500)
    assert made.leaf.groups_root == formats.groups_root(groups)
    assert (sorted(made.entries), made.leaf.clock_offset_ms) == (["1", "2", "3"], 12)


@given(st.permutations(range(8)), st.integers(1, 7))
def test_the_order_of_saying_changes_nothing(order: list[int], cut: int) -> None:
    said = [record(number, seq=number % 3) for number in order]
    assert leaf(entry(1, *said[:cut]), entry(2, *said[cut:])) == leaf(entry(1, *sorted(said, key=formats.order_of)))


def test_the_group_is_that_of_the_formats() -> None:
    said = sorted((record(number, number * 10) for number in range(5)), key=formats.order_of)
    hashes = [formats.record_hash(formats.salt_of(KEYS[one.subject.hex()], one.pack()), one.pack()) for one in said]
    made = rules.make_group(GROUP, [one.pack() for one in said], KEYS)
    assert made.group == formats.group_of(bytes.fromhex(GROUP), 0, said, hashes)
    assert made.hints == b"".join(one[:8] for one in hashes)


@given(
    st.lists(st.tuples(st.integers(0, 255), st.integers(0, 2**32 - 1), st.binary(min_size=8, max_size=8)), max_size=9)
)
def test_places_are_those_of_the_formats(said: list[tuple[int, int, bytes]]) -> None:
    made = [Record(kind, SLOT, seq, subject) for kind, seq, subject in said]
    by_formats = [one.pack() for one in sorted(made, key=lambda one: (formats.order_of(one), one.pack()))]
    assert sorted((one.pack() for one in made), key=rules.place_of) == by_formats


def test_late_records_are_marked() -> None:
    assert leaf(entry(1, record(1))).flags == 0
    assert leaf(entry(1, record(1), slot=SLOT - 1)).flags == LeafFlag.LATE
    assert leaf(entry(1, record(1), slot=SLOT - 1), entry(2, record(2), group_id=OTHER)).flags == LeafFlag.LATE


@pytest.mark.parametrize(("late_ms", "flags"), [(rules.GAP_MS, 0), (rules.GAP_MS + 1, LeafFlag.GAP)])
def test_a_minute_that_nobody_sealed_in_time_is_a_gap(late_ms: int, flags: int) -> None:
    assert leaf(at_ms=END + late_ms).flags == flags


@pytest.mark.parametrize(
    ("offset_ms", "flags"),
    [(None, 0), (30_000, 0), (-30_000, 0), (30_001, LeafFlag.CLOCK_WRONG), (-30_001, LeafFlag.CLOCK_WRONG)],
)
def test_a_wrong_clock_is_marked(offset_ms: float | None, flags: int) -> None:
    assert leaf(offset_ms=offset_ms).flags == flags


def test_schemes_are_chained_from_minute_to_minute() -> None:
    said = [replace(record(1), kind=Kind.SCHEME, seq=number, evidence=bytes([number]) * 32) for number in (1, 2)]
    once = hashlib.sha256(NO_HASH + said[0].evidence).digest()
    assert leaf(entry(1, said[0], record(2))).scheme_hash == once
    assert leaf(entry(1, *reversed(said))).scheme_hash == hashlib.sha256(once + said[1].evidence).digest()


def test_what_is_older_than_the_first_minute_goes_into_it() -> None:
    said = [entry(1, slot=5), entry(2, slot=7), entry(3, slot=8)]
    assert rules.by_slot(said, 6, 8) == {6: [said[0]], 7: [said[1]], 8: [said[2]]}


def big(number: int, slot: int, n_records: int, group_id: str = GROUP) -> Entry:
    return Entry(f"{number:016x}", slot, group_id, bytes(n_records * formats.RECORD_BYTES))


def test_what_is_late_waits_for_a_minute_that_has_room_for_it() -> None:
    most = formats.RECORDS_MOST
    timely, late = big(1, 7, most - 10), [big(number, number - 10, 10) for number in range(2, 5)]
    assert rules.by_slot([*late, timely], 7, 8) == {7: [timely, late[0]], 8: late[1:]}
    assert rules.by_slot([*late, timely], 7, 7) == {7: [timely, late[0]]}  # the others wait for the next round
    assert rules.by_slot([big(5, 6, most), big(6, 7, 1)], 7, 8) == {7: [big(6, 7, 1)], 8: [big(5, 6, most)]}
    other = big(7, 3, most, "0" * 16)
    assert rules.by_slot([big(5, 6, most), other], 7, 7) == {7: [other, big(5, 6, most)]}  # each group has its room


def test_only_minutes_are_credit() -> None:
    """A lesson's own record says how much was delivered; that is nobody's."""
    own = formats.Record(formats.Kind.LESSON_MINUTE, SLOT, subject=record(1).subject, credit_ms=60_000)
    made = rules.make_group(GROUP, [record(1, 500).pack(), own.pack()], KEYS).group
    assert (made.n_records, made.n_credited, made.credit_ms) == (2, 1, 500)


def test_one_late_record_among_timely_ones_marks_the_minute() -> None:
    said = [entry(1, record(1)), entry(2, record(2), slot=SLOT - 1)]
    assert leaf(*said).flags & formats.LeafFlag.LATE
    assert leaf(*reversed(said)).flags & formats.LeafFlag.LATE


WIDE = st.sampled_from([0, 1, 255, 256, 2**16, 2**24, 2**31, 2**32 - 1])
EIGHT = st.sampled_from([bytes(8), bytes(7) + b"\1", b"\1" + bytes(7), b"\xff" * 8])
ANY = st.builds(formats.Record, st.integers(1, 3), WIDE, WIDE, EIGHT, EIGHT, EIGHT, st.integers(0, 255))


@given(ANY, ANY)
@example(formats.Record(1, 1, 1, session=b"\xff" * 8), formats.Record(1, 1, 2))
def test_packed_records_stand_in_the_order_of_the_formats(one: formats.Record, other: formats.Record) -> None:
    if formats.order_of(one) != formats.order_of(other):
        before = formats.order_of(one) < formats.order_of(other)
        assert (rules.place_of(one.pack()) < rules.place_of(other.pack())) is before


def test_the_times_are_those_of_the_specification() -> None:
    """A minute; sealed a moment after attendance has sealed it; late a minute later; a clock 30 s off is wrong."""
    times = (rules.MINUTE_MS, rules.SEAL_AFTER_MS, rules.GAP_MS, rules.CLOCK_WRONG_MS)
    assert times == (60_000, 95_000, 60_000, 30_000)
