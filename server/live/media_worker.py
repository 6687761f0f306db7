"""Media in a process of its own, as a lesson asks for it: says again and again what it wants, hears what happens.

Several servers may use one worker; each claims only the rooms of the lessons that it runs, and hears only of those.
"""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson
import structlog
from aiohttp import web

from media.api import (
    EVENTS,
    SECRET_HEADER,
    STATE,
    Audience,
    Cuts,
    Figures,
    Line,
    MediaError,
    asides,
    control_secret,
    read_audience,
    read_figures,
    read_lines,
    shown_token,
)
from server.core.clock import Clock
from server.core.errors import DomainError
from server.core.tasks import Tasks
from server.live.media_door import Door
from server.live.media_pipe import piped

log = structlog.get_logger("live.media")

#: what is wanted is said again this often, so that a worker that came back has it all
SAY_S: Final = 5.0
RETRY_S: Final = 0.5
ANSWER_S: Final = 3.0
#: the worker says something at least every five seconds
SILENCE_S: Final = 15.0
FORWARD_S: Final = 20.0
NAME: Final = "[A-Za-z0-9_-]+"
#: what of a request and of its answer passes between a browser and the worker
ASKED: Final = ("Authorization", "Content-Type", "If-Match")
ANSWERED: Final = (
    "Content-Type",
    "Location",
    "ETag",
    "Accept-Patch",
    "WWW-Authenticate",
    "Retry-After",
    "Cache-Control",
)
TROUBLE: Final = (aiohttp.ClientError, OSError, TimeoutError, ValueError)


class WorkerMedia(Door):
    """The worker behind live's MediaDoor. It may come and go; what was asked of it meanwhile is not lost."""

    def __init__(self, path: Path, key: bytes, clock: Clock, tasks: Tasks) -> None:
        super().__init__(key, clock, tasks)
        self._path = path
        self._secret = {SECRET_HEADER: control_secret(key)}
        self._http: aiohttp.ClientSession
        self._following: list[asyncio.Task[None]] = []
        self._rooms: set[str] = set()
        self._closed: set[str] = set()
        self._hushed: dict[str, frozenset[str]] = {}
        self._cuts = Cuts(lambda: clock.ms() / 1000)
        self._live: dict[str, str] = {}
        self._here = False
        self._figures = Figures()
        self._lines: dict[str, list[Line]] = {}
        self._audiences: dict[str, Audience] = {}
        self._news = asyncio.Event()
        self._saying = asyncio.Lock()

    async def start(self) -> None:
        """Look for the worker from now on; it need not be there."""
        self._http = aiohttp.ClientSession("http://media", connector=aiohttp.UnixConnector(str(self._path), limit=0))
        self._following = [
            self._tasks.spawn("media.follow", self._follow()),
            self._tasks.spawn("media.say", self._say_always()),
        ]

    async def stop(self) -> None:
        """Let go of the worker; its rooms go on for a minute, for a server that comes back."""
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)
        await self._http.close()

    async def open_room(self, room: str) -> None:
        """Claim a room and open it. Raises MediaError (too_many_rooms, worker_away); then it stays claimed."""
        self._rooms.add(room)
        self._closed.discard(room)
        try:
            refused = await self._say()
        except TROUBLE as error:
            raise MediaError("worker_away") from error
        if room in refused:
            raise MediaError(refused[room])
        if room in self._live:  # another server's lesson until now
            self._tell(room, True)

    async def close_room(self, room: str) -> None:
        """End a room, now or as soon as the worker is back."""
        self.release(room)
        self._closed.add(room)
        self._news.set()

    def release(self, room: str) -> None:
        """Claim a room and those aside of it no longer: its lesson went to another server."""
        for each in [*asides(room, self._rooms | self._hushed.keys()), room]:
            self._rooms.discard(each)
            self._hushed.pop(each, None)

    async def hush(self, room: str, slots: frozenset[str]) -> None:
        """Now, or as soon as the worker is back."""
        self._hushed[room] = slots
        try:
            await self._say()
        except TROUBLE:
            self._news.set()

    async def cut(self, peer: str) -> None:
        """End a peer's media, now or as soon as the worker is back. Never waits for it."""
        self._cuts.add(peer, self._clock.ms() / 1000)
        self._news.set()

    async def problem(self) -> str | None:
        """None, or a word for what is wrong."""
        return None if self._here else "media_worker_away"

    def figures(self) -> Figures:
        """As the worker told them last, SAY_S ago at most; nothing while it is away."""
        return self._figures if self._here else Figures()

    def lines(self, room: str) -> list[Line]:
        """As with the figures."""
        return self._lines.get(room, []) if self._here else []

    def audience(self, room: str) -> Audience | None:
        """As the worker told it last."""
        return self._audiences.get(room) if self._here else None

    # -- saying what is wanted --------------------------------------------------------------------

    async def _say(self) -> dict[str, str]:
        """Post all that is wanted; returns the rooms that were refused, with codes. Raises one of TROUBLE."""
        async with self._saying:
            self._news.clear()
            closed = sorted(self._closed)
            wanted = {
                "now": self._clock.ms() / 1000,
                "since": self._cuts.floor,
                "rooms": sorted(self._rooms),
                "closed": closed,
                "cuts": self._cuts.recent(),
                "hushed": {room: sorted(slots) for room, slots in self._hushed.items()},
            }
            limit = aiohttp.ClientTimeout(total=ANSWER_S)
            async with self._http.post(STATE, json=wanted, headers=self._secret, timeout=limit) as answer:
                answer.raise_for_status()
                said = await answer.json()
            refused: dict[str, str] = said["refused"]
            self._figures = read_figures(said.get("figures", {}))
            self._lines = read_lines(said.get("lines", {}))
            self._audiences = {room: read_audience(each) for room, each in said.get("audiences", {}).items()}
            self._closed.difference_update(closed)
            return refused

    async def _say_always(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(SAY_S):
                    await self._news.wait()
            try:
                for room, code in (await self._say()).items():
                    log.warning("room_not_opened", lesson=room, code=code)
            except TROUBLE:
                await asyncio.sleep(RETRY_S)  # whether it is there, `_follow` says
                self._news.set()

    # -- hearing what happens ---------------------------------------------------------------------

    async def _follow(self) -> None:
        while True:
            try:
                await self._hear()
            except TROUBLE as error:
                if self._here:
                    log.error("media_worker_away", error=type(error).__name__)
            self._here = False
            self._became({})
            await asyncio.sleep(RETRY_S)

    async def _hear(self) -> None:
        limit = aiohttp.ClientTimeout(total=None, connect=ANSWER_S, sock_read=SILENCE_S)
        async with self._http.get(EVENTS, headers=self._secret, timeout=limit) as stream:
            stream.raise_for_status()
            async for line in stream.content:
                said: dict[str, Any] = orjson.loads(line) if line.strip() else {}
                match said:
                    case {"live": dict(live)}:
                        for minute in said.get("minutes", ()):
                            self._take(minute)
                        await self._say()
                        log.info("media_worker_here")
                        self._here = True
                        self._became(live)
                    case {"minute": dict(minute)}:
                        self._take(minute)
                    case {"kind": "publisher_live", "room": room, "peer": peer}:
                        self._became(self._live | {room: peer})
                    case {"kind": "publisher_gone", "room": room, "peer": peer} if self._live.get(room) == peer:
                        self._became({name: one for name, one in self._live.items() if name != room})
                    case {"kind": "publisher_trouble", "room": room, "code": code} if room in self._rooms:
                        self._tell_trouble(room, code)

    def _take(self, minute: dict[str, Any]) -> None:
        """Of every room, also of those that another server runs: their lessons may come to us."""
        try:
            self.deliveries.take(minute["room"], minute["slot"], minute["peers"])
        except (KeyError, TypeError) as error:
            raise ValueError("no minute") from error

    def _became(self, live: dict[str, str]) -> None:
        """Tell of the rooms that gained or lost their publisher, as far as they are ours."""
        changed, self._live = self._live.keys() ^ live.keys(), live
        for room in changed & self._rooms:
            self._tell(room, room in live)

    # -- for browsers -----------------------------------------------------------------------------

    def routes(self, app: web.Application) -> None:
        """Pass WHIP, WHEP, WebSockets and HLS on to the worker, so that it needs no port of its own."""
        offered = f"/media/{{protocol:whip|whep}}/{{room:{NAME}}}"
        app.router.add_post(offered, self._forward)
        for add in (app.router.add_patch, app.router.add_delete):
            add(f"{offered}/{{session:{NAME}}}", self._forward)
        listed = f"/media/{{protocol:hls}}/{{room:{NAME}}}/{{rendition:{NAME}}}"
        app.router.add_post(listed, self._forward)
        app.router.add_get(f"{listed}/{{name:[a-z0-9.]+}}", self._forward, allow_head=False)
        app.router.add_delete(f"{listed}/{{name:[a-z0-9.]+}}", self._forward)
        app.router.add_get(f"/media/{{protocol:live|check}}/{{room:{NAME}}}", self._pipe)

    async def _pipe(self, request: web.Request) -> web.StreamResponse:
        try:
            return await piped(self._http, request, self._tasks)
        except TROUBLE as error:
            raise DomainError("media_unavailable") from error

    async def _forward(self, request: web.Request) -> web.Response:
        headers = {name: request.headers[name] for name in ASKED if name in request.headers}
        if request.match_info.get("protocol") == "whip" and (token := shown_token(request)):
            worth = await self.bearer(request.match_info["room"], token, request.method == "POST")
            headers["Authorization"] = f"Bearer {worth}"
        body = request.content if request.body_exists else None
        limit = aiohttp.ClientTimeout(total=FORWARD_S)
        try:
            async with self._http.request(
                request.method, request.path_qs, data=body, headers=headers, timeout=limit
            ) as answer:
                passed = {name: answer.headers[name] for name in ANSWERED if name in answer.headers}
                response = web.Response(status=answer.status, body=await answer.read(), headers=passed)
                for link in answer.headers.getall("Link", ()):
                    response.headers.add("Link", link)
                return response
        except TROUBLE as error:
            raise DomainError("media_unavailable") from error
