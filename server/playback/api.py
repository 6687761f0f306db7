"""Declares replays: what was recorded of a lesson, as playlists and the stretches of files that they name.

A regulator's look is written down before it is answered. A player looks hundreds of times, so for playlists and pieces
that is once an hour for each lesson.
"""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from media.api import Recordings, low, playlist
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
    take: Annotated[int, Field(ge=1, le=1_000_000)]
    start: Annotated[int, Field(ge=0, le=1 << 50)]
    size: Annotated[int, Field(ge=1, le=1 << 24)]


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

    `screen`: there are pictures of a shared screen as well. `encoding`: pictures that are not there yet.
    """

    lesson_id: str
    title: str
    over: bool
    begins: str | None
    seconds: float
    screen: bool
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
        left = await asyncio.to_thread(self._recordings.unencoded, lesson.id)
        begins = found.takes[0].parts[0].at if found.takes else None
        return ReplayView(
            lesson.id,
            lesson.title,
            lesson.state is LessonState.ENDED,
            None if begins is None else _moment(begins),
            round(found.seconds, 3),
            bool(screen.takes),
            None if left is None else ReplayEncoding(left.percent, left.why),
            [ReplayHole(_moment(hole.begins), _moment(hole.ends), hole.why) for hole in found.holes],
        )

    async def playlist(self, call: Call, request: PlaylistRequest) -> Download:
        """The same as HLS."""
        lesson = await self._seen(call, request.lesson_id)
        found = await asyncio.to_thread(self._recordings.read, lesson.id, request.rendition)
        if not found.takes:
            raise DomainError("not_found")
        over, aac = lesson.state is LessonState.ENDED, request.rendition == AAC
        text = playlist(found, f"{request.rendition}/", ".mp4", over=over, aac=aac)
        return Download(f"{request.rendition}.m3u8", PLAYLIST, text.encode())

    async def piece(self, call: Call, request: PieceRequest) -> Download:
        """A stretch of a file of it."""
        lesson = await self._seen(call, request.lesson_id)
        where = (lesson.id, request.take, request.start, request.size)
        if request.rendition == AAC:
            data = await asyncio.get_running_loop().run_in_executor(self._low, self._recordings.dubbed, *where)
        else:
            data = await asyncio.to_thread(self._recordings.piece, *where, request.rendition)
        if not data:
            raise DomainError("not_found")
        return Download(f"{request.take}.mp4", PIECE, data)

    async def _seen(self, call: Call, lesson_id: str) -> Lesson:
        lesson, _ = await self._training.lesson_for(call.who, lesson_id)
        await self._looks.look(call, lesson.id, PAGE)
        return lesson


ONE: Final = "/api/v1/lessons/{lesson_id}/replay"
PAGE: Final = f"GET {ONE}/{{rendition}}.m3u8"


def declarations(training: Training, recordings: Recordings, looks: Looks) -> Declarations:
    """What playback serves."""
    api = Api(training, recordings, looks)
    listed, piece = f"{ONE}/{{rendition}}.m3u8", f"{ONE}/{{rendition}}/{{take}}/{{start}}/{{size}}.mp4"
    return Declarations(
        routes=[
            Route("GET", ONE, EVERYONE, ReplayRequest, ReplayView, api.replay, codes=UNSEEN),
            Route("GET", listed, EVERYONE, PlaylistRequest, Download, api.playlist, observed=False, codes=UNSEEN),
            Route("GET", piece, EVERYONE, PieceRequest, Download, api.piece, observed=False, codes=UNSEEN),
        ]
    )


def _moment(seconds: float) -> str:
    return iso(round(seconds * 1000))
