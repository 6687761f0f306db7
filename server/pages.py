"""Decides how the web client is given out: two pages that are asked for anew, and assets that never change.

An asset's name changes with its content, so a browser keeps it for a year and asks no more; the two pages are looked at
each time and answered with 304. The build lays a `.br` and a `.gz` beside what shrinks (web/vite.config.ts): nothing is
compressed while anybody waits.
"""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from server.core.errors import DomainError

PAGES: Final = Path(__file__).resolve().parents[1] / "web" / "dist"
NAMES: Final = ("learn.html", "desk.html")
#: the checking page: one file, with its script inside it; a copy lies in every package
CHECKER: Final = "verify.html"
INLINE: Final = re.compile(rb"<(script|style)[^>]*>(.+?)</\1>", re.DOTALL)
#: what the build calls an asset; a name with anything else in it is none of ours
ASSET: Final = "/assets/{name:[A-Za-z0-9_-][A-Za-z0-9._-]*}"
FOREVER: Final = "public, max-age=31536000, immutable"


def serve_pages(app: web.Application, folder: Path = PAGES) -> None:
    """Add `/`, the two pages and their assets. What was not built is `not_found`."""

    async def home(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "/learn.html"})

    def page(name: str) -> Any:
        async def show(_request: web.Request) -> web.StreamResponse:
            return _file(folder / name, "no-cache")

        return show

    async def asset(request: web.Request) -> web.StreamResponse:
        return _file(folder / "assets" / request.match_info["name"], FOREVER)

    async def checker(_request: web.Request) -> web.StreamResponse:
        shown = _file(folder / CHECKER, "no-cache")
        shown.headers["Content-Security-Policy"] = policy
        return shown

    policy = _policy(folder / CHECKER)
    app.router.add_get("/", home)
    app.router.add_get(f"/{CHECKER}", checker)
    for name in NAMES:
        app.router.add_get(f"/{name}", page(name))
    app.router.add_get(ASSET, asset)


def _policy(page: Path) -> str:
    """What the checking page may do: run what it was built with, and ask nobody."""
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, text in INLINE.findall(page.read_bytes() if page.is_file() else b""):
        digest = base64.b64encode(hashlib.sha256(text).digest()).decode()
        hashes[kind.decode()].append(f" 'sha256-{digest}'")
    script, style = ("".join(found) or " 'none'" for found in hashes.values())
    return f"default-src 'none'; script-src{script}; style-src{style}; base-uri 'none'; frame-ancestors 'none'"


def _file(path: Path, keep: str) -> web.FileResponse:
    """The file, compressed beforehand where the browser takes it so. Raises DomainError not_found."""
    if not path.is_file():
        raise DomainError("not_found", remedy="build the pages: make run does it")
    return web.FileResponse(path, headers={"Cache-Control": keep, "Vary": "Accept-Encoding"})
