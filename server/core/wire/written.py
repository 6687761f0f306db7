"""Decides how what we say to one connection is written: at once while little is on its way, else in order, in bounds.

What is said to many is encoded once, and the same bytes go straight to the transport of each who has taken what was
before (RFC 6455 section 5.2). For whoever has not, messages wait. Beyond the bound only the newest of each push stays,
and they are told that they have missed something: a slow reader holds up nobody and fills no memory.

It stands in the place of python-engineio's queue, of which it uses private names; `missing()` says what a new version
lacks.
"""

import asyncio
import inspect
import struct
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import orjson
from aiohttp import WSMsgType, web
from engineio import async_socket

from server.core.tasks import Tasks
from server.core.wire.declaration import Nothing, Push

#: a message must have gone to its reader by then
SEND_SECONDS: Final = 10.0
#: so much may be on its way to one reader; what is more waits until it has gone
DIRECT_BYTES: Final = 65_536
#: so much may wait for one reader beside it; of more only the newest of each push stays
MOST_WAITING_BYTES: Final = 262_144
#: the only frame of a message, with text, not masked
FIN_TEXT: Final = 0x81
SHORT, MEDIUM = 126, 1 << 16
#: Engine.IO's message with Socket.IO's event
EVENT: Final = b"42"

#: pushes were dropped because they were read too slowly: whoever needs them asks for what they lack
MISSED: Final = Push("lesson:missed", Nothing)

_CALLS: Final = (
    "self.queue.put(pkt)",
    "await ws.send(pkt.encode())",
    "await self.queue.put(None)",
    "self._websocket_handler, self.server)",
)


def missing() -> list[str]:
    """What this python-engineio no longer has of what is used here and in `pipe`."""
    source = inspect.getsource(async_socket.AsyncSocket)
    lost = [f"AsyncSocket no longer says {call}" for call in _CALLS if call not in source]
    if list(inspect.signature(async_socket.AsyncSocket.send).parameters) != ["self", "pkt"]:
        lost.append("AsyncSocket.send(pkt)")
    if not hasattr(async_socket.AsyncSocket, "check_ping_timeout"):
        lost.append("AsyncSocket.check_ping_timeout")
    return lost


@dataclass(frozen=True, slots=True)
class Message:
    """One message and its frame. A newer one of the same `key` stands for it; without a key it is never dropped."""

    data: bytes
    frame: bytes
    key: str = ""


def message(data: bytes, key: str = "") -> Message:
    """A message as a server sends it."""
    size = len(data)
    if size < SHORT:
        head = struct.pack("!BB", FIN_TEXT, size)
    elif size < MEDIUM:
        head = struct.pack("!BBH", FIN_TEXT, 126, size)
    else:
        head = struct.pack("!BBQ", FIN_TEXT, 127, size)
    return Message(data, head + data, key)


def event(name: str, payload: Any, key: str = "") -> Message:
    """A Socket.IO event; the payload is a dataclass or plain."""
    return message(EVENT + orjson.dumps([name, payload]), key)


TOLD: Final = event(MISSED.event, Nothing(), MISSED.event)


class Written:
    """What is written to one websocket: all of it, in the order in which it was said."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._socket: web.WebSocketResponse
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[Message] = deque()
        self._bytes = 0
        self._idle = asyncio.Event()
        #: once somebody is there, and nothing is to be written before what comes next
        self._direct = False
        self._closed = False

    @property
    def waiting_bytes(self) -> int:
        """What waits here, beside what the transport has."""
        return self._bytes

    async def start(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, first: str) -> None:
        """Say the library's greeting, and then all that has been said since."""
        self._socket, self._transport = socket, transport
        self._waiting.appendleft(message(first.encode()))
        self._bytes += len(self._waiting[0].frame)
        await self._drain()

    async def idle(self) -> None:
        """Until nothing waits: whoever does not read is not listened to."""
        await self._idle.wait()

    def say(self, said: Message) -> None:
        """Write a message now, or as soon as what is before it has gone. To nobody is no error."""
        transport = self._transport
        if not self._direct or transport is None:
            self._keep(said)
        elif transport.is_closing():
            self.close()
        elif transport.get_write_buffer_size() + len(said.frame) <= DIRECT_BYTES:
            transport.write(said.frame)
        else:
            self._keep(said)
            self._begin()

    def close(self) -> None:
        """Nothing more is written."""
        self._closed, self._direct = True, False
        self._waiting.clear()
        self._bytes = 0
        self._idle.set()

    def _begin(self) -> None:
        self._direct = False
        self._idle.clear()
        self._tasks.spawn("wire.drain", self._drained())

    def _keep(self, said: Message) -> None:
        if self._closed:
            return
        self._waiting.append(said)
        self._bytes += len(said.frame)
        if said.key and self._bytes > MOST_WAITING_BYTES:
            self._drop()

    def _drop(self) -> None:
        """Of each push only the newest stays; they are told, once."""
        kept: deque[Message] = deque()
        newest: set[str] = {MISSED.event}
        for one in reversed(self._waiting):
            if not one.key or one.key not in newest:
                kept.appendleft(one)
            newest.add(one.key)
        if len(kept) < len(self._waiting):
            kept.append(TOLD)
        self._waiting, self._bytes = kept, sum(len(one.frame) for one in kept)

    async def _drained(self) -> None:
        with suppress(OSError):
            await self._drain()

    async def _drain(self) -> None:
        """Write what waits; whoever does not take it in time is hung up. Raises OSError when it is over."""
        try:
            while self._waiting:
                said = self._waiting.popleft()
                self._bytes -= len(said.frame)
                async with asyncio.timeout(SEND_SECONDS):
                    await self._socket.send_frame(said.data, WSMsgType.TEXT)
        except BaseException:
            self.close()
            if self._transport is not None:
                self._transport.abort()
            raise
        self._direct = not self._closed
        self._idle.set()
