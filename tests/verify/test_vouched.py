"""What challenges vouch for: each rule by an example, and together they never lose or double a millisecond.

`vouched.json` is read by web/src/verify/vouched.test.ts too; `drawn` made it, and `said` what is expected of each case.
"""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists, none, sampled_from, tuples

from server.verify.vouched import (
    VOIDS,
    WAITING,
    Happened,
    Outcome,
    Refusal,
    Span,
    Spans,
    between,
    is_waiting,
    split,
    vouch,
)

FILE = Path(__file__).parent / "vouched.json"
LIMIT = 1_000
HOUR = ((0, 3_600),)
P, F, T = Outcome.PASSED, Outcome.FAILED, Outcome.TIMED_OUT


def judged(
    recorded: Spans, happened: list[tuple[int, Outcome]], limit: int | None = LIMIT, settled: bool = True
) -> tuple[list[Span], list[Span], dict[Refusal, list[Span]], Refusal | None]:
    found = vouch(recorded, [Happened(at, what) for at, what in happened], limit, settled)
    return found.confirmed, found.pending, found.refused, found.blocked


def test_a_scheme_without_challenges_vouches_for_everything() -> None:
    assert judged(HOUR, [(5, F)], None, settled=False) == ([(0, 3_600)], [], {}, None)


def test_nothing_is_confirmed_before_a_pass_or_the_end() -> None:
    assert judged(((0, 700),), [(300, Outcome.ISSUED)], settled=False) == ([], [(0, 700)], {}, None)


def test_two_passes_within_the_limit_vouch_for_the_time_between_and_the_entry_for_what_comes_first() -> None:
    confirmed, pending, refused, blocked = judged(((0, 2_500),), [(900, P), (1_900, P)], settled=False)
    assert confirmed == [(0, 900), (900, 1_900)]
    assert (pending, refused, blocked) == ([(1_900, 2_500)], {}, None)


def test_the_limit_itself_is_within_it_and_one_millisecond_more_is_pending() -> None:
    assert judged(((0, 1_000),), [(1_000, P)])[1] == []
    assert judged(((0, 1_001),), [(1_001, P)])[:2] == ([(0, 1_000)], [(1_000, 1_001)])


def test_after_the_last_pass_the_end_confirms_up_to_the_limit() -> None:
    assert judged(((0, 2_400),), [(500, P)])[:2] == ([(0, 500), (500, 1_500)], [(1_500, 2_400)])
    assert judged(((0, 1_400),), [(500, P)])[:2] == ([(0, 500), (500, 1_400)], [])


def test_distances_are_recorded_time() -> None:
    """A break of any length costs nothing."""
    assert judged(((0, 600), (90_000, 90_400)), [(90_400, P)])[:2] == ([(0, 600), (90_000, 90_400)], [])


@pytest.mark.parametrize("what", VOIDS)
def test_a_void_goes_back_to_the_last_pass_and_on_to_the_next(what: Outcome) -> None:
    """I14, I15."""
    confirmed, pending, refused, blocked = judged(((0, 3_000),), [(800, P), (1_500, what), (2_200, P)])
    assert confirmed == [(0, 800), (2_200, 3_000)]
    assert refused == {VOIDS[what]: [(800, 1_500), (1_500, 2_200)]}
    assert (pending, blocked) == ([], None)


def test_the_reason_of_a_void_is_the_first_one_until_a_pass() -> None:
    refused = judged(((0, 900),), [(300, T), (600, F)])[2]
    assert refused == {Refusal.CHALLENGE_MISSED: [(0, 300), (300, 600), (600, 900)]}
    refused = judged(((0, 900),), [(300, T), (600, P), (800, F)])[2]
    assert refused == {
        Refusal.CHALLENGE_MISSED: [(0, 300), (300, 600)],
        Refusal.IDENTITY_FAILED: [(600, 800), (800, 900)],
    }


@pytest.mark.parametrize("settled", [True, False])
def test_who_is_blocked_has_nothing_that_could_still_count(settled: bool) -> None:
    assert judged(((0, 900),), [(300, F)], settled=settled) == (
        [],
        [],
        {Refusal.IDENTITY_FAILED: [(0, 300), (300, 900)]},
        Refusal.IDENTITY_FAILED,
    )


@pytest.mark.parametrize("what", [one for one in Outcome if one is not P and one not in VOIDS])
def test_what_decides_nothing_changes_nothing(what: Outcome) -> None:
    assert judged(HOUR, [(100, P), (500, what)]) == judged(HOUR, [(100, P)])


def test_what_waits() -> None:
    assert not is_waiting([])
    for one in Outcome:
        assert is_waiting([Happened(1, Outcome.PASSED), Happened(2, one)]) is (one in WAITING)
    assert not is_waiting([Happened(1, Outcome.ISSUED), Happened(2, Outcome.WITHDRAWN)])
    assert {one.name for one in WAITING} == {"ISSUED", "PAUSED", "RESUMED"}


def test_reasons_have_stable_codes_and_numbers() -> None:
    assert [(one.value, one.code) for one in Refusal] == [(1, "challenge_missed"), (2, "identity_failed")]
    assert [one.value for one in Outcome] == list(range(1, 10))
    assert {one.name: VOIDS[one].code for one in VOIDS} == {
        "FAILED": "identity_failed",
        "TIMED_OUT": "challenge_missed",
        "SILENT": "challenge_missed",
        "BLOCKED": "challenge_missed",
    }


def test_spans_are_cut_at_both_ends() -> None:
    spans = ((0, 10), (20, 30), (40, 50))
    assert between(spans, 5, 45) == ((5, 10), (20, 30), (40, 45))
    assert between(spans, 10, 20) == ()
    assert between(spans, 0, 10) == ((0, 10),)
    assert split(spans, 15) == (((0, 10), (20, 25)), ((25, 30), (40, 50)))
    assert split(spans, 10) == (((0, 10),), ((20, 30), (40, 50)))
    assert split(spans, 0) == ((), spans)
    assert split(spans, 31) == (spans, ())


RECORDED = lists(tuples(integers(0, 40), integers(1, 40)), max_size=8)
HAPPENED = lists(tuples(integers(0, 400), sampled_from(Outcome)), max_size=12)


@given(RECORDED, HAPPENED, none() | integers(1, 120), sampled_from([True, False]))
def test_every_recorded_millisecond_is_in_exactly_one_part(
    parts: list[tuple[int, int]], happened: list[tuple[int, Outcome]], limit: int | None, settled: bool
) -> None:
    recorded: list[Span] = []
    at = 0
    for gap, width in parts:
        recorded.append((at + gap + 1, at + gap + 1 + width))
        at = recorded[-1][1]
    found = vouch(tuple(recorded), [Happened(*one) for one in sorted(happened)], limit, settled)
    every = [*found.confirmed, *found.pending, *(one for spans in found.refused.values() for one in spans)]
    shown = sorted(ms for start, end in every for ms in range(start, end))
    assert shown == [ms for start, end in recorded for ms in range(start, end)]


def drawn(draw: Random) -> dict[str, Any]:
    """A short lesson of somebody who is asked often: what was recorded, what happened, under which limit."""
    recorded, at = [], draw.randrange(20)
    for _ in range(draw.randrange(6)):
        recorded.append([at, at + draw.randrange(1, 40)])
        at = recorded[-1][1] + draw.choice([0, 1, 30])
    happened = sorted([draw.randrange(at + 20), draw.choice(list(Outcome))] for _ in range(draw.randrange(8)))
    limit_ms = draw.choice([None, 0, 10, 25, 60, 60])
    return {"recorded": recorded, "happened": happened, "limit_ms": limit_ms, "settled": draw.random() < 0.6}


def said(case: dict[str, Any]) -> dict[str, Any]:
    """What is to be said of a case."""
    happened = [Happened(at_ms, Outcome(what)) for at_ms, what in case["happened"]]
    recorded = tuple((start, end) for start, end in case["recorded"])
    found = vouch(recorded, happened, case["limit_ms"], case["settled"])
    return {
        "confirmed": found.confirmed,
        "pending": found.pending,
        "refused": {why.code: spans for why, spans in found.refused.items()},
        "blocked": found.blocked and found.blocked.code,
        "waits": is_waiting(happened),
    }


def test_the_stored_cases_are_judged_as_in_the_checking_page() -> None:
    cases = json.loads(FILE.read_text("utf-8"))
    assert len(cases) == 200
    for case in cases:
        assert json.loads(json.dumps(said(case))) == case["said"], case
    for part in ("confirmed", "pending", "refused", "blocked", "waits"):
        assert sum(bool(case["said"][part]) for case in cases) >= 20, part
