"""Decides how a room is watched as plain live HLS (RFC 8216), without H.264 in WebRTC and without a media source.

POST /media/hls/{room}/{rendition} with a watch token as for WHEP answers 201 and the address of a playlist, which ends
in a session that nobody guesses: a <video> shows no token, and asks for longer than one lives. The session ends by
DELETE of that address, when it is cut, with the room, or when nothing was asked for SILENT_SECONDS. Such a viewer is
told, counted and cut as those of WHEP are. A room is packed once for all who watch a rendition this way.
"""

import asyncio
import secrets
from contextlib import suppress

from aiohttp import web

from media import clock
from media.broadcast import Rendition, rendition_of
from media.broadcasts import Broadcasts
from media.doors import PacketBudget
from media.errors import MediaError
from media.grants import Grant, Tokens
from media.plane import SESSION_BYTES, Plane
from media.room import Room
from media.shelf import Shelf
from media.tasks import Tasks
from media.whip import granted, refusing
from media.window import Reader
from media.witness import HLS

PLAYLIST = "live.m3u8"
PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
PIECE_TYPE = "video/mp4"
#: a player asks every two to four seconds; one that does not, and is not waiting for us, has gone
SILENT_SECONDS = 20.0
SWEEP_SECONDS = 1.0
#: so long a playlist is waited for, until there is enough in it
WAIT_SECONDS = 10.0
#: a player asks about once a second; at first for all that is there
ASKED_AT_ONCE, ASKED_PER_SECOND = 30, 3.0
#: its name among the plane's counts
TOO_FAST = "hls_too_fast"


class Channel:
    """One rendition of one room, while somebody watches it as HLS."""

    def __init__(self, room: Room, rendition: Rendition, broadcasts: Broadcasts) -> None:
        self.listeners: set[Listener] = set()
        self._room, self._rendition, self._broadcasts = room, rendition, broadcasts
        self.reader: Reader = broadcasts.join(room, rendition)
        self.shelf = Shelf(broadcasts.epoch(room), room.ask_keyframe)
        self._enough = asyncio.Event()

    async def fill(self) -> None:
        """Take parts until the end."""
        skipped = 0
        while (part := await self.reader.next()) is not None:
            self.shelf.add(part, missed=self.reader.skipped != skipped)
            skipped = self.reader.skipped
            if self.shelf.enough:
                self._enough.set()

    async def ready(self) -> None:
        """Wait until there is something to play. Raises MediaError nothing_yet."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._enough.wait()
        except TimeoutError as error:
            raise MediaError("nothing_yet") from error

    def close(self) -> None:
        self.reader.close()
        self._broadcasts.leave(self._room, self._rendition, self.reader)


class Listener:
    """One who watches as HLS."""

    def __init__(self, hls: "Hls", grant: Grant, rendition: Rendition, channel: Channel) -> None:
        self.id = secrets.token_urlsafe(SESSION_BYTES)
        self.grant, self.rendition, self.channel = grant, rendition, channel
        self.tier, self.taken = HLS, 0
        self._newest = -1
        self.heard = clock.monotonic()
        self.waiting = 0
        self._budget = PacketBudget(self.heard, ASKED_AT_ONCE, ASKED_PER_SECOND)
        self._hls = hls

    def hear(self) -> bool:
        """Something was asked; False: too often."""
        self.heard = clock.monotonic()
        return self._budget.spend(self.heard)

    def took(self, number: int, data: bytes) -> None:
        """A segment was fetched; fetched again it is nothing new."""
        if number > self._newest:
            self._newest = number
            self.taken += len(data)

    def end(self) -> None:
        """Cut off, or gone: nothing more is given."""
        self._hls.drop(self)


class Hls:
    """The HLS side of one plane."""

    def __init__(self, plane: Plane, tokens: Tokens, broadcasts: Broadcasts) -> None:
        self._plane, self._tokens, self._broadcasts = plane, tokens, broadcasts
        self._channels: dict[tuple[Room, Rendition], Channel] = {}
        self._listeners: dict[str, Listener] = {}
        self._tasks = Tasks()
        self._sweeping = False

    def add_to(self, app: web.Application) -> None:
        listed = "/media/hls/{room}/{rendition}"
        app.router.add_post(listed, refusing(self._create))
        app.router.add_get(f"{listed}/{PLAYLIST}", refusing(self._playlist), allow_head=False)
        app.router.add_delete(f"{listed}/{PLAYLIST}", refusing(self._delete))
        piece = listed + r"/{kind:(init)?}{number:\d{1,9}}.mp4"
        app.router.add_get(piece, refusing(self._piece), allow_head=False)

    async def stop(self) -> None:
        """End every session."""
        for listener in list(self._listeners.values()):
            listener.end()
        await self._tasks.close()

    def drop(self, listener: Listener) -> None:
        """Forget a session; nothing happens the second time."""
        if self._listeners.pop(listener.id, None) is None:
            return
        channel = listener.channel
        channel.listeners.discard(listener)
        if not channel.listeners:
            self._channels = {key: each for key, each in self._channels.items() if each is not channel}
            channel.close()
        self._plane.unfollow(listener)

    async def _create(self, request: web.Request) -> web.Response:
        rendition = rendition_of(request.match_info["rendition"])
        if rendition is None:
            raise MediaError("rendition_unknown")
        grant = granted(request, self._tokens, "watch", self._plane.now())
        listener = self._open(self._plane.admit(grant, rendition), grant, rendition)
        place = f"{request.path}/{PLAYLIST}?session={listener.id}"
        return web.Response(status=201, headers={"Location": place, "Cache-Control": "no-store"})

    def _open(self, room: Room, grant: Grant, rendition: Rendition) -> Listener:
        channel = self._channels.get((room, rendition))
        if channel is None:
            channel = self._channels[room, rendition] = Channel(room, rendition, self._broadcasts)
            self._tasks.spawn(channel.fill(), "hls")
        listener = Listener(self, grant, rendition, channel)
        channel.listeners.add(listener)
        self._listeners[listener.id] = listener
        self._plane.follow(listener)
        if not self._sweeping:
            self._sweeping = True
            self._tasks.spawn(self._sweep(), "sweep")
        return listener

    async def _playlist(self, request: web.Request) -> web.Response:
        listener = self._listener(request)
        listener.waiting += 1
        try:
            await listener.channel.ready()
        finally:
            listener.waiting -= 1
            listener.heard = clock.monotonic()
        if listener.id not in self._listeners:
            raise MediaError("session_unknown")
        text = listener.channel.shelf.playlist(f"?session={listener.id}")
        return web.Response(text=text, content_type=PLAYLIST_TYPE, headers={"Cache-Control": "no-store"})

    async def _piece(self, request: web.Request) -> web.Response:
        listener, number = self._listener(request), int(request.match_info["number"])
        shelf, is_init = listener.channel.shelf, bool(request.match_info["kind"])
        data = shelf.init(number) if is_init else shelf.segment(number)
        if not data:
            raise MediaError("piece_gone")
        if not is_init:
            listener.took(number, data)
        return web.Response(body=data, content_type=PIECE_TYPE, headers={"Cache-Control": "private, max-age=60"})

    async def _delete(self, request: web.Request) -> web.Response:
        with suppress(MediaError):  # also when it had ended
            self._listener(request).end()
        return web.Response(status=200)

    def _listener(self, request: web.Request) -> Listener:
        """The session that a request belongs to. Raises MediaError session_unknown or too_fast."""
        listener = self._listeners.get(request.query.get("session", ""))
        asked = (request.match_info["room"], request.match_info["rendition"])
        if listener is None or asked != (listener.grant.room, listener.rendition):
            raise MediaError("session_unknown")
        if not listener.hear():
            self._plane.counts[TOO_FAST] += 1
            raise MediaError("too_fast")
        return listener

    async def _sweep(self) -> None:
        while self._listeners:
            await asyncio.sleep(SWEEP_SECONDS)
            now = clock.monotonic()
            for each in list(self._listeners.values()):
                if not each.waiting and now - each.heard > SILENT_SECONDS:
                    each.end()
        self._sweeping = False
