"""Decides how one event reaches many: named groups of connections, in one process or in several."""

from contextlib import suppress
from typing import Any, Protocol

import socketio

from server.core.wire.codec import plain
from server.core.wire.declaration import Push


class FanOut(Protocol):
    """Groups of connections and what is sent to them. A push to nobody is no error."""

    async def join(self, connection: str, group: str) -> None: ...

    async def leave(self, connection: str, group: str) -> None: ...

    async def send(self, to: str, push: Push, payload: Any) -> None:
        """Send to a group or to one connection."""
        ...

    async def ask(self, connection: str, push: Push, payload: Any, seconds: float) -> bool:
        """Whether the connection acknowledged the push with `true` within the time."""
        ...


class SocketFanOut:
    """FanOut over a python-socketio server."""

    def __init__(self, server: socketio.AsyncServer) -> None:
        self._server = server

    async def join(self, connection: str, group: str) -> None:
        with suppress(ValueError):  # gone meanwhile
            await self._server.enter_room(connection, group)

    async def leave(self, connection: str, group: str) -> None:
        await self._server.leave_room(connection, group)

    async def send(self, to: str, push: Push, payload: Any) -> None:
        await self.emit(to, push.event, plain(payload))

    async def ask(self, connection: str, push: Push, payload: Any, seconds: float) -> bool:
        return await self.call(connection, push.event, plain(payload), seconds)

    async def emit(self, to: str, event: str, payload: Any) -> None:
        """`send` of what is plain already."""
        await self._server.emit(event, payload, to=to)

    async def call(self, connection: str, event: str, payload: Any, seconds: float) -> bool:
        """`ask` with what is plain already."""
        try:
            answer = await self._server.call(event, payload, to=connection, timeout=seconds)
        except (socketio.exceptions.TimeoutError, socketio.exceptions.DisconnectedError, KeyError):
            return False
        return answer is True
