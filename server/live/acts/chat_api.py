"""Declares what a page reads of a chat beyond what it is told: older lines. Finds the file that a line names."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from server.core.actor import EVERYONE
from server.core.errors import DomainError
from server.core.wire.declaration import Call, Command, Declarations
from server.live.acts.api import CODES, Api
from server.live.acts.chat import FILE_ID, OLDER_LINES, Chat, ChatFile, ChatSay, ChatView, Saying, newest
from server.live.acts.log import Lesson
from server.live.acts.port import Who
from server.live.files.rules import LessonFile, Use

NAME: Final = Chat.name
SAY: Final = "chat:say"
#: a file by its lesson and its id. Raises DomainError not_found
FileOf = Callable[[str, str], Awaitable[LessonFile]]


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

    def __init__(self, acts: Api, file_of: FileOf) -> None:
        self._acts, self._file_of = acts, file_of
        acts.before[SAY] = self.saying

    async def saying(self, who: Who, request: ChatSay) -> Saying:
        """A line with the file that it names, if this person gave it to this lesson's chat. Refuses nothing: whether
        they may speak at all is decided first."""
        if request.file is None or not FILE_ID.fullmatch(request.file):
            return Saying(request, None)
        try:
            file = await self._file_of(request.lesson_id, request.file)
        except DomainError as error:
            if error.code != "not_found":
                raise
            return Saying(request, None)
        own = file.use is Use.CHAT and file.by_id == who.person_id
        return Saying(request, ChatFile(file.file_id, file.name, file.size, file.kind.value) if own else None)

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
