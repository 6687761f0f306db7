"""How many connections there may be, and how long one may take to say what it wants."""

import asyncio
import resource
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from server.core.wire.door import MOST_CONNECTIONS, RESERVED_FILES, Door, Patience, most_connections
from server.tls.context import Context
from tests.tls.certificates import put, self_signed

QUICK = Patience(request_s=0.3, linger_s=0.1)
LONG_S = 20.0


@asynccontextmanager
async def opened(patience: Patience, context: ssl.SSLContext | None = None) -> AsyncIterator[tuple[Door, int]]:
    """A door with one page; gives it and its port."""

    async def page(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(text="page")

    app = web.Application()
    app.router.add_route("*", "/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    door = Door(runner, listener, context, patience)
    await door.start()
    try:
        yield door, listener.getsockname()[1]
    finally:
        await runner.cleanup()


async def _ended(reader: asyncio.StreamReader) -> bytes:
    """What still comes until the server closes."""
    async with asyncio.timeout(LONG_S):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_who_says_nothing_or_only_half_is_hung_up(said: bytes) -> None:
    async with opened(QUICK) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        assert await _ended(reader) == b""
        writer.close()


async def test_who_drips_a_header_is_hung_up_all_the_same() -> None:
    async with opened(QUICK) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def drip() -> None:
            writer.write(b"GET / HTTP/1.1\r\n")
            while True:
                writer.write(b"X-Slow: 1\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        assert await _ended(reader) == b""
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)
        writer.close()


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x02\x00"])
async def test_who_does_not_finish_the_handshake_is_hung_up(tmp_path: Path, said: bytes) -> None:
    context = Context()
    context.use(*put(self_signed("localhost"), tmp_path))
    async with opened(Patience(handshake_s=0.3), context.front) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        assert await _ended(reader) == b""
        writer.close()


async def test_an_idle_connection_is_kept_for_a_while_and_then_closed() -> None:
    async with opened(Patience(request_s=1.5)) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200" in await reader.readline()
            await reader.readuntil(b"page")
        assert await _ended(reader) == b""
        writer.close()


async def test_beyond_the_most_connections_new_ones_are_closed_and_old_ones_served() -> None:
    async with opened(Patience(connections=2)) as (door, port):
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for reader, writer in held:
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200" in await reader.readline()
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await _ended(reader) == b""
            writer.close()
        assert door.refused == 3
        held[0][1].close()
        await held[0][1].wait_closed()
        async with asyncio.timeout(LONG_S):
            while True:  # the server hears of the end in its own time
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                try:
                    first = await reader.readline()
                except ConnectionError:
                    first = b""
                writer.close()
                if b"200" in first:
                    break
        held[1][1].close()


async def test_what_is_no_http_is_refused_without_an_echo() -> None:
    async with opened(Patience()) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nCookie: keshi_session=secret\r\nbro ken\x00: 1\r\n\r\n")
        told = await _ended(reader)
        writer.close()
    assert told.startswith(b"HTTP/1.1 400") or told.startswith(b"HTTP/1.0 400")
    assert told.endswith(b'{"code":"bad_request","data":{}}')
    for word in (b"secret", b"bro ken", b"ython", b"aiohttp"):
        assert word not in told


def test_as_many_connections_as_there_are_files(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _which, limits: set_to.append(limits))
    for hard, most in ((1_024, 1_024 - RESERVED_FILES), (10, 1), (10**6, MOST_CONNECTIONS), (-1, MOST_CONNECTIONS)):
        monkeypatch.setattr(resource, "getrlimit", lambda _which, hard=hard: (64, hard))
        assert most_connections() == most
    assert set_to[0] == (1_024, 1_024)
    assert set_to[2] == (MOST_CONNECTIONS + RESERVED_FILES, 10**6)
