"""The server that `room` measures: our sockets as the product runs them; whoever connects is in the room.

Prints its port and serves until its input ends.
"""

import asyncio
import sys
from dataclasses import dataclass

import uvloop
from aiohttp import web

from server.core import garbage
from server.core.actor import EVERYONE, Actor, Role
from server.core.wire.declaration import Call, Command, Nothing, Push
from server.core.wire.socket import Sockets
from server.core.wire.trace import Trace, untold

GROUP = "lesson:0"
ORIGIN = "http://room.example"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chat, with what a page shows of it."""

    id: int
    at: str
    person_id: str
    name: str
    text: str


async def signed_in(token: str) -> Actor | None:
    return Actor(token, Role.TRAINEE, token, "i1")


async def unobserved(_actor: Actor, _page: str, _object_id: str, _view_id: str) -> None:
    """Nobody who must be written down is here."""


async def serve() -> None:
    app = web.Application()
    sockets = Sockets(signed_in, unobserved, frozenset({ORIGIN}), Trace(untold))
    told = Push("line", Line)

    async def enter(call: Call, _request: Nothing) -> Nothing:
        await sockets.fan_out.join(call.connection, GROUP)
        return Nothing()

    async def say(_call: Call, request: Line) -> Nothing:
        await sockets.fan_out.send(GROUP, told, request)
        return Nothing()

    enters = Command("enter", EVERYONE, Nothing, Nothing, enter)
    sockets.serve(app, [enters, Command("say", EVERYONE, Line, Nothing, say)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    garbage.look_seldom()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(serve())
