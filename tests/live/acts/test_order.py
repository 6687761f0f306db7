"""The order of a lesson: what is switched on for whom, silence, removal, the lobby."""

from dataclasses import asdict
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import DomainError
from server.live.acts.order import (
    DEFAULTS,
    WHATS,
    Knock,
    OrderActivity,
    OrderAdmit,
    OrderLobby,
    OrderReadmit,
    OrderRemove,
    OrderSilence,
    OrderSwitch,
    State,
)
from server.live.acts.port import Act, Scene, What, Who

TEACHER, JIA, YI = Who("t" * 16, teaches=True), Who("a" * 16), Who("b" * 16)
L = "c" * 16
ORDER = OrderActivity()


def after(*commands: tuple[Any, Who] | Any) -> State:
    """The order after commands of the instructor, or of somebody else."""
    state, seq = ORDER.start(), count(1)
    for given_by in commands:
        command, who = given_by if isinstance(given_by, tuple) else (given_by, TEACHER)
        for fact in ORDER.decide(state, command, Scene(0, state), who):
            ORDER.apply(state, Act(next(seq), 0, "order", fact.kind, who.person_id, fact.body))
    return state


def code(state: State, who: Who, what: What) -> str | None:
    try:
        state.check(who, what)
    except DomainError as error:
        return error.code
    return None


def test_a_lesson_begins_with_what_its_defaults_say() -> None:
    state = after()
    assert {what: state.may(JIA, what) for what in WHATS} == DEFAULTS
    assert all(state.may(TEACHER, what) for what in WHATS)


def test_what_is_switched_for_one_is_above_what_is_switched_for_all() -> None:
    state = after(OrderSwitch(L, "text", False), OrderSwitch(L, "text", True, JIA.person_id))
    assert (code(state, JIA, "text"), code(state, YI, "text")) == (None, "switched_off")
    state = after(OrderSwitch(L, "drawing", True), OrderSwitch(L, "drawing", False, JIA.person_id))
    assert (code(state, JIA, "drawing"), code(state, YI, "drawing")) == ("switched_off", None)


def test_a_switch_of_ones_own_can_be_taken_back() -> None:
    state = after(OrderSwitch(L, "text", False, JIA.person_id), OrderSwitch(L, "text", None, JIA.person_id))
    assert state.may(JIA, "text")
    with pytest.raises(DomainError) as refused:
        after(OrderSwitch(L, "text", None))
    assert refused.value.code == "bad_request"


def test_silence_is_above_everything_that_trainees_were_given() -> None:
    state = after(OrderSwitch(L, "drawing", True, JIA.person_id), OrderSilence(L, on=True))
    assert {code(state, JIA, what) for what in WHATS} == {"silenced"}
    assert state.may(TEACHER, "text")
    assert after(OrderSilence(L, on=True), OrderSilence(L, on=False)).may(JIA, "text")


def test_whoever_was_removed_can_do_nothing_until_readmitted() -> None:
    removed = after(OrderRemove(L, JIA.person_id))
    assert (code(removed, JIA, "text"), removed.outside(JIA.person_id)) == (
        "removed_from_lesson",
        "removed_from_lesson",
    )
    assert removed.outside(YI.person_id) is None
    back = after(OrderRemove(L, JIA.person_id), OrderLobby(L, on=True), OrderReadmit(L, JIA.person_id))
    assert (code(back, JIA, "text"), back.outside(JIA.person_id)) == (None, None)


def test_a_lobby_holds_those_who_knock_until_they_are_admitted() -> None:
    knocked = after(OrderLobby(L, on=True), (Knock(), JIA), (Knock(), YI), (Knock(), JIA))
    assert (knocked.outside(JIA.person_id), [*knocked.waiting]) == ("in_lobby", [JIA.person_id, YI.person_id])
    one = after(OrderLobby(L, on=True), (Knock(), JIA), (Knock(), YI), OrderAdmit(L, JIA.person_id))
    assert (one.outside(JIA.person_id), one.outside(YI.person_id), [*one.waiting]) == (None, "in_lobby", [YI.person_id])
    every = after(OrderLobby(L, on=True), (Knock(), JIA), (Knock(), YI), OrderAdmit(L))
    assert (every.outside(JIA.person_id), every.outside(YI.person_id), every.waiting) == (None, None, {})
    assert after(OrderLobby(L, on=True), OrderLobby(L, on=False)).outside(JIA.person_id) is None


def test_trainees_are_told_of_the_order_of_all_and_of_their_own_alone() -> None:
    state = after(OrderSwitch(L, "text", False, JIA.person_id), OrderRemove(L, YI.person_id))
    names = {JIA.person_id: "甲", YI.person_id: "乙"}.__getitem__
    everybody, jia = ORDER.view(state, "all", False, names), ORDER.mine(state, JIA.person_id)
    assert everybody is not None
    assert jia is not None
    assert (everybody.id, everybody.removed, jia.switches.text, jia.switches.voice) == ("all", False, False, None)
    assert ORDER.view(state, YI.person_id, False, names) is None
    seen = ORDER.view(state, YI.person_id, True, names)
    assert seen is not None
    assert (seen.name, seen.removed) == ("乙", True)
    assert ORDER.mine(state, YI.person_id) is None


PEOPLE = st.sampled_from([JIA.person_id, YI.person_id])
COMMANDS = st.one_of(
    st.builds(OrderSwitch, st.just(L), st.sampled_from(WHATS), st.booleans(), st.none() | PEOPLE),
    st.builds(OrderSilence, st.just(L), st.booleans()),
    st.builds(OrderRemove, st.just(L), PEOPLE),
    st.builds(OrderReadmit, st.just(L), PEOPLE),
    st.builds(OrderLobby, st.just(L), st.booleans()),
    st.builds(OrderAdmit, st.just(L), st.none() | PEOPLE),
    st.tuples(st.just(Knock()), st.sampled_from([JIA, YI])),
)


@given(st.lists(COMMANDS, max_size=30))
def test_silence_and_removal_hold_whatever_is_commanded_and_said_again(
    commands: list[Any],
) -> None:
    state = after(*commands)
    for who in (JIA, YI):
        if who.person_id in state.removed or state.silence:
            assert not any(state.may(who, what) for what in WHATS)
        if who.person_id in state.removed:
            assert who.person_id not in state.waiting
    if commands and not isinstance(commands[-1], tuple):
        assert not ORDER.decide(state, commands[-1], Scene(0, state), TEACHER)
    keys = list(ORDER.keys(state))
    assert keys[0] == "all"
    assert len(keys) == len(set(keys))
    for key in keys:
        assert asdict(ORDER.view(state, key, True, str) or state)["id"] == key
