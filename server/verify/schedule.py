"""Decides when a trainee is to be challenged, and who was asked at another time than the lesson's seed says. Pure.

The server asks by this and the verifier checks by it. The seed is committed to before the lesson and shown after it, so
that who runs the server cannot spare a friend. Distances are recorded milliseconds since the last pass, or the entry.
"""

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Final

from server.verify.vouched import VOIDS, Happened, Outcome, Span, Spans, between

SEED_BYTES: Final = 32
#: a hole that costs nothing, and a beat
LATE_MS: Final = 70_000
#: so much recorded time sooner than due an honest server may seem to ask: an answer is dated when it came, and what was
#: recorded by then was not all known (a hole and a beat, an outage of ours of a minute that cost nothing, ten seconds)
SOONER_MS: Final = LATE_MS + 60_000 + 10_000
#: and so much later: the same, twenty seconds to judge answers, six until it is looked again, two minutes in which
#: nothing could be written and the log shows no gap
LATER_MS: Final = LATE_MS + 60_000 + 20_000 + 6_000 + 120_000
_SHARE: Final = 2**32


@dataclass(frozen=True, slots=True)
class Rule:
    """What a lesson's seed was committed with: the longest recorded time between two passes, the time to answer."""

    limit_ms: int
    answer_ms: int

    @property
    def earliest_ms(self) -> int:
        """Nobody is asked again before so much more is recorded."""
        return self.limit_ms // 3

    @property
    def latest_ms(self) -> int:
        """Everybody is asked by then: a late beat and a slow answer still come within the limit."""
        return self.limit_ms - self.answer_ms - LATE_MS


class Off(IntEnum):
    """What is wrong with a trainee's challenges."""

    ORDER = 1  # no server writes them in this order, or takes an answer so late
    SHIFTED = 2  # asked sooner or later than the seed says
    SKIPPED = 3  # due, and never asked
    DELAYED = 4  # later than the seed says, while nothing could be sealed: ours, and no fault of the order


def draw(seed: bytes, person_id: str, number: int) -> bytes:
    """32 bytes that say when a trainee's nth challenge comes and what it asks."""
    return hmac.new(seed, f"{person_id}:{number}".encode(), sha256).digest()


def due_after_ms(drawn: bytes, rule: Rule) -> int:
    """After so many recorded milliseconds since the last pass (or the entry) the challenge comes."""
    width = rule.latest_ms - rule.earliest_ms
    return rule.earliest_ms + int.from_bytes(drawn[:4], "big") * width // _SHARE


def out_of_order(happened: Iterable[Happened], rule: Rule) -> Iterator[int]:
    """When something happened that cannot follow what was before, or an answer was taken after its time."""
    asked_ms: int | None = None
    last: Outcome | None = None
    for one in happened:
        waits = last in (Outcome.ISSUED, Outcome.PAUSED, Outcome.RESUMED)
        answered = one.outcome in (Outcome.PASSED, Outcome.FAILED)
        late = answered and asked_ms is not None and one.at_ms > asked_ms + rule.answer_ms
        if (one.outcome is Outcome.ISSUED) == waits or late or (answered and last is Outcome.PAUSED):
            yield one.at_ms
        if one.outcome in (Outcome.ISSUED, Outcome.RESUMED):
            asked_ms = one.at_ms
        last = one.outcome


def off_schedule(
    seed: bytes, person_id: str, rule: Rule, recorded: Spans, happened: Iterable[Happened], hindered: Spans = ()
) -> Iterator[tuple[int, Off]]:
    """When a trainee was asked at another time than the seed says, or was due and not asked until the end.

    `recorded` is all recorded time, `happened` all that happened, each in order; during `hindered` nothing could be
    written. Who is blocked asks to be asked, whenever they want.
    """
    since_ms, number, clear = 0, 0, True
    for one in happened:
        if one.outcome is Outcome.ISSUED:
            number += 1
            if clear:
                due_ms = due_after_ms(draw(seed, person_id, number), rule)
                yield from _off(between(recorded, since_ms, one.at_ms), due_ms, hindered, one.at_ms)
            clear = False
        elif one.outcome is Outcome.PASSED:
            since_ms, clear = one.at_ms, True
        elif one.outcome in VOIDS:
            clear = False
    if clear and recorded:
        due_ms = due_after_ms(draw(seed, person_id, number + 1), rule)
        yield from _off(between(recorded, since_ms, recorded[-1][1]), due_ms, hindered, None)


def _off(spent: Spans, due_ms: int, hindered: Spans, asked_ms: int | None) -> Iterator[tuple[int, Off]]:
    """What is wrong with a challenge that was due after `due_ms` of this time and came at its end, or never."""
    total_ms = sum(end - start for start, end in spent)
    if asked_ms is not None and total_ms < due_ms - SOONER_MS:
        yield asked_ms, Off.SHIFTED
    elif total_ms > due_ms + LATER_MS:
        free_ms = total_ms - sum(b - a for start, end in hindered for a, b in between(spent, start, end))
        if free_ms <= due_ms + LATER_MS:
            yield _moment(spent, due_ms), Off.DELAYED
        elif asked_ms is not None:
            yield asked_ms, Off.SHIFTED
        else:
            yield _moment(spent, due_ms), Off.SKIPPED


def _moment(spent: Iterable[Span], ms: int) -> int:
    """When so much of it was spent."""
    for start, end in spent:
        if ms <= end - start:
            return start + ms
        ms -= end - start
    raise ValueError("so much was not spent")
