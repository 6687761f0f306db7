"""Decides how Socket.IO is served: exact Origin and a session at the door, events in order, each one acknowledged."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Final

import socketio
import structlog
from aiohttp import web
from socketio import packet

from server.core.actor import Actor
from server.core.clock import elapsed_ms
from server.core.cluster.owners import Alone, Errand, Owners
from server.core.errors import DomainError
from server.core.tasks import Tasks
from server.core.wire.codec import decode, plain, told
from server.core.wire.cookie import session_token
from server.core.wire.declaration import JSON_LIMIT_BYTES, Call, Command, Observe, check_roles, look_of, object_of
from server.core.wire.fan_out import SocketFanOut
from server.core.wire.gate import TICKET, Gate, Ticket
from server.core.wire.pipe import WRITTEN, Pipe
from server.core.wire.rest import Authenticate, check_origin
from server.core.wire.trace import UNKNOWN, Passage, Trace

log = structlog.get_logger("wire.socket")

PING_INTERVAL_S: Final = 10
PING_TIMEOUT_S: Final = 10

PATH: Final = "/socket.io/"

#: events of one client that may wait for their turn; more are refused at once
MOST_WAITING: Final = 32

#: what the library itself tells us about a connection; a client may not say so
RESERVED: Final = frozenset({"connect", "connect_error", "disconnect"})

#: called with the connection that is gone
Gone = Callable[[str], Awaitable[None]]


class TextPacket(packet.Packet):  # type: ignore[misc]
    """A Socket.IO packet as we take it: without binary parts, as many of which would be kept as it announces."""

    def decode(self, encoded_packet: Any) -> int:
        """Raises ValueError for what no page of ours sends; the packet is then dropped."""
        announced: int = super().decode(encoded_packet)
        if announced:
            raise ValueError("binary parts")
        if self.namespace not in (None, "/"):  # its refusal would repeat the name, however long
            raise ValueError("another namespace")
        if self.packet_type == packet.EVENT and (not isinstance(self.data, list) or not self.data):
            raise ValueError("an event without a name")
        if self.packet_type == packet.EVENT and (not isinstance(self.data[0], str) or self.data[0] in RESERVED):
            raise ValueError("an event of ours")
        return announced


@dataclass(slots=True)
class _Connection:
    """`turn` keeps the events of one client in the order they came; `waiting` counts them; `lessons` it has been in."""

    actor: Actor
    ticket: Ticket
    lessons: set[str] = field(default_factory=set)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class Sockets:
    """Serves declared commands to browsers that are signed in."""

    def __init__(
        self,
        authenticate: Authenticate,
        observe: Observe,
        origins: frozenset[str],
        trace: Trace,
        owners: Owners | None = None,
    ) -> None:
        self._authenticate = authenticate
        self._observe = observe
        self._origins = origins
        self._trace = trace
        self._owners: Owners = owners or Alone()
        self._commands: dict[str, Command] = {}
        self._connections: dict[str, _Connection] = {}
        self._gate = Gate()
        self._gone: list[Gone] = []
        self._server = socketio.AsyncServer(
            async_mode="aiohttp",
            transports=["websocket"],
            cors_allowed_origins=[],  # we check the Origin ourselves, exactly, and refuse its absence as well
            async_handlers=True,  # so that answers to our own questions get through while a command waits
            max_http_buffer_size=JSON_LIMIT_BYTES,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            http_compression=False,
            serializer=TextPacket,
            logger=_silent(),
            engineio_logger=_silent(),
        )
        self._tasks = Tasks()
        websocket = partial(Pipe, self._tasks)
        self._server.eio._async = {**self._server.eio._async, "websocket": websocket}  # noqa: SLF001  no other way in
        self.fan_out = SocketFanOut(self._server)

    def serve(self, app: web.Application, commands: Iterable[Command]) -> None:
        """Add the handshake to `app` and listen for the commands."""
        app.router.add_get(PATH, self._handshake, allow_head=False)
        self._server.on("connect", self._connect)
        self._server.on("disconnect", self._disconnect)
        for command in commands:
            self._commands[command.event] = command
            self._server.on(command.event, self._handler(command))
        self._server.on("*", self._unknown_event)

    @property
    def connections(self) -> int:
        """How many are connected."""
        return len(self._connections)

    @property
    def open(self) -> int:
        """How many sockets are open, those that have not said yet who they are among them."""
        return self._gate.open

    @property
    def counts(self) -> Mapping[tuple[str, str], int]:
        """Refusals by (event, reason): the handshake is `connect`, a beat has reasons like `beat_refused:nonce`."""
        return self._gate.refused

    def when_gone(self, callback: Gone) -> None:
        """Call `callback` with each connection that ends."""
        self._gone.append(callback)

    async def cut(self, session_id: str) -> None:
        """End every connection of a login."""
        for sid, connection in list(self._connections.items()):
            if connection.actor.session_id == session_id:
                await self._server.disconnect(sid)

    async def close(self) -> None:
        """End all connections."""
        await self._server.shutdown()
        await self._tasks.close()

    async def _handshake(self, request: web.Request) -> web.StreamResponse:
        """Refuse before anything is upgraded: another's page, nobody's, one too many, no websocket."""
        try:
            check_origin(request.headers.get("Origin"), self._origins)
            token = session_token(request, self._origins)
            actor = await self._authenticate(token) if token else None
            if actor is None:
                raise DomainError("not_signed_in")
            with self._gate.passing(actor.session_id):
                ticket = request[TICKET] = Ticket(request, token)
                try:
                    response: web.StreamResponse = await self._server.handle_request(request)
                finally:
                    ticket.stay()
            if not response.prepared:  # the library's prose: wrong transport, wrong version, somebody else's sid
                raise DomainError("bad_request", field="", problem="a Socket.IO websocket is expected")
            return response
        except DomainError as error:
            self._gate.count("connect", error)
            raise

    async def _connect(self, sid: str, environ: dict[str, Any], _auth: Any = None) -> None:
        request: web.Request = environ["aiohttp.request"]
        ticket = request[TICKET]
        actor = await self._authenticate(ticket.token)  # it may have ended since the handshake
        if actor is None:
            raise socketio.exceptions.ConnectionRefusedError("not_signed_in")
        ticket.stay()
        self._connections[sid] = _Connection(actor, ticket)
        self.fan_out.arrived(sid, request[WRITTEN])

    async def _disconnect(self, sid: str, _reason: str = "") -> None:
        if (connection := self._connections.pop(sid, None)) is not None:
            connection.ticket.end_soon()
        self.fan_out.gone(sid)
        await self._tell_gone(sid)

    async def _tell_gone(self, sid: str) -> None:
        for callback in self._gone:
            try:
                await callback(self._owners.connection(sid))
            except Exception as error:
                log.exception("goodbye_failed", error=type(error).__name__)

    def _handler(self, command: Command) -> Callable[..., Awaitable[dict[str, Any]]]:
        async def handle(sid: str, *arguments: Any) -> dict[str, Any]:
            with self._trace.follow("event", command.event) as passage:
                answer = await self._answer(command, sid, arguments, passage)
                passage.code = answer.get("code", "ok") if not answer["ok"] else "ok"
                return answer

        return handle

    async def _answer(self, command: Command, sid: str, arguments: tuple[Any, ...], passage: Passage) -> dict[str, Any]:
        """What a client hears, also in failure; a failure of ours carries the id under which it was logged."""
        try:
            return {"ok": True, **plain(await self._in_turn(command, sid, arguments))}
        except DomainError as error:
            self._gate.count(command.event, error)
            return {"ok": False, "code": error.code, "data": error.data}
        except UnicodeEncodeError:  # half a surrogate pair: JSON may carry it, nothing can store it
            return {"ok": False, "code": "bad_request", "data": {"field": "", "problem": "not Unicode"}}
        except Exception as error:
            log.exception("command_failed", command=command.event, error=type(error).__name__)
            return {"ok": False, "code": "internal_error", "data": {"request": passage.id}}

    async def _unknown_event(self, _event: str, sid: str, *_arguments: Any) -> dict[str, Any]:
        with self._trace.follow("event", UNKNOWN) as passage:
            error = DomainError("bad_request", field="event", problem="unknown event")
            try:
                self._connections[sid].ticket.bucket.take(elapsed_ms())
            except (KeyError, DomainError) as refused:
                error = refused if isinstance(refused, DomainError) else error
            self._gate.count(UNKNOWN, error)
            passage.code = error.code
            return {"ok": False, "code": error.code, "data": error.data}

    async def _in_turn(self, command: Command, sid: str, arguments: tuple[Any, ...]) -> Any:
        connection = self._connections.get(sid)
        if connection is None:
            raise DomainError("not_signed_in")
        connection.ticket.bucket.take(elapsed_ms())
        if connection.waiting >= MOST_WAITING:
            raise DomainError("too_many_tries", retry_after_s=1)
        connection.waiting += 1
        try:
            async with connection.turn:
                return await self._run(command, sid, connection, arguments)
        finally:
            connection.waiting -= 1
            if sid not in self._connections:  # it ended meanwhile: what the command made of it must end as well
                await self._tell_gone(sid)

    async def _run(self, command: Command, sid: str, connection: _Connection, arguments: tuple[Any, ...]) -> Any:
        """One command; who speaks is asked again every time: a session that has ended earns nothing more."""
        if len(arguments) > 1:
            raise DomainError("bad_request", field="", problem="one argument is expected")
        actor = await self._authenticate(connection.ticket.token)
        check_roles(actor, command.roles)
        if actor is None:
            raise DomainError("not_signed_in")
        request = decode(command.request, arguments[0] if arguments else {})
        view_id = look_of(actor, command.observed)
        call = Call(actor, self._owners.connection(sid), connection.ticket.address, view_id=view_id)
        answer = await self._at_owner(command, connection, call, request)
        if call.view_id is not None:
            await self._look(sid, command, request, call)
        return answer

    async def _at_owner(self, command: Command, connection: _Connection, call: Call, request: Any) -> Any:
        """The command's answer, from here or from the process that owns its lesson."""
        lesson_id = object_of(request) if command.at_owner else ""
        if not lesson_id:
            return await command.handle(call, request)

        def body() -> dict[str, Any]:
            return {
                "lesson_id": lesson_id,
                "event": command.event,
                "request": told(request),
                "actor": asdict(call.who),
                "connection": call.connection,
                "address": call.address,
                "view_id": call.view_id,
            }

        errand = Errand("command", body)
        answer = await self._owners.at_owner(lesson_id, lambda: command.handle(call, request), errand)
        connection.lessons.add(lesson_id)
        return answer

    async def run_here(self, body: dict[str, Any], actor: Actor) -> Any:
        """A command that came in at another process, which has asked who speaks and whether they may."""
        command = self._commands[body["event"]]
        call = Call(actor, body["connection"], body["address"], view_id=body["view_id"])
        return plain(await command.handle(call, decode(command.request, body["request"])))

    def attached(self, lesson_id: str) -> list[tuple[str, Actor]]:
        """Our connections that have been in a lesson, and whose they are."""
        return [
            (self._owners.connection(sid), one.actor)
            for sid, one in self._connections.items()
            if lesson_id in one.lessons
        ]

    async def _look(self, sid: str, command: Command, request: Any, call: Call) -> None:
        """Write the look down. What cannot be written down is not shown: the connection ends with what it joined."""
        try:
            await self._observe(call.who, command.event, object_of(request), call.view_id or "")
        except Exception:
            await self._server.disconnect(sid)
            raise


def _silent() -> logging.Logger:
    """For the libraries: they would write a page for each malformed packet. What goes wrong in our work, we log."""
    silent = logging.getLogger("wire.silent")
    silent.setLevel(logging.CRITICAL + 1)
    return silent
