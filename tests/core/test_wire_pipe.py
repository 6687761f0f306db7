"""One websocket's limits: whoever says too much, of whatever kind, or reads nothing, is hung up and fills no memory."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from server.core.wire import gate, written
from server.core.wire.gate import UNIT_BYTES
from tests.core.wire_server import Wire, wire

SOCKET = "/socket.io/?EIO=4&transport=websocket"


@pytest.fixture
async def served() -> AsyncIterator[Wire]:
    async with wire() as running:
        yield running


@pytest.fixture
async def http(served: Wire) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(served.url, headers={"Origin": served.url}) as session:
        yield session


async def _connected(http: aiohttp.ClientSession, token: str = "t-token") -> aiohttp.ClientWebSocketResponse:
    headers = {"Cookie": f"keshi_session={token}"}
    socket = await http.ws_connect(SOCKET, headers=headers, compress=15, max_msg_size=0)
    assert (await socket.receive_str()).startswith("0")
    await socket.send_str("40")
    assert (await socket.receive_str()).startswith("40")
    return socket


async def _answers(socket: aiohttp.ClientWebSocketResponse) -> bool:
    await socket.send_str('421["greet",{"name":"a"}]')
    return bool((await socket.receive(timeout=5)).data == '431[{"ok":true,"text":"a","by":"trainee1"}]')


@pytest.mark.parametrize("message", ["3", "2", "43", '43999["x"]', "42[", "40", "41", '42["no one listens"]', b"\x04x"])
async def test_too_many_messages_of_whatever_kind_end_the_line(
    served: Wire, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, message: str | bytes
) -> None:
    monkeypatch.setattr(gate, "UNITS_AT_ONCE", 20)
    monkeypatch.setattr(gate, "UNITS_PER_SECOND", 0.001)
    socket = await _connected(http)
    for _ in range(20):  # one was spent on CONNECT
        await (socket.send_bytes(message) if isinstance(message, bytes) else socket.send_str(message))
    await _until(lambda: served.sockets.open == 0)


async def test_long_messages_count_as_several(http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "UNITS_AT_ONCE", 6)
    monkeypatch.setattr(gate, "UNITS_PER_SECOND", 0.001)
    socket = await _connected(http)
    await socket.send_str("43" + "x" * (3 * UNIT_BYTES - 3))  # three units, beside one for CONNECT
    assert await _answers(socket)
    await socket.send_str("43" + "x" * UNIT_BYTES)
    assert (await socket.receive(timeout=5)).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


async def test_who_reads_nothing_is_not_listened_to_and_hung_up(
    served: Wire, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(written, "SEND_SECONDS", 0.5)
    socket = await _connected(http)
    response: Any = socket._response
    response.connection.transport.pause_reading()
    for number in range(3):  # each far more than both machines' buffers hold
        await socket.send_str(f'42{number}["greet",{{"name":"a","times":30000000}}]')
        await socket.send_str("3")
    await _until(lambda: served.sockets.open == 0)
    response.connection.transport.resume_reading()
    assert (await socket.receive(timeout=5)).type is not aiohttp.WSMsgType.TEXT  # nothing is kept for it
    assert await _answers(await _connected(http))


async def test_what_is_said_meanwhile_waits_until_they_read(served: Wire, http: aiohttp.ClientSession) -> None:
    socket = await _connected(http, "r-token")
    response: Any = socket._response
    response.connection.transport.pause_reading()
    await socket.send_str('421["greet",{"name":"a","times":30000000}]')
    await asyncio.sleep(0.5)  # the answer fills both machines' buffers
    await socket.send_str('422["look",{"lesson_id":"0123456789abcdef"}]')
    await asyncio.sleep(0.5)
    assert served.looks == []
    response.connection.transport.resume_reading()
    await _until(lambda: len(served.looks) == 1)


async def test_another_namespace_is_not_answered(http: aiohttp.ClientSession) -> None:
    socket = await _connected(http)
    await socket.send_str("40/" + "a" * 100 + ",")
    assert await _answers(socket)


async def test_nothing_is_compressed(http: aiohttp.ClientSession) -> None:
    assert (await _connected(http)).compress == 0


async def _until(true: Any) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
