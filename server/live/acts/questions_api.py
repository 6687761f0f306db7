"""Declares what is read of questions after a lesson, and the notice of what was answered by then.

A process may answer that has never had the lesson: everything comes from the acts in the store. What was answered late
for whom is kept for a few lessons, because a page of a whole class asks for it again and again.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from server.core.actor import EVERYONE, Role
from server.core.database import Database
from server.core.wire.declaration import UNSEEN, Call, Declarations, Nothing, Route
from server.live.acts import records
from server.live.acts.order import OUTSIDE, OrderActivity, check_inside
from server.live.acts.port import Act
from server.live.acts.question_forms import MyQuestions, QuestionView
from server.live.acts.questions import Late, Questions, State, late_for
from server.training.rules import LessonState
from server.training.service import Training

#: lessons whose late answers are kept at hand
KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class QuestionsRequest:
    lesson_id: str


@dataclass(frozen=True, slots=True)
class QuestionsRecord:
    """All questions of a lesson. `unread`: those answered since, for whoever asks; `read` is to be sent back then."""

    lesson_id: str
    questions: list[QuestionView]
    mine: MyQuestions
    unread: list[str]
    read: int


@dataclass(frozen=True, slots=True)
class AnswersReadRequest:
    """`read`: as it was told with what was shown."""

    lesson_id: str
    read: Annotated[int, Field(ge=0, lt=1 << 31)]


@dataclass(frozen=True, slots=True)
class LateAnswers:
    """How many questions that one asked, or voted for, were answered after a lesson and not read yet."""

    lesson_id: str
    title: str
    count: int


@dataclass(frozen=True, slots=True)
class NewAnswers:
    lessons: list[LateAnswers]


Names = Callable[[Iterable[str]], Awaitable[Mapping[str, str]]]


class Answers:
    """The functions behind the declarations."""

    def __init__(self, database: Database, training: Training, names: Names) -> None:
        self._database, self._training, self._names = database, training, names
        self._questions = Questions()
        self._kept: OrderedDict[tuple[str, int], dict[str, Late]] = OrderedDict()

    async def record(self, call: Call, request: QuestionsRequest) -> QuestionsRecord:
        """The questions of a lesson, as whoever asks may see them."""
        actor = call.who
        lesson, _ = await self._training.lesson_for(actor, request.lesson_id)
        if actor.role is Role.TRAINEE and lesson.state is not LessonState.ENDED:
            async with self._database.read() as connection:
                check_inside(await records.acts_of(connection, lesson.id, (OrderActivity.name,)), actor.person_id)
        state, acts = await self._rebuilt(request.lesson_id)
        names = await self._names({act.actor_id for act in acts})
        desk, known = actor.role is not Role.TRAINEE, self._questions
        views = [known.view(state, key, desk, lambda one: names.get(one, "")) for key in known.keys(state)]
        late = late_for(state).get(actor.person_id, {})
        async with self._database.read() as connection:
            read = (await records.read_by(connection, actor.person_id)).get(request.lesson_id, 0)
        unread = dict.fromkeys(late[seq] for seq in late if seq > read)
        return QuestionsRecord(
            request.lesson_id, views, known.mine(state, actor.person_id), [*unread], max(late, default=0)
        )

    async def read(self, call: Call, request: AnswersReadRequest) -> Nothing:
        """What was answered late has been read."""
        await self._training.lesson_for(call.who, request.lesson_id)
        async with self._database.write(f"account:{call.who.person_id}") as connection:
            await records.put_read(connection, request.lesson_id, call.who.person_id, request.read)
        return Nothing()

    async def fresh(self, call: Call, _request: Nothing) -> NewAnswers:
        """What was answered late and is not read yet."""
        me = call.who.person_id
        lessons = {one.id: one for one in await self._training.lessons_of(call.who) if one.ended_ms is not None}
        async with self._database.read() as connection:
            answers = await records.answers_in(connection, [*lessons])
            read = await records.read_by(connection, me)
        last = {lesson_id: act.seq for lesson_id, act in answers if act.body.get("late", False)}
        found = []
        for lesson_id, seq in last.items():
            since = read.get(lesson_id, 0)
            if seq > since:
                late = (await self._late(lesson_id, seq)).get(me, {})
                if wanted := {late[one] for one in late if one > since}:
                    found.append(LateAnswers(lesson_id, lessons[lesson_id].title, len(wanted)))
        return NewAnswers(found)

    async def _late(self, lesson_id: str, seq: int) -> dict[str, Late]:
        """For each person, up to a late answer, which is the last one."""
        key = (lesson_id, seq)
        if key not in self._kept:
            state, _ = await self._rebuilt(lesson_id)
            self._kept[key] = late_for(state)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]

    async def _rebuilt(self, lesson_id: str) -> tuple[State, list[Act]]:
        async with self._database.read() as connection:
            acts = await records.acts_of(connection, lesson_id, [self._questions.name])
        state = self._questions.start()
        for act in acts:
            self._questions.apply(state, act)
        return state, acts

    def declarations(self) -> Declarations:
        """What is read of questions."""
        trainee, one = frozenset({Role.TRAINEE}), "/api/v1/lessons/{lesson_id}"
        seen = (*UNSEEN, *OUTSIDE)
        return Declarations(
            routes=[
                Route("GET", f"{one}/questions", EVERYONE, QuestionsRequest, QuestionsRecord, self.record, codes=seen),
                Route("POST", f"{one}/answers/read", trainee, AnswersReadRequest, Nothing, self.read, codes=UNSEEN),
                Route("GET", "/api/v1/answers", trainee, Nothing, NewAnswers, self.fresh),
            ]
        )
