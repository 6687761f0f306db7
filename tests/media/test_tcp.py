"""The TCP port among strangers and friends: frames, proofs, limits, slow readers."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest
from aioice import stun

import media.tcp
from media.doors import Address
from media.settings import MediaSettings
from media.tcp import LENGTH_BYTES, MAX_FRAME_BYTES, MAX_WAITING_BYTES, Streams
from tests.media.conftest import Stage, count, staged
from tests.media.strangers import check


def framed(*datagrams: bytes) -> bytes:
    return b"".join(len(each).to_bytes(LENGTH_BYTES, "big") + each for each in datagrams)


class Port:
    """The TCP port alone; what is heard comes back doubled."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.lost: list[Address] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.counts: Counter[str] = Counter()
        self.addresses: list[Address] = []
        self.streams = Streams(self._hear, self.lost.append, self.counts)

    def _hear(self, datagram: bytes, address: Address) -> None:
        self.heard.append(datagram)
        self.addresses.append(address)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.streams.port)
        self.writers.append(writer)
        return reader, writer

    async def until(self, name: str) -> None:
        await comes(lambda: self.counts[name] > 0)


async def comes(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture(params=["127.0.0.1", "::"])
async def port(request: pytest.FixtureRequest) -> AsyncIterator[Port]:
    port = Port()
    await port.streams.start(request.param, 0)
    yield port
    port.streams.close()
    for writer in port.writers:
        writer.close()
    await asyncio.sleep(0.01)


async def test_frames_are_told_apart_however_they_arrive(port: Port) -> None:
    _, writer = await port.connect()
    sent = framed(b"one", b"", bytes(MAX_FRAME_BYTES))
    for at in range(0, len(sent), 400):
        writer.write(sent[at : at + 400])
        await writer.drain()
        await asyncio.sleep(0)
    await comes(lambda: len(port.heard) >= 3)
    assert port.heard == [b"one", b"", bytes(MAX_FRAME_BYTES)]
    writer.close()


async def test_runs_leave_as_frames(port: Port) -> None:
    reader, writer = await port.connect()
    writer.write(framed(b"hello"))
    async with asyncio.timeout(10):
        await comes(lambda: bool(port.addresses))
        address = port.addresses[0]
        assert len(address) == 3
        data = bytes(range(250))
        port.streams.send_runs(memoryview(data), [(0, 100, 100), (100, 250, 60)], address)
        wanted = framed(data[:100], data[100:160], data[160:220], data[220:])
        assert await reader.readexactly(len(wanted)) == wanted
    writer.close()


async def test_a_frame_too_large_ends_it(port: Port) -> None:
    reader, writer = await port.connect()
    writer.write((MAX_FRAME_BYTES + 1).to_bytes(LENGTH_BYTES, "big"))
    await port.until("tcp_frame_too_large")
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)


async def test_who_proves_nothing_is_cut_and_so_many_at_most(port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media.tcp, "PROOF_SECONDS", 0.2)
    monkeypatch.setattr(media.tcp, "MAX_STREAMS_PER_IP", 1)
    await port.connect()
    await port.connect()
    await port.until("tcp_refused")
    await port.until("tcp_unproven")
    await comes(lambda: bool(port.lost))
    _, third = await port.connect()
    third.write(framed(b"there is room again"))
    await comes(lambda: bool(port.heard))


async def test_a_slow_reader_loses_packets_and_costs_no_memory(port: Port) -> None:
    _, writer = await port.connect()
    writer.write(framed(b"hello"))
    await comes(lambda: bool(port.addresses))
    address = port.addresses[0]
    assert len(address) == 3
    for _ in range(40_000):
        port.streams.send(bytes(1_200), address)
    assert port.counts["tcp_send_dropped"] > 10_000
    stream = port.streams._open[address]
    assert stream._transport.get_write_buffer_size() <= MAX_WAITING_BYTES + 1_202
    writer.close()


@pytest.fixture
async def tcp_stage() -> AsyncIterator[Stage]:
    async for each in staged(MediaSettings(tcp_port=0)):
        yield each


async def test_only_an_authenticated_check_is_answered(tcp_stage: Stage) -> None:
    client, _ = await tcp_stage.watch()
    assert f" tcp 1518280447 127.0.0.1 {tcp_stage.media.tcp_port} typ host tcptype passive" in (
        client.connection.remoteDescription.sdp
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", tcp_stage.media.tcp_port)
    writer.write(framed(check(client, password="wrong"), check(client, ufrag="nobody"), b"\x16\xfe\xfd" + bytes(20)))
    for name in ("stun_unauthenticated", "stun_unknown_ufrag", "unknown_address"):
        await count(tcp_stage, name)
    writer.write(framed(check(client)))
    async with asyncio.timeout(10):
        size = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
        answer = stun.parse_message(await reader.readexactly(size))
        assert answer.message_class == stun.Class.RESPONSE
        assert await client.delete() == 200
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1 << 16)
    writer.close()


async def test_connections_out_of_one_network_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media.tcp, "MAX_STREAMS_PER_IP", 2)
    counts: Counter[str] = Counter()
    streams = Streams(lambda _datagram, _address: None, lambda _address: None, counts)
    made = [media.tcp._Stream(streams) for _ in range(4)]
    addresses = [(f"2001:db8::{number}", 1, "tcp") for number in range(3)]
    assert [streams.admit(address, each) for address, each in zip(addresses, made, strict=False)] == [True, True, False]
    assert streams.admit(("2001:db8:1::1", 1, "tcp"), made[3])
    streams.lost(addresses[0], made[0])
    assert streams.admit(addresses[2], made[2])
    assert counts == {"tcp_refused": 1}
