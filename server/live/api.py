"""Declares the live lesson: join, start, pause, break, resume, end, media over Socket.IO; what everybody is told."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final, Literal

from pydantic import Field

from media.api import Audience as Watched
from server.attendance.cells import Cell, Totals
from server.attendance.credit import MOST_MONO
from server.attendance.service import Attendance, Entry
from server.attendance.views import Views
from server.core.actor import EVERYONE, Actor, Role
from server.core.clock import iso
from server.core.errors import DomainError
from server.core.wire.declaration import Call, Command, Declarations, Push
from server.core.wire.fan_out import FanOut
from server.core.wire.written import MISSED
from server.live.acts.doors import DOOR, Doors
from server.live.lesson import Kind, State
from server.live.roster import ROSTER, Roster, RosterRow, Rosters
from server.live.service import Live, Running, peer_of
from server.training.rules import AttentionRule, LessonState
from server.training.service import Training
from server.training.views import LessonView


@dataclass(frozen=True, slots=True)
class Phase:
    """A lesson now. `seq` counts its events; `since` is when the last one happened."""

    lesson_id: str
    state: LessonState
    since: str
    seq: int
    publisher_live: bool
    instructor_present: bool


@dataclass(frozen=True, slots=True)
class IceServerAccess:
    """A STUN or TURN server; a STUN server has no names."""

    urls: list[str]
    username: str
    credential: str


@dataclass(frozen=True, slots=True)
class MediaAccess:
    """A bearer token for WHIP (when `whip` is set) and WHEP, and the servers that may help to get through."""

    room: str
    token: str
    whip: str | None
    whep: str
    ice: list[IceServerAccess]


@dataclass(frozen=True, slots=True)
class Lease:
    """The lease of a trainee's page: the next beat carries seq + 1 and nonce; `resume` survives a reload.

    `attention` is what the scheme asks of the page in front; null: nothing, and its beats say nothing of it.
    """

    epoch: int
    resume: str
    seq: int
    nonce: str
    attention: AttentionRule | None


@dataclass(frozen=True, slots=True)
class Audience:
    """Who watches and how: by WebRTC (`peers`, `small` of them held at the small camera), by parts, voice alone.

    `used_kbps` of `limit_kbps` (null: no limit) is what all lessons of this media process take of its uplink. `spent`:
    why the next page gets no picture by WebRTC (`uplink_spent`, `cpu_spent`); null: it does.
    """

    lesson_id: str
    peers: int
    small: int
    parts: int
    voices: int
    used_kbps: int
    limit_kbps: int | None
    spent: str | None


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """`page`: random, made once per page load; `resume`: from an earlier lease; `password`: to take over; `mono`: the
    page's monotonic clock now, in milliseconds, so that the first beat finds it known; `key`: the page's own (P-256),
    `nonce`: the last one that it was given of the lease it had, `proof`: the key's signature of both.
    """

    lesson_id: str
    device: Literal["phone", "tablet", "desktop"]
    page: Annotated[str, Field(min_length=8, max_length=64)]
    resume: Annotated[str, Field(max_length=64)] | None = None
    password: Annotated[str, Field(max_length=128)] | None = None
    mono: Annotated[float, Field(ge=0, le=MOST_MONO)] | None = None
    key: Annotated[str, Field(max_length=88)] | None = None
    nonce: Annotated[str, Field(max_length=64)] | None = None
    proof: Annotated[str, Field(max_length=88)] | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """A trainee gets lease, cells and totals; everybody else the roster; a regulator the id of the recorded look."""

    lesson: LessonView
    phase: Phase
    media: MediaAccess
    lease: Lease | None
    cells: list[Cell]
    totals: Totals | None
    roster: list[RosterRow]
    view_id: str | None


@dataclass(frozen=True, slots=True)
class LessonCommand:
    lesson_id: str


@dataclass(frozen=True, slots=True)
class PhaseAnswer:
    phase: Phase


@dataclass(frozen=True, slots=True)
class MediaAnswer:
    media: MediaAccess


JOIN_CODES: Final = (
    "not_found",
    "lesson_ended",
    "removed_from_lesson",
    "in_lobby",
    "lease_held",
    "password_wrong",
    "take_over_limit",
    "page_key_wrong",
    "closing",
)
MEDIA_CODES: Final = ("not_found", "not_joined")
START_CODES: Final = (
    "not_found",
    "lesson_too_early",
    "lesson_over",
    "lesson_ended",
    "lesson_already_live",
    "start_failed",
    "clock_wrong",
    "challenges_unavailable",
    "media_unavailable",
)
RUNNING_CODES: Final = ("not_found", "lesson_not_live", "lesson_ended", "media_unavailable")
PHASE: Final = Push("lesson:phase", Phase)
AUDIENCE: Final = Push("lesson:audience", Audience)


class Api:
    """The functions behind the declarations."""

    def __init__(
        self,
        live: Live,
        attendance: Attendance,
        views: Views,
        training: Training,
        fan_out: FanOut,
        doors: Doors,
        rosters: Rosters,
    ) -> None:
        self._live = live
        self._doors = doors
        self._attendance = attendance
        self._register = attendance.register
        self._views = views
        self._training = training
        self._fan_out = fan_out
        self._rosters = rosters
        self._audiences: dict[str, Audience] = {}

    async def join(self, call: Call, request: JoinRequest) -> Joined:
        """Enter a lesson: a trainee by lease, an instructor as its control, everybody else silently."""
        actor = call.who
        lesson, home = await self._training.lesson_for(actor, request.lesson_id)
        running = await self._live.running(lesson.id)
        lease = await self._lease(call, request, running) if actor.role is Role.TRAINEE else None
        if actor.role is Role.INSTRUCTOR and lesson.instructor_id == actor.person_id:
            running = await self._live.control(lesson.id, call.connection)
        await self._fan_out.join(call.connection, f"lesson:{lesson.id}")
        shown = await self._training.shown(lesson, home)
        media = self._media(actor, lesson.id, lesson.instructor_id, lease.epoch if lease else 0)
        if lease is None:
            await self._fan_out.join(call.connection, f"desk:{lesson.id}")
            self._audiences.pop(lesson.id, None)
            roster = await self._rosters.enter(call, lesson.id)
            return Joined(shown, phase_of(running), media, None, [], None, roster, call.view_id)
        await self._fan_out.join(call.connection, f"learn:{lesson.id}")
        me = actor.person_id
        known = await self._views.minutes_of(lesson, home.scheme.rules, [me])
        return Joined(shown, phase_of(running), media, lease, known.cells(me), known.totals(me), [], None)

    async def media(self, call: Call, request: LessonCommand) -> MediaAnswer:
        """A fresh token; a trainee only gets one while their page holds the lease."""
        actor = call.who
        lesson, _ = await self._training.lesson_for(actor, request.lesson_id)
        epoch = 0
        if actor.role is Role.TRAINEE:
            holder = self._register.holders.get(actor.person_id)
            if holder is None or holder.connection != call.connection or holder.lesson_id != lesson.id:
                raise DomainError("not_joined")
            epoch = holder.epoch
        return MediaAnswer(self._media(actor, lesson.id, lesson.instructor_id, epoch))

    async def start(self, call: Call, request: LessonCommand) -> PhaseAnswer:
        """开始上课."""
        return PhaseAnswer(phase_of(await self._live.start(call.who, request.lesson_id)))

    async def pause(self, call: Call, request: LessonCommand) -> PhaseAnswer:
        """暂停: counts for as long as the class's scheme says."""
        return PhaseAnswer(phase_of(await self._live.command(call.who, request.lesson_id, Kind.PAUSED)))

    async def rest(self, call: Call, request: LessonCommand) -> PhaseAnswer:
        """课间休息."""
        return PhaseAnswer(phase_of(await self._live.command(call.who, request.lesson_id, Kind.BREAK_BEGAN)))

    async def resume(self, call: Call, request: LessonCommand) -> PhaseAnswer:
        """The pause or the break is over."""
        return PhaseAnswer(phase_of(await self._live.command(call.who, request.lesson_id, Kind.RESUMED)))

    async def end(self, call: Call, request: LessonCommand) -> PhaseAnswer:
        """下课."""
        return PhaseAnswer(phase_of(await self._live.command(call.who, request.lesson_id, Kind.ENDED)))

    async def announce(self, running: Running) -> None:
        """Tell everybody in the lesson its phase."""
        await self._fan_out.send(f"lesson:{running.lesson_id}", PHASE, phase_of(running))

    async def push_rosters(self) -> None:
        """Tell those who watch which rows have changed since the last round."""
        active = [running.lesson_id for running in self._live.active()]
        for lesson_id in active:
            if rows := await self._rosters.changed(lesson_id):
                await self._fan_out.send(f"desk:{lesson_id}", ROSTER, Roster(lesson_id, rows))
        self._rosters.keep(set(active))

    async def push_audiences(self) -> None:
        """Tell those who watch over a lesson how many watch it and how, where that has changed."""
        found: dict[str, Audience] = {}
        for running in self._live.active():
            seen = self._live.media.audience(running.lesson_id)
            if seen is not None:
                found[running.lesson_id] = audience_of(running.lesson_id, seen)
        before, self._audiences = self._audiences, found
        for lesson_id, audience in found.items():
            if before.get(lesson_id) != audience:
                await self._fan_out.send(f"desk:{lesson_id}", AUDIENCE, audience)

    async def _lease(self, call: Call, request: JoinRequest, running: Running) -> Lease:
        await self._doors.enter(call, request.lesson_id)
        holder = self._register.holders.get(call.who.person_id)
        if running.lesson.state is State.ENDED and (holder is None or holder.lesson_id != request.lesson_id):
            # who was cut off before the end may still tell what they did until then, as long as it is not sealed
            raise DomainError("lesson_ended")
        granted = await self._attendance.join(
            Entry(
                actor=call.who,
                lesson_id=request.lesson_id,
                connection=call.connection,
                device=request.device,
                page=request.page,
                resume=request.resume,
                password=request.password,
                mono=None if request.mono is None else round(request.mono),
                key=request.key,
                nonce=request.nonce,
                proof=request.proof,
            )
        )
        await self._doors.entered(call, request.lesson_id)
        attention = (await self._register.book(request.lesson_id)).attention
        return Lease(granted.epoch, granted.resume, granted.seq, granted.nonce, attention)

    def _media(self, actor: Actor, lesson_id: str, instructor_id: str, epoch: int) -> MediaAccess:
        publish = actor.person_id == instructor_id
        token = self._live.token(actor, lesson_id, peer_of(actor.person_id, epoch), publish)
        return access(self._live, lesson_id, token, publish)

    def declarations(self) -> Declarations:
        """What live serves."""
        teaching = partial(Command, roles=frozenset({Role.INSTRUCTOR}), request=LessonCommand, response=PhaseAnswer)
        own = partial(teaching, at_owner=True, codes=RUNNING_CODES)
        return Declarations(
            commands=[
                Command("lesson:join", EVERYONE, JoinRequest, Joined, self.join, True, JOIN_CODES, at_owner=True),
                Command("lesson:media", EVERYONE, LessonCommand, MediaAnswer, self.media, False, MEDIA_CODES, True),
                teaching("lesson:start", handle=self.start, codes=START_CODES, at_owner=True),
                own("lesson:pause", handle=self.pause),
                own("lesson:break", handle=self.rest),
                own("lesson:resume", handle=self.resume),
                own("lesson:end", handle=self.end),
            ],
            pushes=[PHASE, AUDIENCE, DOOR, MISSED],
        )


def access(live: Live, room: str, token: str, publish: bool) -> MediaAccess:
    """What a page needs to publish into a room, or only to watch it."""
    servers = [IceServerAccess(one.urls, one.username, one.credential) for one in live.media.ice()]
    return MediaAccess(room, token, f"/media/whip/{room}" if publish else None, f"/media/whep/{room}", servers)


def audience_of(lesson_id: str, seen: Watched) -> Audience:
    """An audience as the desk is told, to a tenth of a megabit."""
    limit = None if seen.limit_bps is None else seen.limit_bps // 1_000
    used = round(seen.used_bps / 100_000) * 100
    return Audience(lesson_id, seen.peers, seen.small, seen.parts, seen.voices, used, limit, seen.spent or None)


def phase_of(running: Running) -> Phase:
    """A lesson's phase as everybody is told."""
    lesson = running.lesson
    return Phase(
        running.lesson_id,
        LessonState(lesson.state),
        iso(lesson.since_ms),
        lesson.seq,
        running.publisher_live,
        running.instructor_present,
    )
