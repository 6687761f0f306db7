"""Decides polls and quick quizzes (投票): prepared, opened, answered once each, closed, shown. Pure.

One is open at a time. Whoever answers changes one tally; what people are told is the tally alone. An anonymous answer
is kept sealed, and no view of the desk has names beside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from server.core.errors import DomainError
from server.live.acts import poll_rules as rules
from server.live.acts.pace import Limit, Pace
from server.live.acts.poll_rules import Answer, Kind, Poll, PollQuestion, State
from server.live.acts.port import Act, Activity, Fact, Name, Says, Scene, Who
from server.live.acts.seal import Seal

#: waiting to be opened, and of all kinds, in one lesson
DRAFTS_MOST: Final = 50
POLLS_MOST: Final = 200
#: shown while it is open, a tally is told again after so many answers, and beyond 50 after each fiftieth part more
STEPS: Final = 50
#: answers of one person: each is an act for ever, also where it may be changed
ANSWERS: Final = Limit(5, 10_000)


@dataclass(frozen=True, slots=True)
class PollPrepare:
    """A new poll, or with `poll_id` other words for a draft; `open`: begin at once."""

    lesson_id: str
    question: PollQuestion
    poll_id: str | None = None
    open: bool = False


@dataclass(frozen=True, slots=True)
class PollOpen:
    """A draft begins."""

    lesson_id: str
    poll_id: str


@dataclass(frozen=True, slots=True)
class PollGive:
    """An answer: positions of `choices` counted from 0 (judgement: 0 is 对, 1 is 错), or what was written."""

    lesson_id: str
    poll_id: str
    choices: list[int] = field(default_factory=list)
    text: str = ""


@dataclass(frozen=True, slots=True)
class PollClose:
    """No answer any more."""

    lesson_id: str
    poll_id: str


@dataclass(frozen=True, slots=True)
class PollShow:
    """Everybody sees the tally from now on; the right answer of a quiz once it is closed."""

    lesson_id: str
    poll_id: str


@dataclass(frozen=True, slots=True)
class PollWithdraw:
    """A draft that is not wanted."""

    lesson_id: str
    poll_id: str


@dataclass(frozen=True, slots=True)
class PollFace:
    """A poll as people see it. `quiz`: it has a right answer; `right` is the desk's, and everybody's when revealed.

    Moments are milliseconds of ledger time.
    """

    state: State
    kind: Kind
    text: str
    choices: list[str]
    least: int
    most: int
    seconds: int | None
    anonymous: bool
    changeable: bool
    quiz: bool
    right: list[int]
    shown: bool
    opened_ms: int | None
    closes_ms: int | None
    closed_ms: int | None


@dataclass(frozen=True, slots=True)
class PollText:
    """A short text, and how many wrote it."""

    text: str
    count: int


@dataclass(frozen=True, slots=True)
class PollTally:
    """How many answered, each choice by how many (of several choices the sum is larger), texts that came most."""

    answered: int
    counts: list[int]
    texts: list[PollText]
    #: different texts in all
    different: int


@dataclass(frozen=True, slots=True)
class PollView:
    """A part of a poll: what it is, or its tally. `poll_id` says of which."""

    id: str
    poll_id: str
    face: PollFace | None = None
    tally: PollTally | None = None


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """What one has answered oneself."""

    poll_id: str
    choices: list[int]
    text: str


@dataclass(slots=True)
class Polls:
    """All polls of a lesson, in the order they were prepared."""

    polls: dict[str, Poll] = field(default_factory=dict)
    open_id: str | None = None
    drafts: int = 0
    pace: Pace = field(default_factory=lambda: Pace(ANSWERS))


WRONG_STATE: Final = ("not_found", "poll_changed")
ANSWERED_CODES: Final = ("not_found", "poll_over", "poll_answered", "text_missing", "slow_down")


class PollActivity(Activity[Polls]):
    """Polls of a lesson; `seal` closes what is answered anonymously."""

    name = "polls"
    commands = (
        Says("poll:prepare", PollPrepare, "instructor", ("text_missing", "polls_limit", "poll_open", *WRONG_STATE)),
        Says("poll:open", PollOpen, "instructor", ("poll_open", *WRONG_STATE)),
        Says("poll:answer", PollGive, "trainee", ANSWERED_CODES),
        Says("poll:close", PollClose, "instructor", WRONG_STATE, late=True),
        Says("poll:show", PollShow, "instructor", WRONG_STATE, late=True),
        Says("poll:withdraw", PollWithdraw, "instructor", WRONG_STATE),
    )

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def start(self) -> Polls:
        return Polls()

    def decide(self, state: Polls, command: Any, scene: Scene, who: Who) -> Sequence[Fact]:
        match command:
            case PollPrepare():
                return _prepare(state, command, scene.now_ms)
            case PollOpen():
                _in_state(state, command.poll_id, "draft")
                return [*_make_room(state, scene.now_ms), Fact("opened", {"poll": command.poll_id})]
            case PollGive():
                return self._give(state, command, scene.now_ms, who)
            case PollClose():
                _in_state(state, command.poll_id, "open")
                return [Fact("closed", {"poll": command.poll_id})]
            case PollShow():
                poll = _in_state(state, command.poll_id, "open", "closed")
                return () if poll.shown else [Fact("shown", {"poll": poll.id})]
            case PollWithdraw():
                _in_state(state, command.poll_id, "draft")
                return [Fact("withdrawn", {"poll": command.poll_id})]
        raise TypeError(type(command).__name__)

    def due(self, state: Polls, now_ms: int) -> Sequence[Fact]:
        """A poll whose time is up closes."""
        poll = state.polls[state.open_id] if state.open_id else None
        return [Fact("closed", {"poll": poll.id})] if poll is not None and poll.is_over(now_ms) else ()

    def _give(self, state: Polls, command: PollGive, now_ms: int, who: Who) -> Sequence[Fact]:
        poll = _seen(state, command.poll_id)
        answer = rules.answer_of(poll.question, command.choices, command.text)
        before = poll.answers.get(who.person_id)
        if before == answer:
            return ()  # an acknowledgement was lost, and this is the same again
        if poll.is_over(now_ms):
            raise DomainError("poll_over")
        if before is not None and not poll.question.changeable:
            raise DomainError("poll_answered")
        state.pace.check(who.person_id, now_ms)
        if not poll.question.anonymous:
            return [Fact("answered", {"poll": poll.id, "answer": answer if isinstance(answer, str) else list(answer)})]
        sealed = self._seal.close(rules.to_json(answer), poll.context(who.person_id))
        return [Fact("answered", {"poll": poll.id, "sealed": sealed})]

    def apply(self, state: Polls, act: Act) -> Iterable[str]:
        if act.kind == "prepared":
            return _apply_prepared(state, act)
        poll = state.polls[str(act.body["poll"])]
        match act.kind:
            case "opened":
                _begin(state, poll, act.at_ms)
            case "answered":
                state.pace.note(act.actor_id, act.at_ms)
                return self._apply_answered(poll, act)
            case "closed":
                poll.close(act.at_ms)
                state.open_id = None
            case "shown":
                poll.shown = True
            case "withdrawn":
                poll.state = "withdrawn"
                state.drafts -= 1
        return _parts(poll)

    def _apply_answered(self, poll: Poll, act: Act) -> Iterable[str]:
        body = act.body
        if "sealed" in body:
            opened = self._seal.open(body["sealed"], poll.context(act.actor_id))
            poll.count(act.actor_id, rules.from_json(opened))
        else:
            poll.count(act.actor_id, rules.answer_from(body["answer"]))
        told = poll.shown and not len(poll.answers) % max(1, len(poll.answers) // STEPS)
        return [_tally(poll.id), _shown(poll.id)] if told else [_tally(poll.id)]

    def spoke(self, act: Act) -> bool:
        """Not by an anonymous answer: with the tally beside it, whoever spoke just then would have no secret."""
        return act.kind == "answered" and "sealed" not in act.body

    def keys(self, state: Polls) -> Iterable[str]:
        return [part for poll in state.polls.values() if poll.state != "withdrawn" for part in _parts(poll)]

    def view(self, state: Polls, key: str, desk: bool, name: Name) -> PollView | None:
        poll_id, _, part = key.partition(".")
        poll = state.polls[poll_id]
        if not desk and poll.state in ("draft", "withdrawn"):
            return None
        if not part:
            return PollView(key, poll_id, face=face_of(poll, desk))
        if desk != (part == "tally") or not (desk or poll.shown):
            return None
        return PollView(poll_id + ".tally", poll_id, tally=tally_of(poll))

    def mine(self, state: Polls, person_id: str) -> list[OwnAnswer]:
        found = ((one.id, one.answers.get(person_id)) for one in state.polls.values())
        return [own_answer(poll_id, answer) for poll_id, answer in found if answer is not None]


def own_answer(poll_id: str, answer: Answer) -> OwnAnswer:
    written = isinstance(answer, str)
    return OwnAnswer(poll_id, [] if isinstance(answer, str) else list(answer), str(answer) if written else "")


def tally_of(poll: Poll) -> PollTally:
    """A tally as it is told: of a size that the number of answers does not change."""
    written = [PollText(text, count) for text, count in poll.most_given()]
    return PollTally(len(poll.answers), list(poll.counts), written, len(poll.texts))


def _prepare(state: Polls, command: PollPrepare, now_ms: int) -> Sequence[Fact]:
    question = rules.checked(command.question)
    if command.poll_id is not None:
        _in_state(state, command.poll_id, "draft")
    elif len(state.polls) >= POLLS_MOST or (state.drafts >= DRAFTS_MOST and not command.open):
        raise DomainError("polls_limit", most=POLLS_MOST if len(state.polls) >= POLLS_MOST else DRAFTS_MOST)
    body = {"poll": command.poll_id, "question": rules.to_body(question), "open": command.open}
    return [*(_make_room(state, now_ms) if command.open else ()), Fact("prepared", body)]


def _make_room(state: Polls, now_ms: int) -> Sequence[Fact]:
    """One at a time; what is over and was not closed yet closes. Raises DomainError poll_open."""
    if state.open_id is None:
        return ()
    if not state.polls[state.open_id].is_over(now_ms):
        raise DomainError("poll_open")
    return [Fact("closed", {"poll": state.open_id})]


def _apply_prepared(state: Polls, act: Act) -> Iterable[str]:
    question, poll_id = rules.from_body(act.body["question"]), act.body["poll"]
    if poll_id is None:
        poll = state.polls[str(act.seq)] = Poll(str(act.seq), question)
        state.drafts += 1
    else:
        poll = state.polls[poll_id]
        poll.question = question
    if act.body["open"]:
        _begin(state, poll, act.at_ms)
    return _parts(poll)


def _begin(state: Polls, poll: Poll, at_ms: int) -> None:
    poll.open(at_ms)
    state.open_id = poll.id
    state.drafts -= 1


def _in_state(state: Polls, poll_id: str, *states: State) -> Poll:
    poll = state.polls.get(poll_id)
    if poll is None:
        raise DomainError("not_found")
    if poll.state not in states:
        raise DomainError("poll_changed", state=poll.state)
    return poll


def _seen(state: Polls, poll_id: str) -> Poll:
    """A poll that trainees know of."""
    poll = state.polls.get(poll_id)
    if poll is None or poll.state in ("draft", "withdrawn"):
        raise DomainError("not_found")
    return poll


def _parts(poll: Poll) -> list[str]:
    return [poll.id, _tally(poll.id), _shown(poll.id)]


def _tally(poll_id: str) -> str:
    """The key of what the desk sees of the answers."""
    return f"{poll_id}.tally"


def _shown(poll_id: str) -> str:
    """The key of what trainees see of the answers."""
    return f"{poll_id}.shown"


def face_of(poll: Poll, desk: bool) -> PollFace:
    asked = poll.question
    revealed = desk or (poll.shown and poll.state == "closed")
    return PollFace(
        state=poll.state,
        kind=asked.kind,
        text=asked.text,
        choices=asked.choices,
        least=asked.least,
        most=asked.most,
        seconds=asked.seconds,
        anonymous=asked.anonymous,
        changeable=asked.changeable,
        quiz=bool(asked.right),
        right=asked.right if revealed else [],
        shown=poll.shown,
        opened_ms=poll.opened_ms or None,
        closes_ms=poll.closes_ms,
        closed_ms=poll.closed_ms,
    )
