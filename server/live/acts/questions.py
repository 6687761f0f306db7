"""Decides what happens to questions: asked, voted, answered live or in writing, merged, withdrawn, hidden. Pure.

Who asks counts as the first who wants to know, so a question begins with one vote, and nobody votes for their own. Of
an anonymous one only those who oversee the lesson learn the asker. Nothing is ever taken out of the record.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from server.core.errors import DomainError
from server.live.acts.pace import Pace
from server.live.acts.port import Act, Activity, Fact, Name, Says, Scene, Who, text
from server.live.acts.question_forms import (
    ANSWER_MOST,
    ANSWERS_MOST,
    ASKS,
    LATE_MS,
    OPEN_MOST,
    TEXT_MOST,
    VOTES,
    WAITING,
    AnswerView,
    MyQuestions,
    QuestionAnswer,
    QuestionAnswering,
    QuestionAsk,
    QuestionDone,
    QuestionHide,
    QuestionMerge,
    QuestionView,
    QuestionVote,
    QuestionWithdraw,
    Standing,
)


@dataclass(frozen=True, slots=True)
class Answered:
    """A written answer in the record."""

    seq: int
    at_ms: int
    actor_id: str
    text: str
    late: bool


@dataclass(slots=True)
class Question:
    """`backers`: who wants to know, the asker among them; a merged question keeps those it had."""

    id: str
    at_ms: int
    author_id: str
    text: str
    anonymous: bool
    backers: set[str]
    state: Standing = "open"
    hidden: bool = False
    into: str | None = None
    holds: list[str] = field(default_factory=list)
    live_ms: int | None = None
    until_ms: int | None = None
    answers: list[Answered] = field(default_factory=list)


@dataclass(slots=True)
class State:
    """All questions in order; which one is being answered live."""

    questions: dict[str, Question] = field(default_factory=dict)
    answering: str | None = None
    asks: Pace = field(default_factory=lambda: Pace(ASKS))
    votes: Pace = field(default_factory=lambda: Pace(VOTES))

    def root(self, key: str) -> Question:
        """A question, or the one that it was merged into. Raises DomainError not_found."""
        found = self.questions.get(key)
        while found is not None and found.into is not None:
            found = self.questions.get(found.into)
        if found is None:
            raise DomainError("not_found")
        return found


#: a person's late answers: number of the answer → its question
Late = dict[int, str]
CLOSED: Final = ("not_found", "question_closed")
WRITTEN: Final = ("text_missing", "silenced", "switched_off", "slow_down")


class Questions(Activity[State]):
    """提问."""

    name = "questions"
    commands = (
        Says("question:ask", QuestionAsk, "trainee", (*WRITTEN, "questions_open")),
        Says("question:vote", QuestionVote, "trainee", (*CLOSED, "question_own", "slow_down")),
        Says("question:withdraw", QuestionWithdraw, "trainee", CLOSED),
        Says("question:answer", QuestionAnswer, "instructor", (*CLOSED, "text_missing", "answer_too_late"), late=True),
        Says("question:answering", QuestionAnswering, "instructor", CLOSED),
        Says("question:done", QuestionDone, "instructor", ("not_found",)),
        Says("question:merge", QuestionMerge, "instructor", CLOSED),
        Says("question:hide", QuestionHide, "instructor", ("not_found",)),
    )

    def start(self) -> State:
        return State()

    def decide(  # noqa: C901  a flat match
        self, state: State, command: Any, scene: Scene, who: Who
    ) -> Sequence[Fact]:
        match command:
            case QuestionAsk():
                return _ask(state, command, scene, who)
            case QuestionVote():
                return _vote(state, command, scene, who)
            case QuestionWithdraw():
                return _withdraw(state, command, who)
            case QuestionAnswer():
                return _answer(state, command, scene)
            case QuestionAnswering():
                return _answering(state, command)
            case QuestionDone():
                one = state.root(command.question)
                return [Fact("done", {"question": one.id})] if one.state in WAITING else ()
            case QuestionMerge():
                return _merge(state, command)
            case QuestionHide():
                return _hide(state, command)
        raise TypeError(command)

    def apply(self, state: State, act: Act) -> Iterable[str]:  # noqa: C901  a flat match
        one = None if act.kind == "asked" else state.questions[act.body["question"]]
        match act.kind, one:
            case "asked", _:
                return _asked(state, act)
            case "voted", Question():
                (one.backers.add if act.body["on"] else one.backers.discard)(act.actor_id)
                state.votes.note(act.actor_id, act.at_ms)
            case "withdrawn", Question():
                _leave(state, one, act.at_ms)
                one.state = "withdrawn"
            case "answered", Question():
                _leave(state, one, act.at_ms)
                one.answers.append(
                    Answered(act.seq, act.at_ms, act.actor_id, act.body["text"], act.body.get("late", False))
                )
                one.state = "answered"
            case "answering", Question():
                one.state, one.live_ms, one.until_ms, state.answering = "answering", act.at_ms, None, one.id
            case "put_back", Question():
                one.state, one.live_ms, state.answering = "open", None, None
            case "done", Question():
                _leave(state, one, act.at_ms)
                one.state = "answered"
            case "merged", Question():
                return _merged(state, one, state.questions[act.body["into"]], act.at_ms)
            case "hidden", Question():
                one.hidden = act.body["on"]
        return (act.body["question"],)

    def spoke(self, act: Act) -> bool:
        return act.kind in ("asked", "voted")

    def keys(self, state: State) -> Iterable[str]:
        return state.questions.keys()

    def view(self, state: State, key: str, desk: bool, name: Name) -> QuestionView:
        one = state.questions[key]
        known = desk or not one.anonymous
        silent = one.state == "withdrawn" or (one.hidden and not desk)
        shown = known and not silent
        return QuestionView(
            id=one.id,
            at_ms=one.at_ms,
            text="" if silent else one.text,
            anonymous=one.anonymous,
            author_id=one.author_id if shown else None,
            author=name(one.author_id) if shown else None,
            votes=len(one.backers),
            state=one.state,
            hidden=one.hidden,
            into=one.into,
            live_ms=one.live_ms,
            until_ms=one.until_ms,
            answers=[] if silent else [AnswerView(a.text, name(a.actor_id), a.at_ms, a.late) for a in one.answers],
        )

    def withdrawn(self, state: State, key: str) -> bool:
        one = state.questions[key]
        return one.hidden or one.state == "withdrawn"

    def mine(self, state: State, person_id: str) -> MyQuestions:
        every = state.questions.values()
        asked = [one.id for one in every if one.author_id == person_id]
        voted = [one.id for one in every if person_id in one.backers and one.author_id != person_id]
        return MyQuestions(asked, voted)


def late_for(state: State) -> dict[str, Late]:
    """For each who asked or voted: the answers of after the lesson, by number, with the question that they answer."""
    found: dict[str, Late] = {}
    for one in state.questions.values():
        if late := [answer.seq for answer in one.answers if answer.late]:
            for person_id in one.backers | {state.questions[held].author_id for held in one.holds}:
                found.setdefault(person_id, {}).update(dict.fromkeys(late, one.id))
    return found


def _open(state: State, key: str) -> Question:
    """What may still be answered, or had been. Raises DomainError not_found, question_closed."""
    one = state.root(key)
    if one.hidden or one.state == "withdrawn":
        raise DomainError("question_closed", state="hidden" if one.hidden else one.state)
    return one


def _ask(state: State, command: QuestionAsk, scene: Scene, who: Who) -> Sequence[Fact]:
    scene.order.check(who, "text")
    found = text(command.text, TEXT_MOST)
    state.asks.check(who.person_id, scene.now_ms)
    mine = (one for one in state.questions.values() if one.author_id == who.person_id)
    if sum(one.state in WAITING and not one.hidden for one in mine) >= OPEN_MOST:
        raise DomainError("questions_open", most=OPEN_MOST)
    return [Fact("asked", {"text": found, "anonymous": command.anonymous})]


def _vote(state: State, command: QuestionVote, scene: Scene, who: Who) -> Sequence[Fact]:
    one = _open(state, command.question)
    if one.author_id == who.person_id:
        raise DomainError("question_own")
    if (who.person_id in one.backers) == command.on:
        return ()
    if one.state not in WAITING:
        raise DomainError("question_closed", state=one.state)
    state.votes.check(who.person_id, scene.now_ms)
    return [Fact("voted", {"question": one.id, "on": command.on})]


def _withdraw(state: State, command: QuestionWithdraw, who: Who) -> Sequence[Fact]:
    one = state.questions.get(command.question)
    if one is None or one.author_id != who.person_id:
        raise DomainError("not_found")
    if one.state == "withdrawn":
        return ()
    if one.state not in WAITING or one.holds:  # others' questions are in it
        raise DomainError("question_closed", state=one.state)
    return [Fact("withdrawn", {"question": one.id})]


def _answer(state: State, command: QuestionAnswer, scene: Scene) -> Sequence[Fact]:
    one = _open(state, command.question)
    if scene.ended_ms is not None and scene.now_ms > scene.ended_ms + LATE_MS:
        raise DomainError("answer_too_late", days=LATE_MS // 86_400_000)
    found = text(command.text, ANSWER_MOST)
    if len(one.answers) >= ANSWERS_MOST:
        raise DomainError("question_closed", state=one.state)
    late = {"late": True} if scene.ended_ms is not None else {}
    return [Fact("answered", {"question": one.id, "text": found, **late})]


def _answering(state: State, command: QuestionAnswering) -> Sequence[Fact]:
    """One at a time: with the next one the one before is answered."""
    one = _open(state, command.question)
    if command.on == (state.answering == one.id):
        return ()
    if not command.on:
        return [Fact("put_back", {"question": one.id})] if one.state == "answering" else ()
    before = [] if state.answering is None else [Fact("done", {"question": state.answering})]
    return [*before, Fact("answering", {"question": one.id})]


def _merge(state: State, command: QuestionMerge) -> Sequence[Fact]:
    """Into any that stands, also one that is answered already: then its askers have their answer."""
    one, into = _open(state, command.question), _open(state, command.into)
    if one is into:
        return ()
    if one.state not in WAITING:
        raise DomainError("question_closed", state=one.state)
    return [Fact("merged", {"question": one.id, "into": into.id})]


def _hide(state: State, command: QuestionHide) -> Sequence[Fact]:
    one = state.questions.get(command.question)
    if one is None:
        raise DomainError("not_found")
    return () if one.hidden == command.on else [Fact("hidden", {"question": one.id, "on": command.on})]


def _asked(state: State, act: Act) -> Iterable[str]:
    key = str(act.seq)
    body = act.body
    state.questions[key] = Question(key, act.at_ms, act.actor_id, body["text"], body["anonymous"], {act.actor_id})
    state.asks.note(act.actor_id, act.at_ms)
    return (key,)


def _leave(state: State, one: Question, at_ms: int) -> None:
    """It is answered live no longer."""
    if state.answering == one.id:
        state.answering, one.until_ms = None, at_ms


def _merged(state: State, one: Question, into: Question, at_ms: int) -> Iterable[str]:
    """Everybody who wanted to know the one wants to know the other now, each counted once."""
    _leave(state, one, at_ms)
    one.state, one.into = "merged", into.id
    into.backers |= one.backers
    into.holds += [one.id, *one.holds]
    return (one.id, into.id)
