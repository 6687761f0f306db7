"""A media plane of its own on free ports, behind a real HTTP server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiortc import MediaStreamTrack

from media import clock
from media.api import Grant, Kind, Media, MediaEvent, MediaSettings, build
from tests.media.clients import Client, publish, watch

KEY = b"a key for tests only, thirty-two"
TOKEN_SECONDS = 60
PATIENCE_SECONDS = 10


@dataclass
class Stage:
    """A started plane with the room `lesson` open."""

    media: Media
    base: str
    http: aiohttp.ClientSession
    events: list[MediaEvent] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)

    def token(self, kind: Kind, peer: str, room: str = "lesson", seconds: int = TOKEN_SECONDS) -> str:
        now = clock.unix()
        return self.media.token(Grant(room, peer, kind, now, now + seconds))

    async def publish(
        self, *tracks: MediaStreamTrack, peer: str = "teacher", codec: str = "H264", port: int = 0
    ) -> Client:
        token = self.token("publish", peer)
        client = await publish(self.http, self.base, "lesson", token, *tracks, codec=codec, port=port)
        self.clients.append(client)
        await client.connected()
        return client

    async def watch(
        self, peer: str = "trainee", kinds: tuple[str, ...] = ("audio", "video"), port: int = 0
    ) -> tuple[Client, dict[str, MediaStreamTrack]]:
        token = self.token("watch", peer)
        client, tracks = await watch(self.http, self.base, "lesson", token, kinds, port)
        self.clients.append(client)
        await client.connected()
        return client, tracks

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; far longer than it can take."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0.01)

    def told(self) -> list[tuple[str, str]]:
        return [(event.kind, event.peer) for event in self.events]


async def count(stage: Stage, name: str, at_least: int = 1) -> None:
    """Wait until so many of something were refused."""
    await stage.until(lambda: stage.media.counts.get(name, 0) >= at_least)


@asynccontextmanager
async def served(
    settings: MediaSettings, on_event: Callable[[MediaEvent], None], now: Callable[[], float] = clock.unix
) -> AsyncIterator[tuple[Media, str]]:
    """A started plane with the room `lesson` open, and its address."""
    media = build(settings, KEY, on_event, now)
    await media.start()
    await media.open_room("lesson")
    app = web.Application()
    media.routes(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield media, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await media.stop()
    await runner.cleanup()


async def staged(settings: MediaSettings, now: Callable[[], float] = clock.unix) -> AsyncIterator[Stage]:
    events: list[MediaEvent] = []
    async with served(settings, events.append, now) as (media, base), aiohttp.ClientSession() as http:
        stage = Stage(media, base, http, events)
        yield stage
        for client in stage.clients:
            await client.close()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async for each in staged(MediaSettings()):
        yield each


@pytest.fixture
async def hasty_stage() -> AsyncIterator[Stage]:
    """One that gives up soon."""
    async for each in staged(MediaSettings(liveness_seconds=0.5, handshake_seconds=0.5, max_peers_per_room=2)):
        yield each
