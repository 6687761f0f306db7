"""Decides what challenges vouch for: every recorded millisecond is confirmed, pending, or refused for one reason. Pure.

The server counts by this and the verifier checks by it. Distances are recorded milliseconds, so that a break or a time
away costs nobody anything and brings nobody anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

Span = tuple[int, int]
Spans = tuple[Span, ...]


class Outcome(IntEnum):
    """What happened to a trainee's challenges; numbers are stored and never change."""

    ISSUED = 1
    PASSED = 2
    FAILED = 3  # a wrong answer
    TIMED_OUT = 4  # the page showed it, and nobody answered
    SILENT = 5  # nothing was heard of the page
    BLOCKED = 6  # the page beats, and the challenge does not get through
    PAUSED = 7  # another device took the place over
    RESUMED = 8  # its page is asked
    WITHDRAWN = 9  # the lesson ended first


class Refusal(IntEnum):
    """Why a recorded millisecond does not count (notice.md); in files by these names."""

    CHALLENGE_MISSED = 1  # 未应答抽查
    IDENTITY_FAILED = 2  # 身份验证失败

    @property
    def code(self) -> str:
        """The stable code on the wire and in files."""
        return self.name.lower()


#: what voids, and for which reason
VOIDS: Final = {
    Outcome.FAILED: Refusal.IDENTITY_FAILED,
    Outcome.TIMED_OUT: Refusal.CHALLENGE_MISSED,
    Outcome.SILENT: Refusal.CHALLENGE_MISSED,
    Outcome.BLOCKED: Refusal.CHALLENGE_MISSED,
}
#: while one of these is the last that happened, a challenge waits for its answer
WAITING: Final = (Outcome.ISSUED, Outcome.PAUSED, Outcome.RESUMED)


@dataclass(frozen=True, slots=True)
class Happened:
    """An outcome and its ledger millisecond."""

    at_ms: int
    outcome: Outcome


@dataclass(slots=True)
class Vouched:
    """Recorded time in three parts; no two of them overlap, and together they are what was recorded.

    `blocked`: why nothing counts any more until the trainee is verified again; None when it does.
    """

    confirmed: list[Span] = field(default_factory=list)
    pending: list[Span] = field(default_factory=list)
    refused: dict[Refusal, list[Span]] = field(default_factory=dict)
    blocked: Refusal | None = None


def vouch(recorded: Spans, happened: Iterable[Happened], limit_ms: int | None, settled: bool) -> Vouched:
    """What counts of `recorded` (in order, disjoint) after what happened (in order).

    `limit_ms`: the longest recorded time between two passes, None under a scheme without challenges. `settled`: the
    lesson is over and no challenge waits. Entry and each pass vouch for what follows up to the limit, once the next
    pass or the end confirms it; what lies beyond stays pending, because it is ours not to have asked in time. A fail,
    a time-out or silence voids back to the last pass, and everything after it until a pass.
    """
    found, since = Vouched(), 0
    if limit_ms is None:
        found.confirmed += recorded
        return found
    for one in happened:
        if one.outcome is not Outcome.PASSED and one.outcome not in VOIDS:
            continue
        _decide(found, between(recorded, since, one.at_ms), one.outcome, limit_ms)
        since = max(since, one.at_ms)
    rest = between(recorded, since, recorded[-1][1]) if recorded else ()
    if found.blocked is not None or settled:
        _decide(found, rest, Outcome.PASSED, limit_ms, last=True)
    else:
        found.pending += rest
    return found


def _decide(found: Vouched, part: Spans, outcome: Outcome, limit_ms: int, last: bool = False) -> None:
    """Take a stretch that ends with this outcome."""
    why = found.blocked or VOIDS.get(outcome)
    if why is not None:
        found.refused.setdefault(why, []).extend(part)
    else:
        vouched, beyond = split(part, limit_ms)
        found.confirmed += vouched
        found.pending += beyond
    if not last:
        found.blocked = None if outcome is Outcome.PASSED else why


def is_waiting(happened: Iterable[Happened]) -> bool:
    """Whether a challenge waits for its answer."""
    waits = False
    for one in happened:
        waits = one.outcome in WAITING
    return waits


def between(spans: Iterable[Span], start: int, end: int) -> Spans:
    """The part of spans within [start, end)."""
    return tuple((max(a, start), min(b, end)) for a, b in spans if a < end and b > start)


def split(spans: Spans, ms: int) -> tuple[Spans, Spans]:
    """The first `ms` milliseconds of spans, and the others."""
    first: list[Span] = []
    others: list[Span] = []
    for start, end in spans:
        cut = min(end, start + ms)
        ms -= cut - start
        if start < cut:
            first.append((start, cut))
        if cut < end:
            others.append((cut, end))
    return tuple(first), tuple(others)
