"""Declares replays: what was recorded of a lesson, as playlists and the stretches of files that they name.

A regulator's look is written down before it is answered. A player looks hundreds of times, so for playlists and pieces
that is once an hour for each lesson.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from media.api import SIGN, Recordings, Unencoded, low, playlist
from server.core.actor import EVERYONE, Role
from server.core.clock import Clock, iso
from server.core.errors import DomainError
from server.core.wire.declaration import UNSEEN, Call, Declarations, Download, Observe, Route
from server.training.rules import Lesson, LessonState
from server.training.service import Training

PLAYLIST: Final = "application/vnd.apple.mpegurl"
PIECE: Final = "video/mp4"
AAC: Final = "picture_aac"
LOOK_MS: Final = 3_600_000
Rendition = Literal["picture", "picture_aac", "screen"]
GuestRendition = Literal["picture", "picture_aac"]
#: of an invitation to the stage
Guest = Annotated[int, Field(ge=1, le=1_000_000)]
Number = Annotated[int, Field(ge=1, le=1_000_000)]
Start = Annotated[int, Field(ge=0, le=1 << 50)]
Size = Annotated[int, Field(ge=1, le=1 << 24)]


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    lesson_id: str


@dataclass(frozen=True, slots=True)
class PlaylistRequest:
    lesson_id: str
    rendition: Rendition


@dataclass(frozen=True, slots=True)
class PieceRequest:
    """`size` bytes from `start` of the recording's file number `take`, as the playlist names them."""

    lesson_id: str
    rendition: Rendition
    take: Number
    start: Start
    size: Size


@dataclass(frozen=True, slots=True)
class GuestPlaylistRequest:
    """`guest`: the number of the invitation by which somebody was on stage."""

    lesson_id: str
    guest: Guest
    rendition: GuestRendition


@dataclass(frozen=True, slots=True)
class GuestPieceRequest:
    """As a `PieceRequest`, of a guest's recording."""

    lesson_id: str
    guest: Guest
    rendition: GuestRendition
    take: Number
    start: Start
    size: Size


@dataclass(frozen=True, slots=True)
class ReplayHole:
    """Nothing was recorded between two moments.

    Because what recorded was `stopped` or died, or because of the disk: `slow`, or the name of a system error.
    """

    begins: str
    ends: str
    why: str


@dataclass(frozen=True, slots=True)
class ReplayEncoding:
    """Pictures that came as VP8 are being encoded; until then there is the voice alone.

    `percent` of them are; `why`: it cannot go on, because of `disk_full`, or not at all (`encode_failed`).
    """

    percent: int
    why: str | None


@dataclass(frozen=True, slots=True)
class ReplayView:
    """What there is of a lesson; `seconds` 0 when it was not recorded. `over`: nothing will be added.

    `started`, `ended`: the lesson itself, recorded or not.
    `screen`: there are pictures of a shared screen as well. `guests`: the invitations by which somebody was on stage
    and recorded. `encoding`: pictures that are not there yet, the instructor's or a guest's.
    """

    lesson_id: str
    title: str
    over: bool
    started: str | None
    ended: str | None
    begins: str | None
    seconds: float
    screen: bool
    guests: list[int]
    encoding: ReplayEncoding | None
    holes: list[ReplayHole]


class Looks:
    """Writes down a regulator's look at a replay, if the last one was some time ago."""

    def __init__(self, observe: Observe, clock: Clock) -> None:
        self._observe, self._clock = observe, clock
        self._at: dict[tuple[str, str], int] = {}

    async def look(self, call: Call, lesson_id: str, page: str) -> None:
        """Before anything is answered."""
        who, now = call.who, self._clock.ms()
        if who.role is not Role.REGULATOR:
            return
        self._at = {key: at for key, at in self._at.items() if now - at < LOOK_MS}
        if (who.person_id, lesson_id) not in self._at:
            await self._observe(who, page, lesson_id, secrets.token_hex(8))
            self._at[who.person_id, lesson_id] = now


class Api:
    """The functions behind the declarations."""

    def __init__(self, training: Training, recordings: Recordings, looks: Looks) -> None:
        self._training, self._recordings, self._looks = training, recordings, looks
        self._low = low()

    async def replay(self, call: Call, request: ReplayRequest) -> ReplayView:
        """What was recorded of a lesson."""
        lesson, _ = await self._training.lesson_for(call.who, request.lesson_id)
        found = await asyncio.to_thread(self._recordings.read, lesson.id)
        screen = await asyncio.to_thread(self._recordings.read, lesson.id, "screen")
        guests = await asyncio.to_thread(self._recordings.asides, lesson.id)
        left = await asyncio.to_thread(self._unencoded, lesson.id, guests)
        begins = found.takes[0].parts[0].at if found.takes else None
        return ReplayView(
            lesson.id,
            lesson.title,
            lesson.state is LessonState.ENDED,
            None if lesson.started_ms is None else iso(lesson.started_ms),
            None if lesson.ended_ms is None else iso(lesson.ended_ms),
            None if begins is None else _moment(begins),
            round(found.seconds, 3),
            bool(screen.takes),
            guests,
            None if left is None else ReplayEncoding(left.percent, left.why),
            [ReplayHole(_moment(hole.begins), _moment(hole.ends), hole.why) for hole in found.holes],
        )

    async def playlist(self, call: Call, request: PlaylistRequest) -> Download:
        """The same as HLS."""
        lesson = await self._seen(call, request.lesson_id)
        return await self._playlist(lesson, lesson.id, request.rendition)

    async def piece(self, call: Call, request: PieceRequest) -> Download:
        """A stretch of a file of it."""
        lesson = await self._seen(call, request.lesson_id)
        return await self._piece(lesson.id, request)

    async def guest_playlist(self, call: Call, request: GuestPlaylistRequest) -> Download:
        """What was recorded of somebody on stage."""
        lesson = await self._seen(call, request.lesson_id)
        return await self._playlist(lesson, _room(lesson, request.guest), request.rendition)

    async def guest_piece(self, call: Call, request: GuestPieceRequest) -> Download:
        """A stretch of a file of it."""
        lesson = await self._seen(call, request.lesson_id)
        return await self._piece(_room(lesson, request.guest), request)

    async def _playlist(self, lesson: Lesson, room: str, rendition: str) -> Download:
        found = await asyncio.to_thread(self._recordings.read, room, rendition)
        if not found.takes:
            raise DomainError("not_found")
        over = lesson.state is LessonState.ENDED
        text = playlist(found, f"{rendition}/", ".mp4", over=over, aac=rendition == AAC)
        return Download(f"{rendition}.m3u8", PLAYLIST, text.encode())

    async def _piece(self, room: str, request: PieceRequest | GuestPieceRequest) -> Download:
        where = (room, request.take, request.start, request.size)
        if request.rendition == AAC:
            data = await asyncio.get_running_loop().run_in_executor(self._low, self._recordings.dubbed, *where)
        else:
            data = await asyncio.to_thread(self._recordings.piece, *where, request.rendition)
        if not data:
            raise DomainError("not_found")
        return Download(f"{request.take}.mp4", PIECE, data)

    def _unencoded(self, lesson_id: str, guests: list[int]) -> Unencoded | None:
        """Of the instructor first."""
        rooms = (lesson_id, *(f"{lesson_id}{SIGN}{each}" for each in guests))
        return next(filter(None, map(self._recordings.unencoded, rooms)), None)

    async def _seen(self, call: Call, lesson_id: str) -> Lesson:
        lesson, _ = await self._training.lesson_for(call.who, lesson_id)
        await self._looks.look(call, lesson.id, PAGE)
        return lesson


ONE: Final = "/api/v1/lessons/{lesson_id}/replay"
PAGE: Final = f"GET {ONE}/{{rendition}}.m3u8"


def declarations(training: Training, recordings: Recordings, looks: Looks) -> Declarations:
    """What playback serves."""
    api = Api(training, recordings, looks)
    listed, piece = "/{rendition}.m3u8", "/{rendition}/{take}/{start}/{size}.mp4"
    guest = f"{ONE}/guests/{{guest}}"
    return Declarations(
        routes=[
            Route("GET", ONE, EVERYONE, ReplayRequest, ReplayView, api.replay, codes=UNSEEN),
            _file(f"{ONE}{listed}", PlaylistRequest, api.playlist),
            _file(f"{ONE}{piece}", PieceRequest, api.piece),
            _file(f"{guest}{listed}", GuestPlaylistRequest, api.guest_playlist),
            _file(f"{guest}{piece}", GuestPieceRequest, api.guest_piece),
        ]
    )


def _file(path: str, asked: type[Any], answer: Callable[[Call, Any], Awaitable[Download]]) -> Route:
    """A regulator's look is written down by `Looks`."""
    return Route("GET", path, EVERYONE, asked, Download, answer, observed=False, codes=UNSEEN)


def _room(lesson: Lesson, guest: int) -> str:
    """The media room of somebody on stage."""
    return f"{lesson.id}{SIGN}{guest}"


def _moment(seconds: float) -> str:
    return iso(round(seconds * 1000))
