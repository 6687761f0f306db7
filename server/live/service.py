"""Use-cases of a live lesson: one ordered queue each; decide → commit → then tell attendance, media and people."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from media.api import Audience, Line, Offered
from server.attendance.register import Register
from server.core.actor import Actor, Role
from server.core.clock import is_wrong
from server.core.cluster.rules import node_of
from server.core.database import Database
from server.core.errors import DomainError
from server.live import lesson as rules
from server.live import records
from server.live.lesson import Event, Kind, Lesson, State
from server.training.rules import PAUSE_GRACE_MS, may_start
from server.training.rules import Lesson as PlannedLesson
from server.training.service import Training

log = structlog.get_logger("live")

RUNNING: Final = (State.STARTING, *rules.BEGUN)


class MediaDoor(Protocol):
    """What a lesson asks of media: a room, a token for one peer, the end of one peer, who watches."""

    async def open_room(self, room: str) -> None: ...

    async def close_room(self, room: str) -> None: ...

    async def cut(self, peer: str) -> None: ...

    async def hush(self, room: str, slots: frozenset[str]) -> None: ...

    def release(self, room: str) -> None: ...

    def token(self, room: str, peer: str, publish: bool) -> str: ...

    def lines(self, room: str) -> list[Line]: ...

    def ice(self) -> list[Offered]: ...

    def audience(self, room: str) -> Audience | None: ...


@dataclass(slots=True)
class Running:
    """A lesson in memory: its events, who controls it, and the lock that keeps its commands in order.

    `pause_ms`: how long a pause counts, by the class's scheme.
    `gaps`: how many of this process's absences it knows of.
    `unsure`: the store may hold an event that we do not know, because it went away while it wrote it.
    """

    lesson_id: str
    events: list[Event]
    lesson: Lesson
    controls: set[str] = field(default_factory=set)
    publisher_live: bool = False
    unsure: bool = False
    gaps: int = 0
    pause_ms: int = PAUSE_GRACE_MS
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def instructor_present(self) -> bool:
        """A control socket or live media; sharing another window or streaming by OBS is presence."""
        return bool(self.controls) or self.publisher_live


Announce = Callable[[Running], Awaitable[None]]
#: the connections, at all processes, that have been in a lesson, and whose they are
Attached = Callable[[str], Awaitable[list[tuple[str, Actor]]]]


class Live:
    """Runs the lessons of this process."""

    def __init__(self, database: Database, training: Training, register: Register, media: MediaDoor) -> None:
        self._database = database
        self._training = training
        self._register = register
        self.media = media
        self._running: dict[str, Running] = {}
        self._peers: dict[str, set[str]] = {}
        self._loading = asyncio.Lock()
        self._flagged: set[str] = set()
        self.announce: Announce = _tell_nobody
        self.attached: Attached = _nobody
        #: called with a lesson that another process runs now
        self.on_lost: list[Callable[[str], None]] = []
        register.on_back.append(self.catch_up)

    async def running(self, lesson_id: str) -> Running:
        """The lesson in memory, claimed and rebuilt from its events at the first call; attendance gets its timeline.

        One that is running then was run by a process that is gone. Raises owner_changing when another one runs it.
        """
        async with self._loading:
            if lesson_id not in self._running:
                await self._register.book(lesson_id)
                async with self._database.read() as connection:
                    events = await records.events_of(connection, lesson_id)
                scheme = await self._training.scheme_of((await self._training.lesson(lesson_id)).class_id)
                running = Running(lesson_id, events, rules.rebuild(events), pause_ms=scheme.pause_grace_ms)
                running.gaps = len(self._register.watch.gaps)
                await self._push(running)
                if running.lesson.state in RUNNING:
                    await self._resume(running)
                self._running[lesson_id] = running
            return self._running[lesson_id]

    async def start(self, actor: Actor, lesson_id: str) -> Running:
        """STARTING, then the media room, then LIVE; on failure START_FAILED and DomainError start_failed."""
        planned = await self.instructed(actor, lesson_id)
        self._check_clock()
        may_start(planned, self._now())
        running = await self.running(lesson_id)
        for begin in self._register.on_lesson_start:
            await begin(lesson_id)
        async with running.lock:
            await self._happen(running, Kind.STARTING, actor)
            try:
                await self.media.open_room(lesson_id)
            except Exception as error:
                log.exception("room_not_opened", lesson=lesson_id, error=type(error).__name__)
                await self.media.close_room(lesson_id)
                await self._happen(running, Kind.START_FAILED, actor)
                raise DomainError("start_failed") from error
            await self._happen(running, Kind.STARTED, actor)
        await self._notice(running)
        return running

    async def command(self, actor: Actor, lesson_id: str, kind: Kind) -> Running:
        """A break, its end, or the end of the lesson. Raises lesson_not_live, lesson_ended, forbidden, not_found."""
        await self.instructed(actor, lesson_id)
        running = await self.running(lesson_id)
        async with running.lock:
            await self._happen(running, kind, actor)
        if kind is Kind.ENDED:
            await self.media.close_room(lesson_id)
        return running

    async def control(self, lesson_id: str, connection: str) -> Running:
        """An instructor's control socket joined."""
        running = await self.running(lesson_id)
        running.controls.add(connection)
        await self._notice(running)
        return running

    async def gone(self, connection: str) -> None:
        """A connection ended; if it controlled a lesson, the instructor may have left."""
        for running in list(self._running.values()):
            if connection in running.controls:
                running.controls.discard(connection)
                await self._notice(running)

    def token(self, actor: Actor, lesson_id: str, peer: str, publish: bool) -> str:
        """A media token for a peer; the media opened with it end with the login."""
        self.bind(actor.session_id, peer)
        return self.media.token(lesson_id, peer, publish)

    def bind(self, session_id: str, peer: str) -> None:
        """The media of a peer ends with this login."""
        self._peers.setdefault(session_id, set()).add(peer)

    async def signed_out(self, session_id: str) -> None:
        """A login ended, and all media that was opened with it, also when the page's socket was gone before."""
        for peer in self._peers.pop(session_id, ()):
            await self.media.cut(peer)

    async def published(self, lesson_id: str, live: bool) -> None:
        """The publisher's media came or went; what another process runs is not ours to notice."""
        async with self._loading:
            running = self._running.get(lesson_id)
        if running is not None:
            running.publisher_live = live
            await self._notice(running)
            await self.announce(running)

    async def needed(self) -> set[str]:
        """The lessons that somebody must run."""
        return {lesson.id for lesson in await self._training.running_lessons()}

    async def restore(self, also: set[str]) -> None:
        """After a start: go on with what was running, and with what the spool (`also`) still needs."""
        for lesson_id in await self.needed() | also:
            await self.running(lesson_id)

    def lose(self, lesson_id: str) -> None:
        """Another process runs the lesson now."""
        if self._running.pop(lesson_id, None) is not None:
            self.media.release(lesson_id)
        for lost in self.on_lost:
            lost(lesson_id)

    async def nodes_gone(self, nodes: frozenset[str]) -> None:
        """Processes are dead, and with them the control sockets that they held."""
        for running in self.active():
            for connection in [one for one in running.controls if node_of(one) in nodes]:
                running.controls.discard(connection)
                await self._notice(running)

    async def announce_all(self) -> None:
        """Say all phases again: others may have missed them."""
        for running in self.active():
            await self.announce(running)

    async def _reopen(self, lesson_id: str) -> None:
        """The room of a lesson that goes on; without media (a worker that is away) it goes on as well."""
        try:
            await self.media.open_room(lesson_id)
        except Exception as error:  # noqa: BLE001  whatever it is, minutes come first
            log.error("room_not_opened", lesson=lesson_id, error=type(error).__name__)

    def _check_clock(self) -> None:
        """Raises DomainError clock_wrong: no lesson begins on a clock that is known to be wrong."""
        clock = self._register.clock
        if is_wrong(clock):
            raise DomainError("clock_wrong", offset_s=round((clock.offset_ms or 0) / 1000))

    def _flag_clock(self) -> None:
        """Lessons that run while the clock is known to be wrong are named in the log, once."""
        wrong = is_wrong(self._register.clock)
        running = {one.lesson_id for one in self._running.values() if one.lesson.state in RUNNING} if wrong else set()
        for lesson_id in sorted(running - self._flagged):
            log.error("lesson_on_wrong_clock", lesson=lesson_id, offset_ms=self._register.clock.offset_ms)
        self._flagged = running

    async def catch_up(self) -> None:
        """We stood still for long (stopped, or on a machine that slept) and are back: each lesson's events say so."""
        for running in self.active():
            try:
                async with running.lock:
                    await self._catch_up(running)
                await self._notice(running)
            except DomainError as error:
                if error.code != "owner_changing":
                    raise
                # another process saw to it, and we shall hear of that
                log.warning("absence_told_elsewhere", lesson=running.lesson_id, code=error.code)

    async def round(self) -> None:
        """End lessons that were abandoned; forget those that are over; find out what the store has of a lost answer."""
        self._flag_clock()
        for running in list(self._running.values()):
            if running.unsure:
                async with running.lock:  # held by whoever writes an event just now
                    if running.unsure:
                        await self._read_again(running)
            left_ms = running.lesson.instructor_left_ms
            if running.lesson.state not in RUNNING:
                if running.lesson_id not in self._register.books and not running.controls:
                    del self._running[running.lesson_id]
            elif left_ms is not None and self._now() - left_ms > rules.ABANDONED_AFTER_MS:
                async with running.lock:
                    await self._happen(running, Kind.ENDED, None)
                await self.media.close_room(running.lesson_id)

    async def has_begun_and_ended(self, lesson_id: str) -> tuple[bool, int | None]:
        """Whether a lesson of this process, or one that is over for long, has begun, and when it ended."""
        running = self._running.get(lesson_id)
        if running is not None:
            return running.lesson.started_ms is not None, running.lesson.ended_ms
        lesson = await self._training.lesson(lesson_id)
        return lesson.started_ms is not None, lesson.ended_ms

    def active(self) -> list[Running]:
        """The lessons in memory."""
        return list(self._running.values())

    async def instructed(self, actor: Actor, lesson_id: str) -> PlannedLesson:
        """A lesson, if it is the actor's to teach. Raises DomainError forbidden or not_found."""
        planned, _ = await self._training.lesson_for(actor, lesson_id)
        if actor.role is not Role.INSTRUCTOR or planned.instructor_id != actor.person_id:
            raise DomainError("forbidden")
        return planned

    async def _resume(self, running: Running) -> None:
        """Go on where a process that is gone has left a lesson: up to a minute without it costs nobody anything."""
        if running.lesson.state is State.STARTING:
            await self._happen(running, Kind.START_FAILED, None)
            return
        back_ms = max(self._now(), running.lesson.since_ms)
        alive_ms = self._register.alive_ms(running.lesson_id) or back_ms
        since_ms = min(max(alive_ms, running.lesson.since_ms), back_ms)
        await self._happen(running, Kind.SERVER_BACK, None, since_ms)
        planned = await self._training.lesson(running.lesson_id)
        for connection, actor in await self.attached(running.lesson_id):
            if actor.role is Role.INSTRUCTOR and actor.person_id == planned.instructor_id:
                running.controls.add(connection)
                self._peers.setdefault(actor.session_id, set()).add(peer_of(actor.person_id, 0))
        await self._reopen(running.lesson_id)
        await self._notice(running)

    async def _notice(self, running: Running) -> None:
        """Turn a change of presence into an event."""
        async with running.lock:
            if running.lesson.state not in rules.BEGUN:
                return
            away = running.lesson.instructor_left_ms is not None
            if running.instructor_present == away:
                kind = Kind.INSTRUCTOR_BACK if running.instructor_present else Kind.INSTRUCTOR_LEFT
                await self._happen(running, kind, None)

    async def _happen(self, running: Running, kind: Kind, actor: Actor | None, since_ms: int | None = None) -> None:
        self._register.look()
        await self._catch_up(running)
        await self._add(running, kind, self._now(), actor.person_id if actor else "", since_ms)

    async def _catch_up(self, running: Running) -> None:
        """Write what we slept through, before anything that came after it."""
        for gap in self._register.watch.gaps[running.gaps :]:
            if running.unsure:
                await self._read_again(running)
            if running.lesson.state in rules.BEGUN:
                since_ms = min(max(gap[0], running.lesson.since_ms), gap[1])
                await self._add(running, Kind.SERVER_BACK, gap[1], "", since_ms)
            running.gaps += 1

    async def _add(
        self, running: Running, kind: Kind, now_ms: int, actor_id: str = "", since_ms: int | None = None
    ) -> None:
        if running.unsure:
            await self._read_again(running)
        event = rules.decide(running.lesson, kind, now_ms, actor_id, since_ms)
        after = rules.apply(running.lesson, event)
        await self._undecided(running, event.since_ms)
        async with self._database.write(f"lesson:{running.lesson_id}") as connection:
            await self._register.owners.require(connection, running.lesson_id)
            await records.add_event(connection, running.lesson_id, event)
            await self._training.set_lesson_state(
                connection, running.lesson_id, after.state, after.started_ms, after.ended_ms
            )
        running.events.append(event)
        running.lesson, running.unsure = after, False
        await self._push(running)
        await self.announce(running)

    async def _undecided(self, running: Running, since_ms: int) -> None:
        """Until the store has the event, no acknowledgement says that time after it counts (evidence.md, I12)."""
        running.unsure = True
        (await self._register.book(running.lesson_id)).undecided_ms = since_ms

    async def _read_again(self, running: Running) -> None:
        """A commit whose answer was lost may have happened: what the store says counts."""
        async with self._database.read() as connection:
            events = await records.events_of(connection, running.lesson_id)
        known, running.events, running.lesson = len(running.events), events, rules.rebuild(events)
        running.unsure = False
        await self._push(running)
        if len(events) > known:
            await self.announce(running)
        if running.lesson.state is State.ENDED:
            await self.media.close_room(running.lesson_id)

    async def _push(self, running: Running) -> None:
        book = await self._register.book(running.lesson_id)
        outages = rules.outages(running.events)
        book.set_timeline(
            rules.timeline(running.events, running.pause_ms), running.lesson.state is State.ENDED, outages
        )

    def _now(self) -> int:
        return self._register.clock.ms()


def peer_of(person_id: str, epoch: int) -> str:
    """The media peer of a person's page."""
    return f"{person_id}.{epoch}"


async def _nobody(_lesson_id: str) -> list[tuple[str, Actor]]:
    return []


async def _tell_nobody(_running: Running) -> None:
    """Until the door is open there is nobody to tell."""
