"""axe-core, put into a page from outside: the pages themselves allow no foreign script."""

from typing import Any

from playwright.async_api import Page

from tests.e2e.service import ROOT

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
LOOK = """() => axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(
  one => ({rule: one.id, nodes: one.nodes.map(node => node.target.join(' ') + ' ' + node.html)})))"""


async def look(page: Page, where: str) -> list[dict[str, Any]]:
    """What axe finds on a page as it is, in light and in dark."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [{"page": where, "scheme": scheme, **one} for one in await page.evaluate(LOOK)]
    return found
