"""Decides who is challenged when, and what follows from an answer, from silence and from another device. Pure.

What happened is events; a trainee's standing in a lesson follows from them alone. When the next challenge is due
follows from a seed that the log commits to before the lesson (verify/schedule): who runs the server cannot spare a
friend, nor a trainee guess.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from server.core.errors import DomainError
from server.training.rules import ChallengeRule
from server.verify.schedule import due_after_ms
from server.verify.vouched import VOIDS, Outcome, Refusal

#: after a void a trainee asks to be verified again, this often at most
AGAIN_AFTER_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a trainee's challenges in a lesson; `number` counts the challenges.

    `deadline_ms`: until when an answer is taken, 0 once it is decided; `credit_ms`: what was recorded by then.
    """

    seq: int
    at_ms: int
    outcome: Outcome
    number: int
    epoch: int
    deadline_ms: int = 0
    credit_ms: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A challenge that waits for its answer; `left_ms` is kept while it is paused."""

    number: int
    epoch: int
    since_ms: int
    deadline_ms: int
    left_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A trainee in a lesson: what is asked, why nothing counts, and what was recorded at the last pass."""

    seq: int = 0
    number: int = 0
    at_ms: int = 0
    asked: Asked | None = None
    blocked: Refusal | None = None
    passed_credit_ms: int = 0
    decided: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of a page whose time to answer is over: whether it showed the challenge, whether it beat since."""

    shown: bool
    beating: bool


def apply(before: Standing, event: Event) -> Standing:
    """The standing after an event."""
    after = replace(before, seq=event.seq, number=event.number, at_ms=event.at_ms)
    match event.outcome:
        case Outcome.ISSUED | Outcome.RESUMED:
            return replace(after, asked=Asked(event.number, event.epoch, event.at_ms, event.deadline_ms))
        case Outcome.PAUSED:
            asked = before.asked
            left_ms = asked.deadline_ms - event.at_ms if asked else 0
            return replace(after, asked=Asked(event.number, event.epoch, event.at_ms, event.deadline_ms, left_ms))
        case Outcome.PASSED:
            passed = replace(after, blocked=None, passed_credit_ms=event.credit_ms)
            return replace(passed, asked=None, decided=event.outcome)
        case Outcome.WITHDRAWN:
            return replace(after, asked=None)
        case _:
            return replace(after, asked=None, decided=event.outcome, blocked=before.blocked or VOIDS[event.outcome])


def rebuild(events: Iterable[Event]) -> Standing:
    """The standing that events make."""
    standing = Standing()
    for event in events:
        standing = apply(standing, event)
    return standing


def is_due(standing: Standing, credit_ms: int, drawn: bytes, rule: ChallengeRule) -> bool:
    """Whether the trainee, who has so much recorded, is to be asked now. Who is blocked asks to be asked."""
    if standing.asked is not None or standing.blocked is not None:
        return False
    return credit_ms - standing.passed_credit_ms >= due_after_ms(drawn, rule)


def issue(standing: Standing, now_ms: int, epoch: int, credit_ms: int, rule: ChallengeRule) -> Event:
    """The next challenge."""
    deadline_ms = now_ms + rule.answer_ms
    return Event(standing.seq + 1, now_ms, Outcome.ISSUED, standing.number + 1, epoch, deadline_ms, credit_ms)


def check_again(standing: Standing, now_ms: int) -> None:
    """Whether a trainee who is blocked may be asked now. Raises DomainError challenge_over, challenge_too_soon."""
    if standing.blocked is None or standing.asked is not None:
        raise DomainError("challenge_over")
    if now_ms < standing.at_ms + AGAIN_AFTER_MS:
        left_ms = standing.at_ms + AGAIN_AFTER_MS - now_ms
        raise DomainError("challenge_too_soon", retry_after_s=-(-left_ms // 1000))


def check_answer(standing: Standing, number: int, now_ms: int) -> Asked:
    """What an answer is to. Raises DomainError challenge_over: another one, none, or too late."""
    asked = standing.asked
    if asked is None or asked.number != number or asked.left_ms is not None or now_ms > asked.deadline_ms:
        raise DomainError("challenge_over")
    return asked


def answered(standing: Standing, asked: Asked, now_ms: int, right: bool, credit_ms: int) -> Event:
    """What an answer is."""
    outcome = Outcome.PASSED if right else Outcome.FAILED
    return Event(standing.seq + 1, now_ms, outcome, asked.number, asked.epoch, 0, credit_ms)


def overdue(standing: Standing, now_ms: int, heard: Heard) -> Event | None:
    """What becomes of a challenge that nobody answered in time; it ends with its deadline, whenever this is asked."""
    asked = standing.asked
    if asked is None or now_ms <= asked.deadline_ms:
        return None
    outcome = Outcome.BLOCKED if heard.beating else Outcome.SILENT
    if heard.shown:
        outcome = Outcome.TIMED_OUT
    return Event(standing.seq + 1, asked.deadline_ms, outcome, asked.number, asked.epoch)


def paused(standing: Standing, at_ms: int, rule: ChallengeRule) -> Event | None:
    """Another device takes the place over: what is asked waits for its page, but not for ever."""
    asked = standing.asked
    if asked is None or asked.left_ms is not None or not asked.since_ms <= at_ms <= asked.deadline_ms:
        return None
    deadline_ms = at_ms + rule.answer_ms
    return Event(standing.seq + 1, at_ms, Outcome.PAUSED, asked.number, asked.epoch, deadline_ms)


def resumed(standing: Standing, now_ms: int, epoch: int) -> Event | None:
    """The other device's page is there: it gets the time that was left."""
    asked = standing.asked
    if asked is None or asked.left_ms is None or now_ms > asked.deadline_ms:
        return None
    return Event(standing.seq + 1, now_ms, Outcome.RESUMED, asked.number, epoch, now_ms + asked.left_ms)


def restored(standing: Standing, now_ms: int, rule: ChallengeRule) -> Event | None:
    """This server was not there: what was asked is asked anew, with the whole time to answer."""
    asked = standing.asked
    if asked is None:
        return None
    at_ms = max(now_ms, standing.at_ms)
    return Event(standing.seq + 1, at_ms, Outcome.RESUMED, asked.number, asked.epoch, at_ms + rule.answer_ms)


def withdrawn(standing: Standing, now_ms: int) -> Event | None:
    """The lesson ended before the time to answer did."""
    asked = standing.asked
    if asked is None:
        return None
    return Event(standing.seq + 1, max(now_ms, standing.at_ms), Outcome.WITHDRAWN, asked.number, asked.epoch)
