"""How trainees of the invariants' machine treat challenges, and what must hold of what counts afterwards."""

from typing import Final

from server.attendance.challenges.counting import Challenged
from server.attendance.challenges.lesson import Answer, ChallengeState
from server.attendance.challenges.rules import Event
from server.attendance.intervals import Intervals, clip, total, union
from server.core.errors import DomainError
from server.training.rules import ChallengeRule
from server.verify.schedule import off_schedule, out_of_order
from server.verify.vouched import VOIDS, Happened, Outcome
from tests.attendance.challenges.scripted import right
from tests.attendance.world import LESSON, Page, World

#: short, so that even a short lesson is full of challenges
RULE: Final = ChallengeRule(240_000, 60_000)
#: what somebody does with a challenge: reads it, guesses, looks away, or keeps the page from showing it
WAYS: Final = ("right", "wrong", "nothing", "hidden")


async def face(world: World, page: Page, way: str) -> None:
    """A second in front of a page that may show a challenge."""
    world.deaf.discard(page.connection)
    if way == "hidden":
        world.deaf.add(page.connection)
    state = world.shown.get(page.connection)
    if state is None or way in ("nothing", "hidden"):
        return
    try:
        if state.state == "blocked":
            state = await world.challenges.again(page.actor, page.connection, LESSON, page.epoch)
        if state.state == "asked":
            state = await _say(world, page, state, way)
    except DomainError as error:
        if error.code not in ("challenge_over", "challenge_too_fast", "challenge_too_soon", "lease_lost"):
            raise
        return
    world.shown[page.connection] = state


async def _say(world: World, page: Page, state: ChallengeState, way: str) -> ChallengeState:
    said = right(state.prompt) if way == "right" else "wrong"
    return await world.challenges.answer(page.actor, page.connection, Answer(LESSON, page.epoch, state.number, said))


def counted(events: dict[str, list[Event]], person: str, recorded: Intervals) -> Intervals:
    """What counts once the lesson is over (F); every recorded millisecond has one state."""
    found = Challenged(RULE.limit_ms, events, ended=True).of(person, recorded)
    parts = [union(found.confirmed), union(found.pending), *(union(spans) for spans in found.refused.values())]
    assert sum(map(total, parts)) == total(recorded)
    assert union(*parts) == recorded
    return parts[0]


def check_schedule(seed: bytes | None, events: dict[str, list[Event]], recorded: dict[str, Intervals]) -> int:
    """What a verifier says of an honest server: everybody was asked when the seed says. Returns how often."""
    if seed is None:
        return 0
    for person in events.keys() | recorded.keys():
        happened = [Happened(one.at_ms, one.outcome) for one in events.get(person, ())]
        assert list(out_of_order(happened, RULE)) == []
        assert list(off_schedule(seed, person, RULE, recorded.get(person, ()), happened)) == []
    return sum(1 for each in events.values() for one in each if one.outcome is Outcome.ISSUED)


def check_dodges(events: list[Event], confirmed: Intervals) -> int:
    """I14: a void is worth 0 back to the last pass. I15: nothing after it until the next pass. Returns the voids."""
    passes = [one.at_ms for one in events if one.outcome is Outcome.PASSED]
    voids = [one.at_ms for one in events if one.outcome in VOIDS]
    for at_ms in voids:
        before = max((one for one in passes if one <= at_ms), default=0)
        after = min((one for one in passes if one > at_ms), default=2**62)
        assert clip(confirmed, before, after) == (), "time of a dodged challenge, or of a block, counts"
    return len(voids)
