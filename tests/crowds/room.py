"""A lesson of very many: each a websocket that is read cheaply, beats, speaks, and keeps what it was told of acts."""

import asyncio
import itertools
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

from server.accounts.people import NewPerson
from server.core.actor import Role
from server.core.clock import ManualClock, SystemClock
from tests.crowds.hall import id_number
from tests.e2e.service import Service
from tests.school import School, plan, school

Answer = dict[str, Any]

ANSWER_S = 60.0
AT_ONCE = 50
SHORT, MEDIUM = 126, 127


@dataclass(frozen=True, slots=True)
class Room:
    """The lesson, and the tokens of those who will come, with their ids."""

    lesson_id: str
    teacher: str
    tokens: list[str]
    ids: list[str]


async def furnish(service: Service, people: int) -> Room:
    """A school of its own in the service's folder."""
    async with school(service.data, ManualClock(SystemClock().ms())) as made:
        return await fill_room(made, people)


async def fill_room(made: School, people: int) -> Room:
    """Everybody is enrolled in a lesson that may start now, and signed in."""
    new = [
        NewPerson(Role.TRAINEE, f"演示·{at}", f"trainee{at}", made.ids["school"], None, id_number(at))
        for at in range(people)
    ]
    accounts = made.house.accounts
    admitted = await accounts.people.admit(new)
    await made.house.training.enrol_all(made.class_id, [one.id for one in admitted])
    lesson_id = await plan(made.house, made.class_id, made.ids["teacher"], 3, made.clock.ms())
    async with made.house.store.database.write() as connection:
        tokens = [
            await accounts.sessions.open(connection, one)
            for one in (await accounts.person(made.ids["teacher"]), *admitted)
        ]
    return Room(lesson_id, tokens[0], tokens[1:], [one.id for one in admitted])


def masked(data: bytes) -> bytes:
    """A client's text frame, with the mask of zeros."""
    size = len(data)
    if size < SHORT:
        head = bytes((0x81, 0x80 | size))
    else:
        head = bytes((0x81, 0x80 | SHORT)) + size.to_bytes(2, "big")
    return head + bytes(4) + data


class Told:
    """What was pushed to all, each text once: who heard it keeps its number."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self.texts: list[bytes] = []

    def number(self, text: bytes) -> int:
        if (known := self._numbers.get(text)) is None:
            known = self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return known


class Line(asyncio.Protocol):
    """One socket. A push that nobody needs is not even parsed; what the server asks is never answered."""

    def __init__(self, url: str, token: str, told: Told, origin: str = "") -> None:
        self._url, self._token, self._told, self._origin = url, token, told, origin or url
        self.heard: list[int] = []
        self.missed = 0
        self.acks_ms: list[float] = []
        self.closed = False
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._buffer = bytearray()
        self._ids = itertools.count()
        self._asked: dict[int, tuple[asyncio.Future[Answer], float]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are of no class of asyncio's
        host = urlsplit(self._url).netloc
        self.transport.write(
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            f"Origin: {self._origin}\r\nCookie: keshi_session={self._token}\r\n\r\n".encode()
        )
        self._upgrading = True

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._upgrading:
            head, found, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head[:20]:
                self.open.set_exception(ConnectionRefusedError(head[:40]))
                return
            self._upgrading, self._buffer = False, bytearray(rest)
            self.transport.write(masked(b"40"))
        for text in self._texts():
            self._hear(text)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        lost = exc or ConnectionResetError("closed")
        waiting: list[asyncio.Future[Any]] = [self.open, *(future for future, _ in self._asked.values())]
        for future in waiting:
            if not future.done():
                future.set_exception(lost)

    async def call(self, event: str, **fields: Any) -> Answer:
        """What is answered, also when it is a refusal."""
        number = next(self._ids)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked[number] = (future, time.perf_counter())
        if self.closed:
            raise ConnectionResetError("closed")
        said = json.dumps([event, fields], ensure_ascii=False, separators=(",", ":"))
        self.transport.write(masked(f"42{number}{said}".encode()))
        return await asyncio.wait_for(future, ANSWER_S)

    def _texts(self) -> list[bytes]:
        found, at, buffer = [], 0, self._buffer
        while len(buffer) - at >= 2:  # a frame's head
            size, begin = buffer[at + 1], at + 2
            if size == SHORT:
                size, begin = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 4
            elif size == MEDIUM:
                size, begin = int.from_bytes(buffer[at + 2 : at + 10], "big"), at + 10
            if len(buffer) < begin + size:
                break
            if buffer[at] == 0x81:  # a text
                found.append(bytes(buffer[begin : begin + size]))
            at = begin + size
        del buffer[:at]
        return found

    def _hear(self, text: bytes) -> None:
        if text == b"2":
            self.transport.write(masked(b"3"))
        elif text.startswith(b'42["lesson:acts"'):
            self.heard.append(self._told.number(text))
        elif text.startswith(b'42["lesson:missed"'):
            self.missed += 1
        elif text.startswith(b"43"):
            number, _, answer = text[2:].partition(b"[")
            future, asked = self._asked.pop(int(number))
            self.acks_ms.append((time.perf_counter() - asked) * 1_000)
            if not future.done():
                future.set_result(json.loads(b"[" + answer)[0])
        elif text.startswith(b"40") and not self.open.done():
            self.open.set_result(None)


@dataclass
class Page:
    """A trainee's page."""

    line: Line
    lesson_id: str
    lease: Answer = field(default_factory=dict)
    known: dict[tuple[str, str], Any] = field(default_factory=dict)
    seq: int = 0
    credit_ms: int = 0
    name: str = field(default_factory=lambda: secrets.token_hex(8))

    async def call(self, event: str, **fields: Any) -> Answer:
        """About its lesson: what is answered, also when it is a refusal."""
        return await self.line.call(event, lesson_id=self.lesson_id, **fields)

    async def join(self, mono: float) -> Answer:
        asked = {"device": "phone", "page": self.name, "mono": mono}
        joined = await self.call("lesson:join", **asked)
        while joined.get("code") == "store_unavailable":  # a machine that is busy with other tests
            await asyncio.sleep(1)
            joined = await self.call("lesson:join", **asked)
        assert joined["ok"], joined
        self.lease, self._since = joined["lease"], mono
        return joined

    async def say(self, text: str) -> bool:
        """A line of the chat; whether it was taken."""
        return bool((await self.call("chat:say", text=text))["ok"])

    async def catch_up(self) -> None:
        """All there is, or what has changed since; pushes heard before it are older or the same."""
        told = await self.call("lesson:since", seq=self.seq)
        assert told["ok"], told
        if told["whole"]:
            self.known.clear()
        self._take(told)

    async def beat(self, mono: float) -> None:
        lease = self.lease
        answer = await self.call(
            "beat",
            epoch=lease["epoch"],
            seq=lease["seq"] + 1,
            nonce=lease["nonce"],
            mono=mono,
            spans=[[self._since, mono]],
        )
        assert answer["ok"], answer
        lease["seq"], lease["nonce"], self._since = answer["seq"], answer["nonce"], mono
        self.credit_ms = answer["credit_ms"]

    async def learn(self, news: list[Answer]) -> None:
        """What was heard, in order; where something is missing between, it is asked for."""
        for number in self.line.heard:
            told = news[number]
            if told["seq"] <= self.seq:
                continue
            if told["after"] > self.seq:
                await self.catch_up()
            else:
                self._take(told)
        self.line.heard.clear()

    def _take(self, told: Answer) -> None:
        for activity, views in told["changes"].items():
            for view in views:
                self.known[activity, view["id"]] = json.dumps(view, sort_keys=True)
        self.seq = max(self.seq, told["seq"])


async def connect(url: str, token: str, told: Told, origin: str = "") -> Line:
    """A socket that is open. Raises OSError."""
    parts = urlsplit(url)
    _, line = await asyncio.get_running_loop().create_connection(
        lambda: Line(url, token, told, origin), parts.hostname or "", parts.port or 0
    )
    await line.open
    return line


async def arrive(url: str, room: Room, told: Told) -> list[Page]:
    """All sockets, some at once."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(token: str) -> Page:
        async with gate:
            return Page(await connect(url, token, told), room.lesson_id)

    return list(await asyncio.gather(*(one(token) for token in room.tokens)))


async def each(pages: list[Page], work: Callable[[Page], Awaitable[Any]], at_once: int = 10_000) -> list[Any]:
    """The same of everybody."""
    gate = asyncio.Semaphore(at_once)

    async def one(page: Page) -> Any:
        async with gate:
            return await work(page)

    return list(await asyncio.gather(*map(one, pages)))
