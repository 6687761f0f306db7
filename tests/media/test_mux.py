"""One port: kinds of datagrams, runs cut by the kernel or by us."""

import asyncio
import socket
from collections import Counter
from collections.abc import Iterator

import pytest

from media.mux import Kind, Mux, classify, machine_ips, plain_ip


def test_datagrams_are_told_apart_by_their_first_bytes() -> None:
    first = {0: Kind.STUN, 3: Kind.STUN, 4: Kind.OTHER, 19: Kind.OTHER, 20: Kind.DTLS, 63: Kind.DTLS, 64: Kind.OTHER}
    assert {byte: classify(bytes([byte, 0])) for byte in first} == first
    second = {191: Kind.SRTP, 192: Kind.SRTCP, 223: Kind.SRTCP, 224: Kind.SRTP}
    assert {byte: classify(bytes([128, byte])) for byte in second} == second
    assert classify(b"\x80") is classify(b"") is classify(b"\xc0\x00") is Kind.OTHER


def test_mapped_addresses_are_named_plainly() -> None:
    assert plain_ip(("::ffff:192.0.2.1", 1, 0, 0)) == "192.0.2.1"
    assert plain_ip(("fe80::1%eth0", 1, 0, 2)) == "fe80::1"


@pytest.fixture
def far() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as each:
        each.bind(("127.0.0.1", 0))
        each.settimeout(5)
        yield each


@pytest.mark.parametrize("gso", [True, False])
async def test_runs_arrive_as_datagrams(far: socket.socket, gso: bool) -> None:
    mux = Mux("127.0.0.1", 0, lambda *_: None, Counter())
    mux._gso = mux._gso and gso
    data = bytes(range(250))
    mux.send_runs(memoryview(data), [(0, 100, 100), (100, 250, 60)], far.getsockname())
    assert [far.recv(2_000) for _ in range(4)] == [data[:100], data[100:160], data[160:220], data[220:]]
    mux._socket.close()


async def test_what_cannot_be_sent_is_counted(far: socket.socket) -> None:
    counts: Counter[str] = Counter()
    mux = Mux("127.0.0.1", 0, lambda *_: None, counts)
    mux.send(bytes(70_000), far.getsockname())
    assert counts == {"send_dropped": 1}
    mux._socket.close()


async def test_of_a_run_that_cannot_be_sent_every_datagram_is_counted() -> None:
    counts: Counter[str] = Counter()
    mux = Mux("127.0.0.1", 0, lambda *_: None, counts)
    mux.send_runs(memoryview(bytes(250)), [(0, 250, 100)], ("255.255.255.255", 9))  # refused: no broadcast
    assert counts == {"send_dropped": 3}
    mux._socket.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::"])
async def test_datagrams_are_read_over_ipv4_on_either_kind_of_socket(far: socket.socket, host: str) -> None:
    read: asyncio.Queue[tuple[bytes, str]] = asyncio.Queue()
    mux = Mux(host, 0, lambda data, address: read.put_nowait((data, plain_ip(address))), Counter())
    mux.start()
    far.sendto(b"one", ("127.0.0.1", mux.port))
    assert await asyncio.wait_for(read.get(), 5) == (b"one", "127.0.0.1")
    mux.close()


def test_loopback_is_the_last_address_of_the_machine() -> None:
    assert machine_ips(with_ipv6=False)[-1] == "127.0.0.1"
