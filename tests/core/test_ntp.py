"""SNTP over real UDP: an honest server is believed, and no dishonest one."""

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from server.core import ntp
from server.core.clock import SystemClock
from server.core.ntp import (
    ERA_MS,
    MOST_DELAY_MS,
    MOST_DISTANCE_MS,
    PACKET,
    UNIX_SECONDS,
    Answer,
    Ntp,
    NtpRefusedError,
    agreed,
    ask,
    read,
    read_server,
    to_unix_ms,
)

Fields = dict[str, int | bytes]
Reply = Callable[[bytes], list[bytes]]


def stamp(seconds: float) -> int:
    """Seconds since 1970 as an NTP timestamp."""
    return int((seconds + UNIX_SECONDS) * (1 << 32)) & 0xFFFF_FFFF_FFFF_FFFF


def answer(request: bytes, ahead_s: float = 0.0, **changed: int) -> bytes:
    """An honest answer of a server whose clock is ahead, with some fields changed."""
    now = stamp(time.time() + ahead_s)
    fields = {
        "first": 4 << 3 | 4, "stratum": 2, "poll": 6, "precision": -20, "root_delay": 655, "root_dispersion": 655,
        "reference": 0x0A000001, "updated": now, "nonce": PACKET.unpack(request)[10], "got": now, "gone": now,
    } | changed  # fmt: skip
    return PACKET.pack(*fields.values())


class _Responder(asyncio.DatagramProtocol):
    def __init__(self, reply: Reply) -> None:
        self.reply, self.asked = reply, 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.asked += 1
        for one in self.reply(data):
            self.transport.sendto(one, address)


@asynccontextmanager
async def responder(reply: Reply) -> AsyncIterator[tuple[int, _Responder]]:
    """A small NTP server of this machine: its port, and how often it was asked."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(lambda: _Responder(reply), ("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1], protocol
    finally:
        transport.close()
        await asyncio.sleep(0)


@pytest.mark.parametrize("ahead_s", [0.0, 0.25, -3_600.0, 3_600.0])
async def test_what_an_honest_server_shows_is_measured(ahead_s: float) -> None:
    async with responder(lambda request: [answer(request, ahead_s)]) as (port, _):
        found = await ask(SystemClock(), "127.0.0.1", port)
    assert found.offset_ms == pytest.approx(ahead_s * 1_000, abs=100)
    assert 0 <= found.delay_ms < 1_000


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"first": 4 << 3 | 3}, "no_server"),
        ({"first": 2 << 3 | 4}, "no_server"),
        ({"first": 3 << 6 | 4 << 3 | 4}, "unsynchronised"),
        ({"stratum": 16}, "unsynchronised"),
        ({"stratum": 0, "reference": int.from_bytes(b"RATE", "big")}, "kiss_RATE"),
        ({"got": 0}, "no_time"),
        ({"gone": 0}, "no_time"),
        ({"got": stamp(time.time() + 60)}, "times_reversed"),
        ({"root_delay": 4 << 16}, "far_from_its_reference"),
        ({"root_dispersion": 2 << 16}, "far_from_its_reference"),
    ],
)
async def test_what_no_server_in_its_right_mind_says_is_refused(changed: dict[str, int], why: str) -> None:
    async with responder(lambda request: [answer(request, **changed)]) as (port, _):
        with pytest.raises(NtpRefusedError, match=why):
            await ask(SystemClock(), "127.0.0.1", port)


async def test_who_does_not_know_our_question_cannot_answer_it() -> None:
    """Guesses before the true answer change nothing; guesses alone are silence."""

    def guessing(request: bytes) -> list[bytes]:
        return [b"", b"\x24" * 47, answer(request, 3_600, nonce=1), answer(request, 0.0)]

    async with responder(guessing) as (port, _):
        assert abs((await ask(SystemClock(), "127.0.0.1", port)).offset_ms) < 100


async def test_silence_and_a_closed_port_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ntp, "ANSWER_S", 0.1)
    async with responder(lambda _: []) as (port, _):
        with pytest.raises(TimeoutError):
            await ask(SystemClock(), "127.0.0.1", port)
        assert await Ntp([("127.0.0.1", port)]).measure(SystemClock()) is None
    with pytest.raises(OSError, match="refused"):
        await ask(SystemClock(), "127.0.0.1", port)


async def test_a_kiss_of_death_is_obeyed() -> None:
    kiss = {"stratum": 0, "reference": int.from_bytes(b"DENY", "big")}
    async with responder(lambda request: [answer(request, **kiss)]) as (port, heard):
        reference = Ntp([("127.0.0.1", port)])
        for _ in range(3):
            assert await reference.measure(SystemClock()) is None
        assert heard.asked == 1


async def test_of_three_servers_the_liar_is_outvoted() -> None:
    async with (
        responder(lambda request: [answer(request, 3_600)]) as (liar, _),
        responder(lambda request: [answer(request, 0.5)]) as (one, _),
        responder(lambda request: [answer(request, 0.6)]) as (two, _),
    ):
        found = await Ntp([("127.0.0.1", port) for port in (liar, one, two)]).measure(SystemClock())
    assert found is not None
    assert 400 < found < 700


def test_of_two_the_quicker_one_counts() -> None:
    assert agreed([Answer(1.0, 50.0), Answer(9.0, 20.0)]) == 9.0
    assert agreed([]) is None


def test_the_edges_of_what_is_believed() -> None:
    base = 1_795_424_400.0

    def one(delay_ms: float, distance_ms: float) -> Answer:
        got = stamp(base + delay_ms / 2_000)
        packet = PACKET.pack(4 << 3 | 4, 1, 6, -20, 0, round(distance_ms * 65.536), 0, 0, 7, got, got)
        return read(packet, base * 1_000, base * 1_000 + delay_ms)

    assert (MOST_DELAY_MS, MOST_DISTANCE_MS) == (1_000, 1_500)
    assert one(999, 1_499).offset_ms == pytest.approx(0, abs=0.01)
    with pytest.raises(NtpRefusedError, match="slow"):
        one(1_001, 0)
    with pytest.raises(NtpRefusedError, match="far_from_its_reference"):
        one(10, 1_501)


def test_the_era_after_2036_is_understood() -> None:
    later_ms = 2_300_000_000_000.0  # in 2042, when 32 bits of seconds have begun anew
    assert to_unix_ms(stamp(later_ms / 1_000), later_ms + 5) == pytest.approx(later_ms, abs=0.01)
    assert ERA_MS == 2**32 * 1_000


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("ntp.example.cn", ("ntp.example.cn", 123)),
        ("192.0.2.1:1123", ("192.0.2.1", 1123)),
        ("host:", ("host", 123)),
        ("2001:db8::1", ("2001:db8::1", 123)),
        ("[2001:db8::1]", ("2001:db8::1", 123)),
        ("[2001:db8::1]:1123", ("2001:db8::1", 1123)),
    ],
)
def test_servers_are_named_with_or_without_a_port(text: str, server: tuple[str, int]) -> None:
    assert read_server(text) == server


@pytest.mark.parametrize("text", ["", ":123", "host:x", "host:0", "host:65536", "[::1", "[::1]x"])
def test_what_names_no_server_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no host and port"):
        read_server(text)


def test_a_packet_is_as_long_as_the_standard_says() -> None:
    assert PACKET.size == struct.calcsize("!BBbbIIIQQQQ") == 48
