"""课前检测 in Chromium: everything well, UDP blocked by the browser's policy, a camera refused; phone and desk."""

from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, Page, Playwright, async_playwright

from tests.e2e.axe import look
from tests.e2e.browsers import FLAGS
from tests.e2e.lesson import STEADY, School
from tests.e2e.pictures import DESK, PHONE, picture
from tests.e2e.service import Service

pytestmark = pytest.mark.timeout(240)

#: the browser's own: no datagram leaves it
NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
ASKS_FOR_CAMERAS = "--use-fake-ui-for-media-stream"
CHECK_MS = 60_000


@pytest.fixture
async def playing() -> AsyncIterator[Playwright]:
    async with async_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        yield playwright


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A demo that also takes media by TCP."""
    folder = tmp_path_factory.mktemp("precheck")
    (folder / "config.yaml").write_text("media:\n  udp_port: 0\n  tcp_port: 0\n")
    service = Service(folder, "--demo")
    service.start()
    yield service
    service.kill()


async def browser(playing: Playwright, chromium: str | None, *more: str, without: str = "") -> Browser:
    flags = [flag for flag in FLAGS if flag != without]
    return await playing.chromium.launch(executable_path=chromium, args=[*flags, *more])


async def tried(page: Page) -> dict[str, str]:
    """The level of each thing after a check."""
    await page.get_by_test_id("line-run").click()
    done = "[data-test=line-check]:not([data-state=waiting]):not([data-state=none]) [data-test=line-said]"
    await page.locator(done).wait_for(timeout=CHECK_MS)
    found = await page.locator("[data-test=line-check] li").all()
    names = [(await one.get_attribute("data-test") or "").removeprefix("line-") for one in found]
    return {name: await one.get_attribute("data-level") or "" for name, one in zip(names, found, strict=True)}


async def text(page: Page, name: str) -> str:
    return await page.get_by_test_id(f"line-{name}").inner_text()


async def trainee(school: School) -> Page:
    """From today to the check, with a phone."""
    _, page = await school.signed_in(STEADY, "learn", PHONE)
    await page.get_by_test_id("to-check").click()
    await page.get_by_test_id("check-page").wait_for()
    return page


async def test_a_trainee_whose_phone_is_well(demo: Service, playing: Playwright, chromium: str | None) -> None:
    page = await trainee(School(demo, await browser(playing, chromium)))
    await page.get_by_test_id("devices-open").click()
    await page.locator("[data-test=own-devices][data-device=ok]").wait_for()
    found = await tried(page)
    assert "loop" not in found
    assert {found[name] for name in ("secure", "device", "codecs", "udp", "tcp", "socket", "down", "up")} == {"ok"}
    assert "毫秒" in await text(page, "udp")
    assert await look(page, "the check of a trainee") == []
    await picture(page, "precheck-trainee-well", both=True)


async def test_udp_blocked_and_the_camera_refused(demo: Service, playing: Playwright, chromium: str | None) -> None:
    page = await trainee(School(demo, await browser(playing, chromium, NO_UDP, without=ASKS_FOR_CAMERAS)))
    await page.get_by_test_id("devices-open").click()
    await page.locator("[data-test=own-devices][data-device=denied]").wait_for()
    found = await tried(page)
    assert (found["udp"], found["tcp"], found["socket"], found["device"]) == ("look", "ok", "ok", "look")
    assert "UDP 端口" in await text(page, "udp")
    assert "允许使用摄像头" in await text(page, "device")
    assert await look(page, "the check where things are blocked") == []
    await page.get_by_test_id("line-said").evaluate("element => element.scrollIntoView()")
    await picture(page, "precheck-trainee-blocked", both=True)


async def test_an_instructor_sees_the_own_picture_come_back(
    demo: Service, playing: Playwright, chromium: str | None
) -> None:
    school = School(demo, await browser(playing, chromium))
    _, page = await school.signed_in("teacher", "desk", DESK)
    await page.locator("[data-test=lessons-coming] [data-test=open-room]").first.click()
    await page.locator("[data-test=device-check][data-ready=true]").wait_for()
    found = await tried(page)
    assert (found["loop"], found["udp"], found["up"]) == ("ok", "ok", "ok")
    assert "×" in await text(page, "loop")
    assert await look(page, "the check of an instructor") == []
    await page.get_by_test_id("line-run").evaluate("element => element.scrollIntoView()")
    await picture(page, "precheck-instructor-well", both=True)
    await page.get_by_test_id("device-ready").click()
    await page.get_by_test_id("start").wait_for()


async def test_an_instructor_without_udp_goes_by_tcp(demo: Service, playing: Playwright, chromium: str | None) -> None:
    school = School(demo, await browser(playing, chromium, NO_UDP))
    _, page = await school.signed_in("teacher", "desk", DESK)
    await page.locator("[data-test=lessons-coming] [data-test=open-room]").first.click()
    await page.locator("[data-test=device-check][data-ready=true]").wait_for()
    found = await tried(page)
    assert (found["udp"], found["tcp"], found["loop"]) == ("look", "ok", "ok")
    await page.get_by_test_id("line-run").evaluate("element => element.scrollIntoView()")
    await picture(page, "precheck-instructor-tcp", both=True)
