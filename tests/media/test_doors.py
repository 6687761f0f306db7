"""Three times what was received before an address is proven; handshakes within a budget."""

from hypothesis import given
from hypothesis import strategies as st

from media.doors import AMPLIFICATION, MAX_BUDGETED_IPS, MAX_HELD, HandshakeBudget, Path, network_of

STEPS = st.lists(st.tuples(st.booleans(), st.integers(1, 1_500)), max_size=60)


@given(STEPS)
def test_an_unproven_address_never_gets_more_than_three_times(steps: list[tuple[bool, int]]) -> None:
    path = Path(("192.0.2.1", 1))
    out: list[bytes] = []
    tried: list[bytes] = []
    for incoming, size in steps:
        if incoming:
            path.received += size
            out += path.release()
        else:
            datagram = bytes([len(tried) % 256]) * size
            tried.append(datagram)
            out += [datagram] if path.submit(datagram) else []
        assert sum(map(len, out)) == path.sent <= AMPLIFICATION * path.received
    assert len(path.held) <= MAX_HELD


def test_the_bound_is_exact() -> None:
    path = Path(("192.0.2.1", 1), received=100)
    assert path.submit(bytes(300))
    assert not path.submit(b"x")
    path.received += 1
    assert path.release() == [b"x"]


def test_a_proven_address_is_not_bound() -> None:
    path = Path(("192.0.2.1", 1))
    assert not path.submit(b"early")
    path.proven = True
    assert path.release() == [b"early"]
    assert path.submit(bytes(100_000))


def test_a_handshake_budget_is_per_address_and_refills() -> None:
    budget = HandshakeBudget(2)
    assert [budget.spend("a", 0.0) for _ in range(3)] == [True, True, False]
    assert budget.spend("b", 0.0)
    assert not budget.spend("a", 29.0)
    assert budget.spend("a", 60.0)


def test_the_budget_forgets_the_oldest_address_first() -> None:
    budget = HandshakeBudget(1)
    for index in range(MAX_BUDGETED_IPS):
        assert budget.spend(str(index), 0.0)
    assert not budget.spend("0", 0.0)
    assert budget.spend("one more", 0.0)
    assert budget.spend("1", 0.0)


def test_a_network_is_counted_as_one() -> None:
    assert network_of("192.0.2.1") == network_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") != network_of("2001:db8:0:1::1")
    assert network_of("fe80::1%eth0") == network_of("fe80::2")
