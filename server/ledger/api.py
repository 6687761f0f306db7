"""Serves the log as files to anybody: it holds no person, and whoever keeps it is a witness (C2SP tlog-tiles)."""

import re
from typing import Final

from aiohttp import web

from server.core.errors import DomainError
from server.ledger.tiles import TileFolder
from server.verify.handover import FILE as HANDOVERS
from server.verify.tiles import CHECKPOINT

PATH: Final = re.compile(
    r"tile/(?:[0-9]|[1-5][0-9]|6[0-3]|entries)/(?:x[0-9]{3}/){0,5}[0-9]{3}(?:\.p/[1-9][0-9]{0,2})?"
)
FOREVER: Final = "public, max-age=31536000, immutable"


def serve_log(app: web.Application, folder: TileFolder, at: str = "/log") -> None:
    """Add `/log/checkpoint` and `/log/tile/...`. What is not there is `not_found`."""

    async def show(request: web.Request) -> web.Response:
        path = request.match_info["path"]
        if path not in (CHECKPOINT, HANDOVERS) and not PATH.fullmatch(path):
            raise DomainError("not_found")
        try:
            body = folder.fetch(path)
        except KeyError as error:
            raise DomainError("not_found") from error
        checkpoint = path in (CHECKPOINT, HANDOVERS)
        return web.Response(
            body=body,
            content_type="text/plain" if checkpoint else "application/octet-stream",
            charset="utf-8" if checkpoint else None,
            headers={"Cache-Control": "no-cache" if checkpoint else FOREVER},
        )

    app.router.add_get(f"{at}/{{path:.+}}", show)
