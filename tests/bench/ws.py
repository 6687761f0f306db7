"""What a viewer costs a second by parts over a WebSocket, beside one by WebRTC on the same server, in turns.

What the server takes with a publisher and no viewer is left out of both.
"""

import asyncio
from statistics import median

import aiohttp

from tests.bench._live_stand import ROOM, Stand, stand

VIEWERS = 100
ROUNDS = 3
ROUND_SECONDS = 5.0
SETTLE_SECONDS = 2.0


async def follow(server: Stand) -> aiohttp.ClientWebSocketResponse:
    """One viewer that takes parts."""
    url = f"{server.base}/media/live/{ROOM}"
    socket = await server.http.ws_connect(url, headers={"Origin": server.base})
    await socket.send_json({"token": await server.token("watch"), "rendition": "picture"})
    return socket


async def read(socket: aiohttp.ClientWebSocketResponse) -> int:
    """How many bytes came until the end."""
    return sum([len(message.data) async for message in socket if message.type is aiohttp.WSMsgType.BINARY])


async def alone(server: Stand) -> float:
    """CPU-seconds a second with a publisher and nobody who watches."""
    await asyncio.sleep(SETTLE_SECONDS)
    load = await server.load(ROUND_SECONDS)
    return load.cpu / load.seconds


async def by_parts(server: Stand) -> float:
    """The same while VIEWERS take parts."""
    sockets = [await follow(server) for _ in range(VIEWERS)]
    reading = [asyncio.create_task(read(socket)) for socket in sockets]
    used = await alone(server)
    for socket in sockets:
        await socket.close()
    taken = await asyncio.gather(*reading)
    if min(taken) < 50_000:
        raise RuntimeError("a viewer by parts got next to nothing")
    return used


async def by_webrtc(server: Stand) -> float:
    """The same while VIEWERS watch by WebRTC."""
    await server.join(VIEWERS)
    used = await alone(server)
    await server.leave()
    return used


async def run() -> list[dict[str, object]]:
    """Two figures; a minute and a half."""
    base: list[float] = []
    parts: list[float] = []
    peers: list[float] = []
    async with stand("ours") as server:
        await server.teach()
        for _ in range(ROUNDS):
            base.append(await alone(server))
            parts.append(await by_parts(server))
            peers.append(await by_webrtc(server))
    ours, theirs = ((median(found) - median(base)) * 1e6 / VIEWERS for found in (parts, peers))
    peer = f"WebRTC, the same picture: {theirs:.0f} us"
    return [
        {"name": "ws.us_per_s", "value": ours, "unit": "us a second and viewer", "peer": peer, "ratio": theirs / ours},
        {"name": "ws.vs_webrtc_cost", "value": ours / theirs, "unit": "of WebRTC's"},
    ]
