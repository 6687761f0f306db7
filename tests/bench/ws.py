"""What a viewer costs a second by parts over a WebSocket, by the voice alone and by HLS, beside one by WebRTC.

All on the same server, in turns. What the server takes with a publisher and no viewer is left out of each.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from statistics import median

import aiohttp

from tests.bench._live_stand import ROOM, Stand, stand

VIEWERS = 100
ROUNDS = 3
#: five segments of HLS
ROUND_SECONDS = 10.0
SETTLE_SECONDS = 2.0
#: how often a player asks for the playlist, which is as long as a segment
ASKS_SECONDS = 2.0
LEAST_BYTES = {"picture": 500_000, "voice": 4_000}
PIECE = re.compile(r"^\d+\.mp4\?session=\S+$", re.MULTILINE)


async def follow(server: Stand, rendition: str) -> aiohttp.ClientWebSocketResponse:
    """One viewer that takes parts."""
    url = f"{server.base}/media/live/{ROOM}"
    socket = await server.http.ws_connect(url, headers={"Origin": server.base})
    await socket.send_json({"token": await server.token("watch"), "rendition": rendition})
    return socket


async def read(socket: aiohttp.ClientWebSocketResponse) -> int:
    """How many bytes came until the end."""
    return sum([len(message.data) async for message in socket if message.type is aiohttp.WSMsgType.BINARY])


async def alone(server: Stand) -> float:
    """CPU-seconds a second with a publisher and nobody who watches."""
    await asyncio.sleep(SETTLE_SECONDS)
    load = await server.load(ROUND_SECONDS)
    return load.cpu / load.seconds


async def in_parts(server: Stand, rendition: str) -> float:
    """The same while VIEWERS take parts."""
    sockets = [await follow(server, rendition) for _ in range(VIEWERS)]
    reading = [asyncio.create_task(read(socket)) for socket in sockets]
    used = await alone(server)
    for socket in sockets:
        await socket.close()
    taken = await asyncio.gather(*reading)
    if min(taken) < LEAST_BYTES[rendition]:
        raise RuntimeError("a viewer by parts got next to nothing")
    return used


async def tune(server: Stand, after: float, taken: dict[str, int]) -> None:
    """One that asks for the playlist and each new segment, as the page's player does, until it is cancelled."""
    await asyncio.sleep(after)
    headers = {"Authorization": f"Bearer {await server.token('watch')}"}
    async with server.http.post(f"{server.base}/media/hls/{ROOM}/picture_aac", headers=headers) as answer:
        place = answer.headers["Location"]
    known: set[str] = set()
    while True:
        async with server.http.get(server.base + place) as answer:
            fresh = [each for each in PIECE.findall(await answer.text()) if each not in known]
        for each in fresh:
            async with server.http.get(f"{server.base}{place.rsplit('/', 1)[0]}/{each}") as answer:
                taken[place] = taken.get(place, 0) + len(await answer.read())
        known.update(fresh)
        await asyncio.sleep(ASKS_SECONDS)


async def in_segments(server: Stand) -> float:
    """The same while VIEWERS play HLS, which do not ask all at once."""
    taken: dict[str, int] = {}
    playing = [asyncio.create_task(tune(server, at * ASKS_SECONDS / VIEWERS, taken)) for at in range(VIEWERS)]
    await asyncio.sleep(6 * ASKS_SECONDS)  # until there is enough for a playlist, and the first of all are read
    used = await alone(server)
    for each in playing:
        each.cancel()
    ended = await asyncio.gather(*playing, return_exceptions=True)
    if len(taken) < VIEWERS or min(taken.values()) < LEAST_BYTES["picture"]:
        raise RuntimeError(f"a viewer by HLS got next to nothing: {ended[0]!r}")
    await asyncio.sleep(0)
    return used


async def by_webrtc(server: Stand) -> float:
    """The same while VIEWERS watch by WebRTC."""
    await server.join(VIEWERS)
    used = await alone(server)
    await server.leave()
    return used


WAYS: dict[str, Callable[[Stand], Awaitable[float]]] = {
    "alone": alone,
    "parts": lambda server: in_parts(server, "picture"),
    "voice": lambda server: in_parts(server, "voice"),
    "hls": in_segments,
    "peer": by_webrtc,
}


async def run() -> list[dict[str, object]]:
    """Four figures; four minutes."""
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    async with stand("ours") as server:
        await server.teach()
        for _ in range(ROUNDS):
            for way, measured in WAYS.items():
                found[way].append(await measured(server))
    us = {way: (median(each) - median(found["alone"])) * 1e6 / VIEWERS for way, each in found.items()}
    peer = f"WebRTC, the same picture: {us['peer']:.0f} us"
    names = {"parts": "ws.us_per_s", "voice": "ws.voice_us_per_s", "hls": "ws.hls_us_per_s"}
    return [
        *(
            {
                "name": name,
                "value": us[way],
                "unit": "us a second and viewer",
                "peer": peer,
                "ratio": us["peer"] / us[way],
            }
            for way, name in names.items()
        ),
        {"name": "ws.vs_webrtc_cost", "value": us["parts"] / us["peer"], "unit": "of WebRTC's"},
    ]
