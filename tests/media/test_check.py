"""A line is measured both ways, within limits that make it useless for anything else."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from media import check
from media.grants import is_check
from media.settings import MediaSettings
from tests.media.clients import watch
from tests.media.conftest import Stage, staged

ROOM = "check"


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async for each in staged(MediaSettings(max_rooms=1)):
        yield each


@asynccontextmanager
async def asking(
    stage: Stage, peer: str = "trainee", room: str = ROOM, said: object = None, origin: str = ""
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    headers = {"Origin": origin or stage.base}
    async with stage.http.ws_connect(f"{stage.base}/media/check/{room}", headers=headers) as socket:
        await socket.send_json(said or {"token": stage.token("watch", peer, room)})
        yield socket


async def measured(socket: aiohttp.ClientWebSocketResponse, up: int) -> tuple[dict[str, Any], int, dict[str, Any]]:
    """(what the server got, bytes that came, what it says it sent)."""
    limits = await socket.receive_json(timeout=10)
    assert limits == check.LIMITS
    for _ in range(0, up, 2_000):
        await socket.send_bytes(bytes(2_000))
    await socket.send_str("that is all")
    got = await socket.receive_json(timeout=10)
    came = 0
    while (message := await socket.receive(timeout=10)).type is aiohttp.WSMsgType.BINARY:
        came += len(message.data)
    return got, came, json.loads(message.data)


async def code(socket: aiohttp.ClientWebSocketResponse) -> str:
    return str((await socket.receive_json(timeout=10))["code"])


async def test_it_measures_both_ways_at_the_pace_there_is_and_no_more(stage: Stage) -> None:
    await stage.media.open_room(ROOM)
    async with asking(stage) as socket:
        got, came, sent = await measured(socket, 100_000)
    assert got["got"] == 98_000  # the clock begins with the first message
    assert came == sent["sent"]
    assert came <= check.DOWN_BYTES
    assert came * 8 / check.DOWN_SECONDS <= check.MOST_KBPS * 1_000 * 1.1


async def test_more_than_the_limit_is_not_taken(stage: Stage) -> None:
    await stage.media.open_room(ROOM)
    async with asking(stage) as socket:
        got, _, _ = await measured(socket, check.UP_BYTES + 200_000)
    assert check.UP_BYTES <= got["got"] <= check.UP_BYTES + 2_000


async def test_who_asks_too_often_waits(stage: Stage) -> None:
    await stage.media.open_room(ROOM)
    for _ in range(check.PER_MINUTE):
        async with asking(stage) as socket:
            await socket.receive_json(timeout=10)
    async with asking(stage) as socket:
        assert await code(socket) == "check_too_often"
    async with asking(stage, "another") as socket:
        assert await socket.receive_json(timeout=10) == check.LIMITS
    assert stage.media.counts["check_too_often"] == 1


async def test_few_at_once_the_others_wait_for_their_turn(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await stage.media.open_room(ROOM)
    async with asking(stage, "one") as one, asking(stage, "two") as two:
        for socket in (one, two):
            await socket.receive_json(timeout=10)
        async with asking(stage, "three") as three:
            with pytest.raises(TimeoutError):
                await three.receive(timeout=0.3)
            await one.close()
            assert await three.receive_json(timeout=10) == check.LIMITS
            monkeypatch.setattr(check, "TURN_SECONDS", 0.1)
            async with asking(stage, "four") as four:
                assert await code(four) == "check_busy"


async def test_who_stands_still_loses_the_turn(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "STALLED_SECONDS", 0.2)
    await stage.media.open_room(ROOM)
    async with asking(stage) as socket:
        await socket.receive_json(timeout=10)
        assert (await socket.receive(timeout=10)).type is aiohttp.WSMsgType.CLOSE
    assert stage.media.counts["check_broken"] == 1


async def test_it_is_only_for_rooms_of_checks_and_for_who_may(stage: Stage) -> None:
    async with asking(stage) as socket:
        assert await code(socket) == "room_closed"
    await stage.media.open_room(ROOM)
    for said, room, expected in (
        ({"token": stage.token("watch", "trainee")}, "lesson", "grant_mismatch"),
        ({"token": stage.token("publish", "trainee", ROOM)}, ROOM, "grant_mismatch"),
        ({"token": stage.token("watch", "trainee", "check-2")}, ROOM, "grant_mismatch"),
        ({"token": "none"}, ROOM, "token_invalid"),
        ({"tok": 1}, ROOM, "token_missing"),
        ([1], ROOM, "token_missing"),
    ):
        async with asking(stage, room=room, said=said) as socket:
            assert await code(socket) == expected
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        async with asking(stage, origin="http://elsewhere.example"):
            pass


async def test_rooms_of_checks_are_none_of_the_lessons_and_counted_nowhere(stage: Stage) -> None:
    await stage.media.open_room(ROOM)
    await stage.media.open_room("check-2")
    assert len(stage.media._plane.rooms) == 3
    client, _ = await watch(stage.http, stage.base, ROOM, stage.token("watch", "trainee", ROOM))
    stage.clients.append(client)
    await client.connected()
    assert stage.media.figures().viewers == 0
    assert stage.media.stats(ROOM).viewers == ("trainee",)
    assert [is_check(name) for name in ("check", "check-ab", "0123456789abcdef")] == [True, True, False]
