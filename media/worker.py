"""Decides how the plane serves from a process of its own: WHIP and WHEP, and a door for servers, on one unix socket.

A server posts what it wants to `/control/state`, whole, again and again:
`{"now": s, "since": s, "rooms": [name], "closed": [name], "cuts": {peer: s}, "hushed": {name: [slot]}}`, answered
`{"refused": {name: code}, "figures": {...}, "lines": {name: [...]}, "audiences": {name: {...}}}`, all of those rooms
only.
`now` is its clock, by which tokens are judged; `since` says from when on it knows all cuts. `/control/events` streams
one JSON object a line: first `{"live": {room: peer}, "minutes": [minute]}`, the latter of the last five minutes, then
`{"kind": ..., "room": ..., "peer": ...}` and `{"minute": minute}`, once each, where a minute is
`{"room": ..., "slot": unix minute, "peers": {peer: [tier, parts, bytes]}}` (witness.py); an empty line says that all is
well. Several servers may speak to one worker. What none has claimed for ORPHAN_SECONDS ends.
"""

import asyncio
import errno
import hashlib
import hmac
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from media import clock
from media.errors import MediaError
from media.plane import MediaEvent
from media.settings import MediaSettings
from media.studio import Studio
from media.tap import CAMERA, CAMERA_LOW, SCREEN, VOICE
from media.tasks import Tasks
from media.witness import Delivered

STATE = "/control/state"
EVENTS = "/control/events"
SECRET_HEADER = "Keshi-Control"  # noqa: S105  the name of a header
ORPHAN_SECONDS = 60.0
SWEEP_SECONDS = 5.0
KEEPALIVE_SECONDS = 5.0
#: a server that reads events so slowly is cut off and starts again from a snapshot
MOST_WAITING = 10_000
SHUTDOWN_SECONDS = 1.0
#: the cuts of ten minutes have room in it, whoever comes and goes as fast as a server lets them
MOST_STATE_BYTES = 32 << 20
END = b""
#: the slots by name: others are none
SLOTS = {name: name for name in (VOICE, CAMERA, CAMERA_LOW, SCREEN)}


def control_secret(key: bytes) -> str:
    """What a server shows at the control door: whoever only speaks through a proxy does not know it."""
    return hashlib.sha256(b"keshi media control\0" + key).hexdigest()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a server wants of the worker; seconds since 1970 on the server's clock."""

    now: float
    since: float
    rooms: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    cuts: dict[str, float] = field(default_factory=dict)
    hushed: dict[str, list[str]] = field(default_factory=dict)


class ServersTime:
    """The clock of the servers: the machine's until one has told its own, then that, advanced steadily."""

    def __init__(self) -> None:
        self._ahead = clock.unix() - clock.boottime()

    def now(self) -> float:
        return self._ahead + clock.boottime()

    def tell(self, now: float) -> None:
        self._ahead = now - clock.boottime()


class Worker:
    """A plane and its two doors."""

    def __init__(self, settings: MediaSettings, key: bytes) -> None:
        self._time = ServersTime()
        self._studio = Studio(settings, key, self._on_event, self._time.now)
        self.plane = self._studio.plane
        self.plane.on_minute.append(self._on_minute)
        self._secret = control_secret(key)
        self._started = clock.boottime()
        self._since = float("inf")
        self._claimed: dict[str, float] = {}
        self._live: dict[str, str] = {}
        self._listeners: set[asyncio.Queue[bytes]] = set()
        self._tasks = Tasks()

    async def start(self) -> None:
        """Raises OSError when the UDP port is taken."""
        await self._studio.start()
        self._tasks.spawn(self._sweep(), "sweep")

    async def stop(self) -> None:
        """End every session, tell each peer, let the servers go."""
        await self._studio.stop()
        for listener in list(self._listeners):
            self._put(listener, END)
        await self._tasks.close()

    def application(self) -> web.Application:
        app = web.Application(client_max_size=MOST_STATE_BYTES)
        self._studio.add_to(app)
        app.router.add_post(STATE, self._guarded(self._state))
        app.router.add_get(EVENTS, self._guarded(self._events))
        return app

    def want(self, wanted: Wanted) -> dict[str, str]:
        """Bring the plane to what a server wants; returns the rooms that could not be opened, with codes."""
        self._time.tell(wanted.now)
        self._since = min(self._since, wanted.since)
        # Cuts from before both of us began are known to nobody.
        self.plane.cuts.floor = min(self._since, wanted.now - (clock.boottime() - self._started))
        for peer, at in wanted.cuts.items():
            if not self.plane.cuts.knows(peer, at):  # each is told for ten minutes, and looks at all who are there
                self.plane.cut(peer, at)
        for room in wanted.closed:
            self._claimed.pop(room, None)
            self.plane.close_room(room)
        refused: dict[str, str] = {}
        for room in wanted.rooms:
            try:
                self.plane.open_room(room)
                self._claimed[room] = clock.monotonic()
            except MediaError as error:
                refused[room] = error.code
        for room, slots in wanted.hushed.items():
            if room in self.plane.rooms and self.plane.rooms[room].hushed != (names := frozenset(slots)):
                self.plane.rooms[room].hush(names)
        return refused

    def sweep(self) -> None:
        """End the rooms that nobody claims any more."""
        now = clock.monotonic()
        for room, at in list(self._claimed.items()):
            if now - at > ORPHAN_SECONDS:
                del self._claimed[room]
                self.plane.close_room(room)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep()

    # -- the control door -------------------------------------------------------------------------

    def _guarded(
        self, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            shown = request.headers.get(SECRET_HEADER, "")
            if not hmac.compare_digest(shown.encode(), self._secret.encode()):
                return web.json_response({"code": "forbidden", "data": {}}, status=403)
            return await handler(request)

        return guarded

    async def _state(self, request: web.Request) -> web.Response:
        try:
            wanted = read_wanted(await request.json())
        except (ValueError, TypeError, KeyError, AttributeError):
            return web.json_response({"code": "bad_request", "data": {}}, status=400)
        refused = self.want(wanted)
        rooms = [self.plane.rooms[name] for name in wanted.rooms if name in self.plane.rooms]
        lines = {room.name: self._studio.lines.of(room.name) for room in rooms}
        audiences = {name: asdict(each) for name, each in self._studio.audiences(rooms).items()}
        said = {"refused": refused, "figures": asdict(self._studio.figures(rooms))}
        return web.json_response(said | {"lines": lines, "audiences": audiences})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        listener: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)
        minutes = [asdict(each) for each in self.plane.witness.recent]
        listener.put_nowait(_line({"live": self._live, "minutes": minutes}))
        self._listeners.add(listener)
        try:
            while listener in self._listeners:
                line = b"\n"
                with suppress(TimeoutError):
                    async with asyncio.timeout(KEEPALIVE_SECONDS):
                        line = await listener.get()
                if line == END:
                    break
                await response.write(line)
        finally:
            self._listeners.discard(listener)
        return response

    def _on_event(self, event: MediaEvent) -> None:
        if event.kind == "publisher_live":
            self._live[event.room] = event.peer
        elif event.kind == "publisher_gone" and self._live.get(event.room) == event.peer:
            del self._live[event.room]
        self._say({"kind": event.kind, "room": event.room, "peer": event.peer, "code": event.code})

    def _on_minute(self, minute: Delivered) -> None:
        self._say({"minute": asdict(minute)})

    def _say(self, said: dict[str, Any]) -> None:
        line = _line(said)
        for listener in list(self._listeners):
            self._put(listener, line)

    def _put(self, listener: asyncio.Queue[bytes], line: bytes) -> None:
        try:
            listener.put_nowait(line)
        except asyncio.QueueFull:
            self._listeners.discard(listener)


def read_wanted(said: dict[str, Any]) -> Wanted:
    """What a server posted. Raises ValueError, TypeError, KeyError or AttributeError."""
    rooms, closed = ([str(room) for room in said[name]] for name in ("rooms", "closed"))
    cuts = {str(peer): float(at) for peer, at in said["cuts"].items()}
    hushed = {str(room): [SLOTS[slot] for slot in slots] for room, slots in said.get("hushed", {}).items()}
    return Wanted(float(said["now"]), float(said["since"]), rooms, closed, cuts, hushed)


@asynccontextmanager
async def serving(settings: MediaSettings, key: bytes, path: Path) -> AsyncIterator[Worker]:
    """A worker that answers at `path` while the block runs. Raises OSError: the socket or the UDP port is taken."""
    with closing(listen(path)) as listener:
        worker = Worker(settings, key)
        await worker.start()
        runner = web.AppRunner(worker.application(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        try:
            await runner.setup()
            await web.SockSite(runner, listener).start()
            yield worker
        finally:
            await worker.stop()
            await runner.cleanup()


def listen(path: Path) -> socket.socket:
    """A unix socket that only this account may use. Raises OSError EADDRINUSE while another worker answers there."""
    if path.is_socket():
        with socket.socket(socket.AF_UNIX) as asking:
            if asking.connect_ex(str(path)) == 0:
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), str(path))
        path.unlink()  # left by one that was killed
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
        listener.listen()
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    listener.setblocking(False)
    return listener


def _line(said: dict[str, Any]) -> bytes:
    return json.dumps(said).encode() + b"\n"
