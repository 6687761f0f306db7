"""An uplink that is spent: how the desk is told, and trainees behind a worker; embedded and beside."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from media.api import Audience, MediaSettings, serving
from server.live.api import Audience as Told
from server.live.api import audience_of
from tests.live.test_media_worker import KEY, VOICE, server, until
from tests.media.clients import EncodedAudio, Refused, publish, watch
from tests.school import Page, School, school

#: room for two small pictures of nothing that was measured, and a voice
MBPS = 1.0
LIMIT = {"media": {"uplink_mbps": MBPS, "start_kbps": 300}}


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def test_the_desk_is_told_in_round_numbers() -> None:
    seen = Audience(peers=30, small=4, parts=2, voices=1, used_bps=31_960_000, limit_bps=40_000_000)
    assert audience_of("a", seen) == Told("a", 30, 4, 2, 1, 32_000, 40_000, None)
    assert audience_of("a", Audience(spent="cpu_spent")) == Told("a", 0, 0, 0, 0, 0, None, "cpu_spent")


async def test_behind_a_worker_the_refusal_arrives_as_it_is(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    path, settings = tmp_path / "media.sock", MediaSettings(uplink_mbps=MBPS, start_kbps=300)
    async with serving(settings, KEY, path), server(path) as one:
        await one.here()
        await one.media.open_room("lesson")

        def token(peer: str, publishes: bool = False) -> str:
            return one.media.token("lesson", peer, publishes)

        watching = [(await watch(http, one.url, "lesson", token(peer)))[0] for peer in ("a.1", "b.1")]
        with pytest.raises(Refused) as caught:
            await watch(http, one.url, "lesson", token("c.1"))
        assert (caught.value.status, caught.value.code, caught.value.data) == (503, "uplink_spent", {"next": "voice"})
        async with http.ws_connect(f"{one.url}/media/live/lesson", headers={"Origin": one.url}) as parts:
            await parts.send_json({"token": token("c.1"), "rendition": "picture"})
            assert await parts.receive_json(timeout=10) == {"code": "uplink_spent", "data": {"next": "voice"}}
        watching.append(await publish(http, one.url, "lesson", token("t.0", True), EncodedAudio(VOICE)))
        async with http.ws_connect(f"{one.url}/media/live/lesson", headers={"Origin": one.url}) as parts:
            await parts.send_json({"token": token("c.1"), "rendition": "voice"})
            assert (await parts.receive_json(timeout=20))["codecs"] == "opus"
            await one.media._say()
            seen = one.media.audience("lesson")
            assert seen is not None
            assert (seen.peers, seen.voices, seen.spent, seen.limit_bps) == (2, 1, "uplink_spent", 1_000_000)
            assert one.media.figures().ways == {"peers": 2, "small": 0, "parts": 0, "voices": 1}
        assert one.media.audience("other") is None
        for each in watching:
            await each.close()


async def _access(page: Page) -> str:
    token: str = (await page.call("lesson:media"))["media"]["token"]
    return token


async def _told(page: Page, peers: int) -> Told:
    """What the desk was told once so many watch."""

    def there() -> bool:
        return any(one["peers"] == peers for one in page.heard("lesson:audience")[-1:])

    await until(there)
    return Told(**page.heard("lesson:audience")[-1])


async def _metrics(served: School) -> list[str]:
    async with aiohttp.ClientSession(served.url) as session, session.get("/metrics") as answer:
        return (await answer.text()).splitlines()


async def test_the_instructor_hears_how_many_watch_and_when_the_uplink_is_spent(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with school(tmp_path, groups=LIMIT) as served, served.page("teacher") as teacher:
        await teacher.join()
        assert (await teacher.call("lesson:start"))["ok"]
        assert (await _told(teacher, 0)).spent is None
        async with served.page("jia") as jia, served.page("yi") as yi, served.page("staff") as staff:
            for page in (jia, yi):
                await page.join()
            pages = [(await watch(http, served.url, served.lesson_id, await _access(page)))[0] for page in (jia, yi)]
            told = await _told(teacher, 2)
            assert (told.spent, told.limit_kbps) == ("uplink_spent", 1_000)
            await until(lambda: 500 <= teacher.heard("lesson:audience")[-1]["used_kbps"] <= 800)
            assert jia.heard("lesson:audience") == []
            await staff.join()
            assert (await _told(staff, 2)).spent == "uplink_spent", "whoever comes later is told as well"
            lines = await _metrics(served)
            assert 'keshi_media_watching{way="peers"} 2.0' in lines
            assert "keshi_media_uplink_limit_bits 1e+06" in lines
            for each in pages:
                assert await each.delete() == 200
                await each.close()
        assert (await _told(teacher, 0)).spent is None
        assert (await teacher.call("lesson:end"))["ok"]
        await asyncio.sleep(0)
