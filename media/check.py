"""Decides how a line is measured before a lesson: a WebSocket that carries a few bytes each way and then ends.

GET /media/check/{room} with the exact Origin, for check rooms only. The first message says `{"token": ...}` with a
watch token. When it is this one's turn comes `{"up": {bytes, seconds}, "down": {...}}`; then the browser sends binary
messages until it hears `{"got": bytes, "ms": ...}`, and gets as many until `{"sent": bytes}`. A refusal is `{"code",
"data"}` and the end. It is no amplifier: TCP only, behind a token, few bytes a minute for each peer, few peers at once.
"""

import asyncio
import json
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiohttp import WSMsgType, web

from media import clock
from media.doors import HandshakeBudget
from media.errors import MediaError
from media.grants import Grant, Tokens, is_check
from media.origin import from_own_page
from media.plane import Plane

#: more than a lesson needs is not worth knowing
MOST_KBPS = 4_000
UP_BYTES, DOWN_BYTES = 600_000, 900_000
UP_SECONDS, DOWN_SECONDS = 2.5, 2.5
CHUNK_BYTES = 12_500
#: as the pipe before a worker lets pass
MOST_SAID_BYTES = 2_048
#: of this many at once; more wait for their turn
AT_ONCE = 2
TURN_SECONDS = 20.0
PER_MINUTE = 3
FIRST_SECONDS = 10.0
#: whoever takes no more, or says no more, is let go
STALLED_SECONDS = 15.0


class Check:
    """The measuring side of one plane."""

    def __init__(self, plane: Plane, tokens: Tokens) -> None:
        self._plane, self._tokens = plane, tokens
        self._budget = HandshakeBudget(PER_MINUTE)
        self._turns = asyncio.Semaphore(AT_ONCE)

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/media/check/{room}", self._serve)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if not from_own_page(request):
            return web.json_response({"code": "origin_refused", "data": {}}, status=403)
        socket = web.WebSocketResponse(max_msg_size=MOST_SAID_BYTES, compress=False)
        await socket.prepare(request)
        try:
            await self._measure(request, socket)
        except MediaError as error:
            self._plane.counts[error.code] += 1
            with suppress(ConnectionError):
                await _say(socket, {"code": error.code, "data": error.data})
        except (ConnectionError, TimeoutError):  # it left, or stands still
            self._plane.counts["check_broken"] += 1
        with suppress(ConnectionError):
            await socket.close()
        return socket

    async def _measure(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        grant = await self._granted(request, socket)
        self._plane.admit(grant)
        if not self._budget.spend(grant.peer, clock.monotonic()):
            raise MediaError("check_too_often", retry_after_s=60 // PER_MINUTE)
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turns.acquire()
        except TimeoutError as error:
            raise MediaError("check_busy", retry_after_s=int(TURN_SECONDS)) from error
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await _say(socket, LIMITS)
                got, ms = await _take(socket, clock.monotonic)
                await _say(socket, {"got": got, "ms": ms})
                await _say(socket, {"sent": await _give(socket, clock.monotonic)})
        finally:
            self._turns.release()

    async def _granted(self, request: web.Request, socket: web.WebSocketResponse) -> Grant:
        said: Any = None
        with suppress(TimeoutError, TypeError, ValueError):
            said = json.loads(await socket.receive_str(timeout=FIRST_SECONDS))
        if not isinstance(said, dict) or not isinstance(said.get("token"), str):
            raise MediaError("token_missing")
        grant = self._tokens.verify(said["token"], self._plane.now())
        room = request.match_info["room"]
        if grant.kind != "watch" or grant.room != room or not is_check(room):
            raise MediaError("grant_mismatch")
        return grant


LIMITS = {
    "up": {"bytes": UP_BYTES, "seconds": UP_SECONDS, "kbps": MOST_KBPS},
    "down": {"bytes": DOWN_BYTES, "seconds": DOWN_SECONDS, "kbps": MOST_KBPS},
}


async def _say(socket: web.WebSocketResponse, said: object) -> None:
    await socket.send_str(json.dumps(said))


async def _take(socket: web.WebSocketResponse, now: Callable[[], float]) -> tuple[int, int]:
    """What came in the time there is: (bytes after the first message, milliseconds from it to the last)."""
    got, first, last = 0, None, 0.0
    while got < UP_BYTES and (first is None or now() - first < UP_SECONDS):
        message = await socket.receive()
        if message.type is not WSMsgType.BINARY:
            break
        last = now()
        if first is None:
            first = last
        else:
            got += len(message.data)
    return got, round((last - (last if first is None else first)) * 1000)


async def _give(socket: web.WebSocketResponse, now: Callable[[], float]) -> int:
    """Send at the highest pace, or as fast as it is taken; nothing that compresses on its way."""
    chunk, began, sent = secrets.token_bytes(CHUNK_BYTES), now(), 0
    while sent < DOWN_BYTES and now() - began < DOWN_SECONDS:
        await socket.send_bytes(chunk)
        sent += CHUNK_BYTES
        await asyncio.sleep(max(0.0, began + sent * 8 / (MOST_KBPS * 1000) - now()))
    return sent
