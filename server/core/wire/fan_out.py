"""Decides how one event reaches many: named groups of connections. Thin over Socket.IO now; the direct-write path and
Redis come behind the same four operations.
"""

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
        await self._server.emit(push.event, plain(payload), to=to)

    async def ask(self, connection: str, push: Push, payload: Any, seconds: float) -> bool:
        try:
            answer = await self._server.call(push.event, plain(payload), to=connection, timeout=seconds)
        except (socketio.exceptions.TimeoutError, socketio.exceptions.DisconnectedError, KeyError):
            return False
        return answer is True
