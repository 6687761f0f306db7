"""Decides how a room is watched over a WebSocket: plain TCP, fragmented MP4, for whoever WebRTC does not reach.

GET /media/live/{room} with the exact Origin. The first message says `{"token": ..., "rendition": ...}`.
Before each init segment comes one text `{"codecs", "width", "height"}`; init segments and parts are binary. A refusal
is one text `{"code", "data"}` and the end. Such a viewer is told, counted and cut as those of WHEP are.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from aiohttp import WSMsgType, web

from media.broadcast import RENDITIONS, Rendition
from media.broadcasts import Broadcasts
from media.errors import MediaError
from media.fmp4 import Init
from media.grants import MAX_TOKEN_CHARS, Grant, Tokens
from media.origin import from_own_page
from media.plane import Plane
from media.room import Room
from media.tasks import Tasks
from media.window import Reader
from media.witness import PARTS

FIRST_SECONDS = 10.0
SEND_SECONDS = 5.0
BYE_SECONDS = 1.0
HEARTBEAT_SECONDS = 10.0
MAX_SAID_BYTES = MAX_TOKEN_CHARS + 256


class Follower:
    """One who watches over a WebSocket."""

    def __init__(
        self,
        grant: Grant,
        rendition: Rendition,
        socket: web.WebSocketResponse,
        reader: Reader,
        hang_up: Callable[[], None],
    ) -> None:
        self.grant = grant
        self.rendition: Rendition = rendition
        self.tier, self.taken = PARTS, 0
        self._hang_up = hang_up
        self._socket, self._reader = socket, reader

    def end(self) -> None:
        """Cut off: nothing more is sent than what is on its way."""
        self._reader.close()

    async def send(self) -> None:
        """Send until the end, or until nothing gets through any more."""
        init: Init | None = None
        skipped = 0
        with suppress(ConnectionError, TimeoutError):
            while (part := await self._reader.next()) is not None:
                async with asyncio.timeout(SEND_SECONDS):
                    if part.init is not init or skipped != self._reader.skipped:
                        init, skipped = part.init, self._reader.skipped
                        said = {"codecs": init.codecs, "width": init.width, "height": init.height}
                        await self._socket.send_str(json.dumps(said))
                        await self._socket.send_bytes(init.data)
                    await self._socket.send_bytes(part.data)
                self.taken += len(part.data)
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(BYE_SECONDS):
                await self._socket.close()
                return
        self._hang_up()


class Live:
    """The WebSocket side of one plane."""

    def __init__(self, plane: Plane, tokens: Tokens, broadcasts: Broadcasts) -> None:
        self._plane, self._tokens, self._broadcasts = plane, tokens, broadcasts
        self._tasks = Tasks()

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/media/live/{room}", self._serve)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if not from_own_page(request):
            return web.json_response({"code": "origin_refused", "data": {}}, status=403)
        socket = web.WebSocketResponse(max_msg_size=MAX_SAID_BYTES, compress=False, heartbeat=HEARTBEAT_SECONDS)
        await socket.prepare(request)
        try:
            grant, rendition = await self._granted(request, socket)
            room = self._plane.admit(grant, rendition)
        except MediaError as error:
            await socket.send_str(json.dumps({"code": error.code, "data": error.data}))
            await socket.close()
            return socket
        await self._follow(room, grant, rendition, socket, partial(_abort, request))
        return socket

    async def _follow(
        self,
        room: Room,
        grant: Grant,
        rendition: Rendition,
        socket: web.WebSocketResponse,
        hang_up: Callable[[], None],
    ) -> None:
        reader = self._broadcasts.join(room, rendition)
        follower = Follower(grant, rendition, socket, reader, hang_up)
        self._plane.follow(follower)
        sending = self._tasks.spawn(follower.send(), "follow")
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
        finally:
            sending.cancel()
            self._plane.unfollow(follower)
            self._broadcasts.leave(room, rendition, reader)

    async def _granted(self, request: web.Request, socket: web.WebSocketResponse) -> tuple[Grant, Rendition]:
        said: Any = None
        with suppress(TimeoutError, TypeError, ValueError):
            said = json.loads(await socket.receive_str(timeout=FIRST_SECONDS))
        if not isinstance(said, dict) or not isinstance(said.get("token"), str):
            raise MediaError("token_missing")
        grant = self._tokens.verify(said["token"], self._plane.now())
        rendition = said.get("rendition", "picture")
        if grant.kind != "watch" or grant.room != request.match_info["room"] or rendition not in RENDITIONS:
            raise MediaError("grant_mismatch")
        return grant, rendition


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
