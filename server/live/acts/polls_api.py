"""Declares what is kept of polls and sign-ins: who answered what, and who did not, for those who oversee the class.

Read from the stored acts by any process, while the lesson runs and afterwards. An anonymous poll has no names here.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from server.attendance.api import LessonRequest
from server.core.actor import Role
from server.core.database import Database
from server.core.wire.declaration import UNSEEN, Call, Declarations, Route
from server.live.acts import records
from server.live.acts.poll_rules import Poll
from server.live.acts.polls import PollFace, PollTally, PollText, face_of, own_answer, tally_of
from server.live.acts.port import Act, Activity
from server.live.acts.sign_in import SignIn
from server.training.rules import Lesson
from server.training.service import Enrolled, Training

DESK: Final = frozenset({Role.INSTRUCTOR, Role.STAFF, Role.REGULATOR, Role.ADMINISTRATOR})
POLLS, SIGN_INS = "polls", "sign_ins"


@dataclass(frozen=True, slots=True)
class PollPerson:
    """One trainee of the class, and their answer; `right` is null where there is no right answer, or none given."""

    person_id: str
    seat: int
    name: str
    answered: bool
    choices: list[int]
    text: str
    right: bool | None


@dataclass(frozen=True, slots=True)
class KeptPoll:
    """One poll that was opened. `people`: the class, none for an anonymous one; `texts`: all that was written."""

    id: str
    face: PollFace
    tally: PollTally
    texts: list[PollText]
    people: list[PollPerson]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One trainee of the class, and when they said that they were there, in milliseconds of ledger time."""

    person_id: str
    seat: int
    name: str
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class KeptSignIn:
    """One sign-in, with the whole class."""

    id: str
    opened_ms: int
    closed_ms: int | None
    people: list[SignedIn]


@dataclass(frozen=True, slots=True)
class KeptPolls:
    """All of a lesson, in order. Drafts are not among them."""

    polls: list[KeptPoll]
    sign_ins: list[KeptSignIn]
    view_id: str | None


class Kept:
    """Reads what was kept."""

    def __init__(
        self,
        database: Database,
        training: Training,
        activities: Mapping[str, Activity[Any]],
        names: Callable[[Iterable[str]], Awaitable[Mapping[str, str]]],
    ) -> None:
        self._database, self._training, self._names = database, training, names
        self._activities = {name: activities[name] for name in (POLLS, SIGN_INS)}

    async def kept(self, call: Call, request: LessonRequest) -> KeptPolls:
        """Everything that was asked in a lesson. Raises DomainError not_found."""
        lesson, _ = await self._training.lesson_for(call.who, request.lesson_id)
        return replace(await self.of(lesson), view_id=call.view_id)

    async def of(self, lesson: Lesson) -> KeptPolls:
        """The same, of a lesson that somebody may see."""
        states = await self._states(lesson.id)
        polls: list[Poll] = [one for one in states[POLLS].polls.values() if one.state in ("open", "closed")]
        sign_ins: list[SignIn] = list(states[SIGN_INS].rounds.values())
        known = {one for poll in polls if not poll.question.anonymous for one in poll.answers}
        people = await self._people(lesson.class_id, known.union(*(one.here for one in sign_ins)))
        asked = [_kept_poll(poll, people) for poll in polls]
        return KeptPolls(asked, [_kept_sign_in(one, people) for one in sign_ins], None)

    async def _states(self, lesson_id: str) -> dict[str, Any]:
        """As the stored acts make them."""
        async with self._database.read() as connection:
            acts: list[Act] = await records.acts_of(connection, lesson_id, tuple(self._activities))
        states = {name: one.start() for name, one in self._activities.items()}
        for act in acts:
            self._activities[act.activity].apply(states[act.activity], act)
        return states

    async def _people(self, class_id: str, known: set[str]) -> list[Enrolled]:
        """The class by seat, and after it whoever took part and is not in it any more."""
        enrolled = await self._training.roster(class_id)
        names = await self._names(known - {one.person_id for one in enrolled})
        return [*enrolled, *(Enrolled(person_id, 0, name) for person_id, name in sorted(names.items()))]

    def declarations(self) -> Declarations:
        """What is served."""
        path = "/api/v1/lessons/{lesson_id}/polls"
        return Declarations(routes=[Route("GET", path, DESK, LessonRequest, KeptPolls, self.kept, codes=UNSEEN)])


def _kept_poll(poll: Poll, people: list[Enrolled]) -> KeptPoll:
    texts = [PollText(text, count) for text, count in poll.most_given(len(poll.texts))]
    asked = [] if poll.question.anonymous else people
    named = [_person(poll, one) for one in asked if one.seat or one.person_id in poll.answers]
    return KeptPoll(poll.id, face_of(poll, desk=True), tally_of(poll), texts, named)


def _person(poll: Poll, one: Enrolled) -> PollPerson:
    answer = poll.answers.get(one.person_id)
    if answer is None:
        return PollPerson(one.person_id, one.seat, one.name, False, [], "", None)
    own = own_answer(poll.id, answer)
    return PollPerson(one.person_id, one.seat, one.name, True, own.choices, own.text, poll.is_right(answer))


def _kept_sign_in(one: SignIn, people: list[Enrolled]) -> KeptSignIn:
    found = [SignedIn(who.person_id, who.seat, who.name, one.here.get(who.person_id)) for who in people]
    return KeptSignIn(one.id, one.opened_ms, one.closed_ms, [who for who in found if who.seat or who.at_ms is not None])
