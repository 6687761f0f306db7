"""A trainee in a lesson with challenges: the page beats, is asked, and answers."""

from server.attendance.challenges.lesson import Answer, ChallengeState
from server.core.actor import Actor
from server.training.rules import ChallengeRule
from server.verify.vouched import Outcome
from tests.attendance.challenges.scripted import right
from tests.attendance.world import BEAT_EVERY_MS, LESSON, Page, World, trainee

RULE = ChallengeRule(180_000, 20_000)
ANN = trainee(1)
#: nobody answers sooner who reads
READ_MS = 2_000
#: by then everybody was asked
LATEST_MS = RULE.latest_ms + BEAT_EVERY_MS


async def enter(world: World, who: Actor = ANN) -> Page:
    page = Page(world, who)
    page.show()
    await page.join()
    return page


async def let_pass(world: World, page: Page, ms: int) -> None:
    """The page beats every ten seconds; challenges are looked at every second."""
    for _ in range(ms // 1_000):
        world.clock.advance(1_000)
        if world.now() % BEAT_EVERY_MS == 0:
            await page.beat()
        await world.challenge()


async def until_asked(world: World, page: Page) -> ChallengeState:
    for _ in range(LATEST_MS // 1_000 + 2):
        await let_pass(world, page, 1_000)
        state = world.shown.get(page.connection)
        if state is not None and state.state == "asked":
            return state
    raise AssertionError("nobody was asked")


async def say(world: World, page: Page, state: ChallengeState, answer: str = "") -> ChallengeState:
    world.clock.advance(READ_MS)
    said = Answer(LESSON, page.epoch, state.number, answer or right(state.prompt))
    return await world.challenges.answer(page.actor, page.connection, said)


async def outcomes(world: World) -> list[Outcome]:
    return [one.outcome for one in (await world.happened()).get(ANN.person_id, [])]
