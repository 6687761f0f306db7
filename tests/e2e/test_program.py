"""The instructor teaches with a program: the key from the page, a stream with it, trainees see it, the key revoked."""

from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Page, async_playwright

from tests.e2e.axe import look
from tests.e2e.browsers import FLAGS
from tests.e2e.lesson import STEADY, School, enter, phase
from tests.e2e.pictures import DESK, PHONE
from tests.e2e.service import Service
from tests.media.clients import EncodedAudio, EncodedVideo, Refused, h264_pictures, main_profile, opus_packets, publish

#: what a page does with the servers that it is told of, and Chromium takes
GUIDED = """() => new RTCPeerConnection({ bundlePolicy: 'max-bundle' }).setConfiguration({
  bundlePolicy: 'max-bundle',
  iceServers: [{ urls: ['turn:127.0.0.1:9?transport=udp'], username: '9:keshi', credential: 'c' },
               { urls: ['stun:127.0.0.1:9'], username: '', credential: '' }] })"""
pytestmark = pytest.mark.timeout(180)


async def test_a_lesson_is_taught_with_a_program(tmp_path: Path, chromium: str | None) -> None:
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
        tracks = EncodedVideo(h264_pictures(60), 30), EncodedAudio(opus_packets(50))
        program = await publish(http, demo.url, room, key, *tracks)
        await teacher.locator("[data-test=stream-key][data-live=true]").wait_for()
        _, trainee = await school.signed_in(STEADY, "learn", PHONE)
        await enter(trainee)
        await trainee.locator("[data-test=picture][data-playing=true]").wait_for()
        await trainee.evaluate(GUIDED)
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


async def made(page: Page) -> tuple[str, str]:
    """The address and the key that the page shows after one was made."""
    await page.get_by_test_id("stream-make").click()
    shown = page.get_by_test_id("copy-value")
    return await shown.nth(0).input_value(), await shown.nth(1).input_value()
