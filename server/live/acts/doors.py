"""Decides who comes into a lesson and who must go: the lobby and removal, after what the lesson's order says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from server.attendance.lease import End
from server.attendance.register import Holder
from server.attendance.service import Attendance
from server.core.errors import DomainError
from server.core.wire.declaration import Call, Push
from server.core.wire.fan_out import FanOut
from server.live.acts.log import ActLog
from server.live.acts.order import Knock
from server.live.acts.port import Act, Who

log = structlog.get_logger("live.doors")

#: acts of the order after which whoever waits outside may ask again
OPENING: Final = frozenset({"admit", "readmit", "lobby"})


@dataclass(frozen=True, slots=True)
class DoorOpened:
    """Whoever waits outside may ask again whether they may come in."""

    lesson_id: str


DOOR: Final = Push("lesson:door", DoorOpened)


class Doors:
    """The way into lessons."""

    def __init__(self, acts: ActLog, attendance: Attendance, fan_out: FanOut) -> None:
        self._log = acts
        self._attendance = attendance
        self._fan_out = fan_out
        acts.on_acts.append(self._happened)
        attendance.register.on_lease_end.append(self._lease_ended)

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

    async def entered(self, call: Call, lesson_id: str) -> None:
        """Whoever was removed while they came in is out again. Raises DomainError removed_from_lesson."""
        person_id = call.who.person_id
        if person_id in (await self._log.order(lesson_id)).removed:
            await self._attendance.remove(lesson_id, person_id)
            await self._fan_out.join(call.connection, f"door:{lesson_id}")
            raise DomainError("removed_from_lesson")

    async def round(self) -> None:
        """Whoever was removed is out, also when the store or a process was away just then: the order is what counts."""
        here: dict[str, list[str]] = {}
        for holder in self._attendance.register.holders.values():
            here.setdefault(holder.lesson_id, []).append(holder.person_id)
        for lesson_id, people in here.items():
            try:
                for person_id in (await self._log.order(lesson_id)).removed.intersection(people):
                    await self._attendance.remove(lesson_id, person_id)
            except DomainError as error:  # the next round tries again
                log.warning("removal_not_done", lesson=lesson_id, code=error.code)

    async def _lease_ended(self, holder: Holder) -> None:
        """Whoever has no place in the lesson is told nothing more of it; whoever ends the lease does not wait."""
        if holder.connection and holder.ended is not End.LESSON_OVER:
            where = holder.person_id, holder.lesson_id, holder.connection
            self._attendance.register.tasks.spawn("live.doors", self._hears_no_more(*where))

    async def _hears_no_more(self, person_id: str, lesson_id: str, connection: str) -> None:
        groups = f"learn:{lesson_id}", f"lesson:{lesson_id}"
        for group in groups:
            await self._fan_out.leave(connection, group)
        again = self._attendance.register.holders.get(person_id)
        if again is not None and (again.lesson_id, again.connection) == (lesson_id, connection):
            for group in groups:  # the same page came back meanwhile
                await self._fan_out.join(connection, group)

    async def _happened(self, lesson_id: str, acts: Sequence[Act]) -> None:
        ours = [act for act in acts if act.activity == "order"]
        for person_id in {act.body["person_id"] for act in ours if act.kind == "remove"}:
            if person_id in (await self._log.order(lesson_id)).removed:
                await self._attendance.remove(lesson_id, person_id)
        if any(act.kind in OPENING for act in ours):
            await self._fan_out.send(f"door:{lesson_id}", DOOR, DoorOpened(lesson_id))
