"""Decides in which order things happen in a lesson: one queue each, one leader at a time, one transaction for all
that waited; then everybody is answered, and pages are told whose views have changed.

State is what `apply` made of the acts, never more: when the store's answer is lost, it is built anew from the store.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from server.core.clock import elapsed_ms
from server.core.cluster.owners import Owners
from server.core.database import Database
from server.core.errors import DomainError
from server.core.wire.declaration import ID_FORM
from server.live.acts import records
from server.live.acts.order import State as OrderState
from server.live.acts.port import Act, Activity, Fact, Scene, Spoke, Who

log = structlog.get_logger("live.acts")

#: acts that one transaction takes at most; what waits beyond them is next
MOST_AT_ONCE: Final = 500
#: a lesson that nobody asked of for so long is forgotten until somebody does
IDLE_MS: Final = 10 * 60_000

#: (activity, key) of something that has a view
Key = tuple[str, str]


#: of a lesson: whether it has begun, and when it ended
Phase = Callable[[str], Awaitable[tuple[bool, int | None]]]
#: told after a commit: what happened
Happened = Callable[[str, Sequence[Act]], Awaitable[None]]
#: stands in line for what happens by itself
DUE: Final = object()
#: with a person's id the key of their having taken part: it is there from their first such act on
SPOKE: Final = "spoke"


@dataclass(frozen=True, slots=True)
class Answer:
    """The number of a command's last act (0: it changed nothing), and what its person is told, by activity."""

    seq: int
    mine: Mapping[str, Any]


@dataclass(slots=True)
class _Waiting:
    """A command in line."""

    who: Who
    activity: Activity[Any]
    command: Any
    done: asyncio.Future[Answer]

    @property
    def people(self) -> list[str | None]:
        """Who acts, and who is meant."""
        return [self.who.person_id, getattr(self.command, "person_id", None)]


@dataclass(slots=True)
class Lesson:
    """A lesson's acts in memory: the state that they make, and with which act each view changed last, oldest first.

    `unsure`: the store may hold acts that we do not know.
    """

    lesson_id: str
    states: dict[str, Any]
    seq: int = 0
    at_ms: int = 0
    changed: dict[Key, int] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    spoke: set[str] = field(default_factory=set)
    waiting: list[_Waiting] = field(default_factory=list)
    unsure: bool = False
    used_ms: float = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def order(self) -> OrderState:
        order: OrderState = self.states["order"]
        return order

    def name(self, person_id: str) -> str:
        """As far as it is known."""
        return self.names.get(person_id, "")


class ActLog:
    """The acts of this process's lessons. `names` are asked once for each person."""

    def __init__(
        self,
        database: Database,
        owners: Owners,
        activities: Sequence[Activity[Any]],
        now_ms: Callable[[], int],
        phase: Phase,
        names: Callable[[Iterable[str]], Awaitable[Mapping[str, str]]],
    ) -> None:
        self._database, self._owners, self._names = database, owners, names
        self._now_ms, self.phase = now_ms, phase
        self.activities = {one.name: one for one in activities}
        self._lessons: dict[str, Lesson] = {}
        self._loading: dict[str, asyncio.Lock] = {}
        #: after each commit, when its commands have been answered: to act on the state as it is by then
        self.on_acts: list[Happened] = []

    async def do(self, lesson_id: str, who: Who, activity: str, command: Any) -> int:
        """Give a command; returns the number of its last act, 0 when it changed nothing. Raises DomainError."""
        return (await self.answer(lesson_id, who, activity, command)).seq

    async def answer(self, lesson_id: str, who: Who, activity: str, command: Any) -> Answer:
        """`do`, and what this person is told of their own just then, which costs no second turn in the queue."""
        return await self._in_line(await self._lesson(lesson_id), who, activity, command)

    async def seen(self, lesson_id: str, read: Callable[[Lesson], Any]) -> Any:
        """What `read` makes of the lesson, of nothing but what is committed."""
        lesson = await self._lesson(lesson_id)
        async with lesson.lock:
            await self._sure(lesson)
            return read(lesson)

    async def order(self, lesson_id: str) -> OrderState:
        """The order of a lesson."""
        found: OrderState = await self.seen(lesson_id, lambda lesson: lesson.order)
        return found

    async def tick(self) -> None:
        """What is due by itself happens, in nobody's name; lessons that nobody needs are forgotten."""
        for lesson in list(self._lessons.values()):
            due = [name for name, one in self.activities.items() if one.due(lesson.states[name], self._now_ms())]
            try:
                for name in due:
                    await self._in_line(lesson, Who(""), name, DUE)
            except DomainError as error:  # the next round tries again
                log.warning("due_not_done", lesson=lesson.lesson_id, code=error.code)
            if elapsed_ms() - lesson.used_ms > IDLE_MS and not lesson.waiting and not due:
                self._lessons.pop(lesson.lesson_id, None)

    def lose(self, lesson_id: str) -> None:
        """Another process has the lesson now."""
        self._lessons.pop(lesson_id, None)

    def views(self, lesson: Lesson, keys: Iterable[Key], desk: bool) -> dict[str, list[Any]]:
        """Views by activity, in the order of the keys."""
        found: dict[str, list[Any]] = {name: [] for name in (*self.activities, SPOKE)}
        for name, key in keys:
            if name == SPOKE:
                found[name] += [Spoke(key)] if desk else []
                continue
            view = self.activities[name].view(lesson.states[name], key, desk, lesson.name)
            if view is not None:
                found[name].append(view)
        return found

    def everything(self, lesson: Lesson) -> Iterator[Key]:
        """What a page that knows nothing is to know."""
        for name, activity in self.activities.items():
            for key in activity.keys(lesson.states[name]):
                yield name, key
        yield from ((SPOKE, one) for one in lesson.spoke)

    def mine(self, lesson: Lesson, person_id: str) -> dict[str, Any]:
        """What only this person is told, by activity."""
        told = ((name, one.mine(lesson.states[name], person_id)) for name, one in self.activities.items())
        return {name: found for name, found in told if found is not None}

    async def _lesson(self, lesson_id: str) -> Lesson:
        async with self._loading.setdefault(lesson_id, asyncio.Lock()):
            if lesson_id not in self._lessons:
                lesson = Lesson(lesson_id, {})
                await self._read(lesson)
                self._lessons[lesson_id] = lesson
        self._loading.pop(lesson_id, None)
        lesson = self._lessons[lesson_id]
        lesson.used_ms = elapsed_ms()
        return lesson

    async def _read(self, lesson: Lesson) -> None:
        """Build the state from the store."""
        async with self._database.read() as connection:
            acts = await records.acts_of(connection, lesson.lesson_id)
        lesson.states = {name: activity.start() for name, activity in self.activities.items()}
        lesson.seq, lesson.at_ms, lesson.changed, lesson.spoke = 0, 0, {}, set()
        for act in acts:
            self._apply(lesson, act)
        lesson.unsure = False
        await self._know(lesson, {one for act in acts for one in (act.actor_id, act.body.get("person_id"))})

    async def _know(self, lesson: Lesson, person_ids: Iterable[str | None]) -> None:
        """The names of who acts, and of who is meant, before there is a view of them: a view changes by acts alone.

        What can be no id is not asked for: the store's refusal of it would be everybody's who waits.
        """
        if new := [one for one in person_ids if one and one not in lesson.names and ID_FORM.fullmatch(one)]:
            lesson.names |= await self._names(new)

    async def _sure(self, lesson: Lesson) -> None:
        if lesson.unsure:
            await self._read(lesson)

    async def _in_line(self, lesson: Lesson, who: Who, activity: str, command: Any) -> Answer:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        lesson.waiting.append(_Waiting(who, self.activities[activity], command, future))
        async with lesson.lock:
            acts = [] if future.done() else await self._lead(lesson)
        if acts:
            for happened in self.on_acts:
                await happened(lesson.lesson_id, acts)
        return await future

    async def _lead(self, lesson: Lesson) -> list[Act]:
        """Decide and write all that waits. Whoever leads leaves nobody of them without an answer."""
        taken, lesson.waiting = lesson.waiting[:MOST_AT_ONCE], lesson.waiting[MOST_AT_ONCE:]
        acts: list[Act] = []
        try:
            await self._sure(lesson)
            await self._know(lesson, {one for waiting in taken for one in waiting.people})
            lesson.unsure = True
            done, acts = self._decided(lesson, taken, *await self.phase(lesson.lesson_id))
            if acts:
                async with self._database.write(f"acts:{lesson.lesson_id}") as connection:
                    await self._owners.require(connection, lesson.lesson_id)
                    await records.add(connection, lesson.lesson_id, acts)
            lesson.unsure = False
            for waiting, number in done:
                waiting.done.set_result(Answer(number, self.mine(lesson, waiting.who.person_id)))
        except DomainError as error:
            _refuse(taken, error)
            return []
        finally:
            _refuse(taken, DomainError("store_unavailable"))
        return acts

    def _decided(
        self, lesson: Lesson, taken: Sequence[_Waiting], begun: bool, ended_ms: int | None
    ) -> tuple[list[tuple[_Waiting, int]], list[Act]]:
        """What the commands lead to, each on the state that those before it made; refusals are told at once."""
        done: list[tuple[_Waiting, int]] = []
        acts: list[Act] = []
        for waiting in taken:
            try:
                facts = self._facts(lesson, waiting, Scene(self._now_ms(), lesson.order, begun, ended_ms))
            except Exception as error:  # noqa: BLE001  a fault of one command is its own; it only read
                waiting.done.set_exception(error)
                continue
            for fact in facts:
                at_ms = max(self._now_ms(), lesson.at_ms)
                acts.append(
                    Act(lesson.seq + 1, at_ms, waiting.activity.name, fact.kind, waiting.who.person_id, fact.body)
                )
                self._apply(lesson, acts[-1])
            done.append((waiting, lesson.seq if facts else 0))
        return done, acts

    def _facts(self, lesson: Lesson, waiting: _Waiting, scene: Scene) -> Sequence[Fact]:
        state = lesson.states[waiting.activity.name]
        if waiting.command is DUE:
            return waiting.activity.due(state, scene.now_ms)
        return waiting.activity.decide(state, waiting.command, scene, waiting.who)

    def _apply(self, lesson: Lesson, act: Act) -> None:
        lesson.seq, lesson.at_ms = act.seq, act.at_ms
        activity = self.activities[act.activity]
        for key in activity.apply(lesson.states[act.activity], act):
            whole = (act.activity, key)
            lesson.changed.pop(whole, None)
            lesson.changed[whole] = act.seq
        if act.actor_id not in lesson.spoke and activity.spoke(act):
            lesson.spoke.add(act.actor_id)
            lesson.changed[SPOKE, act.actor_id] = act.seq


def changed_since(lesson: Lesson, seq: int) -> list[Key]:
    """Whose views changed after an act, the oldest change first."""
    found: list[Key] = []
    for key, changed in reversed(lesson.changed.items()):
        if changed <= seq:
            break
        found.append(key)
    return found[::-1]


def _refuse(taken: Iterable[_Waiting], error: DomainError) -> None:
    for waiting in taken:
        if not waiting.done.done():
            waiting.done.set_exception(error)
