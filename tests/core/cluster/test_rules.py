"""Who lives and who may act, as transcripts of counters and clocks."""

import pytest

from server.core.cluster.rules import BLIND_MS, DEAD_MS, FIT_MS, Watch, connection_name, fit, node_of

A, B = "a" * 16, "b" * 16


@pytest.mark.parametrize(
    ("renewed_ms", "now_ms", "acts"),
    [(None, 0, False), (0, 0, True), (0, FIT_MS - 1, True), (0, FIT_MS, False), (FIT_MS, 0, False)],
)
def test_a_process_acts_only_so_long_after_its_renewal_began(renewed_ms: int | None, now_ms: int, acts: bool) -> None:
    assert fit(renewed_ms, now_ms) is acts


def test_it_stops_to_act_before_others_take_over() -> None:
    assert FIT_MS < DEAD_MS


def looks(watch: Watch, counters: list[dict[str, int]], step_ms: int = 1_000) -> list[frozenset[str]]:
    return [watch.look(seen, number * step_ms) for number, seen in enumerate(counters)]


def test_a_counter_that_stands_still_is_a_dead_process_at_the_edge() -> None:
    seen = looks(Watch(), [{A: 7, B: number} for number in range(22)])
    assert [bool(dead) for dead in seen] == [False] * 20 + [True] * 2
    assert seen[-1] == {A}


def test_a_counter_that_moves_again_is_alive_again() -> None:
    watch = Watch()
    looks(watch, [{A: 7}] * 21)
    assert watch.look({A: 8}, 21_000) == frozenset()
    assert watch.look({A: 8}, 22_000) == frozenset()


def test_who_was_blind_begins_to_count_anew() -> None:
    watch = Watch()
    looks(watch, [{A: 7}] * 15)
    assert watch.look({A: 7}, 14_000 + BLIND_MS + 1) == frozenset()
    assert watch.look({A: 7}, 14_000 + BLIND_MS + 2_000) == frozenset()


def test_a_look_that_is_late_but_not_blind_counts_on() -> None:
    watch = Watch()
    looks(watch, [{A: 7}] * 5, step_ms=BLIND_MS)
    assert watch.look({A: 7}, 5 * BLIND_MS) == {A}


def test_a_connection_names_its_node_and_a_group_none() -> None:
    assert node_of(connection_name(A, "x:y")) == A
    assert [node_of(name) for name in ("lesson:" + A, "desk:" + A, "sid", "", A)] == [""] * 5
