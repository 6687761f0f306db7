"""The demo's slides are the page beside them, printed: to make them anew, run this file as a program."""

import asyncio
import re
import shutil
from html.parser import HTMLParser

import pypdfium2
from playwright.async_api import async_playwright

from server.demo.acting import SLIDES
from tests.conftest import CHROMIUM_NAMES

PAGE = SLIDES.with_suffix(".html")
MARKS = re.compile(r"\s+|[•●]|\d+\.(?=\D)")


class Sections(HTMLParser):
    """The text of each section of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "section":
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1] += data


def test_the_slides_say_what_the_page_beside_them_says() -> None:
    written = Sections()
    written.feed(PAGE.read_text(encoding="utf-8"))
    document = pypdfium2.PdfDocument(SLIDES)
    printed = [page.get_textpage().get_text_range() for page in document]
    assert [MARKS.sub("", text) for text in printed] == [MARKS.sub("", text) for text in written.texts]
    assert len(printed) == 3


async def make(chromium: str) -> None:
    """Print the page."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page()
        await page.goto(PAGE.as_uri())
        await page.pdf(path=SLIDES, prefer_css_page_size=True, print_background=True, tagged=False)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(make(str(next(filter(None, map(shutil.which, CHROMIUM_NAMES))))))
