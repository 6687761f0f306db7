"""Each rule of challenges in the evidence by itself; how a log is held against them: test_challenges.py."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256

import pytest

from server.verify.bundle import FORMAT, Bundle, GroupPart, LeafPart, behind_lengths
from server.verify.challenges import Challenges, Judged
from server.verify.formats import (
    COMMITTED,
    NO_HASH,
    NO_ID,
    REVEALED,
    Group,
    Kind,
    Leaf,
    LeafFlag,
    Record,
    minute_tail,
    pack_minutes,
)
from server.verify.minutes import CREDITED, SUMMARY, Summary, write
from server.verify.schedule import LATER_MS, SOONER_MS, Rule, draw, due_after_ms
from server.verify.vouched import Outcome

LESSON, OTHER = b"lesson-1", b"lesson-2"
JIA, YI = b"person-j", b"person-y"
SLOT, MINUTE = 29_000_000, 60_000
SEED = b"s" * 32
ASKED, PASS, FAIL, LATE = Outcome.ISSUED, Outcome.PASSED, Outcome.FAILED, Outcome.TIMED_OUT
LIMIT_S, ANSWER_MS = 600, 60_000
SHOWN = {sha256(SEED).digest(): SEED}
HIDDEN = 1
WHOLE = ((0, MINUTE),)


def seed(
    mode: int = COMMITTED, at: int = 0, of: bytes = SEED, limit_s: int = LIMIT_S, answer_ms: int = ANSWER_MS
) -> Record:
    return Record(
        Kind.CHALLENGE_SEED, SLOT + at, seq=mode, resource=LESSON, mode=mode, credit_ms=answer_ms, flags=limit_s,
        evidence=sha256(of).digest(),
    )  # fmt: skip


def step(seq: int, at_ms: int, what: int, person: bytes = JIA, limit_s: int = LIMIT_S) -> Record:
    return Record(
        Kind.CHALLENGE_OUTCOME, SLOT + at_ms // MINUTE, seq=seq, subject=person, resource=LESSON, mode=what,
        credit_ms=at_ms % MINUTE, flags=limit_s,
    )  # fmt: skip


Spent = Mapping[bytes, tuple[tuple[int, int], ...]]


def minute(at: int, spent: Spent, name: bytes = LESSON, sealed: int | None = None) -> LeafPart:
    """A minute of a lesson in which these were credited; or sealed in the leaf of a later one."""
    packed, texts = b"", list[bytes]()
    for person, spans in sorted(spent.items()):
        text = write(Summary(0, spells(spans)))
        ms = sum(end - start for start, end in spans)
        tail = minute_tail(NO_ID, name, 1, ms, SUMMARY, sha256(text).digest())
        packed, texts = packed + pack_minutes(SLOT + at, [(person, tail)]), [*texts, text]
    packed += Record(Kind.LESSON_MINUTE, SLOT + at, len(spent), resource=name, credit_ms=MINUTE).pack()
    part = GroupPart(0, Group(name, 0, 0, 0, 0, NO_HASH).pack(), (), packed, b"", b"", behind_lengths([*texts, b""]))
    slot = SLOT + (at if sealed is None else sealed)
    leaf = Leaf(slot, 0, 1, 0, 0, NO_HASH, NO_HASH, (slot + 1) * MINUTE + 90_000, 0)
    return LeafPart(slot - SLOT, leaf.pack(), (), (part,))


def spells(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    found, at = list[tuple[int, int]](), 0
    for start, end in spans:
        found += [(HIDDEN, start)] if start > at else []
        found.append((CREDITED, end))
        at = end
    return (*found, (HIDDEN, MINUTE)) if at < MINUTE else tuple(found)


def bundle(*leaves: LeafPart) -> Bundle:
    return Bundle(FORMAT, SLOT, "", (), (), (), leaves)


def lesson(count: int, who: Iterable[bytes] = (JIA,), first: int = 0) -> list[LeafPart]:
    """So many whole minutes of these."""
    return [minute(at, dict.fromkeys(who, WHOLE)) for at in range(first, first + count)]


def judged(
    leaves: Iterable[LeafPart],
    *said: Record | tuple[int, Record],
    ended: int | None = 2,
    until: int = 2,
    shown: Mapping[bytes, bytes] = SHOWN,
    name: bytes = LESSON,
) -> Judged:
    """What is said stands in the leaf of its own minute, or of the minute named beside it."""
    challenges = Challenges()
    for one in said:
        at, record = one if isinstance(one, tuple) else (one.slot - SLOT, one)
        challenges.take(SLOT + at, name, record)
    over = {} if ended is None else {name: SLOT + ended}
    return challenges.judged(bundle(*leaves), shown, over, SLOT + until)


def wrong(found: Judged) -> list[tuple[str, int, bytes]]:
    return [(code, at - SLOT, who) for code, at, name, who in found.wrong if name == LESSON]


def left(found: Judged) -> dict[tuple[bytes, int], int]:
    return {(who, at - SLOT): ms for (name, who, at), ms in found.left.items() if name == LESSON}


BOTH_SEEDS = (seed(), seed(REVEALED, 2))


def test_of_a_lesson_without_challenges_nothing_is_said() -> None:
    assert judged(lesson(3)) == Judged({}, (), 0)


def test_an_honest_lesson_counts_whole() -> None:
    found = judged(lesson(3), *BOTH_SEEDS, step(1, 90_000, ASKED), step(2, 95_000, PASS))
    assert (wrong(found), found.delayed) == ([("challenge_shifted", 1, JIA)], 0), "asked far too soon"
    assert left(found) == {(JIA, 0): 0, (JIA, 1): 0, (JIA, 2): 0}


# ---- seeds


@pytest.mark.parametrize(
    ("said", "wrong_at"),
    [
        ([seed()], []),
        ([seed(), seed(REVEALED, 2)], []),
        ([seed(), seed(REVEALED, 3)], []),
        ([(1, seed()), seed(REVEALED, 2)], [0]),
        ([seed(REVEALED)], [0]),
        ([seed(), seed(REVEALED, 1)], [1]),
        ([seed(), seed(COMMITTED, 2)], [2]),
        ([seed(), seed(REVEALED, 2), seed(REVEALED, 3)], [3]),
        ([seed(), seed(REVEALED, 2, b"x" * 32)], [2]),
        ([seed(), seed(REVEALED, 2, limit_s=601)], [2]),
        ([seed(), seed(REVEALED, 2, answer_ms=1)], [2]),
    ],
)
def test_seeds_that_were_not_committed_to_before_or_not_shown_as_they_were(
    said: list[Record | tuple[int, Record]], wrong_at: list[int]
) -> None:
    shown = SHOWN | {sha256(b"x" * 32).digest(): b"x" * 32}
    found = wrong(judged([minute(at, {}) for at in range(3)], *said, shown=shown))
    assert found == [("seed_wrong", at, NO_ID) for at in wrong_at]


def test_a_seed_of_a_lesson_without_any_minute_may_stand_anywhere() -> None:
    assert wrong(judged([], (9, seed()), until=99)) == []


@pytest.mark.parametrize(("leaf", "late"), [(0, False), (1, True), (2, True)])
def test_a_seed_is_in_the_leaf_of_the_first_minute_at_the_latest(leaf: int, late: bool) -> None:
    leaves = [minute(at, {}) for at in (1, 0, 2)]
    assert wrong(judged(leaves, (leaf, seed()))) == [("seed_wrong", 0, NO_ID)] * late


def test_the_first_minute_may_itself_be_sealed_late() -> None:
    leaves = [minute(0, {}, sealed=2), minute(1, {})]
    assert wrong(judged(leaves, (2, seed()))) == []
    assert wrong(judged(leaves, (3, seed()))) == [("seed_wrong", 0, NO_ID)]


@pytest.mark.parametrize("shown", [{}, {sha256(SEED).digest(): SEED[:-1]}])
def test_a_seed_must_be_shown(shown: dict[bytes, bytes]) -> None:
    assert wrong(judged([minute(0, {})], *BOTH_SEEDS, shown=shown)) == [("seed_wrong", 2, NO_ID)]


def test_of_a_lesson_that_has_not_ended_no_seed_is_shown() -> None:
    assert wrong(judged([minute(0, {})], *BOTH_SEEDS, ended=None)) == [("seed_wrong", 2, NO_ID)]
    assert wrong(judged([minute(0, {})], seed(), ended=None, until=99)) == []


@pytest.mark.parametrize(("until", "missing"), [(6, False), (7, True), (99, True)])
def test_a_seed_is_shown_five_minutes_after_the_last_minute_of_the_lesson(until: int, missing: bool) -> None:
    leaves = [minute(0, {}), minute(1, {}, sealed=2)]
    assert wrong(judged(leaves, seed(), ended=1, until=until)) == [("seed_wrong", 1, NO_ID)] * missing


def test_a_seed_that_was_shown_is_not_missing_later() -> None:
    assert wrong(judged([minute(0, {})], *BOTH_SEEDS, until=99)) == []


def test_what_is_said_of_a_lesson_before_its_first_minute_is_none_of_its_minutes() -> None:
    early, (part,) = minute(0, {}), minute(0, {}).groups
    lease = replace(part, records=Record(Kind.LEASE, SLOT, 1, JIA).pack(), evidence=behind_lengths([b""]))
    leaves = [replace(early, groups=(lease,)), minute(1, {})]
    assert wrong(judged(leaves, (1, seed()))) == []


def test_a_minute_that_was_changed_is_named_elsewhere_and_is_none() -> None:
    (part,) = minute(1, {JIA: WHOLE}).groups
    other = replace(minute(1, {}), groups=(replace(part, records=part.records[:1] + b"\2" + part.records[2:]),))
    assert left(judged([*lesson(1), other], seed(), ended=None)) == {(JIA, 0): MINUTE}


# ---- steps


@pytest.mark.parametrize(
    "said",
    [
        [step(1, 1_000, ASKED)],
        [seed(), step(2, 1_000, ASKED)],
        [seed(), step(1, 1_000, ASKED), step(3, 2_000, PASS)],
        [seed(), step(1, 2_000, ASKED), step(2, 1_000, PASS)],
        [seed(), step(1, 1_000, ASKED, limit_s=601)],
        [seed(), step(1, 1_000, ASKED), step(2, 2_000, PASS, limit_s=601)],
        [seed(), step(1, 1_000, 77)],
        [seed(), step(1, 1_000, ASKED), step(2, 61_001, PASS)],
        [seed(), step(1, 1_000, PASS)],
    ],
)
def test_steps_that_contradict_themselves_are_named_where_they_begin(said: list[Record]) -> None:
    codes = [one for one in wrong(judged([], *said, until=0)) if one[0] == "challenge_wrong"]
    assert codes == [("challenge_wrong", said[-1].slot - SLOT if said[-1].credit_ms == 1_001 else 0, JIA)]


def test_steps_are_taken_by_their_number_whatever_the_order_of_the_file() -> None:
    steps = [step(2, 5_000, PASS), step(1, 1_000, ASKED), step(1, 1_000, ASKED, YI), step(2, 1_000, PASS, YI)]
    assert wrong(judged([], seed(), *steps)) == []


# ---- what counts


def test_before_the_end_only_what_a_pass_vouches_for_counts() -> None:
    steps = step(1, 90_000, ASKED), step(2, 95_000, PASS)
    found = left(judged(lesson(3, (JIA, YI)), seed(), *steps, ended=None))
    assert found == {
        (JIA, 0): 0, (JIA, 1): 25_000, (JIA, 2): 60_000, (YI, 0): 60_000, (YI, 1): 60_000, (YI, 2): 60_000,
    }  # fmt: skip


def test_what_waits_at_the_end_is_not_over() -> None:
    found = left(judged(lesson(3, (JIA, YI)), seed(), step(1, 150_000, ASKED)))
    assert [found[YI, at] for at in range(3)] == [0, 0, 0]
    assert [found[JIA, at] for at in range(3)] == [60_000, 60_000, 60_000]


def test_what_is_left_is_summed_minute_by_minute() -> None:
    spans = (0, 10_000), (20_000, 50_000)
    steps = step(1, 5_000, ASKED), step(2, 30_000, FAIL), step(3, 41_000, ASKED), step(4, 45_000, PASS)
    found = left(judged([minute(0, {JIA: spans}), minute(1, {JIA: spans})], seed(), *steps, ended=None))
    assert found == {(JIA, 0): 10_000 + 30_000, (JIA, 1): 40_000}


def test_longer_than_the_limit_between_two_passes_counts_for_nothing() -> None:
    """By the limit of the seed, which is in seconds."""
    steps = [step(1, 1_000, ASKED, limit_s=120), step(2, 1_000, PASS, limit_s=120)]
    near = [step(3, 121_000, ASKED, limit_s=120), step(4, 121_000, PASS, limit_s=120)]
    far = [step(3, 121_001, ASKED, limit_s=120), step(4, 121_001, PASS, limit_s=120)]
    short = seed(limit_s=120)
    assert sum(left(judged(lesson(4), short, *steps, *near, ended=4)).values()) == 0
    assert sum(left(judged(lesson(4), short, *steps, *far, ended=4)).values()) > 0


def test_each_lesson_by_itself() -> None:
    leaves = [minute(0, {JIA: WHOLE}, OTHER), minute(0, {JIA: ((0, 30_000),)})]
    found = judged(leaves, seed(), ended=None)
    assert found.left == {(LESSON, JIA, SLOT): 30_000}
    challenges = Challenges()
    for name in (LESSON, OTHER):
        challenges.take(SLOT, name, seed())
    both = challenges.judged(bundle(*leaves), SHOWN, {LESSON: SLOT}, SLOT)
    assert both.left == {(LESSON, JIA, SLOT): 0, (OTHER, JIA, SLOT): 60_000}


def test_a_lesson_without_a_seed_does_not_hide_the_next_one() -> None:
    challenges = Challenges()
    challenges.take(SLOT, LESSON, step(1, 0, ASKED))
    challenges.take(SLOT, OTHER, seed())
    found = challenges.judged(bundle(minute(0, {JIA: WHOLE}, OTHER)), SHOWN, {}, SLOT)
    assert found.wrong == (("challenge_wrong", SLOT, LESSON, JIA),)
    assert found.left == {(OTHER, JIA, SLOT): 60_000}


# ---- who is asked when


RULE = Rule(LIMIT_S * 1000, ANSWER_MS)
DUE = due_after_ms(draw(SEED, JIA.hex(), 1), RULE)
ENOUGH = (DUE + LATER_MS) // MINUTE + 1


def long(leaves: Iterable[LeafPart], *said: Record) -> Judged:
    """A lesson that is over when who was not asked by then was spared."""
    return judged(leaves, *said, ended=ENOUGH, until=ENOUGH)


def test_who_is_never_asked_is_named_at_the_minute_in_which_it_was_due() -> None:
    seeds = seed(), seed(REVEALED, ENOUGH)
    assert wrong(long(lesson(ENOUGH), *seeds)) == [("challenge_skipped", DUE // MINUTE, JIA)]
    assert wrong(long(lesson(ENOUGH), seed())) == [], "the seed is not shown yet"
    assert wrong(long(lesson(ENOUGH - 1), *seeds)) == []


@pytest.mark.parametrize(
    ("at_ms", "code"),
    [
        (DUE - SOONER_MS - 1, ["challenge_shifted"]),
        (DUE - SOONER_MS, []),
        (DUE + LATER_MS, []),
        (DUE + LATER_MS + 1, ["challenge_shifted"]),
    ],
)
def test_who_is_asked_at_another_time_is_named_at_that_minute(at_ms: int, code: list[str]) -> None:
    steps = step(1, at_ms, ASKED), step(2, at_ms + 1, PASS)
    found = long(lesson(ENOUGH), seed(), seed(REVEALED, ENOUGH), *steps)
    assert wrong(found) == [(one, at_ms // MINUTE, JIA) for one in code]


def test_everybody_who_was_there_is_looked_at() -> None:
    """One with minutes and without steps, one with steps and without minutes."""
    seeds = seed(), seed(REVEALED, ENOUGH)
    found = long(lesson(ENOUGH), *seeds, step(1, 0, ASKED, YI))
    assert sorted(wrong(found)) == [("challenge_shifted", 0, YI), ("challenge_skipped", DUE // MINUTE, JIA)]


def test_minutes_count_in_their_own_order_whatever_the_order_of_the_file() -> None:
    seeds = seed(), seed(REVEALED, ENOUGH)
    found = long(lesson(ENOUGH)[::-1], *seeds)
    assert wrong(found) == [("challenge_skipped", DUE // MINUTE, JIA)]


#: the minute in which it is due
FIRST = DUE // MINUTE


def test_what_was_due_while_nothing_could_be_stored_is_delayed_and_no_fault() -> None:
    leaves = [minute(at, {JIA: WHOLE}, sealed=at + 3 * (at == FIRST)) for at in range(ENOUGH)]
    found = long(leaves, seed(), seed(REVEALED, ENOUGH))
    assert (wrong(found), found.delayed) == ([], 1)


@pytest.mark.parametrize(("flag", "delayed"), [(LeafFlag.GAP, 1), (LeafFlag.LATE, 0)])
def test_a_leaf_of_a_gap_says_that_nothing_could_be_stored(flag: LeafFlag, delayed: int) -> None:
    leaves = lesson(ENOUGH)
    raw = Leaf(SLOT + FIRST, flag, 1, 0, 0, NO_HASH, NO_HASH, (SLOT + FIRST + 4) * MINUTE, 0).pack()
    leaves[FIRST] = replace(leaves[FIRST], leaf=raw)
    found = long(leaves, seed(), seed(REVEALED, ENOUGH))
    assert (wrong(found), found.delayed) == ([("challenge_skipped", FIRST, JIA)][delayed:], delayed)


SURPLUS = ENOUGH * MINUTE - DUE - LATER_MS


def sealed_at(parts: Iterable[tuple[int, int]], more: int) -> Judged:
    """Minutes of a gap, each sealed so many milliseconds after 30 s behind its end, when it is first missed."""
    count = ENOUGH + more
    leaves = lesson(count)
    for at, ms in parts:
        begins = (SLOT + at + 1) * MINUTE + 30_000
        raw = Leaf(SLOT + at, LeafFlag.GAP, 1, 0, 0, NO_HASH, NO_HASH, begins + ms, 0).pack()
        leaves[at] = replace(leaves[at], leaf=raw)
    return judged(leaves, seed(), seed(REVEALED, count), ended=count, until=count)


@pytest.mark.parametrize(
    ("parts", "more", "delayed"),
    [
        ([(FIRST, SURPLUS)], 0, True),
        ([(FIRST, SURPLUS - 1)], 0, False),
        ([(0, SURPLUS)], 0, True),
        ([(0, SURPLUS - 1)], 0, False),
        ([(FIRST - 2, SURPLUS - 9), (FIRST, 9)], 0, True),
        ([(FIRST - 2, SURPLUS - 9), (FIRST, 8)], 0, False),
        # two that overlap count once
        ([(0, MINUTE + 10), (1, SURPLUS)], 1, True),
        ([(0, MINUTE + 10), (1, SURPLUS - 1)], 1, False),
        # and also where one lies within another
        ([(0, 2 * MINUTE + 10), (1, 1), (2, SURPLUS)], 2, True),
        ([(0, 2 * MINUTE + 10), (1, 1), (2, SURPLUS - 1)], 2, False),
    ],
)
def test_a_hindrance_counts_from_half_a_minute_after_the_minute_to_the_sealing(
    parts: list[tuple[int, int]], more: int, delayed: bool
) -> None:
    assert sealed_at(parts, more).delayed == delayed
