"""Decides which answers came faster than anybody reads, and what of a lesson is for a person to look at. Pure.

A delay runs from when the question was first sent to a page, not from its acknowledgement: so it is never shorter than
the time that somebody had, also where a slow line held acknowledgement and answer back and brought them together.
What is listed is no finding and costs nothing by itself: a person looks, and corrects where there is a reason to.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Final

from server.core.errors import DomainError
from server.verify.vouched import Outcome

#: nobody has read a question and answered it sooner: such an answer is none, be it a script's or a stray tap
TOO_FAST_MS: Final = 700
#: so many of one trainee's to one question are written down; the rest is refused all the same
FAST_KEPT: Final = 5
#: answers are in step whose delays differ by so little
STEP_MS: Final = 250
#: in step so often at least, and in three quarters of what both answered
STEP_TIMES: Final = 3
#: with more trainees than this chance does it too: once more for each threefold crowd
STEP_CROWD: Final = 50


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: to which challenge, when, how long after its question was sent, and whether it was taken as one."""

    person_id: str
    at_ms: int
    number: int
    delay_ms: int
    taken: bool


class Why(StrEnum):
    """Why a person should look at it."""

    TOO_FAST = "too_fast"
    IN_STEP = "in_step"
    NOT_SHOWN = "not_shown"


@dataclass(frozen=True, slots=True)
class Notable:
    """Something about a trainee in a lesson that a person should look at; `others` answered in step with them."""

    person_id: str
    why: Why
    times: int
    least_ms: int | None = None
    others: tuple[str, ...] = ()


def is_new(line: Notable, looked: Iterable[tuple[int, int]]) -> bool:
    """Whether there is something in it that was in none of the looks at it: (times, how many others) of each."""
    return all(times != line.times or others != len(line.others) for times, others in looked)


def check(since_ms: int, received_ms: int) -> None:
    """Whether somebody can have read it by then: since it was sent, or since they last answered too fast.

    Raises DomainError challenge_too_fast.
    """
    if received_ms - since_ms < TOO_FAST_MS:
        raise DomainError("challenge_too_fast")


def notable(said: Sequence[Said], outcomes: Mapping[str, Iterable[Outcome]]) -> list[Notable]:
    """What of a lesson a person should look at, by trainee."""
    found = []
    fast: dict[str, list[int]] = {}
    for one in said:
        if not one.taken:
            fast.setdefault(one.person_id, []).append(one.delay_ms)
    found += [Notable(who, Why.TOO_FAST, len(delays), min(delays)) for who, delays in fast.items()]
    for who, others in in_step(said).items():
        times = sum(one.taken and one.person_id == who for one in said)
        found.append(Notable(who, Why.IN_STEP, times, None, tuple(sorted(others))))
    for who, happened in outcomes.items():
        if times := sum(one is Outcome.BLOCKED for one in happened):
            found.append(Notable(who, Why.NOT_SHOWN, times))
    return sorted(found, key=lambda one: (one.person_id, one.why))


def in_step(said: Iterable[Said]) -> dict[str, set[str]]:
    """Who answered again and again with the same delay as two others who did so with one another: those others."""
    delays: dict[str, dict[int, int]] = {}
    rows: dict[int, list[tuple[int, str]]] = {}
    for answer in said:
        if answer.taken:
            delays.setdefault(answer.person_id, {})[answer.number] = answer.delay_ms
            rows.setdefault(answer.number, []).append((answer.delay_ms, answer.person_id))
    for row in rows.values():
        row.sort()
    times = least_times(len(delays))
    near = {who: _near(who, own, rows, delays, times) for who, own in delays.items()}
    found: dict[str, set[str]] = {}
    for who, others in near.items():
        for one, other in combinations(sorted(others), 2):
            if other in near[one] and _at_once(delays[who], delays[one], delays[other]) >= times:
                found.setdefault(who, set()).update((one, other))
    return found


def least_times(people: int) -> int:
    """So often must answers of so many be in step that chance alone does not make three of them so."""
    times = STEP_TIMES
    while people > STEP_CROWD * 3 ** (times - STEP_TIMES):
        times += 1
    return times


def _at_once(*three: Mapping[int, int]) -> int:
    """At how many challenges all of them were in step."""
    first, second, third = three
    numbers = first.keys() & second.keys() & third.keys()
    return sum(max(one[at] for one in three) - min(one[at] for one in three) <= STEP_MS for at in numbers)


def _near(
    who: str,
    own: Mapping[int, int],
    rows: Mapping[int, list[tuple[int, str]]],
    delays: Mapping[str, Mapping[int, int]],
    times: int,
) -> set[str]:
    if len(own) < times:
        return set()
    met: Counter[str] = Counter()
    for number, delay in own.items():
        row = rows[number]
        first, last = bisect_left(row, (delay - STEP_MS,)), bisect_right(row, (delay + STEP_MS, chr(0x10FFFF)))
        met.update(one for _, one in row[first:last] if one != who)
    return {one for one, met_ in met.items() if met_ >= times and 4 * met_ >= 3 * len(own.keys() & delays[one].keys())}
