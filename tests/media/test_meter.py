"""What a stream costs a viewer, and how busy the process is: by what was measured, edge by edge."""

import pytest

from media.meter import OVERHEAD_BYTES, PARTS_AGAIN, PARTS_SPENT, PEERS_AGAIN, PEERS_SPENT, SURE_SECONDS, Busy, Meter
from media.slot import VIDEO_CLOCK_RATE, Arrival, Slot
from media.tap import CAMERA

EXPECTED = {CAMERA: 1_000_000.0}
SECOND_BITS = 10 * (1_000 + OVERHEAD_BYTES) * 8


def metered(seconds: int, packets: int = 10) -> tuple[Meter, Slot]:
    """A camera of so many packets of 1,000 bytes a second, looked at each second."""
    meter, slot = Meter(EXPECTED), Slot(CAMERA, VIDEO_CLOCK_RATE)
    for at in range(seconds + 1):
        for number in range(packets if at else 1):
            sequence = at * packets + number
            slot.push(Arrival("one", "H264", False, sequence, at * 90_000, bytes(1_000)), float(at))
        meter.look(float(at), [slot])
    return meter, slot


def test_until_it_was_heard_a_stream_costs_what_is_advised() -> None:
    assert Meter(EXPECTED).bps(CAMERA) == 1_000_000
    assert Meter({}).bps(CAMERA) == 0
    assert metered(0)[0].bps(CAMERA) == 1_000_000
    meter, _ = metered(int(SURE_SECONDS) - 1)
    assert (meter.bps(CAMERA), meter.sure(CAMERA)) == (1_000_000, False)


def test_then_it_costs_what_is_sent_with_all_that_is_round_it() -> None:
    meter, _ = metered(int(SURE_SECONDS))
    assert (meter.bps(CAMERA), meter.sure(CAMERA)) == (SECOND_BITS, True)
    assert metered(30)[0].bps(CAMERA) == SECOND_BITS


def test_more_than_is_advised_counts_at_once() -> None:
    assert metered(2, packets=200)[0].bps(CAMERA) == 20 * SECOND_BITS


def test_a_stream_that_ceased_is_expected_anew() -> None:
    meter, slot = metered(20)
    slot.silence()
    meter.look(21.0, [slot])
    assert (meter.bps(CAMERA), meter.sure(CAMERA)) == (1_000_000, False)


def used(*shares: float) -> Busy:
    """After so many seconds with such a share of a CPU each."""
    busy, seconds = Busy(), 100.0
    busy.look(0.0, seconds)
    for at, share in enumerate(shares):
        seconds += share
        busy.look(at + 1.0, seconds)
    return busy


def test_nothing_is_spent_before_anything_is_known() -> None:
    busy = used()
    assert (busy.share, busy.peers_spent, busy.parts_spent) == (0.0, False, False)


def test_the_share_is_of_the_last_ten_seconds() -> None:
    assert used(*[0.2] * 20, *[0.6] * 5).share == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("shares", "peers", "parts"),
    [
        ([PEERS_SPENT - 0.01], False, False),
        ([PEERS_SPENT + 0.01], True, False),
        ([PARTS_SPENT + 0.01], True, True),
        ([0.9] * 12 + [PEERS_AGAIN + 0.01] * 12, True, False),
        ([0.9] * 12 + [PEERS_AGAIN - 0.01] * 12, False, False),
        ([1.0] * 12 + [PARTS_AGAIN + 0.01] * 12, True, True),
        ([1.0] * 12 + [PARTS_AGAIN - 0.01] * 12, True, False),
        ([0.75] * 30, False, False),
    ],
)
def test_spent_and_again(shares: list[float], peers: bool, parts: bool) -> None:
    busy = used(*shares)
    assert (busy.peers_spent, busy.parts_spent) == (peers, parts)
