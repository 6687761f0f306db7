"""Declares the stream key of a lesson over Socket.IO: look, make, revoke; what is wrong with what is published."""

from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from server.core.actor import Role
from server.core.clock import iso
from server.core.wire.declaration import Call, Command, Declarations, Push
from server.core.wire.fan_out import FanOut
from server.live.api import LessonCommand
from server.live.streams import Stream, Streams

#: refused, but for the last: seen, and not well
Trouble = Literal["publisher_taken", "bad_offer", "no_common_codec", "room_full", "b_frames", "picture_too_large"]


@dataclass(frozen=True, slots=True)
class StreamState:
    """Whether a lesson has a stream key, since when, and what is wrong with what is published."""

    lesson_id: str
    made_at: str | None
    trouble: Trouble | None


@dataclass(frozen=True, slots=True)
class StreamKeyMade:
    """The key, this once, and the path of WHIP to use it at."""

    key: str
    whip: str
    stream: StreamState


@dataclass(frozen=True, slots=True)
class StreamAnswer:
    stream: StreamState


STREAM: Final = Push("lesson:stream", StreamState)


class StreamApi:
    """The functions behind the declarations."""

    def __init__(self, streams: Streams, fan_out: FanOut) -> None:
        self._streams = streams
        self._fan_out = fan_out
        streams.announce = self.announce

    async def look(self, call: Call, request: LessonCommand) -> StreamAnswer:
        """How it stands with the key."""
        return StreamAnswer(_state(request.lesson_id, await self._streams.look(call.who, request.lesson_id)))

    async def make(self, call: Call, request: LessonCommand) -> StreamKeyMade:
        """A new key; the one before is worth nothing any more."""
        key = await self._streams.make(call.who, request.lesson_id)
        state = _state(request.lesson_id, await self._streams.shown(request.lesson_id))
        return StreamKeyMade(key, f"/media/whip/{request.lesson_id}", state)

    async def revoke(self, call: Call, request: LessonCommand) -> StreamAnswer:
        """No key any more."""
        await self._streams.revoke(call.who, request.lesson_id)
        return StreamAnswer(_state(request.lesson_id, await self._streams.shown(request.lesson_id)))

    async def announce(self, lesson_id: str) -> None:
        """Tell whoever watches over the lesson."""
        await self._fan_out.send(f"desk:{lesson_id}", STREAM, _state(lesson_id, await self._streams.shown(lesson_id)))

    def declarations(self) -> Declarations:
        """What it serves."""
        own = partial(Command, roles=frozenset({Role.INSTRUCTOR}), request=LessonCommand, at_owner=True)
        return Declarations(
            commands=[
                own("lesson:stream_look", response=StreamAnswer, handle=self.look, codes=("not_found",)),
                own("lesson:stream_key", response=StreamKeyMade, handle=self.make, codes=("not_found", "lesson_ended")),
                own("lesson:stream_revoke", response=StreamAnswer, handle=self.revoke, codes=("not_found",)),
            ],
            pushes=[STREAM],
        )


def _state(lesson_id: str, stream: Stream) -> StreamState:
    made_at = None if stream.made_ms is None else iso(stream.made_ms)
    return StreamState(lesson_id, made_at, stream.trouble)  # type: ignore[arg-type]  # media says no other
