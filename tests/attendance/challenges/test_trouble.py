"""What is no trainee's fault costs nobody anything: we stood still, a page or provider is silent, a write fails."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from server.attendance.challenges.lesson import ChallengeState
from server.core.errors import DomainError
from server.verify.vouched import Outcome
from tests.attendance.challenges.play import ANN, LATEST_MS, RULE, enter, let_pass, outcomes, say, until_asked
from tests.attendance.challenges.scripted import Failing
from tests.attendance.world import BEAT_EVERY_MS, LESSON, World, trainee


async def test_a_process_that_stood_still_asks_anew_with_the_whole_time(world: World) -> None:
    page = await enter(world)
    first = await until_asked(world, page)
    world.stand_still(RULE.answer_ms + 40_000)
    await world.challenge()
    again = world.shown[page.connection]
    assert (again.number, again.prompt, again.left_ms) == (first.number, first.prompt, RULE.answer_ms)
    await let_pass(world, page, RULE.answer_ms - 3_000)
    assert (await say(world, page, again)).state == "clear"
    assert await outcomes(world) == [Outcome.ISSUED, Outcome.RESUMED, Outcome.PASSED]


async def test_an_answer_that_waited_while_we_stood_still_is_in_time(world: World) -> None:
    page = await enter(world)
    state = await until_asked(world, page)
    world.stand_still(RULE.answer_ms + 1)
    assert (await say(world, page, state)).state == "clear"
    assert await outcomes(world) == [Outcome.ISSUED, Outcome.RESUMED, Outcome.PASSED]


async def test_standing_still_asks_anew_once(world: World) -> None:
    page = await enter(world)
    await until_asked(world, page)
    world.stand_still(RULE.answer_ms + 40_000)
    world.alive.discard(page.connection)
    await let_pass(world, page, RULE.answer_ms + 2_000)
    assert (await outcomes(world))[1:] == [Outcome.RESUMED, Outcome.BLOCKED], "what was shown before counts no more"


async def test_a_page_that_does_not_acknowledge_holds_up_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    page, other = await enter(world), await enter(world, trainee(2))
    tries, answers = Counter[str](), asyncio.Event()
    reached = world.challenges._ports.show

    async def show(connection: str, state: ChallengeState) -> bool:
        if state.state == "clear":  # as it is before anybody is asked
            return await reached(connection, state)
        tries[connection] += 1
        if connection == page.connection:
            await answers.wait()
        return await reached(connection, state)

    monkeypatch.setattr(world.challenges, "_ports", replace(world.challenges._ports, show=show))
    while not {page.connection, other.connection} <= tries.keys():
        world.clock.advance(1_000)
        if world.now() % BEAT_EVERY_MS == 0:
            await page.beat()
            await other.beat()
        await asyncio.wait_for(world.challenges.round(), 60)
        await asyncio.sleep(0)
    await asyncio.gather(*(each for name, each in world.challenges.showing.items() if name != page.connection))
    assert world.shown[other.connection].state == "asked"
    assert world.shown[page.connection].state == "clear"
    for _ in range(3):
        await world.challenges.round()
    assert tries[page.connection] == 1, "one at a time"
    world.deaf.add(page.connection)
    answers.set()
    await asyncio.gather(*world.challenges.showing.values())
    assert world.shown[page.connection].state == "clear"
    world.deaf.clear()
    await world.challenge()
    assert (tries[page.connection], world.shown[page.connection].state) == (2, "asked")


async def test_a_lesson_that_is_slow_holds_up_no_other(world: World) -> None:
    other, books = "1e55000000000002", world.register.books
    await world.challenges.begin(other)
    (await world.register.book(other)).set_timeline(world.transitions, False)
    books[LESSON] = books.pop(LESSON)
    page = await enter(world)
    await world.challenge()
    async with world.challenges._lessons[other].lock:
        for _ in range(LATEST_MS // BEAT_EVERY_MS):
            world.clock.advance(BEAT_EVERY_MS)
            await page.beat()
        held = world.tasks.spawn("round", world.challenges.round())
        async with asyncio.timeout(60):
            while True:
                if await outcomes(world):
                    break
                await asyncio.sleep(0.01)
    await held


async def test_a_lesson_that_begins_while_it_is_read_is_challenged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, read, is_read, goes_on = "1e55000000000002", world.database.read, asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def slowly() -> AsyncIterator[AsyncConnection]:
        async with read() as connection:
            yield connection
        is_read.set()
        await goes_on.wait()

    monkeypatch.setattr(world.database, "read", slowly)
    reading = world.tasks.spawn("reading", world.challenges.state(other, ANN.person_id))
    await is_read.wait()
    begins = world.tasks.spawn("begins", world.challenges.begin(other))
    await asyncio.wait({begins}, timeout=0.5)
    goes_on.set()
    await asyncio.gather(reading, begins)
    assert await world.challenges.state(other, ANN.person_id) is not None


async def test_a_provider_that_cannot_ask_postpones_for_its_trainee_alone(world: World) -> None:
    page, other = await enter(world), await enter(world, trainee(2))
    scripted = world.challenges.provider = Failing({ANN.person_id})
    for _ in range((LATEST_MS + 3 * RULE.answer_ms) // BEAT_EVERY_MS):
        await let_pass(world, page, BEAT_EVERY_MS)
        await other.beat()
        if (state := world.shown.get(other.connection)) is not None and state.state == "asked":
            world.shown[other.connection] = await say(world, other, state)
    assert await outcomes(world) == [Outcome.ISSUED], "nothing is held against the trainee, no deadline moves"
    theirs = [one.outcome for one in (await world.happened())[other.actor.person_id]]
    assert theirs[:2] == [Outcome.ISSUED, Outcome.PASSED]
    scripted.fails.clear()
    await world.challenge()
    state = world.shown[page.connection]
    assert (state.state, state.number, state.left_ms) == ("asked", 1, RULE.answer_ms)
    assert (await say(world, page, state)).state == "clear"
    assert await outcomes(world) == [Outcome.ISSUED, Outcome.RESUMED, Outcome.PASSED]


async def test_what_a_provider_never_asked_is_withdrawn_at_the_end(world: World) -> None:
    page = await enter(world)
    world.challenges.provider = Failing({ANN.person_id})
    await let_pass(world, page, LATEST_MS + RULE.answer_ms + 2_000)
    await world.end()
    await world.challenge()
    assert await outcomes(world) == [Outcome.ISSUED, Outcome.WITHDRAWN]


async def test_a_provider_that_cannot_judge_asks_anew(world: World) -> None:
    page = await enter(world)
    state = await until_asked(world, page)
    scripted = world.challenges.provider = Failing()
    scripted.judges = False
    world.clock.advance(5_000)
    again = await say(world, page, state)
    assert (again.state, again.number, again.left_ms) == ("asked", state.number, RULE.answer_ms)
    scripted.judges = True
    assert (await say(world, page, again)).state == "clear"
    assert await outcomes(world) == [Outcome.ISSUED, Outcome.RESUMED, Outcome.PASSED]


async def test_an_answer_in_time_is_not_overtaken_while_it_is_judged(world: World) -> None:
    page = await enter(world)
    state = await until_asked(world, page)
    scripted = world.challenges.provider = Failing()
    scripted.slow = asyncio.Event()
    said = world.tasks.spawn("answer", say(world, page, state))
    late = world.tasks.spawn("late", say(world, page, state, "wrong"))
    await scripted.asked.wait()
    world.clock.advance(RULE.answer_ms + 1)
    async with asyncio.timeout(60):
        await world.challenge()
    assert await outcomes(world) == [Outcome.ISSUED]
    scripted.slow.set()
    assert (await said).state == (await late).state == "clear"
    assert await outcomes(world) == [Outcome.ISSUED, Outcome.PASSED]


async def test_an_answer_after_the_deadline_stops_no_clock(world: World) -> None:
    page = await enter(world)
    state = await until_asked(world, page)
    scripted = world.challenges.provider = Failing()
    world.clock.advance(RULE.answer_ms + 1)
    async with world.challenges._in_line(LESSON, ANN.person_id, world.now()):
        await world.challenge()
    assert await outcomes(world) == [Outcome.ISSUED, Outcome.TIMED_OUT]
    assert (await say(world, page, state)).state == "blocked"
    assert not scripted.asked.is_set()


async def test_after_a_write_that_failed_the_store_is_asked_what_happened(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await enter(world)
    state = await until_asked(world, page)
    write = world.database.write

    @asynccontextmanager
    async def lost(key: str) -> AsyncIterator[AsyncConnection]:
        async with write(key) as connection:
            yield connection
        raise DomainError("closing")

    with monkeypatch.context() as broken:
        broken.setattr(world.database, "write", lost)
        with pytest.raises(DomainError):
            await say(world, page, state)
    assert (await say(world, page, state, "wrong")).state == "clear", "it had passed"
    await let_pass(world, page, RULE.answer_ms + 2_000)
    assert (await outcomes(world))[:2] == [Outcome.ISSUED, Outcome.PASSED]


async def test_a_lesson_that_ended_before_we_went_down_is_settled_before_it_is_forgotten(world: World) -> None:
    """We are back an hour later, and the sealer comes first: what waits is withdrawn, and the seed is shown."""
    page = await enter(world)
    await until_asked(world, page)
    await world.end()
    await world.crash()
    world.clock.advance(3_600_000)
    await world.sealer.round()
    assert LESSON not in world.register.books
    assert (await outcomes(world))[-1] is Outcome.WITHDRAWN
    assert await world.seed() is not None


async def test_a_lesson_whose_seed_cannot_be_shown_yet_is_not_forgotten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await enter(world)
    await world.end()
    world.clock.advance(3_600_000)
    monkeypatch.setattr(world.challenges.seeds, "reveal", _never)
    with pytest.raises(DomainError):
        await world.sealer.round()
    assert LESSON in world.register.books
    monkeypatch.undo()
    await world.sealer.round()
    assert await world.seed() is not None
    assert LESSON not in world.register.books


async def _never(*_known: object) -> None:
    raise DomainError("store_unavailable")
