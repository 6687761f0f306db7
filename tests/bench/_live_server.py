"""The servers that `live` measures, each in a process of its own: `ours`, or `naive` as aiortc is commonly used.

Prints its HTTP port and serves WHIP, WHEP and parts over a WebSocket until its input ends.
"""

import asyncio
import sys
from typing import Any

import uvloop
from aiohttp import web
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay

from media import clock
from media.api import MAX_TOKEN_SECONDS, Grant, MediaSettings, build

KEY = b"a key for measurements, 32 bytes"
ROOM = "lesson"


async def ours(app: web.Application) -> None:
    """The media plane as the product runs it; tokens are filled in for whoever asks."""
    media = build(MediaSettings(udp_host="0.0.0.0", handshakes_per_ip=10_000), KEY, lambda _: None)
    await media.start()
    await media.open_room(ROOM)
    media.routes(app)
    names = iter(range(1 << 30))

    async def token(request: web.Request) -> web.Response:
        kind: Any = request.match_info["kind"]
        now = clock.unix()
        return web.Response(text=media.token(Grant(ROOM, f"peer {next(names)}", kind, now, now + MAX_TOKEN_SECONDS)))

    async def figures(_: web.Request) -> web.Response:
        fan_out = media._plane.rooms[ROOM].fan_out
        told = {
            "in": media.stats(ROOM).packets_in,
            "viewers": len(media.stats(ROOM).viewers),
            "sent": fan_out.sent,
            "resent": fan_out.resent,
            "offered": fan_out.offered,
            "cached": fan_out.cached,
            "withheld": fan_out.withheld,
            "counts": media.counts,
            "tasks": len(asyncio.all_tasks()),
            "sessions": len(media._plane.sessions),
        }
        return web.json_response(told)

    app.router.add_get("/token/{kind}", token)
    app.router.add_get("/figures", figures)


async def naive(app: web.Application) -> None:
    """A peer connection for everyone: decode the publisher, relay its frames, encode them for each viewer."""
    relay = MediaRelay()
    connections: list[RTCPeerConnection] = []
    tracks: list[Any] = []

    async def answered(request: web.Request, connection: RTCPeerConnection) -> web.Response:
        connections.append(connection)
        await connection.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        headers = {"Location": f"{request.path}/{len(connections)}", "ETag": "none"}
        text = connection.localDescription.sdp
        return web.Response(status=201, text=text, content_type="application/sdp", headers=headers)

    async def whip(request: web.Request) -> web.Response:
        connection = RTCPeerConnection()
        connection.on("track", tracks.append)
        return await answered(request, connection)

    async def whep(request: web.Request) -> web.Response:
        connection = RTCPeerConnection()
        for track in tracks:
            connection.addTrack(relay.subscribe(track))
        return await answered(request, connection)

    async def nothing(_: web.Request) -> web.Response:
        return web.Response(text="none")

    app.router.add_post("/media/whip/{room}", whip)
    app.router.add_post("/media/whep/{room}", whep)
    app.router.add_delete("/media/whep/{room}/{number}", nothing)
    app.router.add_get("/token/{kind}", nothing)


async def main(which: str) -> None:
    app = web.Application()
    await (ours(app) if which == "ours" else naive(app))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
