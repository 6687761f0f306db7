"""Serves the log as files to anybody: it holds no person, and whoever keeps it is a witness (C2SP tlog-tiles)."""

import asyncio
import re
from collections.abc import Iterable
from functools import partial
from typing import Final

from aiohttp import web

from server.core.errors import DomainError
from server.ledger.tiles import TileFolder
from server.verify.handover import FILE as HANDOVERS
from server.verify.notes import Key, encode, read_checkpoint, read_note
from server.verify.tiles import CHECKPOINT
from server.verify.tree import Refused, prove_consistency

PATH: Final = re.compile(
    r"tile/(?:[0-9]|[1-5][0-9]|6[0-3]|entries)/(?:x[0-9]{3}/){0,5}[0-9]{3}(?:\.p/[1-9][0-9]{0,2})?"
)
FOREVER: Final = "public, max-age=31536000, immutable"
#: from how many leaves to how many
GROWTH: Final = re.compile(r"(?P<old>[1-9][0-9]{0,15})-(?P<size>[1-9][0-9]{0,15})")


def serve_log(app: web.Application, folder: TileFolder, at: str = "/log", keys: Iterable[Key] = ()) -> None:
    """Add `/log/checkpoint`, `/log/tile/...`, and for pages, which keep what they saw: `/log/keys`,
    `/log/consistency/{old}-{size}` (RFC 9162, 2.1.4; a hash a line), `/log/latest` (the checkpoint; empty before there
    is one, because a log that only begins is no fault). What else is not there is `not_found`.
    """

    async def consistency(request: web.Request) -> web.Response:
        asked = GROWTH.fullmatch(request.match_info["growth"])
        if asked is None:
            raise DomainError("not_found")
        try:
            proof = await asyncio.to_thread(_prove, folder, int(asked["old"]), int(asked["size"]))
        except (KeyError, Refused) as error:
            raise DomainError("not_found") from error
        return web.Response(text="".join([f"{encode(one)}\n" for one in proof]), headers={"Cache-Control": FOREVER})

    async def known(_: web.Request) -> web.Response:
        return web.Response(text="".join([f"{key}\n" for key in keys]), headers={"Cache-Control": "no-cache"})

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

    app.router.add_get(f"{at}/consistency/{{growth}}", consistency)
    app.router.add_get(f"{at}/keys", known)
    app.router.add_get(f"{at}/latest", partial(_latest, folder))
    app.router.add_get(f"{at}/{{path:.+}}", show)


async def _latest(folder: TileFolder, _: web.Request) -> web.Response:
    return web.Response(text=folder.said() or "", headers={"Cache-Control": "no-cache"})


def _prove(folder: TileFolder, old: int, size: int) -> list[bytes]:
    """Raises KeyError for what was not published, Refused for what does not grow."""
    said = folder.said()
    published = read_checkpoint(read_note(said).text).size if said else 0
    if size > published:
        raise KeyError(size)
    return prove_consistency(folder.tree(published).node, old, size)
