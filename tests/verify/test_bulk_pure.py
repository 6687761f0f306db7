"""Each rule of whole minutes, leases and sums by itself; how a log is held against them: test_bulk.py."""

import struct
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.verify.bulk import HOLDER_BYTES, Earned, Leases, Whole, column, hashes_of, leases_of, rows, whole_minute
from server.verify.formats import Kind, Record, erased, record_hash
from server.verify.minutes import CLOSED, CREDITED, SUMMARY, Summary, write

SLOT = 29_000_000
LESSON, OTHER = b"lesson-1", b"lesson-2"
JIA, YI, BING = b"person-j", b"person-y", b"person-z"
HIDDEN = 1
SUMMARIES = {
    JIA: Summary(7, ((CREDITED, 60_000),)),
    YI: Summary(8, ((HIDDEN, 20_000), (CREDITED, 60_000))),
    BING: Summary(7, ((CREDITED, 60_000),)),
}


def lease_of(epoch: int) -> bytes:
    return epoch.to_bytes(8, "big")


def minute(person: bytes, summary: Summary, credit_ms: int | None = None) -> Record:
    """As an honest log has it."""
    earned = 40_000 if summary.spells[0][0] == HIDDEN else summary.spells[0][1]
    return Record(
        Kind.MINUTE, SLOT, 0, person, lease_of(summary.epoch), LESSON, 1, earned if credit_ms is None else credit_ms,
        SUMMARY, sha256(write(summary)).digest(),
    )  # fmt: skip


def lesson_minute(count: int, delivered_ms: int = 60_000) -> Record:
    return Record(Kind.LESSON_MINUTE, SLOT, count, resource=LESSON, mode=1, credit_ms=delivered_ms)


MINUTES = [minute(one, summary) for one, summary in SUMMARIES.items()]
TEXTS = [*map(write, SUMMARIES.values()), b""]
HOLDERS = JIA + lease_of(7) + YI + lease_of(8) + BING + lease_of(7)


def whole(records: list[Record], texts: list[bytes], before: Whole | None = None) -> Whole | None:
    return whole_minute(b"".join(one.pack() for one in records), texts, SLOT, LESSON, before)


def test_a_usual_minute_says_who_earned_how_much_under_which_lease() -> None:
    expected = Whole(HOLDERS, (60_000, 40_000, 60_000), frozenset({JIA, YI, BING}))
    assert whole([*MINUTES, lesson_minute(3)], TEXTS) == expected
    later = Record(Kind.LEASE_END, SLOT, 7, JIA, lease_of(7))
    assert whole([*MINUTES, later, lesson_minute(3)], [*TEXTS, b""]) == expected, "other records stand between"


def test_a_minute_that_follows_another_of_the_same_holders_has_the_same_people() -> None:
    first = whole([*MINUTES, lesson_minute(3)], TEXTS)
    assert first is not None
    again = whole([*MINUTES, lesson_minute(3)], TEXTS, first)
    assert again is not None
    assert again.people is first.people
    stranger = first._replace(holders=HOLDERS[::-1], people=frozenset())
    assert whole([*MINUTES, lesson_minute(3)], TEXTS, stranger) == first


LESS = Summary(7, ((CREDITED, 50_000),))
OPEN_LESS = Summary(7, ((CREDITED, 50_000), (CLOSED, 55_000), (CREDITED, 60_000)))


@pytest.mark.parametrize(
    ("records", "texts"),
    [
        ([lesson_minute(0)], [b""]),
        ([], []),
        (MINUTES, TEXTS[:3]),
        ([*MINUTES, lesson_minute(3), lesson_minute(3)], [*TEXTS, b""]),
        ([*MINUTES, lesson_minute(2)], TEXTS),
        ([*MINUTES, lesson_minute(4)], TEXTS),
        ([*MINUTES, replace(lesson_minute(3), subject=JIA)], TEXTS),
        ([*MINUTES, replace(lesson_minute(3), slot=SLOT - 1)], TEXTS),
        ([*MINUTES, lesson_minute(3, 59_999)], TEXTS),
        ([minute(JIA, LESS), lesson_minute(1)], [write(LESS), b""]),
        ([minute(JIA, LESS), *MINUTES[1:], lesson_minute(3)], [write(LESS), *TEXTS[1:]]),
        ([minute(JIA, OPEN_LESS, 55_000), lesson_minute(1)], [write(OPEN_LESS), b""]),
        ([*MINUTES, lesson_minute(3)], [b"", *TEXTS[1:]]),
        ([*MINUTES, lesson_minute(3)], [*TEXTS[:2], b"\0\0\0\0\7", b""]),
        ([MINUTES[0], MINUTES[0], lesson_minute(2)], [TEXTS[0], TEXTS[0], b""]),
        ([lesson_minute(3), *MINUTES], [b"", *TEXTS[:3]]),
        ([replace(MINUTES[0], mode=2), *MINUTES[1:], lesson_minute(3)], TEXTS),
        ([replace(MINUTES[0], session=lease_of(8)), *MINUTES[1:], lesson_minute(3)], TEXTS),
        ([replace(MINUTES[0], credit_ms=60_001), *MINUTES[1:], lesson_minute(3)], TEXTS),
        ([replace(MINUTES[0], resource=OTHER), *MINUTES[1:], lesson_minute(3)], TEXTS),
        ([replace(MINUTES[0], flags=0), *MINUTES[1:], lesson_minute(3)], TEXTS),
    ],
)
def test_what_is_not_usual_is_not_taken_at_once(records: list[Record], texts: list[bytes]) -> None:
    assert whole(records, texts) is None


def test_less_than_a_minute_is_usual_where_so_much_was_delivered_to_everybody() -> None:
    found = whole([minute(JIA, LESS), lesson_minute(1, 50_000)], [write(LESS), b""])
    assert found == Whole(JIA + lease_of(7), (50_000,), frozenset({JIA}))


@pytest.mark.parametrize("place", range(73))
def test_every_byte_of_a_minute_counts_but_whose_it_is(place: int) -> None:
    """Who has which lease is held against the leases; two records of one trainee are none."""
    raw = bytearray(b"".join(one.pack() for one in [*MINUTES, lesson_minute(3)]))
    raw[73 + place] ^= 1
    found = whole_minute(bytes(raw), TEXTS, SLOT, LESSON)
    assert (found is None) is (place not in range(10, 18)), place


ROWS = st.lists(st.binary(min_size=5, max_size=5), max_size=40)


@given(ROWS)
def test_rows_are_cut_as_they_stand_behind_each_other(parts: list[bytes]) -> None:
    assert list(rows(b"".join(parts), 5)) == parts


@given(ROWS, st.integers(0, 4))
def test_columns_are_what_stands_below_each_other(parts: list[bytes], begin: int) -> None:
    count = len(parts) * 2 // 3
    found = column(b"".join(parts), 5, count, begin, 5 - begin)
    assert found == b"".join(one[begin:] for one in parts[:count])
    assert column(b"".join(parts), 5, count, begin, 1) == b"".join(one[begin : begin + 1] for one in parts[:count])


def test_rows_that_do_not_come_out_even_are_none() -> None:
    with pytest.raises(struct.error):
        list(rows(bytes(16 * 5 + 4), 5))


@pytest.mark.parametrize("count", [0, 1, 2, 17])
def test_a_record_is_hashed_with_its_salt_and_an_erased_one_as_what_it_was(count: int) -> None:
    salts = [bytes([at]) * 16 for at in range(count)]
    packed = [minute(bytes([at]) * 8, SUMMARIES[JIA]).pack() for at in range(count)]
    hashes = [record_hash(salt, one) for salt, one in zip(salts, packed, strict=True)]
    assert hashes_of(b"".join(salts), b"".join(packed)) == hashes
    for gone in ({0}, {count - 1}, set(range(count))):
        left = [erased(one, at, hashes[at]) if at in gone else one for at, one in enumerate(packed)]
        assert hashes_of(b"".join(salts), b"".join(left)) == hashes


def test_as_many_salts_as_records() -> None:
    with pytest.raises(ValueError, match="zip"):
        hashes_of(bytes(16), MINUTES[0].pack() * 2)


LEASE, END = (Record(kind, SLOT, 7, JIA, lease_of(7)) for kind in (Kind.LEASE, Kind.LEASE_END))
HOLDER = JIA + lease_of(7)


@pytest.mark.parametrize(
    ("records", "texts", "begin", "found"),
    [
        ([LEASE, END], [b"", b""], 0, [Kind.LEASE, Kind.LEASE_END]),
        ([LEASE, END], [b"", b""], 1, [Kind.LEASE_END]),
        ([LEASE, END], [b"why", b""], 1, [Kind.LEASE_END]),
        ([LEASE, END], [b"", b""], 2, []),
        ([LEASE, MINUTES[0], END], [b"", b"why", b""], 0, [Kind.LEASE]),
        ([MINUTES[0], LEASE, END], [b"why", b"", b""], 0, []),
        ([MINUTES[0], LEASE, END], [b"why", b"", b""], 1, [Kind.LEASE, Kind.LEASE_END]),
        ([LEASE, END], [b"why", b""], 0, []),
        ([LEASE, END], [b"", b"why"], 0, []),
        ([replace(LEASE, slot=SLOT + 1), END], [b"", b""], 0, []),
        ([LEASE, replace(END, slot=SLOT - 1)], [b"", b""], 0, []),
        ([LEASE, replace(END, version=2)], [b"", b""], 0, []),
    ],
)
def test_leases_that_are_taken_at_once(
    records: list[Record], texts: list[bytes], begin: int, found: list[Kind]
) -> None:
    packed = b"".join(one.pack() for one in records)
    assert leases_of(packed, texts, SLOT, begin) == [(kind, HOLDER) for kind in found]


@pytest.mark.parametrize("place", [1, 2, 3, 4, 5])
def test_version_and_minute_of_each_lease_count(place: int) -> None:
    raw = bytearray(LEASE.pack() + END.pack())
    raw[73 + place] ^= 1
    assert leases_of(bytes(raw), [b"", b""], SLOT, 0) == []


def of(**granted_ended: tuple[int, ...]) -> Leases:
    known = Leases()
    for slot in granted_ended.get("granted", ()):
        known.take(LESSON, slot, [(Kind.LEASE, HOLDER)])
    for slot in granted_ended.get("ended", ()):
        known.take(LESSON, slot, [(Kind.LEASE_END, HOLDER)])
    return known


@pytest.mark.parametrize(
    ("known", "slots", "wrong"),
    [
        (of(granted=(3,)), [3, 9], []),
        (of(granted=(3,)), [2, 9], [2]),
        (of(granted=(5, 3, 4)), [3], []),
        (of(granted=(3,), ended=(9,)), [3, 9], []),
        (of(granted=(3,), ended=(8,)), [3, 9], [9]),
        (of(granted=(3,), ended=(8,)), [2, 9], [2, 9]),
        (of(granted=(3,), ended=(9, 8, 10)), [9], [9]),
        (of(ended=(1,)), [2, 9], [2]),
        (of(), [2, 9], [2]),
    ],
)
def test_minutes_under_a_lease_that_there_was_not_or_not_then(
    known: Leases, slots: list[int], wrong: list[int]
) -> None:
    earned = Earned()
    for slot in slots:
        earned.add_one(LESSON, slot, HOLDER, 1)
    assert list(known.wrong(earned)) == [(slot, LESSON, JIA) for slot in wrong]


def test_a_lease_is_one_of_its_lesson_and_one_that_is_older_than_the_log_is_not_looked_for() -> None:
    earned = Earned()
    earned.add_one(LESSON, 2, YI + bytes(8), 1)
    earned.add_one(LESSON, 2, BING + lease_of(9), 1)
    earned.add_one(OTHER, 3, HOLDER, 1)
    assert list(of(granted=(1,)).wrong(earned)) == [(2, LESSON, BING), (3, OTHER, JIA)]


def test_sums_and_spans_whatever_the_order_and_the_way() -> None:
    earned, other = Earned(), YI + lease_of(8)
    for slot in (5, 3, 9, 7):
        earned.add_one(LESSON, slot, HOLDER, slot)
    earned.add(LESSON, 11, Whole(HOLDER + other, (1, 2), frozenset()))
    earned.add(LESSON, 12, Whole(HOLDER + other, (3, 4), frozenset()))
    earned.add(LESSON, 10, Whole(HOLDER + other, (10, 20), frozenset()))
    for slot in (10, 8, 9):
        earned.add(OTHER, slot, Whole(HOLDER + other, (1_000, 0), frozenset()))
    earned.add(LESSON, 2, Whole(other, (200,), frozenset()))
    earned.add_one(LESSON, 4, JIA + lease_of(9), 100)
    earned.done()
    earned.done()
    assert earned.leases == {
        LESSON: {HOLDER: (3, 12), other: (2, 12), JIA + lease_of(9): (4, 4)},
        OTHER: {HOLDER: (8, 10), other: (8, 10)},
    }
    assert earned.credit_ms == {LESSON: {JIA: 138, YI: 226}, OTHER: {JIA: 3_000, YI: 0}}


def test_each_holder_has_a_number_of_milliseconds() -> None:
    earned = Earned()
    earned.add(LESSON, 1, Whole(HOLDER, (1, 2), frozenset()))
    with pytest.raises(ValueError, match="zip"):
        earned.done()


def test_a_holder_is_a_trainee_and_a_lease() -> None:
    assert len(HOLDER) == HOLDER_BYTES == 16
