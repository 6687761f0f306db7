"""Every page in both languages on phone, tablet and desk: no complaint, nothing cut off, nothing untranslated.

A complaint is what the browser says in its console: a breach of the content security policy, a fault in a script, a
file that is not there. What may be Chinese in an English page is what the server sent: names, titles, addresses.
"""

import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.async_api import ConsoleMessage, Error, Page, Response, ViewportSize, WebSocket

from tests.e2e.pictures import PHONE, picture
from tests.e2e.site import Round, Site, opened

pytestmark = pytest.mark.timeout(240)

TABLET = ViewportSize(width=768, height=1024)
HAN = re.compile(r"[\u3400-\u9fff\u3000-\u303f\uff00-\uffef]+")
LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')
#: what a page shows or says, its strips included
SAID = """() => [document.title, document.body.innerText, ...[...document.querySelectorAll('*')].flatMap(
  one => ['aria-label', 'aria-valuetext', 'title', 'alt', 'placeholder'].map(name => one.getAttribute(name) ?? '')
)].join('\\n')"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
#: the one word that names a language in itself
OWN_NAME = "中文"


class Ear:
    """What a page was sent, and what its browser complained about."""

    def __init__(self, page: Page) -> None:
        self.sent: set[str] = set()
        self.complaints: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda fault: self.complaints.append(f"fault: {fault}"))
        page.on("response", self._response)
        page.on("websocket", self._socket)

    def _console(self, message: ConsoleMessage) -> None:
        refused_by_api = message.text.startswith("Failed to load resource") and "/api/" in message.location["url"]
        if message.type in ("error", "warning") and not refused_by_api:
            self.complaints.append(f"{message.type}: {message.text}")

    async def _response(self, response: Response) -> None:
        if "/api/" in response.url and "json" in response.headers.get("content-type", ""):
            with suppress(Error):  # the page is gone already
                self._learn(await response.text())

    def _socket(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self._learn(frame if isinstance(frame, str) else ""))

    def _learn(self, text: str) -> None:
        self.sent |= {json.loads(one) for one in LITERAL.findall(text)}

    def untranslated(self, said: str) -> list[str]:
        """Chinese that the server did not send."""
        for known in sorted(self.sent, key=len, reverse=True):
            if HAN.search(known):
                said = said.replace(known, "")
        return sorted(set(HAN.findall(said)) - {OWN_NAME})


@pytest.fixture
async def site(tmp_path: Path, chromium: str | None) -> AsyncIterator[Site]:
    async with opened(tmp_path, chromium) as found:
        yield found


async def walk(site: Site, one: Round, language: str) -> list[str]:
    """Look at these pages in this language at their own size and as on a tablet; what is wrong with them."""
    page = await site.open(one.login, one.entry, one.size)
    await page.evaluate("language => localStorage.setItem('keshi.language', language)", language)
    ear, wrong, titles = Ear(page), [], set()
    for number, path in enumerate(one.paths):
        await page.goto(f"{site.service.url}/{one.entry}.html?{number}#{path}")
        await page.wait_for_load_state("networkidle")
        where = f"{one.login or 'door'}-{one.entry}{re.sub(r'[^a-z]+', '-', re.sub(r'[0-9a-f]{16}', '', path))}"
        titles.add(await page.title())
        for size in (one.size, TABLET, *([PHONE] if one.entry == "desk" else [])):
            await page.set_viewport_size(size)
            if await page.evaluate(WIDER) > 0:
                wrong.append(f"{where} at {size['width']}: wider than the screen")
            await picture(page, f"walk-{language}-{where}-{size['width']}", both=size is one.size)
        await page.set_viewport_size(one.size)
        if await page.get_attribute("html", "lang") != language:
            wrong.append(f"{where}: lang")
        if language == "en":
            wrong += [f"{where}: untranslated {text}" for text in ear.untranslated(str(await page.evaluate(SAID)))]
    if len(titles) != len(one.paths):
        wrong.append(f"{one}: not each page has a title of its own: {titles}")
    wrong += [f"{one.login} {one.entry}: {complaint}" for complaint in ear.complaints]
    await page.context.close()
    return wrong


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_every_page(site: Site, language: str) -> None:
    wrong = []
    for one in await site.rounds():
        wrong += await walk(site, one, language)
    assert wrong == []


async def test_what_is_wrong_would_be_seen(site: Site) -> None:
    page = await site.open("", "learn", PHONE)
    ear = Ear(page)
    await page.reload()
    await page.wait_for_load_state("networkidle")
    assert (ear.complaints, bool(ear.sent)) == ([], True)
    assert ear.untranslated("Sign in 登录 at 中文") == ["登录"]
    await page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")
    await page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: '1'}))")
    await page.wait_for_timeout(200)
    assert len(ear.complaints) == 2
    assert all("Content Security Policy" in complaint for complaint in ear.complaints)
