"""Declares replays: what was recorded of a lesson, as a playlist and the stretches of files that it names.

A regulator has no replay yet: each look of theirs is written down, and a player looks hundreds of times.
"""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from media.api import Recordings, playlist
from server.core.actor import EVERYONE, Role
from server.core.clock import iso
from server.core.errors import DomainError
from server.core.wire.declaration import UNSEEN, Call, Declarations, Download, Route
from server.training.rules import LessonState
from server.training.service import Training

PLAYLIST: Final = "application/vnd.apple.mpegurl"
PIECE: Final = "video/mp4"
VIEWERS: Final = EVERYONE - {Role.REGULATOR}


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    lesson_id: str


@dataclass(frozen=True, slots=True)
class PieceRequest:
    """`size` bytes from `start` of the recording's file number `take`, as the playlist names them."""

    lesson_id: str
    take: Annotated[int, Field(ge=1, le=1_000_000)]
    start: Annotated[int, Field(ge=0, le=1 << 50)]
    size: Annotated[int, Field(ge=1, le=1 << 24)]


@dataclass(frozen=True, slots=True)
class ReplayHole:
    """Nothing was recorded between two moments because of the disk: `slow`, or the name of a system error."""

    begins: str
    ends: str
    why: str


@dataclass(frozen=True, slots=True)
class ReplayView:
    """What there is of a lesson; `seconds` 0 when it was not recorded. `over`: nothing will be added."""

    lesson_id: str
    over: bool
    begins: str | None
    seconds: float
    holes: list[ReplayHole]


class Api:
    """The functions behind the declarations."""

    def __init__(self, training: Training, recordings: Recordings) -> None:
        self._training, self._recordings = training, recordings

    async def replay(self, call: Call, request: ReplayRequest) -> ReplayView:
        """What was recorded of a lesson."""
        lesson, _ = await self._training.lesson_for(call.who, request.lesson_id)
        found = await asyncio.to_thread(self._recordings.read, lesson.id)
        begins = found.takes[0].parts[0].at if found.takes else None
        return ReplayView(
            lesson.id,
            lesson.state is LessonState.ENDED,
            None if begins is None else _moment(begins),
            round(found.seconds, 3),
            [ReplayHole(_moment(hole.begins), _moment(hole.ends), hole.why) for hole in found.holes],
        )

    async def playlist(self, call: Call, request: ReplayRequest) -> Download:
        """The same as HLS."""
        lesson, _ = await self._training.lesson_for(call.who, request.lesson_id)
        found = await asyncio.to_thread(self._recordings.read, lesson.id)
        if not found.takes:
            raise DomainError("not_found")
        text = playlist(found, "replay/", ".mp4", over=lesson.state is LessonState.ENDED)
        return Download("replay.m3u8", PLAYLIST, text.encode())

    async def piece(self, call: Call, request: PieceRequest) -> Download:
        """A stretch of a file of it."""
        lesson, _ = await self._training.lesson_for(call.who, request.lesson_id)
        data = await asyncio.to_thread(self._recordings.piece, lesson.id, request.take, request.start, request.size)
        if not data:
            raise DomainError("not_found")
        return Download(f"{request.take}.mp4", PIECE, data)


def declarations(training: Training, recordings: Recordings) -> Declarations:
    """What playback serves."""
    api, one = Api(training, recordings), "/api/v1/lessons/{lesson_id}/replay"
    piece = f"{one}/{{take}}/{{start}}/{{size}}.mp4"
    return Declarations(
        routes=[
            Route("GET", one, VIEWERS, ReplayRequest, ReplayView, api.replay, codes=UNSEEN),
            Route("GET", f"{one}.m3u8", VIEWERS, ReplayRequest, Download, api.playlist, codes=UNSEEN),
            Route("GET", piece, VIEWERS, PieceRequest, Download, api.piece, codes=UNSEEN),
        ]
    )


def _moment(seconds: float) -> str:
    return iso(round(seconds * 1000))
