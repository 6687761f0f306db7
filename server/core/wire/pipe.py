"""Decides how one websocket is read: who says too much is hung up, who does not read is not listened to.

It stands in the place of python-engineio's own websocket (engineio/async_drivers/aiohttp.py), which keeps answers for
somebody who never reads them without end, and of the queue behind it: all that is said goes through `written`.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web
from engineio.packet import PING

from server.core.errors import DomainError
from server.core.tasks import Tasks
from server.core.wire.gate import TICKET, Ticket
from server.core.wire.written import Written, message


class Pipe:
    """A websocket as python-engineio asks for one: called with the request, read by `wait`, written by `send`.

    Both raise OSError when it is over.
    """

    def __init__(self, tasks: Tasks, handler: Callable[["Pipe"], Awaitable[None]], server: Any) -> None:
        self._handler, self._limit = handler, int(server.max_http_buffer_size)
        self._socket: web.WebSocketResponse
        self._ticket: Ticket
        self._written, self._greeted = Written(tasks), False
        self._engine: Any = handler.__self__  # type: ignore[attr-defined]  # the library's socket, whose method it is
        self._engine.send = self._say

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        request: web.Request = environ["aiohttp.request"]
        self._ticket = request[TICKET]
        request[WRITTEN] = self._written
        self._request = request
        self._socket = web.WebSocketResponse(max_msg_size=self._limit, compress=False)
        await self._socket.prepare(request)
        try:
            await self._handler(self)
        finally:
            self._written.close()
        return self._socket

    async def wait(self) -> str | bytes:
        """The next message, once what was to be sent has gone: whoever does not read fills no memory."""
        said = (await self._socket.receive()).data
        await self._written.idle()
        if not isinstance(said, str | bytes):
            raise OSError("closed")
        try:
            self._ticket.hear(len(said))
        except DomainError as error:
            self._ticket.hang_up()
            raise OSError("too much was said") from error
        return said

    async def send(self, said: str) -> None:
        """The library's greeting, which it said before there was a websocket. All else has come by `_say`."""
        if not self._greeted:
            self._greeted = True
            await self._written.start(self._socket, self._request.transport, said)

    async def close(self) -> None:
        """Say goodbye."""
        self._written.close()
        await self._socket.close()

    async def _say(self, packet: Any) -> None:
        """In the place of the library's queue: a packet of its own."""
        if await self._engine.check_ping_timeout():
            self._written.say(message(packet.encode().encode()))
            if packet.packet_type == PING:  # its writer takes a queue that stays empty for a line that is dead
                await self._engine.queue.put(packet)


WRITTEN: Final = web.RequestKey("written", Written)
