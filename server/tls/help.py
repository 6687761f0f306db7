"""Decides what a phone reads before it trusts this machine: how to install the certificate, then the way in.

Served over plain HTTP, because the phone does not trust us yet. Who controls the network could change this page, so it
shows the fingerprint that stands in the server's terminal as well.
"""

from html import escape
from pathlib import Path
from typing import Final

from aiohttp import web

from server.tls.local_ca import PUBLIC, fingerprint
from server.tls.plain import Answer

CERTIFICATE_PATH: Final = "/keshi-ca.crt"
STYLE_PATH: Final = "/help.css"
HERE: Final = Path(__file__).parent


def help_pages(folder: Path, url: str) -> dict[str, Answer]:
    """The pages by path: the instructions, their style, and the authority's certificate of `folder`."""

    template, sheet = (HERE / "help.html").read_text(encoding="utf-8"), (HERE / "help.css").read_text(encoding="utf-8")

    async def page(_request: web.Request) -> web.StreamResponse:
        text = template.format(
            style=STYLE_PATH,
            certificate=CERTIFICATE_PATH,
            fingerprint=fingerprint(folder / PUBLIC),
            url=escape(url),
        )
        return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})

    async def style(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=sheet, content_type="text/css")

    async def certificate(_request: web.Request) -> web.StreamResponse:
        headers = {"Content-Disposition": 'attachment; filename="keshi-ca.crt"', "Cache-Control": "no-store"}
        body = (folder / PUBLIC).read_bytes()
        return web.Response(body=body, content_type="application/x-x509-ca-cert", headers=headers)

    return {"/": page, STYLE_PATH: style, CERTIFICATE_PATH: certificate}
