"""A WebSocket for media between a browser and the worker: what either says or ends, the other hears. And HLS."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from media.api import MediaSettings, serving
from tests.live.test_media_worker import KEY, SECONDS, VOICE, server
from tests.media.clients import EncodedAudio, publish


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_lesson_over_a_websocket_passes_through_the_server(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    path = tmp_path / "media.sock"
    async with serving(MediaSettings(), KEY, path), server(path) as one:
        await one.here()
        await one.media.open_room("lesson")
        token = one.media.token("lesson", "teacher", publish=True)
        teacher = await publish(http, one.url, "lesson", token, EncodedAudio(VOICE))
        asked, headers = f"{one.url}/media/live/lesson", {"Origin": one.url}
        async with asyncio.timeout(SECONDS), http.ws_connect(asked, headers=headers) as trainee:
            said = one.media.token("lesson", "a", publish=False)
            await trainee.send_json({"token": said, "rendition": "voice"})
            assert (await trainee.receive_json())["codecs"] == "opus"
            assert b"moov" in await trainee.receive_bytes()
            assert b"moof" in await trainee.receive_bytes()
            await one.media.cut("a")
            while (await trainee.receive()).type is aiohttp.WSMsgType.BINARY:
                pass
            assert trainee.closed
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await http.ws_connect(asked, headers={"Origin": "https://elsewhere.example"})
        await teacher.close()
    async with server(path) as alone:
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await http.ws_connect(f"{alone.url}/media/live/lesson", headers={"Origin": alone.url})


async def test_a_lesson_as_hls_passes_through_the_server(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    path = tmp_path / "media.sock"
    async with serving(MediaSettings(), KEY, path), server(path) as one:
        await one.here()
        await one.media.open_room("lesson")
        token = one.media.token("lesson", "teacher", publish=True)
        teacher = await publish(http, one.url, "lesson", token, EncodedAudio(VOICE))
        headers = {"Authorization": f"Bearer {one.media.token('lesson', 'a', publish=False)}"}
        async with asyncio.timeout(SECONDS):
            async with http.post(f"{one.url}/media/hls/lesson/voice", headers=headers) as opened:
                place = one.url + opened.headers["Location"]
            async with http.get(place) as playlist:
                assert playlist.headers["Cache-Control"] == "no-store"
                last = (await playlist.text()).split()[-1]
            async with http.get(place.rpartition("/")[0] + "/" + last) as piece:
                assert b"moof" in await piece.read()
            async with http.delete(place) as ended:
                assert ended.status == 200
            async with http.get(place) as gone:
                assert gone.status == 404
        await teacher.close()
    async with server(path) as alone, http.post(f"{alone.url}/media/hls/lesson/voice", headers=headers) as away:
        assert away.status == 503


async def test_a_line_is_measured_and_lines_are_told_through_the_server(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    path = tmp_path / "media.sock"
    async with serving(MediaSettings(), KEY, path), server(path) as one, asyncio.timeout(SECONDS):
        await one.here()
        for room in ("check", "lesson"):
            await one.media.open_room(room)
        headers = {"Origin": one.url}
        async with http.ws_connect(f"{one.url}/media/check/check", headers=headers) as tried:
            await tried.send_json({"token": one.media.token("check", "a.check", publish=False)})
            assert "up" in await tried.receive_json()
            for _ in range(50):
                await tried.send_bytes(bytes(2_000))
            await tried.send_str("that is all")
            assert (await tried.receive_json())["got"] == 98_000
            assert await tried.receive_bytes()
        teacher = await publish(
            http, one.url, "lesson", one.media.token("lesson", "t", publish=True), EncodedAudio(VOICE)
        )
        asked, said = f"{one.url}/media/live/lesson", one.media.token("lesson", "a.1", publish=False)
        async with http.ws_connect(asked, headers=headers) as trainee:
            await trainee.send_json({"token": said, "rendition": "voice"})
            await trainee.receive_json()
            while not (told := one.media.lines("lesson")):
                await one.media._say()  # as it does every five seconds
                await asyncio.sleep(0.1)
            assert (told[0].peer, told[0].direct) == ("a.1", False)
        await teacher.close()
