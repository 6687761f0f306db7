"""Decides how a room is watched over a WebSocket: plain TCP, fragmented MP4, for whoever WebRTC does not reach.

GET /media/live/{room} with the exact Origin. The first message says `{"token": ..., "rendition": ...}`.
Before each init segment comes one text `{"codecs", "width", "height"}`; init segments and parts are binary. A refusal
is one text `{"code", "data"}` and the end. Such a viewer is told, counted and cut as those of WHEP are.

The frame of a part (RFC 6455 section 5.2) is made once, and written at once for whoever has taken all that was before
it. For everybody else parts wait, and are sent as fast as the connection takes them.
"""

import asyncio
import json
import struct
from contextlib import suppress
from typing import Any

from aiohttp import WSMsgType, web

from media.broadcast import Rendition, rendition_of
from media.broadcasts import Broadcasts
from media.errors import MediaError
from media.fmp4 import Init, Part
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
#: a page says its token and nothing more; whoever goes on talking only costs
MOST_SAID = 10
#: the last frame of a message, with binary data, not masked
FIN_BINARY = 0x82


def frame(data: bytes) -> bytes:
    """A whole message as a server sends it."""
    size = len(data)
    if size < 126:
        return struct.pack("!BB", FIN_BINARY, size) + data
    if size < 1 << 16:
        return struct.pack("!BBH", FIN_BINARY, 126, size) + data
    return struct.pack("!BBQ", FIN_BINARY, 127, size) + data


class Frames:
    """The frame of the part that is sent to everybody now."""

    def __init__(self) -> None:
        self._part: Part | None = None
        self._frame = b""

    def of(self, part: Part) -> bytes:
        if part is not self._part:
            self._part, self._frame = part, frame(part.data)
        return self._frame


class Follower:
    """One who watches over a WebSocket."""

    def __init__(
        self,
        grant: Grant,
        rendition: Rendition,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport,
        reader: Reader,
        frames: Frames,
    ) -> None:
        self.grant = grant
        self.rendition: Rendition = rendition
        self.tier, self.taken = PARTS, 0
        self._socket, self._transport, self._reader, self._frames = socket, transport, reader, frames
        self._init: Init | None = None
        self._skipped = 0
        self._sending = False
        reader.at_once = self._take

    def end(self) -> None:
        """Cut off: nothing more is sent than what is on its way."""
        self._reader.close()

    def _take(self, part: Part) -> bool:
        """Write a part now; False: what comes before it is still to be sent."""
        if self._sending or self._begins(part) or self._socket.closed or self._transport.is_closing():
            return False
        if self._transport.get_write_buffer_size():
            return False
        self._transport.write(self._frames.of(part))
        self.taken += len(part.data)
        return True

    def _begins(self, part: Part) -> bool:
        """Whether an init segment comes before this part."""
        return part.init is not self._init or self._skipped != self._reader.skipped

    async def send(self) -> None:
        """Send what waits until the end, or until nothing gets through any more."""
        with suppress(ConnectionError, TimeoutError):
            while (part := await self._reader.next()) is not None:
                self._sending = True
                async with asyncio.timeout(SEND_SECONDS):
                    await self._send(part)
                self._sending = False
        self._sending = True
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(BYE_SECONDS):
                await self._socket.close()
                return
        self._transport.abort()

    async def _send(self, part: Part) -> None:
        if self._begins(part):
            init = self._init = part.init
            self._skipped = self._reader.skipped
            said = {"codecs": init.codecs, "width": init.width, "height": init.height}
            await self._socket.send_str(json.dumps(said))
            await self._socket.send_bytes(init.data)
        await self._socket.send_bytes(part.data)
        self.taken += len(part.data)


class Live:
    """The WebSocket side of one plane."""

    def __init__(self, plane: Plane, tokens: Tokens, broadcasts: Broadcasts) -> None:
        self._plane, self._tokens, self._broadcasts = plane, tokens, broadcasts
        self._tasks, self._frames = Tasks(), Frames()

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
        if request.transport is not None:  # as it is once nobody is there
            await self._follow(room, grant, rendition, socket, request.transport)
        return socket

    async def _follow(
        self,
        room: Room,
        grant: Grant,
        rendition: Rendition,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport,
    ) -> None:
        reader = self._broadcasts.join(room, rendition)
        follower = Follower(grant, rendition, socket, transport, reader, self._frames)
        self._plane.follow(follower)
        sending = self._tasks.spawn(follower.send(), "follow")
        try:
            said = 0
            async for message in socket:
                said += 1
                if message.type is not WSMsgType.TEXT or said > MOST_SAID:
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
        rendition = rendition_of(said.get("rendition", "picture"))
        if grant.kind != "watch" or grant.room != request.match_info["room"] or rendition is None:
            raise MediaError("grant_mismatch")
        return grant, rendition
