"""A minute for one trainee: credit and reasons share what was delivered; and its packed form."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.attendance.intervals import Intervals, union
from server.attendance.minutes import (
    MINUTE_MS,
    SEAL_AFTER_MS,
    Delivered,
    Leases,
    MinuteRecord,
    Presence,
    Reason,
    delivered_ms,
    judge,
    pack,
    slot_of,
    text_of,
    told,
    unpack,
)
from server.verify.minutes import Odd, Seen, Summary, write

ME = "00000000000000aa"
SLOT = 100
BASE = SLOT * 60_000
END = BASE + 60_000


def at(*spans: tuple[int, int]) -> Intervals:
    """Offsets in seconds from the minute's beginning."""
    return tuple((BASE + a * 1_000, BASE + b * 1_000) for a, b in spans)


def seconds(record: MinuteRecord) -> dict[str, float]:
    return {reason.code: ms / 1_000 for reason, ms in record.reasons}


def test_credit_is_front_and_held_and_open() -> None:
    presence = Presence(held=at((10, 60)), front=at((0, 30)), hidden=at((30, 45)))
    record = judge(ME, SLOT, Delivered(at((20, 60))), presence, END)
    assert record.credited == ((20_000, 30_000),)
    assert seconds(record) == {"hidden": 15, "disconnected": 15}
    assert record.delivered_ms == 40_000


def test_time_before_the_lease_was_spent_elsewhere() -> None:
    record = judge(ME, SLOT, Delivered(at((0, 60))), Presence(held=at((45, 60)), front=at((0, 60))), END)
    assert (record.credit_ms, seconds(record)) == (15_000, {"absent": 45})


def test_a_fault_of_ours_is_told_apart_and_credits_nobody() -> None:
    delivered = Delivered(open=at((0, 20), (50, 60)), fault=at((20, 50)))
    presence = Presence(held=at((0, 40)), front=at((0, 30)), hidden=at((30, 40)))
    record = judge(ME, SLOT, delivered, presence, END)
    assert record.credit_ms == 20_000
    assert seconds(record) == {"server_fault": 20, "absent": 20}
    assert delivered_ms(delivered, SLOT) == 60_000


def test_a_break_is_no_reason() -> None:
    record = judge(ME, SLOT, Delivered(at((0, 10))), Presence(held=at((0, 60)), front=at((0, 60))), END)
    assert (record.credit_ms, record.reasons) == (10_000, ())


def test_a_minute_is_judged_only_as_far_as_it_is_known() -> None:
    presence = Presence(held=at((0, 60)), front=at((0, 60)))
    assert judge(ME, SLOT, Delivered(at((0, 60))), presence, BASE + 12_345).credit_ms == 12_345
    assert judge(ME, SLOT, Delivered(at((0, 60))), presence, BASE - 1).delivered_ms == 0


@pytest.mark.parametrize(("ms", "slot"), [(BASE - 1, SLOT - 1), (BASE, SLOT), (END - 1, SLOT), (END, SLOT + 1)])
def test_the_edges_of_a_minute(ms: int, slot: int) -> None:
    assert slot_of(ms) == slot


def test_the_numbers_of_the_reasons_never_change() -> None:
    assert {reason.code: int(reason) for reason in Reason} == {
        "hidden": 1,
        "disconnected": 2,
        "other_device": 3,
        "absent": 4,
        "server_fault": 5,
        "blurred": 6,
        "idle": 7,
        "not_playing": 20,
        "rewatched": 21,
        "too_fast": 22,
    }


def test_what_a_recording_says_of_time_in_front_is_told_after_a_fault_and_before_all_else() -> None:
    whole = ((BASE, END),)
    lost = ((Reason.NOT_PLAYING, ((BASE + 5_000, BASE + 20_000),)), (Reason.TOO_FAST, ((BASE, END + 1),)))
    presence = Presence(((BASE, BASE + 50_000),), ((BASE + 30_000, BASE + 31_000),), whole, lost=lost)
    record = judge(ME, SLOT, Delivered(whole, ((BASE, BASE + 10_000),)), presence, END)
    assert record.credited == ((30_000, 31_000),)
    assert dict(record.reasons) == {
        Reason.SERVER_FAULT: 10_000,
        Reason.NOT_PLAYING: 10_000,
        Reason.TOO_FAST: 29_000,
        Reason.ABSENT: 10_000,
    }


def spelled(delivered: Delivered, presence: Presence, until_ms: int = END) -> tuple[tuple[int, int], ...]:
    """The summary's spells, in seconds."""
    summary = judge(ME, SLOT, delivered, presence, until_ms).summary
    assert summary is not None
    return tuple((state, end // 1_000) for state, end in summary.spells)


def test_a_summary_says_where_the_time_went() -> None:
    presence = Presence(held=at((0, 50)), front=at((0, 10), (35, 60)), hidden=at((10, 20)))
    delivered = Delivered(open=at((0, 25), (30, 60)), fault=at((25, 27)))
    assert spelled(delivered, presence) == (
        (0, 10), (1, 20), (2, 25), (5, 27), (255, 30), (2, 35), (0, 50), (4, 60),
    )  # fmt: skip
    assert spelled(delivered, presence, BASE + 22_000) == ((0, 10), (1, 20), (2, 22))
    assert spelled(Delivered(at((5, 50))), presence) == ((255, 5), (0, 10), (1, 20), (2, 35), (0, 50))
    assert spelled(Delivered(), presence) == ()


def test_a_lesson_that_opens_a_millisecond_late_is_closed_for_a_millisecond() -> None:
    presence = Presence(held=((BASE, END),), front=((BASE, END),))
    summary = judge(ME, SLOT, Delivered(open=((BASE + 1, END),)), presence, END).summary
    assert summary is not None
    assert summary.spells == ((255, 1), (0, 60_000))


def test_what_goes_on_is_one_spell() -> None:
    delivered = Delivered(open=at((0, 20)), fault=at((20, 40), (40, 60)))
    assert spelled(delivered, Presence(held=at((0, 60)))) == ((2, 20), (5, 60))
    assert spelled(Delivered(open=at((0, 60))), Presence(held=at((20, 40)))) == ((4, 20), (2, 40), (4, 60))


def test_time_in_front_that_is_a_fault_of_ours_is_not_credited() -> None:
    presence = Presence(held=at((0, 60)), front=at((0, 60)))
    assert spelled(Delivered(open=at((0, 60)), fault=at((10, 20))), presence) == ((0, 10), (5, 20), (0, 60))


@pytest.mark.parametrize(
    ("leases", "epoch"),
    [
        ((), 0),
        (((BASE - 1, 3),), 3),
        (((BASE - 1, 3), (END - 1, 4)), 4),
        (((BASE - 1, 3), (END, 4)), 3),
        (((END - 1, 4), (BASE - 1, 3)), 4),
    ],
)
def test_a_summary_names_the_newest_lease_before_the_minute_ended(leases: Leases, epoch: int) -> None:
    odd = {SLOT: Odd(refused=2), SLOT + 1: Odd(surplus_ms=9)}
    presence = Presence(held=at((0, 60)), leases=leases, odd=odd)
    summary = judge(ME, SLOT, Delivered(at((0, 60))), presence, END, Seen(1, 2)).summary
    assert summary == Summary(epoch, ((2, 60_000),), Odd(refused=2), Seen(1, 2))


def test_a_minute_is_told_by_its_summary() -> None:
    text = write(Summary(1, ((0, 10), (1, 30), (255, 35), (1, 40), (0, 50), (5, 53), (2, 57))))
    record = told(ME, text)
    assert record.credited == ((0, 10), (40, 50))
    assert record.reasons == ((Reason.HIDDEN, 25), (Reason.DISCONNECTED, 4), (Reason.SERVER_FAULT, 3))
    assert (record.credit_ms, record.delivered_ms, record.text) == (20, 52, text)
    with pytest.raises(ValueError, match="9"):
        told(ME, write(Summary(1, ((9, 10),))))


def test_old_and_new_records_stand_beside_each_other() -> None:
    old = MinuteRecord(ME, ((0, 20_000), (40_000, 60_000)), ((Reason.HIDDEN, 20_000),))
    new = told("00000000000000bb", write(Summary(1, ((0, 60_000),))))
    packed = pack([new, old])
    assert packed.hex() == "00000000000000aa0002" + "0100004e209c40ea60014e20" + "00000000000000bb8008" + new.text.hex()
    assert unpack(packed) == (old, new)
    assert (old.summary, text_of(old), text_of(new)) == (None, packed[:22], new.text)
    many = [told(f"{number:016x}", new.text) for number in range(3)]
    assert unpack(pack(many)) == tuple(many)
    for cut in range(23, len(packed)):
        with pytest.raises((ValueError, struct.error)):
            unpack(packed[:cut])


around = st.integers(BASE - 30_000, END + 30_000)
sets = st.lists(st.tuples(around, around), max_size=5).map(union)


@given(sets, sets, sets, sets, sets, around)
def test_a_minute_always_adds_up(
    opened: Intervals, fault: Intervals, held: Intervals, front: Intervals, hidden: Intervals, until: int
) -> None:
    delivered = Delivered(opened, fault)
    record = judge(ME, SLOT, delivered, Presence(held, front, hidden), until)
    assert 0 <= record.credit_ms <= record.delivered_ms <= 60_000
    assert all(ms > 0 for _, ms in record.reasons)
    whole = judge(ME, SLOT, delivered, Presence(held, front, hidden), END)
    assert whole.delivered_ms == delivered_ms(delivered, SLOT)


people = st.binary(min_size=8, max_size=8).map(bytes.hex)
spans = st.lists(st.tuples(st.integers(0, 60_000), st.integers(0, 60_000)), max_size=70).map(union)
reasons = st.dictionaries(st.sampled_from(Reason), st.integers(1, 60_000)).map(lambda found: tuple(found.items()))
minute_records = st.lists(st.builds(MinuteRecord, people, spans, reasons), max_size=5, unique_by=lambda r: r.person_id)


@given(minute_records)
def test_what_was_packed_comes_back(found: list[MinuteRecord]) -> None:
    assert unpack(pack(found)) == tuple(sorted(found, key=lambda one: one.person_id))


def test_an_ordinary_record_is_small() -> None:
    record = MinuteRecord(ME, ((0, 20_000), (30_000, 60_000)), ((Reason.HIDDEN, 10_000),))
    assert len(pack([record])) == 22


@pytest.mark.parametrize("damage", [lambda raw: raw[:-1], lambda raw: raw + b"\0", lambda raw: raw[:-3] + b"\x63\0\1"])
def test_damaged_bytes_are_refused(damage: object) -> None:
    raw = pack([MinuteRecord(ME, ((0, 1),), ((Reason.HIDDEN, 1),))])
    with pytest.raises((ValueError, struct.error)):
        unpack(damage(raw))  # type: ignore[operator]


def test_a_minute_is_sealed_ninety_seconds_after_its_end() -> None:
    assert (MINUTE_MS, SEAL_AFTER_MS) == (60_000, 90_000)
