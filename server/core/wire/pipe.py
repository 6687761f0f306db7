"""Decides how one websocket is read and written: who says too much is hung up, who does not read is not listened to.

It stands in the place of python-engineio's own websocket (engineio/async_drivers/aiohttp.py), which keeps answers for
somebody who never reads them without end.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from server.core.errors import DomainError
from server.core.wire.gate import TICKET, Ticket

#: a message must have gone to its reader by then
SEND_SECONDS: Final = 10.0


class Pipe:
    """A websocket as python-engineio asks for one: called with the request, read by `wait`, written by `send`.

    Both raise OSError when it is over.
    """

    def __init__(self, handler: Callable[["Pipe"], Awaitable[None]], server: Any) -> None:
        self._handler, self._limit = handler, int(server.max_http_buffer_size)
        self._socket: web.WebSocketResponse
        self._ticket: Ticket
        self._idle = asyncio.Event()
        self._idle.set()

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        request: web.Request = environ["aiohttp.request"]
        self._ticket = request[TICKET]
        self._socket = web.WebSocketResponse(max_msg_size=self._limit, compress=False)
        await self._socket.prepare(request)
        await self._handler(self)
        return self._socket

    async def wait(self) -> str | bytes:
        """The next message, once what was to be sent has gone: whoever does not read fills no memory."""
        said = (await self._socket.receive()).data
        await self._idle.wait()
        if not isinstance(said, str | bytes):
            raise OSError("closed")
        try:
            self._ticket.hear(len(said))
        except DomainError as error:
            self._ticket.hang_up()
            raise OSError("too much was said") from error
        return said

    async def send(self, message: str | bytes) -> None:
        """Send a message; whoever has not taken it after SEND_SECONDS is hung up."""
        self._idle.clear()
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await (
                    self._socket.send_bytes(message) if isinstance(message, bytes) else self._socket.send_str(message)
                )
        except TimeoutError:
            self._ticket.hang_up()
            raise
        finally:
            self._idle.set()

    async def close(self) -> None:
        """Say goodbye."""
        await self._socket.close()
