"""A real server with a handful of declarations, for the tests of the wire."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

from server.core.actor import EVERYONE, Actor, Role
from server.core.errors import DomainError
from server.core.wire.declaration import PUBLIC, Call, Command, Declarations, Download, Nothing, Push, Route
from server.core.wire.headers import guard
from server.core.wire.rest import Rest, errors_as_json
from server.core.wire.socket import Sockets
from server.core.wire.trace import Trace, untold

SESSIONS = {
    "t-token": Actor("trainee1", Role.TRAINEE, "s1", "i1"),
    "r-token": Actor("regulator1", Role.REGULATOR, "s3", None, "371500"),
    "s-token": Actor("staff1", Role.STAFF, "s2", "i1"),
}


@dataclass(frozen=True, slots=True)
class Greeting:
    name: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Greeted:
    text: str
    by: str


@dataclass(frozen=True, slots=True)
class OneLesson:
    lesson_id: str


@dataclass(frozen=True, slots=True)
class Upload:
    content: bytes
    filename: str


#: a look at this cannot be written down
UNWRITABLE = "f" * 16
TOLD = Push("told", Greeted)


@dataclass
class Wire:
    """The running server and what happened in it."""

    url: str
    sockets: Sockets
    sessions: dict[str, Actor]
    gone: list[str] = field(default_factory=list)
    looks: list[tuple[str, str, str, str]] = field(default_factory=list)
    origins: set[str] = field(default_factory=set)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, _call: Call, _request: Greeting) -> Nothing:
        """A command that takes as long as a test wants."""
        self.arrived.set()
        await self.go_on.wait()
        return Nothing()


async def greet(call: Call, request: Greeting) -> Greeted:
    if request.name == "nobody":
        raise DomainError("not_found", name=request.name)
    if request.name == "bug":
        raise RuntimeError("a fault")
    if request.name == "encoded":
        "\ud800".encode()
    return Greeted(request.name * request.times, call.actor.person_id if call.actor else "")


async def sign_in(call: Call, request: Greeting) -> Nothing:
    call.new_session = request.name
    return Nothing()


async def measure(_call: Call, request: Upload) -> Greeted:
    return Greeted(f"{request.filename} {len(request.content)}", "")


async def look(call: Call, request: OneLesson) -> Greeted:
    if request.lesson_id == "0" * 16:
        raise DomainError("not_found")
    return Greeted(call.view_id or "", "")


async def file(_call: Call, _request: Nothing) -> Download:
    return Download("台账.csv", "text/csv", b"a,b")


def declarations() -> Declarations:
    staff = frozenset({Role.STAFF})
    return Declarations(
        routes=[
            Route("GET", "/greet/{name}", PUBLIC, Greeting, Greeted, greet),
            Route("POST", "/greet", EVERYONE, Greeting, Greeted, greet),
            Route("POST", "/staff/{name}", staff, Greeting, Greeted, greet),
            Route("POST", "/sign-in", PUBLIC, Greeting, Nothing, sign_in),
            Route("POST", "/upload", PUBLIC, Upload, Greeted, measure, body_limit=1_000),
            Route("GET", "/look/{lesson_id}", EVERYONE, OneLesson, Greeted, look),
            Route("GET", "/self/{lesson_id}", EVERYONE, OneLesson, Greeted, look, observed=False),
            Route("GET", "/file", PUBLIC, Nothing, Download, file),
        ],
        commands=[
            Command("greet", EVERYONE, Greeting, Greeted, greet),
            Command("look", EVERYONE, OneLesson, Greeted, look, observed=True),
            Command("staff", staff, Greeting, Greeted, greet),
        ],
        pushes=[TOLD],
    )


@asynccontextmanager
async def wire() -> AsyncIterator[Wire]:
    """The server while the block runs."""
    sessions = dict(SESSIONS)

    async def authenticate(token: str) -> Actor | None:
        token.encode()  # as whoever looks it up does
        return sessions.get(token)

    async def observe(actor: Actor, page: str, object_id: str, view_id: str) -> None:
        if object_id == UNWRITABLE:
            raise OSError("the disk is full")
        running.looks.append((actor.person_id, page, object_id, view_id))

    origins: set[str] = set()
    app = web.Application(middlewares=[errors_as_json])
    guard(app, "", lasting=False)
    allowed = _Growing(origins)
    rest, sockets = Rest(authenticate, observe, allowed, 3_600), Sockets(authenticate, observe, allowed, Trace(untold))
    running = Wire("", sockets, sessions, origins=origins)

    async def gone(connection: str) -> None:
        running.gone.append(connection)

    sockets.when_gone(gone)
    rest.serve(app, declarations().routes)
    wait = Command("wait", EVERYONE, Greeting, Nothing, running.wait)
    sockets.serve(app, [*declarations().commands, wait])
    server = TestServer(app)
    await server.start_server()
    running.url = str(server.make_url("")).rstrip("/")
    origins.add(running.url)
    try:
        yield running
    finally:
        await sockets.close()
        await server.close()


class _Growing(frozenset[str]):
    """The allowed origins: the port is only known once the server listens."""

    def __new__(cls, inner: set[str]) -> "_Growing":
        made = super().__new__(cls)
        made._inner = inner  # type: ignore[attr-defined]
        return made

    def __contains__(self, item: object) -> bool:
        return item in self._inner  # type: ignore[attr-defined]

    def __iter__(self) -> Iterator[str]:
        return iter(self._inner)  # type: ignore[attr-defined]
