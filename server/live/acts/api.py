"""Declares what people do in a lesson over Socket.IO: commands of all activities, what changed, what was missed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import Field

from server.attendance.register import Register
from server.core.actor import EVERYONE, Role
from server.core.errors import DomainError
from server.core.tasks import Tasks
from server.core.wire.declaration import Call, Command, Declarations, Push
from server.core.wire.fan_out import FanOut
from server.live.acts.board import BoardPage, BoardShown, BoardStroke
from server.live.acts.chat import ChatView
from server.live.acts.log import ActLog, Lesson, changed_since
from server.live.acts.order import OrderView
from server.live.acts.polls import OwnAnswer, PollView
from server.live.acts.port import Act, Activity, By, Says, Spoke, Who
from server.live.acts.question_forms import MyQuestions, QuestionView
from server.live.acts.sign_in import SignInView
from server.live.acts.stage import StageView
from server.training.service import Training

#: how often a page is told at most: the newest state wins
PUSH_S: Final = 0.1
ROLES: Final[dict[By, frozenset[Role]]] = {
    "trainee": frozenset({Role.TRAINEE}),
    "instructor": frozenset({Role.INSTRUCTOR}),
    "both": frozenset({Role.TRAINEE, Role.INSTRUCTOR}),
}
CODES: Final = ("not_found", "not_joined", "lesson_ended")
ORDER_CODES: Final = ("removed_from_lesson", "silenced", "switched_off")


@dataclass(frozen=True, slots=True)
class Changes:
    """Things as they are now, by activity: each replaces the one with the same `id`. `spoke`: who has taken part; the
    desk alone is told, and not of what is answered anonymously.
    """

    order: list[OrderView] = field(default_factory=list)
    polls: list[PollView] = field(default_factory=list)
    sign_ins: list[SignInView] = field(default_factory=list)
    questions: list[QuestionView] = field(default_factory=list)
    chat: list[ChatView] = field(default_factory=list)
    board: list[BoardShown | BoardPage | BoardStroke] = field(default_factory=list)
    stage: list[StageView] = field(default_factory=list)
    spoke: list[Spoke] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mine:
    """What only this person is told of their own; null where there is nothing."""

    order: OrderView | None = None
    polls: list[OwnAnswer] = field(default_factory=list)
    sign_ins: list[str] = field(default_factory=list)
    questions: MyQuestions | None = None
    board: None = None
    stage: StageView | None = None


@dataclass(frozen=True, slots=True)
class News:
    """What has changed by act `seq`, for a page that knows all up to `after`. `now_ms`: ledger time."""

    lesson_id: str
    after: int
    seq: int
    changes: Changes
    now_ms: int


@dataclass(frozen=True, slots=True)
class Acts:
    """All that changed since an act, or everything there is (`whole`: forget what you know). `now_ms`: ledger time."""

    lesson_id: str
    seq: int
    whole: bool
    changes: Changes
    mine: Mine
    now_ms: int


@dataclass(frozen=True, slots=True)
class SinceRequest:
    """`seq`: what the page knows already; 0: nothing."""

    lesson_id: str
    seq: Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class Done:
    """`seq`: the act that a command led to (0: it changed nothing); what this person is told of their own now."""

    seq: int
    mine: Mine


@dataclass(frozen=True, slots=True)
class Own:
    """What only this person is told of their own, when somebody else has changed it."""

    lesson_id: str
    mine: Mine


ACTS: Final = Push("lesson:acts", News)
OWN: Final = Push("lesson:own", Own)


@dataclass(slots=True)
class _Untold:
    """Up to where the desk's pages of a lesson were told, and the trainees'."""

    seq: int
    learn: int
    running: bool = False


class Api:
    """The functions behind the declarations."""

    def __init__(self, log: ActLog, training: Training, register: Register, fan_out: FanOut, tasks: Tasks) -> None:
        self.log = log
        self._training = training
        self._register = register
        self._fan_out = fan_out
        self._tasks = tasks
        self._untold: dict[str, _Untold] = {}
        #: by event: what an activity is given of a request when something must be looked up for it
        self.before: dict[str, Callable[[Who, Any], Awaitable[Any]]] = {}
        log.on_acts.append(self._happened)

    async def since(self, call: Call, request: SinceRequest) -> Acts:
        """What a page has missed."""
        who, desk = await self.who(call, request.lesson_id)

        def read(lesson: Lesson) -> Acts:
            whole = not 0 < request.seq <= lesson.seq
            keys = self.log.everything(lesson) if whole else changed_since(lesson, request.seq)
            changes = Changes(**self.log.views(lesson, keys, desk))
            mine = Mine(**self.log.mine(lesson, who.person_id))
            return Acts(lesson.lesson_id, lesson.seq, whole, changes, mine, self._register.clock.ms())

        found: Acts = await self.log.seen(request.lesson_id, read)
        return found

    async def do(self, call: Call, activity: Activity[Any], says: Says, request: Any) -> Done:
        """One command of an activity."""
        lesson_id: str = request.lesson_id
        who, _ = await self.who(call, lesson_id)
        if call.who.role is Role.INSTRUCTOR and not who.teaches:
            raise DomainError("forbidden")
        if not says.late and (await self.log.phase(lesson_id))[1] is not None:
            raise DomainError("lesson_ended")
        before = self.before.get(says.event)
        command = await before(who, request) if before else request
        answer = await self.log.answer(lesson_id, who, activity.name, command)
        return Done(answer.seq, Mine(**answer.mine))

    async def who(self, call: Call, lesson_id: str) -> tuple[Who, bool]:
        """Who asks, and whether they oversee. A trainee must hold the lease with this page. Raises DomainError."""
        actor = call.who
        if actor.role is Role.TRAINEE:
            holder = self._register.holders.get(actor.person_id)
            if holder is not None and (holder.lesson_id, holder.connection) == (lesson_id, call.connection):
                return Who(actor.person_id), False  # who holds the lease may see the lesson: nothing need be read
        lesson, _ = await self._training.lesson_for(actor, lesson_id)
        if actor.role is Role.TRAINEE:
            raise DomainError("not_joined")
        return Who(actor.person_id, actor.person_id == lesson.instructor_id), True

    async def remind(self, lesson_id: str) -> None:
        """Say how far the acts are: a page that was not told, because its server died or could not reach it, asks."""
        seq: int = await self.log.seen(lesson_id, lambda lesson: lesson.seq)
        if seq:
            for group in ("learn", "desk"):
                await self._fan_out.send(f"{group}:{lesson_id}", ACTS, self._silence(lesson_id, seq, seq))

    async def _happened(self, lesson_id: str, acts: Sequence[Act]) -> None:
        """Tell the pages soon: at once when nobody was told for a while, else together with what comes meanwhile."""
        untold = self._untold.setdefault(lesson_id, _Untold(acts[0].seq - 1, acts[0].seq - 1))
        if not untold.running:
            untold.running = True
            self._tasks.spawn("live.acts", self._tell(lesson_id, untold))
        concerned = (self.log.activities[act.activity].concerns(act) for act in acts)
        for person_id in dict.fromkeys(one for one in concerned if one is not None):
            await self._tell_own(lesson_id, person_id)

    async def _tell_own(self, lesson_id: str, person_id: str) -> None:
        """Tell the page that holds their lease; who has none is told after the next join."""
        holder = self._register.holders.get(person_id)
        if holder is None or holder.lesson_id != lesson_id or not holder.connection:
            return
        mine = await self.log.seen(lesson_id, lambda lesson: Mine(**self.log.mine(lesson, person_id)))
        await self._fan_out.send(holder.connection, OWN, Own(lesson_id, mine))

    async def _tell(self, lesson_id: str, untold: _Untold) -> None:
        try:
            while True:
                if await self._told(lesson_id, untold):
                    await asyncio.sleep(PUSH_S)
                    continue
                if untold.learn == untold.seq:
                    return
                news = self._silence(lesson_id, untold.learn, untold.seq)
                untold.learn = untold.seq
                await self._fan_out.send(f"learn:{lesson_id}", ACTS, news)  # what happens meanwhile is told, too
        finally:
            self._untold.pop(lesson_id, None)

    async def _told(self, lesson_id: str, untold: _Untold) -> bool:
        """Whether there was anything to tell. Trainees are not told, again and again, of what they see nothing of: the
        answers to a poll of thousands.
        """

        def read(lesson: Lesson) -> tuple[int, News, News]:
            trainees, desk = (self._news(lesson, *of) for of in ((untold.learn, False), (untold.seq, True)))
            return lesson.seq, trainees, desk

        seq, trainees, desk = await self.log.seen(lesson_id, read)
        if seq <= untold.seq:
            return False
        untold.seq = seq
        if trainees.changes != Changes():
            untold.learn = seq
            await self._fan_out.send(f"learn:{lesson_id}", ACTS, trainees)
        await self._fan_out.send(f"desk:{lesson_id}", ACTS, desk)
        return True

    def _silence(self, lesson_id: str, after: int, seq: int) -> News:
        """Nothing of which there is a view has changed up to an act."""
        return News(lesson_id, after, seq, Changes(), self._register.clock.ms())

    def _news(self, lesson: Lesson, after: int, desk: bool) -> News:
        changes = Changes(**self.log.views(lesson, changed_since(lesson, after), desk))
        return News(lesson.lesson_id, after, lesson.seq, changes, self._register.clock.ms())

    def declarations(self) -> Declarations:
        """What activities serve."""
        since = Command("lesson:since", EVERYONE, SinceRequest, Acts, self.since, True, CODES, at_owner=True)
        commands = [self._command(one, says) for one in self.log.activities.values() for says in one.commands]
        return Declarations(commands=[since, *commands], pushes=[ACTS, OWN])

    def _command(self, activity: Activity[Any], says: Says) -> Command:
        async def handle(call: Call, request: Any) -> Done:
            return await self.do(call, activity, says, request)

        codes = (*CODES, *(ORDER_CODES if says.by != "instructor" else ()), *says.codes)
        return Command(says.event, ROLES[says.by], says.request, Done, handle, codes=codes, at_owner=True)
