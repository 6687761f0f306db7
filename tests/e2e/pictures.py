"""Pictures of the pages, written to build/pictures; the best are copied into docs by hand."""

from pathlib import Path
from typing import Final

from playwright.async_api import Page, ViewportSize

FOLDER: Final = Path(__file__).resolve().parents[2] / "build" / "pictures"
PHONE: Final = ViewportSize(width=360, height=740)
DESK: Final = ViewportSize(width=1440, height=900)


async def picture(page: Page, name: str, *, both: bool = False) -> None:
    """Take the page as it is, light; with `both` dark as well."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if both:
        await page.emulate_media(color_scheme="light")
    await page.screenshot(path=FOLDER / f"{name}.png")
    if both:
        await page.emulate_media(color_scheme="dark")
        await page.screenshot(path=FOLDER / f"{name}-dark.png")
        await page.emulate_media(color_scheme="light")
