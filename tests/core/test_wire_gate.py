"""The gate of the sockets: who is refused at the handshake, how many there may be, who is too fast or too slow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import aiohttp
import pytest

from server.core.errors import DomainError
from server.core.wire import gate
from server.core.wire.gate import EVENTS_AT_ONCE, EVENTS_PER_SECOND, MOST_IN_ALL, MOST_PER_LOGIN, Bucket, Gate
from tests.core.wire_server import Wire, wire

SOCKET = "/socket.io/?EIO=4&transport=websocket"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


@pytest.fixture
async def served() -> AsyncIterator[Wire]:
    async with wire() as running:
        yield running


@pytest.fixture
async def http(served: Wire) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(served.url, headers={"Origin": served.url}) as session:
        yield session


def _cookie(token: str) -> dict[str, str]:
    return {"Cookie": f"keshi_session={token}"} if token else {}


async def _refused(http: aiohttp.ClientSession, headers: dict[str, str], path: str = SOCKET) -> tuple[int, Any]:
    async with http.get(path, headers=headers) as response:
        return response.status, (await response.json())["code"]


async def _open(http: aiohttp.ClientSession, token: str = "t-token") -> aiohttp.ClientWebSocketResponse:
    socket = await http.ws_connect(SOCKET, headers=_cookie(token))
    assert (await socket.receive_str()).startswith("0")
    return socket


async def _connected(http: aiohttp.ClientSession, token: str = "t-token") -> aiohttp.ClientWebSocketResponse:
    socket = await _open(http, token)
    await socket.send_str("40")
    assert (await socket.receive_str()).startswith("40")
    return socket


@pytest.mark.parametrize(
    ("token", "origin", "refusal"),
    [
        ("", None, (401, "not_signed_in")),
        ("stale", None, (401, "not_signed_in")),
        ("t-token", "http://evil.example", (403, "origin_refused")),
        ("t-token", "null", (403, "origin_refused")),
        ("t-token", "", (403, "origin_refused")),
    ],
)
async def test_the_handshake_needs_a_session_and_the_exact_origin(
    served: Wire, http: aiohttp.ClientSession, token: str, origin: str | None, refusal: tuple[int, str]
) -> None:
    headers = UPGRADE | _cookie(token) | ({} if origin is None else {"Origin": origin})
    assert await _refused(http, headers) == refusal
    assert served.sockets.counts == {("connect", refusal[1]): 1}
    assert served.sockets.connections == 0


async def test_a_handshake_without_any_origin_is_refused(served: Wire) -> None:
    async with aiohttp.ClientSession(served.url) as session:
        assert await _refused(session, UPGRADE | _cookie("t-token")) == (403, "origin_refused")


@pytest.mark.parametrize(
    "query", ["", "?EIO=3&transport=websocket", "?EIO=4&transport=polling", SOCKET[11:] + "&sid=x"]
)
async def test_only_websockets_of_this_protocol_are_served(http: aiohttp.ClientSession, query: str) -> None:
    assert await _refused(http, UPGRADE | _cookie("t-token"), f"/socket.io/{query}") == (400, "bad_request")
    assert await _refused(http, _cookie("t-token")) == (400, "bad_request")


async def test_who_does_not_say_who_it_is_is_hung_up(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "CONNECT_SECONDS", 0.3)
    silent, honest = await _open(http), await _connected(http)
    await asyncio.wait_for(silent.receive(), 5)
    assert silent.closed or silent.close_code is not None
    await asyncio.sleep(0.5)  # longer than the limit: who said it stays
    await honest.send_str('421["greet",{"name":"a"}]')
    assert (await honest.receive_str(timeout=5)).startswith("431")
    await honest.send_str("41")  # and who takes it back is hung up as well
    assert (await honest.receive(timeout=5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def test_a_session_that_ended_since_the_handshake_connects_nowhere(
    served: Wire, http: aiohttp.ClientSession
) -> None:
    socket = await _open(http)
    del served.sessions["t-token"]
    await socket.send_str("40")
    assert await socket.receive_str(timeout=5) == '44{"message":"not_signed_in"}'
    await socket.close()


async def test_a_second_connect_on_one_socket_is_refused(served: Wire, http: aiohttp.ClientSession) -> None:
    socket = await _connected(http)
    await socket.send_str("40")
    assert (await socket.receive_str(timeout=5)).startswith("44")
    assert served.sockets.connections == 1
    await socket.close()


async def test_one_login_has_so_many_sockets_and_leaves_room_for_others(
    served: Wire, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "MOST_PER_LOGIN", 2)
    async with AsyncExitStack() as stack:
        first, _second = [await stack.enter_async_context(await _open(http)) for _ in range(2)]
        assert await _refused(http, UPGRADE | _cookie("t-token")) == (429, "too_many_connections")
        await stack.enter_async_context(await _open(http, "s-token"))
        await first.close()
        await _until(lambda: served.sockets.open == 2)
        await stack.enter_async_context(await _open(http))
    await _until(lambda: served.sockets.open == 0)


async def test_all_together_have_so_many(
    served: Wire, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "MOST_IN_ALL", 1)
    async with await _open(http):
        assert await _refused(http, UPGRADE | _cookie("s-token")) == (429, "too_many_connections")
    assert served.sockets.counts == {("connect", "too_many_connections"): 1}


def test_the_numbers_at_their_edge() -> None:
    held = Gate()
    with ExitStack() as places:
        for _ in range(MOST_PER_LOGIN):
            places.enter_context(held.passing("one"))
        with pytest.raises(DomainError, match="too_many_connections"), held.passing("one"):
            pass
        held.open = MOST_IN_ALL - 1
        with held.passing("two"), pytest.raises(DomainError, match="too_many_connections"), held.passing("three"):
            pass


def test_the_bucket_at_its_edge() -> None:
    bucket = Bucket(0, EVENTS_AT_ONCE, EVENTS_PER_SECOND)
    for _ in range(EVENTS_AT_ONCE):
        bucket.take(0)
    with pytest.raises(DomainError) as refused:
        bucket.take(0)
    assert (refused.value.code, refused.value.data) == ("too_many_tries", {"retry_after_s": 1})
    step = 1_000 / EVENTS_PER_SECOND
    bucket.take(step)
    with pytest.raises(DomainError):
        bucket.take(1.5 * step)
    for _ in range(EVENTS_AT_ONCE):  # after an hour it holds no more than at first
        bucket.take(3_600_000)
    with pytest.raises(DomainError):
        bucket.take(3_600_000)


async def test_a_client_that_speaks_too_fast_is_refused_and_told_when(
    served: Wire, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "EVENTS_AT_ONCE", 3)
    monkeypatch.setattr(gate, "EVENTS_PER_SECOND", 0.01)
    async with await _connected(http) as socket:
        for number, event in enumerate(("greet", "nothing", "greet", "greet", "nothing")):
            await socket.send_str(f'42{number}["{event}",{{"name":"a"}}]')
            answer = await socket.receive_str(timeout=5)
            assert ('"too_many_tries"' in answer) == (number > 2), answer
    assert '"retry_after_s":100' in answer or '"retry_after_s":99' in answer
    assert served.sockets.counts["greet", "too_many_tries"] == 1


async def _until(true: Any) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
