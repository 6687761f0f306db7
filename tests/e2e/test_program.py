"""The instructor teaches with a program: the key from the page, a stream with it, trainees see it, the key revoked.

The uplink is small: it has room for a large picture, for a small one beside it, and then for voices.
"""

import asyncio
from pathlib import Path

import aiohttp
import av
import pytest
from playwright.async_api import Page, async_playwright

from tests.e2e.axe import look
from tests.e2e.browsers import FLAGS
from tests.e2e.lesson import AWAY, CLOSED, STEADY, School, enter, phase
from tests.e2e.pictures import DESK, PHONE
from tests.e2e.service import Service
from tests.media.clients import EncodedAudio, EncodedVideo, Refused, encode, main_profile, opus_packets, publish

#: what a page does with the servers that it is told of, and Chromium takes
GUIDED = """() => new RTCPeerConnection({ bundlePolicy: 'max-bundle' }).setConfiguration({
  bundlePolicy: 'max-bundle',
  iceServers: [{ urls: ['turn:127.0.0.1:9?transport=udp'], username: '9:keshi', credential: 'c' },
               { urls: ['stun:127.0.0.1:9'], username: '', credential: '' }] })"""
pytestmark = pytest.mark.timeout(180)
#: with its headers and the voice the large picture takes 1.05 Mbit/s, the small one 0.66; 1.8 are for pictures
UPLINK_MBPS = 2
LARGE, SMALL = (640, 360, 900), (480, 272, 560)
SHOWS = "element => element.videoWidth"
#: until the camera has been measured it counts as what is advised
ADVISED_BITS = 1_200_000


async def test_a_lesson_is_taught_with_a_program(tmp_path: Path, chromium: str | None) -> None:
    (tmp_path / "config.yaml").write_text(f"media:\n  udp_port: 0\n  uplink_mbps: {UPLINK_MBPS}\n")
    demo = Service(tmp_path, "--demo")
    demo.start()
    try:
        await taught(demo, chromium)
    finally:
        demo.kill()


async def taught(demo: Service, chromium: str | None) -> None:
    async with async_playwright() as playwright, aiohttp.ClientSession() as http:
        playwright.selectors.set_test_id_attribute("data-test")
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        school = School(demo, browser)
        _, teacher = await school.signed_in("teacher", "desk", DESK)
        await teacher.locator("[data-test=lessons-coming] [data-test=open-room]").first.click()
        await teacher.get_by_test_id("use-program").click()
        address, key = await made(teacher)
        room = address.rpartition("/")[2]
        assert address == f"{demo.url}/media/whip/{room}"
        assert await look(teacher, "the page of one who teaches with a program") == []
        await teacher.get_by_test_id("start").click()
        await phase(teacher, "live")
        large, small = (EncodedVideo(moving(*each), 30) for each in (LARGE, SMALL))
        program = await publish(http, demo.url, room, key, EncodedAudio(opus_packets(50)), large, small)
        await teacher.locator("[data-test=stream-key][data-live=true]").wait_for()
        trainee = await watching(school, STEADY, "peer")
        assert await trainee.get_by_test_id("video").evaluate(SHOWS) == LARGE[0]
        await trainee.evaluate(GUIDED)
        async with asyncio.timeout(30):
            while not 0 < (await figures(school, http))["keshi_media_uplink_bits"] < ADVISED_BITS:  # noqa: ASYNC110
                await asyncio.sleep(0.5)
        await spent(school, teacher, http, trainee)
        await teacher.reload()  # it is still the page of one who teaches with a program; the key is not shown again
        await teacher.get_by_test_id("stream-has").wait_for()
        await teacher.get_by_test_id("stream-revoke").click()
        await teacher.locator("[data-test=stream-key][data-live=false][data-has=false]").wait_for()
        await program.close()
        with pytest.raises(Refused, match="token_invalid"):
            await publish(http, demo.url, room, key, EncodedAudio(opus_packets(5)))
        _, key = await made(teacher)
        program = await publish(http, demo.url, room, key, EncodedVideo(main_profile(60, 2), 30))
        await teacher.locator("[data-test=stream-trouble][data-trouble=b_frames]").wait_for()
        await program.close()
        await browser.close()


def moving(width: int, height: int, kbps: int) -> list[bytes]:
    """Two seconds of a test picture that costs what it is told to."""
    with av.open(f"testsrc2=size={width}x{height}:rate=30", format="lavfi") as source:
        frames = source.decode(video=0)
        return encode([next(frames).reformat(format="yuv420p") for _ in range(60)], rate=30, kbps=kbps)


async def watching(school: School, login: str, way: str) -> Page:
    """A trainee's page in the lesson, once it plays this way."""
    _, page = await school.signed_in(login, "learn", PHONE)
    await enter(page)
    await page.locator(f"[data-test=picture][data-way={way}][data-playing=true]").wait_for()
    return page


async def spent(school: School, teacher: Page, http: aiohttp.ClientSession, first: Page) -> None:
    """The second gets the small picture, the third the voice; the first goes on, the desk and /metrics say so."""
    second = await watching(school, AWAY, "peer")
    assert await second.get_by_test_id("video").evaluate(SHOWS) == SMALL[0]
    third = await watching(school, CLOSED, "voice")
    assert await first.get_by_test_id("video").evaluate(SHOWS) == LARGE[0]
    told = teacher.get_by_test_id("audience").filter(has_text="3 人在看：实时画面 2（其中小画面 1），只听语音 1")
    await told.wait_for()
    await teacher.get_by_test_id("audience-spent").wait_for()
    found = await figures(school, http)
    ways = {"peers": 2, "small": 1, "parts": 0, "voices": 1}
    assert {way: found[f'keshi_media_watching{{way="{way}"}}'] for way in ways} == ways
    assert found['keshi_media_refused_total{why="uplink_spent"}'] == 1
    assert found["keshi_media_uplink_limit_bits"] == UPLINK_MBPS * 1e6
    for page in (second, third):
        await page.close()


async def figures(school: School, http: aiohttp.ClientSession) -> dict[str, float]:
    """What /metrics says of media."""
    async with http.get(f"{school.service.url}/metrics") as answer:
        lines = [line.rpartition(" ") for line in (await answer.text()).splitlines()]
    return {name: float(value) for name, _, value in lines if name.startswith("keshi_media")}


async def made(page: Page) -> tuple[str, str]:
    """The address and the key that the page shows after one was made."""
    await page.get_by_test_id("stream-make").click()
    shown = page.get_by_test_id("copy-value")
    return await shown.nth(0).input_value(), await shown.nth(1).input_value()
