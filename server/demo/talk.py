"""Decides how a page without a browser follows what people do in a lesson: told what changed, asking for what it lacks.

It keeps the newest view of each thing, as the pages in `web` do.
"""

from collections.abc import Iterator
from typing import Any, Final, Protocol

PUSHED: Final = "lesson:acts"

Answer = dict[str, Any]


class Line(Protocol):
    """The connection of a page that has joined."""

    pushed: list[tuple[str, Answer]]

    async def call(self, event: str, **fields: Any) -> Answer:
        """Send an event and wait for its answer."""
        ...


class Talk:
    """What a page knows of a lesson's activities over one connection; `me` is whose page it is."""

    def __init__(self, line: Line, lesson_id: str, me: Answer) -> None:
        self._line, self.lesson_id, self.me = line, lesson_id, me
        self._seq: int | None = None
        self._read = 0
        self._views: dict[tuple[str, str], Answer] = {}

    async def do(self, event: str, **fields: Any) -> Answer:
        """A command of this page. Raises Refused."""
        return await self._line.call(event, lesson_id=self.lesson_id, **fields)

    async def look(self) -> None:
        """Take in what was pushed since the last look. Raises Refused."""
        if self._seq is None:
            await self._ask(0)
        while self._read < len(self._line.pushed):
            event, told = self._line.pushed[self._read]
            self._read += 1
            if event != PUSHED or told["lesson_id"] != self.lesson_id:
                continue
            if told["after"] > (self._seq or 0):
                await self._ask(self._seq or 0)
            elif told["seq"] > (self._seq or 0):
                self._learn(told)

    def all(self, activity: str) -> Iterator[Answer]:
        """The things of an activity, the oldest first."""
        return (view for (where, _), view in self._views.items() if where == activity)

    def one(self, activity: str, **wanted: Any) -> Answer | None:
        """The first of them of which all this is true."""
        fits = (view for view in self.all(activity) if all(view[name] == value for name, value in wanted.items()))
        return next(fits, None)

    async def _ask(self, seq: int) -> None:
        told = await self.do("lesson:since", seq=seq)
        if told["whole"]:
            self._views.clear()
        self._learn(told)

    def _learn(self, told: Answer) -> None:
        self._seq = told["seq"]
        for activity, views in told["changes"].items():
            for view in views:
                self._views[activity, view["id"]] = view
