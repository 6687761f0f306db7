"""Who is on stage: the line is fair, invitations lapse, whatever happens ends in the state that its acts make."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.core.errors import DomainError
from server.live.acts.order import DEFAULTS
from server.live.acts.order import State as OrderState
from server.live.acts.port import Act, Scene, Who
from server.live.acts.stage import (
    HAND_PAUSE_MS,
    INVITED_MS,
    MOST_GUESTS,
    SWITCHES,
    Gone,
    Over,
    Settle,
    StageAccept,
    StageActivity,
    StageInvite,
    StageLeave,
    StageLower,
    StageRaise,
    StageSilence,
    StageSwitch,
    StageTakeDown,
    StageView,
    State,
)

TEACHER = Who("teacher", teaches=True)
PEOPLE = [f"p{number}" for number in range(7)]


class Hall:
    """A lesson's stage, its log and a clock."""

    def __init__(self) -> None:
        self.activity = StageActivity()
        self.state = self.activity.start()
        self.order = OrderState()
        self.acts: list[Act] = []
        self.now_ms = 1_000_000
        self.begun = True

    def _apply(self, state: State, act: Act) -> set[str]:
        return set(self.activity.apply(state, act))

    def do(self, who: Who | str, command: Any) -> list[Act]:
        who = Who(who) if isinstance(who, str) else who
        facts = self.activity.decide(self.state, command, Scene(self.now_ms, self.order, self.begun), who)
        return self._happen(facts, who.person_id)

    def _happen(self, facts: Any, actor: str) -> list[Act]:
        acts = []
        for fact in facts:
            act = Act(len(self.acts) + 1, self.now_ms, "stage", fact.kind, actor, fact.body)
            before = self.views()
            changed = self._apply(self.state, act)
            after = self.views()
            really = {
                key for key in before | after if before.get(key, self.view(key)) != after.get(key, self.view(key))
            }
            assert really <= changed, act
            self.acts.append(act)
            acts.append(act)
        return acts

    def tick(self) -> list[Act]:
        return self._happen(self.activity.due(self.state, self.now_ms), "")

    def view(self, key: str) -> StageView:
        return self.activity.view(self.state, key, True, str)

    def views(self) -> dict[str, StageView]:
        return {key: self.view(key) for key in [*self.activity.keys(self.state), *PEOPLE]}

    def rebuilt(self) -> State:
        state = self.activity.start()
        for act in self.acts:
            self._apply(state, act)
        return state

    def number(self, person: str) -> int:
        return self.state.guests[person].number

    def up(self, person: str, picture: bool = True) -> None:
        self.do(TEACHER, StageInvite("l", person))
        self.do(person, StageAccept("l", self.number(person), picture))

    def refused(self, who: Who | str, command: Any) -> str:
        with pytest.raises(DomainError) as caught:
            self.do(who, command)
        return caught.value.code


@pytest.fixture
def hall() -> Hall:
    return Hall()


def test_hands_stand_in_line_and_who_was_on_stage_comes_last(hall: Hall) -> None:
    for person in ("p0", "p1", "p2"):
        hall.do(person, StageRaise("l"))
    assert hall.state.line() == ["p0", "p1", "p2"]
    hall.up("p0")
    assert hall.state.line() == ["p1", "p2"]
    hall.do("p0", StageLeave("l", hall.number("p0")))
    hall.now_ms += HAND_PAUSE_MS
    hall.do("p0", StageRaise("l"))
    hall.do("p3", StageRaise("l"))
    assert hall.state.line() == ["p1", "p2", "p3", "p0"]
    assert [hall.view(one).turns for one in hall.state.line()] == [0, 0, 0, 1]


def test_a_hand_is_lowered_by_its_owner_or_by_whoever_teaches(hall: Hall) -> None:
    for person in ("p0", "p1", "p2"):
        hall.do(person, StageRaise("l"))
        assert hall.do(person, StageRaise("l")) == []
    assert hall.refused("p0", StageLower("l", "p1")) == "forbidden"
    hall.do("p0", StageLower("l"))
    hall.do(TEACHER, StageLower("l", "p1"))
    assert hall.state.line() == ["p2"]
    hall.do("p1", StageLower("l", "p1"))
    hall.do(TEACHER, StageLower("l"))
    assert hall.state.line() == []


def test_a_hand_does_not_go_up_and_down_without_end(hall: Hall) -> None:
    hall.do("p0", StageRaise("l"))
    hall.do("p0", StageLower("l"))
    hall.now_ms += HAND_PAUSE_MS - 1
    assert hall.refused("p0", StageRaise("l")) == "too_many_tries"
    hall.now_ms += 1
    hall.do("p0", StageRaise("l"))


def test_nobody_is_on_stage_before_the_lesson(hall: Hall) -> None:
    hall.begun = False
    assert hall.refused("p0", StageRaise("l")) == "lesson_not_live"
    assert hall.refused(TEACHER, StageInvite("l", "p0")) == "lesson_not_live"


def test_the_stage_has_room_for_so_many_invited_or_on_it(hall: Hall) -> None:
    for person in PEOPLE[:MOST_GUESTS]:
        hall.do(TEACHER, StageInvite("l", person))
    assert hall.do(TEACHER, StageInvite("l", PEOPLE[0])) == []
    assert hall.refused(TEACHER, StageInvite("l", PEOPLE[MOST_GUESTS])) == "stage_full"
    hall.do(PEOPLE[0], StageLeave("l", hall.number(PEOPLE[0])))
    hall.do(TEACHER, StageInvite("l", PEOPLE[MOST_GUESTS]))


def test_only_who_is_invited_comes_up_and_only_by_that_invitation(hall: Hall) -> None:
    assert hall.refused("p0", StageAccept("l", 1, True)) == "not_invited"
    hall.do(TEACHER, StageInvite("l", "p0"))
    first = hall.number("p0")
    assert hall.refused("p1", StageAccept("l", first, True)) == "not_invited"
    hall.do(TEACHER, StageTakeDown("l", "p0"))
    hall.do(TEACHER, StageInvite("l", "p0"))
    assert hall.refused("p0", StageAccept("l", first, True)) == "not_invited"
    hall.do("p0", StageAccept("l", hall.number("p0"), True))
    assert hall.do("p0", StageAccept("l", hall.number("p0"), True)) == []


def test_no_to_an_invitation_is_no_to_that_one_alone(hall: Hall) -> None:
    hall.do(TEACHER, StageInvite("l", "p0"))
    first = hall.number("p0")
    hall.do("p0", StageLeave("l", first))
    assert hall.view("p0").why == "declined"
    hall.up("p0")
    assert hall.do("p0", StageLeave("l", first)) == []
    hall.do("p0", StageLeave("l", first + 1))
    assert hall.view("p0").why == "left"
    assert hall.do("p0", StageLeave("l", first + 1)) == []


def test_an_invitation_lapses_and_the_hand_with_it(hall: Hall) -> None:
    hall.do("p0", StageRaise("l"))
    hall.do(TEACHER, StageInvite("l", "p0"))
    hall.now_ms += INVITED_MS - 1
    assert hall.tick() == []
    hall.now_ms += 1
    assert hall.refused("p0", StageAccept("l", hall.number("p0"), True)) == "not_invited"
    assert [act.body for act in hall.tick()] == [{"person_id": "p0", "why": "lapsed"}]
    assert hall.tick() == []
    assert (hall.view("p0").where, hall.view("p0").why, hall.state.line()) == ("", "lapsed", [])


def test_who_is_on_stage_does_not_lapse(hall: Hall) -> None:
    hall.up("p0")
    hall.now_ms += 10 * INVITED_MS
    assert hall.tick() == []


def test_a_guest_is_heard_and_seen_as_they_chose_and_as_whoever_teaches_lets_them(hall: Hall) -> None:
    hall.up("p0", picture=False)
    assert (hall.view("p0").voice, hall.view("p0").picture) == (True, False)
    hall.do("p0", StageSwitch("l", voice=True, picture=True))
    assert hall.view("p0").picture
    hall.do(TEACHER, StageSilence("l", "p0", on=True))
    assert not hall.view("p0").voice
    hall.do("p0", StageSwitch("l", voice=False, picture=True))
    hall.do("p0", StageSwitch("l", voice=True, picture=True))
    assert not hall.view("p0").voice  # their own switch does not undo it
    hall.do(TEACHER, StageSilence("l", "p0", on=False))
    assert hall.view("p0").voice
    assert hall.do(TEACHER, StageSilence("l", "p0", on=False)) == []
    assert hall.refused(TEACHER, StageSilence("l", "p1", on=True)) == "not_on_stage"
    assert hall.refused("p1", StageSwitch("l", voice=True, picture=True)) == "not_on_stage"


def test_the_order_of_the_lesson_holds_for_guests(hall: Hall) -> None:
    hall.order.switches["video"] = False
    hall.up("p0")
    assert (hall.view("p0").picture, hall.view("p0").may_picture) == (False, False)
    hall.order.switches["video"] = True
    hall.order.silence = True
    hall.do(Who(""), Settle())
    assert (hall.view("p0").voice, hall.view("p0").picture) == (False, False)
    assert hall.refused(TEACHER, StageInvite("l", "p1")) == "silenced"
    hall.order.silence = False
    hall.do(Who(""), Settle())
    assert (hall.view("p0").voice, hall.view("p0").picture) == (True, True)
    assert hall.do(Who(""), Settle()) == []
    hall.order.switches["voice"] = False
    assert hall.refused(TEACHER, StageInvite("l", "p1")) == "switched_off"
    hall.order.own["p1"] = {"voice": True}
    hall.do(TEACHER, StageInvite("l", "p1"))
    hall.order.own["p1"]["voice"] = False
    assert hall.refused("p1", StageAccept("l", hall.number("p1"), True)) == "switched_off"


def test_down_is_down_for_everybody_and_the_end_leaves_nobody(hall: Hall) -> None:
    hall.up("p0")
    hall.up("p1")
    hall.do(TEACHER, StageInvite("l", "p2"))
    hall.do("p3", StageRaise("l"))
    hall.do(TEACHER, StageTakeDown("l", "p0"))
    assert hall.do(TEACHER, StageTakeDown("l", "p0")) == []
    hall.do(Who(""), Gone("p1", "lost"))
    assert hall.do(Who(""), Gone("p1", "lost")) == []
    assert (hall.view("p0").why, hall.view("p1").why) == ("taken_down", "lost")
    hall.do(Who(""), Over())
    assert (hall.state.guests, hall.state.hands) == ({}, {})
    hall.do("p4", StageRaise("l"))
    hall.do(Who(""), Gone("p4", "left"))
    assert hall.state.hands == {}


def test_each_time_on_stage_is_another_guest(hall: Hall) -> None:
    hall.up("p0")
    first = hall.number("p0")
    hall.do(TEACHER, StageSilence("l", "p0", on=True))
    hall.do("p0", StageLeave("l", hall.number("p0")))
    hall.up("p0")
    assert hall.number("p0") > first
    assert hall.view("p0").voice
    assert hall.view("p0").turns == 2


def test_everybody_is_told_the_same_but_only_each_their_own(hall: Hall) -> None:
    hall.up("p0")
    assert hall.activity.view(hall.state, "p0", False, str) == hall.view("p0")
    assert hall.activity.mine(hall.state, "p1") is None
    mine = hall.activity.mine(hall.state, "p0")
    assert mine is not None
    assert mine.where == "on"


people = st.sampled_from(PEOPLE)
yes_or_no = st.booleans()
moves = st.one_of(
    st.tuples(people, st.just(StageRaise("l"))),
    st.tuples(people, st.just(StageLower("l"))),
    st.tuples(people, st.builds(StageAccept, st.just("l"), st.integers(1, 12), yes_or_no)),
    st.tuples(people, st.just("accept")),
    st.tuples(people, st.builds(StageLeave, st.just("l"), st.integers(1, 12))),
    st.tuples(people, st.builds(StageSwitch, st.just("l"), yes_or_no, yes_or_no)),
    st.tuples(st.just("teacher"), st.builds(StageLower, st.just("l"), st.none() | people)),
    st.tuples(st.just("teacher"), st.builds(StageInvite, st.just("l"), people)),
    st.tuples(st.just("teacher"), st.builds(StageTakeDown, st.just("l"), people)),
    st.tuples(st.just("teacher"), st.builds(StageSilence, st.just("l"), people, yes_or_no)),
    st.tuples(st.just(""), st.builds(Gone, people, st.just("lost"))),
    st.tuples(st.just(""), st.just(Settle())),
    st.tuples(st.just(""), st.just(Over())),
    st.tuples(st.just("order"), st.sampled_from(["voice", "video", "silence"])),
    st.tuples(st.just("time"), st.integers(0, INVITED_MS)),
)


def move(hall: Hall, who: str, what: Any) -> None:
    match who, what:
        case "time", int():
            hall.now_ms += what
            hall.tick()
        case "order", "silence":
            hall.order.silence = not hall.order.silence
            hall.do(Who(""), Settle())
        case "order", _:
            hall.order.switches[what] = not hall.order.switches[what]
            hall.do(Who(""), Settle())
        case person, "accept":
            if person in hall.state.guests:
                hall.do(person, StageAccept("l", hall.number(person), True))
        case "teacher", command:
            hall.do(TEACHER, command)
        case person, command:
            hall.do(person, command)


@settings(max_examples=300, deadline=None)
@given(st.lists(moves, max_size=60))
def test_whatever_happens_the_stage_is_in_order(everything: list[tuple[str, Any]]) -> None:
    hall = Hall()
    for who, what in everything:
        with suppress(DomainError):
            move(hall, who, what)
        assert len(hall.state.guests) <= MOST_GUESTS
        invited = [act.body["person_id"] for act in hall.acts if act.kind == "invite"]
        for person, guest in hall.state.guests.items():
            assert invited[guest.number - 1] == person
            assert not (guest.on and person in hall.state.hands)
            may = not hall.order.silence and hall.order.switches["voice"]
            assert not (guest.on and guest.voice and not may)
            view = hall.view(person)
            assert view.picture <= (hall.order.switches["video"] and not hall.order.silence)
        line = [hall.view(person) for person in hall.state.line()]
        assert [(one.turns, one.hand) for one in line] == sorted((one.turns, one.hand or 0) for one in line)
    assert hall.rebuilt() == hall.state


def test_an_act_that_nobody_knows_is_a_fault(hall: Hall) -> None:
    hall.up("p0")
    with pytest.raises(ValueError, match="dance"):
        hall.activity.apply(hall.state, Act(9, 0, "stage", "dance", "p0", {}))
    with pytest.raises(TypeError):
        hall.do("p0", object())


def test_as_a_lesson_begins_guests_may_speak_and_be_seen() -> None:
    assert DEFAULTS["voice"]
    assert DEFAULTS["video"]


def test_a_guest_turns_their_voice_on_and_off_only_so_fast(hall: Hall) -> None:
    hall.up("p0")
    for at in range(SWITCHES.most):
        assert len(hall.do("p0", StageSwitch("l", voice=at % 2 == 1, picture=True))) == 1
    assert hall.refused("p0", StageSwitch("l", voice=False, picture=True)) == "slow_down"
    hall.now_ms += SWITCHES.within_ms
    assert len(hall.do("p0", StageSwitch("l", voice=False, picture=True))) == 1
