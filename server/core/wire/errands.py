"""Decides what processes ask of each other about connections: join, send, probe, run a command, tell an end.

A connection is called `<node>:<sid>`; what concerns it goes to its node by relay. What concerns a group goes to all:
here at once, to the others over the channel of its lesson, in the order in which it was sent. A process hears only
the lessons of which it has connections, and hears them before a connection is let in: whoever asks after that for what
there is has missed nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Protocol

import orjson
import structlog

from server.core.actor import Actor, Role
from server.core.cluster.member import Member
from server.core.cluster.relay import Unreachable
from server.core.cluster.rules import node_of
from server.core.errors import DomainError
from server.core.wire.codec import plain
from server.core.wire.declaration import Push
from server.core.wire.fan_out import SocketFanOut, pushed
from server.core.wire.socket import Sockets
from server.core.wire.written import TOLD, message

log = structlog.get_logger("wire.errands")

#: how often a process looks which lessons nobody of its connections is in any more
TIDY_S: Final = 10.0


#: called with the id of a connection or of a login that ended at another process
Ended = Callable[[str], Awaitable[None]]


class Channel(Protocol):
    """What we need of the shared store."""

    async def publish(self, channel: str, payload: bytes) -> None: ...

    async def subscribe(
        self, channel: str, handler: Callable[[bytes], Awaitable[None]]
    ) -> Callable[[], Awaitable[None]]: ...


def channel_of(group: str) -> str:
    """One for all groups of a lesson: `desk:ab` and `learn:ab` are told over `lesson.ab`."""
    return f"lesson.{group.partition(':')[2]}"


@dataclass(slots=True)
class _Hearing:
    """A lesson's channel: how to end hearing it, and how many joins are under way that need it."""

    joining: int = 0
    end: Callable[[], Awaitable[None]] | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class ClusterFanOut:
    """FanOut over several processes. What cannot be delivered to a connection is as if the connection were gone."""

    def __init__(self, local: SocketFanOut, member: Member, channel: Channel) -> None:
        self._local = local
        self._member = member
        self._channel = channel
        self._hearing: dict[str, _Hearing] = {}
        member.relay.serve("fan.join", self._joined)
        member.relay.serve("fan.leave", self._left)
        member.relay.serve("fan.send", self._sent)
        member.relay.serve("fan.ask", self._asked)

    async def tidy(self) -> None:
        """Hear no more of lessons that none of our connections is in."""
        wanted = {channel_of(group) for group in self._local.groups}
        for channel, hearing in list(self._hearing.items()):
            if channel not in wanted and not hearing.joining:
                del self._hearing[channel]
                if hearing.end is not None:
                    await hearing.end()

    def missed(self) -> None:
        """What others sent may be lost: those of our connections that are in a lesson are told so."""
        for group in self._local.groups:
            if group.startswith("lesson:"):
                self._local.say(group, TOLD)

    async def join(self, connection: str, group: str) -> None:
        if (sid := self._ours(connection)) is not None:
            await self._join(sid, group)
        else:
            await self._there(connection, "fan.join", {"group": group})

    async def _join(self, sid: str, group: str) -> None:
        channel = channel_of(group)
        hearing = self._hearing.setdefault(channel, _Hearing())
        hearing.joining += 1
        try:
            async with hearing.turn:
                if hearing.end is None:
                    hearing.end = await self._channel.subscribe(channel, self._heard)
            await self._local.join(sid, group)
        finally:
            hearing.joining -= 1

    async def leave(self, connection: str, group: str) -> None:
        if (sid := self._ours(connection)) is not None:
            await self._local.leave(sid, group)
        else:
            await self._there(connection, "fan.leave", {"group": group})

    async def send(self, to: str, push: Push, payload: Any) -> None:
        if not node_of(to):
            said = pushed(to, push.event, payload)
            self._local.say(to, said)
            head = orjson.dumps([self._member.node, to, push.event])
            await self._channel.publish(channel_of(to), head + b"\n" + said.data)
        elif (sid := self._ours(to)) is not None:
            await self._local.send(sid, push, payload)
        else:
            await self._there(to, "fan.send", {"event": push.event, "payload": plain(payload)})

    async def ask(self, connection: str, push: Push, payload: Any, seconds: float) -> bool:
        if (sid := self._ours(connection)) is not None:
            return await self._local.ask(sid, push, payload, seconds)
        body = {"event": push.event, "payload": plain(payload), "seconds": seconds}
        return await self._there(connection, "fan.ask", body) is True

    def _ours(self, connection: str) -> str | None:
        node, _, sid = connection.partition(":")
        return sid if node == self._member.node else None

    async def _there(self, connection: str, verb: str, body: dict[str, Any]) -> Any:
        row = await self._member.process(node_of(connection))
        if row is None:
            return None
        with suppress(Unreachable, DomainError):
            return await self._member.relay.ask(row.internal, verb, {"sid": connection.partition(":")[2], **body})
        log.info("connection_not_reached", verb=verb, node=row.id)
        return None

    async def _heard(self, told: bytes) -> None:
        head, _, data = told.partition(b"\n")
        node, to, name = orjson.loads(head)
        if node != self._member.node:
            self._local.say(to, message(data, f"{to} {name}"))

    async def _joined(self, body: dict[str, Any]) -> None:
        await self._join(body["sid"], body["group"])

    async def _left(self, body: dict[str, Any]) -> None:
        await self._local.leave(body["sid"], body["group"])

    async def _sent(self, body: dict[str, Any]) -> None:
        self._local.say(body["sid"], pushed(body["sid"], body["event"], body["payload"]))

    async def _asked(self, body: dict[str, Any]) -> bool:
        return await self._local.call(body["sid"], body["event"], body["payload"], body["seconds"])


class Errands:
    """Commands that run at their lesson's owner, and the ends of connections and logins that all must hear of."""

    def __init__(self, sockets: Sockets, member: Member, gone: Iterable[Ended], signed_out: Iterable[Ended]) -> None:
        self._sockets = sockets
        self._member = member
        self._ends = {"gone": tuple(gone), "signed_out": tuple(signed_out)}
        member.relay.serve("command", self._command)
        member.relay.serve("attached", self._attached)
        member.relay.serve("ended", self._ended)

    async def attached(self, lesson_id: str) -> list[tuple[str, Actor]]:
        """The connections of all processes that have been in a lesson, and whose they are."""
        found = self._sockets.attached(lesson_id)
        for answer in await self._member.tell_all("attached", {"lesson_id": lesson_id}):
            found += [(connection, actor_of(actor)) for connection, actor in answer]
        return found

    async def tell_gone(self, connection: str) -> None:
        """One of our connections ended: whoever owns a lesson that it was in must know."""
        await self._member.tell_all("ended", {"what": "gone", "id": connection})

    async def tell_signed_out(self, session_id: str) -> None:
        """A login ended here: others may have its sockets, its lease, its media."""
        await self._member.tell_all("ended", {"what": "signed_out", "id": session_id})

    async def _command(self, body: dict[str, Any]) -> Any:
        await self._member.mine(body["lesson_id"])
        return await self._sockets.run_here(body, actor_of(body["actor"]))

    async def _ended(self, body: dict[str, Any]) -> None:
        for ended in self._ends[body["what"]]:
            await ended(body["id"])

    async def _attached(self, body: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        return [(connection, asdict(actor)) for connection, actor in self._sockets.attached(body["lesson_id"])]


def actor_of(values: dict[str, Any]) -> Actor:
    """An actor as another process authenticated it."""
    return Actor(**{**values, "role": Role(values["role"])})
