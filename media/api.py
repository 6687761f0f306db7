"""Decides what of media others may use: the only door. Rooms open, peers get a token, events come back."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from media import clock
from media.aside import SIGN, asides, main_of
from media.audience import Audience
from media.dubbed import low
from media.errors import MediaError
from media.figures import Figures, read_audience, read_figures
from media.grants import MAX_TOKEN_SECONDS, Cuts, Grant, Kind, Tokens
from media.lines import Line, read_lines
from media.plane import MediaEvent
from media.replay import Recordings, Unencoded, playlist
from media.room import Room
from media.settings import MediaSettings
from media.studio import Studio
from media.takes import Replay
from media.tap import CAMERA, CAMERA_LOW, SCREEN, VOICE
from media.turn import MIN_SECRET_BYTES, MOST_SERVERS, IceServer, Offered, offered
from media.whip import Bearer, as_it_is, shown_token
from media.witness import Delivered
from media.worker import EVENTS, SECRET_HEADER, STATE, control_secret, serving


@dataclass(frozen=True, slots=True)
class RoomStats:
    """One room now; packets are counted since it was opened."""

    publisher: str | None
    publisher_live: bool
    viewers: tuple[str, ...]
    packets_in: int
    packets_out: int
    resent: int
    keyframes_asked: int
    video_codec: str


class Media:
    """The media plane of one process. `start` before anything else, on the loop that will serve the routes."""

    def __init__(
        self, settings: MediaSettings, key: bytes, on_event: Callable[[MediaEvent], None], now: Callable[[], float]
    ) -> None:
        self._studio = Studio(settings, key, on_event, now)
        self._plane = self._studio.plane

    async def start(self) -> None:
        """Open the UDP port. Raises OSError when it is taken."""
        await self._studio.start()

    async def stop(self) -> None:
        """End every session, tell each peer, close the port, write what waits to be recorded."""
        await self._studio.stop()

    @property
    def port(self) -> int:
        return self._plane.mux.port

    @property
    def tcp_port(self) -> int:
        """0: none."""
        return self._plane.mux.streams.port if self._plane.mux.streams else 0

    @property
    def counts(self) -> dict[str, int]:
        """What was refused or dropped since the start, by name."""
        return dict(self._plane.counts)

    def on_minute(self, tell: Callable[[Delivered], None]) -> None:
        """Hear of each room's minute, once it is over, what reached whom."""
        self._plane.on_minute.append(tell)

    async def open_room(self, room: str) -> None:
        """Let peers in; nothing happens if it is open. Raises MediaError too_many_rooms."""
        self._plane.open_room(room)

    async def close_room(self, room: str) -> None:
        """End every session in it; tokens for it are worth nothing until it is opened again."""
        self._plane.close_room(room)

    def hush(self, room: str, slots: frozenset[str]) -> None:
        """Of these slots of a room (media/tap.py) nothing is sent on, whatever its publisher sends; of the others is.

        Raises MediaError room_closed.
        """
        self._room(room).hush(slots)

    async def cut(self, peer: str) -> None:
        """End the media of this peer, in every room, now; its tokens issued until now are refused."""
        self._plane.cut(peer, self._plane.now())

    def token(self, grant: Grant) -> str:
        """The bearer token for a grant."""
        return self._studio.tokens.sign(grant)

    def stats(self, room: str) -> RoomStats:
        """Raises MediaError room_closed."""
        found = self._room(room)
        viewers = list(found.fan_out.viewers.values())
        return RoomStats(
            publisher=found.publisher[0] if found.publisher else None,
            publisher_live=found.publisher_live,
            viewers=(*(viewer.name for viewer in viewers), *found.followers),
            packets_in=found.packets_in,
            packets_out=found.fan_out.sent,
            resent=found.fan_out.resent,
            keyframes_asked=found.keyframes_asked,
            video_codec=found.slots[CAMERA].codec,
        )

    def _room(self, room: str) -> Room:
        found = self._plane.rooms.get(room)
        if found is None:
            raise MediaError("room_closed")
        return found

    def lines(self, room: str) -> list[Line]:
        """The line of each viewer of a room now."""
        return self._studio.lines.of(room)

    def figures(self) -> Figures:
        """All rooms together."""
        return self._studio.figures(self._plane.rooms.values())

    def audience(self, room: str) -> Audience | None:
        """Who watches a room and what is left; None of one that is not open."""
        found = self._plane.rooms.get(room)
        return None if found is None else self._studio.audiences([found])[room]

    def routes(self, app: web.Application, bearer: Bearer = as_it_is) -> None:
        """Add POST, PATCH and DELETE under /media/whip/{room} and /media/whep/{room}, GET /media/live/{room}, and HLS.

        HLS: POST /media/hls/{room}/{rendition}, GET and DELETE of what it names.
        `bearer` is asked what a publisher's token is worth: (room, token, whether it opens a session) → a token.
        """
        self._studio.add_to(app, bearer)


def build(
    settings: MediaSettings,
    key: bytes,
    on_event: Callable[[MediaEvent], None],
    now: Callable[[], float] = clock.unix,
) -> Media:
    """A media plane that is not started. `key`: at least 16 secret bytes. `on_event` is called on the loop.

    `now`: seconds since 1970 on the clock by which tokens are signed.
    """
    return Media(settings, key, on_event, now)


__all__ = [
    "CAMERA",
    "CAMERA_LOW",
    "EVENTS",
    "MAX_TOKEN_SECONDS",
    "MIN_SECRET_BYTES",
    "MOST_SERVERS",
    "SCREEN",
    "SECRET_HEADER",
    "SIGN",
    "STATE",
    "VOICE",
    "Audience",
    "Bearer",
    "Cuts",
    "Delivered",
    "Figures",
    "Grant",
    "IceServer",
    "Kind",
    "Line",
    "Media",
    "MediaError",
    "MediaEvent",
    "MediaSettings",
    "Offered",
    "Recordings",
    "Replay",
    "RoomStats",
    "Tokens",
    "Unencoded",
    "asides",
    "build",
    "control_secret",
    "low",
    "main_of",
    "offered",
    "playlist",
    "read_audience",
    "read_figures",
    "read_lines",
    "serving",
    "shown_token",
]
