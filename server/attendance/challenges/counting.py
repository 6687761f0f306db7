"""Decides what counts of a trainee's recorded time in a lesson with challenges, and how often each was asked. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from server.attendance.challenges.rules import Event
from server.attendance.intervals import Intervals
from server.verify.vouched import VOIDS, Happened, Outcome, Refusal, Vouched, is_waiting, vouch


@dataclass(frozen=True, slots=True)
class Tally:
    """核验: how often a trainee was asked, and what came of it; what was withdrawn is not counted."""

    asked: int = 0
    passed: int = 0
    failed: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Challenged:
    """What happened in a lesson, by trainee; `ended`: nothing more will."""

    limit_ms: int
    events: Mapping[str, list[Event]]
    ended: bool

    def settled(self, person_id: str) -> bool:
        """Whether what counts of the trainee's time is final, but for corrections."""
        return self.ended and not is_waiting(self._happened(person_id))

    def of(self, person_id: str, recorded: Intervals) -> Vouched:
        """What counts of the trainee's recorded ledger milliseconds."""
        return vouch(recorded, self._happened(person_id), self.limit_ms, self.settled(person_id))

    def tally(self, person_id: str) -> Tally:
        """How often the trainee was asked."""
        return tally(one.outcome for one in self.events.get(person_id, ()))

    def _happened(self, person_id: str) -> list[Happened]:
        return [Happened(one.at_ms, one.outcome) for one in self.events.get(person_id, ())]


def tally(outcomes: Iterable[Outcome]) -> Tally:
    """Outcomes as a file shows them."""
    known = list(outcomes)
    voids = [VOIDS[one] for one in known if one in VOIDS]
    passed, failed = known.count(Outcome.PASSED), voids.count(Refusal.IDENTITY_FAILED)
    missed = voids.count(Refusal.CHALLENGE_MISSED)
    return Tally(passed + failed + missed, passed, failed, missed)
