"""Decides what media consists of in one process, embedded or not: the plane, its doors, its recordings."""

from collections.abc import Callable, Iterable

from aiohttp import web

from media import clock
from media.afterwards import Afterwards
from media.audience import Audience, audience
from media.broadcasts import Broadcasts
from media.check import Check
from media.figures import Figures, figures
from media.grants import Tokens
from media.hls import Hls
from media.lines import Lines
from media.live import Live
from media.plane import MediaEvent, Plane
from media.recorder import Recorder
from media.room import Room
from media.settings import MediaSettings
from media.whip import Bearer, Whip, as_it_is


class Studio:
    """`start` before anything else, on the loop that will serve the routes. `now`: the clock that signs tokens."""

    def __init__(
        self,
        settings: MediaSettings,
        key: bytes,
        on_event: Callable[[MediaEvent], None],
        now: Callable[[], float] = clock.unix,
    ) -> None:
        self.plane = Plane(settings, on_event, now)
        self.tokens = Tokens(key)
        self._broadcasts = Broadcasts(self.plane.counts)
        self._whip = Whip(self.plane, self.tokens)
        self._live = Live(self.plane, self.tokens, self._broadcasts)
        self._check = Check(self.plane, self.tokens)
        self._hls = Hls(self.plane, self.tokens, self._broadcasts)
        self.lines = Lines(self.plane)
        folder = settings.recordings
        self._recorder: Recorder | None = None
        self._afterwards: Afterwards | None = None
        if folder is not None:
            recorder = self._recorder = Recorder(self.plane, self._broadcasts, folder)
            self._afterwards = Afterwards(folder, lambda: recorder.busy, self.plane.counts)
            recorder.on_written.append(self._afterwards.look)

    async def start(self) -> None:
        """Open the UDP port. Raises OSError when it is taken."""
        await self.plane.start()
        if self._afterwards is not None:
            self._afterwards.start()

    async def stop(self) -> None:
        """End every session, tell each peer, close the port, write what waits."""
        if self._afterwards is not None:
            await self._afterwards.stop()
        await self.plane.stop()
        await self._hls.stop()
        if self._recorder is not None:
            await self._recorder.stop()
        self._broadcasts.close()

    def add_to(self, app: web.Application, bearer: Bearer = as_it_is) -> None:
        """The doors for browsers; `bearer` is asked what a publisher's token is worth."""
        self._whip.add_to(app, bearer)
        self._live.add_to(app)
        self._check.add_to(app)
        self._hls.add_to(app)

    def figures(self, rooms: Iterable[Room]) -> Figures:
        """Of these rooms now."""
        troubled = self._recorder.troubled if self._recorder is not None else frozenset()
        rooms = list(rooms)
        watched = list(self.audiences(rooms).values())
        waiting = self._afterwards.waiting if self._afterwards is not None else 0
        return figures(rooms, self.plane.counts, troubled, watched, self.plane.admission, waiting)

    def audiences(self, rooms: Iterable[Room]) -> dict[str, Audience]:
        """Who watches each of these rooms."""
        everybody = self.plane.demands()
        return {room.name: audience(room, everybody, self.plane.admission) for room in rooms}
