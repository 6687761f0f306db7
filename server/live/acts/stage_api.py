"""Decides what becomes of the stage beyond its acts: each guest's media room, its tokens, what of it is sent on.

A guest publishes into a room aside of the lesson's, named by their invitation. It is opened when they come on stage,
closed at once when they are down, and never opened again: a token of that time is worth nothing afterwards.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Final

import structlog
from pydantic import Field

from media.api import CAMERA, CAMERA_LOW, SCREEN, SIGN, VOICE, main_of
from server.attendance.register import Holder, Register
from server.core.actor import EVERYONE, Role
from server.core.clock import elapsed_ms
from server.core.errors import DomainError
from server.core.tasks import Tasks
from server.core.wire.declaration import Call, Command, Declarations
from server.live.acts.log import ActLog, Lesson
from server.live.acts.port import Act, Order, Who
from server.live.acts.stage import Gone, Guest, Over, Settle, State
from server.live.api import MediaAnswer, access
from server.live.lesson import BEGUN
from server.live.service import Live, peer_of
from server.training.service import Training

log = structlog.get_logger("live.stage")

#: a guest of whom nothing comes for so long is down
LOST_MS: Final = 30_000
#: a page that is loaded again has its new lease by then
AGAIN_S: Final = 1.0
NOBODY: Final = Who("")


@dataclass(frozen=True, slots=True)
class StageMediaRequest:
    """`number`: of the invitation by which somebody is on stage."""

    lesson_id: str
    number: Annotated[int, Field(ge=1)]


@dataclass(slots=True)
class _Rooms:
    """The guests' rooms of a lesson that are open: what is not sent on of each, and since when nothing comes."""

    open: dict[str, frozenset[str]] = field(default_factory=dict)
    silent_ms: dict[str, float] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Stage:
    """The media of guests, as the acts say."""

    def __init__(self, acts: ActLog, live: Live, training: Training, register: Register, tasks: Tasks) -> None:
        self._acts, self._live, self._training, self._register, self._tasks = acts, live, training, register, tasks
        self._lessons: dict[str, _Rooms] = {}
        acts.on_acts.append(self._happened)
        live.on_lost.append(self.lose)
        register.on_lease_end.append(self._lease_ended)

    async def media(self, call: Call, request: StageMediaRequest) -> MediaAnswer:
        """A fresh token for a guest's room: the guest's own page may publish, all others watch.

        Raises DomainError not_found, not_joined, not_on_stage, media_unavailable.
        """
        actor = call.who
        lesson, _ = await self._training.lesson_for(actor, request.lesson_id)
        epoch = 0
        if actor.role is Role.TRAINEE:
            holder = self._register.holders.get(actor.person_id)
            if holder is None or holder.connection != call.connection or holder.lesson_id != lesson.id:
                raise DomainError("not_joined")
            epoch = holder.epoch
        guests = await self._bring(lesson.id)
        found = next((one for one in guests if one.number == request.number), None)
        if found is None:
            raise DomainError("not_on_stage")
        room = room_of(lesson.id, found)
        if room not in self._lessons[lesson.id].open:
            raise DomainError("media_unavailable")
        publish = found.person_id == actor.person_id
        token = self._live.token(actor, room, peer_of(actor.person_id, epoch), publish)
        return MediaAnswer(access(self._live, room, token, publish))

    async def published(self, room: str, live: bool) -> None:
        """A guest's media came or went."""
        rooms = self._lessons.get(main_of(room))
        if rooms is None:
            return
        if live:
            rooms.silent_ms.pop(room, None)
        elif room in rooms.open:
            rooms.silent_ms.setdefault(room, elapsed_ms())

    async def round(self) -> None:
        """Bring the rooms of all lessons to what their acts say; who is lost comes down, with the lesson everybody."""
        for running in self._live.active():
            try:
                if running.lesson.state in BEGUN:
                    await self._look(running.lesson_id)
                elif running.lesson_id in self._lessons:
                    await self._acts.do(running.lesson_id, NOBODY, "stage", Over())
                    self.lose(running.lesson_id)
            except DomainError as error:  # the next round tries again
                log.warning("stage_not_brought", lesson=running.lesson_id, code=error.code)

    def lose(self, lesson_id: str) -> None:
        """Another process has the lesson now."""
        self._lessons.pop(lesson_id, None)

    async def _look(self, lesson_id: str) -> None:
        guests = await self._bring(lesson_id)
        silent = self._lessons[lesson_id].silent_ms
        for guest in guests:
            since = silent.get(room_of(lesson_id, guest))
            if since is not None and elapsed_ms() - since > LOST_MS:
                await self._acts.do(lesson_id, NOBODY, "stage", Gone(guest.person_id, "lost"))

    async def _happened(self, lesson_id: str, acts: Sequence[Act]) -> None:
        try:
            await self._follow(lesson_id, acts)
        except DomainError as error:  # committed it is; the next round brings the rooms to it
            log.warning("stage_not_brought", lesson=lesson_id, code=error.code)

    async def _follow(self, lesson_id: str, acts: Sequence[Act]) -> None:
        order = [act for act in acts if act.activity == "order"]
        for act in order:
            if act.kind == "remove":
                await self._acts.do(lesson_id, NOBODY, "stage", Gone(act.body["person_id"], "removed"))
        if (order and lesson_id in self._lessons) or any(act.activity == "stage" for act in acts):
            await self._bring(lesson_id)
        if order:
            await self._acts.do(lesson_id, NOBODY, "stage", Settle())

    async def _lease_ended(self, holder: Holder) -> None:
        """Whoever has no place in the lesson is not on its stage; whoever ends the lease does not wait for it."""
        self._tasks.spawn("live.stage", self._left(holder.lesson_id, holder.person_id, holder.session_id))

    async def _left(self, lesson_id: str, person_id: str, session_id: str) -> None:
        await asyncio.sleep(AGAIN_S)
        again = self._register.holders.get(person_id)
        if again is not None and (again.lesson_id, again.session_id) == (lesson_id, session_id):
            return  # the same browser, loaded again: nothing of before is sent on, and it publishes anew
        with suppress(DomainError):  # their media is cut; so they are lost soon
            await self._acts.do(lesson_id, NOBODY, "stage", Gone(person_id, "left"))

    async def _bring(self, lesson_id: str) -> list[Guest]:
        """Open, hush and close rooms as the acts say by now; returns who is on stage. One at a time for each lesson."""
        rooms = self._lessons.setdefault(lesson_id, _Rooms())
        async with rooms.lock:
            guests = await self._acts.seen(lesson_id, _heard)
            if (await self._acts.phase(lesson_id))[1]:
                guests = {}
            await self._become(rooms, {room_of(lesson_id, one): slots for one, slots in guests.values()})
            return [one for one, _ in guests.values()]

    async def _become(self, rooms: _Rooms, wanted: Mapping[str, frozenset[str]]) -> None:
        media = self._live.media
        for room in rooms.open.keys() - wanted.keys():
            del rooms.open[room]
            rooms.silent_ms.pop(room, None)
            await media.close_room(room)
        for room, slots in wanted.items():
            if rooms.open.get(room) != slots:
                await media.hush(room, slots)
            if room not in rooms.open:
                rooms.silent_ms.setdefault(room, elapsed_ms())
                if not await self._open(room):
                    continue
            rooms.open[room] = slots

    async def _open(self, room: str) -> bool:
        try:
            await self._live.media.open_room(room)
        except Exception as error:  # noqa: BLE001  whatever media says, the next round asks again
            log.warning("room_not_opened", room=room, error=type(error).__name__)
            return False
        return True

    def declarations(self) -> Declarations:
        """What is served of it beside the commands of the activity."""
        codes = ("not_found", "not_joined", "not_on_stage", "media_unavailable")
        asked = Command(
            "stage:media", EVERYONE, StageMediaRequest, MediaAnswer, self.media, False, codes, at_owner=True
        )
        return Declarations(commands=[asked])


def room_of(lesson_id: str, guest: Guest) -> str:
    """The media room of a guest."""
    return f"{lesson_id}{SIGN}{guest.number}"


def hushed(guest: Guest, order: Order) -> frozenset[str]:
    """What is not sent on of a guest. A screen is shown by whoever teaches alone.

    The order is asked itself: its act may be written while the stage's, which follows it, is not.
    """
    who = Who(guest.person_id)
    voice, picture = guest.voice and order.may(who, "voice"), guest.picture and order.may(who, "video")
    return frozenset({SCREEN, *(() if voice else (VOICE,)), *(() if picture else (CAMERA, CAMERA_LOW))})


def _heard(lesson: Lesson) -> dict[str, tuple[Guest, frozenset[str]]]:
    """Who is on stage, and what is not sent on of each."""
    state: State = lesson.states["stage"]
    return {one.person_id: (one, hushed(one, lesson.order)) for one in state.on_stage()}
