"""Any interleaving of questions, votes, merges, withdrawals keeps what people may rely on."""

from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from server.core.errors import DomainError
from server.live.acts.port import Who
from server.live.acts.question_forms import (
    QuestionAnswer,
    QuestionAnswering,
    QuestionAsk,
    QuestionDone,
    QuestionHide,
    QuestionMerge,
    QuestionVote,
    QuestionWithdraw,
)
from server.live.acts.questions import Questions, State
from tests.live.acts.desk import TEACHER, Table

L: Final = "lesson"
TRAINEES: Final = tuple(Who(name) for name in ("jia", "yi", "bing", "ding"))
who = st.sampled_from(TRAINEES)
which = st.integers(0, 7)


class Classroom(RuleBasedStateMachine):
    """`wants` is kept by hand: who wants to know what, by the question that stands for it now."""

    def __init__(self) -> None:
        super().__init__()
        self.at: Table[State] = Table(Questions())
        self.wants: dict[str, set[str]] = {}
        self.stands: dict[str, str] = {}
        self.anonymous: dict[str, str] = {}

    def say(self, command: Any, by: Who) -> bool:
        """Whether it was taken; whatever is refused changes nothing."""
        before = self.at.seen()
        try:
            self.at.say(command, by, 7_000)
        except DomainError:
            assert self.at.seen() == before
            return False
        return True

    def key(self, number: int) -> str:
        """One of the questions, or one that is not there."""
        keys = list(self.at.state.questions)
        return keys[number % len(keys)] if keys else "1"

    @rule(by=who, anonymous=st.booleans())
    def ask(self, by: Who, anonymous: bool) -> None:
        if self.say(QuestionAsk(L, f"问{len(self.at.acts)}", anonymous), by):
            key = list(self.at.state.questions)[-1]
            self.wants[key], self.stands[key] = {by.person_id}, key
            if anonymous:
                self.anonymous[key] = by.person_id

    @rule(by=who, number=which, on=st.booleans())
    def vote(self, by: Who, number: int, on: bool) -> None:
        key = self.key(number)
        if self.say(QuestionVote(L, key, on), by):
            wants = self.wants[self.stands[key]]
            (wants.add if on else wants.discard)(by.person_id)

    @rule(number=which, other=which)
    def merge(self, number: int, other: int) -> None:
        one, into = self.key(number), self.key(other)
        if self.say(QuestionMerge(L, one, into), TEACHER):
            gone, stays = self.stands[one], self.stands[into]
            self.wants[stays] |= self.wants[gone]
            self.stands = {key: stays if now == gone else now for key, now in self.stands.items()}

    @rule(by=who, number=which)
    def withdraw(self, by: Who, number: int) -> None:
        self.say(QuestionWithdraw(L, self.key(number)), by)

    @rule(number=which, what=st.sampled_from(["answer", "live", "back", "done", "hide", "show"]))
    def teach(self, number: int, what: str) -> None:
        key = self.key(number)
        commands: dict[str, Any] = {
            "answer": QuestionAnswer(L, key, "答"),
            "live": QuestionAnswering(L, key),
            "back": QuestionAnswering(L, key, False),
            "done": QuestionDone(L, key),
            "hide": QuestionHide(L, key, True),
            "show": QuestionHide(L, key, False),
        }
        self.say(commands[what], TEACHER)

    @invariant()
    def everybody_counts_once_and_no_merge_loses_a_vote(self) -> None:
        for key, stays in self.stands.items():
            if key == stays:
                assert self.at.view(key).votes == len(self.wants[key])
                assert self.at.state.questions[key].backers == self.wants[key]

    @invariant()
    def nobody_learns_who_asks_anonymously(self) -> None:
        for key, author in self.anonymous.items():
            told = repr(self.at.view(key, desk=False))
            assert author not in told
            for peer in TRAINEES:
                if peer.person_id != author:
                    mine = self.at.activity.mine(self.at.state, peer.person_id)
                    assert key not in mine.asked

    @invariant()
    def one_at_most_is_answered_live(self) -> None:
        live = [one.id for one in self.at.state.questions.values() if one.state == "answering"]
        assert live == ([] if self.at.state.answering is None else [self.at.state.answering])

    @invariant()
    def the_acts_alone_make_the_same(self) -> None:
        assert self.at.rebuilt() == self.at.state

    @invariant()
    def what_changed_was_said_to_have_changed(self) -> None:
        now = {key: self.at.view(key, True) for key in self.at.activity.keys(self.at.state)}
        before = getattr(self, "before", {})
        assert {key for key in now if before.get(key) != now[key]} <= {*getattr(self, "told", ()), *self.at.changed}
        self.before, self.told = now, ()


def test_any_interleaving() -> None:
    run_state_machine_as_test(Classroom, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))
