"""Declares what a page reads of a chat beyond what it is told: older lines."""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from server.core.actor import EVERYONE
from server.core.wire.declaration import Call, Command, Declarations
from server.live.acts.api import CODES, Api
from server.live.acts.chat import OLDER_LINES, Chat, ChatView, newest
from server.live.acts.log import Lesson

NAME: Final = Chat.name


@dataclass(frozen=True, slots=True)
class OlderRequest:
    """`before`: the oldest line that the page has."""

    lesson_id: str
    before: Annotated[str, Field(pattern=r"^[0-9]{1,12}$")]


@dataclass(frozen=True, slots=True)
class OlderLines:
    """Lines in order; `more`: there are still older ones."""

    lines: list[ChatView]
    more: bool


class ChatReading:
    """The functions behind the declarations."""

    def __init__(self, acts: Api) -> None:
        self._acts = acts

    async def older(self, call: Call, request: OlderRequest) -> OlderLines:
        """The lines before one."""
        _, desk = await self._acts.who(call, request.lesson_id)

        def read(lesson: Lesson) -> OlderLines:
            found = newest(lesson.states[NAME], OLDER_LINES + 1, int(request.before))
            keys = [(NAME, key) for key in found[-OLDER_LINES:]]
            return OlderLines(self._acts.log.views(lesson, keys, desk)[NAME], len(found) > OLDER_LINES)

        lines: OlderLines = await self._acts.log.seen(request.lesson_id, read)
        return lines

    def declarations(self) -> Declarations:
        """What is read of a chat."""
        older = Command("chat:older", EVERYONE, OlderRequest, OlderLines, self.older, True, CODES, at_owner=True)
        return Declarations(commands=[older])
