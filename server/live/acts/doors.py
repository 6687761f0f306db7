"""Decides who comes into a lesson and who must go: the lobby and removal, after what the lesson's order says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.attendance.service import Attendance
from server.core.errors import DomainError
from server.core.wire.declaration import Call, Push
from server.core.wire.fan_out import FanOut
from server.live.acts.log import ActLog
from server.live.acts.order import Knock
from server.live.acts.port import Act, Who

#: acts of the order after which whoever waits outside may ask again
OPENING: Final = frozenset({"admit", "readmit", "lobby"})


@dataclass(frozen=True, slots=True)
class DoorOpened:
    """Whoever waits outside may ask again whether they may come in."""

    lesson_id: str


DOOR: Final = Push("lesson:door", DoorOpened)


class Doors:
    """The way into lessons."""

    def __init__(self, log: ActLog, attendance: Attendance, fan_out: FanOut) -> None:
        self._log = log
        self._attendance = attendance
        self._fan_out = fan_out
        log.on_acts.append(self._happened)

    async def enter(self, call: Call, lesson_id: str) -> None:
        """A trainee comes in. Raises DomainError removed_from_lesson, or in_lobby: they wait and will be told.

        Who has been in the lesson already comes back without waiting.
        """
        person_id = call.who.person_id
        code = (await self._log.order(lesson_id)).outside(person_id)
        if code == "in_lobby":
            if person_id in (await self._attendance.register.book(lesson_id)).people:
                return
            await self._log.do(lesson_id, Who(person_id), "order", Knock())
        if code is not None:
            await self._fan_out.join(call.connection, f"door:{lesson_id}")
            raise DomainError(code)

    async def _happened(self, lesson_id: str, acts: Sequence[Act]) -> None:
        ours = [act for act in acts if act.activity == "order"]
        for person_id in {act.body["person_id"] for act in ours if act.kind == "remove"}:
            if person_id in (await self._log.order(lesson_id)).removed:
                await self._attendance.remove(lesson_id, person_id)
        if any(act.kind in OPENING for act in ours):
            await self._fan_out.send(f"door:{lesson_id}", DOOR, DoorOpened(lesson_id))
