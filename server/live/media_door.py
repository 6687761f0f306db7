"""Media as a lesson asks for it, in this process; media_worker.py is the other adapter."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from aiohttp import web

from media.api import (
    MAX_TOKEN_SECONDS,
    Audience,
    Figures,
    Grant,
    IceServer,
    Line,
    Media,
    MediaError,
    MediaEvent,
    MediaSettings,
    Offered,
    Tokens,
    asides,
    build,
    offered,
)
from server.core.clock import Clock
from server.core.tasks import Tasks
from server.live.witnessed import Deliveries

#: (lesson, whether a publisher is live)
Published = Callable[[str, bool], Awaitable[None]]
#: (lesson, what is wrong with what is published)
Troubled = Callable[[str, str], Awaitable[None]]
#: (lesson, its stream key, whether a session is to be opened with it) → the peer that the key is for
KeyPeer = Callable[[str, str, bool], Awaitable[str | None]]
#: what stream keys begin with; media's own tokens never do
STREAM_KEY: Final = "ks_"


class Door(ABC):
    """Live's MediaDoor and what the start and the health need of it; tokens are the same wherever media runs."""

    def __init__(self, key: bytes, clock: Clock, tasks: Tasks) -> None:
        self._tokens = Tokens(key)
        self._clock = clock
        self._tasks = tasks
        self.on_published: list[Published] = []
        #: what pages are told of; programs hear the same from the plane or the worker
        self.ice_servers: tuple[IceServer, ...] = ()
        #: what media says was delivered, for attendance
        self.deliveries = Deliveries()
        self.on_trouble: list[Troubled] = []
        self.key_peer: KeyPeer = _no_keys

    def token(self, room: str, peer: str, publish: bool) -> str:
        """A bearer token for one peer, good for MAX_TOKEN_SECONDS or until the peer is cut."""
        now = self._clock.ms() / 1000
        kind = "publish" if publish else "watch"
        return self._tokens.sign(Grant(room, peer, kind, now, now + MAX_TOKEN_SECONDS))  # type: ignore[arg-type]

    def ice(self) -> list[Offered]:
        """STUN and TURN servers for a page, with credentials of now."""
        return offered(self.ice_servers, self._clock.ms() / 1000)

    async def bearer(self, room: str, token: str, opening: bool) -> str:
        """What a publisher's token is worth: a lesson's stream key a grant, everything else itself."""
        peer = await self.key_peer(room, token, opening) if token.startswith(STREAM_KEY) else None
        return token if peer is None else self.token(room, peer, publish=True)

    @abstractmethod
    async def start(self) -> None:
        """Raises OSError when a port is taken."""

    @abstractmethod
    async def stop(self) -> None: ...

    @abstractmethod
    def routes(self, app: web.Application) -> None: ...

    @abstractmethod
    async def open_room(self, room: str) -> None: ...

    @abstractmethod
    async def close_room(self, room: str) -> None: ...

    @abstractmethod
    async def hush(self, room: str, slots: frozenset[str]) -> None:
        """Of these slots of a room nothing is sent on, whatever its publisher sends, from now or its opening on."""

    @abstractmethod
    def release(self, room: str) -> None:
        """Its lesson went to another server: do not end the room and those aside of it, but hear no more of them."""

    @abstractmethod
    async def cut(self, peer: str) -> None:
        """End the media of a peer and the worth of its tokens. Raises nothing, waits for nobody."""

    @abstractmethod
    async def problem(self) -> str | None:
        """None, or a word for what is wrong (health)."""

    @abstractmethod
    def figures(self) -> Figures:
        """Of this process's rooms (health)."""

    @abstractmethod
    def lines(self, room: str) -> list[Line]:
        """The line of each viewer of one of this process's rooms."""

    @abstractmethod
    def audience(self, room: str) -> Audience | None:
        """Who watches a room of this process's, and what is left; None where that is not known."""

    def _tell(self, room: str, live: bool) -> None:
        for published in self.on_published:
            self._tasks.spawn("media.event", _call(published, room, live))

    def _tell_trouble(self, room: str, code: str) -> None:
        for troubled in self.on_trouble:
            self._tasks.spawn("media.event", _call(troubled, room, code))


class EmbeddedMedia(Door):
    """The media plane in this process. The lessons of a process that embeds its media never go to another."""

    def __init__(self, settings: MediaSettings, key: bytes, clock: Clock, tasks: Tasks) -> None:
        super().__init__(key, clock, tasks)
        self._hushed: dict[str, frozenset[str]] = {}
        self.media: Media = build(settings, key, self._event, lambda: clock.ms() / 1000)
        self.media.on_minute(lambda minute: self.deliveries.take(minute.room, minute.slot, minute.peers))

    async def start(self) -> None:
        await self.media.start()

    async def stop(self) -> None:
        await self.media.stop()

    def routes(self, app: web.Application) -> None:
        self.media.routes(app, self.bearer)

    async def open_room(self, room: str) -> None:
        await self.media.open_room(room)
        self.media.hush(room, self._hushed.get(room, frozenset()))

    async def close_room(self, room: str) -> None:
        for each in [*asides(room, self._hushed), room]:
            self._hushed.pop(each, None)
        await self.media.close_room(room)

    async def hush(self, room: str, slots: frozenset[str]) -> None:
        self._hushed[room] = slots
        with suppress(MediaError):  # not open yet
            self.media.hush(room, slots)

    def release(self, room: str) -> None:
        pass

    async def cut(self, peer: str) -> None:
        await self.media.cut(peer)

    async def problem(self) -> str | None:
        return None

    def figures(self) -> Figures:
        return self.media.figures()

    def lines(self, room: str) -> list[Line]:
        return self.media.lines(room)

    def audience(self, room: str) -> Audience | None:
        return self.media.audience(room)

    def _event(self, event: MediaEvent) -> None:
        if event.kind in ("publisher_live", "publisher_gone"):
            self._tell(event.room, event.kind == "publisher_live")
        elif event.kind == "publisher_trouble":
            self._tell_trouble(event.room, event.code)


async def _call(hear: Callable[[str, Any], Awaitable[None]], room: str, told: object) -> None:
    await hear(room, told)


async def _no_keys(_room: str, _key: str, _opening: bool) -> str | None:
    return None
