"""One outgoing stream whatever its source: sequence, time, cache, reports."""

import pytest
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from media.clock import NTP_FRACTION
from media.slot import MAX_GOP_PACKETS, Arrival, Slot, Sync

KEY, DELTA = b"\x65key", b"\x61delta"


def arrival(sequence: int, timestamp: int = 0, payload: bytes = DELTA, source: object = 1) -> Arrival:
    return Arrival(source, "H264", True, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, payload)


def numbers(slot: Slot, each: Arrival, now: float = 0.0) -> tuple[int, int] | None:
    packet = slot.push(each, now)
    if packet is None:
        return None
    read = RtpPacket.parse(packet)
    assert read.ssrc == slot.ssrc
    return read.sequence_number, read.timestamp


@given(st.integers(0, 0xFFFF), st.permutations(list(range(1, 9))))
def test_order_and_gaps_of_a_source_are_kept(start: int, order: list[int]) -> None:
    slot = Slot("video", 90_000)
    first = numbers(slot, arrival(start))
    assert first is not None
    for offset in order:
        assert numbers(slot, arrival(start + offset, offset * 3_000)) == (
            (first[0] + offset) & 0xFFFF,
            (first[1] + offset * 3_000) & 0xFFFFFFFF,
        )


def test_a_new_source_continues_where_the_last_stopped() -> None:
    slot = Slot("video", 90_000)
    last = numbers(slot, arrival(100, 5_000), now=10.0)
    following = numbers(slot, arrival(60_000, 4_000_000_000, source=2), now=12.0)
    assert last is not None
    assert following == ((last[0] + 1) & 0xFFFF, (last[1] + 180_000) & 0xFFFFFFFF)


@pytest.mark.parametrize("jump", [90_000 * 3_600, -90_000 * 3_600, 0x7FFFFFFF])
def test_a_timestamp_that_jumps_moves_nothing(jump: int) -> None:
    slot = Slot("video", 90_000)
    slot.push(arrival(1, 0, KEY), 10.0)
    last = numbers(slot, arrival(2, 3_000), 10.03)
    assert last is not None
    assert numbers(slot, arrival(3, jump, KEY), 10.08) == (last[0] + 1, (last[1] + 4_500) & 0xFFFFFFFF)
    assert numbers(slot, arrival(4, jump + 3_000), 10.1) == (last[0] + 2, (last[1] + 7_500) & 0xFFFFFFFF)
    assert slot.jumps == 1
    assert len(slot.gop) == 2


def test_a_long_silence_is_no_jump_and_a_clock_that_stood_still_is() -> None:
    slot = Slot("video", 90_000)
    last = numbers(slot, arrival(1, 0), 10.0)
    assert last is not None
    assert numbers(slot, arrival(2, 60 * 90_000), 70.0) == (last[0] + 1, (last[1] + 60 * 90_000) & 0xFFFFFFFF)
    assert slot.jumps == 0
    assert numbers(slot, arrival(3, 60 * 90_000 + 3_000), 130.0) == (
        last[0] + 2,
        (last[1] + 120 * 90_000) & 0xFFFFFFFF,
    )
    assert slot.jumps == 1


def test_duplicates_and_packets_from_before_the_source_are_dropped() -> None:
    slot = Slot("video", 90_000)
    for sequence in (10, 11, 13):
        assert slot.push(arrival(sequence), 0.0) is not None
    assert slot.push(arrival(11), 0.0) is None
    assert slot.push(arrival(9), 0.0) is None
    assert slot.push(arrival(12), 0.0) is not None
    assert slot.push(arrival(12), 0.0) is None
    assert slot.duplicates == 3


def test_the_cache_begins_at_a_keyframe_and_has_an_end() -> None:
    slot = Slot("video", 90_000)
    slot.push(arrival(0, 0), 0.0)
    assert slot.gop == []
    slot.push(arrival(1, 3_000, KEY), 0.0)
    slot.push(arrival(2, 3_000, KEY), 0.0)
    slot.push(arrival(3, 6_000), 0.0)
    assert (len(slot.gop), slot.gop_number) == (3, 1)
    slot.push(arrival(4, 9_000, KEY), 0.0)
    assert (len(slot.gop), slot.gop_number) == (1, 2)
    for offset in range(1, MAX_GOP_PACKETS):
        slot.push(arrival(4 + offset, 9_000 + offset), 0.0)
    assert len(slot.gop) == MAX_GOP_PACKETS
    slot.push(arrival(4 + MAX_GOP_PACKETS, 1), 0.0)
    assert slot.gop == []


def test_silence_forgets_the_picture_but_not_the_numbers() -> None:
    slot = Slot("video", 90_000)
    before = numbers(slot, arrival(1, 0, KEY), now=1.0)
    slot.silence()
    assert not slot.live
    assert slot.gop == []
    after = numbers(slot, arrival(500, 0, KEY), now=2.0)
    assert before is not None
    assert after == ((before[0] + 1) & 0xFFFF, (before[1] + 90_000) & 0xFFFFFFFF)


def test_reports_follow_the_sources_clock() -> None:
    slot = Slot("audio", 48_000)
    first = numbers(slot, arrival(1, 1_000), now=5.0)
    assert first is not None
    assert slot.report(77, 6.0) == (77, (first[1] + 48_000) & 0xFFFFFFFF)
    slot.synchronise(Sync(2, 1, 1), 6.0)
    assert slot.report(77, 6.0)[0] == 77
    slot.synchronise(Sync(1, 10 * NTP_FRACTION, 2_000), 6.0)
    assert slot.report(77, 7.0) == (11 * NTP_FRACTION, (first[1] + 1_000 + 48_000) & 0xFFFFFFFF)


def test_timestamps_run_ahead_of_the_time_by_so_much_and_no_more() -> None:
    slot = Slot("video", 90_000)
    first = numbers(slot, arrival(0, 0, KEY))
    assert first is not None
    for number in range(1, 40):
        last = numbers(slot, arrival(number, number * 9 * 90_000, KEY), now=number * 0.03)
    assert last is not None
    assert (last[1] - first[1]) & 0xFFFFFFFF < 15 * 90_000
    assert slot.jumps


def test_a_clock_that_goes_wrong_by_a_hundredth_is_no_jump() -> None:
    slot = Slot("video", 90_000)
    for number in range(20_000):
        slot.push(arrival(number, round(number * 90_000 * 1.01)), float(number))
        assert slot.jumps == 0


@pytest.mark.parametrize("off", [0x7FFFFFFF, -0x7FFFFFFF, 90_000 * 3_600])
def test_a_report_far_from_the_packets_is_not_believed(off: int) -> None:
    slot = Slot("video", 90_000)
    slot.push(arrival(1, 3_000, KEY), 10.0)
    slot.synchronise(Sync(1, 50 * NTP_FRACTION, (3_000 + off) & 0xFFFFFFFF), 10.0)
    assert not slot.synchronised
    slot.synchronise(Sync(1, 50 * NTP_FRACTION, 3_000 + 90_000 * 2), 12.0)
    assert slot.synchronised
