"""Media in this process, as a lesson asks for it; the other adapter will be a worker process."""

from collections.abc import Awaitable, Callable

from media.api import MAX_TOKEN_SECONDS, Grant, Media, MediaEvent, MediaSettings, build
from server.core.clock import Clock
from server.core.tasks import Tasks

#: (lesson, whether a publisher is live)
Published = Callable[[str, bool], Awaitable[None]]


class EmbeddedMedia:
    """The media plane behind live's MediaDoor."""

    def __init__(self, settings: MediaSettings, key: bytes, clock: Clock, tasks: Tasks) -> None:
        self.media: Media = build(settings, key, self._event, lambda: clock.ms() / 1000)
        self._clock = clock
        self._tasks = tasks
        self.on_published: list[Published] = []

    async def open_room(self, room: str) -> None:
        await self.media.open_room(room)

    async def close_room(self, room: str) -> None:
        await self.media.close_room(room)

    async def cut(self, peer: str) -> None:
        await self.media.cut(peer)

    def token(self, room: str, peer: str, publish: bool) -> str:
        now = self._clock.ms() / 1000
        return self.media.token(Grant(room, peer, "publish" if publish else "watch", now, now + MAX_TOKEN_SECONDS))

    def _event(self, event: MediaEvent) -> None:
        if event.kind not in ("publisher_live", "publisher_gone"):
            return
        for published in self.on_published:
            self._tasks.spawn("media.event", _call(published, event.room, event.kind == "publisher_live"))


async def _call(published: Published, room: str, live: bool) -> None:
    await published(room, live)
