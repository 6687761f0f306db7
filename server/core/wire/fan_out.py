"""Decides how one event reaches many: named groups of connections, in one process or in several."""

from collections.abc import Iterable
from typing import Any, Protocol

import socketio

from server.core.wire.codec import plain
from server.core.wire.declaration import Push
from server.core.wire.written import Message, Written, event


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
    """FanOut over a python-socketio server, whose own rooms are not used: they cost several times as much."""

    def __init__(self, server: socketio.AsyncServer) -> None:
        self._server = server
        self._lines: dict[str, Written] = {}
        self._groups: dict[str, dict[str, Written]] = {}
        self._joined: dict[str, set[str]] = {}

    @property
    def groups(self) -> Iterable[str]:
        """Those that some connection is in."""
        return tuple(self._groups)

    def arrived(self, connection: str, line: Written) -> None:
        """A connection is there, and this is how it is written to."""
        self._lines[connection] = line

    def gone(self, connection: str) -> None:
        """It is in no group any more."""
        self._lines.pop(connection, None)
        for group in self._joined.pop(connection, ()):
            self._without(connection, group)

    async def join(self, connection: str, group: str) -> None:
        if (line := self._lines.get(connection)) is not None:  # else it is gone meanwhile
            self._groups.setdefault(group, {})[connection] = line
            self._joined.setdefault(connection, set()).add(group)

    async def leave(self, connection: str, group: str) -> None:
        self._joined.get(connection, set()).discard(group)
        self._without(connection, group)

    async def send(self, to: str, push: Push, payload: Any) -> None:
        self.say(to, pushed(to, push.event, payload))

    async def ask(self, connection: str, push: Push, payload: Any, seconds: float) -> bool:
        return await self.call(connection, push.event, plain(payload), seconds)

    def say(self, to: str, said: Message) -> None:
        """`send` of what is encoded already: the same bytes to everybody, and nobody is waited for."""
        if (line := self._lines.get(to)) is not None:
            line.say(said)
        for line in self._groups.get(to, {}).values():
            line.say(said)

    async def call(self, connection: str, event: str, payload: Any, seconds: float) -> bool:
        """`ask` with what is plain already."""
        try:
            answer = await self._server.call(event, payload, to=connection, timeout=seconds)
        except (socketio.exceptions.TimeoutError, socketio.exceptions.DisconnectedError, KeyError):
            return False
        return answer is True

    def _without(self, connection: str, group: str) -> None:
        members = self._groups.get(group, {})
        members.pop(connection, None)
        if not members:
            self._groups.pop(group, None)


def pushed(to: str, name: str, payload: Any) -> Message:
    """A push; where too much waits for somebody, a newer one to the same group stands for it."""
    return event(name, payload, f"{to} {name}")
